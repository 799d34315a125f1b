"""Whose connection on loopback is it: what the kernel says, for clients that cannot present a token."""

import os
import sys
from pathlib import Path

_TABLE = Path("/proc/net/tcp")
_LOCAL, _REMOTE, _UID = 1, 2, 7


def is_own(client: tuple[str, int], ours: tuple[str, int]) -> bool:
    """Whether a process of this user opened the connection from `client` to `ours`, both on IPv4 loopback."""
    ends = [_as_listed(client), _as_listed(ours)]
    rows = (line.split() for line in _TABLE.read_text(encoding="ascii").splitlines()[1:])
    return any(row[_LOCAL : _REMOTE + 1] == ends and int(row[_UID]) == os.geteuid() for row in rows)


def _as_listed(end: tuple[str, int]) -> str:
    host, port = end
    # The kernel prints the four bytes as one number in its own byte order.
    number = int.from_bytes(bytes(map(int, host.split("."))), sys.byteorder)
    return f"{number:08X}:{port:04X}"
