"""What a training of the tagger starts from: its recipe, and the network that the recipe names."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from treaty_clauses.encoder import CharEncoder, EncoderConfig
from treaty_clauses.errors import ConfigError, ModelError
from treaty_clauses.heads import HeadsConfig
from treaty_clauses.tagger import Tagger, TaggerConfig, load_tagger
from treaty_clauses.training.augment import AugmentConfig
from treaty_clauses.training.losses import LossWeights
from treaty_clauses.training.wordvectors import read_vectors
from treaty_clauses.vocabulary import Vocabulary
from treaty_clauses.words import WordTable


@dataclass(frozen=True, slots=True)
class GoldSource:
    """A JSON Lines file of gold records, where its texts lie, and how often each article is seen an epoch.

    The share goes evenly from `share` in the first epoch to `last_share` in the last; 0.4 is a draw, 1.5 once or twice.
    With `part` below 1 only that part of the articles is read at all, chosen by their ids: a smaller part lies within a
    larger one, as a learning curve needs.
    """

    records: Path
    texts: Path
    share: float = 1.0
    last_share: float = 1.0
    part: float = 1.0

    def has(self, article_id: str) -> bool:
        """Whether an article is in the part that is read."""
        digest = hashlib.sha256(article_id.encode()).digest()
        return int.from_bytes(digest[:4], "big") < self.part * 2**32


@dataclass(frozen=True, slots=True)
class TrainRecipe:
    """Everything that decides a training; lengths in characters.

    `encoder` is a folder with a pretrained encoder of this package, `hub` a Hugging Face encoder's name or folder, and
    `tagger` the folder of a trained tagger to go on from, whose heads, inputs and word vectors are taken as they are;
    with none of these the encoder starts from random weights of shape `shape`. Training reads windows of `window_chars`, the
    trained model windows of `read_window_chars` with more context on both sides. In a share `predicted_spans` of the articles the
    heads learn from the gold spans mixed with those that the network finds by then (`predicted.py`). The encoder's inputs and
    its first `frozen_layers` layers stay as they were at the start: less to compute, for stages that go on from a tagger. With 0
    epochs the tagger is only calibrated anew and, with `heads.count_bearers`, its classifier of bearers' number fitted alone.
    """

    train: tuple[GoldSource, ...]
    dev: tuple[GoldSource, ...]
    vocabulary: Path | None = None
    encoder: Path | None = None
    words: Path | None = None
    hub: str | None = None
    tagger: Path | None = None
    shape: EncoderConfig | None = None
    heads: HeadsConfig = field(default_factory=HeadsConfig)
    losses: LossWeights = field(default_factory=LossWeights)
    augmentation: AugmentConfig = field(default_factory=AugmentConfig)
    version: str = "tagger"
    seed: int = 1
    epochs: int = 12
    batch_chars: int = 5000
    window_chars: int = 256
    context_chars: int = 32
    read_window_chars: int = 256
    read_context_chars: int = 64
    encoder_rate: float = 3e-4
    head_rate: float = 1e-3
    optimizer: str = "adamw"
    muon_rate: float = 0.003
    weight_decay: float = 0.01
    warmup_share: float = 0.08
    gradient_clip: float = 1.0
    average: float = 0.995
    hide_characters: float = 0.04
    hide_hints: float = 0.15
    hide_words: float = 0.1
    encoder_dropout: float = 0.1
    predicted_spans: float = 0.0
    frozen_layers: int = 0
    use_boundaries: bool = True
    use_gazetteer: bool = True
    use_quantities: bool = True
    evaluate_every: int = 2
    compile: bool = True
    compiled_windows: tuple[int, ...] = (8, 2)
    threads: int = 2
    device: str = "cpu"


def build_tagger(recipe: TrainRecipe) -> tuple[Tagger, Vocabulary]:
    """The tagger a recipe starts from, and its vocabulary.

    Raises:
        ConfigError: The recipe names no start, or more than one.
        ModelError: The pretrained encoder cannot be read.
    """
    count, size = (0, 0) if recipe.words is None else read_vectors(recipe.words)[1].shape
    settings: dict[str, Any] = {
        "word_count": count,
        "word_size": size,
        "heads": recipe.heads,
        "use_boundaries": recipe.use_boundaries,
        "use_gazetteer": recipe.use_gazetteer,
        "use_quantities": recipe.use_quantities,
        "window_chars": recipe.read_window_chars,
        "context_chars": recipe.read_context_chars,
        "version": recipe.version,
    }
    if sum(start is not None for start in (recipe.hub, recipe.encoder, recipe.shape, recipe.tagger)) > 1:
        raise ConfigError("the recipe names more than one start; leave one of `encoder`, `hub`, `tagger` and `shape`")
    if recipe.tagger is not None:
        return _trained_tagger(recipe.tagger, recipe)
    if recipe.hub is not None:
        return _hub_tagger(recipe.hub, settings)
    if recipe.encoder is not None:
        vocabulary = Vocabulary.load(recipe.encoder / "vocabulary.txt")
        try:
            shape = EncoderConfig(**json.loads((recipe.encoder / "config.json").read_text(encoding="utf-8")))
            weights = {n: v.float() for n, v in load_file(recipe.encoder / "model.safetensors").items()}
            model = Tagger(TaggerConfig(encoder=replace(shape, dropout=recipe.encoder_dropout), **settings))
            model.encoder.load_state_dict(weights)
            if len(vocabulary) != shape.vocabulary_size:
                raise ValueError(f"{len(vocabulary)} vocabulary entries for {shape.vocabulary_size} embeddings")
        except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"{recipe.encoder}: cannot read the pretrained encoder: {error}; restore it") from error
        return model, vocabulary
    if recipe.vocabulary is None or recipe.shape is None:
        raise ConfigError("the recipe must name `encoder`, `hub` or `tagger`, or both `vocabulary` and `shape`")
    vocabulary = Vocabulary.load(recipe.vocabulary)
    shape = replace(recipe.shape, vocabulary_size=len(vocabulary), dropout=recipe.encoder_dropout)
    return Tagger(TaggerConfig(encoder=shape, **settings)), vocabulary


def _trained_tagger(folder: Path, recipe: TrainRecipe) -> tuple[Tagger, Vocabulary]:
    """Go on from a trained tagger, with the recipe's dropout and version and without its calibration.

    Raises:
        ConfigError: Its encoder is none of this package, or the recipe names word vectors and it has none, or the reverse.
        ModelError: The folder cannot be read.
    """
    trained = load_tagger(folder)
    old = trained.config
    if old.encoder is None:
        raise ConfigError(f"{folder}: a tagger of a Hugging Face encoder; name one with an encoder of this package")
    if bool(old.word_count) != (recipe.words is not None):
        has, advice = ("has", "name them as `words`") if old.word_count else ("has no", "leave `words` out")
        raise ConfigError(f"{folder}: this tagger {has} word vectors; {advice} in the recipe")
    config = replace(
        old,
        encoder=replace(old.encoder, dropout=recipe.encoder_dropout),
        heads=replace(
            old.heads,
            dropout=recipe.heads.dropout,
            count_bearers=old.heads.count_bearers or recipe.heads.count_bearers,
        ),
        calibration={},
        version=recipe.version,
    )
    model = Tagger(config)
    weights = model.state_dict()  # with those of a new classifier, where the recipe asks for one
    weights.update(trained.model.state_dict())
    model.load_state_dict(weights)
    return model, trained.vocabulary


def freeze_layers(model: Tagger, layers: int) -> None:
    """Take the encoder's inputs and its first `layers` layers out of the training; with 0 nothing.

    Raises:
        ConfigError: The encoder is none of this package, or has not so many layers.
    """
    if not layers:
        return
    encoder = model.encoder
    if not isinstance(encoder, CharEncoder) or not 0 < layers <= encoder.config.layers:
        has = f"one of {encoder.config.layers} layers" if isinstance(encoder, CharEncoder) else "a Hugging Face encoder"
        raise ConfigError(f"frozen_layers {layers}: the tagger's encoder is {has}; freeze at most as many, or none")
    taken = tuple(f"encoder.backbone.layers.{number}." for number in range(layers, encoder.config.layers))
    kept = ("heads.", "encoder.backbone.final_norm.", *taken)
    for name, parameter in model.named_parameters():
        if not name.startswith(kept):
            parameter.requires_grad_(False)


def load_words(model: Tagger, folder: Path) -> WordTable:
    """Put the vectors of a folder written by `treaty-clauses vectors` into the model; their word list."""
    words, vectors = read_vectors(folder)
    assert model.words is not None
    with torch.no_grad():
        model.words.weight.copy_(vectors)
    return words


def _hub_tagger(name: str, settings: dict[str, Any]) -> tuple[Tagger, Vocabulary]:
    """Start from a Hugging Face encoder whose tokenizer has single characters, as BERT's for Chinese."""
    from treaty_clauses.training.hub import load_hub_encoder

    encoder, table, vocabulary = load_hub_encoder(name)
    model = Tagger(TaggerConfig(encoder=None, hub=table, **settings))
    model.encoder = encoder
    return model, vocabulary
