"""The tagger: one encoder with hints from jieba, gazetteer and number grammar, and the heads; its folder on disk."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from treaty_clauses.band import BandEncoder
from treaty_clauses.encode import GAZETTEER_HINTS, QUANTITY_HINTS, Encoded, plan_windows
from treaty_clauses.encoder import CharEncoder, EncoderConfig, HubEncoder
from treaty_clauses.errors import ModelError
from treaty_clauses.grams import SpanBags
from treaty_clauses.heads import Described, Heads, HeadsConfig
from treaty_clauses.links import LinkInputs
from treaty_clauses.packing import Ids, pack
from treaty_clauses.spans import SpanSet
from treaty_clauses.vocabulary import Vocabulary
from treaty_clauses.words import UNKNOWN, WordTable

FORMAT = 2  # raised when a folder written before can no longer be read
_WORD_VECTORS = "words.weight"  # in a file of its own: no file of a model is larger than 40 MB
_CHANNELS = ("characters", "boundaries", "gazetteer", "quantities", "words", "texts")  # in the order of `Tagger.forward`
_BATCH_CHARS = 16_384  # characters read at once: bounds memory whatever the article's length


@dataclass(frozen=True, slots=True)
class TaggerConfig:
    """What a model folder's config.json says. `hub` holds a Hugging Face configuration instead of `encoder`.

    `word_count` rows of `word_size` make the table of word vectors; 0 for a model without one.
    """

    encoder: EncoderConfig | None
    heads: HeadsConfig
    window_chars: int = 512
    context_chars: int = 128
    use_boundaries: bool = True
    use_gazetteer: bool = True
    use_quantities: bool = True
    hub: dict[str, Any] | None = None
    word_count: int = 0
    word_size: int = 0
    calibration: dict[str, float] = field(default_factory=dict)
    version: str = "untrained"


@dataclass(frozen=True, slots=True)
class FixedShape:
    """A compiled form of the tagger's network and the numbers of windows it may be called with, the largest first."""

    network: Callable[..., Tensor]
    windows: tuple[int, ...]


class Tagger(nn.Module):
    """Encoder and heads. `forward` reads windows: five (windows, length) id tensors and their texts -> hidden states."""

    def __init__(self, config: TaggerConfig) -> None:
        super().__init__()
        self.config = config
        if config.hub is not None:
            self.encoder: CharEncoder | HubEncoder = HubEncoder(config.hub)
        elif config.encoder is not None:
            self.encoder = CharEncoder(config.encoder)
        else:
            raise ValueError("the configuration names neither `encoder` nor `hub`")
        size = int(self.encoder.hidden_size)
        self.gazetteer = nn.Embedding(GAZETTEER_HINTS, size, padding_idx=0)
        self.quantities = nn.Embedding(QUANTITY_HINTS, size, padding_idx=0)
        nn.init.zeros_(self.gazetteer.weight)
        nn.init.zeros_(self.quantities.weight)
        self.words: nn.Embedding | None = None
        if config.word_count:
            self.words = nn.Embedding(config.word_count, config.word_size, padding_idx=UNKNOWN)
            self.words.weight.requires_grad_(False)
            self.word_input = nn.Linear(config.word_size, size, bias=False)
            nn.init.zeros_(self.word_input.weight)
        self.heads = Heads(size, config.heads, config.word_size)

    def forward(
        self, characters: Tensor, boundaries: Tensor, gazetteer: Tensor, quantities: Tensor, words: Tensor, texts: Tensor
    ) -> Tensor:
        """(windows, length) each, `texts` as in `CharEncoder` -> (windows, length, hidden)."""
        if not self.config.use_boundaries:
            boundaries = torch.zeros_like(boundaries)
        hidden: Tensor = self.encoder(characters, boundaries, texts, self.hints(gazetteer, quantities, words))
        return hidden

    def hints(self, gazetteer: Tensor, quantities: Tensor, words: Tensor) -> Tensor | None:
        """What is added to the characters' embeddings: (windows, length) each -> (windows, length, hidden)."""
        hints: Tensor | None = None
        if self.config.use_gazetteer:
            hints = self.gazetteer(gazetteer)
        if self.config.use_quantities:
            hints = self.quantities(quantities) if hints is None else hints + self.quantities(quantities)
        if self.words is not None:
            known = self.word_input(self.words(words))
            hints = known if hints is None else hints + known
        return hints

    def embed(
        self, characters: Tensor, boundaries: Tensor, gazetteer: Tensor, quantities: Tensor, words: Tensor, texts: Tensor
    ) -> Tensor:
        """What the layers of a character encoder read; shapes as in `forward`."""
        assert isinstance(self.encoder, CharEncoder)
        if not self.config.use_boundaries:
            boundaries = torch.zeros_like(boundaries)
        return self.encoder.embed(characters, boundaries, texts, self.hints(gazetteer, quantities, words))

    def word_vectors(self, article: Encoded) -> Tensor:
        """(length, word_size): the vector of the word that each character lies in."""
        if self.words is None:
            return next(self.parameters()).new_zeros((len(article), 0))
        rows = torch.from_numpy(article.words.astype(np.int64)).to(self.words.weight.device)
        vectors: Tensor = self.words(rows)
        return vectors

    def read(
        self, articles: Sequence[Encoded], *, window_chars: int, context_chars: int, fixed: FixedShape | None = None
    ) -> list[Tensor]:
        """Hidden states (length, hidden) of each article, stitched from overlapping windows.

        With `fixed`, every call of the network has one of its shapes and goes through its compiled form, and articles share
        windows, so that few characters are padding; a Hugging Face encoder cannot tell texts apart, so it shares none.
        """
        are_joined = fixed is not None and isinstance(self.encoder, CharEncoder)
        groups = [list(articles)] if are_joined else [[article] for article in articles]
        hidden: list[Tensor] = []
        for group in groups:
            packed = pack(group)
            row = self._read_row(packed.inputs, window_chars, context_chars, fixed)
            hidden += [row[start:end] for start, end in packed.spans]
        return hidden

    def _read_row(
        self, inputs: dict[str, Ids], window_chars: int, context_chars: int, fixed: FixedShape | None
    ) -> Tensor:
        """Read a row of packed texts (1, length) in windows: (length, hidden)."""
        channels = np.concatenate([inputs[name] for name in _CHANNELS])  # (channels, length)
        plan = plan_windows(channels.shape[1], window_chars=window_chars, context_chars=context_chars)
        device = next(self.parameters()).device
        if not plan:
            return torch.zeros((0, self.encoder.hidden_size), device=device)
        longest = window_chars if fixed else plan[0].end
        network = fixed.network if fixed else self
        most = max(1, _BATCH_CHARS // longest)
        pieces: list[Tensor] = []
        first = 0
        while first < len(plan):
            left = len(plan) - first
            rows = next((n for n in fixed.windows if n <= left), fixed.windows[-1]) if fixed else min(most, left)
            part = plan[first : first + rows]
            batch = np.zeros((len(_CHANNELS), rows, longest), np.int64)
            for number, window in enumerate(part):
                batch[:, number, : window.end - window.start] = channels[:, window.start : window.end]
            hidden = network(*torch.from_numpy(batch).to(device))
            pieces += [
                hidden[number, window.keep_start - window.start : window.keep_end - window.start]
                for number, window in enumerate(part)
            ]
            first += rows
        return torch.cat(pieces)


@dataclass(frozen=True, slots=True)
class Reading:
    """One article as read: states (length, hidden), word vectors, and tag log-probabilities (length, layers, tags)."""

    hidden: Tensor
    words: Tensor
    tags: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Finished:
    """Articles that have been read."""

    readings: list[Reading]

    def result(self) -> list[Reading]:
        """The readings."""
        return self.readings


class TorchTagger:
    """The tagger's reference runtime. Articles are read one by one, so results do not depend on what is batched."""

    def __init__(self, model: Tagger, vocabulary: Vocabulary, words: WordTable | None = None) -> None:
        self.model = model.eval()
        self.vocabulary = vocabulary
        self.words = words
        # bf16 pays only where the processor multiplies it natively (AMX); elsewhere fp32 is faster and the reference
        self._bf16 = torch.cpu._is_amx_tile_supported()
        encoder = self.model.encoder
        self._band: BandEncoder | None = None
        if isinstance(encoder, CharEncoder) and encoder.config.reach_chars > 0:
            self._band = BandEncoder(encoder).eval()

    @property
    def config(self) -> TaggerConfig:
        """What the model's folder says of it."""
        return self.model.config

    def start(self, articles: Sequence[Encoded]) -> "Finished":
        """Read articles one by one."""
        return Finished([self.read(article) for article in articles])

    @torch.inference_mode()
    def read(self, encoded: Encoded) -> Reading:
        """Read one article."""
        config = self.config
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            if self._band is not None:
                hidden = self._read_packed(encoded, self._band)
            else:
                hidden = self.model.read(
                    [encoded], window_chars=config.window_chars, context_chars=config.context_chars
                )[0]
            tags = self.model.heads.tag(hidden)
        return Reading(hidden, self.model.word_vectors(encoded), tags.float().numpy())

    def _read_packed(self, encoded: Encoded, band: BandEncoder) -> Tensor:
        inputs = {name: torch.from_numpy(values) for name, values in pack([encoded]).inputs.items()}
        texts, positions = inputs.pop("texts"), inputs.pop("positions")
        hidden: Tensor = band(self.model.embed(**inputs, texts=texts), texts, positions)
        return hidden[0, : len(encoded)]

    @torch.inference_mode()
    def describe(self, reading: Reading, spans: SpanSet, bags: SpanBags) -> Described:
        """Vectors and labels of the spans decoded from a reading."""
        return self.model.heads.describe(reading.hidden, spans, reading.words, bags)

    @torch.inference_mode()
    def link(self, described: Described, inputs: LinkInputs) -> dict[str, npt.NDArray[np.float32]]:
        """Link logits (sources, entities, links) of every scorer."""
        return {name: scores.numpy() for name, scores in self.model.heads.link(described, inputs).items()}


def save_tagger(model: Tagger, vocabulary: Vocabulary, folder: Path, words: WordTable | None = None) -> None:
    """Write config.json, vocabulary.txt, model.safetensors (fp16); words.txt and words.safetensors for word vectors."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary.save(folder / "vocabulary.txt")
    if words is not None:
        words.save(folder / "words.txt")
    table = {"format": FORMAT, **asdict(model.config)}
    (folder / "config.json").write_text(json.dumps(table, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    tensors = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    vectors = tensors.pop(_WORD_VECTORS, None)
    save_file(tensors, folder / "model.safetensors")
    if vectors is not None:
        save_file({_WORD_VECTORS: vectors}, folder / "words.safetensors")


def load_tagger(folder: Path) -> TorchTagger:
    """Load a model folder.

    Raises:
        ModelError: The folder is missing, incomplete, damaged, or of another format.
    """
    path = folder / "config.json"
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        found = table.pop("format", None)
        if found != FORMAT:
            raise ModelError(
                f"{path}: model format {found!r}, this version reads {FORMAT}; train or fetch a matching model"
            )
        encoder = table.pop("encoder")
        config = TaggerConfig(
            **{
                **table,
                "heads": HeadsConfig(**table["heads"]),
                "encoder": EncoderConfig(**encoder) if encoder else None,
            }
        )
        model = Tagger(config)
        files = ["model.safetensors", *(["words.safetensors"] if config.word_count else [])]
        weights = {n: value.float() for file in files for n, value in load_file(folder / file).items()}
        model.load_state_dict(weights)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder}: missing or damaged model: {error}; restore the folder or name another") from error
    vocabulary = Vocabulary.load(folder / "vocabulary.txt")
    if len(vocabulary) != model.encoder.vocabulary_size:
        raise ModelError(
            f"{folder}: the vocabulary has {len(vocabulary)} entries, the weights {model.encoder.vocabulary_size}; "
            "restore the folder or name another"
        )
    words = WordTable.load(folder / "words.txt") if config.word_count else None
    if words is not None and len(words) != config.word_count:
        raise ModelError(
            f"{folder}: the word list has {len(words)} rows, the weights {config.word_count}; "
            "restore the folder or name another"
        )
    return TorchTagger(model, vocabulary, words)
