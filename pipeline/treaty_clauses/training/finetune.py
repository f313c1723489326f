"""Training of the tagger from a recipe: gold articles in, a model folder out."""

import json
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from treaty_clauses.confidence import fit, judge
from treaty_clauses.config import to_table
from treaty_clauses.decode import decode_spans
from treaty_clauses.encode import ArticleEncoder, Encoded
from treaty_clauses.errors import ConfigError
from treaty_clauses.extract import Extractor
from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.score import Scores, score_corpus
from treaty_clauses.segment import BEGIN, SINGLE, Segmenter
from treaty_clauses.spans import Layer
from treaty_clauses.tagger import FixedShape, Reading, Tagger, TorchTagger, save_tagger
from treaty_clauses.texts import read_texts
from treaty_clauses.training.augment import augment
from treaty_clauses.training.bearer_counts import fit_bearer_counts
from treaty_clauses.training.gold import Example, GoldArticle, gold_ids, make_example, read_gold
from treaty_clauses.training.losses import article_losses
from treaty_clauses.training.muon import Muon
from treaty_clauses.training.precision import autocast
from treaty_clauses.training.pretrain import check_device, is_layer_matrix
from treaty_clauses.training.start import GoldSource, TrainRecipe, build_tagger, freeze_layers, load_words
from treaty_clauses.training.votes import fit_votes
from treaty_clauses.types import ArticleRecord
from treaty_clauses.vocabulary import MASK, Vocabulary
from treaty_clauses.words import UNKNOWN, WordTable

logger = logging.getLogger(__name__)
_Pair = tuple[ArticleRecord, ArticleRecord]

#: What is tried on dev: how much to lower a layer's OUTSIDE score before decoding, and from where links are taken.
_CALIBRATED = {
    "weight_votes": (0.5, 2.0, 3.0),
    "bias_clause": (-1.0, -0.5, 0.7),
    "bias_term": (1.0,),
    "bias_condition": (1.0,),
    "bias_proposal": (0.7, 1.5),
    "bias_unnamed": (-0.7, -1.5, 0.7),
    "weight_certainty": (0.5, 1.0, 2.0, 4.0),
    "weight_count": (0.25, 0.5, 2.0),
    "threshold_role": (0.4, 0.6),
    "threshold_sole_bearer": (0.2, 0.35),
    "threshold_same_norm": (0.3,),
    "threshold_same_proposal": (0.3, 0.7),
}


#: With which biases the heads' own spans are found in training, near those that calibration on dev has chosen so far.
_FOUND_BIAS = {Layer.PROPOSAL: 1.0, Layer.CONDITION: 0.5}


@dataclass(frozen=True, slots=True)
class _Drawn:
    """An article of a batch, rewritten; `seen` is what the network is shown of it."""

    gold: GoldArticle
    encoded: Encoded
    seen: Encoded


class _Reader(TorchTagger):
    """Reads each article once, whatever calibration is tried on it."""

    def __init__(self, model: Tagger, vocabulary: Vocabulary, words: WordTable | None) -> None:
        super().__init__(model, vocabulary, words)
        self._readings: dict[bytes, Reading] = {}

    def read(self, encoded: Encoded) -> Reading:
        """The states of one article."""
        key = encoded.characters.tobytes()
        if key not in self._readings:
            self._readings[key] = super().read(encoded)
        return self._readings[key]


class Training:
    """One training run; `run()` trains, keeps the weights that did best on dev, and writes the model folder.

    Several sources of dev count alike, whatever their sizes. Scores are lists with an entry for each.
    """

    def __init__(self, recipe: TrainRecipe, folder: Path) -> None:
        check_device(recipe.device)
        torch.set_num_threads(recipe.threads)
        torch.manual_seed(recipe.seed)
        self.recipe, self.folder = recipe, folder
        self.rng = np.random.default_rng(recipe.seed)
        self.sources = [(gold, source) for source in recipe.train for gold in _read(source)]
        self.train = [gold for gold, _ in self.sources]
        self.dev = [_read(source) for source in recipe.dev]
        if not self.train or not self.dev or not all(self.dev):
            raise ConfigError("the recipe must name at least one article in `train` and one in each source of `dev`")
        self.model, self.vocabulary = build_tagger(recipe)
        self.words = None if recipe.words is None else load_words(self.model, recipe.words)
        freeze_layers(self.model, recipe.frozen_layers)
        self.model.to(recipe.device)
        self.segmenter, self.gazetteer = Segmenter(), Gazetteer.load()
        self.encoder = ArticleEncoder(self.vocabulary, self.segmenter, self.gazetteer, self.words)
        self.history: list[dict[str, Any]] = []
        self._fixed = (
            FixedShape(torch.compile(self.model, dynamic=False), recipe.compiled_windows) if recipe.compile else None
        )

    def run(self) -> list[Scores]:
        """Train; the figures on each source of dev of the weights that were kept are returned and saved."""
        recipe = self.recipe
        if recipe.epochs:
            self._fit_votes()
        elif recipe.heads.count_bearers:
            self._fit_bearer_counts()
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
                done = min(size, done + sum(len(drawn.encoded) for drawn in batch))
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
                self.history.append({"epoch": epoch, "merit": figure, "dev": _headlines(scores)})
                logger.info("dev after epoch %d: %s", epoch, self.history[-1])
                if figure > best:
                    best, best_scores = figure, scores
                    kept = {name: value.clone() for name, value in average.items()}
                    self._save(kept, {})
        best_scores = best_scores or self.evaluate(kept)
        calibration, best_scores = self.calibrate(kept, best_scores)
        self._save(kept, calibration)
        return best_scores

    def _fit_votes(self) -> None:
        """Fit the bag-of-words classifiers on the articles as they are; the network's training leaves them alone."""
        bags = self.model.heads.bags
        if bags:
            examples = [make_example(gold, self.encoder.encode(gold.article.text)) for gold in self.train]
            labels = {name: [example.targets.labels[name] for example in examples] for name in bags}
            fit_votes(bags, [example.bags for example in examples], labels)
            bags.requires_grad_(False)

    def _fit_bearer_counts(self) -> None:
        """Fit the classifier that counts bearers alone, on the gold clauses as the tagger sees them."""
        reader = TorchTagger(self._frozen(self.model.state_dict(), {}), self.vocabulary, self.words)
        vectors, counts = [], []
        for gold in self.train:
            encoded = self.encoder.encode(gold.article.text)
            example = make_example(gold, encoded)
            if example.spans.count(Layer.CLAUSE):
                described = reader.describe(reader.read(encoded), example.spans, example.bags)
                vectors.append(described.vectors[Layer.CLAUSE].clone())
                counts.append(example.targets.labels["bearers"])
        classifier = self.model.heads.classifiers["bearers"]
        fit_bearer_counts(classifier, vectors, counts, seed=self.recipe.seed)

    def evaluate(self, weights: dict[str, Tensor]) -> list[Scores]:
        """Figures on dev of the same extraction as in production."""
        return self._score(self._reader(weights), {})

    def _reader(self, weights: dict[str, Tensor]) -> _Reader:
        return _Reader(self._frozen(weights, {}), self.vocabulary, self.words)

    def _predict(self, reader: _Reader, calibration: dict[str, float]) -> list[list[_Pair]]:
        """(gold, predicted) records of each source of dev."""
        reader.model.config = replace(reader.model.config, calibration=calibration)
        extractor = Extractor(reader, self.segmenter, self.gazetteer)
        return [[(gold.record, extractor.extract_article(gold.article)) for gold in dev] for dev in self.dev]

    def _score(self, reader: _Reader, calibration: dict[str, float]) -> list[Scores]:
        return [score_corpus(pairs) for pairs in self._predict(reader, calibration)]

    def calibrate(self, weights: dict[str, Tensor], scores: list[Scores]) -> tuple[dict[str, float], list[Scores]]:
        """Decoding biases and link thresholds, chosen on dev one after the other, then the scale of confidences."""
        calibration: dict[str, float] = {}
        reader = self._reader(weights)
        for name, values in _CALIBRATED.items():
            for value in values:
                tried = {**calibration, name: value}
                found = self._score(reader, tried)
                if _figure_of_merit(found) > _figure_of_merit(scores):
                    calibration, scores = tried, found
        scale, offset = fit(judge([pair for pairs in self._predict(reader, calibration) for pair in pairs]))
        calibration |= {"confidence_scale": round(scale, 4), "confidence_offset": round(offset, 4)}
        logger.info("calibrated on dev: %s: %s", calibration, _headlines(scores))
        self.history.append({"calibration": calibration, "merit": _figure_of_merit(scores), "dev": _headlines(scores)})
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
            optimizers.append(Muon([group], weight_decay=recipe.weight_decay, momentum=0.95))
        return optimizers

    def _draw(self, epoch: int) -> list[GoldArticle]:
        """The articles of an epoch, in random order."""
        progress = (epoch - 1) / max(1, self.recipe.epochs - 1)
        chosen = []
        for gold, source in self.sources:
            share = source.share + (source.last_share - source.share) * progress
            chosen += [gold] * (int(share) + int(self.rng.random() < share % 1))
        return [chosen[index] for index in self.rng.permutation(len(chosen))]

    def _batches(self, articles: Sequence[GoldArticle]) -> Iterator[list[_Drawn]]:
        """Articles rewritten at random, `batch_chars` characters or somewhat more at a time."""
        batch: list[_Drawn] = []
        size = 0
        for original in articles:
            gold = augment(original, self.rng, self.recipe.augmentation)
            encoded = self.encoder.encode(gold.article.text)
            batch.append(_Drawn(gold, encoded, self._hide(encoded)))
            size += len(encoded)
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

    def _example(self, drawn: _Drawn, hidden: Tensor) -> Example:
        """What is learnt from an article; in some its heads read the spans that they find themselves."""
        predicted = None
        if self.rng.random() < self.recipe.predicted_spans:
            with torch.no_grad():
                tags = self.model.heads.tag(hidden).cpu().numpy()
            predicted = decode_spans(tags, bias=_FOUND_BIAS)
        example = make_example(drawn.gold, drawn.encoded, predicted=predicted, rng=self.rng)
        return replace(example, encoded=drawn.seen)

    def _step(self, batch: Sequence[_Drawn], optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, float]:
        recipe = self.recipe
        self.model.train()
        with autocast(recipe.device):
            states = self.model.read(
                [drawn.seen for drawn in batch],
                window_chars=recipe.window_chars,
                context_chars=recipe.context_chars,
                fixed=self._fixed,
            )
        losses: dict[str, list[Tensor]] = {}
        for states_of_one, drawn in zip(states, batch, strict=True):
            hidden = states_of_one.float()
            example, words = self._example(drawn, hidden), self.model.word_vectors(drawn.seen)
            for name, loss in article_losses(self.model.heads, hidden, words, example, recipe.losses).items():
                losses.setdefault(name, []).append(loss)
        scale = 100 / sum(len(drawn.encoded) for drawn in batch)
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
    texts = read_texts(source.texts, only=gold_ids(source.records))
    return [gold for gold in read_gold(source.records, texts) if source.has(gold.record.article.id)]


def _schedule(progress: float, warmup_share: float) -> float:
    """Share of the rates at a point of the training, from 0 to 1: linear warm-up, then cosine to a twentieth."""
    if progress < warmup_share:
        return max(progress / warmup_share, 0.01)
    done = (progress - warmup_share) / (1 - warmup_share)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))


def _headlines(scores: list[Scores]) -> list[dict[str, float | None]]:
    """The figures of each source of dev, rounded."""
    found = []
    for total in (part.total for part in scores):
        figures = {f"{name}.f1": tally.f1 for name, tally in total.tallies.items()}
        figures |= {f"{name}.accuracy": share.accuracy for name, share in total.shares.items()}
        found.append({name: None if value is None else round(value, 4) for name, value in figures.items()})
    return found


def _figure_of_merit(scores: list[Scores]) -> float:
    """What early stopping goes by: record, typed clause, role and term F1 together, the mean over the sources of dev."""
    names = ("record", "typed", "role", "term")
    return sum(part.total.tallies[name].f1 or 0.0 for part in scores for name in names) / len(scores)
