"""How often one may try to sign in: by name and by address, in the database, so that all consoles count together."""

import hashlib

import psycopg

from core.errors_console import SignInThrottled

FREE_OF_NAME = 5
FREE_OF_ADDRESS = 50
"""Attempts before the first wait; many people may share an address."""
FIRST_WAIT_S = 2
LONGEST_WAIT_S = 900
FORGOTTEN_AFTER_S = 3600

# The attempt is counted before it is made, under the row's lock: of many at once, each sees those before it.
_COUNT = """
INSERT INTO sign_in_waits AS waits (subject, failures, failed_at, waits_until)
VALUES (%(subject)s, 1, now(), now())
ON CONFLICT (subject) DO UPDATE SET
    failures = CASE WHEN waits.failed_at < now() - make_interval(secs => %(forgotten_s)s) THEN 1
                    ELSE waits.failures + 1 END,
    failed_at = clock_timestamp(),
    waits_until = clock_timestamp() + make_interval(secs => CASE
        WHEN waits.failures + 1 <= %(free)s OR waits.failed_at < now() - make_interval(secs => %(forgotten_s)s) THEN 0
        ELSE least(%(longest_s)s, %(first_s)s * power(2, least(waits.failures - %(free)s, 20))) END)
WHERE waits.waits_until <= clock_timestamp()
RETURNING 1
"""
_LEFT = "SELECT ceil(extract(epoch FROM waits_until - clock_timestamp()))::int FROM sign_in_waits WHERE subject = %s"
_FORGET = "DELETE FROM sign_in_waits WHERE subject = %s"
_TAKE_BACK = "UPDATE sign_in_waits SET failures = greatest(failures - 1, 0), waits_until = now() WHERE subject = %s"


def count_attempt(connection: psycopg.Connection, name: str, address: str) -> None:
    """Count an attempt that is about to be made; call it in a transaction of its own.

    Raises:
        SignInThrottled: too many failed for this name or from this address; nothing is counted then.
    """
    # Always the name first: two attempts never wait for each other crosswise.
    for subject, free in ((_name(name), FREE_OF_NAME), (_address(address), FREE_OF_ADDRESS)):
        values = {"free": free, "first_s": FIRST_WAIT_S, "longest_s": LONGEST_WAIT_S, "forgotten_s": FORGOTTEN_AFTER_S}
        if connection.execute(_COUNT, {"subject": subject, **values}).fetchone() is None:
            left = connection.execute(_LEFT, (subject,)).fetchone()
            wait_s = max(1, int(left[0]) if left else 1)
            raise SignInThrottled("too many attempts; try again in {wait_s} s", wait_s=wait_s)


def forgive(connection: psycopg.Connection, name: str, address: str) -> None:
    """The attempt succeeded: the name starts anew, the address has one attempt less."""
    connection.execute(_FORGET, (_name(name),))
    connection.execute(_TAKE_BACK, (_address(address),))


def _name(name: str) -> str:
    return "name:" + hashlib.sha256(name.encode(errors="replace")).hexdigest()


def _address(address: str) -> str:
    return "address:" + hashlib.sha256(address.encode(errors="replace")).hexdigest()
