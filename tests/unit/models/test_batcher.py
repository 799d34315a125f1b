from hypothesis import given, settings
from hypothesis import strategies as st

from models.serving.batcher import CREDIT_TURNS, HEAD_START_S, Batcher, Entry, Key, text_bucket, text_buckets

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


def _entry(
    item: int, key: Key = _CAPTION, at_s: float = 0.0, priority: int = 1, ttl_s: float = 9.0, client: str = ""
) -> Entry[int]:
    return Entry(item, key, priority, at_s, at_s + ttl_s, client.encode())


@given(_arrivals)
@settings(deadline=None)
def test_every_entry_leaves_exactly_once_in_batches_of_one_key_within_the_limit(
    arrivals: list[tuple[Key, int, float, float]],
) -> None:
    batcher, now_s, keys, seen = _batcher(), 0.0, {}, []
    for number, (key, priority, gap_s, ttl_s) in enumerate(arrivals):
        now_s += gap_s
        keys[number] = key
        assert batcher.offer(_entry(number, key, now_s, priority, ttl_s)) is None
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
def test_the_oldest_live_request_is_always_in_the_next_batch(arrivals: list[tuple[Key, int, float, float]]) -> None:
    batcher, now_s, left = _batcher(), 0.0, {}
    for number, (key, priority, gap_s, _) in enumerate(arrivals):
        now_s += gap_s * 300
        left[number] = (now_s, priority)
        batcher.offer(_entry(number, key, now_s, priority))

    def yields(item: int) -> bool:
        accepted_s, priority = left[item]
        return priority == 0 and now_s < accepted_s + HEAD_START_S

    while batch := batcher.next(now_s, flush=True):
        assert min(left, key=lambda item: (yields(item), left[item][0], item not in batch)) in batch
        for item in batch:
            del left[item]

    assert not left


@given(st.integers(1, 5), st.integers(0, 20))
def test_the_queue_is_bounded(max_queue: int, offers: int) -> None:
    batcher = _batcher(max_queue)

    taken = [batcher.offer(_entry(item)) is None for item in range(offers)]

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
    batcher.offer(_entry(10, Key(32, has_clip=False), at_s=HEAD_START_S * 0.9))
    batcher.offer(_entry(11, Key(64, has_clip=False), at_s=HEAD_START_S * 0.9))

    assert batcher.next(HEAD_START_S * 0.95)[0] == 10
    assert [batcher.next(HEAD_START_S)[0] for _ in range(2)] == [0, 11]


def test_a_client_that_floods_waits_behind_itself_and_another_is_computed_next() -> None:
    batcher = _batcher()
    for item in range(100):
        batcher.offer(_entry(item, client="flood"))
    assert [len(batcher.next(1.0)) for _ in range(5)] == [_LIMIT] * 5
    batcher.offer(_entry(1_000, at_s=2.0, client="other"))
    batcher.offer(_entry(1_001, Key(32, has_clip=True), at_s=2.0, client="third"))

    assert 1_000 in batcher.next(3.0)
    assert batcher.next(3.0) == [1_001]


@given(st.integers(0, 300), st.booleans())
@settings(deadline=None, max_examples=50)
def test_clients_that_flood_are_served_alike_whoever_came_first(before: int, same_key: bool) -> None:  # noqa: FBT001
    batcher, served = _batcher(10_000), {"a": 0, "b": 0}
    keys = {"a": Key(16, has_clip=False), "b": Key(16 if same_key else 32, has_clip=False)}
    for item in range(before):
        batcher.offer(_entry(item, keys["a"], client="a"))
    for _ in range(before // 8):
        batcher.next(1.0)
    for client in "ab":
        for item in range(400):
            batcher.offer(_entry(ord(client), keys[client], at_s=1.0 + item, client=client))

    for _ in range(100):
        for item in batcher.next(900.0):
            served[chr(item) if item in (97, 98) else "a"] += 1

    assert abs(served["a"] - served["b"]) <= CREDIT_TURNS + 2 * _LIMIT


def test_a_live_request_of_one_client_goes_before_the_background_of_all() -> None:
    batcher = _batcher()
    for item in range(8):
        batcher.offer(_entry(item, priority=0, client="batch"))
        batcher.offer(_entry(100 + item, client="flood"))

    assert {*batcher.next(1.0), *batcher.next(1.0)} == set(range(100, 108))


def test_in_a_full_queue_the_newest_of_whoever_has_most_makes_room() -> None:
    batcher = _batcher(6)
    for item in range(6):
        batcher.offer(_entry(item, at_s=item // 3, client="flood"))

    out = [batcher.offer(_entry(item, at_s=9.0, client="other")) for item in (10, 11, 12, 13)]

    assert [entry.item for entry in out if entry is not None] == [5, 4, 3, 13]
    assert len(batcher) == 6


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
