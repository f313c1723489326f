"""The baseline of the years before transformers: a BiLSTM-CRF over characters, trained on the same gold, linked by rules.

usage: python benchmarks/bilstm_crf.py train MODEL_FOLDER GOLD.jsonl=TEXTS [GOLD.jsonl=TEXTS ...] [--epochs 8]
       python benchmarks/bilstm_crf.py extract MODEL_FOLDER ARTICLES.jsonl > records.jsonl

Characters and word boundaries (jieba) from random vectors go through two bidirectional LSTM layers; one CRF of BIO tags marks
clauses by type, another actors by kind, terms by role, conditions and names of plans. Modality and status come from the words
of `rules.py`; `assembling.py` links.
"""

import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from assembling import Span, Tagged, assemble
from baseline_command import Read, Sources, read_sources, run
from rules import modality_of, status_of
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.labels import ActorKind, ClauseType, Modality, TermRole
from treaty_clauses.segment import Segmenter
from treaty_clauses.training.gold import GoldArticle
from treaty_clauses.types import Article, ArticleRecord
from treaty_clauses.vocabulary import Vocabulary

_CLAUSES = [str(kind) for kind in ClauseType]
_NAMES = [f"ACTOR:{kind}" for kind in ActorKind] + [f"TERM:{role}" for role in TermRole] + ["CONDITION", "PLAN"]
_LONGEST = 400  # characters of a passage that is read at once
_BATCH = 32  # passages
_RATE, _DROPOUT = 4e-3, 0.3
_SIZES = {"characters": 128, "boundaries": 16, "hidden": 192}


class Crf(nn.Module):
    """A linear chain over `count` tags: learned scores of each tag after each other one."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.moves = nn.Parameter(torch.zeros(count, count))

    def loss(self, scores: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Negative log-likelihood a character; `scores` (passages, length, tags), `tags` and `mask` (passages, length)."""
        right = scores.gather(2, tags[..., None])[..., 0] * mask
        moves = self.moves[tags[:, :-1], tags[:, 1:]] * mask[:, 1:]
        alpha = scores[:, 0]
        for place in range(1, scores.shape[1]):
            after = torch.logsumexp(alpha[:, :, None] + self.moves, 1) + scores[:, place]
            alpha = torch.where(mask[:, place, None] > 0, after, alpha)
        total = torch.logsumexp(alpha, 1) - right.sum(1) - moves.sum(1)
        return total.sum() / mask.sum()

    def decode(self, scores: Tensor) -> list[int]:
        """The best tags of one passage, (length, tags)."""
        best, backwards = scores[0], []
        for place in range(1, len(scores)):
            value, index = (best[:, None] + self.moves).max(0)
            best = value + scores[place]
            backwards.append(index)
        tags = [int(best.argmax())]
        for index in reversed(backwards):
            tags.append(int(index[tags[-1]]))
        return tags[::-1]


class BiLstmCrf(nn.Module):
    """Two BiLSTM layers with a CRF for clauses and one for all other spans."""

    def __init__(self, vocabulary_size: int) -> None:
        super().__init__()
        self.characters = nn.Embedding(vocabulary_size, _SIZES["characters"], padding_idx=0)
        self.boundaries = nn.Embedding(5, _SIZES["boundaries"], padding_idx=0)
        self.lstm = nn.LSTM(
            _SIZES["characters"] + _SIZES["boundaries"], _SIZES["hidden"], num_layers=2, dropout=_DROPOUT,
            bidirectional=True, batch_first=True,
        )  # fmt: skip
        self.dropout = nn.Dropout(_DROPOUT)
        counts = {"clauses": 1 + 2 * len(_CLAUSES), "names": 1 + 2 * len(_NAMES)}
        self.heads = nn.ModuleDict({name: nn.Linear(2 * _SIZES["hidden"], count) for name, count in counts.items()})
        self.crfs = nn.ModuleDict({name: Crf(count) for name, count in counts.items()})

    def forward(self, characters: Tensor, boundaries: Tensor) -> dict[str, Tensor]:
        """Scores of the tags, (passages, length, tags) each."""
        inputs = torch.cat([self.characters(characters), self.boundaries(boundaries)], -1)
        hidden = self.dropout(self.lstm(self.dropout(inputs))[0])
        return {name: head(hidden) for name, head in self.heads.items()}


@dataclass(frozen=True, slots=True)
class Passage:
    """Paragraphs of an article, `start` its first character; `tags` by CRF, empty where there is no gold."""

    start: int
    characters: Tensor
    boundaries: Tensor
    tags: dict[str, Tensor]


class Reader:
    """Cuts articles into passages."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary, self._segmenter = vocabulary, Segmenter()

    def passages(self, text: str, tags: dict[str, np.ndarray] | None = None) -> Iterator[Passage]:  # type: ignore[type-arg]
        """Passages of at most `_LONGEST` characters, cut at the last line or sentence end before that."""
        characters = self._vocabulary.encode(text).astype(np.int64)
        boundaries = self._segmenter.boundaries(text).astype(np.int64)
        start = 0
        while start < len(text):
            end = min(len(text), start + _LONGEST)
            if end < len(text):
                end = max(text.rfind("\n", start, end), text.rfind("。", start, end), start) + 1
                end = end if end > start + 1 else start + _LONGEST
            cut = slice(start, end)
            held = {name: torch.from_numpy(values[cut]) for name, values in (tags or {}).items()}
            yield Passage(start, torch.from_numpy(characters[cut]), torch.from_numpy(boundaries[cut]), held)
            start = end


def tags_of(gold: GoldArticle) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    """BIO tags of a gold article by CRF: 0 outside, 2n+1 the first character of label n, 2n+2 the others."""
    tags = {name: np.zeros(len(gold.article.text), np.int64) for name in ("clauses", "names")}

    def put(name: str, labels: list[str], start: int, end: int, label: str) -> None:
        if not tags[name][start:end].any():
            tags[name][start:end] = 2 * labels.index(label) + 2
            tags[name][start] -= 1

    for actor in gold.record.actors:
        for mention in actor.mentions:
            put("names", _NAMES, mention.start, mention.end, f"ACTOR:{actor.kind}")
    for proposal in gold.record.proposals:
        for mention in proposal.mentions:
            put("names", _NAMES, mention.start, mention.end, "PLAN")
        for clause in proposal.clauses:
            for mention in clause.mentions:
                put("clauses", _CLAUSES, mention.start, mention.end, str(clause.type))
            for term in clause.terms:
                put("names", _NAMES, term.start, term.end, f"TERM:{term.role}")
            for condition in clause.conditions:
                put("names", _NAMES, condition.start, condition.end, "CONDITION")
    return tags


def train(folder: Path, sources: Sources, epochs: int) -> None:
    """Train on all articles of the sources; the weights after the last epoch are written to `folder`."""
    torch.manual_seed(1)
    rng = random.Random(1)
    articles = [*read_sources(sources)]
    counts: dict[str, int] = {}
    for gold in articles:
        for sign in gold.article.text:
            counts[sign] = counts.get(sign, 0) + 1
    vocabulary = Vocabulary.from_counts(counts.items(), floor=2)
    reader, model = Reader(vocabulary), BiLstmCrf(len(vocabulary))
    passages = [part for gold in articles for part in reader.passages(gold.article.text, tags_of(gold))]
    batches = _batches(passages)
    optimizer = torch.optim.AdamW(model.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=epochs * len(batches), pct_start=0.1)
    for epoch in range(1, epochs + 1):
        total = 0.0
        rng.shuffle(batches)
        for batch in batches:
            characters = pad_sequence([part.characters for part in batch], batch_first=True)
            boundaries = pad_sequence([part.boundaries for part in batch], batch_first=True)
            mask = (boundaries > 0).float()
            scores = model(characters, boundaries)
            losses = []
            for name, crf in model.crfs.items():
                assert isinstance(crf, Crf)
                tags = pad_sequence([part.tags[name] for part in batch], batch_first=True)
                losses.append(crf.loss(scores[name], tags, mask))
            loss = torch.stack(losses).sum()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        print(json.dumps({"epoch": epoch, "loss": round(total / len(batches), 4)}), file=sys.stderr, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary.save(folder / "vocabulary.txt")
    save_file(model.state_dict(), folder / "model.safetensors")


def _batches(passages: Sequence[Passage]) -> list[list[Passage]]:
    ordered = sorted(passages, key=lambda part: len(part.characters))
    return [ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH)]


def load(folder: Path) -> tuple[BiLstmCrf, Reader]:
    """What `train` wrote."""
    vocabulary = Vocabulary.load(folder / "vocabulary.txt")
    model = BiLstmCrf(len(vocabulary)).eval()
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model, Reader(vocabulary)


@torch.no_grad()
def read(article: Article, model: BiLstmCrf, reader: Reader, gazetteer: Gazetteer) -> ArticleRecord:
    """The record of an article."""
    found = Tagged()
    for part in reader.passages(article.text):
        scores = model(part.characters[None], part.boundaries[None])
        for name, labels in (("clauses", _CLAUSES), ("names", _NAMES)):
            crf = model.crfs[name]
            assert isinstance(crf, Crf)
            for start, end, label in _spans(crf.decode(scores[name][0]), labels):
                _put(found, (part.start + start, part.start + end), label, article.text)
    return assemble(article, found, gazetteer, model="bilstm-crf")


def _put(found: Tagged, place: Span, label: str, text: str) -> None:
    kind, _, name = label.partition(":")
    if kind == "ACTOR":
        found.actors.append((*place, ActorKind(name)))
    elif kind == "TERM":
        found.terms.append((*place, TermRole(name)))
    elif kind == "PLAN":
        found.plans.append(place)
    elif kind == "CONDITION":
        found.conditions.append(place)
    else:
        part = text[slice(*place)]
        found.clauses.append((*place, ClauseType(label), modality_of(part) or Modality.OBLIGATION, status_of(part)))


def _spans(tags: list[int], labels: list[str]) -> Iterator[tuple[int, int, str]]:
    """Spans of BIO tags; a label that goes on without a beginning begins there."""
    start, held = 0, -1
    for place, tag in enumerate([*tags, 0]):
        label = (tag - 1) // 2 if tag else -1
        if held >= 0 and (label != held or tag % 2 == 1):
            yield start, place, labels[held]
            held = -1
        if label >= 0 and held < 0:
            start, held = place, label


def reader_of(folder: Path) -> Read:
    """Reads articles with what `train` wrote."""
    (model, passages), gazetteer = load(folder), Gazetteer.load()
    return lambda article: read(article, model, passages, gazetteer)


if __name__ == "__main__":
    run(__doc__ or "", train, reader_of)
