"""Why a statement of the SQL box gave no rows; the tree is drawn in `core.errors`."""

from core.errors import PlatformError


class QueryError(PlatformError):
    """This statement is at fault: its author is told, and nothing was changed."""

    code = "query.error"


class QueryRefused(QueryError):
    """The statement is not one plain read, or reads outside of the reporting schema; it was not run."""

    code = "query.refused"


class QueryFailed(QueryError):
    """The database does not take the statement."""

    code = "query.failed"


class QueryStopped(QueryError):
    """The statement took too long or too much, or was cancelled."""

    code = "query.stopped"
