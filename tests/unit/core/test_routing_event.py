"""What a receiver believes: a body signed with the secret, lately."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.routing import Alert
from core.routing_event import SIGNATURE, TIMESTAMP, AlertRouted, RoutedKind, headers, is_genuine
from tests.fixtures.stores import NOON, make_alert

SECRET = "whsec_made-up"
BODY = b'{"schema": "clipwarden.alert.v1"}'


def signed() -> dict[str, str]:
    return headers(SECRET, BODY, delivery_id=uuid4(), now=NOON)


def test_what_was_signed_is_genuine_within_the_replay_window_only() -> None:
    assert is_genuine(SECRET, BODY, fields=signed(), now=NOON + timedelta(seconds=299))
    assert not is_genuine(SECRET, BODY, fields=signed(), now=NOON + timedelta(seconds=301))
    assert not is_genuine(SECRET, BODY, fields=signed(), now=NOON - timedelta(seconds=301))


def test_another_secret_body_or_time_is_not_genuine() -> None:
    moved = {**signed(), TIMESTAMP: str(int(NOON.timestamp()) + 1)}

    assert not is_genuine("whsec_other", BODY, fields=signed(), now=NOON)
    assert not is_genuine(SECRET, BODY + b" ", fields=signed(), now=NOON)
    assert not is_genuine(SECRET, BODY, fields=moved, now=NOON)


@given(st.text(), st.text())
def test_nonsense_is_refused_without_an_error(timestamp: str, signature: str) -> None:
    assert not is_genuine(SECRET, BODY, fields={TIMESTAMP: timestamp, SIGNATURE: signature}, now=NOON)


@pytest.mark.parametrize("caption", [None, "xin chào"])
def test_the_body_holds_no_caption_unless_it_is_given_one(caption: str | None) -> None:
    alert = Alert.model_validate(make_alert(caption="a secret caption"), from_attributes=True)
    routed = AlertRouted(delivery_id=uuid4(), kind=RoutedKind.ALERT, link="http://a/live", alert=alert, caption=caption)

    body = json.loads(routed.to_bytes())

    assert body["schema"] == "clipwarden.alert.v1"
    assert body["caption"] == caption
    assert "a secret caption" not in routed.to_bytes().decode()
    assert AlertRouted.model_validate_json(routed.to_bytes()) == routed
