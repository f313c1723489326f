"""The gold that ships: whole, consistent, and split by event."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from treaty_clauses.annotate import SPLITS, Source, Splits, build, read_sources
from treaty_clauses.io import read_records
from treaty_clauses.labels import ClauseType
from treaty_clauses.texts import read_texts
from treaty_clauses.types import ArticleRecord

ROOT = Path(__file__).resolve().parents[1]
ANNOTATIONS, CORPUS = ROOT / "annotations", ROOT / "corpus"
SHINGLE_CHARS = 12


@pytest.fixture(scope="module")
def gold() -> dict[str, list[ArticleRecord]]:
    return {split: read_records(ANNOTATIONS / f"{split}.jsonl") for split in SPLITS}


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return read_texts(CORPUS / "written")


def test_every_offset_slices_to_its_quote(gold: dict[str, list[ArticleRecord]], texts: dict[str, str]) -> None:
    for record in (record for records in gold.values() for record in records):
        text = texts[record.article.id]
        clauses = [clause for proposal in record.proposals for clause in proposal.clauses]
        spans = [m for actor in record.actors for m in actor.mentions]
        spans += [m for clause in clauses for m in (*clause.mentions, *clause.conditions)]
        for span in spans:
            assert text[span.start : span.end] == span.text, f"{record.article.id}: {span}"
        for term in (term for clause in clauses for term in clause.terms):
            assert text[term.start : term.end] == term.text, f"{record.article.id}: {term}"


def test_ids_are_unique_and_links_resolve(gold: dict[str, list[ArticleRecord]]) -> None:
    names = Counter(record.article.id for records in gold.values() for record in records)
    assert max(names.values()) == 1
    for record in (record for records in gold.values() for record in records):
        actors = {actor.id for actor in record.actors}
        for proposal in record.proposals:
            assert set(proposal.proposers) <= actors
            for clause in proposal.clauses:
                named = {*clause.bearer, *clause.counterparty, *clause.territory, *clause.proposers}
                assert named <= actors, f"{record.article.id} {clause.id}"


def test_clause_spans_do_not_overlap(gold: dict[str, list[ArticleRecord]]) -> None:
    for record in (record for records in gold.values() for record in records):
        spans = sorted(
            (m.start, m.end) for p in record.proposals for clause in p.clauses for m in clause.mentions
        )
        assert all(first[1] <= second[0] for first, second in pairwise(spans)), record.article.id


def test_no_event_is_in_two_splits() -> None:
    splits: dict[str, set[str]] = {}
    for split in SPLITS:
        for line in (CORPUS / f"{split}.jsonl").read_text("utf-8").splitlines():
            splits.setdefault(json.loads(line)["event"] or "none", set()).add(split)
    assert {event for event, found in splits.items() if len(found) > 1} == set()


def test_no_near_duplicate_across_splits(gold: dict[str, list[ArticleRecord]], texts: dict[str, str]) -> None:
    def shingles(text: str) -> set[str]:
        return {text[i : i + SHINGLE_CHARS] for i in range(len(text) - SHINGLE_CHARS)}

    train = set().union(*(shingles(texts[record.article.id]) for record in gold["train"]))
    for record in (*gold["dev"], *gold["test"]):
        own = shingles(texts[record.article.id])
        assert len(own & train) <= 0.2 * len(own), record.article.id


def test_every_clause_type_is_learnt_and_a_fifth_of_articles_has_no_clause(
    gold: dict[str, list[ArticleRecord]],
) -> None:
    types = Counter(clause.type for r in gold["train"] for p in r.proposals for clause in p.clauses)
    assert set(types) == set(ClauseType)
    records = [record for found in gold.values() for record in found]
    empty = sum(not any(p.clauses for p in record.proposals) for record in records)
    assert empty / len(records) >= 0.15


def test_compiled_gold_is_what_the_sources_say(tmp_path: Path, texts: dict[str, str]) -> None:
    sources = list(read_sources([ANNOTATIONS / "written"], read_texts(CORPUS / "written")))
    mistakes = [str(source) for source in sources if not isinstance(source, Source)]
    assert mistakes == []
    good = [source for source in sources if isinstance(source, Source)]
    build(good, Splits.load(ANNOTATIONS / "splits.toml"), tmp_path / "a", tmp_path / "c")
    for split in SPLITS:
        name = f"{split}.jsonl"
        assert (tmp_path / "a" / name).read_bytes() == (ANNOTATIONS / name).read_bytes(), f"run `make gold`: {name}"
        assert (tmp_path / "c" / name).read_bytes() == (CORPUS / name).read_bytes(), f"run `make gold`: {name}"


def test_real_gold_holds_no_text() -> None:
    for split in SPLITS:
        for line in (ANNOTATIONS / "real" / f"{split}.jsonl").read_text("utf-8").splitlines():
            table = json.loads(line)
            keys: set[str] = set()
            stack = [table]
            while stack:
                value = stack.pop()
                if isinstance(value, dict):
                    keys |= set(value)
                    stack.extend(value.values())
                elif isinstance(value, list):
                    stack.extend(value)
            assert not keys & {"text", "title"}, table["article"]["id"]
