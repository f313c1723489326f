"""Gates of the gold beyond `test_corpus`: counts, values, checksums, the card, and the folders as Hugging Face datasets."""

import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from treaty_clauses.annotate import SPLITS, Source, check_terms, load_exceptions, read_sources
from treaty_clauses.card import Entry, Statistics, read_tables, render_tables
from treaty_clauses.checksums import check_checksums
from treaty_clauses.labels import ClauseType, Role
from treaty_clauses.texts import read_texts

ROOT = Path(__file__).resolve().parents[1]
ANNOTATIONS, CORPUS = ROOT / "annotations", ROOT / "corpus"
# Issue 4: counts a clause type needs in written and real articles together; `other` is a rest.
LEAST = {"train": 40, "test": 8}
SHINGLE_CHARS, MOST_SHARED = 12, 0.2  # as in `test_corpus`


@pytest.fixture(scope="module")
def statistics() -> Statistics:
    return Statistics.read(ANNOTATIONS, CORPUS)


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    found = list(read_sources([ANNOTATIONS / "written"], read_texts(CORPUS / "written")))
    return [source for source in found if isinstance(source, Source)]


@pytest.fixture(scope="module")
def exceptions() -> frozenset[tuple[str, str]]:
    return load_exceptions(ANNOTATIONS / "exceptions.toml")


@pytest.mark.parametrize("split", LEAST)
def test_every_clause_type_is_frequent_enough(statistics: Statistics, split: str) -> None:
    counts = statistics.count(lambda entry: (clause.type for clause in entry.clauses))[split]
    rare = {str(kind): counts[kind] for kind in ClauseType if kind != "other" and counts[kind] < LEAST[split]}
    assert rare == {}


def test_every_terms_value_is_derived_from_its_span(
    sources: list[Source], exceptions: frozenset[tuple[str, str]]
) -> None:
    assert [problem for source in sources for problem in check_terms(source, exceptions)] == []


def test_every_exception_is_a_term_of_the_gold(
    statistics: Statistics, sources: list[Source], exceptions: frozenset[tuple[str, str]]
) -> None:
    """By its quote in written articles; by its length in real ones, whose words are not here."""
    quotes = {
        (source.compiled.record.article.id, term.text)
        for source in sources
        for proposal in source.compiled.record.proposals
        for clause in proposal.clauses
        for term in clause.terms
    }
    lengths = {
        (entry.record.article.id, term.end - term.start)
        for entry in statistics.articles
        for clause in entry.clauses
        for term in clause.terms
        if entry.kind == "real"
    }
    stale = {(name, quote) for name, quote in exceptions - quotes if (name, len(quote)) not in lengths}
    assert stale == set()
    assert len(exceptions) <= len(quotes) / 50, "a list of exceptions this long hides mistakes"


def test_proposals_and_anchors_slice_to_their_quotes(sources: list[Source]) -> None:
    for source in sources:
        record = source.compiled.record
        spans = [mention for proposal in record.proposals for mention in proposal.mentions]
        spans += [t.anchor for p in record.proposals for c in p.clauses for t in c.terms if t.anchor]
        for span in spans:
            assert source.text[span.start : span.end] == span.text, f"{record.article.id}: {span}"


def spans_of(entry: Entry) -> list[tuple[int, int]]:
    record = entry.record
    found = [(m.start, m.end) for holder in (*record.actors, *record.proposals) for m in holder.mentions]
    for clause in entry.clauses:
        found += [(m.start, m.end) for m in (*clause.mentions, *clause.conditions)]
        found += [(t.start, t.end) for t in clause.terms]
        found += [(t.anchor.start, t.anchor.end) for t in clause.terms if t.anchor]
    return found


def test_every_record_holds_together(statistics: Statistics) -> None:
    for entry in statistics.articles:
        record, name = entry.record, entry.record.article.id
        for start, end in spans_of(entry):
            assert 0 <= start < end <= record.article.length, f"{name}: [{start}, {end})"
        for ids in (record.actors, record.proposals, entry.clauses):
            assert len({item.id for item in ids}) == len(ids), f"{name}: an id is given twice"
        actors = {actor.id for actor in record.actors}
        named = {actor for proposal in record.proposals for actor in proposal.proposers}
        named |= {actor for clause in entry.clauses for role in Role for actor in getattr(clause, role)}
        assert named <= actors, name
        mentions = sorted((m.start, m.end) for clause in entry.clauses for m in clause.mentions)
        assert all(first[1] <= second[0] for first, second in pairwise(mentions)), f"{name}: clauses overlap"


def test_no_article_is_in_the_gold_twice(statistics: Statistics) -> None:
    names = Counter(entry.record.article.id for entry in statistics.articles)
    texts = Counter(entry.record.article.sha256 for entry in statistics.articles)
    assert [name for name, count in (names + texts).items() if count > 1] == []


def test_dev_and_test_share_no_passages(sources: list[Source], statistics: Statistics) -> None:
    """Train against both is in `test_corpus`."""
    texts = {source.compiled.record.article.id: source.text for source in sources}

    def shingles(name: str) -> set[str]:
        return {texts[name][start : start + SHINGLE_CHARS] for start in range(len(texts[name]) - SHINGLE_CHARS)}

    written = [entry for entry in statistics.articles if entry.kind == "written"]
    dev = set().union(*(shingles(entry.record.article.id) for entry in written if entry.split == "dev"))
    for entry in written:
        if entry.split == "test":
            own = shingles(entry.record.article.id)
            assert len(own & dev) <= MOST_SHARED * len(own), entry.record.article.id


@pytest.mark.parametrize("folder", [ANNOTATIONS, CORPUS], ids=lambda folder: folder.name)
def test_checksums_hold(folder: Path) -> None:
    assert check_checksums(folder) == [], "run `make statistics`"


def test_the_card_has_the_statistics_of_the_gold(statistics: Statistics) -> None:
    assert read_tables(CORPUS / "README.md") == render_tables(statistics), "run `make statistics`"


def test_the_card_shows_every_plot() -> None:
    plots = {path.name for path in (CORPUS / "plots").glob("*.svg")}
    assert plots
    card = (CORPUS / "README.md").read_text(encoding="utf-8")
    assert {name for name in plots if f"plots/{name}" in card} == plots


LOADING = """
import datasets, sys
for folder, name in (item.split(":") for item in sys.argv[1:]):
    for split, rows in sorted(datasets.load_dataset(folder, name or None).items()):
        print(folder.rpartition("/")[2], name or "default", split, rows.num_rows, " ".join(rows.column_names))
"""


def test_folders_load_as_datasets_offline(tmp_path: Path) -> None:
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    wanted = [f"{CORPUS}:", f"{ANNOTATIONS}:", f"{ANNOTATIONS}:real"]
    command = [sys.executable, "-c", LOADING, *wanted]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | offline, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    loaded = {tuple(line.split()[:3]): line.split()[3:] for line in done.stdout.splitlines()}
    record = "schema_version article actors proposals"
    for (folder, name), (place, columns) in {
        ("corpus", "default"): (CORPUS, "id published event style region text"),
        ("annotations", "default"): (ANNOTATIONS, record),
        ("annotations", "real"): (ANNOTATIONS / "real", record),
    }.items():
        for split, file in zip(("train", "validation", "test"), SPLITS, strict=True):
            rows, *found = loaded.pop((folder, name, split))
            assert int(rows) == (place / f"{file}.jsonl").read_text(encoding="utf-8").count("\n")
            assert " ".join(found).startswith(columns)
    assert loaded == {}
