"""The open alert: evidence, player, decisions."""

WORDS = {
    "No alert open": "Chưa mở cảnh báo nào",
    "Choose one to see why it is there.": "Chọn một cảnh báo để xem vì sao có nó.",
    "Marks": "Ký hiệu",
    "At work": "Đang hoạt động",
    "Close": "Đóng",
    "Previous": "Trước",
    "Next": "Sau",
    "This alert cannot be opened now": "Hiện chưa mở được cảnh báo này",
    "It is no longer in the live view, and the database does not answer.": (
        "Nó không còn trong danh sách trực tiếp, và cơ sở dữ liệu không trả lời."
    ),
    "No verdict for this video": "Không có phán quyết cho video này",
    "It was never scored here, or it is older than what is kept.": (
        "Nó chưa từng được chấm điểm ở đây, hoặc đã quá thời hạn lưu giữ."
    ),
    "Scores": "Điểm",
    "By modality": "Theo loại nội dung",
    "Signals": "Tín hiệu",
    "Facts": "Thông tin",
    # Evidence
    "no score: nothing of the post could be scored": "không có điểm: không phần nào của bài đăng chấm được",
    "{scores}: under every threshold": "{scores}: dưới mọi ngưỡng",
    "fusion decides ({scores})": "mô hình kết hợp quyết định ({scores})",
    "fusion decides": "mô hình kết hợp quyết định",
    "{one} alone decides ({score})": "chỉ {one} quyết định ({score})",
    "{one} and {other} agree ({scores})": "{one} và {other} thống nhất ({scores})",
    "{name} score missing: {code}": "thiếu điểm {name}: {code}",
    "{start} to {end}: {score}": "{start} đến {end}: {score}",
    "worst {stretch}": "nặng nhất {stretch}",
    "weight {weight}": "trọng số {weight}",
    "words": "từ",
    "rule": "quy tắc",
    "label": "nhãn",
    "characters": "ký tự",
    "hashtag": "hashtag",
    "model": "mô hình",
    "policy": "chính sách",
    "decided by": "quyết định bởi",
    "verdict": "phán quyết",
    "source": "nguồn",
    "hashtags": "hashtag",
    "posted": "đã đăng",
    "received": "nhận lúc",
    "decided": "quyết định lúc",
    "took": "mất",
    "media": "tệp",
    "record": "bản ghi",
    "replay of": "phát lại của",
    # Player
    "Play": "Phát",
    "Play it": "Cứ phát",
    "Rather not": "Thôi",
    "Blur again": "Làm mờ lại",
    "Show unblurred": "Xem rõ",
    "Blurred.": "Được làm mờ.",
    "Blurred and muted.": "Được làm mờ và tắt tiếng.",
    "This video may show: {labels}": "Video này có thể có: {labels}",
    "Text-only post: there is no video.": "Bài chỉ có chữ: không có video.",
    "Your role sees stills; the video takes a moderator.": (
        "Vai trò của bạn xem được ảnh tĩnh; xem video cần kiểm duyệt viên."
    ),
    "The video store gives no link that a browser can open.": "Kho video không cho liên kết mà trình duyệt mở được.",
    "The video store does not answer; scores and caption are here without it.": (
        "Kho video không trả lời; điểm và chú thích vẫn có ở đây."
    ),
    "The database does not answer: looks at media are recorded there, so none can be given now.": (
        "Cơ sở dữ liệu không trả lời: mỗi lượt xem được ghi ở đó, nên hiện chưa xem được video."
    ),
    "The video is no longer there.": "Video không còn nữa.",
    # Decisions
    "Decisions": "Quyết định",
    "Confirm": "Xác nhận",
    "Reject": "Bác bỏ",
    "Reason": "Lý do",
    "Note": "Ghi chú",
    "if need be": "nếu cần",
    "Save": "Lưu",
    "Undo my last": "Hoàn tác lần cuối",
    "Undo the last of another person": "Hoàn tác quyết định cuối của người khác",
    "confirmed": "đã xác nhận",
    "rejected": "đã bác bỏ",
    "partly rejected": "đã bác bỏ một phần",
    "Clear case": "Rõ ràng",
    "The context decides": "Do ngữ cảnh",
    "The model misread it": "Mô hình hiểu sai",
    "Borderline": "Giáp ranh",
    "Other": "Khác",
    "{outcome} by {name}, {ago}": "{outcome} bởi {name}, {ago}",
    "undone": "đã hoàn tác",
    "without playing": "chưa phát video",
    "on an earlier verdict": "về phán quyết trước",
    "Earlier decisions cannot be read now.": "Hiện chưa đọc được các quyết định trước.",
    "Your role reads decisions; making them takes a moderator.": (
        "Vai trò của bạn đọc được quyết định; ra quyết định cần kiểm duyệt viên."
    ),
    "The database does not answer: nothing was written, and what you chose is kept.": (
        "Cơ sở dữ liệu không trả lời: chưa ghi gì, lựa chọn của bạn vẫn được giữ."
    ),
    "This video was scored again while you looked. Look at the new verdict, then decide.": (
        "Video này được chấm lại trong lúc bạn xem. Hãy xem phán quyết mới rồi quyết định."
    ),
    "The decision was not taken: {why}": "Quyết định không được nhận: {why}",
    "The database does not answer: nothing was undone.": "Cơ sở dữ liệu không trả lời: chưa hoàn tác gì.",
    "Nothing was undone: {why}": "Chưa hoàn tác gì: {why}",
    # Exposure
    "{seen} of {limit} min unblurred today": "{seen}/{limit} phút xem rõ hôm nay",
    "{seen} min unblurred today": "{seen} phút xem rõ hôm nay",
    "{n} decided, {m} without playing": "{n} quyết định, {m} chưa phát video",
    "Minutes count by how bad the video is: an alert whole, review half, any other a quarter.": (
        "Số phút tính theo mức độ: cảnh báo tính đủ, cần xem lại tính một nửa, còn lại tính một phần tư."
    ),
    "That is a lot for one day. A break of ten minutes does good; nothing runs away.": (
        "Hôm nay như vậy là nhiều. Nghỉ mười phút sẽ tốt hơn; không có gì mất đi đâu."
    ),
}
