"""The run on Ray Data, on a cluster of this machine with two workers."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from batching import everything, faults, process, rows
from standin import make_text
from treaty_clauses.batch import cluster
from treaty_clauses.batch.cluster import ClusterConfig, extract_to_parts, load_parts, run_on_ray
from treaty_clauses.batch.engines import ProcessExtraction
from treaty_clauses.batch.worker import WorkerSpec
from treaty_clauses.errors import ConfigError
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
        assert load_parts(store, settings).articles == 0
        assert {**everything(store), "dead_letters": []} == {**before, "dead_letters": []}
