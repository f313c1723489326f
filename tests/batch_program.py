"""A run as a program of its own, for tests that kill it: real store, real runner, quick extractor in its own process.

Prints a line for each event. Arguments: a JSON object of `sources`, `store`, `seconds`, `seen`, and limits.
"""

import json
import sys
import threading
from typing import Any

from treaty_clauses.batch.engines import ProcessExtraction
from treaty_clauses.batch.journal import JsonJournal
from treaty_clauses.batch.runner import BatchOptions
from treaty_clauses.batch.session import BatchConfig, run_batch
from treaty_clauses.batch.worker import WorkerSpec
from treaty_clauses.cli_batch import _stopping
from treaty_clauses.feeds import FetchOptions
from treaty_clauses.items import Limits
from treaty_clauses.store import Store


def main(arguments: dict[str, Any]) -> int:
    limits = Limits(max_seconds=arguments.get("max_seconds", 60.0))
    spec = WorkerSpec("standin:handler", {"seconds": arguments.get("seconds", 0.0), "seen": arguments.get("seen")})
    config = BatchConfig(
        limits=limits,
        fetch=FetchOptions(allow_private=True, delay_seconds=0.0),
        options=BatchOptions(**arguments.get("options", {})),
    )
    with _stopping() as stop, Store(arguments["store"]) as store:
        run_batch(
            arguments["sources"],
            store,
            config,
            extraction=ProcessExtraction(spec, limits),
            stop=stop.event,
            journal=JsonJournal(sys.stdout),
        )
    assert threading.active_count() >= 1
    return 128 + stop.signal if stop.signal else 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
