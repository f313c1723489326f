"""The run on Ray Data, on a cluster of this machine with two workers."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from batching import everything, faults, process, rows
from standin import Standin, make_text
from treaty_clauses.batch import cluster
from treaty_clauses.batch.cluster import ClusterConfig, extract_to_parts, load_parts, run_on_ray
from treaty_clauses.batch.engines import LocalExtraction, LocalReading, ProcessExtraction
from treaty_clauses.batch.messages import read_found, read_item_message, result_message
from treaty_clauses.batch.worker import WorkerSpec
from treaty_clauses.errors import ConfigError
from treaty_clauses.feeds.files import read_path
from treaty_clauses.items import Found
from treaty_clauses.store import Store

HERE = Path(__file__).parent


def config(folder: Path, **fields: object) -> ClusterConfig:
    return ClusterConfig(parts=folder / "parts", workers=2, spec=WorkerSpec("standin:handler", dict(fields)))


def test_pages_are_left_to_the_local_engine(tmp_path: Path) -> None:
    with (
        Store(":memory:") as store,
        pytest.raises(ConfigError, match="read by the local engine; leave out --engine ray"),
    ):
        run_on_ray(["http://x.test/"], store, config(tmp_path))


def write_part(path: Path, source: Path) -> None:
    """What the tasks and actors of a run on Ray make of a source, as one partition."""
    settings = config(path.parent)
    reading, extractor = LocalReading(settings.limits), LocalExtraction(Standin())
    table = []
    for event in read_path(source, source=str(source), limits=settings.limits):
        row = cluster._row(event, reading, cluster._done(path.parent))
        if row and row["kind"] == "found":
            found = read_found(json.loads(row["found"] or ""), read_item_message(json.loads(row["item"] or "")))
            assert isinstance(found, Found)
            extractor.submit([found.article])
            row["result"] = json.dumps(result_message(extractor.collect()[0]))
        table += [row] if row else []
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(table, cluster._SCHEMA), path)


def test_news_of_whole_sources_is_taken_from_the_partitions_of_this_run_only(tmp_path: Path) -> None:
    """A file is missing, then there: its dead letter goes, and does not come back when the old partition is read again."""
    source, settings = tmp_path / "a.jsonl", config(tmp_path)
    with Store(":memory:") as store:
        write_part(settings.parts / "z.parquet", source)
        assert load_parts(store, settings).lost == {"missing": 1}
        source.write_text(
            json.dumps({"text": make_text(1)}) + "\n" + json.dumps({"text": make_text(2) + "RAISE"}) + "\n"
        )
        write_part(settings.parts / "b.parquet", source)
        events: list[str] = []
        counts = load_parts(store, settings, earlier={"z.parquet"}, journal=lambda name, _: events.append(name))
        assert (counts.articles, counts.lost, faults(store)) == (1, {"extraction": 1}, {"a.jsonl:2": "extraction"})
        assert events == ["run_started", "dead_letter", "committed", "committed", "run_ended"]
        before = everything(store)
        assert load_parts(store, settings, earlier={"z.parquet", "b.parquet"}).skipped == 2
        assert everything(store) == before


@pytest.fixture(scope="module")
def ray_here() -> Iterator[None]:
    ray = pytest.importorskip("ray")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), str(HERE.parent / "pipeline")])
    ray.init("local", num_cpus=3, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()
    del os.environ["PYTHONPATH"]


@pytest.fixture
def news(tmp_path: Path) -> list[str]:
    folder = tmp_path / "news"
    folder.mkdir()
    lines = [
        json.dumps({"text": make_text(n) + ("RAISE" if n == 5 else "CRASH" if n == 9 else "")}) for n in range(150)
    ]
    (folder / "a.jsonl").write_text("\n".join([*lines, '{"text": ""}']) + "\n")
    for number in range(150, 160):
        (folder / f"{number}.txt").write_text(make_text(number), encoding="utf-8")
    (folder / "b.exe").write_text("x")
    return [str(folder), str(tmp_path / "missing.txt")]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
@pytest.mark.usefixtures("ray_here")
def test_two_workers_fill_the_store_as_one_process_does(
    tmp_path: Path, news: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_PARTITION_BYTES", 50_000)
    seen = tmp_path / "seen"
    settings = config(tmp_path, seen=str(seen))
    with Store(":memory:") as local, Store(":memory:") as store:
        process(news, local, extraction=ProcessExtraction(WorkerSpec("standin:handler", {}), settings.limits))
        counts = run_on_ray(news, store, settings)
        assert counts.lost == {"extraction": 1, "crash": 1, "empty": 1, "missing": 1}
        assert faults(store) == faults(local)
        statement = "SELECT text, record FROM articles ORDER BY text"
        assert rows(store, statement) == rows(local, statement)
        parts = sorted((tmp_path / "parts").glob("*.parquet"))
        assert len(parts) > 1
        before, done = everything(store), Counter(seen.read_text().split())

        # Half of the partitions are lost, one is cut off: only what they held is done again.
        for part in parts[: len(parts) // 2]:
            part.unlink()
        parts[-1].write_bytes(parts[-1].read_bytes()[:-8])
        extract_to_parts(news, settings)
        again = Counter(seen.read_text().split()) - done
        assert 0 < again.total() < done.total()
        with Store(":memory:") as fresh:
            load_parts(fresh, settings)
            assert rows(fresh, statement) == rows(store, statement)
        assert load_parts(store, settings, earlier={path.name for path in parts[0].parent.iterdir()}).articles == 0
        assert everything(store) == before

        # A source that was missing is there, and is forgiven.
        Path(news[1]).write_text(make_text(200), encoding="utf-8")
        assert run_on_ray(news, store, settings).articles == 1
        assert "missing.txt" not in faults(store)
