"""One decoder process as its parent sees it: started, asked, killed."""

import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
from numpy.typing import NDArray

from core.media.protocol import HEADER, Message, parse_length, parse_message, to_frame

# No secrets for a process that opens strangers' files; one thread and one heap, as the address space is limited.
# A path only because decord does not load without one.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1", "PATH": os.defpath}


class ProcessDiedError(Exception):
    """It ended, or speaks nonsense, before it answered."""


class ProcessSilentError(Exception):
    """It gave no answer within the limit."""


class DecoderProcess:
    """One decoder process: one request at a time."""

    def __init__(self, memory_limit_bytes: int) -> None:
        self.served = 0
        self._scratch = os.memfd_create("decoder-scratch")
        self._socket, theirs = socket.socketpair()
        arguments = (os.getpid(), memory_limit_bytes, self._scratch)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own module and numbers
                (sys.executable, "-m", "core.media.child", *map(str, arguments)),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                env=_ENVIRONMENT,
                pass_fds=(self._scratch,),
                # Ctrl-C in a terminal goes to its whole group; the flow still drains then.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def was_out_of_cpu(self) -> bool:
        """Whether it ended because it passed its CPU limit; known once it is closed."""
        return self._process.returncode == -signal.SIGXCPU

    def ask(self, request: Message | None, *, limit_s: float) -> Message:
        """Send a request, or none, and wait for one message."""
        deadline_s = time.monotonic() + limit_s
        try:
            if request is not None:
                self._socket.sendall(to_frame(request))
            length = parse_length(self._read(HEADER.size, deadline_s))
            answer = parse_message(self._read(length, deadline_s))
        except TimeoutError as error:
            raise ProcessSilentError(f"process {self.pid}") from error
        except (OSError, ValueError, TypeError) as error:
            raise ProcessDiedError(f"process {self.pid}: {error}") from error
        self.served += 1
        return answer

    def read_scratch(self, out: NDArray[np.uint8]) -> None:
        """Take over the clip that lies in the scratch file."""
        if os.preadv(self._scratch, [out.data], 0) != out.nbytes:
            raise ProcessDiedError(f"process {self.pid}: the clip is not whole")

    def kill(self) -> None:
        """End it; whoever waits for its answer learns of it."""
        self._process.kill()

    def close(self) -> None:
        """End it and let go of what it held: for its only user."""
        self._process.kill()
        self._process.wait()
        self._socket.close()
        os.close(self._scratch)

    def _read(self, nbytes: int, deadline_s: float) -> bytes:
        data = b""
        while len(data) < nbytes:
            # A timeout of 0 would mean "do not wait", which raises another error.
            self._socket.settimeout(max(deadline_s - time.monotonic(), 1e-3))
            chunk = self._socket.recv(nbytes - len(data))
            if not chunk:
                raise ConnectionError("it ended without an answer")
            data += chunk
        return data
