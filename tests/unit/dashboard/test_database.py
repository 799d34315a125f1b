"""The Database page without a database: who sees it, what it says in an outage, what an address may do."""

import pytest

from core.access import Person, Role
from core.errors_console import Forbidden
from dashboard import navigation, queries
from dashboard.data.sql_line import Rows
from dashboard.data.table_file import Format
from dashboard.sql_table import export, table
from dashboard.sql_templates import TEMPLATES
from tests.fixtures.console import Console, shown

HOSTILE = "<img src=x onerror='window.pwned=1'>[x](javascript:1)"


def test_an_outage_is_named_and_never_looks_like_nothing(console: Console) -> None:
    page = console.open_database()

    assert "The database does not answer" in shown(page)
    page.button(key="sql-run").click().run()
    while page.session_state["sql-job"].elapsed_s < 30 and not page.session_state["sql-job"].is_over:
        pass
    page.run()
    assert "Nothing was changed" in shown(page)


def test_an_address_fills_the_box_and_runs_nothing(console: Console) -> None:
    page = console.open_database(sql=HOSTILE)

    assert page.text_area(key="sql-text").value == HOSTILE
    assert "sql-job" not in page.session_state


def test_a_statement_too_long_for_an_address_leaves_none_behind(console: Console) -> None:
    page = console.open_database(sql="SELECT 1")

    page.text_area(key="sql-text").input("SELECT 1 -- " + "x" * 2_000)
    page.button(key="sql-run").click().run()

    assert "sql" not in page.query_params


def test_a_template_is_put_into_the_box_and_not_run(console: Console) -> None:
    page = console.open_database()

    page.selectbox(key="sql-template").select("Dead letters by code").run()

    assert page.text_area(key="sql-text").value == TEMPLATES["Dead letters by code"]
    assert "sql-job" not in page.session_state


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MODERATOR, Role.LEAD])
def test_who_may_not_query_has_no_page_and_gets_nothing(console: Console, role: Role) -> None:
    person = Person("x", "X", role)

    assert "database" not in [entry.path for entry in navigation.ENTRIES if person.may(entry.needs)]
    with pytest.raises(Forbidden):
        queries.catalogue(person)


def test_any_cell_can_be_shown_and_names_that_repeat_get_a_number() -> None:
    rows = Rows(("n", "n", ""), ("", "", ""), ((1, {"a": "é"}, b"\x00"), (2**80, None, HOSTILE)))

    found = table(rows)

    assert list(found.columns) == ["n", "n_2", "column"]
    assert found["n"].tolist() == ["1", str(2**80)]
    assert found["n_2"][0] == '{"a": "é"}'
    assert found["column"].tolist() == ["\\x00", HOSTILE]


def test_a_formula_in_a_cell_stays_text_in_a_spreadsheet() -> None:
    rows = Rows(("=1+1", "n"), ("text", "int4"), (("=cmd()", -5),))

    assert export(rows, Format.CSV).decode("utf-8-sig").splitlines() == ["'=1+1,n", "'=cmd(),-5"]
    assert export(rows, Format.PARQUET).startswith(b"PAR1")
