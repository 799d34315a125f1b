"""Why something was refused, and the names of roles, rights and deeds: the words of errors that people are shown."""

WORDS = {
    # Roles, what they may, and what the audit log says that somebody did.
    "viewer": "người xem",
    "moderator": "kiểm duyệt viên",
    "lead": "trưởng nhóm",
    "engineer": "kỹ sư",
    "admin": "quản trị viên",
    "see verdicts": "xem phán quyết",
    "see media": "xem video",
    "decide": "ra quyết định",
    "export": "xuất dữ liệu",
    "see platform": "xem tình trạng nền tảng",
    "operate": "vận hành",
    "query": "truy vấn",
    "set policy": "đặt chính sách",
    "see audit log": "xem nhật ký kiểm tra",
    "manage people": "quản lý người dùng",
    "signed in": "đăng nhập",
    "signed out": "đăng xuất",
    "failed to sign in": "đăng nhập thất bại",
    "saw the video": "xem video",
    "took a decision": "ra quyết định",
    "took a decision back": "hoàn tác quyết định",
    "exported": "xuất dữ liệu",
    "ran a statement": "chạy câu lệnh",
    "gave a command": "ra lệnh",
    "changed a person": "thay đổi người dùng",
    "paused a source": "tạm dừng một nguồn",
    "let a source go on": "cho một nguồn chạy tiếp",
    "had items tried again": "cho thử lại các mục",
    "changed a setting": "thay đổi cài đặt",
    # Who asks may not.
    "{role} may not {what}; that takes {able}": "{role} không được phép {what}; việc đó cần: {able}",
    "there is no session, or it ran out; sign in": "không có phiên, hoặc phiên đã hết hạn; hãy đăng nhập",
    "the session ran out; sign in": "phiên đã hết hạn; hãy đăng nhập",
    "this link was used already, or it ran out; ask for a new one": (
        "liên kết này đã được dùng hoặc đã hết hạn; hãy xin một liên kết mới"
    ),
    "the name or the password is not right": "tên hoặc mật khẩu không đúng",
    "that is not your password": "đó không phải mật khẩu của bạn",
    "too many attempts; try again in {wait_s} s": "quá nhiều lần thử; hãy thử lại sau {wait_s} giây",
    "a password has {least} to {most} characters; choose another one": (
        "mật khẩu phải có từ {least} đến {most} ký tự; hãy chọn mật khẩu khác"
    ),
    "a name has 1 to {most} printable characters": "tên phải có từ 1 đến {most} ký tự hiển thị được",
    "nobody here is called {name!r}; see who is: clipwarden users list": (
        "không có ai tên là {name!r}; xem danh sách: clipwarden users list"
    ),
    "no such person; see who is here: clipwarden users list": (
        "không có người này; xem danh sách: clipwarden users list"
    ),
    "no such person, or one who was disabled; see: clipwarden users list": (
        "không có người này, hoặc người này đã bị chặn; xem: clipwarden users list"
    ),
    "{name!r} is somebody's name already; choose another one": "{name!r} đã là tên của người khác; hãy chọn tên khác",
    "that is the last admin; make somebody else one first": (
        "đó là quản trị viên cuối cùng; trước hết hãy cấp vai trò này cho người khác"
    ),
    # What was chosen cannot be.
    "an e-mail route needs one address such as team@example.org; several people need a list": (
        "tuyến e-mail cần một địa chỉ như team@example.org; nhiều người thì cần một danh sách thư"
    ),
    "the address must start with http:// or https:// and name a host": (
        "địa chỉ phải bắt đầu bằng http:// hoặc https:// và có tên máy chủ"
    ),
    "the address must hold no name or password: the signature proves who sends": (
        "địa chỉ không được chứa tên hay mật khẩu: chữ ký đã chứng minh ai gửi"
    ),
    "the address holds blanks or control characters": "địa chỉ có khoảng trắng hoặc ký tự điều khiển",
    "the address cannot be read; write it as https://host/path": (
        "không đọc được địa chỉ; hãy viết theo dạng https://host/path"
    ),
    "a route needs a name": "tuyến cần có tên",
    "{field} cannot be that: {reason}": "{field} không thể như vậy: {reason}",
    "the route is gone: somebody removed it; look at the list again": (
        "tuyến không còn nữa: có người đã xóa; hãy xem lại danh sách"
    ),
    "there is a route named {name!r} already; choose another name": "đã có tuyến tên {name!r}; hãy chọn tên khác",
    "{going} rows would be deleted, {confirmed} were confirmed; look again": (
        "sẽ xóa {going} dòng, nhưng chỉ xác nhận {confirmed} dòng; hãy xem lại"
    ),
    "days must lie between {least} and {most}": "số ngày phải từ {least} đến {most}",
    "{unknown} is nothing a person sets alone; that is one of {own}": (
        "{unknown} không phải mục mỗi người tự đặt; các mục đó là {own}"
    ),
    "the choice cannot be kept: {reason}": "không lưu được lựa chọn này: {reason}",
    # The decision cannot stand.
    "no label was confirmed or rejected; choose at least one": (
        "chưa xác nhận hay bác bỏ nhãn nào; hãy chọn ít nhất một nhãn"
    ),
    "the note has {n} characters; shorten it to {most}": "ghi chú có {n} ký tự; hãy rút gọn còn {most}",
    "the note holds characters that no store keeps; type it anew": "ghi chú có ký tự không lưu được; hãy gõ lại",
    "the video was scored again since you opened it; look at the new verdict, then decide": (
        "video đã được chấm lại từ khi bạn mở; hãy xem phán quyết mới rồi quyết định"
    ),
    "the verdict has no label {labels}; choose one it has": "phán quyết không có nhãn {labels}; hãy chọn nhãn có sẵn",
    "there is no such decision; it may have been erased": "không có quyết định này; có thể nó đã bị xóa",
    "this is another person's decision; ask them, or a lead": (
        "đây là quyết định của người khác; hãy hỏi người đó hoặc trưởng nhóm"
    ),
    "the decision was erased while it was written; look again": "quyết định bị xóa ngay khi đang ghi; hãy xem lại",
    "there is no verdict on {video_id}; it may have been erased": (
        "không có phán quyết cho {video_id}; có thể nó đã bị xóa"
    ),
    # A statement of the SQL box gave no rows.
    "{verb} is not allowed here: only SELECT, WITH, EXPLAIN and SHOW are": (
        "ở đây không được dùng {verb}: chỉ dùng được SELECT, WITH, EXPLAIN và SHOW"
    ),
    "EXPLAIN of nothing; write a SELECT behind it": "EXPLAIN trống; hãy viết một SELECT phía sau",
    "EXPLAIN of {what}: only a SELECT can be explained here": "EXPLAIN {what}: ở đây chỉ giải thích được SELECT",
    "{name} is outside of the schema {schema}: only what it holds can be read here": (
        "{name} nằm ngoài lược đồ {schema}: ở đây chỉ đọc được những gì có trong đó"
    ),
    "{n} statements; give exactly one": "có {n} câu lệnh; hãy viết đúng một câu",
    "there is no statement; write a SELECT": "không có câu lệnh nào; hãy viết một SELECT",
    "{n:,} characters; a statement may have {most:,}": "{n:,} ký tự; một câu lệnh được có nhiều nhất {most:,}",
    "{said} at line {line}, column {column}": "{said} ở dòng {line}, cột {column}",
    "{said} at line {line}, column {column}{hint}": "{said} ở dòng {line}, cột {column}{hint}",
    "{said}{hint}": "{said}{hint}",
    "{said}; cast it to text": "{said}; hãy đổi nó sang kiểu text",
    "something is missing at line {line}, column {column}": "thiếu gì đó ở dòng {line}, cột {column}",
    "something is missing": "thiếu gì đó",
    "it cannot be read: {said}": "không đọc được câu lệnh: {said}",
    "WITH {name}: names that begin with pg_ are the server's own; choose another": (
        "WITH {name}: tên bắt đầu bằng pg_ là của máy chủ; hãy chọn tên khác"
    ),
    "WITH holds {verb}: nothing can be written here": "WITH chứa {verb}: ở đây không ghi được gì",
    "SELECT INTO makes a table: nothing can be written here": "SELECT INTO tạo bảng: ở đây không ghi được gì",
    "FOR UPDATE and FOR SHARE lock rows: nothing can be locked here": (
        "FOR UPDATE và FOR SHARE khóa dòng: ở đây không khóa được gì"
    ),
    "{parameter}: there are no parameters here; write the value itself": (
        "{parameter}: ở đây không có tham số; hãy viết thẳng giá trị"
    ),
    "a part of it cannot be read; write it plainer": "có phần không đọc được; hãy viết đơn giản hơn",
    "it ends within a quotation or a comment; close it": "câu lệnh kết thúc giữa chuỗi hoặc chú thích; hãy đóng lại",
    "it is nested too deeply; write it flatter": "câu lệnh lồng quá sâu; hãy viết phẳng hơn",
    "a control character at line {line}, column {column}; write it as an escape": (
        "ký tự điều khiển ở dòng {line}, cột {column}; hãy viết dưới dạng mã thoát"
    ),
    "{n} statements are running already; wait for one of them": "đang chạy {n} câu lệnh; hãy chờ một câu xong",
    "stopped while its rows were read": "đã dừng khi đang đọc các dòng",
    "stopped after {s:g} s: narrow it down, e.g. by event_time": (
        "đã dừng sau {s:g} giây: hãy thu hẹp lại, ví dụ theo event_time"
    ),
    "cancelled by you": "bạn đã hủy",
    "stopped: it took over {mb:.0f} MB of the server's memory": "đã dừng: dùng quá {mb:.0f} MB bộ nhớ của máy chủ",
}
