"""The store on a real PostgreSQL server, started by the test where one is installed."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from batching import everything, process, rows
from killing import write_news
from treaty_clauses.store import VIEWS, ExportFormat, Store, StoreError, export
from treaty_clauses.store import connection as connection_module

EXTENSION = importlib.util.find_spec("duckdb_extension_postgres_scanner") is not None
#: Debian keeps the server's programs out of the usual places.
PLACES = os.pathsep.join([os.environ.get("PATH", ""), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin")))])
SERVER = shutil.which("initdb", path=PLACES) is not None and shutil.which("pg_ctl", path=PLACES) is not None
needs_server = pytest.mark.skipif(not (SERVER and EXTENSION), reason="no PostgreSQL server, or no DuckDB extension")


def as_server(command: list[str]) -> None:
    """Run a command as a user whom PostgreSQL accepts: it refuses to run as root."""
    user = "postgres" if os.geteuid() == 0 else None
    program = shutil.which(command[0], path=PLACES) or command[0]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([program, *command[1:]], user=user, check=True, cwd="/", **silent)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server on a socket of its own."""
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        data = str(folder / "data")
        as_server(["initdb", "-D", data, "-A", "trust", "-U", "desk", "--no-sync", "-E", "UTF8", "--locale=C"])
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        as_server(["pg_ctl", "-D", data, "-w", "-o", options, "-l", str(folder / "log"), "start"])
        yield f"postgresql://desk@/postgres?host={folder}"
        as_server(["pg_ctl", "-D", data, "-m", "immediate", "stop"])


@needs_server
def test_a_server_holds_what_a_file_holds(server: str, tmp_path: Path) -> None:
    sources = write_news(tmp_path, 60)
    with Store(tmp_path / "a.duckdb") as one, Store(server) as other:
        for store in (one, other):
            process(sources[:1], store)
            process(sources, store, retry_failed=True)
        assert everything(one) == everything(other)
        for view in VIEWS:
            found = [sorted(map(repr, rows(store, f"SELECT * FROM {view}"))) for store in (one, other)]
            assert len(found[0]) == len(found[1]), view
        assert [*one.records()] == [*other.records()]
        assert rows(other, "SELECT count(*) AS n FROM troop_caps")[0]["n"] > 40

    with Store(server) as again, Store(server, read_only=True) as reader:
        assert process(sources, again).articles == 0
        csv = export(reader, tmp_path / "out", form=ExportFormat.CSV)["troop_caps"]
        assert csv.read_text("utf-8-sig").startswith("plan,published")
        reader.lock_down()
        for statement in ("DELETE FROM articles", "SELECT * FROM read_text('/etc/hostname')"):
            with pytest.raises(StoreError):
                reader.query(statement)
        assert rows(reader, "SELECT count(*) AS n FROM articles")[0]["n"] > 40


@needs_server
def test_two_runs_on_one_server_store_an_article_once(server: str, tmp_path: Path) -> None:
    """The second commits what the first has just stored; both looked before either wrote."""
    (tmp_path / "new.txt").write_text("一篇新的文章，說白嶼方案規定北嶺兵力不得超過7萬人。", encoding="utf-8")
    with Store(server) as one, Store(server) as other:
        real = other.known_articles
        others = iter([lambda: process([tmp_path / "new.txt"], one)])

        def late(ids: object) -> set[str]:
            known = real(ids)  # type: ignore[arg-type]
            for go in others:
                go()
            return known

        other.known_articles = late  # type: ignore[assignment, method-assign]
        process([tmp_path / "new.txt"], other)
        assert rows(one, "SELECT count(*) AS n FROM articles WHERE text LIKE '一篇新的%'") == [{"n": 1}]
        assert rows(
            one,
            "SELECT count(*) AS n FROM numbers WHERE clause LIKE '兵力%' AND value = 70000 AND published IS NULL AND title IS NULL AND article_id IN (SELECT article_id FROM articles WHERE text LIKE '一篇新的%')",
        ) == [{"n": 1}]


@pytest.mark.skipif(not EXTENSION, reason="no DuckDB extension")
def test_a_server_that_is_not_there_is_named_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        Store(f"postgresql://desk:hunter2@/postgres?host={tmp_path}")
    assert "hunter2" not in str(caught.value)


def test_without_the_extension_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "_extension_file", lambda: None)
    with pytest.raises(
        StoreError, match=r"pip install 'treaty-clauses\[postgres\]' 'duckdb-extension-postgres-scanner==\d"
    ):
        Store("postgresql://desk@localhost/news")
