"""All matching rows of the audit log → a file; the log itself notes who took them."""

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from core.access import Capability, Person
from core.storage.audit_log import AuditEntry, AuditLog, LogQuery
from dashboard.data.table_file import Format, table_file

_TEXT = pa.string()
SCHEMA = pa.schema(
    [
        ("at", pa.timestamp("us", tz="UTC")),
        *((name, _TEXT) for name in ("user_id", "name", "role", "act", "subject", "detail")),
    ]
)


def save(log: AuditLog, person: Person, query: LogQuery, path: Path, *, file_format: Format) -> int:
    """Write every matching row, newest first.

    Guarantee, as AuditLog.take: when this returns, the log says who took what.

    Returns:
        How many rows.

    Raises:
        Forbidden: the person may not see the log, or may not export; there is no file then.
        StoreUnavailable: the database went away meanwhile; the file is worth nothing.
    """
    for needed in (Capability.SEE_AUDIT_LOG, Capability.EXPORT):
        person.require(needed)
    with table_file(path, SCHEMA, file_format) as file:
        return log.take(person, query, file_format, lambda entries: file.add([_row(entry) for entry in entries]))


def _row(entry: AuditEntry) -> Sequence[object]:
    detail = json.dumps(entry.detail, ensure_ascii=False) if entry.detail else ""
    return [entry.at, entry.user_id, entry.name, entry.role, entry.act.value, entry.subject, detail]
