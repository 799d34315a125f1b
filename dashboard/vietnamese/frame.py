"""What stands around every page."""

WORDS = {
    "Live monitor": "Giám sát trực tiếp",
    "Ingestion": "Thu nhận",
    "{n} alerts of the last day not decided": "{n} cảnh báo trong ngày qua chưa có quyết định",
    "{n} dead letters not replayed": "{n} bản ghi hỏng chưa được gửi lại",
    "{n} refused or failed in the last day": "{n} mục bị từ chối hoặc thất bại trong ngày qua",
    "No right to see this": "Bạn không có quyền xem trang này",
    "It takes one of these roles: {roles}. Ask an admin.": (
        "Việc này cần một trong các vai trò: {roles}. Hãy hỏi quản trị viên."
    ),
}
