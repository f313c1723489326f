"""Batch processing: its overhead over the bare model, Ray, what kills do to it, and its memory.

usage: python benchmarks/batch.py [overhead] [ray] [kill] [memory] [--articles 48] [--rounds 3]

`overhead` and `ray` (the default) use the package's model and articles of corpus/written; `kill` and `memory` use the
quick extractor of the tests, for they measure everything but the model. Each prints one line for docs/operators.md.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
_PLACES = [str(_ROOT / "benchmarks"), str(_ROOT / "tests"), str(_ROOT / "pipeline")]
_MIB = 1024  # ru_maxrss is in KiB on Linux
_SIZES = (1_000, 10_000, 100_000)
_KILLS, _KILLED_ARTICLES = 20, 2_000


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(_PARTS))
    parser.add_argument("--articles", type=int, default=48, help="of corpus/written, for overhead and ray")
    parser.add_argument("--rounds", type=int, default=3, help="for overhead, whose medians are given")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(_CHILDREN[options.child](options)))
        return
    parts = options.parts or ["overhead", "ray"]
    if unknown := set(parts) - _PARTS.keys():
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(_PARTS)}")
    for part in parts:
        began = time.perf_counter()
        print(f"{part}: {_PARTS[part](options)} (measured in {time.perf_counter() - began:.0f} s)", flush=True)


def overhead(options: argparse.Namespace) -> str:
    """The same articles through the bare model and through a batch, each in fresh processes, by turns."""
    rates: dict[str, list[float]] = {"bare": [], "batch": []}
    chars = 0
    for _ in range(options.rounds):
        for kind in rates:
            row = _run(kind, options)
            rates[kind].append(row["chars"] / row["seconds"])
            chars = row["chars"]
    bare, batch = (statistics.median(rates[kind]) for kind in ("bare", "batch"))
    both = ", ".join(f"{kind} {min(rates[kind]):,.0f} to {max(rates[kind]):,.0f}" for kind in rates)
    return (
        f"{options.articles} articles, {chars:,} characters, model loaded before; the bare model reads {bare:,.0f} characters/s, "
        f"the batch {batch:,.0f}: overhead {bare / batch - 1:.1%} (medians of {options.rounds}; {both})"
    )


def ray(options: argparse.Namespace) -> str:
    """The same articles on Ray Data with one and with two workers, from the first request to the last answer."""
    rows = {workers: _run(f"ray{workers}", options) for workers in (1, 2)}
    told = ", ".join(
        f"{workers} worker{'s' * (workers > 1)} {row['chars'] / row['seconds']:,.0f} characters/s ({row['total']:.0f} s with "
        "starting and loading)"
        for workers, row in rows.items()
    )
    return f"{options.articles} articles, {os.cpu_count()} cores; {told}"


def kill(_: argparse.Namespace) -> str:
    """A run that is killed again and again, then compared with one that was not."""
    from killing import compare_killed

    with tempfile.TemporaryDirectory() as folder:
        row = compare_killed(Path(folder), articles=_KILLED_ARTICLES, kills=_KILLS, seconds=0.005)
    lost = ", ".join(f"{fault} {count}" for fault, count in sorted(row["lost"].items()))
    return (
        f"{row['kills']} SIGKILLs at random moments over {_KILLED_ARTICLES:,} items, then one run to the end: the store equals "
        f"the uninterrupted run's, {row['rows']:,} rows in {row['tables']} tables; {row['articles']:,} different articles; lost "
        f"{sum(row['lost'].values())} ({lost})"
    )


def memory(options: argparse.Namespace) -> str:
    """Peak memory of the run's process for more and more short articles."""
    told = []
    for size in _SIZES:
        options.articles = size
        row = _run("memory", options)
        rate = f"{size / row['seconds']:,.0f} articles/s"
        told.append(
            f"{size:,} articles {row['run_mib']:.0f} MiB (largest of its processes {row['child_mib']:.0f}; {rate})"
        )
    return "peak of the run's own process: " + ", ".join(told)


# What runs in a process of its own


def _bare(options: argparse.Namespace) -> dict[str, float]:
    from treaty_clauses.extract import AHEAD_CHARS, load
    from treaty_clauses.types import Article

    articles = [Article(path.stem, path.read_text(encoding="utf-8")) for path in _written(options.articles)]
    extractor = load()
    extractor.extract(articles[0].text)
    began = time.perf_counter()
    for _ in extractor.pipe(articles, ahead_chars=AHEAD_CHARS):
        pass
    return {"seconds": time.perf_counter() - began, "chars": sum(len(article.text) for article in articles)}


def _batch(options: argparse.Namespace) -> dict[str, float]:
    from treaty_clauses.batch.engines import ProcessExtraction, model_process
    from treaty_clauses.batch.session import run_batch
    from treaty_clauses.items import Limits
    from treaty_clauses.store import Store
    from treaty_clauses.types import Article

    extraction = ProcessExtraction(model_process(None), Limits())
    extraction.submit([Article("a", "甲國與乙國同意停火九十天。")])
    extraction.collect()
    sources = [str(path) for path in _written(options.articles)]
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "a.duckdb") as store:
        began = time.perf_counter()
        counts = run_batch(sources, store, extraction=extraction)
        return {"seconds": time.perf_counter() - began, "chars": counts.characters}


def _ray(options: argparse.Namespace, workers: int) -> dict[str, float]:
    from treaty_clauses.batch.cluster import ClusterConfig, run_on_ray
    from treaty_clauses.batch.worker import WorkerSpec
    from treaty_clauses.store import Store

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        times = folder / "times"
        (folder / "a.jsonl").write_text(
            "".join(
                json.dumps({"text": path.read_text(encoding="utf-8")}) + "\n" for path in _written(options.articles)
            )
        )
        spec = WorkerSpec("batch:timed_handler", {"times": str(times)})
        config = ClusterConfig(parts=folder / "parts", workers=workers, spec=spec)
        began = time.perf_counter()
        with Store(folder / "a.duckdb") as store:
            counts = run_on_ray([str(folder / "a.jsonl")], store, config)
        rows = [[float(cell) for cell in line.split()] for line in times.read_text().splitlines()]
        seconds = max(end for _, end in rows) - min(start for start, _ in rows)
        return {"seconds": seconds, "chars": counts.characters, "total": time.perf_counter() - began}


def timed_handler(*, times: str) -> Callable[[Any], list[dict[str, Any]]]:
    """What a worker on Ray does: extract, and note when each request began and ended."""
    from treaty_clauses.batch.handlers import extraction_handler

    handle = extraction_handler(model=None)

    def timed(request: Any) -> list[dict[str, Any]]:
        began = time.time()
        answer = handle(request)
        with Path(times).open("a") as stream:
            stream.write(f"{began} {time.time()}\n")
        return answer

    return timed


def _memory(options: argparse.Namespace) -> dict[str, float]:
    from standin import make_text
    from treaty_clauses.batch.engines import ProcessExtraction
    from treaty_clauses.batch.session import run_batch
    from treaty_clauses.batch.worker import WorkerSpec
    from treaty_clauses.items import Limits
    from treaty_clauses.store import Store

    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "a.jsonl"
        with source.open("w") as stream:
            for number in range(options.articles):
                stream.write(json.dumps({"text": make_text(number)}) + "\n")
        began = time.perf_counter()
        with Store(Path(name) / "a.duckdb") as store:
            extraction = ProcessExtraction(WorkerSpec("standin:handler", {}), Limits())
            counts = run_batch([str(source)], store, extraction=extraction)
        assert counts.articles == options.articles
        own, processes = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return {"seconds": time.perf_counter() - began, "run_mib": own / _MIB, "child_mib": processes / _MIB}


def _written(count: int) -> list[Path]:
    return sorted((_ROOT / "corpus" / "written").glob("*.txt"), key=lambda path: path.stem[::-1])[:count]


def _run(kind: str, options: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", kind, "--articles", str(options.articles)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        sys.exit(answer.stderr)
    row: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return row


_PARTS: dict[str, Callable[[argparse.Namespace], str]] = {
    "overhead": overhead,
    "ray": ray,
    "kill": kill,
    "memory": memory,
}
_CHILDREN: dict[str, Callable[[argparse.Namespace], dict[str, float]]] = {
    "bare": _bare,
    "batch": _batch,
    "ray1": lambda options: _ray(options, 1),
    "ray2": lambda options: _ray(options, 2),
    "memory": _memory,
}

if __name__ == "__main__":
    sys.path[:0] = _PLACES
    os.environ["PYTHONPATH"] = os.pathsep.join([*_PLACES, os.environ.get("PYTHONPATH", "")])
    main()
