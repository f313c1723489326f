import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from batching import everything, faults, process, rows
from newsserver import broadsheet, rss, rss_item, serve_news
from standin import Standin, make_text
from treaty_clauses.batch import runner
from treaty_clauses.batch.counts import Counts
from treaty_clauses.batch.engines import LocalExtraction, Result
from treaty_clauses.batch.journal import JsonJournal, ProgressDisplay
from treaty_clauses.errors import ModelError
from treaty_clauses.isolated import extract_isolated
from treaty_clauses.items import Limits
from treaty_clauses.store import Store, StoreInUseError
from treaty_clauses.types import Article


@pytest.fixture
def news(tmp_path: Path) -> Path:
    lines = [json.dumps({"text": make_text(number), "id": str(number)}) for number in range(40)]
    lines[7] = json.dumps({"text": make_text(7) + "RAISE"})
    lines[9] = '{"text": ""}'
    lines[20] = lines[3]
    path = tmp_path / "news.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_every_item_ends_as_an_article_or_a_dead_letter(tmp_path: Path, news: Path) -> None:
    with Store(tmp_path / "a.duckdb") as store:
        counts = process([news], store)
        assert (counts.items, counts.articles, counts.repeated) == (40, 37, 1)
        assert counts.lost == {"extraction": 1, "empty": 1}
        assert faults(store) == {"news.jsonl:8": "extraction", "news.jsonl:10": "empty"}
        assert rows(store, "SELECT count(*) AS n FROM sightings") == [{"n": 38}]
        (letter,) = rows(store, "SELECT message FROM dead_letters WHERE fault = 'extraction'")
        assert letter["message"] == "ValueError: the text says RAISE"
        (run,) = rows(store, "SELECT outcome, counts FROM runs")
        assert (run["outcome"], json.loads(run["counts"])) == ("done", counts.to_json())


def test_a_second_run_does_nothing_again(tmp_path: Path, news: Path) -> None:
    seen = tmp_path / "seen"
    with Store(tmp_path / "a.duckdb") as store:
        process([news], store, extraction=LocalExtraction(Standin(seen=seen)))
        before, first = everything(store), seen.read_text().splitlines()
        counts = process([news], store, extraction=LocalExtraction(Standin(seen=seen)))
        assert (counts.skipped, counts.articles, counts.lost) == (40, 0, {})
        assert everything(store) == before
    assert len(first) == len(set(first)) + 7, "the batch of the failing article is tried one by one, nothing else twice"
    assert seen.read_text().splitlines() == first


@pytest.mark.parametrize("size", [1, 3, 32])
def test_what_is_stored_does_not_depend_on_how_it_is_batched(tmp_path: Path, news: Path, size: int) -> None:
    with Store(":memory:") as one, Store(":memory:") as other:
        process([news], one)
        process([news], other, batch_articles=size, batch_chars=500)
        assert everything(one) == everything(other)


def test_a_stopped_run_goes_on_to_the_same_end(tmp_path: Path, news: Path) -> None:
    with Store(":memory:") as whole, Store(":memory:") as parts:
        process([news], whole)
        total = 0
        for _ in range(30):
            stop = threading.Event()

            def journal(name: str, fields: Any, stop: threading.Event = stop) -> None:
                if name == "committed":
                    stop.set()

            counts = process([news], parts, batch_articles=3, stop=stop, journal=journal)
            total += counts.articles
        assert total == 37
        assert everything(parts) == everything(whole)
        outcomes = [row["outcome"] for row in rows(parts, "SELECT outcome FROM runs ORDER BY started_at")]
        assert outcomes[0] == "stopped"


def test_dead_letters_are_tried_again_only_when_asked(tmp_path: Path, news: Path) -> None:
    class Mended(Standin):
        def pipe(self, articles: Any) -> Any:
            return super().pipe(Article(a.id, a.text.replace("RAISE", "")) for a in articles)

    with Store(tmp_path / "a.duckdb") as store:
        process([news], store)
        process([news], store, extraction=LocalExtraction(Mended()))
        assert len(faults(store)) == 2
        counts = process([], store, extraction=LocalExtraction(Mended()), retry_failed=True)
        assert (counts.articles, counts.lost) == (1, {"empty": 1})
        assert faults(store) == {"news.jsonl:10": "empty"}
        assert rows(store, "SELECT attempts FROM dead_letters") == [{"attempts": 2}]


def test_what_was_too_large_is_read_again_from_its_source(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": make_text(1) * 20}) + "\n" + json.dumps({"text": make_text(2)}) + "\n")
    with Store(":memory:") as store:
        process([path], store, limits=Limits(max_bytes=3_000))
        assert faults(store) == {"a.jsonl:1": "too_large"}
        assert process([path], store).skipped == 2
        counts = process([path], store, retry_failed=True)
        assert (counts.articles, counts.skipped, faults(store)) == (1, 1, {})


def test_a_feed_s_state_is_not_kept_before_its_entries_are() -> None:
    """Killed in between, the next run would be told 304 and never see them: the last commit fails here."""
    with serve_news() as news, Store(":memory:") as store:
        entry = rss_item(news.add("/a.html", broadsheet("停火", 3)), "停火")
        feed = news.add_conditional("/rss", rss(entry), etag='"1"')

        class Failing(LocalExtraction):
            def collect(self) -> list[Result]:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            process([feed], store, extraction=Failing(Standin()))
        assert rows(store, "SELECT * FROM feeds") == []
        assert process([feed], store).articles == 1


def test_two_places_of_an_article_that_fails_are_both_lost(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(make_text(1) + "RAISE", encoding="utf-8")
    with Store(":memory:") as store:
        process([tmp_path], store, batch_articles=1)
        assert faults(store) == {"a.txt": "extraction", "b.txt": "extraction"}


def test_a_wrong_number_of_records_is_an_error_of_the_program() -> None:
    class Short:
        def pipe(self, _: Any) -> Any:
            return iter([])

    with pytest.raises(RuntimeError, match="gave 0 records for 1 articles"):
        extract_isolated(Short(), [Article("a", "停火")])


def test_the_extractor_is_never_given_two_of_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": make_text(n % 3), "n": n}) + "\n" for n in range(30)))
    given: list[str] = []

    class Counting(LocalExtraction):
        def submit(self, articles: Sequence[Article]) -> None:
            given.extend(article.id for article in articles)
            super().submit(articles)

    with Store(":memory:") as store:
        counts = process([path], store, extraction=Counting(Standin()), batch_articles=2)
        assert (len(given), counts.articles, counts.repeated) == (3, 3, 27)


def test_every_event_is_a_line_of_json(tmp_path: Path, news: Path) -> None:
    with (tmp_path / "log").open("w") as stream, Store(":memory:") as store:
        process([news], store, journal=JsonJournal(stream))
    events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    names = [event["event"] for event in events]
    assert names[0] == "run_started"
    assert names[-1] == "run_ended"
    assert {"source", "committed", "dead_letter"} <= set(names)
    assert all("time" in event for event in events)
    assert {event["fault"] for event in events if event["event"] == "dead_letter"} == {"extraction", "empty"}


def test_what_ended_a_run_stands_in_its_log(tmp_path: Path, news: Path) -> None:
    class Broken(LocalExtraction):
        def collect(self) -> list[Result]:
            raise ModelError("no memory")

    with (tmp_path / "log").open("w") as stream, Store(":memory:") as store, pytest.raises(ModelError):
        process([news], store, journal=JsonJournal(stream), extraction=Broken(Standin()))
    last = json.loads((tmp_path / "log").read_text().splitlines()[-1])
    assert (last["event"], last["outcome"], last["error"]) == ("run_ended", "failed", "ModelError: no memory")


def test_a_watch_waits_for_those_who_read_the_store(
    tmp_path: Path, news: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_IN_USE_SECONDS", 0.01)
    stop, busy, events = threading.Event(), [1, 2, 3], []

    def journal(name: str, fields: Any) -> None:
        events.append(name)
        if events.count("waiting") == 2:
            stop.set()

    with Store(tmp_path / "a.duckdb") as store:
        real = store.reopen

        def reopen() -> None:
            if busy:
                busy.pop()
                raise StoreInUseError("a.duckdb: in use by another process")
            real()

        monkeypatch.setattr(store, "reopen", reopen)
        counts = process([news], store, watch_seconds=0.01, stop=stop, journal=journal)
        assert rows(store, "SELECT outcome FROM runs") == [{"outcome": "stopped"}]
    assert (events.count("store_in_use"), counts.articles, counts.skipped) == (3, 37, 40)


def test_a_watch_that_is_stopped_while_others_read_says_that_the_store_is_in_use(
    tmp_path: Path, news: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()

    def reopen() -> None:
        raise StoreInUseError("a.duckdb: in use by another process")

    def journal(name: str, fields: Any) -> None:
        if name == "store_in_use":
            stop.set()

    with Store(tmp_path / "a.duckdb") as store:
        monkeypatch.setattr(store, "reopen", reopen)
        with pytest.raises(StoreInUseError, match="in use"):
            process([news], store, watch_seconds=0.01, stop=stop, journal=journal)
    with Store(tmp_path / "a.duckdb", read_only=True) as store:
        assert rows(store, "SELECT count(*) AS n FROM articles") == [{"n": 37}]


class TestProgress:
    def test_it_says_how_fast_and_how_long_yet(self) -> None:
        display = ProgressDisplay(Console(file=open("/dev/null", "w"), force_terminal=False), 1_000)  # noqa: PTH123, SIM115
        display._console.file.close()
        counts = Counts(articles=50, characters=40_000, read_bytes=250)
        line = display.line(counts, display._began + 10)
        assert line == "50 articles (5.0/s), 4,000 characters/s, 25%, 0:00:30 left"

    def test_what_an_earlier_run_did_says_nothing_of_the_speed(self) -> None:
        with Path("/dev/null").open("w") as stream:
            display = ProgressDisplay(Console(file=stream), 1_000)
            counts = Counts(articles=1, read_bytes=600, skipped_bytes=500)
            assert display.line(counts, display._began + 10).endswith("60%, 0:00:40 left")
            assert "left" not in display.line(Counts(read_bytes=500, skipped_bytes=500), display._began + 10)

    def test_without_a_total_there_is_no_guess(self) -> None:
        with Path("/dev/null").open("w") as stream:
            display = ProgressDisplay(Console(file=stream), 0)
            assert "left" not in display.line(Counts(articles=1, read_bytes=9), display._began + 1)

    def test_a_summary_adds_up(self) -> None:
        counts = Counts(items=5, articles=2, skipped=1)
        counts.lost.update(["empty", "timeout"])
        assert counts.summary() == "5 items, 2 articles, 1 done before, 2 lost (empty 1, timeout 1)"
