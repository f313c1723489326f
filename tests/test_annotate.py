import json
import shutil
from pathlib import Path

import pytest

from treaty_clauses.annotate import Source, Splits, build, check_terms, find_annotations, read_sources
from treaty_clauses.errors import AnnotationError, ConfigError
from treaty_clauses.io import read_records, restore_text
from treaty_clauses.training.gold import GoldArticle


@pytest.fixture
def folder(tmp_path: Path, harbor_yaml: Path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    for suffix in (".yaml", ".txt"):
        shutil.copy(harbor_yaml.with_suffix(suffix), source)
    return source


def sources(folder: Path, texts: dict[str, str] | None = None) -> list[Source]:
    found = list(read_sources([folder], texts or {}))
    assert all(isinstance(item, Source) for item in found), found
    return [item for item in found if isinstance(item, Source)]


def test_a_directory_and_a_file_name_the_same_annotations(folder: Path) -> None:
    assert find_annotations([folder]) == find_annotations([folder / "harbor.yaml"]) == [folder / "harbor.yaml"]


def test_a_missing_path_is_named(folder: Path) -> None:
    with pytest.raises(AnnotationError, match=r"nowhere: there is no such file"):
        find_annotations([folder / "nowhere"])


def test_the_text_may_lie_elsewhere(folder: Path, gold: GoldArticle) -> None:
    (folder / "harbor.txt").unlink()
    (source,) = sources(folder, {"harbor": gold.article.text})
    assert source.compiled.record == gold.record


@pytest.mark.parametrize("problem", ["no text", "other id", "no utf-8", "mistake"])
def test_one_bad_annotation_stops_no_other(folder: Path, problem: str) -> None:
    bad = folder / "another.yaml"
    shutil.copy(folder / "harbor.yaml", bad)
    if problem != "no text":
        shutil.copy(folder / "harbor.txt", folder / "another.txt")
    if problem == "no utf-8":
        (folder / "another.txt").write_bytes("停火".encode("big5"))
    if problem == "mistake":
        bad.write_text(bad.read_text("utf-8").replace("type: trade", "type: tariff"), "utf-8")
    first, second = read_sources([folder], {})
    assert isinstance(first, AnnotationError)
    assert "another" in str(first)
    assert isinstance(second, Source)


def test_terms_that_read_as_annotated_are_no_problem(folder: Path) -> None:
    assert [check_terms(source) for source in sources(folder)] == [[]]


def test_a_term_that_reads_otherwise_is_reported(folder: Path) -> None:
    path = folder / "harbor.yaml"
    path.write_text(path.read_text("utf-8").replace("value: 12000,", "value: 1200,"), "utf-8")
    (problem,) = check_terms(sources(folder)[0])
    assert "clause c3: term '不得超過1.2萬人' is annotated" in problem
    assert "12000" in problem


def test_gold_is_written_by_split_with_its_corpus(folder: Path, tmp_path: Path, gold: GoldArticle) -> None:
    counts = build(
        sources(folder), Splits(frozenset(["reefs"]), frozenset()), tmp_path / "annotations", tmp_path / "corpus"
    )
    assert counts == {"train": 0, "dev": 1, "test": 0}
    assert read_records(tmp_path / "annotations" / "dev.jsonl") == [gold.record]
    assert (tmp_path / "annotations" / "test.jsonl").read_text() == ""
    (row,) = (json.loads(line) for line in (tmp_path / "corpus" / "dev.jsonl").read_text("utf-8").splitlines())
    assert row["text"] == gold.article.text
    assert (row["id"], row["event"], row["region"]) == ("harbor", "reefs", "tw")


def test_without_a_corpus_no_word_of_the_text_is_written(folder: Path, tmp_path: Path, gold: GoldArticle) -> None:
    build(sources(folder), Splits(frozenset(), frozenset()), tmp_path / "annotations", None)
    line = (tmp_path / "annotations" / "train.jsonl").read_text("utf-8")
    assert "軍事行動" not in line
    assert restore_text(json.loads(line), gold.article.text, where="x") == gold.record


@pytest.mark.parametrize(
    ("event", "split"),
    [("reefs", "dev"), ("reefs-2", "dev"), ("reefside", "train"), ("islands", "test"), (None, "train")],
)
def test_splits_are_by_event_and_its_branches(event: str | None, split: str) -> None:
    assert Splits(frozenset(["reefs"]), frozenset(["islands"])).of(event) == split


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('dev = ["a"]\ntest = ["a"]', "event 'a' is in both dev and test"),
        ('dev = ["a"]', "test"),
        ("dev = [", "cannot read"),
        (None, "cannot read"),
    ],
    ids=["overlap", "missing list", "no toml", "missing file"],
)
def test_splits_that_cannot_be_used(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "splits.toml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"splits\.toml: .*{message}"):
        Splits.load(path)


def test_building_twice_gives_the_same_files(folder: Path, tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        build(sources(folder), Splits(frozenset(), frozenset()), tmp_path / name, tmp_path / name)
        written.append({path.name: path.read_bytes() for path in sorted((tmp_path / name).iterdir())})
    assert written[0] == written[1]
