"""A run opens its database anew now and then; neither what is stored nor who reads beside it may notice."""

import threading
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from standin import make_text
from test_store import extracted
from treaty_clauses.store import Store, StoreInUseError
from treaty_clauses.store import connection as connection_module
from treaty_clauses.store import store as store_module
from treaty_clauses.training.gold import GoldArticle


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_RENEWED_AFTER", 2)


@pytest.mark.usefixtures("often")
def test_what_was_committed_is_there_after_each_renewal(tmp_path: Path, gold: GoldArticle) -> None:
    with Store(tmp_path / "a.duckdb") as store:
        first = store._connection.duck
        ids = set()
        for number in range(5):
            one = extracted(make_text(number), gold.record, locator=str(number))
            ids.add(one.found.article.id)
            store.commit([one], run_id="r")
            assert store.known_articles(ids) == ids
        assert store._connection.duck is not first


@pytest.mark.usefixtures("often")
def test_a_thread_that_reads_beside_it_is_not_disturbed(tmp_path: Path, gold: GoldArticle) -> None:
    over, failures = threading.Event(), []

    def read(store: Store) -> None:
        while not over.is_set():
            try:
                store.known_items(["0" * 32])
            except duckdb.Error as error:
                failures.append(error)
                return

    with Store(tmp_path / "a.duckdb") as store:
        thread = threading.Thread(target=read, args=(store,))
        thread.start()
        for number in range(20):
            store.commit([extracted(make_text(number), gold.record, locator=str(number))], run_id="r")
        over.set()
        thread.join()
    assert failures == []


@pytest.mark.usefixtures("often")
def test_a_database_in_memory_is_kept(gold: GoldArticle) -> None:
    with Store(":memory:") as store:
        store.commit([extracted(make_text(n), gold.record, locator=str(n)) for n in range(3)], run_id="r")
        assert len([*store.records()]) == 3


@pytest.mark.parametrize(("refusals", "succeeds"), [(2, True), (4, False)])
def test_a_file_that_somebody_reads_at_that_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int, succeeds: bool
) -> None:
    monkeypatch.setattr(connection_module, "_RENEWAL_WAITS", (0.0, 0.0, 0.0))
    with Store(tmp_path / "a.duckdb") as store:
        connection = store._connection
        really, left = connection._connect, [refusals]

        def connect(memory: str) -> None:
            left[0] -= 1
            if left[0] >= 0:
                raise StoreInUseError("a.duckdb: in use by another process")
            really(memory)

        monkeypatch.setattr(connection, "_connect", connect)
        if succeeds:
            connection.renew()
            assert store.known_articles([]) == set()
        else:
            with pytest.raises(StoreInUseError):
                connection.renew()


def test_a_table_is_kept_in_small_groups_of_rows_so_that_a_checkpoint_writes_little_anew(tmp_path: Path) -> None:
    rows = pa.table({"band": list(range(5_000)), "number": [1] * 5_000, "article_id": ["a"] * 5_000})
    with Store(tmp_path / "a.duckdb") as store:
        store._connection.insert("bands", rows)
        store._connection.execute("CHECKPOINT")
        groups = store.query("SELECT count(DISTINCT row_group_id) AS n FROM pragma_storage_info('bands')")
    assert groups.to_pylist() == [{"n": 3}]


def test_a_commit_that_needs_more_memory_than_a_run_has_gets_it_for_once(
    tmp_path: Path, gold: GoldArticle, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = []
    connect = connection_module.Connection._connect

    def noted(self: connection_module.Connection, memory: str) -> None:
        limits.append(memory)
        connect(self, memory)

    monkeypatch.setattr(connection_module.Connection, "_connect", noted)
    write, asked = Store._write, []

    def write_at_second(self: Store, *arguments: Any) -> None:
        write(self, *arguments)
        asked.append(arguments)
        if len(asked) == 1:
            raise duckdb.OutOfMemoryException("failed to allocate block")

    monkeypatch.setattr(Store, "_write", write_at_second)
    with Store(tmp_path / "a.duckdb") as store:
        store.commit([extracted(make_text(1), gold.record)], run_id="r")
        assert limits == ["64MB", "1GB", "64MB"]
        assert store.query("SELECT count(*) AS n FROM articles").to_pylist() == [{"n": 1}]
