"""The sign-in page, and who is signed in."""

WORDS = {
    "Sign in": "Đăng nhập",
    "Sign out": "Đăng xuất",
    "Name": "Tên",
    "Password": "Mật khẩu",
    "Language": "Ngôn ngữ",
    "Sign in with this link": "Đăng nhập bằng liên kết này",
    "No password? An admin makes you a one-time link, also with:": (
        "Chưa có mật khẩu? Quản trị viên tạo cho bạn một liên kết dùng một lần, hoặc bằng lệnh:"
    ),
    "Another site led you here. Go on only if you asked for this link.": (
        "Một trang khác đã đưa bạn tới đây. Chỉ tiếp tục nếu chính bạn đã yêu cầu liên kết này."
    ),
    "This link was used already, or it ran out. Ask for a new one.": (
        "Liên kết này đã được dùng hoặc đã hết hạn. Hãy xin một liên kết mới."
    ),
    "The name or the password is not right.": "Tên hoặc mật khẩu không đúng.",
    "The database does not answer, so nobody can sign in now. Who is signed in already may go on.": (
        "Cơ sở dữ liệu không trả lời nên hiện không ai đăng nhập được. Người đã đăng nhập vẫn làm việc tiếp được."
    ),
    "This form was sent before, is too old, or came from elsewhere. Send it again.": (
        "Biểu mẫu này đã được gửi trước đó, đã quá cũ hoặc đến từ nơi khác. Hãy gửi lại."
    ),
    "Too many attempts. Try again in {wait} s.": "Quá nhiều lần thử. Hãy thử lại sau {wait} giây.",
    "The database does not answer": "Cơ sở dữ liệu không trả lời",
    "Who you are cannot be checked. This page tries again.": ("Chưa thể kiểm tra bạn là ai. Trang này sẽ tự thử lại."),
    "Sign in with {provider}": "Đăng nhập bằng {provider}",
    "{provider} does not answer. Try again soon, or sign in with a name and a password.": (
        "{provider} không phản hồi. Hãy thử lại sau, hoặc đăng nhập bằng tên và mật khẩu."
    ),
    "You came back without being signed in. Try again.": "Bạn đã quay lại mà chưa được đăng nhập. Hãy thử lại.",
    "That sign-in is too old. Try again.": "Lần đăng nhập đó đã quá cũ. Hãy thử lại.",
    "That sign-in was used already. Try again.": "Lần đăng nhập đó đã được dùng rồi. Hãy thử lại.",
    "You are shut out here. Ask an admin to let you in again.": (
        "Bạn đang bị chặn ở đây. Hãy nhờ quản trị viên cho bạn vào lại."
    ),
    "You have no role here. Ask an admin which group your account must be in.": (
        "Bạn chưa có vai trò nào ở đây. Hãy hỏi quản trị viên xem tài khoản của bạn phải thuộc nhóm nào."
    ),
    "You are the last admin, and your account now has another role. Ask for a second admin first.": (
        "Bạn là quản trị viên cuối cùng, còn tài khoản của bạn nay có vai trò khác. "
        "Trước tiên hãy nhờ cử thêm một quản trị viên."
    ),
    "The database does not answer; you are still signed in.": "Cơ sở dữ liệu không trả lời; bạn vẫn đang đăng nhập.",
    "Viewer": "Người xem",
    "Moderator": "Kiểm duyệt viên",
    "Lead": "Trưởng nhóm",
    "Engineer": "Kỹ sư",
    "Admin": "Quản trị viên",
    "A provider's word does not let this person in; `why` is one of a few fixed words.": (
        "Lời xác nhận của nhà cung cấp không cho người này vào; `why` là một trong vài từ cố định."
    ),
    "The provider that vouches for people does not answer, or not as such a provider does.": (
        "Nhà cung cấp xác nhận danh tính không trả lời, hoặc trả lời không đúng cách."
    ),
    "a provider vouches for this person; it has the password": (
        "người này do nhà cung cấp xác nhận; mật khẩu nằm ở nhà cung cấp"
    ),
    "the last admin stays one; make somebody else one first": (
        "quản trị viên cuối cùng phải giữ vai trò; hãy cử người khác trước"
    ),
    "the provider gives this person no role here": "nhà cung cấp không cấp cho người này vai trò nào ở đây",
    "the provider's word is not for this console, or lacks sub or nonce": (
        "lời xác nhận của nhà cung cấp không dành cho bảng điều khiển này, hoặc thiếu sub hay nonce"
    ),
    "the provider's word is older than {n} s; sign in anew": (
        "lời xác nhận của nhà cung cấp đã quá {n} giây; hãy đăng nhập lại"
    ),
    "the provider's word was used already; sign in anew": (
        "lời xác nhận của nhà cung cấp đã được dùng; hãy đăng nhập lại"
    ),
    "this person was shut out; an admin lets them in again": ("người này đã bị khóa; quản trị viên có thể mở lại"),
    "{address} does not answer; is it up, and the address right?": (
        "{address} không trả lời; nó có đang chạy không, và địa chỉ có đúng không?"
    ),
    "{address} is not what {issuer} says of itself": "{address} không đúng như {issuer} tự mô tả",
}
