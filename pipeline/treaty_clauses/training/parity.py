"""Exports a tagger, sees that the fast runtime reads as the reference does, and says how closely."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from treaty_clauses.errors import InputError, ModelError
from treaty_clauses.extract import AHEAD_CHARS, load
from treaty_clauses.io import Failure, read_articles, read_records
from treaty_clauses.manifest import Manifest, remove_manifest, write_manifest
from treaty_clauses.score import score_corpus
from treaty_clauses.training.export import Precision, export_tagger
from treaty_clauses.types import Article, ArticleRecord

#: What `checked_export` demands: labels in common, and how far apart the two record F1 on dev may be.
LEAST_AGREEMENT = 0.97
MOST_DIFFERENCE = 0.005
_CALIBRATION_CHARS = 20_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parity:
    """How closely two runtimes agree on `articles` articles of `characters` characters.

    `agreement` is the share of labels in common, 2 * common / (labels of one + labels of the other); labels are spans,
    types, modalities, statuses, roles, terms with their values, and conditions. `reference_f1` and `fast_f1` are record F1
    against gold.
    """

    articles: int
    characters: int
    agreement: float
    reference_f1: float
    fast_f1: float

    @property
    def is_close(self) -> bool:
        """Whether the two agree as LEAST_AGREEMENT and MOST_DIFFERENCE demand."""
        return self.agreement >= LEAST_AGREEMENT and abs(self.fast_f1 - self.reference_f1) <= MOST_DIFFERENCE

    def __str__(self) -> str:
        return (
            f"labels in common {self.agreement:.4f} on {self.articles} articles ({self.characters} characters); "
            f"record F1 on dev: torch {self.reference_f1:.4f}, fast {self.fast_f1:.4f}"
        )


def checked_export(
    folder: Path, *, corpus: Path, gold: Path, precisions: Sequence[Precision]
) -> tuple[Precision, Parity]:
    """Export the tagger in `folder` in the first of `precisions` in which it reads as the reference does.

    Ranges are measured on articles of `corpus/train.jsonl`; the runtimes are compared on those of dev and test, and scored
    against `gold`, dev's.

    Raises:
        ModelError: The folder is damaged, or with no precision the runtimes agree; the folder is left without graphs then.
        InputError: Articles or gold cannot be read.
    """
    articles = [*_articles(corpus / "dev.jsonl"), *_articles(corpus / "test.jsonl")]
    gold_records = {record.article.id: record for record in read_records(gold)}
    texts = _sample([article.text for article in _articles(corpus / "train.jsonl")])
    reference = list(load(folder, backend="torch").pipe(articles, ahead_chars=AHEAD_CHARS))
    parity: Parity | None = None
    for precision in precisions:
        export_tagger(folder, texts, precision=precision)
        found = list(load(folder, backend="fast").pipe(articles, ahead_chars=AHEAD_CHARS))
        parity = compare(reference, found, gold_records)
        _log.info("%s: %s", precision, parity)
        if parity.is_close:
            write_manifest(folder, Manifest(precision, asdict(parity)))
            return precision, parity
    remove_manifest(folder)
    raise ModelError(
        f"{folder}: the exported graphs do not read as the torch backend does: {parity}; at least {LEAST_AGREEMENT} in common "
        f"and at most {MOST_DIFFERENCE} between the F1 are asked; the folder is left without graphs"
    )


def compare(
    reference: Sequence[ArticleRecord], found: Sequence[ArticleRecord], gold: Mapping[str, ArticleRecord]
) -> Parity:
    """Compare the records of two runtimes on the same articles, in the same order."""
    common = total = 0
    for one, other in zip(reference, found, strict=True):
        first, second = set(_labels(one)), set(_labels(other))
        common += len(first & second)
        total += len(first) + len(second)
    scores = [
        score_corpus(
            [(gold[record.article.id], record) for record in records if record.article.id in gold]
        ).total.record.f1
        for records in (reference, found)
    ]
    return Parity(
        articles=len(reference),
        characters=sum(record.article.length for record in reference),
        agreement=2 * common / total if total else 1.0,
        reference_f1=scores[0] or 0.0,
        fast_f1=scores[1] or 0.0,
    )


def _labels(record: ArticleRecord) -> Iterator[tuple[Any, ...]]:
    """Everything that a record says, each with its place in the text; confidences left out."""
    first = {actor.id: actor.mentions[0].start for actor in record.actors}
    for actor in record.actors:
        yield from (("actor", mention.start, mention.end, actor.kind, actor.wikidata) for mention in actor.mentions)
    for proposal in record.proposals:
        yield from (("proposal", mention.start, mention.end) for mention in proposal.mentions)
        yield from (("proposer", proposal.name, first[actor]) for actor in proposal.proposers)
        for clause in proposal.clauses:
            place = (clause.mentions[0].start, clause.mentions[0].end)
            yield ("clause", place, proposal.name)
            yield from (("mention", place, mention.start, mention.end) for mention in clause.mentions)
            yield from ((name, place, getattr(clause, name)) for name in ("type", "modality", "status"))
            for role in ("bearer", "counterparty", "territory", "proposers"):
                yield from ((role, place, first[actor]) for actor in getattr(clause, role))
            yield from (("condition", place, mention.start, mention.end) for mention in clause.conditions)
            yield from (
                ("term", place, t.start, t.end, t.role, t.comparator, t.value, t.high, t.unit) for t in clause.terms
            )


def _articles(path: Path) -> list[Article]:
    articles = list(read_articles(path))
    for item in articles:
        if isinstance(item, Failure):
            raise InputError(f"{item.where}: {item.message}")
    return [item for item in articles if isinstance(item, Article)]


def _sample(texts: Sequence[str]) -> list[str]:
    """Evenly spread texts of about _CALIBRATION_CHARS characters in all."""
    step = max(1, round(sum(map(len, texts)) / _CALIBRATION_CHARS))
    return list(texts[::step])
