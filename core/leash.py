"""Executed as a script: ties itself to the life of its parent, drops root where asked, then becomes the command.

`python -I -S leash.py PARENT_PID UID:GID COMMAND...`; UID:GID is `-` to stay who we are.
It is not Popen's `preexec_fn`, which is unsafe in a process with threads, and stands alone, because it must start fast.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent_pid: str, owner: str, *command: str) -> None:
    """Become the command.

    Raises:
        OSError: the command cannot be executed.
    """
    if owner != "-":
        uid, gid = (int(part) for part in owner.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After the change of user: that change would reset it.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent_pid):
        sys.exit("the supervisor is gone already")
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(*sys.argv[1:])
