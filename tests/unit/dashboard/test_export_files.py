from core.clock import FixedClock
from dashboard.export_files import KEPT_S, ExportFiles
from tests.fixtures.stores import NOON


def test_a_file_is_for_its_person_alone_until_the_next_one_or_its_time_is_over() -> None:
    clock = FixedClock(NOON)
    files = ExportFiles(clock)
    path = files.room()
    path.write_text("x")
    first = files.keep("an", path, "x.csv")

    assert files.find(first.token, "an") == first
    assert files.find(first.token, "bo") is None
    assert files.find("x", "an") is None

    other = files.room()
    other.write_text("y")
    second = files.keep("an", other, "y.csv")
    assert files.find(first.token, "an") is None
    assert not path.exists()

    clock.elapsed_s += KEPT_S + 1
    assert files.find(second.token, "an") is None
    assert not other.exists()
    files.close()
