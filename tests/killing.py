"""A run that is killed again and again: for the tests, and for `benchmarks/batch.py`."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from batching import everything, rows
from standin import make_text
from treaty_clauses.store import Store

HERE = Path(__file__).parent


def importable_places() -> str:
    """PYTHONPATH by which processes find the tests' own modules and the package."""
    places = [str(HERE), str(HERE.parent / "pipeline"), os.environ.get("PYTHONPATH", "")]
    return os.pathsep.join(place for place in places if place)


def program(**arguments: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, str(HERE / "batch_program.py"), json.dumps(arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def write_news(folder: Path, count: int) -> list[str]:
    """Articles as rows and as files, with some that fail, some in two places and some near-duplicates."""
    (folder / "files").mkdir()
    lines = []
    for number in range(count):
        text = make_text(number if number % 10 else number // 20, sentences=6)
        if number % 97 == 5:
            text += "RAISE"
        if number % 89 == 4:
            text = ""
        if number % 31 == 3:
            text = f"（本報訊）{make_text(number - 1, sentences=6)}"
        if number % 8 == 0:
            (folder / "files" / f"{number:05}.txt").write_text(text, encoding="utf-8")
        else:
            lines.append(json.dumps({"text": text, "id": str(number)}))
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
    return [str(folder / "rows.jsonl"), str(folder / "files")]


def kill_until(kills: int, sources: list[str], store: Path, *, rng: random.Random, seconds: float) -> tuple[int, float]:
    """Start and kill a run so many times, then let one end; returns how many were killed and the seconds it took."""
    killed = 0
    began = time.monotonic()
    while True:
        run = program(sources=sources, store=str(store), seconds=seconds, options={"batch_articles": 16})
        assert run.stdout is not None
        if killed < kills:
            events = rng.randrange(7)  # with none it is killed while it starts, else after some commits at most
            for _ in range(events):
                if not run.stdout.readline():
                    break
            time.sleep(rng.uniform(0, 0.15 if events else 2.0))
            killed += run.poll() is None
            run.kill()
            run.stdout.close()
            run.wait()
            continue
        with run.stdout:
            assert '"run_ended"' in run.stdout.read()
        assert run.wait() == 0
        return killed, time.monotonic() - began


def compare_killed(folder: Path, *, articles: int, kills: int, seconds: float) -> dict[str, Any]:
    """Compare the store of runs that were killed with that of one that was not, row for row; returns figures."""
    sources = write_news(folder, articles)
    whole, killed = folder / "whole.duckdb", folder / "killed.duckdb"
    run = program(sources=sources, store=str(whole))
    assert run.stdout is not None
    with run.stdout:
        run.stdout.read()
    assert run.wait() == 0
    count, elapsed = kill_until(kills, sources, killed, rng=random.Random(7), seconds=seconds)
    with Store(whole, read_only=True) as one, Store(killed, read_only=True) as other:
        tables = everything(one)
        assert tables == everything(other)
        runs = rows(other, "SELECT count(*) AS n, count(ended_at) AS ended FROM runs")[0]
        assert runs["ended"] < runs["n"]
        totals = rows(other, "SELECT count(*) AS articles FROM articles")[0]
        lost = {
            row["fault"]: row["items"]
            for row in rows(other, "SELECT fault, CAST(sum(items) AS BIGINT) AS items FROM faults GROUP BY 1")
        }
        sightings = rows(other, "SELECT count(*) AS n FROM sightings")[0]["n"]
        assert sightings + sum(lost.values()) == articles
    total = sum(map(len, tables.values()))
    return {
        "kills": count,
        "runs": runs["n"],
        **totals,
        "rows": total,
        "tables": len(tables),
        "lost": lost,
        "seconds": elapsed,
    }
