import ast
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from dashboard.markup import div, span, tag, text

DASHBOARD = Path(__file__).parents[3] / "dashboard"


class Seen(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.values: list[str | None] = []
        self.words = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.values += [value for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words += data


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"])), st.text(alphabet="<>\"'&;=/ ax"))
def test_data_never_becomes_a_tag_or_leaves_its_attribute(words: str, value: str) -> None:
    seen = Seen(div("outer", span(words, "inner", title=value)))

    assert seen.tags == ["div", "span"]
    assert seen.words == words
    assert seen.values == ["outer", "inner", value]


def test_markup_is_one_line_so_that_nothing_dedents_it() -> None:
    assert "\n" not in tag("p", text("  two\n   lines"))


def test_html_reaches_streamlit_in_one_place_only() -> None:
    sources = {
        path.relative_to(DASHBOARD).as_posix(): path.read_text(encoding="utf-8") for path in DASHBOARD.rglob("*.py")
    }
    calls = [
        (name, node.func.attr)
        for name, source in sources.items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "st"
    ]

    assert {name for name, call in calls if call == "html"} == {"frame.py"}
    assert not [name for name, call in calls if call in {"markdown", "write", "caption", "error", "info", "warning"}]
    assert not [name for name, source in sources.items() if "unsafe_allow" in source]
