"""A pool of connections to the one database, opened at the first call: what every store in it stands on."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool, PoolTimeout

from core.errors import StoreUnavailable
from core.settings import StoreSettings
from core.storage.migrate import readable

CONNECT_TIMEOUT_S = 2
WAIT_S = 3.0
"""How long a call waits for a connection before it says that the database is down."""

_UNAVAILABLE = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,  # a stand-by, until it is promoted
    psycopg.errors.UndefinedTable,  # the first migration has not run yet
)


class Database:
    """Connects at the first call and again by itself. Safe to share between threads.

    Args:
        settings: where it is, and how many connections.
        name: of the pool, in its threads and messages.

    Raises:
        ConfigError: the DSN cannot be read.
    """

    def __init__(self, settings: StoreSettings, name: str) -> None:
        dsn = readable(settings.dsn.get_secret_value())
        self._server = "{host}:{port}".format_map({"host": "the local server", "port": 5432, **conninfo_to_dict(dsn)})
        self._pool = ConnectionPool(
            dsn,
            min_size=0,
            max_size=settings.pool_max,
            open=False,
            timeout=WAIT_S,
            # Give up soon: the next call tries at once, instead of waiting out a back-off grown in a long outage.
            reconnect_timeout=1.0,
            check=ConnectionPool.check_connection,
            name=name,
            kwargs={
                "autocommit": True,
                "connect_timeout": CONNECT_TIMEOUT_S,
                # A host that vanished without a word: TCP would wait a quarter of an hour.
                "tcp_user_timeout": 10_000,
                # Named statements outlive the connection behind a pooler, and collide.
                "prepare_threshold": None,
            },
        )

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """A connection, each statement its own transaction.

        Raises:
            StoreUnavailable: none within WAIT_S, or it broke.
        """
        try:
            self._pool.open()
            with self._pool.connection() as connection:
                yield connection
        except PoolTimeout as error:
            # The pool keeps to itself why it could not connect; at least where it tried.
            raise StoreUnavailable(f"no connection to {self._server} within {WAIT_S:.0f} s") from error
        except _UNAVAILABLE as error:
            raise StoreUnavailable(str(error).strip() or type(error).__name__) from error

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection]:
        """A connection inside one transaction.

        Raises:
            StoreUnavailable: as `connection`; nothing was changed then, or, if the answer was lost, all of it.
        """
        with self.connection() as connection, connection.transaction():
            yield connection

    def close(self) -> None:
        """Let go of the pool."""
        self._pool.close()
