"""What the codes of errors mean: the first line of each error of the tree."""

WORDS = {
    "Base of every error raised on purpose; picklable, because errors cross processes.": "Lỗi chung của nền tảng.",
    "This record is at fault: it gets a dead letter and the flow goes on.": (
        "Bản ghi này có lỗi: nó được cất riêng làm bản ghi hỏng và luồng chạy tiếp."
    ),
    "The event breaks its schema.": "Sự kiện sai lược đồ.",
    "The record's value is not a JSON object.": "Giá trị của bản ghi không phải đối tượng JSON.",
    "The event names a schema this version does not read.": "Sự kiện dùng lược đồ mà phiên bản này không đọc.",
    "The video_id is empty, too long or holds characters outside its alphabet.": (
        "video_id trống, quá dài hoặc có ký tự không được phép."
    ),
    "The caption is too long or holds characters no store can keep.": "Chú thích quá dài hoặc có ký tự không lưu được.",
    "The media URI points outside the allowed buckets.": "Địa chỉ video nằm ngoài các bucket được phép.",
    "The record's timestamp is too far ahead, or older than retention.": (
        "Thời điểm của bản ghi quá xa trong tương lai, hoặc cũ hơn thời hạn lưu giữ."
    ),
    "The media cannot be scored: the modality is missing, with this code.": (
        "Không chấm được video: thiếu phần này, với mã này."
    ),
    "The object does not exist.": "Tệp không tồn tại.",
    "The object has no bytes.": "Tệp rỗng.",
    "The container is readable, but holds no video stream.": "Đọc được tệp, nhưng không có luồng hình ảnh.",
    "No container, or too few frames could be decoded.": "Không phải tệp video, hoặc giải mã được quá ít khung hình.",
    "More bytes or pixels than the settings allow.": "Nhiều byte hoặc điểm ảnh hơn mức cài đặt cho phép.",
    "More bytes than the settings allow.": "Nhiều byte hơn mức cài đặt cho phép.",
    "Longer than the settings allow.": "Dài hơn mức cài đặt cho phép.",
    "The decoder passed its wall or CPU limit and was killed in its cage.": (
        "Bộ giải mã vượt giới hạn thời gian hoặc CPU và đã bị dừng trong lồng của nó."
    ),
    "The decoder died in its cage, also when tried again alone.": (
        "Bộ giải mã chết trong lồng của nó, cả khi thử lại riêng."
    ),
    "The object's sha256 is not the one the event states.": "sha256 của tệp không khớp với sự kiện.",
    "This item was not taken in; its kinds lie in `core.errors_ingest`.": "Mục này không được thu nhận.",
    "It does not parse, names no host, or carries credentials.": (
        "Không đọc được liên kết, thiếu tên máy chủ, hoặc có kèm tên và mật khẩu."
    ),
    "Only http and https are fetched.": "Chỉ tải qua http và https.",
    "It leads to an address or a port that nothing may be fetched from.": (
        "Liên kết dẫn tới địa chỉ hoặc cổng không được phép tải."
    ),
    "It redirects more often than allowed.": "Chuyển hướng nhiều lần hơn mức cho phép.",
    "What it leads to is no video file.": "Liên kết không dẫn tới tệp video.",
    "It leads to many videos; each needs its own link.": "Liên kết dẫn tới nhiều video; mỗi video cần liên kết riêng.",
    "It took longer than the settings allow, or nothing moved.": (
        "Lâu hơn mức cài đặt cho phép, hoặc không có dữ liệu nào tới."
    ),
    "The body ended before its stated length.": "Dữ liệu kết thúc trước độ dài đã báo.",
    "The name does not resolve, or nobody answers there.": "Không phân giải được tên, hoặc không ai trả lời ở đó.",
    "The site failed (5xx) or its answer made no sense.": "Trang bị lỗi (5xx) hoặc trả lời vô nghĩa.",
    "The site asks to wait (429); `retry_after_s` is what it said, if it did.": "Trang yêu cầu chờ (429).",
    "The site shows it to people who are signed in: give a cookies file.": (
        "Trang chỉ cho người đã đăng nhập xem: hãy đưa tệp cookie."
    ),
    "The site asks for a proof of being human: go slower.": "Trang đòi chứng minh là người thật: hãy tải chậm lại.",
    "The site refuses (401, 403).": "Trang từ chối (401, 403).",
    "There is nothing, or no longer.": "Không có gì ở đó, hoặc không còn nữa.",
    "It was erased on request and is not taken in again.": "Đã bị xóa theo yêu cầu và không được thu nhận lại.",
    "Worker after worker died with it in hand; the ledger gives it out no more.": (
        "Hết tiến trình này đến tiến trình khác chết khi xử lý mục này; sổ cái không giao nó nữa."
    ),
    "The same video is in already; a sighting is recorded.": "Video này đã có; chỉ ghi thêm một lần gặp.",
    "The models could not score this input although a worker was alive.": (
        "Mô hình không chấm được dữ liệu này dù có tiến trình suy luận đang chạy."
    ),
    "The worker calls the input invalid (shape, dtype, length).": (
        "Tiến trình suy luận báo dữ liệu không hợp lệ (hình dạng, kiểu, độ dài)."
    ),
    "The input was prepared for models that are no longer served: decode or tokenise it again.": (
        "Dữ liệu được chuẩn bị cho mô hình không còn phục vụ: hãy giải mã hoặc tách từ lại."
    ),
    "The input failed on a live worker as often as the settings allow.": (
        "Dữ liệu thất bại trên tiến trình suy luận đang chạy đủ số lần cài đặt cho phép."
    ),
    "A worker died each time it had the input in hand, also when it had nothing else of this client.": (
        "Lần nào xử lý dữ liệu này tiến trình suy luận cũng chết, cả khi không xử lý gì khác."
    ),
    "The surroundings are at fault: wait and try again; never a score.": (
        "Lỗi ở môi trường xung quanh: hãy chờ và thử lại; không bao giờ thành điểm."
    ),
    "No broker answers.": "Không có broker nào trả lời.",
    "A produced record was not confirmed.": "Một bản ghi đã gửi không được xác nhận.",
    "The database refuses or does not answer.": "Cơ sở dữ liệu từ chối hoặc không trả lời.",
    "Redis refuses or does not answer.": "Redis từ chối hoặc không trả lời.",
    "The object store refuses or does not answer.": "Kho tệp từ chối hoặc không trả lời.",
    "No inference worker answers.": "Không có tiến trình suy luận nào trả lời.",
    "The browser did not start, hung or died; another one may do.": (
        "Trình duyệt không khởi động, bị treo hoặc chết; trình duyệt khác có thể làm được."
    ),
    "The model registry refuses or does not answer.": "Kho đăng ký mô hình từ chối hoặc không trả lời.",
    "The model hub refuses or does not answer.": "Hub mô hình từ chối hoặc không trả lời.",
    "A model version that must not serve: damaged, hostile, or worse than its gate; what served before serves on.": (
        "Phiên bản mô hình không được phục vụ: hỏng, độc hại hoặc kém hơn ngưỡng; bản trước đó phục vụ tiếp."
    ),
    "We are at fault: refuse to start with one line that says what, why and what to do.": (
        "Lỗi cấu hình: từ chối khởi động, với một dòng nói rõ lỗi gì, vì sao và cần làm gì."
    ),
    "Who asks may not; nothing was done.": "Người yêu cầu không được phép; chưa làm gì.",
    "Your role has no right to this.": "Vai trò của bạn không có quyền này.",
    "There is no session, or it ran out: sign in.": "Không có phiên, hoặc phiên đã hết hạn: hãy đăng nhập.",
    "The name, the password or the link is not right.": "Tên, mật khẩu hoặc liên kết không đúng.",
    "Too many attempts; wait `wait_s` seconds.": "Quá nhiều lần thử; hãy chờ.",
    "That person cannot be, or cannot be changed so; nothing was done.": (
        "Không thể có người như vậy, hoặc không thể thay đổi như vậy; chưa làm gì."
    ),
    "What was chosen cannot be: out of bounds, unknown or not confirmed; nothing was done.": (
        "Lựa chọn không thể thực hiện: ngoài giới hạn, không rõ hoặc chưa xác nhận; chưa làm gì."
    ),
    "The decision cannot stand; nothing was written.": "Quyết định không thể đứng vững; chưa ghi gì.",
    "The video has a newer verdict than the one decided on: look again.": (
        "Video có phán quyết mới hơn phán quyết đã xem: hãy xem lại."
    ),
    "This statement is at fault: its author is told, and nothing was changed.": (
        "Câu lệnh này có lỗi: người viết được báo, và không có gì thay đổi."
    ),
    "The statement is not one plain read, or reads outside of the reporting schema; it was not run.": (
        "Câu lệnh không phải một lệnh đọc thuần, hoặc đọc ngoài lược đồ reporting; nó không được chạy."
    ),
    "The database does not take the statement.": "Cơ sở dữ liệu không nhận câu lệnh.",
    "The statement took too long or too much, or was cancelled.": "Câu lệnh quá lâu, quá nhiều, hoặc đã bị hủy.",
    "The command was not executed; nothing changed, or what did is said.": (
        "Lệnh không được thực hiện; không có gì thay đổi, hoặc phần đã thay đổi được nêu rõ."
    ),
}
