"""Every word of the console can be read in Vietnamese."""

import ast
import string
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import core
from core import errors_console, errors_query
from core.access import Capability, Person, Role
from core.errors import PlatformError
from core.errors_console import Forbidden, PersonRefused
from dashboard import (
    alert_list,
    arrivals,
    audit_pages,
    audit_words,
    keys,
    language,
    notices,
    sql_templates,
    vietnamese,
    wellness_form,
    wording,
)
from dashboard.language import KEY, Language, say, say_error
from dashboard.navigation import ENTRIES
from dashboard.vietnamese import WORDS
from dashboard.views.ingestion import FIRST
from dashboard.views.settings import TABS

CONSOLE = Path(language.__file__).parent
NAMED = (
    alert_list.LANE_NAMES,
    alert_list.FIELD_NAMES,
    arrivals.MEANINGS,
    arrivals.STATES,
    audit_pages.FORM_NAMES,
    audit_words.COLUMN_NAMES,
    audit_words.FIELDS,
    audit_words.SORTS,
    keys.ANYWHERE,
    keys.DETAIL,
    keys.LIVE,
    wellness_form.BLURS,
    wording.ANSWERS,
    wording.DEEDS,
    wording.MEANINGS,
    wording.MODALITIES,
    wording.OUTCOMES,
    wording.REASONS,
    wording.REFUSALS,
    wording.ROLES,
    wording.VERDICTS,
)
"""Words that are chosen by what they stand for."""


REFUSALS = {
    name
    for module in (errors_console, errors_query)
    for name, found in vars(module).items()
    if isinstance(found, type) and issubclass(found, PlatformError) and found.__module__ == module.__name__
}


def _said() -> Iterator[str]:
    yield from (entry.title for entry in ENTRIES)
    yield from (tab.title for tab in TABS)
    yield from sql_templates.TEMPLATES
    yield from (role.value for role in Role)
    yield from (capability.words for capability in Capability)
    yield from wording.meanings().values()
    yield from (words for table in NAMED for words in table.values())
    yield notices.NO_SCORING
    yield FIRST
    for file in CONSOLE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("say", "say_in"):
                yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))


def _refused() -> Iterator[tuple[str, ast.expr]]:
    """Where an error that people are shown is made, and what it says."""
    for file in (*Path(core.__file__).parent.rglob("*.py"), *CONSOLE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS:
                yield f"{file.name}:{node.lineno}", node.args[0]


def _names(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


def test_whatever_is_said_has_its_vietnamese() -> None:
    assert sorted(set(_said()) - set(WORDS)) == []


def test_whatever_is_refused_is_said_in_words_of_the_code_and_has_its_vietnamese() -> None:
    made = list(_refused())

    assert [place for place, words in made if not isinstance(words, ast.Constant)] == []
    assert sorted({str(words.value) for _, words in made if isinstance(words, ast.Constant)} - set(WORDS)) == []


def test_no_word_has_two_translations() -> None:
    pages = [import_module(f"{vietnamese.__name__}.{page.name}").WORDS for page in iter_modules(vietnamese.__path__)]

    said = [word for page in pages for word in page.items()]
    assert sorted(english for english, other in set(said) if WORDS[english] != other) == []


def test_both_languages_take_the_same_values() -> None:
    assert [english for english, vietnamese in WORDS.items() if _names(english) != _names(vietnamese)] == []


def test_the_chosen_language_is_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.session_state", {KEY: "vi"})

    assert say("Live monitor") == "Giám sát trực tiếp"


@pytest.mark.parametrize("tongue", Language)
def test_a_refusal_is_said_with_its_values_and_its_names(tongue: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.session_state", {KEY: tongue})
    with pytest.raises(Forbidden) as refused:
        Person("p", "Viewer", Role.VIEWER).require(Capability.MANAGE_PEOPLE)

    said = {
        Language.ENGLISH: refused.value.message,
        Language.VIETNAMESE: "người xem không được phép quản lý người dùng; việc đó cần: quản trị viên",
    }
    assert say_error(refused.value) == said[tongue]
    assert refused.value.message == "viewer may not manage people; that takes admin"


def test_a_name_in_a_refusal_is_never_translated_nor_read_as_a_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.session_state", {KEY: Language.VIETNAMESE})

    said = say_error(PersonRefused("{name!r} is somebody's name already; choose another one", name="viewer {0}"))

    assert said == "'viewer {0}' đã là tên của người khác; hãy chọn tên khác"
