"""The settings page."""

WORDS = {
    "Settings": "Cài đặt",
    "Account": "Tài khoản",
    "People": "Người dùng",
    "Audit log": "Nhật ký kiểm tra",
    "Accounts and the log lie there. Watching goes on; nothing here can be read or changed now.": (
        "Tài khoản và nhật ký nằm ở đó. Việc giám sát vẫn tiếp tục; hiện chưa đọc hay thay đổi được gì ở đây."
    ),
    "Role": "Vai trò",
    "May": "Được phép",
    "Signed in until": "Phiên kéo dài đến",
    "Change password": "Đổi mật khẩu",
    "Password now, if you have one": "Mật khẩu hiện tại, nếu có",
    "New password, at least 12 characters": "Mật khẩu mới, ít nhất 12 ký tự",
    "Sign out everywhere": "Đăng xuất mọi nơi",
    "Your password is changed. Sign in with it.": "Đã đổi mật khẩu. Hãy đăng nhập bằng mật khẩu mới.",
    "You are signed out everywhere.": "Bạn đã đăng xuất ở mọi nơi.",
    "Add a person": "Thêm người",
    "Add": "Thêm",
    "Change a person": "Thay đổi một người",
    "Person": "Người",
    "Give this role": "Cấp vai trò này",
    "Let in again": "Cho vào lại",
    "Shut out": "Chặn",
    "One-time link": "Liên kết dùng một lần",
    "The provider that signs them in decides on their role.": (
        "Nhà cung cấp xác thực người này quyết định vai trò của họ."
    ),
    "Your provider signs you in, and has your password.": (
        "Nhà cung cấp của bạn đăng nhập cho bạn và giữ mật khẩu của bạn."
    ),
    "provider": "nhà cung cấp",
    "password": "mật khẩu",
    "link": "liên kết",
    "Enters by": "Vào bằng",
    "Last here": "Lần cuối",
    "Works once, soon. It is shown this one time:": "Chỉ dùng được một lần, trong thời gian ngắn. Chỉ hiện lần này:",
    "Added.": "Đã thêm.",
    "The role is given; their sessions ended.": "Đã cấp vai trò; các phiên của người này đã kết thúc.",
    "Shut out; their sessions ended.": "Đã chặn; các phiên của người này đã kết thúc.",
    "They may sign in again.": "Người này có thể đăng nhập lại.",
    "The link is made.": "Đã tạo liên kết.",
    "Only this video, person, process or setting": "Chỉ video, người, tiến trình hoặc cài đặt này",
    "Newer": "Mới hơn",
    "Older": "Cũ hơn",
    "All matching rows. The audit log notes it.": "Mọi dòng khớp bộ lọc. Nhật ký kiểm tra sẽ ghi lại việc này.",
    "No such row in the log": "Nhật ký không có dòng nào như vậy",
    "Clear a filter, or begin again with the newest rows.": (
        "Hãy bỏ bớt bộ lọc, hoặc bắt đầu lại từ những dòng mới nhất."
    ),
    "Nothing in the log": "Nhật ký trống",
    "Sign-ins, looks at media and changes stand here.": "Đăng nhập, lượt xem media và thay đổi được ghi ở đây.",
    "When": "Khi nào",
    "Who": "Ai",
    "Did": "Đã làm",
    "Subject": "Đối tượng",
    "Detail": "Chi tiết",
}
