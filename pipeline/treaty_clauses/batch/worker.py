"""A process that answers requests: when one takes too long, or kills it, the process is replaced and the run goes on."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from treaty_clauses.batch.serve import read_frame, write_frame
from treaty_clauses.errors import ModelError, TreatyClausesError

#: A model on a slow disk takes a while to load; beyond this something else is wrong.
_START_SECONDS = 600.0


class Late(Exception):  # noqa: N818 - what happened, to be caught by name
    """The process did not answer within the time limit."""


class Died(Exception):  # noqa: N818
    """The process ended in the middle of a request."""


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What a process does: "module:function" and the arguments to make its handler with; see `serve`."""

    target: str
    arguments: Mapping[str, Any]


class Worker:
    """One such process. `submit` and `collect` go in pairs; one request may be on its way while another is worked on."""

    def __init__(self, spec: WorkerSpec) -> None:
        self._spec = spec
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.Queue[Any] = queue.Queue()

    def start(self) -> None:
        """Start the process and wait until it is ready; does nothing when it runs.

        Raises:
            ModelError: It cannot start; the message is its own.
        """
        if self._process is not None:
            return
        command = [
            sys.executable,
            "-c",
            "from treaty_clauses.batch.serve import main; main()",
            self._spec.target,
            json.dumps(dict(self._spec.arguments)),
        ]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,  # a terminal's Ctrl-C is for the parent, which decides when to stop
        )
        self._answers = queue.Queue()
        threading.Thread(target=_listen, args=(self._process.stdout, self._answers), daemon=True).start()
        try:
            answer = self._next(_START_SECONDS)
        except (Late, Died) as error:
            self.kill()
            raise ModelError(f"{self._spec.target}: the process did not start; what it said is above") from error
        if "refused" in answer:
            self.kill()
            raise ModelError(str(answer["refused"]))

    def submit(self, request: Any) -> None:
        """Send a request; starts the process if need be."""
        self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(OSError):  # it has died; `collect` says so
            write_frame(self._process.stdin, request)

    def collect(self, *, limit_seconds: float) -> Any:
        """The answer to the earliest request without one.

        Raises:
            Late: There is none within the limit; the process is killed.
            Died: The process ended; it starts again with the next request.
            TreatyClausesError: The handler raised, which it should not.
        """
        try:
            answer = self._next(limit_seconds)
        except (Late, Died):
            self.kill()
            raise
        if "error" in answer:
            raise TreatyClausesError(f"{self._spec.target}: {answer['error']}")
        return answer["answer"]

    def _next(self, limit_seconds: float) -> Any:
        try:
            answer = self._answers.get(timeout=limit_seconds)
        except queue.Empty:
            raise Late from None
        if answer is None:
            raise Died
        return answer

    def kill(self) -> None:
        """End the process at once."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(OSError):  # what was not sent is not needed
                        stream.close()


def _listen(stream: Any, answers: "queue.Queue[Any]") -> None:
    try:
        while True:
            answers.put(read_frame(stream))
    except (EOFError, OSError, ValueError):
        answers.put(None)
