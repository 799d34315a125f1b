import pytest

from core.access import Person, Role
from dashboard import audit_queries
from dashboard.data.search_query import Query

AN = Person("an", "An", Role.VIEWER)


class Growing:
    """An answer with one video more at every question."""

    def __init__(self) -> None:
        self.videos = 0

    def count(self, person: Person, query: Query) -> int:
        del person, query
        self.videos += 1
        return self.videos


def test_a_count_is_kept_a_while_for_everybody_and_then_counted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Growing()
    monkeypatch.setattr(audit_queries, "search", lambda: store)
    audit_queries._count.clear()

    assert [audit_queries.count(who, Query()) for who in (AN, Person("bo", "Bo", Role.LEAD))] == [1, 1]
    audit_queries._count.clear()
    assert audit_queries.count(AN, Query()) == 2
