"""The other side of `Worker`: a process started with TARGET and ARGUMENTS answers requests on its pipes.

TARGET is "module:function"; the function takes ARGUMENTS (a JSON object) and gives one that answers a request. Both come
from the parent's own command line, never from an article. What the libraries print goes to stderr.
"""

import importlib
import json
import os
import queue
import signal
import sys
import threading
from typing import IO, Any

from treaty_clauses.errors import TreatyClausesError

_SIZE_BYTES = 8


def write_frame(stream: IO[bytes], message: Any) -> None:
    """Write a message: its length, then JSON."""
    data = json.dumps(message).encode("ascii")
    stream.write(len(data).to_bytes(_SIZE_BYTES, "big") + data)
    stream.flush()


def read_frame(stream: IO[bytes]) -> Any:
    """Read a message.

    Raises:
        EOFError: The other side has gone.
    """
    head = stream.read(_SIZE_BYTES)
    data = stream.read(int.from_bytes(head, "big")) if len(head) == _SIZE_BYTES else b""
    if len(head) < _SIZE_BYTES or len(data) < int.from_bytes(head, "big"):
        raise EOFError("the other side has gone")
    return json.loads(data)


def serve(target: str, arguments: dict[str, Any]) -> None:
    """Answer requests until the parent has gone; when it goes, even in the middle of one, this process ends at once."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_listen, args=(os.fdopen(os.dup(0), "rb"), requests), daemon=True).start()
    module, _, function = target.partition(":")
    try:
        handle = getattr(importlib.import_module(module), function)(**arguments)
    except TreatyClausesError as error:
        write_frame(answers, {"refused": str(error)})
        return
    write_frame(answers, {"ready": True})
    while True:
        request = requests.get()
        try:
            answer = {"answer": handle(request)}
        except Exception as error:  # the parent decides what to make of it
            answer = {"error": f"{type(error).__name__}: {error}"}
        write_frame(answers, answer)


def _listen(stream: IO[bytes], requests: "queue.Queue[Any]") -> None:
    try:
        while True:
            requests.put(read_frame(stream))
    except (EOFError, OSError):
        os._exit(0)


def main() -> None:
    """Serve what the command line says."""
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # sent to all of a service's processes; the parent decides when to stop
        signal.signal(number, signal.SIG_IGN)
    serve(sys.argv[1], json.loads(sys.argv[2]))
