"""The one place where the stages are wired: articles in, exactly one record each out, in order."""

import logging
import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from treaty_clauses.actors import link_mentions
from treaty_clauses.decode import OUTSIDE, decode_spans
from treaty_clauses.encode import ArticleEncoder, Encoded
from treaty_clauses.engine import import_engine
from treaty_clauses.errors import ModelError
from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.grams import span_bags
from treaty_clauses.io import parse_date
from treaty_clauses.labels import ActorKind
from treaty_clauses.links import link_inputs
from treaty_clauses.manifest import MANIFEST
from treaty_clauses.merge import merge_sections
from treaty_clauses.packing import packed_chars
from treaty_clauses.paths import default_model
from treaty_clauses.proposal_names import cluster_names, join_names, tell_apart, trust_names
from treaty_clauses.proposals import RecordBuilder, Scores, Thresholds, empty_record
from treaty_clauses.runtime import Described, Pending, Reading, Runtime
from treaty_clauses.segment import Segmenter
from treaty_clauses.spans import Discourse, Layer
from treaty_clauses.types import Article, ArticleRecord

Floats = npt.NDArray[np.float32]
_log = logging.getLogger(__name__)

#: A longer article is read in sections cut at paragraph ends, so that time and memory stay linear in its length.
SECTION_CHARS = 20_000
#: Sections are read together up to this size, padding included; longer rows take more memory and are no faster.
ROW_CHARS = 2048
#: How far a stream of files is read ahead: enough to keep every core of a small machine at work.
AHEAD_CHARS = 32_768
Backend = Literal["fast", "torch"]
_LEAST = -3.0e38  # below every logit
_SURROGATE = re.compile("[\ud800-\udfff]")  # no JSON text can hold one, so no record quotes it


@dataclass(frozen=True, slots=True)
class _Section:
    """A stretch of an article, as an article of its own that begins at `start`; `encoded` is None where it is empty."""

    article: Article
    piece: Article
    start: int
    is_last: bool
    encoded: Encoded | None

    @property
    def chars(self) -> int:
        return packed_chars(len(self.piece.text)) if self.encoded else 0


@dataclass(frozen=True, slots=True)
class _Row:
    """Sections that are being read together."""

    sections: list[_Section]
    pending: Pending
    chars: int


class Extractor:
    """Reads articles into records. Holds the model; safe to use for any number of articles.

    >>> extractor = load()                                                        # doctest: +SKIP
    >>> record = extractor.extract("甲乙兩國同意停火。", published="2025-11-24")  # doctest: +SKIP
    """

    def __init__(self, tagger: Runtime, segmenter: Segmenter, gazetteer: Gazetteer) -> None:
        self._tagger = tagger
        self._gazetteer = gazetteer
        self._encoder = ArticleEncoder(tagger.vocabulary, segmenter, gazetteer, tagger.words)
        calibration = tagger.config.calibration
        self._biases = {layer: calibration.get(f"bias_{layer.value}", 0.0) for layer in Layer}
        self._vote = calibration.get("weight_votes", 1.0)
        self._unnamed = np.float32(calibration.get("bias_unnamed", 0.0))
        self._trust = calibration.get("weight_certainty", 0.0)
        prefix = "threshold_"
        chosen = {name.removeprefix(prefix): v for name, v in calibration.items() if name.startswith(prefix)}
        chosen |= {name: value for name, value in calibration.items() if name.startswith("confidence_")}
        chosen["count_weight"] = calibration.get("weight_count", 1.0)
        self._thresholds = Thresholds(**chosen)

    def extract(self, text: str, *, published: date | str | None = None, article_id: str = "article") -> ArticleRecord:
        """The record of one text.

        Args:
            text: The article as it was published; offsets in the record count its code points.
            published: Its date, a `date` or "YYYY-MM-DD"; dates without a year are completed with it.
            article_id: The id the record carries.

        Raises:
            InputError: `published` is no date.
        """
        day = parse_date(published, where="published") if isinstance(published, str) else published
        return self.extract_article(Article(article_id, text, day))

    def pipe(self, articles: Iterable[Article], *, ahead_chars: int = 0) -> Iterator[ArticleRecord]:
        """Records of a stream of articles, one each, in order, whatever stands beside them.

        An article is taken from the stream when the records of those before it have been given, or with `ahead_chars`
        (AHEAD_CHARS is enough to use all cores) up to so many characters earlier.
        """
        records: list[ArticleRecord] = []
        starts: list[int] = []
        for section, record in self._read(self._sections(articles), ahead_chars):
            records.append(record)
            starts.append(section.start)
            if section.is_last:
                yield records[0] if len(records) == 1 else merge_sections(section.article, records, starts)
                records, starts = [], []

    def extract_article(self, article: Article) -> ArticleRecord:
        """The record of one article."""
        (record,) = self.pipe([article], ahead_chars=AHEAD_CHARS)
        return record

    def _sections(self, articles: Iterable[Article]) -> Iterator[_Section]:
        for article in articles:
            if not article.text.strip():
                yield _Section(article, article, 0, True, None)
                continue
            for start, end in cut_sections(article.text, most=SECTION_CHARS):
                text = article.text[start:end]
                is_last = end == len(article.text)
                yield _Section(article, replace(article, text=text), start, is_last, self._encoder.encode(text))

    def _read(self, sections: Iterable[_Section], ahead_chars: int) -> Iterator[tuple[_Section, ArticleRecord]]:
        """Read sections in rows of up to ROW_CHARS, and no more than `ahead_chars` before the first is finished."""
        rows: deque[_Row] = deque()
        row: list[_Section] = []
        row_chars = ahead = 0
        for section in sections:
            if row and row_chars + section.chars > ROW_CHARS:
                rows.append(self._start(row, row_chars))
                row, row_chars = [], 0
            row.append(section)
            row_chars += section.chars
            ahead += section.chars
            if ahead > ahead_chars or not ahead_chars:
                if not rows:
                    rows.append(self._start(row, row_chars))
                    row, row_chars = [], 0
                ahead -= rows[0].chars
                yield from self._finish(rows.popleft())
        if row:
            rows.append(self._start(row, row_chars))
        while rows:
            yield from self._finish(rows.popleft())

    def _start(self, sections: list[_Section], chars: int) -> _Row:
        return _Row(sections, self._tagger.start([s.encoded for s in sections if s.encoded is not None]), chars)

    def _finish(self, row: _Row) -> Iterator[tuple[_Section, ArticleRecord]]:
        readings = iter(row.pending.result())
        for section in row.sections:
            if section.encoded is None:
                model = self._tagger.config.version
                yield section, empty_record(section.article, model=model, warnings=["the article is empty"])
            else:
                yield section, self._build(section.piece, section.encoded, next(readings))

    def _build(self, article: Article, encoded: Encoded, reading: Reading) -> ArticleRecord:
        tagger, text = self._tagger, article.text
        broken = [match.start() for match in _SURROGATE.finditer(text)]
        spans = decode_spans(_outside(reading.tags, broken), bias=self._biases)
        bags = span_bags(text, encoded.boundaries, encoded.words, spans.layers[Layer.CLAUSE])
        described = tagger.describe(reading, spans, bags)
        labels = {name: self._label(described, name) for name in described.labels}
        kinds = [list(ActorKind)[index] for index in labels["kind"].argmax(axis=1).tolist()]
        places = [(int(start), int(end)) for start, end in spans.layers[Layer.ACTOR].tolist()]
        links = link_mentions(text, places, self._gazetteer, kinds=kinds, published=article.published)
        numbers: dict[str, int] = {}
        spans = replace(
            spans,
            actor_entities=np.array([numbers.setdefault(link.key, len(numbers)) for link in links], np.int64),
            proposal_entities=cluster_names(text, spans.layers[Layer.PROPOSAL]),
        )
        logits = tagger.link(described, link_inputs(spans, Discourse.of(text)))
        logits["attribution"][:, -1] += self._unnamed
        entities, attribution = join_names(
            spans.proposal_entities,
            np.tril(_sigmoid(logits["same_proposal"][..., 0]), -1),
            tell_apart(text, spans.layers[Layer.PROPOSAL]),
            _softmax(logits["attribution"][..., 0]),
            threshold=self._thresholds.same_proposal,
        )
        spans = replace(spans, proposal_entities=entities)
        attribution = trust_names(attribution, entities, spans.scores[Layer.PROPOSAL], weight=self._trust)
        scores = Scores(
            labels=labels,
            roles=_sigmoid(logits["roles"]),
            attribution=attribution,
            proposers=_sigmoid(logits["proposers"][..., 0]),
            conditions=_sigmoid(logits["conditions"][..., 0]),
            same_norm=_sigmoid(logits["same_norm"][..., 0]),
        )
        builder = RecordBuilder(article, spans, links, scores, thresholds=self._thresholds, model=tagger.config.version)
        if broken:
            builder.warnings.append(f"{len(broken)} lone surrogates, first at {broken[0]}: nothing is quoted across them")
        return builder.build()

    def _label(self, described: Described, name: str) -> Floats:
        """Probabilities (spans, labels): those of the network, and with a weight those of the bag-of-words classifier."""
        scores = _log_softmax(np.asarray(described.labels[name]))
        if name in described.votes:
            scores = scores + self._vote * _log_softmax(np.asarray(described.votes[name]))
        return _softmax(scores)


def cut_sections(text: str, *, most: int) -> list[tuple[int, int]]:
    """Cut a text into stretches of at most `most` characters, at the last line break or full stop that allows it.

    >>> cut_sections("甲。乙。丙。", most=4)
    [(0, 4), (4, 6)]
    """
    sections = []
    start = 0
    while len(text) - start > most:
        end = max(text.rfind(mark, start + most // 2, start + most) for mark in ("\n", "。")) + 1
        if end <= start:
            end = start + most
        sections.append((start, end))
        start = end
    sections.append((start, len(text)))
    return sections


def _outside(tags: Floats, positions: list[int]) -> Floats:
    """Tag scores (length, layers, TAGS) by which no span holds one of the positions."""
    if not positions:
        return tags
    tags = tags.copy()
    tags[positions] = -1e6
    tags[positions, :, OUTSIDE] = 0.0
    return tags


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -80, 80).astype(np.float64))), np.float32)


def _softmax(logits: Floats) -> Floats:
    return np.asarray(np.exp(_log_softmax(logits)), np.float32)


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True, initial=_LEAST)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), np.float32)


def load(model: Path | str | None = None, *, backend: Backend | None = None) -> Extractor:
    """Load the extractor with the default model, or with the model folder `model`.

    Args:
        model: A model folder.
        backend: "fast" runs the graphs that `treaty-clauses export` has written into the folder, "torch" the reference;
            without it the fast one where the folder has graphs that fit its weights and OpenVINO is installed.

    Raises:
        ModelError: The folder is missing or damaged, or what the backend needs is not installed.
    """
    folder = Path(model) if model is not None else default_model()
    with ThreadPoolExecutor(max_workers=1) as pool:  # the engine prepares its graphs while the dictionaries are read
        runtime = pool.submit(load_runtime, folder, backend)
        segmenter, gazetteer = Segmenter(), Gazetteer.load()
        return Extractor(runtime.result(), segmenter, gazetteer)


def load_runtime(folder: Path, backend: Backend | None = None) -> Runtime:
    """Load a model folder into a runtime; see `load`. Graphs that cannot be used are passed over with a warning.

    Raises:
        ModelError: The folder is missing or damaged, or what the backend needs is not installed.
    """
    if backend == "torch" or (backend is None and not (folder / MANIFEST).exists()):
        return _load_torch(folder)
    try:
        return _load_fast(folder)
    except ModelError as error:
        if backend == "fast":
            raise
        _log.warning("%s; going on with the torch backend, which is slower", error)
        return _load_torch(folder)


def _load_fast(folder: Path) -> Runtime:
    try:
        import_engine()
    except ImportError as error:
        raise ModelError(f"{folder}: the fast backend needs OpenVINO ({error}); run pip install openvino") from error
    from treaty_clauses.fast import FastTagger

    return FastTagger(folder)


def _load_torch(folder: Path) -> Runtime:
    try:
        from treaty_clauses.tagger import load_tagger
    except ImportError as error:
        if (error.name or "").startswith("treaty_clauses"):
            raise
        raise ModelError(
            f"{folder}: the torch backend needs {error.name}; install treaty-clauses[train], or name a folder with graphs "
            "of `treaty-clauses export`"
        ) from error
    return load_tagger(folder)
