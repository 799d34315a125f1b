"""The Database page."""

WORDS = {
    "Database": "Cơ sở dữ liệu",
    "SQL": "SQL",
    "What can be read": "Những gì đọc được",
    "{rows} rows, {size} behind it": "{rows} dòng, bảng gốc {size}",
    "Columns": "Các cột",
    "Close": "Đóng",
    "Preview": "Xem trước",
    "column": "cột",
    "type": "kiểu",
    "meaning": "ý nghĩa",
    "Nothing can be read until it does; scoring waits for it, and nothing is lost.": (
        "Chưa thể đọc gì cho đến khi nó trả lời; việc chấm điểm sẽ chờ, không mất gì cả."
    ),
    "The database does not answer: {why}. Nothing was changed; run it again.": (
        "Cơ sở dữ liệu không trả lời: {why}. Không có gì thay đổi; hãy chạy lại."
    ),
    "There is nothing to read yet": "Chưa có gì để đọc",
    "Bring the database up to date:": "Hãy cập nhật cơ sở dữ liệu:",
    "One SELECT, WITH, EXPLAIN or SHOW": "Một câu lệnh SELECT, WITH, EXPLAIN hoặc SHOW",
    "Run": "Chạy",
    "Cancel": "Hủy",
    "Begin with": "Bắt đầu với",
    "a question": "một câu hỏi",
    "Your earlier statements": "Các câu lệnh trước của bạn",
    "not known now": "hiện chưa biết",
    "none yet": "chưa có",
    "{n} of them": "{n} câu lệnh",
    "running for {s} s": "đã chạy {s} giây",
    "1 row in {s} s": "1 dòng trong {s} giây",
    "rows not counted yet, {size} behind it": "chưa đếm số dòng, bảng gốc {size}",
    "{n} rows in {s} s": "{n} dòng trong {s} giây",
    "cut at {n} rows: there are more": "cắt ở {n} dòng: vẫn còn nữa",
    "cut at {n} MB: there are more rows": "cắt ở {n} MB: vẫn còn dòng nữa",
    "At most {s} s, {n} rows, {mb} MB; reads only, of this page's views only. What you run is in the audit log.": (
        "Tối đa {s} giây, {n} dòng, {mb} MB; chỉ đọc, và chỉ các khung nhìn ở trang này. "
        "Mọi câu lệnh đều được ghi vào nhật ký kiểm tra."
    ),
    "Verdicts of the last day": "Phán quyết trong ngày qua",
    "Newest harmful videos": "Video độc hại mới nhất",
    "Harmful rate per hour": "Tỷ lệ độc hại theo giờ",
    "Where text and video disagree": "Nơi văn bản và hình ảnh trái nhau",
    "Dead letters by code": "Bản ghi hỏng theo mã lỗi",
    "What moderators overturn": "Những gì kiểm duyệt viên bác bỏ",
    "Model versions side by side": "So sánh các phiên bản mô hình",
    "Seconds from post to verdict": "Số giây từ lúc đăng đến phán quyết",
    "Ingestion by source and state": "Thu nhận theo nguồn và trạng thái",
    "How a question is answered": "Một câu hỏi được trả lời thế nào",
}
