"""The baseline that spaCy gives: a tok2vec with NER and a span categorizer, trained on the same gold, linked by rules.

usage: python benchmarks/spacy_baseline.py train MODEL_FOLDER GOLD.jsonl=TEXTS [GOLD.jsonl=TEXTS ...] [--epochs 8]
       python benchmarks/spacy_baseline.py extract MODEL_FOLDER ARTICLES.jsonl > records.jsonl

Tokens are our segmenter's words. NER marks actors (by kind), terms (by role), conditions and names of plans. The span categorizer
labels every run of one to four parts of a sentence (between commas, quotation marks, full stops) with a clause's type,
modality and status, each a label of its own; a gold clause counts as the run that overlaps it most. `assembling.py` links.
"""

import json
import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import spacy
from assembling import Tagged, assemble
from baseline_command import Read, Sources, read_sources, run
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import registry
from thinc.api import get_current_ops
from thinc.types import Ragged

import treaty_clauses.spacy_component  # noqa: F401  (registers the tokenizer)
from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.labels import ActorKind, ClauseType, Modality, Status, TermRole
from treaty_clauses.training.gold import GoldArticle
from treaty_clauses.types import Article, ArticleRecord

_KEY = "clauses"
_BORDER = re.compile(r"[，。；！？：、\n「」『』（）()]")
_MOST_PARTS = 4
_LEAST_OVERLAP = 0.5  # of a run and a gold clause: as the score matches clauses
_LEAST = 0.05  # sum of its types' scores from which a run is a clause; best of 0.05 to 0.4 on real dev
_KEPT = 0.02  # score from which spaCy keeps a label
_DROPOUT = 0.2


@registry.misc("treaty_clauses.runs_of_parts")
def make_suggester() -> Callable[..., Ragged]:
    """Suggest every run of one to four parts of a sentence."""

    def suggest(docs: list[Doc], *, ops: Any = None) -> Ragged:
        ops = ops or get_current_ops()
        runs = [_runs(doc) for doc in docs]
        rows = [row for doc_runs in runs for row in doc_runs] or []
        lengths = ops.asarray([len(doc_runs) for doc_runs in runs], dtype="i")
        return Ragged(ops.asarray(rows, dtype="i") if rows else ops.xp.zeros((0, 2), dtype="i"), lengths)

    return suggest


def _runs(doc: Doc) -> list[tuple[int, int]]:
    parts: list[tuple[int, int]] = []
    start = 0
    for token in doc:
        if _BORDER.search(token.text):
            if token.i > start:
                parts.append((start, token.i))
            start = token.i + 1
    if start < len(doc):
        parts.append((start, len(doc)))
    return [
        (parts[first][0], parts[last][1])
        for first in range(len(parts))
        for last in range(first, min(first + _MOST_PARTS, len(parts)))
    ]


def build() -> spacy.Language:
    """The pipeline, untrained: one tok2vec that both components listen to."""
    nlp = spacy.blank("zh", config={"nlp": {"tokenizer": {"@tokenizers": "treaty_clauses.segmenter"}}})
    nlp.add_pipe("tok2vec")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96}
    ner = nlp.add_pipe("ner", config={"model": {"@architectures": "spacy.TransitionBasedParser.v2", "state_type": "ner",
        "extra_state_tokens": False, "hidden_width": 64, "maxout_pieces": 2, "use_upper": True, "tok2vec": listener}})  # fmt: skip
    clauses = nlp.add_pipe("spancat", config={"spans_key": _KEY, "threshold": _KEPT,
        "suggester": {"@misc": "treaty_clauses.runs_of_parts"},
        "model": {"@architectures": "spacy.SpanCategorizer.v1", "tok2vec": listener,
            "reducer": {"@layers": "spacy.mean_max_reducer.v1", "hidden_size": 128},
            "scorer": {"@layers": "spacy.LinearLogistic.v1"}}})  # fmt: skip
    for label in [f"ACTOR:{kind}" for kind in ActorKind] + [f"TERM:{role}" for role in TermRole] + ["CONDITION", "PLAN"]:
        ner.add_label(label)
    for label in [*ClauseType, *Modality, *Status]:
        clauses.add_label(str(label))
    return nlp


def example_of(gold: GoldArticle, nlp: spacy.Language) -> Example:
    """What spaCy learns from one article; spans that fall inside a word grow to the word's borders."""
    reference = nlp.make_doc(gold.article.text)
    record = gold.record
    entities = [(m.start, m.end, f"ACTOR:{actor.kind}") for actor in record.actors for m in actor.mentions]
    runs = _runs(reference)
    spans = []
    for proposal in record.proposals:
        entities += [(m.start, m.end, "PLAN") for m in proposal.mentions]
        for clause in proposal.clauses:
            entities += [(term.start, term.end, f"TERM:{term.role}") for term in clause.terms]
            entities += [(condition.start, condition.end, "CONDITION") for condition in clause.conditions]
            for mention in clause.mentions:
                best = max(runs, key=lambda run: _overlap(reference[run[0] : run[1]], mention.start, mention.end))
                if _overlap(reference[best[0] : best[1]], mention.start, mention.end) >= _LEAST_OVERLAP:
                    labels = (clause.type, clause.modality, clause.status)
                    spans += [Span(reference, best[0], best[1], label=str(label)) for label in labels]
    found = (reference.char_span(start, end, label, alignment_mode="expand") for start, end, label in entities)
    reference.ents = spacy.util.filter_spans([span for span in found if span is not None])
    reference.spans[_KEY] = spans
    return Example(nlp.make_doc(gold.article.text), reference)


def _overlap(span: Span, start: int, end: int) -> float:
    common = min(span.end_char, end) - max(span.start_char, start)
    return max(common, 0) / (max(span.end_char, end) - min(span.start_char, start))


def train(folder: Path, sources: Sources, epochs: int) -> None:
    """Train on all articles of the sources; the pipeline after the last epoch is written to `folder`."""
    random.seed(1)
    spacy.util.fix_random_seed(1)
    nlp = build()
    examples = [example_of(gold, nlp) for gold in read_sources(sources)]
    optimizer = nlp.initialize(lambda: examples[:50])
    for epoch in range(1, epochs + 1):
        losses: dict[str, float] = {}
        random.shuffle(examples)
        for batch in spacy.util.minibatch(examples, size=4):
            nlp.update(batch, sgd=optimizer, drop=_DROPOUT, losses=losses)
        shown = {name: round(float(value), 1) for name, value in losses.items()}
        print(json.dumps({"epoch": epoch, **shown}), file=sys.stderr, flush=True)
    nlp.to_disk(folder)


def load(folder: Path) -> spacy.Language:
    """What `train` wrote."""
    return spacy.load(folder)


def read(article: Article, nlp: spacy.Language, gazetteer: Gazetteer) -> ArticleRecord:
    """The record of an article."""
    doc = nlp(article.text)
    found = Tagged()
    for entity in doc.ents:
        kind, _, label = entity.label_.partition(":")
        place = (entity.start_char, entity.end_char)
        if kind == "ACTOR":
            found.actors.append((*place, ActorKind(label)))
        elif kind == "TERM":
            found.terms.append((*place, TermRole(label)))
        else:
            (found.plans if kind == "PLAN" else found.conditions).append(place)
    found.clauses = list(_clauses(doc))
    return assemble(article, found, gazetteer, model="spacy")


def _clauses(doc: Doc) -> Iterator[tuple[int, int, ClauseType, Modality, Status]]:
    """The best runs that do not overlap, each with its best type, modality and status."""
    scores: dict[tuple[int, int], dict[str, float]] = {}
    group = doc.spans[_KEY]
    for span, score in zip(group, group.attrs["scores"], strict=True):
        scores.setdefault((span.start_char, span.end_char), {})[span.label_] = float(score)
    ranked = sorted(scores.items(), key=lambda item: -_clauseness(item[1]))
    taken: list[tuple[int, int, ClauseType, Modality, Status]] = []
    for (start, end), labels in ranked:
        if _clauseness(labels) >= _LEAST and all(end <= other[0] or other[1] <= start for other in taken):
            kind, modality, status = (_best(labels, names) for names in (ClauseType, Modality, Status))
            taken.append((start, end, ClauseType(kind), Modality(modality), Status(status)))
    yield from sorted(taken)


def _clauseness(labels: dict[str, float]) -> float:
    return sum(labels.get(str(name), 0.0) for name in ClauseType)


def _best(labels: dict[str, float], names: Any) -> str:
    return max((str(name) for name in names), key=lambda name: labels.get(name, 0.0))


def reader_of(folder: Path) -> Read:
    """Reads articles with what `train` wrote."""
    nlp, gazetteer = load(folder), Gazetteer.load()
    return lambda article: read(article, nlp, gazetteer)


if __name__ == "__main__":
    run(__doc__ or "", train, reader_of)
