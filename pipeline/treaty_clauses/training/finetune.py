"""Training of the tagger from a recipe: gold articles in, a model folder out."""

import json
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from treaty_clauses.config import to_table
from treaty_clauses.encode import ArticleEncoder, Encoded
from treaty_clauses.encoder import EncoderConfig
from treaty_clauses.errors import ConfigError, ModelError
from treaty_clauses.extract import Extractor
from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.heads import HeadsConfig
from treaty_clauses.score import Scores, score_corpus
from treaty_clauses.segment import BEGIN, SINGLE, Segmenter
from treaty_clauses.tagger import FixedShape, Tagger, TaggerConfig, TorchTagger, save_tagger
from treaty_clauses.texts import read_texts
from treaty_clauses.training.augment import AugmentConfig, augment
from treaty_clauses.training.gold import Example, GoldArticle, gold_ids, make_example, read_gold
from treaty_clauses.training.losses import LossWeights, article_losses
from treaty_clauses.training.pretrain import check_device, is_layer_matrix
from treaty_clauses.training.votes import fit_votes
from treaty_clauses.training.wordvectors import read_vectors
from treaty_clauses.vocabulary import MASK, Vocabulary
from treaty_clauses.words import UNKNOWN, WordTable

logger = logging.getLogger(__name__)

#: What is tried on dev: how much to lower a layer's OUTSIDE score before decoding, and from where links are taken.
_CALIBRATED = {
    "weight_votes": (0.5, 2.0),
    "bias_clause": (0.7, 1.5),
    "bias_term": (1.0,),
    "bias_condition": (1.0,),
    "threshold_role": (0.35,),
    "threshold_same_norm": (0.3,),
}


@dataclass(frozen=True, slots=True)
class GoldSource:
    """A JSON Lines file of gold records, where its texts lie, and how often each article is seen an epoch.

    The share goes evenly from `share` in the first epoch to `last_share` in the last; 0.4 is a draw, 1.5 once or twice.
    """

    records: Path
    texts: Path
    share: float = 1.0
    last_share: float = 1.0


@dataclass(frozen=True, slots=True)
class TrainRecipe:
    """Everything that decides a training; lengths in characters.

    `encoder` is a folder with a pretrained encoder of this package, or `hub` a Hugging Face encoder's name or folder;
    with neither the encoder starts from random weights of shape `shape`. Training reads windows of `window_chars`, the
    trained model windows of `read_window_chars` with more context on both sides.
    """

    train: tuple[GoldSource, ...]
    dev: tuple[GoldSource, ...]
    vocabulary: Path | None = None
    encoder: Path | None = None
    words: Path | None = None
    hub: str | None = None
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
    use_boundaries: bool = True
    use_gazetteer: bool = True
    use_quantities: bool = True
    evaluate_every: int = 2
    compile: bool = True
    compiled_windows: tuple[int, ...] = (8, 2)
    threads: int = 2
    device: str = "cpu"


class Training:
    """One training run; `run()` trains, keeps the weights that did best on dev, and writes the model folder."""

    def __init__(self, recipe: TrainRecipe, folder: Path) -> None:
        check_device(recipe.device)
        torch.set_num_threads(recipe.threads)
        torch.manual_seed(recipe.seed)
        self.recipe, self.folder = recipe, folder
        self.rng = np.random.default_rng(recipe.seed)
        self.sources = [(gold, source) for source in recipe.train for gold in _read(source)]
        self.train = [gold for gold, _ in self.sources]
        self.dev = [g for source in recipe.dev for g in _read(source)]
        if not self.train or not self.dev:
            raise ConfigError("the recipe must name at least one article in `train` and one in `dev`")
        self.model, self.vocabulary = build_tagger(recipe)
        self.words = None if recipe.words is None else load_words(self.model, recipe.words)
        self.model.to(recipe.device)
        self.segmenter, self.gazetteer = Segmenter(), Gazetteer.load()
        self.encoder = ArticleEncoder(self.vocabulary, self.segmenter, self.gazetteer, self.words)
        self.history: list[dict[str, Any]] = []
        self._fixed = (
            FixedShape(torch.compile(self.model, dynamic=False), recipe.compiled_windows) if recipe.compile else None
        )

    def run(self) -> Scores:
        """Train; the figures on dev of the weights that were kept are returned and saved."""
        recipe = self.recipe
        self._fit_votes()
        optimizers = self._optimizers()
        average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        best, best_scores, kept = -1.0, None, average
        step, began = 0, time.monotonic()
        for epoch in range(1, recipe.epochs + 1):
            sums: dict[str, float] = {}
            chosen = self._draw(epoch)
            size, done, first = sum(len(gold.article.text) for gold in chosen), 0, step
            for batch in self._batches(chosen):
                scale = _schedule((epoch - 1 + done / size) / recipe.epochs, recipe.warmup_share)
                done = min(size, done + sum(len(example.encoded) for example in batch))
                for group in (group for optimizer in optimizers for group in optimizer.param_groups):
                    group["lr"] = group["base_lr"] * scale
                for name, value in self._step(batch, optimizers).items():
                    sums[name] = sums.get(name, 0.0) + value
                step += 1
                keep = min(recipe.average, (step + 1) / (step + 10))
                with torch.no_grad():
                    for name, value in self.model.state_dict().items():
                        if value.is_floating_point():
                            average[name].lerp_(value, 1 - keep)
            rate = step / (time.monotonic() - began)
            shown = "  ".join(f"{name} {value / (step - first):.3f}" for name, value in sums.items())
            logger.info("epoch %d/%d  %.2f steps/s  %s", epoch, recipe.epochs, rate, shown)
            if epoch % recipe.evaluate_every == 0 or epoch == recipe.epochs:
                scores = self.evaluate(average)
                figure = _figure_of_merit(scores)
                self.history.append({"epoch": epoch, "merit": figure, **_headline(scores)})
                logger.info("dev after epoch %d: %s", epoch, self.history[-1])
                if figure > best:
                    best, best_scores = figure, scores
                    kept = {name: value.clone() for name, value in average.items()}
                    self._save(kept, {})
        assert best_scores is not None
        calibration, best_scores = self.calibrate(kept, best_scores)
        self._save(kept, calibration)
        return best_scores

    def _fit_votes(self) -> None:
        """Fit the bag-of-words classifiers on the articles as they are; the network's training leaves them alone."""
        bags = self.model.heads.bags
        if bags:
            examples = [make_example(gold, self.encoder) for gold in self.train]
            labels = {name: [example.targets.labels[name] for example in examples] for name in bags}
            fit_votes(bags, [example.bags for example in examples], labels)
            bags.requires_grad_(False)

    def evaluate(self, weights: dict[str, Tensor], calibration: dict[str, float] | None = None) -> Scores:
        """Figures on dev of the same extraction as in production."""
        model = self._frozen(weights, calibration or {})
        extractor = Extractor(TorchTagger(model, self.vocabulary, self.words), self.segmenter, self.gazetteer)
        return score_corpus([(gold.record, extractor.extract_article(gold.article)) for gold in self.dev])

    def calibrate(self, weights: dict[str, Tensor], scores: Scores) -> tuple[dict[str, float], Scores]:
        """Decoding biases and link thresholds, chosen on dev one after the other."""
        calibration: dict[str, float] = {}
        for name, values in _CALIBRATED.items():
            for value in values:
                tried = {**calibration, name: value}
                found = self.evaluate(weights, tried)
                if _figure_of_merit(found) > _figure_of_merit(scores):
                    calibration, scores = tried, found
        logger.info("calibrated on dev: %s: %s", calibration, _headline(scores))
        self.history.append({"calibration": calibration, "merit": _figure_of_merit(scores), **_headline(scores)})
        return calibration, scores

    def _frozen(self, weights: dict[str, Tensor], calibration: dict[str, float]) -> Tagger:
        model = Tagger(replace(self.model.config, calibration=calibration))
        model.load_state_dict({name: value.detach().cpu().clone() for name, value in weights.items()})
        return model

    def _optimizers(self) -> list[torch.optim.Optimizer]:
        """AdamW for all that is trained, or Muon for the matrices of the encoder's layers and AdamW for the rest."""
        recipe = self.recipe
        matrices: list[nn.Parameter] = []
        encoder: list[nn.Parameter] = []
        heads: list[nn.Parameter] = []
        for name, parameter in self.model.named_parameters():
            if not parameter.requires_grad:
                continue
            if recipe.optimizer == "muon" and is_layer_matrix(name, parameter):
                matrices.append(parameter)
            else:
                (encoder if name.startswith("encoder.") else heads).append(parameter)
        groups = [
            {"params": parameters, "lr": rate, "base_lr": rate}
            for parameters, rate in ((encoder, recipe.encoder_rate), (heads, recipe.head_rate))
        ]
        optimizers: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=recipe.weight_decay, fused=True)
        ]
        if matrices:
            group = {"params": matrices, "lr": recipe.muon_rate, "base_lr": recipe.muon_rate}
            optimizers.append(torch.optim.Muon([group], weight_decay=recipe.weight_decay, momentum=0.95))
        return optimizers

    def _draw(self, epoch: int) -> list[GoldArticle]:
        """The articles of an epoch, in random order."""
        progress = (epoch - 1) / max(1, self.recipe.epochs - 1)
        chosen = []
        for gold, source in self.sources:
            share = source.share + (source.last_share - source.share) * progress
            chosen += [gold] * (int(share) + int(self.rng.random() < share % 1))
        return [chosen[index] for index in self.rng.permutation(len(chosen))]

    def _batches(self, articles: Sequence[GoldArticle]) -> Iterator[list[Example]]:
        """Articles rewritten at random, `batch_chars` characters or somewhat more at a time."""
        batch: list[Example] = []
        size = 0
        for original in articles:
            gold = augment(original, self.rng, self.recipe.augmentation)
            example = make_example(gold, self.encoder)
            batch.append(replace(example, encoded=self._hide(example.encoded)))
            size += len(example.encoded)
            if size >= self.recipe.batch_chars:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _hide(self, encoded: Encoded) -> Encoded:
        """Hide some characters, and in some articles all hints, so that the network leans on none of them."""
        characters = encoded.characters.copy()
        characters[self.rng.random(len(characters)) < self.recipe.hide_characters] = MASK
        gazetteer, quantities = encoded.gazetteer, encoded.quantities
        if self.rng.random() < self.recipe.hide_hints:
            gazetteer = np.zeros_like(gazetteer)
        if self.rng.random() < self.recipe.hide_hints:
            quantities = np.zeros_like(quantities)
        words = encoded.words.copy()
        words[self._hidden_words(encoded)] = UNKNOWN
        return Encoded(characters, encoded.boundaries, gazetteer, quantities, words)

    def _hidden_words(self, encoded: Encoded) -> npt.NDArray[np.bool_]:
        """Which characters lie in one of the words that are hidden this time."""
        word = np.cumsum((encoded.boundaries == BEGIN) | (encoded.boundaries == SINGLE))
        return np.asarray((self.rng.random(len(encoded) + 1) < self.recipe.hide_words)[word])

    def _step(self, batch: Sequence[Example], optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, float]:
        recipe = self.recipe
        self.model.train()
        device = torch.device(recipe.device).type
        with torch.autocast(device, torch.bfloat16):
            states = self.model.read(
                [example.encoded for example in batch],
                window_chars=recipe.window_chars,
                context_chars=recipe.context_chars,
                fixed=self._fixed,
            )
        losses: dict[str, list[Tensor]] = {}
        for hidden, example in zip(states, batch, strict=True):
            words = self.model.word_vectors(example.encoded)
            for name, loss in article_losses(self.model.heads, hidden.float(), words, example, recipe.losses).items():
                losses.setdefault(name, []).append(loss)
        scale = 100 / sum(len(example.encoded) for example in batch)
        sums = {name: torch.stack(parts).sum() * scale for name, parts in losses.items()}
        total = torch.stack(list(sums.values())).sum()
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), recipe.gradient_clip)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return {name: float(value.detach()) for name, value in sums.items()}

    def _save(self, weights: dict[str, Tensor], calibration: dict[str, float]) -> None:
        save_tagger(self._frozen(weights, calibration), self.vocabulary, self.folder, self.words)
        report = {"recipe": to_table(self.recipe), "articles": len(self.train), "dev": self.history}
        (self.folder / "training.json").write_text(
            json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )


def _read(source: GoldSource) -> list[GoldArticle]:
    return list(read_gold(source.records, read_texts(source.texts, only=gold_ids(source.records))))


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
    if sum(start is not None for start in (recipe.hub, recipe.encoder, recipe.shape)) > 1:
        raise ConfigError("the recipe names more than one start; leave one of `encoder`, `hub` and `shape`")
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
        raise ConfigError("the recipe must name `encoder`, or `hub`, or both `vocabulary` and `shape`")
    vocabulary = Vocabulary.load(recipe.vocabulary)
    shape = replace(recipe.shape, vocabulary_size=len(vocabulary), dropout=recipe.encoder_dropout)
    return Tagger(TaggerConfig(encoder=shape, **settings)), vocabulary


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


def _schedule(progress: float, warmup_share: float) -> float:
    """Share of the rates at a point of the training, from 0 to 1: linear warm-up, then cosine to a twentieth."""
    if progress < warmup_share:
        return max(progress / warmup_share, 0.01)
    done = (progress - warmup_share) / (1 - warmup_share)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))


def _headline(scores: Scores) -> dict[str, float | None]:
    figures = {f"{name}.f1": tally.f1 for name, tally in scores.total.tallies.items()}
    figures |= {f"{name}.accuracy": share.accuracy for name, share in scores.total.shares.items()}
    return {name: None if value is None else round(value, 4) for name, value in figures.items()}


def _figure_of_merit(scores: Scores) -> float:
    """What early stopping goes by: record, typed clause, role and term F1 together."""
    tallies = scores.total.tallies
    return sum(tallies[name].f1 or 0.0 for name in ("record", "typed", "role", "term"))
