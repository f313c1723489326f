"""The tagger's fast runtime: graphs exported from the trained model, run by OpenVINO; no torch.

`treaty-clauses export` writes the graphs into the model's folder: `reader` turns packed texts into hidden states and tags,
`spans` turns spans into vectors and labels, `pairs` scores pairs of them.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from treaty_clauses.decode import TAGS
from treaty_clauses.encode import Encoded
from treaty_clauses.errors import ModelError
from treaty_clauses.grams import SpanBags
from treaty_clauses.links import BAGGED, CLASSIFIERS, LINKS, LinkInputs
from treaty_clauses.packing import pack
from treaty_clauses.span_inputs import BagTables, best_of_candidates, edges, feature_numbers, places, word_means
from treaty_clauses.spans import Layer, SpanSet
from treaty_clauses.vocabulary import Vocabulary
from treaty_clauses.words import WordTable

if TYPE_CHECKING:
    import openvino

Floats = npt.NDArray[np.float32]
GRAPHS = ("reader", "spans", "pairs")
_NEVER = -1e4  # logit of an entity without candidates, as in heads.py


@dataclass(frozen=True, slots=True)
class FastConfig:
    """What config.json says that this runtime needs."""

    version: str
    calibration: dict[str, float]
    word_size: int
    use_bags: bool


@dataclass(frozen=True, slots=True)
class FastReading:
    """One article as read: states (length, hidden), their weights in a span's mean (length, 1), words, and tags."""

    hidden: Floats
    weights: Floats
    words: npt.NDArray[np.uint16]
    tags: Floats


@dataclass(frozen=True, slots=True)
class FastDescribed:
    """`vectors` (spans, size) of all layers, one layer behind the other from `starts[layer]` on; logits as in heads.py."""

    vectors: Floats
    starts: dict[Layer, int]
    labels: dict[str, Floats]
    votes: dict[str, Floats]
    unnamed: Floats


@dataclass(slots=True)
class FastPending:
    """A row of packed texts that is being read."""

    request: "openvino.InferRequest | None"
    idle: "list[openvino.InferRequest]"
    articles: Sequence[Encoded]
    spans: list[tuple[int, int]]

    def result(self) -> list[FastReading]:
        """The readings, once they are there."""
        if self.request is None:
            return []
        self.request.wait()
        hidden, tags, weights = (self.request.get_output_tensor(place).data for place in range(3))
        readings = [
            FastReading(
                hidden[0, start:end].copy(),
                weights[0, start:end].copy(),
                article.words,
                tags[0, start:end].reshape(-1, len(Layer), TAGS).copy(),
            )
            for article, (start, end) in zip(self.articles, self.spans, strict=True)
        ]
        self.idle.append(self.request)
        return readings


class FastTagger:
    """Runs the exported graphs: each row of texts on one thread, as many rows at once as there are `threads`."""

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        self.config = _read_config(folder)
        self.vocabulary = Vocabulary.load(folder / "vocabulary.txt")
        self.words = WordTable.load(folder / "words.txt") if self.config.word_size else None
        self._word_vectors, self._bag_tables = _read_tables(folder, self.config)
        self.threads = threads or len(os.sched_getaffinity(0))
        self._reader, self._spans, self._pairs = _compile(folder, self.threads)
        self._idle: list[openvino.InferRequest] = []
        self._span_request = self._spans.create_infer_request()
        self._pair_request = self._pairs.create_infer_request()

    def start(self, articles: Sequence[Encoded]) -> FastPending:
        """Begin to read articles in a thread of the engine."""
        if not articles:
            return FastPending(None, self._idle, articles, [])
        packed = pack(articles)
        request = self._idle.pop() if self._idle else self._reader.create_infer_request()
        request.start_async(packed.inputs, share_inputs=False)
        return FastPending(request, self._idle, articles, packed.spans)

    def describe(self, reading: FastReading, spans: SpanSet, bags: SpanBags) -> FastDescribed:
        """Vectors and labels of the spans decoded from a reading."""
        counts = [spans.count(layer) for layer in Layer]
        starts = dict(zip(Layer, (sum(counts[:number]) for number in range(len(counts))), strict=True))
        votes = {}
        if self._bag_tables is not None:
            votes = self._bag_tables.votes(bags)
        if not sum(counts):
            labels = {name: np.zeros((0, size), np.float32) for name, (_, size) in CLASSIFIERS.items()}
            none = np.zeros((0, 0), np.float32)
            return FastDescribed(none, starts, labels, votes, np.zeros(0, np.float32))
        bounds = np.concatenate([spans.layers[layer] for layer in Layer])
        inputs = {
            "edges": edges(reading.hidden, reading.weights, bounds),
            "kinds": np.repeat(np.arange(len(counts), dtype=np.int32), counts),
            "places": places(bounds),
        }
        if self._word_vectors is not None:
            inputs["words"] = word_means(self._word_vectors[reading.words], bounds)
        found = {name.get_any_name(): value for name, value in self._span_request.infer(inputs).items()}
        own = {layer: slice(starts[layer], starts[layer] + spans.count(layer)) for layer in Layer}
        labels = {name: found[name][own[layer]] for name, (layer, _) in CLASSIFIERS.items()}
        return FastDescribed(found["vectors"], starts, labels, votes, found["unnamed"][own[Layer.CLAUSE], 0])

    def link(self, described: FastDescribed, inputs: LinkInputs) -> dict[str, Floats]:
        """Link logits (sources, entities, links) of every scorer."""
        asked: dict[str, Any] = {"vectors": described.vectors}
        for name, (source, target, _) in LINKS.items():
            pairs = inputs.pairs[name]
            asked[f"{name}.sources"] = _padded(pairs.sources + described.starts[source])
            asked[f"{name}.targets"] = _padded(pairs.mentions + described.starts[target])
            asked[f"{name}.features"] = _padded(feature_numbers(pairs))
        if not any(len(pairs.sources) for pairs in inputs.pairs.values()):
            return {name: best_of_candidates(inputs.pairs[name], np.zeros((0, LINKS[name][2]), np.float32)) for name in LINKS}
        found = {name.get_any_name(): value for name, value in self._pair_request.infer(asked).items()}
        return {name: best_of_candidates(inputs.pairs[name], found[name]) for name in LINKS}


def _padded(rows: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """At least one row, for graphs that take no empty input."""
    return np.asarray(rows if len(rows) else np.zeros((1, *rows.shape[1:])), np.int32)


def _read_config(folder: Path) -> FastConfig:
    path = folder / "config.json"
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return FastConfig(
            version=table["version"],
            calibration=table["calibration"],
            word_size=table.get("word_size", 0) if table.get("word_count", 0) else 0,
            use_bags=table["heads"].get("use_bags", False),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder}: missing or damaged model: {error}; restore the folder or name another") from error


def _read_tables(folder: Path, config: FastConfig) -> tuple[Floats | None, BagTables | None]:
    """The word vectors and the bag-of-words classifiers: tables that are read row by row need no graph."""
    words: Floats | None = None
    bags: BagTables | None = None
    if not config.word_size and not config.use_bags:
        return words, bags
    try:
        with safe_open(folder / "model.safetensors", framework="numpy") as tensors:
            if config.word_size:
                words = tensors.get_tensor("words.weight")
            if config.use_bags:
                parts = [
                    [tensors.get_tensor(f"heads.bags.{name}.{part}") for name in BAGGED]
                    for part in ("inside.weight", "beside.weight", "bias")
                ]
                bags = BagTables(BAGGED, *(np.concatenate(part, axis=-1) for part in parts))
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{folder}: missing or damaged model: {error}; restore the folder or name another") from error
    return words, bags


def _compile(folder: Path, threads: int) -> "list[openvino.CompiledModel]":
    import openvino

    core = openvino.Core()
    one = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    settings = {
        "reader": {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": threads},  # the engine's own precision: bf16 where it is fast
        "spans": {**one, "INFERENCE_PRECISION_HINT": "f32"},
        "pairs": {**one, "INFERENCE_PRECISION_HINT": "f32"},
    }
    try:
        return [core.compile_model(folder / f"{name}.xml", "CPU", settings[name]) for name in GRAPHS]
    except RuntimeError as error:
        raise ModelError(
            f"{folder}: the exported graphs are missing or damaged: {error}; run `treaty-clauses export {folder}`"
        ) from error
