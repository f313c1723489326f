"""Runs in processes of their own: what hangs, crashes, is stopped and is killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from batching import everything, faults, rows
from killing import compare_killed, importable_places, program, write_news
from standin import make_text
from treaty_clauses.batch.engines import ProcessExtraction, ProcessReading
from treaty_clauses.batch.worker import Died, Late, Worker, WorkerSpec
from treaty_clauses.errors import ModelError, TreatyClausesError
from treaty_clauses.items import Fault, Form, Found, Item, Limits, Lost, Problem
from treaty_clauses.store import Store
from treaty_clauses.types import Article, ArticleRecord


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that a test starts find the tests' own modules and the package."""
    monkeypatch.setenv("PYTHONPATH", importable_places())


def article(number: int, word: str = "") -> Article:
    return Article(f"a{number}", make_text(number) + word)


def extraction(seconds: float = 20.0) -> ProcessExtraction:
    return ProcessExtraction(WorkerSpec("standin:handler", {}), Limits(max_seconds=seconds))


def test_one_article_that_hangs_raises_or_crashes_costs_no_other() -> None:
    engine = extraction(seconds=4.0)
    engine.submit([article(1), article(2, "RAISE"), article(3, "CRASH")])
    engine.submit([article(4), article(5, "HANG")])
    engine.submit([article(6)])
    try:
        results = [result for _ in range(3) for result in engine.collect()]
    finally:
        engine.close()
    kinds = [result.fault if isinstance(result, Problem) else None for result in results]
    assert kinds == [None, Fault.EXTRACTION, Fault.CRASH, None, Fault.TIMEOUT, None]
    assert "took more than 4 s; see --max-seconds" in getattr(results[4], "message", "")


def test_a_process_that_always_crashes_ends_the_run_instead_of_losing_all_articles() -> None:
    engine = extraction()
    try:
        for number in range(4):
            engine.submit([article(number, "CRASH")])
            assert isinstance(engine.collect()[0], Problem)
        engine.submit([article(5, "CRASH")])
        with pytest.raises(ModelError, match="5 articles in a row ended the extraction process"):
            engine.collect()
    finally:
        engine.close()


def test_what_comes_out_of_the_process_is_what_went_in() -> None:
    strange = Article("a", "停\ud800火\0" + make_text(3), title="題", url="http://x.test/")
    engine = extraction()
    engine.submit([strange])
    try:
        (record,) = engine.collect()
    finally:
        engine.close()
    assert isinstance(record, ArticleRecord)
    assert (record.article.id, record.article.title) == ("a", "題")


def test_reading_in_a_process_is_the_same_reading() -> None:
    reading = ProcessReading(Limits(max_chars=500))
    try:
        found = reading.read(Item("0" * 32, "s", "a.txt", Form.TEXT, make_text(1).encode("big5")))
        lost = reading.read(Item("1" * 32, "s", "b.txt", Form.TEXT, b"x" * 501))
    finally:
        reading.close()
    assert isinstance(found, Found)
    assert (found.article.text, found.encoding) == (make_text(1), "big5")
    assert isinstance(lost, Lost)
    assert lost.problem.fault is Fault.TOO_LONG


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ("standin:nothing", ModelError, "did not start"),
        ("treaty_clauses.batch.handlers:extraction_handler", ModelError, "/nowhere"),
    ],
)
def test_a_process_that_cannot_start_says_why(target: str, error: type[Exception], message: str) -> None:
    arguments = {"model": "/nowhere"} if "extraction" in target else {}
    with pytest.raises(error, match=message):
        Worker(WorkerSpec(target, arguments)).submit({})


def test_a_handler_that_raises_is_an_error_of_the_program() -> None:
    worker = Worker(WorkerSpec("standin:handler", {}))
    worker.submit({"no": "articles"})
    with pytest.raises(TreatyClausesError, match="standin:handler"):
        worker.collect(limit_seconds=20)
    worker.kill()


def test_a_process_is_replaced_after_it_was_late_or_died() -> None:
    worker = Worker(WorkerSpec("standin:handler", {"seconds": 0.0}))
    request = {"id": "a", "text": "HANG", "published": None, "title": None, "source": None, "url": None}
    worker.submit([request])
    with pytest.raises(Late):
        worker.collect(limit_seconds=0.2)
    worker.submit([request | {"text": "CRASH"}])
    with pytest.raises(Died):
        worker.collect(limit_seconds=20)
    worker.submit([request | {"text": "停火"}])
    assert worker.collect(limit_seconds=20)[0]["article"]["length"] == 2
    worker.kill()


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_store(tmp_path: Path) -> None:
    report = compare_killed(tmp_path, articles=300, kills=4, seconds=0.002)
    assert report["kills"] == 4
    assert report["lost"] == {"extraction": 4, "empty": 4}


@pytest.mark.slow
def test_twenty_kills_over_two_thousand_articles(tmp_path: Path) -> None:
    report = compare_killed(tmp_path, articles=2_000, kills=20, seconds=0.005)
    sys.stderr.write(f"\n{json.dumps(report)}\n")
    assert report["kills"] == 20
    assert report["articles"] > 1_700


@pytest.mark.slow
def test_kills_with_the_real_extractor(tmp_path: Path, model_folder: Path) -> None:
    """The command itself, with a tiny model."""
    sources = write_news(tmp_path, 60)
    stores = [tmp_path / "whole.duckdb", tmp_path / "killed.duckdb"]
    code = "from treaty_clauses.cli import app; app(prog_name='treaty-clauses')"
    command = [sys.executable, "-c", code, "batch", *sources, "--model", str(model_folder), "--store"]
    assert subprocess.run([*command, str(stores[0])], stderr=subprocess.DEVNULL, check=False).returncode == 1
    rng = random.Random(3)
    for _ in range(5):
        log = tmp_path / f"{rng.random()}.log"
        run = subprocess.Popen([*command, str(stores[1]), "--log", str(log)], stderr=subprocess.DEVNULL)
        while run.poll() is None and not (log.exists() and "run_started" in log.read_text()):
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 15))
        run.kill()
        run.wait()
    assert subprocess.run([*command, str(stores[1])], stderr=subprocess.DEVNULL, check=False).returncode in (0, 1)
    with Store(stores[0], read_only=True) as one, Store(stores[1], read_only=True) as other:
        assert everything(one) == everything(other)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_after_what_is_begun(tmp_path: Path, number: signal.Signals) -> None:
    sources = write_news(tmp_path, 200)
    run = program(sources=sources, store=str(tmp_path / "a.duckdb"), seconds=0.02, options={"batch_articles": 4})
    assert run.stdout is not None
    events = []
    with run.stdout:
        for line in run.stdout:
            events.append(json.loads(line)["event"])
            if events.count("committed") == 2 and "signalled" not in events:
                run.send_signal(number)
                events.append("signalled")
    assert run.wait() == 128 + number
    assert events[-1] == "run_ended"
    assert events[events.index("signalled") :].count("committed") <= 4
    with Store(tmp_path / "a.duckdb", read_only=True) as store:
        assert rows(store, "SELECT outcome FROM runs") == [{"outcome": "stopped"}]
        assert 0 < rows(store, "SELECT count(*) AS n FROM articles")[0]["n"] < 150


def test_a_signal_to_every_process_of_a_service_loses_nothing(tmp_path: Path) -> None:
    """systemd sends SIGTERM to all of them at once; the processes of the run leave the decision to it."""
    sources = write_news(tmp_path, 60)
    run = program(sources=sources, store=str(tmp_path / "a.duckdb"), seconds=0.05, options={"batch_articles": 4})
    assert run.stdout is not None
    with run.stdout:
        for line in run.stdout:
            if '"committed"' in line:
                break
        for pid in [*_children(run.pid), run.pid]:
            os.kill(pid, signal.SIGTERM)
        run.stdout.read()
    assert run.wait() == 128 + signal.SIGTERM
    with Store(tmp_path / "a.duckdb", read_only=True) as store:
        assert set(faults(store).values()) <= {"empty", "extraction"}
        assert rows(store, "SELECT outcome FROM runs") == [{"outcome": "stopped"}]


def test_nothing_of_a_killed_run_stays_alive(tmp_path: Path) -> None:
    """The worker of a killed run notices at once, even in the middle of an article that never ends."""
    (tmp_path / "a.txt").write_text(make_text(1) + "HANG", encoding="utf-8")
    run = program(sources=[str(tmp_path / "a.txt")], store=str(tmp_path / "a.duckdb"))
    assert run.stdout is not None
    run.stdout.readline()
    deadline = time.monotonic() + 30
    while len(children := _children(run.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(children) == 2
    run.kill()
    run.wait()
    run.stdout.close()
    while any(map(_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_alive, children))


def test_an_endless_article_does_not_hold_up_the_others(tmp_path: Path) -> None:
    texts = {"a": make_text(1), "b": make_text(2) + "HANG", "c": make_text(3) * 2_000, "d": make_text(4)}
    for name, text in texts.items():
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    sources = [str(tmp_path / f"{name}.txt") for name in texts]
    run = program(sources=sources, store=str(tmp_path / "a.duckdb"), max_seconds=3.0)
    assert run.stdout is not None
    with run.stdout:
        run.stdout.read()
    assert run.wait() == 0
    with Store(tmp_path / "a.duckdb", read_only=True) as store:
        assert faults(store) == {"b.txt": "timeout", "c.txt": "too_long"}
        assert rows(store, "SELECT count(*) AS n FROM articles") == [{"n": 2}]


def _children(pid: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[1] == str(pid):
            found.append(int(status.parent.name))
    return found


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
