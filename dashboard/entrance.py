"""The ways in: the sign-in form and one-time links; each ends in a cookie that proves a session, and no script sees."""

import secrets
from collections.abc import Mapping
from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from core.errors import StoreUnavailable
from core.errors_console import SignInRefused, SignInThrottled
from dashboard import forms, provider_cookies, seats
from dashboard.callers import address_of, is_ahead_of_time, is_other_site, is_own_page, language_of, person_of
from dashboard.language import Language, say_in
from dashboard.resources import resources
from dashboard.sign_in_page import Look, confirm_page, sign_in_page
from dashboard.wording import REFUSALS

MAX_LINK_CHARS = 100


def show(request: Request) -> Response:
    """GET /sign-in: the form; who is signed in goes on to their page."""
    target = forms.target_of(request.query_params.get("next", ""))
    try:
        if person_of(request) is not None:
            return _on_to(target)
    except StoreUnavailable:
        return _refused(request, 503, _down(language_of(request)), target=target)
    why = request.query_params.get("why", "")
    response = _refused(request, 200, say_in(language_of(request), REFUSALS.get(why, "")), target=target)
    if why:
        provider_cookies.end(request, response)
    return response


async def take(request: Request) -> Response:
    """POST /sign-in: a name and a password."""
    if not is_own_page(request):
        return await run_in_threadpool(_old_form, request, {})
    fields = await forms.fields_of(request)
    if fields is None:
        return await run_in_threadpool(_old_form, request, {}, status=413)
    return await run_in_threadpool(_sign_in, request, fields)


async def set_out(request: Request) -> Response:
    """POST /sign-in/provider: on to the provider that vouches for people, if it is there."""
    fields = await forms.fields_of(request) if is_own_page(request) else None
    return await run_in_threadpool(_old_form if fields is None else _set_out, request, fields or {})


def enter(request: Request) -> Response:
    """GET /enter?link=...: a one-time link, used by a person and by nothing that looks ahead for them."""
    link, language = request.query_params.get("link", "")[:MAX_LINK_CHARS], language_of(request)
    if is_ahead_of_time(request):
        return Response(status_code=403)
    if is_other_site(request):
        nonce = secrets.token_urlsafe(16)
        return _html(confirm_page(language, link=link, nonce=nonce), 200, nonce)
    try:
        token = resources().sessions.enter(link, address=address_of(request))
    except SignInRefused:
        return _refused(request, 403, say_in(language, "This link was used already, or it ran out. Ask for a new one."))
    except SignInThrottled as error:
        return _throttled(request, language, error)
    except StoreUnavailable:
        return _refused(request, 503, _down(language))
    return _seated(request, token, provider_cookies.target_of(request.cookies, link))


def _set_out(request: Request, fields: Mapping[str, str]) -> Response:
    provider = resources().provider
    if provider is None:
        return _refused(request, 404, "", fields=fields)
    if provider.is_away():
        return _refused(request, 503, _away(_asked(request, fields), provider.name), fields=fields)
    response = _on_to(f"/?{provider_cookies.STEP}={provider_cookies.TO_PROVIDER}")
    provider_cookies.forget_word(request, response)
    _keep(
        response,
        provider_cookies.COOKIE,
        provider_cookies.begun(forms.target_of(fields.get("next", ""))),
        max_age_s=provider_cookies.LIVES_S,
        path="/",
    )
    return response


def _sign_in(request: Request, fields: Mapping[str, str]) -> Response:
    form, language = fields.get(forms.FIELD, ""), _asked(request, fields)
    name, target = fields.get("name", ""), forms.target_of(fields.get("next", ""))
    try:
        if not (forms.is_ours(form, request.cookies.get(forms.COOKIE)) and resources().sessions.take_form(form)):
            return _old_form(request, fields)
        token = resources().sessions.sign_in(name, fields.get("password", ""), address=address_of(request))
    except SignInRefused:
        return _refused(request, 403, say_in(language, "The name or the password is not right."), fields=fields)
    except SignInThrottled as error:
        return _throttled(request, language, error, fields)
    except StoreUnavailable:
        return _refused(request, 503, _down(language), fields=fields)
    return _seated(request, token, target)


def _asked(request: Request, fields: Mapping[str, str]) -> Language:
    asked = fields.get("lang", "")
    return Language(asked) if asked in set(Language) else language_of(request)


def _down(language: Language) -> str:
    return say_in(
        language, "The database does not answer, so nobody can sign in now. Who is signed in already may go on."
    )


def _away(language: Language, name: str) -> str:
    return say_in(
        language, "{provider} does not answer. Try again soon, or sign in with a name and a password.", provider=name
    )


def _old_form(request: Request, fields: Mapping[str, str], *, status: int = 403) -> Response:
    words = say_in(
        _asked(request, fields), "This form was sent before, is too old, or came from elsewhere. Send it again."
    )
    return _refused(request, status, words, fields=fields)


def _throttled(
    request: Request, language: Language, error: SignInThrottled, fields: Mapping[str, str] | None = None
) -> Response:
    words = say_in(language, "Too many attempts. Try again in {wait} s.", wait=error.wait_s)
    response = _refused(request, 429, words, fields=fields)
    response.headers["retry-after"] = str(error.wait_s)
    return response


def _refused(
    request: Request, status: int, message: str, *, target: str = "/", fields: Mapping[str, str] | None = None
) -> Response:
    """The form, anew: with a token of its own, and what was typed but the password."""
    sent, nonce = fields or {}, secrets.token_urlsafe(16)
    provider = resources().provider
    look = Look(
        language=_asked(request, sent),
        form=forms.new_form(),
        target=forms.target_of(sent.get("next", target)),
        message=message,
        name=sent.get("name", "")[:60],
        provider=provider.name if provider else "",
    )
    response = _html(sign_in_page(look, nonce=nonce), status, nonce)
    provider_cookies.forget_word(request, response)
    _keep(response, forms.COOKIE, look.form, max_age_s=forms.LIVES_S, path="/sign-in")
    return response


def _seated(request: Request, token: str, target: str) -> Response:
    """On to the console, with the new session's cookie; a session that was there before ends."""
    before, settings = request.cookies.get(seats.COOKIE), resources().settings.sign_in
    if before:
        # The new session stands by now: its cookie must get through also when the database went away since.
        with suppress(StoreUnavailable):
            resources().sessions.sign_out(before)
        resources().seats.forget(before)
    response = _on_to(target)
    _keep(response, seats.COOKIE, token, max_age_s=settings.session_s, path="/")
    response.delete_cookie(forms.COOKIE, path="/sign-in")
    provider_cookies.end(request, response)
    return response


def _keep(response: Response, name: str, value: str, *, max_age_s: int, path: str) -> None:
    """Have the browser keep a cookie that no script reads and no other site sends."""
    secure = resources().settings.sign_in.is_https
    response.set_cookie(name, value, max_age_s, path=path, secure=secure, httponly=True, samesite="strict")


def _on_to(target: str) -> Response:
    return RedirectResponse(target, status_code=303, headers={"cache-control": "no-store"})


def _html(page: str, status: int, nonce: str) -> Response:
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    headers = {
        "content-security-policy": policy,
        "cache-control": "no-store",
        # Not none at all: a form sent without its origin could not be told from a foreign one.
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
    }
    return HTMLResponse(page, status, headers)
