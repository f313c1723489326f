"""Speed of the two backends beside the stock way, on the same articles in one run; writes `benchmarks/README.md`.

usage: python benchmarks/speed.py [--articles 200] [--repeats 3] [--longest 1000000] [--model models/tagger]
       [--output benchmarks]

Every reader runs in a process of its own, one after the other. Ours and jieba read all articles `repeats` times; torch and the
stock pipelines, which are slow, read each article once, in three parts. The default takes about seven minutes on two cores.
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_CHILD = ROOT / "benchmarks" / "speed_readers.py"
_BEGIN, _END = "<!-- speed.py writes from here -->", "<!-- to here -->"
_READERS = {
    "fast": "this package, fast backend",
    "torch": "this package, torch backend",
    "bert-base": "stock pipeline, BERT-base (12 layers, 768 wide)",
    "bert-4x312": "stock pipeline, 4 layers, 312 wide",
    "jieba": "jieba alone (no extraction)",
}
_PARTS = 3
_COLD_STARTS = 5
_SHORT = "甲國與乙國同意停火九十天，並在十日內撤出一萬二千名士兵。"
_LENGTHS = (200, 4000)  # characters of the articles


@dataclass(frozen=True, slots=True)
class Row:
    """One reader: characters/s of each run, CPU seconds a million characters, memory, and seconds to load."""

    name: str
    rates: list[float]
    cpu: float
    peak_mib: float
    load: float

    @property
    def rate(self) -> float:
        """Median characters/s."""
        return statistics.median(self.rates)


def main() -> int:
    """Measure everything and write table and picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--longest", type=int, default=1_000_000)
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "tagger")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks")
    options = parser.parse_args()
    began = time.monotonic()
    texts = choose_texts(options.articles)
    common = {"model": str(options.model.resolve()), "texts": texts, "repeats": options.repeats}
    rows = []
    for name in _READERS:
        asked = common if name in ("fast", "jieba") else {**common, "parts": _PARTS}
        rows.append(_row(name, _run(name, asked)))
        _say(f"{name}: {rows[-1].rate:,.0f} characters/s")
    found: dict[str, Any] = {name: _run(name, common) for name in ("peak", "encoder", "stages")}
    sizes = [10**power for power in range(3, 7) if 10**power <= options.longest]
    found["growth"] = _run("growth", {**common, "sizes": sizes})
    found["cold"] = [_cold_start(options.model) for _ in range(_COLD_STARTS)]
    minutes = (time.monotonic() - began) / 60
    text = _report(rows, found, texts, f"{minutes:.1f} minutes", options.model)
    sys.stdout.write(text)
    options.output.mkdir(parents=True, exist_ok=True)
    _write(options.output / "README.md", text)
    draw(rows, found["growth"]["rows"], options.output / "speed.svg")
    return 0


def choose_texts(count: int) -> list[str]:
    """So many articles of `corpus/written`, evenly spread over those of the lengths in _LENGTHS."""
    paths = sorted((ROOT / "corpus" / "written").glob("*.txt"))
    texts = [text for path in paths if _LENGTHS[0] <= len(text := path.read_text(encoding="utf-8")) <= _LENGTHS[1]]
    return [texts[number * len(texts) // count] for number in range(min(count, len(texts)))]


def _run(name: str, asked: dict[str, Any]) -> dict[str, Any]:
    _say(f"measuring {name}")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(
        [sys.executable, str(_CHILD), name], input=json.dumps(asked), stdout=subprocess.PIPE, text=True, check=True,
        env=environment,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _row(name: str, found: dict[str, Any]) -> Row:
    runs = found["runs"]
    characters = sum(run["characters"] for run in runs)
    return Row(
        name=name,
        rates=[run["characters"] / run["seconds"] for run in runs],
        cpu=sum(run["cpu"] for run in runs) / characters * 1e6,
        peak_mib=found["peak_mib"],
        load=found["load"],
    )


def _cold_start(model: Path) -> dict[str, float]:
    """From the start of the command to its first record, on a short article: seconds, CPU seconds, peak memory."""
    command = [sys.executable, "-c", "from treaty_clauses.cli import app; app()", "extract", "--format", "jsonl"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "article.txt"
        path.write_text(_SHORT, encoding="utf-8")
        began = time.perf_counter()
        process = subprocess.Popen(
            [*command, "--backend", "fast", "--model", str(model), str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        json.loads(process.stdout.readline())
        seconds = time.perf_counter() - began
        process.stdout.read()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024}


def exponent(rows: Sequence[dict[str, float]]) -> float:
    """Slope of log seconds over log characters, by least squares.

    >>> round(exponent([{"characters": 10**n, "seconds": 2e-5 * 10**n} for n in (3, 4, 5)]), 6)
    1.0
    """
    points = [(math.log(row["characters"]), math.log(row["seconds"])) for row in rows]
    x, y = (statistics.mean(values) for values in zip(*points, strict=True))
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def _report(rows: Sequence[Row], found: dict[str, Any], texts: Sequence[str], duration: str, model: Path) -> str:
    base = next(row.rate for row in rows if row.name == "bert-base")
    cold, growth = found["cold"], found["growth"]["rows"]
    encoder, peaks = found["encoder"], found["peak"]["peaks"]
    fastest, peak = max(peaks.items(), key=lambda item: item[1])
    speed = statistics.median(run["characters"] / run["seconds"] for run in encoder["runs"])
    used = speed * encoder["operations"]
    stages, characters = found["stages"]["stages"], found["stages"]["characters"]
    total = sum(stages.values())
    manifest = json.loads((model / "graphs.json").read_text(encoding="utf-8"))
    lines = [
        _BEGIN,
        f"`python benchmarks/speed.py`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {duration}: {len(texts)} articles of "
        f"`corpus/written`, {sum(map(len, texts)):,} characters, {min(map(len, texts))} to {max(map(len, texts))} each; "
        f"{_processor()}, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f} at the end; graphs in {manifest['precision']}.",
        "",
        "| reader | characters/s, median (lowest to highest run) | times BERT-base | CPU-s per million characters | peak MiB | load s |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        lines.append(
            f"| {_READERS[row.name]} | {row.rate:,.0f} ({min(row.rates):,.0f}-{max(row.rates):,.0f}) | {row.rate / base:.1f} | "
            f"{row.cpu:,.1f} | {row.peak_mib:,.0f} | {row.load:.2f} |"
        )
    lines += [
        "",
        "Random weights in the stock pipelines; they and torch read each article once, in three parts, the others all articles "
        "several times. From text to record for this package, to labelled spans for the stock pipelines.",
        "",
        f"**Cold start** (the `extract` command with the fast backend, from the start to the first record, {len(cold)} starts): "
        f"{statistics.median(one['seconds'] for one in cold):.2f} s "
        f"({min(one['seconds'] for one in cold):.2f}-{max(one['seconds'] for one in cold):.2f}), "
        f"{statistics.median(one['cpu'] for one in cold):.2f} CPU-s, {max(one['peak_mib'] for one in cold):.0f} MiB at most.",
        "",
        f"**Encoder alone**: {speed:,.0f} characters/s at {encoder['operations'] / 1e6:.1f} million operations a character is "
        f"{used / 1e9:,.0f} billion operations a second, {used / peak:.0%} of the measured peak of a {fastest} matrix product "
        f"({', '.join(f'{name} {value / 1e9:,.0f}' for name, value in peaks.items())}; torch).",
        "",
        "| stage | CPU-s per million characters | share |",
        "| --- | --- | --- |",
    ]
    for stage, seconds in sorted(stages.items(), key=lambda item: -item[1]):
        lines.append(f"| {stage} | {seconds / characters * 1e6:.1f} | {seconds / total:.1%} |")
    lines += [
        "",
        f"**One article of growing length**: time grows with the power {exponent(growth):.3f} of the length.",
        "",
        "| characters | seconds | characters/s | peak MiB so far |",
        "| --- | --- | --- | --- |",
    ]
    for row in growth:
        lines.append(
            f"| {row['characters']:,} | {row['seconds']:.3f} | {row['characters'] / row['seconds']:,.0f} | {row['peak_mib']:.0f} |"
        )
    lines += ["", "![speed](speed.svg)", _END, ""]
    return "\n".join(lines)


def _write(path: Path, text: str) -> None:
    """Put the report in its place in the README, or at its end."""
    old = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n\n"
    before, _, rest = old.partition(_BEGIN)
    path.write_text(before + text.rstrip("\n") + (rest.partition(_END)[2] or "\n"), encoding="utf-8")


def draw(rows: Sequence[Row], growth: Sequence[dict[str, float]], path: Path) -> None:
    """Characters/s of the readers, with their range, and seconds over length."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "treaty-clauses"
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    FigureCanvasSVG(figure)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    shown = rows[::-1]
    middles = [row.rate for row in shown]
    errors = [[row.rate - min(row.rates) for row in shown], [max(row.rates) - row.rate for row in shown]]
    left.barh([row.name for row in shown], middles, xerr=errors, color="#4477aa", error_kw={"capsize": 3})
    left.set_xscale("log")
    left.set_xlabel("characters/s, two cores")
    for number, rate in enumerate(middles):
        left.annotate(f"{rate:,.0f}", (rate, number), xytext=(6, 6), textcoords="offset points", fontsize=8)
    left.margins(x=0.15)
    right.loglog([row["characters"] for row in growth], [row["seconds"] for row in growth], "o-", color="#ee6677")
    right.set_xlabel("characters of one article")
    right.set_ylabel("seconds, fast backend")
    right.set_title(f"exponent {exponent(growth):.2f}", fontsize=9)
    figure.savefig(path, metadata={"Date": None})


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    flags = next((line for line in lines if line.startswith("flags")), "")
    name = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
    kinds = [kind for kind in ("amx_bf16", "avx512_bf16", "avx512_vnni", "avx2") if kind in flags]
    return f"{name.strip()} ({', '.join(kinds)})"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
