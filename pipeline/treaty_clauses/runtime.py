"""What the extractor asks of a tagger's runtime; `tagger.TorchTagger` is the reference, `fast.FastTagger` the default."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from treaty_clauses.encode import Encoded
from treaty_clauses.grams import SpanBags
from treaty_clauses.links import LinkInputs
from treaty_clauses.spans import SpanSet
from treaty_clauses.vocabulary import Vocabulary
from treaty_clauses.words import WordTable


class Settings(Protocol):
    """What the extractor needs to know of a model."""

    @property
    def version(self) -> str:
        """The name that records carry."""

    @property
    def calibration(self) -> dict[str, float]:
        """Thresholds and biases set on dev."""


class Reading(Protocol):
    """One article as read; what else it holds is the runtime's own."""

    @property
    def tags(self) -> npt.NDArray[np.float32]:
        """Tag log-probabilities (length, layers, tags)."""


class Described(Protocol):
    """What the heads say of an article's spans; arrays, or tensors that NumPy can read."""

    @property
    def labels(self) -> Mapping[str, Any]:
        """(spans, labels) logits of each classifier."""

    @property
    def votes(self) -> Mapping[str, Any]:
        """(spans, labels) logits of the bag-of-words classifiers."""

    @property
    def unnamed(self) -> Any:
        """(clauses, channels) of belonging to no named proposal."""


class Pending(Protocol):
    """Articles that are being read."""

    def result(self) -> Sequence[Any]:
        """Their `Reading`s, in order, once they are there."""


class Runtime(Protocol):
    """Runs a tagger's network. What it says of an article does not depend on what is read beside it."""

    @property
    def config(self) -> Settings:
        """What the model's folder says of it."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The characters the model knows."""

    @property
    def words(self) -> WordTable | None:
        """The words it has vectors of."""

    def start(self, articles: Sequence[Encoded]) -> Pending:
        """Begin to read articles; returns at once where the runtime has threads of its own."""

    def describe(self, reading: Any, spans: SpanSet, bags: SpanBags) -> Any:
        """The `Described` of the spans decoded from a reading."""

    def link(self, described: Any, inputs: LinkInputs) -> dict[str, npt.NDArray[np.float32]]:
        """Link logits (sources, entities, links) of every scorer."""
