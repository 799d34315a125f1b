"""The live monitor: its head, strip, notices, list, cards."""

WORDS = {
    # Head and menu
    "Follow": "Theo dõi",
    "Following": "Đang theo dõi",
    "Held while you read": "Tạm giữ khi bạn đọc",
    "Stands still": "Đứng yên",
    "Suspended for {time}": "Tạm ngưng {time} nữa",
    "Not live": "Mất trực tiếp",
    "updated {ago}": "cập nhật {ago}",
    "no update yet": "chưa có cập nhật",
    "New alerts come into the list by themselves. Else it stands still, and a button says how many.": (
        "Cảnh báo mới tự vào danh sách. Nếu không, danh sách đứng yên và một nút cho biết có bao nhiêu."
    ),
    "Sound for new alerts": "Âm báo khi có cảnh báo mới",
    "A short tone, at most four a minute.": "Một tiếng ngắn, nhiều nhất bốn lần mỗi phút.",
    "Suspend the list for": "Tạm ngưng danh sách trong",
    "Go on now": "Tiếp tục ngay",
    "List of keys": "Danh sách phím tắt",
    "Keys": "Phím tắt",
    "No key acts while you type.": "Không phím nào có tác dụng khi bạn đang gõ chữ.",
    "next alert": "cảnh báo kế tiếp",
    "previous alert": "cảnh báo trước",
    "close the alert": "đóng cảnh báo",
    "play the video, blurred and muted": "phát video, làm mờ và tắt tiếng",
    "blur, or show unblurred": "làm mờ, hoặc xem rõ",
    "confirm the first, second, third, fourth label": "xác nhận nhãn thứ nhất, hai, ba, tư",
    "reject the first, second, third, fourth label": "bác bỏ nhãn thứ nhất, hai, ba, tư",
    "save the decision": "lưu quyết định",
    "undo your last decision on this video": "hoàn tác quyết định gần nhất của bạn về video này",
    "show or hide this list": "hiện hoặc ẩn danh sách này",
    "next video": "video kế tiếp",
    "previous video": "video trước",
    "back to the gallery": "về lưới ảnh",
    "next button or field; with Shift, the one before": "nút hoặc ô kế tiếp; cùng Shift: nút hoặc ô trước",
    "press the button": "bấm nút",
    "close a menu": "đóng trình đơn",
    # Strip of figures
    "videos/min": "video/phút",
    "dead letters": "bản ghi hỏng",
    "p95 to alert": "p95 đến cảnh báo",
    "oldest waiting": "chờ lâu nhất",
    "In the last hour.": "Trong một giờ qua.",
    "Close to a threshold: a person decides.": "Gần ngưỡng: con người quyết định.",
    "Would be safe, but a part could not be scored.": "Có lẽ an toàn, nhưng một phần không chấm điểm được.",
    "Nothing of the post could be scored.": "Không phần nào của bài đăng chấm điểm được.",
    "Unknown: nothing was read yet.": "Chưa rõ: chưa đọc được gì.",
    "Verdicts per minute over the last {time}.": "Số phán quyết mỗi phút trong {time} qua.",
    "Over a threshold of the policy, of {n} videos in the last hour.": (
        "Vượt ngưỡng của chính sách, trong {n} video của một giờ qua."
    ),
    "Events, or parts of them, that could not be used, in the last hour: `clipwarden dead-letters list`.": (
        "Sự kiện, hoặc phần của sự kiện, không dùng được trong một giờ qua: `clipwarden dead-letters list`."
    ),
    "From posted to alert, 95 of 100 alerts were faster (last {n}).": (
        "Từ lúc đăng đến cảnh báo, 95 trên 100 cảnh báo nhanh hơn mức này ({n} cảnh báo gần nhất)."
    ),
    "Age of the oldest event without a verdict.": "Tuổi của sự kiện lâu nhất chưa có phán quyết.",
    # Notices
    " and ": " và ",
    "Scoring waits for it; nothing is lost.": "Việc chấm điểm chờ nó; không mất gì.",
    "Redis and the database do not answer since {time}.": "Redis và cơ sở dữ liệu không trả lời từ {time}.",
    "Redis does not answer since {time}.": "Redis không trả lời từ {time}.",
    "The database does not answer since {time}.": "Cơ sở dữ liệu không trả lời từ {time}.",
    "What you see is the last known.": "Bạn đang thấy dữ liệu biết được lần cuối.",
    "The list comes from the database.": "Danh sách lấy từ cơ sở dữ liệu.",
    "The list holds what came before; older alerts cannot be opened, and nothing can be decided.": (
        "Danh sách giữ những gì đã đến; chưa mở được cảnh báo cũ hơn và chưa quyết định được gì."
    ),
    "No scoring process is running.": "Không có tiến trình chấm điểm nào đang chạy.",
    "Posted videos wait in Kafka. Start one with": "Video đã đăng chờ trong Kafka. Khởi động bằng",
    "Scoring is {states}.": "Trạng thái chấm điểm: {states}.",
    "Posted videos wait; nothing is lost.": "Video đã đăng chờ; không mất gì.",
    "No update for {age}, last at {time}.": "Không có cập nhật trong {age}, lần cuối lúc {time}.",
    "Videos wait, but no verdict is written. Find out why:": (
        "Video đang chờ nhưng không phán quyết nào được ghi. Tìm nguyên nhân:"
    ),
    # List
    "Alerts": "Cảnh báo",
    "Review band": "Cần xem lại",
    "All": "Tất cả",
    "Label": "Nhãn",
    "Language": "Ngôn ngữ",
    "Source": "Nguồn",
    "Show": "Hiện",
    "Hide decided": "Ẩn đã quyết định",
    "{n} new, show": "{n} mới, xem",
    "Open alert {n}": "Mở cảnh báo {n}",
    "Show {n} like it": "Hiện {n} mục tương tự",
    "Fold": "Thu gọn",
    "Show {n} more of {all}": "Hiện thêm {n} trong {all}",
    "Nothing to show": "Không có gì để hiện",
    "Neither Redis nor the database has answered since this console started.": (
        "Cả Redis lẫn cơ sở dữ liệu đều chưa trả lời từ khi bảng điều khiển này khởi động."
    ),
    "Waiting for the first video": "Đang chờ video đầu tiên",
    "Put one into the pipeline:": "Đưa một video vào hệ thống:",
    "None of the {n} videos in view passes the filters; clear one of them.": (
        "Không video nào trong {n} video đang xem qua được bộ lọc; hãy bỏ bớt một bộ lọc."
    ),
    "Nothing matches {filters}": "Không có gì khớp với {filters}",
    "Everything here is decided": "Mọi thứ ở đây đã được quyết định",
    "New ones appear by themselves.": "Mục mới sẽ tự xuất hiện.",
    "None of the {n} videos in view asks for it. New ones appear here by themselves.": (
        "Không video nào trong {n} video đang xem cần đến. Mục mới sẽ tự xuất hiện ở đây."
    ),
    "No alerts now": "Hiện không có cảnh báo",
    "Nothing in the review band now": "Hiện không có gì cần xem lại",
    # Cards
    "no caption": "không có chú thích",
    "no score": "không có điểm",
    "highest": "cao nhất",
    "author unknown": "không rõ tác giả",
    "loading": "đang tải",
    "{n} verdicts on this video": "{n} phán quyết về video này",
    "\u00d7{n} from @{author} in {m} min": "\u00d7{n} từ @{author} trong {m} phút",
    "\u00d7{n} with this caption in {m} min": "\u00d7{n} cùng chú thích này trong {m} phút",
    "{name} missing": "thiếu {name}",
    "blurred still": "ảnh tĩnh đã làm mờ",
    "text only": "chỉ có chữ",
    "database": "cơ sở dữ liệu",
    "no answer": "không trả lời",
    "seen {ago}": "thấy {ago}",
}
