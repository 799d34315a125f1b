"""What reads the same on every page: times, verdicts, modalities."""

WORDS = {
    "just now": "vừa xong",
    "{n} s ago": "{n} giây trước",
    "{n} min ago": "{n} phút trước",
    "{n} h ago": "{n} giờ trước",
    "{n} d ago": "{n} ngày trước",
    "harmful": "độc hại",
    "review": "xem lại",
    "safe": "an toàn",
    "partial": "một phần",
    "unscored": "chưa chấm",
    "over a threshold of the policy": "vượt một ngưỡng của chính sách",
    "close to one: a person decides": "gần ngưỡng: con người quyết định",
    "no harm found, but a part could not be scored": "không thấy nội dung độc hại, nhưng một phần không chấm được",
    "nothing could be scored": "không chấm được phần nào",
    "everything posted was scored, all of it low": "mọi phần đã được chấm, đều thấp",
    "video": "video",
    "text": "văn bản",
    "fusion": "kết hợp",
}
