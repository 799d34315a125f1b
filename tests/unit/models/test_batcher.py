from hypothesis import given, settings
from hypothesis import strategies as st

from models.serving.batcher import HEAD_START_S, Batcher, Entry, Key, text_bucket, text_buckets

_LIMIT = 4
_WAIT_S = 0.004

_keys = st.builds(Key, tokens=st.sampled_from([0, 16, 32]), has_clip=st.booleans(), is_alone=st.booleans())
_arrivals = st.lists(
    st.tuples(_keys, st.integers(0, 1), st.floats(0, 0.01), st.floats(0.001, 1.0)), min_size=1, max_size=40
)


def _limit(key: Key) -> int:
    return 1 if key.is_alone else _LIMIT


def _batcher(max_queue: int = 1_000) -> Batcher[int]:
    return Batcher(limit=_limit, max_wait_s=_WAIT_S, max_queue=max_queue)


_CAPTION = Key(16, has_clip=False)


def _entry(item: int, key: Key = _CAPTION, at_s: float = 0.0, priority: int = 0, ttl_s: float = 9.0) -> Entry[int]:
    return Entry(item, key, priority, at_s, at_s + ttl_s)


@given(_arrivals)
@settings(deadline=None)
def test_every_entry_leaves_exactly_once_in_batches_of_one_key_within_the_limit(
    arrivals: list[tuple[Key, int, float, float]],
) -> None:
    batcher, now_s, keys, seen = _batcher(), 0.0, {}, []
    for number, (key, priority, gap_s, ttl_s) in enumerate(arrivals):
        now_s += gap_s
        keys[number] = key
        assert batcher.offer(_entry(number, key, now_s, priority, ttl_s))
    while len(batcher):
        due_s = batcher.due_s()
        assert due_s is not None
        now_s = max(now_s, due_s)
        batch = batcher.next(now_s)
        assert len({keys[item] for item in batch}) == 1
        assert len(batch) <= _limit(keys[batch[0]])
        seen += batch

    assert sorted(seen) == sorted(keys)


@given(_arrivals)
@settings(deadline=None)
def test_the_request_that_ranks_oldest_is_always_in_the_next_batch(
    arrivals: list[tuple[Key, int, float, float]],
) -> None:
    batcher, now_s, left = _batcher(), 0.0, {}
    for number, (key, priority, gap_s, _) in enumerate(arrivals):
        now_s += gap_s * 300
        left[number] = now_s - priority * HEAD_START_S
        batcher.offer(_entry(number, key, now_s, priority))

    while batch := batcher.next(now_s, flush=True):
        assert min(left, key=lambda item: (left[item], item not in batch)) in batch
        for item in batch:
            del left[item]

    assert not left


@given(st.integers(1, 5), st.integers(0, 20))
def test_the_queue_is_bounded(max_queue: int, offers: int) -> None:
    batcher = _batcher(max_queue)

    taken = [batcher.offer(_entry(item)) for item in range(offers)]

    assert sum(taken) == len(batcher) == min(max_queue, offers)


def test_a_full_batch_is_due_at_once_and_a_partial_one_after_the_wait() -> None:
    batcher = _batcher()
    for item in range(_LIMIT + 1):
        batcher.offer(_entry(item, at_s=1.0))

    assert batcher.next(1.0) == [0, 1, 2, 3]
    assert batcher.next(1.0) == []
    assert batcher.due_s() == 1.0 + _WAIT_S
    assert batcher.next(1.0 + _WAIT_S) == [4]
    assert batcher.due_s() is None


def test_the_key_with_the_oldest_head_goes_first_even_when_another_is_full() -> None:
    batcher = _batcher()
    batcher.offer(_entry(0, Key(32, has_clip=True), at_s=0.0))
    for item in range(1, 5):
        batcher.offer(_entry(item, at_s=0.001))

    assert batcher.next(_WAIT_S) == [0]


def test_live_goes_before_background_but_background_is_only_late() -> None:
    batcher = _batcher()
    for item in range(_LIMIT):
        batcher.offer(_entry(item, Key(16, has_clip=False), at_s=0.0, priority=0))
    batcher.offer(_entry(10, Key(32, has_clip=False), at_s=HEAD_START_S * 0.9, priority=1))
    batcher.offer(_entry(11, Key(64, has_clip=False), at_s=HEAD_START_S * 1.1, priority=1))

    assert [batcher.next(9.0)[0] for _ in range(3)] == [10, 0, 11]


def test_a_request_that_failed_before_shares_no_batch() -> None:
    batcher = _batcher()
    for item in range(3):
        batcher.offer(_entry(item, Key(16, has_clip=True, is_alone=True)))

    assert [len(batcher.next(1.0)) for _ in range(3)] == [1, 1, 1]


def test_a_full_batch_of_live_posts_is_settled_and_leaves_as_it_would_anyway() -> None:
    batcher = _batcher()
    for item in range(_LIMIT + 1):
        batcher.offer(_entry(item, at_s=1.0, priority=1))

    assert batcher.next_full(1.0) == [0, 1, 2, 3]
    assert batcher.next_full(9.0) is None
    assert len(batcher) == 1


def test_a_batch_that_a_live_post_could_still_go_before_is_not_settled() -> None:
    batcher = _batcher()
    for item in range(_LIMIT):
        batcher.offer(_entry(item, priority=0 if item == 0 else 1))

    assert batcher.next_full(9.0) == []
    assert len(batcher) == _LIMIT


def test_a_partial_batch_whose_turn_it_is_keeps_full_ones_back() -> None:
    batcher = _batcher()
    batcher.offer(_entry(9, Key(32, has_clip=True), at_s=0.0, priority=1))
    for item in range(_LIMIT):
        batcher.offer(_entry(item, at_s=0.001, priority=1))

    assert batcher.next_full(_WAIT_S / 2) == [0, 1, 2, 3]
    for item in range(_LIMIT):
        batcher.offer(_entry(item, at_s=0.001, priority=1))
    assert batcher.next_full(_WAIT_S) == []
    assert batcher.next(_WAIT_S) == [9]


def test_dropped_entries_are_named_and_the_rest_stays() -> None:
    batcher = _batcher()
    batcher.offer(_entry(0, ttl_s=1.0))
    batcher.offer(_entry(1, ttl_s=5.0))

    dropped = batcher.drop(lambda entry: entry.expires_s <= 2.0)

    assert (dropped, len(batcher), batcher.next(9.0)) == ([0], 1, [1])


def test_buckets_double_up_to_the_longest_caption() -> None:
    assert text_buckets(512) == (16, 32, 64, 128, 256, 512)
    assert text_buckets(100) == (16, 32, 64, 100)
    assert text_buckets(8) == (8,)


@given(st.integers(0, 512))
def test_a_caption_gets_the_smallest_bucket_that_holds_it(length: int) -> None:
    buckets = text_buckets(512)

    bucket = text_bucket(length, buckets)

    assert bucket >= length
    assert not any(length <= smaller < bucket for smaller in buckets if length)
