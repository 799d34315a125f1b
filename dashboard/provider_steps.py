"""The looks at the console between the sign-in page and a session, for who signs in with a provider: out and back."""

from urllib.parse import urlencode

import streamlit as st

from core.errors import StoreUnavailable
from core.errors_console import VouchRefused
from dashboard import provider_cookies
from dashboard.provider import Provider
from dashboard.resources import resources
from dashboard.vouching import Why

_LED = "way-led"


def leads_to() -> str | None:
    """Where somebody without a session goes who comes from a provider; None: to the sign-in page, as everybody else.

    What Streamlit knows of the provider's word counts only for who has set out from our sign-in page lately.
    """
    provider, cookies = resources().provider, st.context.cookies
    if provider is None or provider_cookies.COOKIE not in cookies:
        return None
    if _LED not in st.session_state:
        # A page may be drawn twice before the browser leaves it, and the provider's word counts once.
        st.session_state[_LED] = _address(provider, provider_cookies.target_of(cookies))
    led: str = st.session_state[_LED]
    return led


def is_leaving() -> bool:
    """Whether this look is the one that goes on to the provider; it does so, and there is nothing else to draw."""
    if resources().provider is None or st.query_params.get(provider_cookies.STEP) != provider_cookies.TO_PROVIDER:
        return False
    if provider_cookies.COOKIE not in st.context.cookies:
        return False
    st.login()
    return True


def _address(provider: Provider, target: str) -> str:
    claims = st.user.to_dict()
    if claims.get("is_logged_in") is not True:
        # Nobody in particular: they gave up on the way, or Streamlit refused what the provider sent. It has logged why.
        return _refused(Why.UNPROVEN, target)
    try:
        return "/enter?" + urlencode({"link": provider.admit(claims, address=st.context.ip_address or "")})
    except VouchRefused as refusal:
        return _refused(refusal.why, target)
    except StoreUnavailable:
        return _refused(Why.OUTAGE, target)


def _refused(why: str, target: str) -> str:
    return "/sign-in?" + urlencode({"why": why, "next": target})
