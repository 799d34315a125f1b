import re

import pytest

from core.storage.migrate import _migrations


@pytest.mark.parametrize("flavour", ["plain", "timescale"])
def test_migrations_are_numbered_and_in_order(flavour: str) -> None:
    names = [file.name for file in _migrations(flavour)]

    assert names[0] == "0001_core.sql"
    assert names == sorted(names)
    assert all(re.fullmatch(rf"\d{{4}}_[a-z_]+(\.{flavour})?\.sql", name) for name in names)


def test_each_flavour_has_what_the_other_has() -> None:
    plain, timescale = (
        ["".join(f.name.split(f".{kind}")) for f in _migrations(kind)] for kind in ("plain", "timescale")
    )

    assert plain == timescale
