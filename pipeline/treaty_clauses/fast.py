"""The tagger's fast runtime: graphs exported from the trained model, run by OpenVINO; no torch.

`treaty-clauses export` writes the graphs into the model's folder: `reader` turns packed texts into hidden states and tags,
`spans` turns spans into vectors and labels, `pairs` scores pairs of them.
"""

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from treaty_clauses.decode import TAGS
from treaty_clauses.encode import Encoded, Window, plan_windows
from treaty_clauses.engine import import_engine
from treaty_clauses.errors import ModelError
from treaty_clauses.grams import SpanBags
from treaty_clauses.links import BAGGED, CHANNELS, CLASSIFIERS, COUNTED, LINKS, REFINED, LinkInputs
from treaty_clauses.manifest import GRAPHS, check_manifest
from treaty_clauses.packing import pack, packed_chars
from treaty_clauses.refine import Refiner
from treaty_clauses.span_inputs import BagTables, best_of_candidates, edges, feature_numbers, places, word_means
from treaty_clauses.spans import Layer, SpanSet
from treaty_clauses.vocabulary import Vocabulary
from treaty_clauses.words import WordTable

if TYPE_CHECKING:
    import openvino

Floats = npt.NDArray[np.float32]
#: Longer texts are read in windows: a row takes 46 kB a character and thread (OpenVINO 2026.4, six layers, 2026-11-23).
WINDOW_CHARS = 8192
_PAIRS_AT_ONCE = 16_384  # of each kind of link; bounds memory in texts of many clauses
_PAIRS_STEP = 64  # pairs are padded to multiples: the engine prepares every size it meets (measured: 10 ms against 3)


@dataclass(frozen=True, slots=True)
class FastConfig:
    """What config.json says that this runtime needs; `context_chars` is how far the encoder sees to either side."""

    version: str
    calibration: dict[str, float]
    word_size: int
    use_bags: bool
    count_bearers: bool
    context_chars: int

    @property
    def classifiers(self) -> dict[str, tuple[Layer, int]]:
        """The layer and the number of labels of each classifier."""
        return CLASSIFIERS | (COUNTED if self.count_bearers else {})


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


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that is being read; each of `pieces` is an article's number and what is kept of it, `[start, end)` in the row."""

    request: "openvino.InferRequest"
    pieces: list[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class FastPending:
    """Articles that are being read."""

    articles: Sequence[Encoded]
    rows: list[_Row]
    idle: "list[openvino.InferRequest]"

    def result(self) -> list[FastReading]:
        """The readings, once they are there."""
        parts: list[list[tuple[Floats, Floats, Floats]]] = [[] for _ in self.articles]
        for row in self.rows:
            row.request.wait()
            hidden, tags, weights = (row.request.get_output_tensor(place).data[0] for place in range(3))
            for number, start, end in row.pieces:
                parts[number].append((hidden[start:end].copy(), tags[start:end].copy(), weights[start:end].copy()))
            self.idle.append(row.request)
        readings = []
        for article, part in zip(self.articles, parts, strict=True):
            hidden, tags, weights = part[0] if len(part) == 1 else map(np.concatenate, zip(*part, strict=True))
            readings.append(FastReading(hidden, weights, article.words, tags.reshape(-1, len(Layer), TAGS)))
        return readings


class FastTagger:
    """Runs the exported graphs: each row of texts on one thread, as many rows at once as there are `threads`.

    With `exact` in fp32, else in the precision in which the processor is fastest.
    """

    def __init__(self, folder: Path, *, threads: int | None = None, exact: bool = False) -> None:
        check_manifest(folder)
        self.config = _read_config(folder)
        self.vocabulary = Vocabulary.load(folder / "vocabulary.txt")
        self.words = WordTable.load(folder / "words.txt") if self.config.word_size else None
        self._word_vectors, self._bag_tables, self._refiners = _read_tables(folder, self.config)
        self.threads = threads or _cores()
        self._reader, *self._heads = _compile(folder, self.threads, exact)
        # A layer sees `reach_chars` to either side, so with this context a window's characters are read as in the whole.
        self._context_chars = self.config.context_chars
        self._window_chars = max(WINDOW_CHARS, 3 * self._context_chars)
        self._idle: list[openvino.InferRequest] = []
        self._own = threading.local()  # a request serves one thread at a time

    def _request(self, graph: int) -> "openvino.InferRequest":
        if not hasattr(self._own, "requests"):
            self._own.requests = [compiled.create_infer_request() for compiled in self._heads]
        request: openvino.InferRequest = self._own.requests[graph]
        return request

    def start(self, articles: Sequence[Encoded]) -> FastPending:
        """Begin to read articles in the engine's threads."""
        rows: list[_Row] = []
        waiting: list[tuple[int, Encoded, Window]] = []
        for number, article in enumerate(articles):
            windows = plan_windows(len(article), window_chars=self._window_chars, context_chars=self._context_chars)
            for window in windows:
                piece = article if len(windows) == 1 else _cut(article, window)
                chars = sum(packed_chars(len(one)) for _, one, _ in waiting) + packed_chars(len(piece))
                if waiting and chars > self._window_chars:
                    rows.append(self._start_row(waiting))
                    waiting = []
                waiting.append((number, piece, window))
        if waiting:
            rows.append(self._start_row(waiting))
        return FastPending(articles, rows, self._idle)

    def _start_row(self, pieces: Sequence[tuple[int, Encoded, Window]]) -> _Row:
        packed = pack([piece for _, piece, _ in pieces])
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._reader.create_infer_request()
        request.start_async(packed.inputs, share_inputs=False)
        kept = [
            (number, start + window.keep_start - window.start, start + window.keep_end - window.start)
            for (number, _, window), (start, _) in zip(pieces, packed.spans, strict=True)
        ]
        return _Row(request, kept)

    def describe(self, reading: FastReading, spans: SpanSet, bags: SpanBags) -> FastDescribed:
        """Vectors and labels of the spans decoded from a reading."""
        counts = [spans.count(layer) for layer in Layer]
        starts = dict(zip(Layer, (sum(counts[:number]) for number in range(len(counts))), strict=True))
        votes = {}
        if self._bag_tables is not None:
            votes = self._bag_tables.votes(bags)
        if not sum(counts):
            labels = {name: np.zeros((0, size), np.float32) for name, (_, size) in self.config.classifiers.items()}
            none = np.zeros((0, 0), np.float32)
            return FastDescribed(none, starts, labels, votes, np.zeros((0, CHANNELS["attribution"]), np.float32))
        bounds = np.concatenate([spans.layers[layer] for layer in Layer])
        inputs = {
            "edges": edges(reading.hidden, reading.weights, bounds),
            "kinds": np.repeat(np.arange(len(counts), dtype=np.int32), counts),
            "places": places(bounds),
        }
        if self._word_vectors is not None:
            inputs["words"] = word_means(self._word_vectors[reading.words], bounds)
        found = {name.get_any_name(): value for name, value in self._request(0).infer(inputs).items()}
        own = {layer: slice(starts[layer], starts[layer] + spans.count(layer)) for layer in Layer}
        labels = {name: found[name][own[layer]] for name, (layer, _) in self.config.classifiers.items()}
        return FastDescribed(found["vectors"], starts, labels, votes, found["unnamed"][own[Layer.CLAUSE]])

    def link(self, described: FastDescribed, inputs: LinkInputs) -> dict[str, Floats]:
        """Link logits (sources, entities, links) of every scorer."""
        parts: dict[str, list[Floats]] = {name: [np.zeros((0, CHANNELS[name]), np.float32)] for name in LINKS}
        for first in range(0, max(len(pairs.sources) for pairs in inputs.pairs.values()), _PAIRS_AT_ONCE):
            asked: dict[str, Any] = {"vectors": described.vectors}
            part = slice(first, first + _PAIRS_AT_ONCE)
            for name, (source, target, _) in LINKS.items():
                pairs = inputs.pairs[name]
                asked[f"{name}.sources"] = _padded(pairs.sources[part] + described.starts[source])
                asked[f"{name}.targets"] = _padded(pairs.mentions[part] + described.starts[target])
                asked[f"{name}.features"] = _padded(feature_numbers(pairs)[part])
            found = {name.get_any_name(): value for name, value in self._request(1).infer(asked).items()}
            for name in LINKS:
                parts[name].append(found[name][: len(inputs.pairs[name].sources[part])])
        tables = {name: best_of_candidates(inputs.pairs[name], np.concatenate(parts[name])) for name in LINKS}
        tables["attribution"] = np.concatenate([tables["attribution"], described.unnamed[:, None]], axis=1)
        return tables | {name: refiner(tables[name]) for name, refiner in self._refiners.items()}


def _cut(article: Encoded, window: Window) -> Encoded:
    return Encoded(*(getattr(article, field.name)[window.start : window.end] for field in fields(Encoded)))


def _padded(rows: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """The rows and some of zeros, a multiple of _PAIRS_STEP in all and at least one."""
    padded = np.zeros((max(1, -(-len(rows) // _PAIRS_STEP)) * _PAIRS_STEP, *rows.shape[1:]), np.int32)
    padded[: len(rows)] = rows
    return padded


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _read_config(folder: Path) -> FastConfig:
    path = folder / "config.json"
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        encoder = table["encoder"]
        return FastConfig(
            version=table["version"],
            calibration=table["calibration"],
            word_size=table.get("word_size", 0) if table.get("word_count", 0) else 0,
            use_bags=table["heads"].get("use_bags", False),
            count_bearers=table["heads"].get("count_bearers", False),
            context_chars=encoder["layers"] * encoder["reach_chars"] + encoder["mixing_width"],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder}: missing or damaged model: {error}; restore the folder or name another") from error


def _read_tables(folder: Path, config: FastConfig) -> tuple[Floats | None, BagTables | None, dict[str, Refiner]]:
    """The word vectors, the bag-of-words classifiers and the refiners: small work on tables needs no graph."""
    words: Floats | None = None
    bags: BagTables | None = None
    try:
        if config.word_size:
            with safe_open(folder / "words.safetensors", framework="numpy") as tensors:
                words = tensors.get_tensor("words.weight")
        with safe_open(folder / "model.safetensors", framework="numpy") as tensors:
            refiners = {name: Refiner.read(tensors.get_tensor, f"heads.refiners.{name}.") for name in REFINED}
            if config.use_bags:
                parts = [
                    [tensors.get_tensor(f"heads.bags.{name}.{part}") for name in BAGGED]
                    for part in ("inside.weight", "beside.weight", "bias")
                ]
                bags = BagTables(BAGGED, *(np.concatenate(part, axis=-1) for part in parts))
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{folder}: missing or damaged model: {error}; restore the folder or name another") from error
    return words, bags, refiners


def _compile(folder: Path, threads: int, exact: bool) -> "list[openvino.CompiledModel]":
    core = import_engine().Core()
    exactly = {"INFERENCE_PRECISION_HINT": "f32"}
    reader = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": threads, **(exactly if exact else {})}
    heads = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, **exactly}
    try:
        return [
            core.compile_model(folder / f"{name}.xml", "CPU", reader if name == "reader" else heads) for name in GRAPHS
        ]
    except RuntimeError as error:
        raise ModelError(
            f"{folder}: cannot run the exported graphs: {error}; run `treaty-clauses export {folder}`"
        ) from error
