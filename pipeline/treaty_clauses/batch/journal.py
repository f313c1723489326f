"""What a run tells: a log of JSON lines for machines, progress for people."""

import json
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from treaty_clauses.batch.counts import Counts

_PLAIN_SECONDS = 30.0  # between two lines of progress where there is no terminal


class JsonJournal:
    """Writes one line of JSON for every event: its time (UTC), its name, its fields. Safe to call from several threads."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def __call__(self, name: str, fields: Mapping[str, Any]) -> None:
        """Write an event."""
        line = json.dumps(
            {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": name, **fields}, default=str
        )
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()


class ProgressDisplay:
    """Articles and characters a second and the time that is left: a bar on a terminal, else a line now and then.

    The time that is left is that for the rest of the local sources' bytes; there is none where a source is on the web.
    """

    def __init__(self, console: Console, total_bytes: int) -> None:
        self._console = console
        self._total = total_bytes
        self._began = self._told = time.monotonic()
        self._bar: Progress | None = None
        if console.is_terminal:
            columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            self._bar = Progress(*columns, console=console, transient=True)
            self._task = self._bar.add_task("starting", total=total_bytes or None)
            self._bar.start()

    def __call__(self, counts: Counts) -> None:
        """Show the counts."""
        now = time.monotonic()
        if self._bar is not None:
            self._bar.update(self._task, completed=counts.read_bytes, description=self.line(counts, now))
        elif now - self._told >= _PLAIN_SECONDS:
            self._told = now
            self._console.print(self.line(counts, now))

    def line(self, counts: Counts, now: float) -> str:
        """The counts as one line."""
        seconds = max(now - self._began, 1e-3)
        parts = [
            f"{counts.articles:,} articles ({counts.articles / seconds:.1f}/s)",
            f"{counts.characters / seconds:,.0f} characters/s",
        ]
        if counts.lost:
            parts.append(f"{sum(counts.lost.values()):,} lost")
        share = min(counts.read_bytes / self._total, 1.0) if self._total else 0.0
        new_bytes = counts.read_bytes - counts.skipped_bytes  # what an earlier run did says nothing of this one's speed
        if share and new_bytes:
            left = seconds * max(self._total - counts.read_bytes, 0) / new_bytes
            parts.append(f"{share:.0%}, {int(left // 3600)}:{int(left // 60) % 60:02}:{int(left) % 60:02} left")
        return ", ".join(parts)

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
