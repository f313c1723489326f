"""What an encoder knows before the tagger: word segmentation and named entities, fine-tuned from it and from random weights alike.

    python benchmarks/probes.py segmentation AS_GOLD.utf8 [--encoder models/encoder] [--seeds 1 2 3] [--epochs 3]
    python benchmarks/probes.py entities TRAIN_FOLDER TEST_FOLDER [...]

`segmentation` reads lines of words parted by white space (SIGHAN's format) and tests on three lines in ten, chosen by their hash; the
encoder is not told jieba's words, and jieba itself is measured beside it. `entities` reads folders with sentences.txt and
tags.txt (characters and BIO tags parted by white space), converted to Traditional where they are Simplified. Each row is one
training; intervals are of a bootstrap over sentences.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from treaty_clauses.decode import TAGS, best_tags, spans_of, tags_of
from treaty_clauses.encoder import CharEncoder, EncoderConfig
from treaty_clauses.segment import Segmenter
from treaty_clauses.simplified import to_traditional
from treaty_clauses.spans import as_array
from treaty_clauses.training.precision import autocast
from treaty_clauses.vocabulary import Vocabulary

RATE, WARM_UP, BATCH_CHARS, LONGEST = 5e-4, 0.1, 2000, 256
RESAMPLES = 1000
Spans = set[tuple[int, int, int]]  # start, end, number of the label


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text and its labelled spans."""

    text: str
    spans: Spans


@dataclass(frozen=True, slots=True)
class Task:
    """What is learnt and tested; `told` says whether the encoder is told jieba's words."""

    train: list[Sentence]
    test: list[Sentence]
    labels: int
    told: bool


class Probe(nn.Module):
    """The encoder and one linear layer: BIOES tags for each label."""

    def __init__(self, encoder: CharEncoder, labels: int) -> None:
        super().__init__()
        self.encoder, self.labels = encoder, labels
        self.out = nn.Linear(encoder.hidden_size, labels * TAGS)

    def forward(self, characters: Tensor, boundaries: Tensor) -> Tensor:
        """(sentences, length) twice -> (sentences, length, labels, TAGS) log-probabilities."""
        hidden = self.encoder(characters, boundaries, (characters > 0).long())
        scores = self.out(hidden).float().view(*hidden.shape[:2], self.labels, TAGS)
        return nn.functional.log_softmax(scores, dim=-1)


def read_words(path: Path) -> Iterator[Sentence]:
    """Sentences of a file with words parted by white space."""
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        words, spans, start = line.split(), set(), 0
        for word in words:
            spans.add((start, start + len(word), 0))
            start += len(word)
        if words and start <= LONGEST:
            yield Sentence("".join(words), spans)


def read_entities(folder: Path, labels: dict[str, int]) -> Iterator[Sentence]:
    """Sentences of a folder with BIO tags; labels met for the first time get the next number."""
    lines = zip(
        *(folder.joinpath(name).read_text("utf-8").splitlines() for name in ("sentences.txt", "tags.txt")), strict=True
    )
    for characters, tags in lines:
        text, spans = "".join(characters.split()), set()
        found = tags.split()
        if len(text) != len(found) or not 0 < len(text) <= LONGEST:
            continue
        begins = [n for n, tag in enumerate(found) if tag.startswith("B-")]
        for begin in begins:
            end = begin + 1
            while end < len(found) and found[end].startswith("I-"):
                end += 1
            spans.add((begin, end, labels.setdefault(found[begin][2:], len(labels))))
        yield Sentence(to_traditional(text), spans)


def segmentation_task(path: Path) -> Task:
    """Three lines in ten are the test."""
    sentences = list(read_words(path))
    is_test = [hashlib.sha256(s.text.encode()).digest()[0] < 0.3 * 256 for s in sentences]
    return Task(
        [s for s, test in zip(sentences, is_test, strict=True) if not test],
        [s for s, test in zip(sentences, is_test, strict=True) if test],
        labels=1,
        told=False,
    )


def entity_task(train: Path, test: Path) -> Task:
    """Two folders of one kind."""
    labels: dict[str, int] = {}
    learnt = list(read_entities(train, labels))
    return Task(learnt, list(read_entities(test, labels)), len(labels), told=True)


def load_encoder(folder: Path, *, random: bool) -> CharEncoder:
    """The encoder of a folder, or one of its shape with random weights."""
    config = EncoderConfig(**json.loads((folder / "config.json").read_text(encoding="utf-8")))
    encoder = CharEncoder(replace(config, dropout=0.1))
    if not random:
        encoder.load_state_dict(
            {name: value.float() for name, value in load_file(folder / "model.safetensors").items()}
        )
    return encoder


class Reader:
    """Turns sentences into padded batches."""

    def __init__(self, vocabulary: Vocabulary, task: Task) -> None:
        self.vocabulary, self.task = vocabulary, task
        self.segmenter = Segmenter() if task.told else None

    def batches(self, sentences: Sequence[Sentence], order: npt.NDArray[np.int64]) -> Iterator[list[Sentence]]:
        """Batches of about as many characters, in the order given."""
        batch: list[Sentence] = []
        for index in order:
            batch.append(sentences[index])
            if sum(len(s.text) for s in batch) >= BATCH_CHARS:
                yield batch
                batch = []
        if batch:
            yield batch

    def encode(self, batch: list[Sentence]) -> tuple[Tensor, Tensor]:
        """Characters and word boundaries (sentences, length), zero where a sentence has ended."""
        length = max(len(s.text) for s in batch)
        characters, boundaries = np.zeros((2, len(batch), length), np.int64)
        for row, sentence in enumerate(batch):
            characters[row, : len(sentence.text)] = self.vocabulary.encode(sentence.text)
            if self.segmenter is not None:
                boundaries[row, : len(sentence.text)] = self.segmenter.boundaries(sentence.text)
        return torch.from_numpy(characters), torch.from_numpy(boundaries)

    def tags(self, batch: list[Sentence], length: int) -> Tensor:
        """Gold tags (sentences, length, labels)."""
        tags = np.zeros((len(batch), length, self.task.labels), np.int64)
        for row, sentence in enumerate(batch):
            for label in range(self.task.labels):
                spans = sorted((start, end) for start, end, own in sentence.spans if own == label)
                tags[row, : len(sentence.text), label] = tags_of(as_array(spans), len(sentence.text))
        return torch.from_numpy(tags)


def train(encoder: CharEncoder, reader: Reader, *, seed: int, epochs: int) -> Probe:
    """Fine-tune everything, with one rate for all weights."""
    task, rng = reader.task, np.random.default_rng(seed)
    probe = Probe(encoder, task.labels)
    optimizer = torch.optim.AdamW(probe.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.01)
    size, done = epochs * sum(len(s.text) for s in task.train), 0
    probe.train()
    for _ in range(epochs):
        for batch in reader.batches(task.train, rng.permutation(len(task.train))):
            characters, boundaries = reader.encode(batch)
            gold = reader.tags(batch, characters.shape[1])
            optimizer.param_groups[0]["lr"] = RATE * min(done / size / WARM_UP, 1.0, 1.02 - done / size)
            with autocast("cpu"):
                scores = probe(characters, boundaries)
            loss = -scores.gather(-1, gold[..., None])[..., 0][characters > 0].mean()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(probe.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            done += sum(len(s.text) for s in batch)
    return probe.eval()


@torch.no_grad()
def predict(probe: Probe, reader: Reader) -> list[Spans]:
    """The spans found in each test sentence."""
    sentences = reader.task.test
    found: list[Spans] = []
    for batch in reader.batches(sentences, np.arange(len(sentences))):
        with autocast("cpu"):
            scores = probe(*reader.encode(batch)).numpy()
        for row, sentence in enumerate(batch):
            tags = best_tags(scores[row, : len(sentence.text)])
            spans = [(s, e, label) for label in range(probe.labels) for s, e in spans_of(tags[:, label])]
            found.append(set(spans))
    return found


def jieba_words(sentences: Sequence[Sentence]) -> list[Spans]:
    """What jieba finds, with the package's dictionary."""
    segmenter = Segmenter()
    return [{(start, end, 0) for start, end in segmenter.spans(s.text)} for s in sentences]


def f1_with_interval(gold: Sequence[Sentence], found: Sequence[Spans]) -> tuple[float, float, float]:
    """F1 of the spans, and its 95% interval over sentences."""
    counts = np.array([(len(s.spans & f), len(s.spans), len(f)) for s, f in zip(gold, found, strict=True)], float)
    weights = np.random.default_rng(0).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), RESAMPLES)
    sums = np.concatenate([counts.sum(axis=0, keepdims=True), weights @ counts])
    rates = 2 * sums[:, 0] / (sums[:, 1] + sums[:, 2])
    low, high = np.quantile(rates[1:], [0.025, 0.975])
    return float(rates[0]), float(low), float(high)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("segmentation", "entities"))
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--encoder", type=Path, default=Path("models/encoder"))
    parser.add_argument("--starts", nargs="+", default=["pretrained", "random"], choices=("pretrained", "random"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    wanted = 1 if options.task == "segmentation" else 2
    if len(options.data) != wanted:
        parser.error(f"{options.task} takes {wanted} path(s) of data, not {len(options.data)}; see the usage above")
    torch.set_num_threads(2)
    task = segmentation_task(*options.data) if options.task == "segmentation" else entity_task(*options.data)
    reader = Reader(Vocabulary.load(options.encoder / "vocabulary.txt"), task)
    print(f"{len(task.train)} sentences to learn from, {len(task.test)} to test on")
    if options.task == "segmentation":
        print("jieba: F1 {:.4f} ({:.4f}-{:.4f})".format(*f1_with_interval(task.test, jieba_words(task.test))))
    for seed in options.seeds:
        for start in options.starts:
            began = time.monotonic()
            torch.manual_seed(seed)
            encoder = load_encoder(options.encoder, random=start == "random")
            figures = f1_with_interval(
                task.test, predict(train(encoder, reader, seed=seed, epochs=options.epochs), reader)
            )
            shown = "F1 {:.4f} ({:.4f}-{:.4f})".format(*figures)
            print(f"{start}, seed {seed}: {shown}, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
