import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.media.protocol import ClipTarget, Sampling
from core.media.sample import Packet, choose_frames, plan_runs, segments_s, target_times_s


def _packets(*, count: int, keys: set[int], fps: float = 10.0) -> list[Packet]:
    return [Packet(index / fps, index in keys, is_shown=True) for index in range(count)]


def test_targets_are_the_middles_of_equal_segments() -> None:
    assert target_times_s(4, 2.0) == (0.25, 0.75, 1.25, 1.75)


def test_segments_meet_half_way_and_cover_the_video() -> None:
    assert segments_s((0.5, 1.5, 3.5), 4.0) == ((0.0, 1.0), (1.0, 2.5), (2.5, 4.0))


def test_a_repeated_frame_gives_an_empty_segment() -> None:
    assert segments_s((0.0, 0.0), 1.0) == ((0.0, 0.0), (0.0, 1.0))


def test_no_frames_have_no_segments() -> None:
    assert segments_s((), 1.0) == ()


def _chosen(packets: list[Packet], target: ClipTarget, duration_s: float) -> tuple[int, ...]:
    return choose_frames(packets, target, duration_s=duration_s).packets


def test_frames_are_chosen_by_time_not_by_index() -> None:
    packets = [Packet(time_s, index == 0, is_shown=True) for index, time_s in enumerate([0.0, 0.1, 0.2, 0.3, 8.0])]

    assert _chosen(packets, ClipTarget(4, 8), 10.0) == (3, 3, 4, 4)


def test_decode_order_does_not_matter_to_the_choice() -> None:
    reordered = [Packet(0.0, is_key=True, is_shown=True), Packet(0.3, is_key=False, is_shown=True)]
    reordered += [Packet(0.1, is_key=False, is_shown=True), Packet(0.2, is_key=False, is_shown=True)]

    assert _chosen(reordered, ClipTarget(4, 8), 0.4) == (0, 2, 3, 1)


def test_frames_an_edit_list_hides_are_never_chosen() -> None:
    packets = [Packet(index - 5.0, index == 0, is_shown=index >= 5) for index in range(10)]

    assert _chosen(packets, ClipTarget(5, 8), 5.0) == (5, 6, 7, 8, 9)


def test_frames_before_the_first_key_frame_are_never_chosen() -> None:
    assert _chosen(_packets(count=10, keys={4}), ClipTarget(2, 8), 0.6) == (5, 8)


def test_a_short_video_repeats_its_frames() -> None:
    assert _chosen(_packets(count=1, keys={0}), ClipTarget(3, 8), 0.0) == (0, 0, 0)


def test_nothing_shown_chooses_nothing() -> None:
    assert _chosen([Packet(0.0, is_key=True, is_shown=False)], ClipTarget(3, 8), 1.0) == ()


def test_near_keys_takes_a_key_frame_within_the_targets_own_segment() -> None:
    target = ClipTarget(2, 8, sampling=Sampling.NEAR_KEYS)

    assert choose_frames(_packets(count=20, keys={0, 7}), target, duration_s=2.0) == ((7, 15), Sampling.NEAR_KEYS)


@pytest.mark.parametrize(
    ("keys", "chosen", "sampling"),
    [
        ({0, 9, 28}, (0, 9, 28), Sampling.KEYS),
        ({0, 12}, (0, 12, 25), Sampling.NEAR_KEYS),
        (set(), (5, 15, 25), Sampling.EVEN),
    ],
)
def test_where_there_are_too_few_key_frames_the_next_dearer_sampling_says_its_name(
    keys: set[int], chosen: tuple[int, ...], sampling: Sampling
) -> None:
    target = ClipTarget(3, 8, sampling=Sampling.KEYS)

    assert choose_frames(_packets(count=30, keys=keys), target, duration_s=3.0) == (chosen, sampling)


def test_packets_no_wanted_frame_depends_on_are_not_decoded() -> None:
    packets = _packets(count=40, keys={0, 10, 20, 30})

    assert plan_runs(packets, (12, 31)) == (range(10, 13), range(30, 32))


def test_a_frame_shown_before_its_key_frame_starts_one_key_frame_earlier() -> None:
    packets = _packets(count=20, keys={0, 10})
    packets[11] = Packet(0.95, is_key=False, is_shown=True)

    assert plan_runs(packets, (11,)) == (range(12),)
    assert plan_runs(packets, (10, 11)) == (range(12),)


def test_a_stream_without_key_frames_is_decoded_from_its_start() -> None:
    assert plan_runs(_packets(count=5, keys=set()), (3,)) == (range(4),)


_STREAMS = st.lists(st.tuples(st.floats(-2, 20), st.booleans(), st.booleans()), min_size=1, max_size=60)


@given(stream=_STREAMS, num_frames=st.integers(1, 20), sampling=st.sampled_from(Sampling))
def test_every_chosen_frame_is_shown_and_lies_in_exactly_one_run(
    stream: list[tuple[float, bool, bool]], num_frames: int, sampling: Sampling
) -> None:
    packets = [Packet(*fields) for fields in stream]
    chosen = _chosen(packets, ClipTarget(num_frames, 8, sampling=sampling), 10.0)
    runs = plan_runs(packets, chosen)

    assert all(packets[index].is_shown for index in chosen)
    assert [packets[index].time_s for index in chosen] == sorted(packets[index].time_s for index in chosen)
    assert all(sum(index in run for run in runs) == 1 for index in chosen)
    assert all(run.start == 0 or packets[run.start].is_key for run in runs)


@given(stream=_STREAMS, num_frames=st.integers(1, 20))
def test_no_frame_lies_nearer_to_a_target_than_the_one_chosen(
    stream: list[tuple[float, bool, bool]], num_frames: int
) -> None:
    packets = [Packet(time_s, is_key=True, is_shown=is_shown) for time_s, _, is_shown in stream]
    shown = [packet.time_s for packet in packets if packet.is_shown]

    for target_s, index in zip(
        target_times_s(num_frames, 10.0), _chosen(packets, ClipTarget(num_frames, 8), 10.0), strict=False
    ):
        at_s = min(shown) + target_s
        assert abs(packets[index].time_s - at_s) <= min(abs(time_s - at_s) for time_s in shown) + 1e-6
