"""The sign-in page as HTML: plain, in the console's look, in both languages, without a script. Pure."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from dashboard.forms import FIELD
from dashboard.language import Language, say_in
from dashboard.markup import Markup, join, tag, text

HERE = Path(__file__).parent
STYLE = Markup((HERE / "sign_in.css").read_text(encoding="utf-8"))
MARK = Markup((HERE / "mark.svg").read_text(encoding="utf-8"))
_OTHER = {Language.ENGLISH: (Language.VIETNAMESE, "Tiếng Việt"), Language.VIETNAMESE: (Language.ENGLISH, "English")}


@dataclass(frozen=True)
class Look:
    """What one sign-in page shows.

    Attributes:
        form: the form's token.
        target: where to go afterwards.
        message: what went wrong, already in the language; empty when nothing did.
        name: as it was typed.
        provider: the name of who vouches for people too; empty where nobody does.
    """

    language: Language
    form: str = ""
    target: str = "/"
    message: str = ""
    name: str = ""
    provider: str = ""


def sign_in_page(look: Look, *, nonce: str) -> str:
    """The page with its form."""

    def say(words: str, **values: object) -> Markup:
        return text(say_in(look.language, words, **values))

    parts = [tag("h1", say("Sign in"))]
    if look.message:
        parts.append(tag("p", text(look.message), cls="message", role="alert"))
    parts.append(_form(look, name=say("Name"), password=say("Password"), button=say("Sign in")))
    if look.provider:
        parts.append(_provider_form(look, say("Sign in with {provider}", provider=look.provider)))
    hint = say("No password? An admin makes you a one-time link, also with:")
    parts.append(tag("p", hint, Markup(" "), tag("code", text("clipwarden users link NAME")), cls="quiet"))
    return _document(look, parts, nonce=nonce)


def confirm_page(language: Language, *, link: str, nonce: str) -> str:
    """The page before a one-time link that another site led to."""
    look = Look(language)
    words = say_in(language, "Another site led you here. Go on only if you asked for this link.")
    address = "/enter?" + urlencode({"link": link})
    parts = [
        tag("h1", text(say_in(language, "Sign in"))),
        tag("p", text(words)),
        tag("a", text(say_in(language, "Sign in with this link")), href=address, cls="button"),
    ]
    return _document(look, parts, nonce=nonce)


def _provider_form(look: Look, button: Markup) -> Markup:
    return tag(
        "form",
        _input("hidden", "next", value=look.target),
        _input("hidden", "lang", value=look.language),
        tag("button", button, type="submit", cls="second"),
        method="post",
        action="/sign-in/provider",
    )


def _form(look: Look, *, name: Markup, password: Markup, button: Markup) -> Markup:
    focus = {"autofocus": ""}
    return tag(
        "form",
        _input("hidden", FIELD, value=look.form),
        _input("hidden", "next", value=look.target),
        _input("hidden", "lang", value=look.language),
        tag("label", name, _input("text", "name", value=look.name, autocomplete="username", maxlength="60", **focus)),
        tag("label", password, _input("password", "password", autocomplete="current-password", maxlength="256")),
        tag("button", button, type="submit"),
        method="post",
        action="/sign-in",
    )


def _input(kind: str, name: str, **attributes: str) -> Markup:
    required = {} if kind == "hidden" else {"required": "", "autocapitalize": "none", "spellcheck": "false"}
    whole = "".join(
        f' {key}="{text(value)}"' for key, value in {"type": kind, "name": name, **required, **attributes}.items()
    )
    return Markup(f"<input{whole}>")


def _document(look: Look, parts: list[Markup], *, nonce: str) -> str:
    other, its_name = _OTHER[look.language]
    switch = "/sign-in?" + urlencode({"lang": other, "next": look.target})
    brand = tag("div", MARK, text("Clipwarden"), cls="brand")
    foot = tag("footer", tag("a", text(its_name), href=switch, hreflang=other, lang=other), cls="quiet")
    head = join(
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", text(f"{say_in(look.language, 'Sign in')} · Clipwarden")),
        tag("style", STYLE, nonce=nonce),
    )
    body = tag("body", tag("main", brand, tag("div", *parts, cls="card"), foot))
    return "<!doctype html>" + tag("html", tag("head", head), body, lang=look.language)
