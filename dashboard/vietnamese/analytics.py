"""The analytics page."""

WORDS = {
    "Analytics": "Phân tích",
    "Period": "Khoảng thời gian",
    "Custom": "Tùy chọn",
    "From": "Từ ngày",
    "To": "Đến ngày",
    "Source": "Nguồn",
    "Language": "Ngôn ngữ",
    "Label": "Nhãn",
    "All": "Tất cả",
    "Flagged": "Bị gắn cờ",
    "By label": "Theo nhãn",
    "partial": "một phần",
    "safe": "an toàn",
    "videos": "video",
    "harmful rate": "tỷ lệ độc hại",
    "review share": "tỷ lệ cần xem xét",
    "average risk": "rủi ro trung bình",
    "points": "điểm %",
    "nothing to compare with": "không có gì để so sánh",
    "{change} against the period before": "{change} so với kỳ trước",
    "Verdicts in this period; a video judged again counts again. The change is of videos per hour.": (
        "Số phán định trong kỳ; video được phán định lại tính thêm một lần. Mức thay đổi tính theo video mỗi giờ."
    ),
    "Over a threshold of the policy, with its 95 % interval.": (
        "Vượt một ngưỡng của chính sách, kèm khoảng tin cậy 95 %."
    ),
    "Close to a threshold: a person decides.": "Gần ngưỡng: con người quyết định.",
    "The mean of all scores, from 0 to 1.": "Trung bình của mọi điểm số, từ 0 đến 1.",
    "Records that could not be used, of all sources and languages. The change is of dead letters per hour.": (
        "Những bản ghi không dùng được, của mọi nguồn và ngôn ngữ. Mức thay đổi tính theo bản ghi lỗi mỗi giờ."
    ),
    "Verdicts over time": "Phán định theo thời gian",
    "Harmful rate": "Tỷ lệ độc hại",
    "Scores against the thresholds": "Điểm số so với các ngưỡng",
    "Text score against video score": "Điểm văn bản so với điểm video",
    "Alerts: posted to verdict": "Cảnh báo: từ lúc đăng đến phán định",
    "Authors with the highest harmful rate": "Tác giả có tỷ lệ độc hại cao nhất",
    "Hashtags with the highest harmful rate": "Hashtag có tỷ lệ độc hại cao nhất",
    "Model versions": "Các phiên bản mô hình",
    "Challengers": "Mô hình thách thức",
    "time": "thời gian",
    "videos per {step}": "video mỗi {step}",
    "videos per 0.05": "video mỗi 0.05",
    "harmful, % of videos": "độc hại, % số video",
    "score (probability)": "điểm số (xác suất)",
    "text score": "điểm văn bản",
    "video score": "điểm video",
    "posted to verdict, s": "từ lúc đăng đến phán định, giây",
    "{n} min": "{n} phút",
    "{n} h": "{n} giờ",
    "day": "ngày",
    "other labels": "nhãn khác",
    "of": "trên",
    "as of {at}": "tính đến {at}",
    "bars: 95 % Wilson interval": "thanh: khoảng Wilson 95 %",
    "harmful from": "độc hại từ",
    "review from": "xem xét từ",
    "thresholds of {policy}": "ngưỡng của {policy}",
    "thresholds unknown": "chưa biết các ngưỡng",
    "{n} policies in this period, the last one drawn": "{n} chính sách trong kỳ, vẽ chính sách cuối cùng",
    "an even sample of videos with both scores": "mẫu đều gồm các video có cả hai điểm",
    "from the event's record to the verdict; the live monitor has it a little later; replays left out": (
        "từ lúc ghi sự kiện đến lúc có phán định; trang trực tiếp nhận được muộn hơn một chút; không tính phát lại"
    ),
    "None with {n} videos or more and a harmful one.": (
        "Không ai có từ {n} video trở lên với ít nhất một video độc hại."
    ),
    "{n} videos or more; ranked by the lower end of the 95 % interval": (
        "từ {n} video trở lên; xếp hạng theo cận dưới của khoảng tin cậy 95 %"
    ),
    "whole days (UTC)": "trọn ngày (UTC)",
    "version": "phiên bản",
    "95 % interval": "khoảng 95 %",
    "alerts": "cảnh báo",
    "p50, p95: posted to verdict, within 5 %; replays left out": (
        "p50, p95: từ lúc đăng đến cảnh báo, sai số 5 %; không tính phát lại"
    ),
    "mean score": "điểm trung bình",
    "challenger / champion": "thách thức / đương nhiệm",
    "sampled": "số mẫu",
    "disagree": "bất đồng",
    "mean difference": "chênh lệch trung bình",
    "No such verdict in this period.": "Không có phán định nào như vậy trong kỳ này.",
    "No video in this period.": "Không có video nào trong kỳ này.",
    "No video in this period": "Không có video nào trong kỳ này",
    "No score in this period.": "Không có điểm số nào trong kỳ này.",
    "No video with both scores in this period.": "Không có video nào đủ cả hai điểm trong kỳ này.",
    "No alert in this period.": "Không có cảnh báo nào trong kỳ này.",
    "No challenger scored a sample in this period.": "Không có mô hình thách thức nào chấm mẫu trong kỳ này.",
    "Nothing that these filters let through was judged in it.": "Không có gì qua bộ lọc này được phán định trong kỳ.",
    "Show 30 days": "Xem 30 ngày",
    "Not known now": "Hiện chưa biết",
    "The database does not answer. This block fills by itself.": (
        "Cơ sở dữ liệu không trả lời. Phần này sẽ tự cập nhật."
    ),
    "Nothing is known of this period": "Chưa biết gì về kỳ này",
    "Figures come by themselves once it answers again.": "Số liệu sẽ tự hiện khi cơ sở dữ liệu trả lời lại.",
    "Nothing is counted yet": "Chưa có gì được đếm",
    "Waiting for the first video; counts follow within a minute.": (
        "Đang chờ video đầu tiên; số đếm có trong vòng một phút."
    ),
    "You see what was last known, each with its time.": "Bạn đang xem số liệu biết được lần cuối, kèm thời điểm.",
}
