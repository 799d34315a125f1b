"""Settings, tab Wellness."""

WORDS = {
    "Wellness": "Sức khỏe tinh thần",
    "Nothing here can be read or changed meanwhile; videos are blurred and muted.": (
        "Trong lúc này không đọc hay thay đổi được gì ở đây; video được làm mờ và tắt tiếng."
    ),
    "For you": "Cho bạn",
    "For everybody": "Cho mọi người",
    "Stricter than everybody's setting, never looser: what is grey is set for everybody.": (
        "Chặt hơn thiết lập chung, không bao giờ lỏng hơn: phần màu xám được đặt cho mọi người."
    ),
    "Everybody is warned before videos with: {labels}": "Mọi người đều được cảnh báo trước video có: {labels}",
    "Warn me also before videos with": "Cảnh báo tôi cả trước video có",
    "Blur": "Độ mờ",
    "Light": "Nhẹ",
    "Medium": "Vừa",
    "Strong": "Mạnh",
    "Of stills, and of the video until you ask to see it.": (
        "Của ảnh tĩnh, và của video cho đến khi bạn yêu cầu xem rõ."
    ),
    "Without colour": "Không màu",
    "Speed": "Tốc độ",
    "Stills in the list and before the video": "Ảnh tĩnh trong danh sách và trước video",
    "Muted": "Tắt tiếng",
    "Play at once when the player opens": "Phát ngay khi mở trình phát",
    "Warn before videos with": "Cảnh báo trước video có",
    "Suggest a break after so many minutes a day, unblurred (0: never)": (
        "Gợi ý nghỉ sau số phút xem rõ mỗi ngày (0: không bao giờ)"
    ),
    "As everybody": "Như mọi người",
    "Nothing was changed: {why}": "Chưa thay đổi gì: {why}",
    "Kept.": "Đã lưu.",
}
