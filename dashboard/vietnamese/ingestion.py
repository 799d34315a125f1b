"""The Ingestion page."""

WORDS = {
    "By source": "Theo nguồn",
    "Refused and failed, by code": "Bị từ chối và thất bại, theo mã",
    "The last of them": "Các mục gần nhất",
    "Nothing was refused": "Không có gì bị từ chối",
    "What cannot be taken stands here with its reason.": "Những gì không nhận được sẽ nằm ở đây kèm lý do.",
    "The database has not answered since this console started.": (
        "Cơ sở dữ liệu chưa trả lời từ khi bảng điều khiển này khởi động."
    ),
    "Nothing has come in yet": "Chưa có gì vào",
    "Files, folders, links, uploads and crawls show here, each with how far it came. Begin with one:": (
        "Tệp, thư mục, liên kết, tải lên và thu thập hiện ở đây, mỗi mục kèm tiến độ. Bắt đầu với một mục:"
    ),
    "What you see is the last known. Ingestion waits for it; nothing is lost.": (
        "Bạn đang thấy dữ liệu biết được lần cuối. Việc thu nhận chờ nó; không mất gì."
    ),
    # Sources and codes
    "Retry": "Thử lại",
    "Retry {n}": "Thử lại {n}",
    "Pause": "Tạm dừng",
    "Resume": "Tiếp tục",
    "Resumed.": "Đã tiếp tục.",
    "Paused: what is under way is finished, nothing more is given out.": (
        "Đã tạm dừng: mục đang làm sẽ được làm xong, không giao thêm mục nào."
    ),
    "1 item will be tried again.": "1 mục sẽ được thử lại.",
    "{n} items will be tried again.": "{n} mục sẽ được thử lại.",
    "The database does not answer; nothing was changed.": "Cơ sở dữ liệu không trả lời; chưa thay đổi gì.",
    "paused": "tạm dừng",
    "No item of it is given out until it is resumed.": "Không mục nào của nguồn được giao cho đến khi tiếp tục.",
    # States
    "found": "đã thấy",
    "fetched": "đã tải về",
    "stored": "đã lưu",
    "repeated": "trùng lặp",
    "refused": "bị từ chối",
    "failed": "thất bại",
    "known, not fetched yet": "đã biết, chưa tải về",
    "fetched and inspected, not stored yet": "đã tải về và kiểm tra, chưa lưu",
    "stored, not posted yet": "đã lưu, chưa đăng",
    "posted: the event is on its way or on the topic": "đã đăng: sự kiện đang trên đường hoặc đã ở trong topic",
    "the same video as another item; noted, not posted again": "cùng video với mục khác; đã ghi nhận, không đăng lại",
    "cannot be taken, with its code; not tried again by itself": "không nhận được, kèm mã; không tự thử lại",
    "tried as often as allowed, with its code": "đã thử đủ số lần cho phép, kèm mã",
    # Strip
    "waiting": "đang chờ",
    "events to send": "sự kiện chờ gửi",
    "Bytes of new videos per second, over the last minute.": "Số byte video mới mỗi giây, trong một phút qua.",
    "Not posted, refused or failed yet.": "Chưa đăng, chưa bị từ chối, chưa thất bại.",
    "Each once, whatever was killed meanwhile.": "Mỗi mục đúng một lần, dù tiến trình nào bị ngắt.",
    "Of posted items, not yet confirmed by Kafka.": "Của các mục đã đăng, Kafka chưa xác nhận.",
    "The same video as another item.": "Cùng video với mục khác.",
    "Cannot be taken; the code says why.": "Không nhận được; mã cho biết vì sao.",
    "Tried as often as allowed; the code says why.": "Đã thử đủ số lần; mã cho biết vì sao.",
    "Age of the oldest item that still has to be brought in, paused sources included.": (
        "Tuổi của mục lâu nhất còn phải thu nhận, kể cả nguồn đang tạm dừng."
    ),
}
