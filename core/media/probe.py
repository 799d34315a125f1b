"""A media file → what it is: opened, checked against the limits and listed packet by packet. Runs in the cage only."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Discard
from av.video.stream import VideoStream

from core.errors import MediaEmpty, MediaMissing, MediaNoVideo, MediaTooLarge, MediaTooLong, MediaUndecodable
from core.media.protocol import MediaLimits, Probe
from core.media.sample import Packet

# Playlists and scripts (hls, concat, image sequences) name other files and hosts: only self-contained files are read.
_CONTAINERS = "mov,matroska,webm,avi,flv,mpegts,mpeg,asf,ogg,gif,mp3,aac,wav,flac"
_CODECS = frozenset(
    {"av1", "flv1", "gif", "h263", "h264", "hevc", "mjpeg", "mpeg1video", "mpeg2video", "mpeg4"}
    | {"msmpeg4v3", "prores", "theora", "vc1", "vp8", "vp9", "wmv2", "wmv3"}
)
_CONTENT_TYPES = {
    "mov": "video/mp4",
    "matroska": "video/x-matroska",
    "avi": "video/x-msvideo",
    "flv": "video/x-flv",
    "mpegts": "video/mp2t",
    "mpeg": "video/mpeg",
    "asf": "video/x-ms-asf",
    "ogg": "video/ogg",
    "gif": "image/gif",
}
VideoPacket: TypeAlias = "av.Packet[VideoStream]"
_MAX_FPS = 240
_MAX_READ_ERRORS = 16


@dataclass(frozen=True)
class OpenVideo:
    """An open file with its one video stream.

    Attributes:
        claimed: what the container says; packets tell the truth.
    """

    container: InputContainer
    stream: VideoStream
    claimed: Probe


@dataclass(frozen=True)
class Listing:
    """Every packet of the video stream, read but not decoded.

    Attributes:
        times: when each is shown, index for index.
        is_damaged: parts of the file could not be read.
    """

    packets: list[VideoPacket]
    times: list[Packet]
    start_s: float
    duration_s: float
    is_damaged: bool


def probe(path: Path, limits: MediaLimits) -> Probe:
    """Say what a video is; at least one of its frames can be decoded.

    Raises:
        MediaMissing, MediaEmpty, MediaNoVideo, MediaUndecodable, MediaTooLarge, MediaTooLong.
    """
    with open_video(path, limits) as video:
        listing = list_packets(video, limits)
        rotation = first_frame(video, listing).rotation
        return replace(describe(video, listing), rotation=rotation)


@contextmanager
def open_video(path: Path, limits: MediaLimits, *, deblock: bool = True) -> Iterator[OpenVideo]:
    """Open a file without decoding anything, and refuse what passes the limits.

    Errors of libav inside the block become ours: out of memory is MediaTooLarge, all else MediaUndecodable.

    Raises:
        MediaMissing, MediaEmpty, MediaNoVideo, MediaUndecodable, MediaTooLarge, MediaTooLong.
    """
    _check_file(path, limits)
    try:
        with _open(path) as container:
            stream = _video_stream(container)
            claimed = _claimed(container, stream, path)
            _check_size(claimed, limits)
            _prepare(container, stream, limits, deblock=deblock)
            yield OpenVideo(container, stream, claimed)
    except MemoryError as error:
        raise MediaTooLarge("decoding it takes more memory than a decoder may use") from error
    except FFmpegError as error:
        raise MediaUndecodable(f"no readable video file: {error.strerror}") from error


def list_packets(video: OpenVideo, limits: MediaLimits) -> Listing:
    """Read all packets into memory; times come from them, since containers' claims are input like everything else.

    Raises:
        MediaUndecodable: not one frame is shown.
        MediaTooLong: the frames span more time than allowed, or are too many for it.
    """
    packets, is_damaged = _read_packets(video, max_packets=int(limits.max_duration_s * _MAX_FPS))
    times = [_timed(packet, index, video.stream) for index, packet in enumerate(packets)]
    shown = [index for index, packet in enumerate(times) if packet.is_shown]
    if not shown:
        raise MediaUndecodable("the video stream has no frames")
    start_s = min(times[index].time_s for index in shown)
    last = max(shown, key=lambda index: times[index].time_s)
    span_s = times[last].time_s - start_s
    # Without its own duration, the last frame stays as long as the others did.
    duration_s = span_s + (_shown_for_s(packets[last], video.stream) or span_s / max(1, len(shown) - 1))
    _check_duration(duration_s, limits)
    return Listing(packets, times, start_s, duration_s, is_damaged)


def describe(video: OpenVideo, listing: Listing) -> Probe:
    """The claims, corrected by what the packets and the decoder say; rotation is known from a frame only."""
    context = video.stream.codec_context
    return replace(
        video.claimed,
        width_px=context.width,
        height_px=context.height,
        duration_s=listing.duration_s,
        frames=sum(packet.is_shown for packet in listing.times),
    )


def _check_file(path: Path, limits: MediaLimits) -> None:
    try:
        status = path.stat()
    except OSError as error:
        raise MediaMissing(f"{path.name}: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise MediaMissing(f"{path.name} is no file")
    if not status.st_size:
        raise MediaEmpty(f"{path.name} has no bytes")
    if status.st_size > limits.max_bytes:
        raise MediaTooLarge(f"{status.st_size} bytes are over {limits.max_bytes}")


def _open(path: Path) -> InputContainer:
    # No codec may run while the file is opened: 8k frames would be decoded before their size is checked, and opening
    # costs ten times as much. Metadata in a foreign encoding must not refuse the video.
    options = {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS, "codec_whitelist": "none"}
    return av.open(f"file:{os.fspath(path)}", mode="r", options=options, metadata_errors="replace")


def _video_stream(container: InputContainer) -> VideoStream:
    # An audio file's cover picture is a video stream too.
    pictures = av.stream.Disposition.attached_pic
    streams = [stream for stream in container.streams.video if not stream.disposition & pictures]
    if not streams:
        raise MediaNoVideo(f"{len(container.streams)} streams, none of them video")
    # A codec this build cannot decode leaves a stream without context, whatever the type hints promise.
    context: object = streams[0].codec_context
    name = streams[0].codec.canonical_name if context is not None else "unknown"
    if name not in _CODECS:
        raise MediaUndecodable(f"codec {name} is not accepted")
    return streams[0]


def _claimed(container: InputContainer, stream: VideoStream, path: Path) -> Probe:
    claimed_s = float((stream.duration or 0) * (stream.time_base or 0)) or (container.duration or 0) / av.time_base
    return Probe(
        width_px=stream.codec_context.width,
        height_px=stream.codec_context.height,
        duration_s=claimed_s,
        frames=stream.frames,
        codec=stream.codec.canonical_name,
        rotation=0,
        content_type=_content_type(container, path),
    )


def _content_type(container: InputContainer, path: Path) -> str:
    family = container.format.name.split(",")[0]
    brand = container.metadata.get("major_brand", "")
    if family == "mov" and brand.startswith(("qt", "3g")):
        return "video/quicktime" if brand.startswith("qt") else "video/3gpp"
    if family == "matroska":
        with path.open("rb") as file:
            return "video/webm" if b"webm" in file.read(64) else _CONTENT_TYPES[family]
    return _CONTENT_TYPES.get(family, "application/octet-stream")


def _check_size(claimed: Probe, limits: MediaLimits) -> None:
    if claimed.width_px * claimed.height_px > limits.max_pixels:
        raise MediaTooLarge(f"{claimed.width_px}x{claimed.height_px} is over {limits.max_pixels} pixels")
    _check_duration(claimed.duration_s, limits)


def _check_duration(duration_s: float, limits: MediaLimits) -> None:
    if duration_s > limits.max_duration_s:
        raise MediaTooLong(f"{duration_s:.0f} s is over {limits.max_duration_s:.0f} s")


def _prepare(container: InputContainer, stream: VideoStream, limits: MediaLimits, *, deblock: bool) -> None:
    for other in container.streams:
        if other is not stream:
            other.discard = Discard.all
    context = stream.codec_context
    context.thread_count = 1
    # The frames themselves may be larger than the container says.
    context.options = {"max_pixels": str(limits.max_pixels)}
    if not deblock:
        context.options |= {"skip_loop_filter": "all"}
    # Opened before anyone sets skip_frame, which dav1d would take for the whole stream.
    context.open()


def _read_packets(video: OpenVideo, *, max_packets: int) -> tuple[list[VideoPacket], bool]:
    packets: list[VideoPacket] = []
    for _ in range(_MAX_READ_ERRORS):
        try:
            for packet in video.container.demux(video.stream):
                if packet.size:
                    packets.append(packet)
                if len(packets) > max_packets:
                    raise MediaTooLong(f"more than {max_packets} frames")
        except MemoryError:
            raise
        except FFmpegError:
            # The samples behind an unreadable one may be fine.
            continue
        except IndexError:
            # PyAV, after the last packet, where a stream first appeared while it read (mpegts).
            pass
        return packets, any(packet.is_corrupt for packet in packets)
    return packets, True


def _timed(packet: VideoPacket, index: int, stream: VideoStream) -> Packet:
    ticks = packet.pts if packet.pts is not None else packet.dts
    # Without any timestamps the order of decoding is the best there is.
    time_s = index / float(stream.guessed_rate or 25) if ticks is None else float(ticks * (stream.time_base or 0))
    return Packet(time_s, packet.is_keyframe, not packet.is_discard)


def _shown_for_s(packet: VideoPacket, stream: VideoStream) -> float:
    return max(0.0, float((packet.duration or 0) * (stream.time_base or 0)))


def first_frame(video: OpenVideo, listing: Listing) -> av.VideoFrame:
    """The first frame that decodes, which is not always the first that is shown.

    Raises:
        MediaUndecodable: none does.
    """
    for packet in [*listing.packets, None]:
        try:
            frames = video.stream.codec_context.decode(packet)
        except MemoryError:
            raise
        except FFmpegError:
            continue
        if frames:
            return frames[0]
    raise MediaUndecodable("no frame can be decoded")
