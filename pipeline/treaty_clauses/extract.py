"""The one place where the stages are wired: articles in, exactly one record each out, in order."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from treaty_clauses.actors import link_mentions
from treaty_clauses.decode import OUTSIDE, decode_spans
from treaty_clauses.encode import ArticleEncoder
from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.io import parse_date
from treaty_clauses.labels import ActorKind
from treaty_clauses.links import link_inputs
from treaty_clauses.merge import merge_sections
from treaty_clauses.paths import default_model
from treaty_clauses.proposals import RecordBuilder, Scores, Thresholds, cluster_names, empty_record
from treaty_clauses.segment import Segmenter
from treaty_clauses.spans import Discourse, Layer
from treaty_clauses.types import Article, ArticleRecord

if TYPE_CHECKING:
    from treaty_clauses.tagger import TorchTagger

Floats = npt.NDArray[np.float32]

#: A longer article is read in sections cut at paragraph ends, so that time and memory stay linear in its length.
SECTION_CHARS = 20_000
_SURROGATE = re.compile("[\ud800-\udfff]")  # no JSON text can hold one, so no record quotes it


class Extractor:
    """Reads articles into records. Holds the model; safe to use for any number of articles.

    >>> extractor = load()                                                        # doctest: +SKIP
    >>> record = extractor.extract("甲乙兩國同意停火。", published="2025-11-24")  # doctest: +SKIP
    """

    def __init__(self, tagger: "TorchTagger", segmenter: Segmenter, gazetteer: Gazetteer) -> None:
        self._tagger = tagger
        self._gazetteer = gazetteer
        self._encoder = ArticleEncoder(tagger.vocabulary, segmenter, gazetteer)
        calibration = tagger.config.calibration
        self._biases = {layer: calibration.get(f"bias_{layer.value}", 0.0) for layer in Layer}
        prefix = "threshold_"
        chosen = {name.removeprefix(prefix): v for name, v in calibration.items() if name.startswith(prefix)}
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

    def pipe(self, articles: Iterable[Article]) -> Iterator[ArticleRecord]:
        """Records of a stream of articles, one each, in order; holds no more than one article at a time."""
        for article in articles:
            yield self.extract_article(article)

    def extract_article(self, article: Article) -> ArticleRecord:
        """The record of one article."""
        model = self._tagger.config.version
        if not article.text.strip():
            return empty_record(article, model=model, warnings=["the article is empty"])
        sections = cut_sections(article.text, most=SECTION_CHARS)
        records = [self._read_section(replace(article, text=article.text[start:end])) for start, end in sections]
        if len(records) == 1:
            return records[0]
        return merge_sections(article, records, [start for start, _ in sections])

    def _read_section(self, article: Article) -> ArticleRecord:
        tagger, text = self._tagger, article.text
        reading = tagger.read(self._encoder.encode(text))
        broken = [match.start() for match in _SURROGATE.finditer(text)]
        spans = decode_spans(_outside(reading.tags, broken), bias=self._biases)
        described = tagger.describe(reading, spans)
        labels = {name: _softmax(logits.float().numpy()) for name, logits in described.labels.items()}
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
        choices = np.concatenate([logits["attribution"][..., 0], described.unnamed.float().numpy()[:, None]], axis=1)
        scores = Scores(
            labels=labels,
            roles=_sigmoid(logits["roles"]),
            attribution=_softmax(choices),
            proposers=_sigmoid(logits["proposers"][..., 0]),
            conditions=_sigmoid(logits["conditions"][..., 0]),
            same_norm=_sigmoid(logits["same_norm"][..., 0]),
        )
        builder = RecordBuilder(article, spans, links, scores, thresholds=self._thresholds, model=tagger.config.version)
        if broken:
            builder.warnings.append(f"{len(broken)} lone surrogates, first at {broken[0]}: nothing is quoted across them")
        return builder.build()


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
    return np.asarray(expit(logits), np.float32)


def _softmax(logits: Floats) -> Floats:
    return np.asarray(softmax(logits, axis=-1), np.float32)


def load(model: Path | str | None = None) -> Extractor:
    """Load the extractor with the default model, or with the model folder `model`.

    Raises:
        ModelError: The folder is missing or damaged.
    """
    from treaty_clauses.tagger import load_tagger

    tagger = load_tagger(Path(model) if model is not None else default_model())
    return Extractor(tagger, Segmenter(), Gazetteer.load())
