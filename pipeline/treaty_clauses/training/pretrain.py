"""Pretraining of the encoder on raw text: one loop for CPU and CUDA, resumable to the step."""

import json
import logging
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from treaty_clauses.config import to_table
from treaty_clauses.encoder import CharEncoder, EncoderConfig
from treaty_clauses.errors import ConfigError
from treaty_clauses.segment import Segmenter
from treaty_clauses.text import fold_width
from treaty_clauses.training.checkpoint import (
    Checkpoint,
    load_checkpoint,
    random_states,
    restore_random_states,
    save_checkpoint,
)
from treaty_clauses.training.masking import mask_batch
from treaty_clauses.training.muon import Muon
from treaty_clauses.training.objectives import OBJECTIVES, GeneratorShape, build_model
from treaty_clauses.training.precision import autocast
from treaty_clauses.training.stream import Source, StreamState, WindowStream, held_out_documents, read_documents
from treaty_clauses.vocabulary import Vocabulary

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of training with one window length; ends when `until_chars` characters were seen in all.

    `rate` scales the learning rates of the recipe.
    """

    until_chars: int
    window_chars: int
    windows: int
    rate: float = 1.0


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """The encoder's size; the vocabulary comes from the corpora."""

    hidden_size: int = 384
    layers: int = 6
    heads: int = 6
    intermediate_size: int = 768
    dropout: float = 0.0


@dataclass(frozen=True, slots=True)
class PretrainRecipe:
    """Everything that decides a pretraining; times in seconds, lengths in characters.

    `objective` is "masked" (guess the masked characters) or "replaced" (tell which characters a small `generator`, trained
    along, has put in the place of masked ones); see `objectives.py`. `start` names the folder of an encoder to go on from:
    its vocabulary and weights are taken, the schedule is new.
    """

    sources: tuple[Source, ...]
    phases: tuple[Phase, ...]
    encoder: EncoderShape = EncoderShape()
    seed: int = 0
    vocabulary_floor: int = 20
    objective: str = "masked"
    generator: GeneratorShape = field(default_factory=GeneratorShape)
    mask_share: float = 0.2
    whole_word_share: float = 0.5
    blind_share: float = 0.1
    optimizer: str = "adamw"
    learning_rate: float = 1e-3
    muon_learning_rate: float = 0.02
    weight_decay: float = 0.01
    warmup_steps: int = 500
    decay_chars: int = 0
    gradient_clip: float = 1.0
    checkpoint_seconds: float = 240.0
    evaluate_seconds: float = 900.0
    held_out_documents: int = 60
    compile: bool = True
    device: str = "cpu"
    threads: int = 2
    start: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be run.

        Raises:
            ConfigError: A value is out of range; the message names it.
        """
        if not self.sources or not self.phases:
            raise ConfigError("a pretraining needs at least one of `sources` and of `phases`")
        if self.optimizer not in ("adamw", "muon"):
            raise ConfigError(f"optimizer {self.optimizer!r}; expected adamw or muon")
        if self.objective not in OBJECTIVES:
            raise ConfigError(f"objective {self.objective!r}; expected one of {', '.join(OBJECTIVES)}")
        if not 0 < self.mask_share < 1:
            raise ConfigError(f"mask_share {self.mask_share}; expected a number between 0 and 1")
        check_device(self.device)


def build_vocabulary(recipe: PretrainRecipe) -> Vocabulary:
    """Count every character of the corpora and keep those above the floor."""
    counts: Counter[str] = Counter()
    for source in recipe.sources:
        for text in read_documents(source):
            counts.update(fold_width(text))
    return Vocabulary.from_counts(counts.items(), floor=recipe.vocabulary_floor)


class Pretraining:
    """A run in `folder`: `run()` trains to the recipe's end or until `stop()` says so, checkpointing as it goes."""

    def __init__(self, recipe: PretrainRecipe, folder: Path) -> None:
        torch.set_num_threads(recipe.threads)
        torch.manual_seed(recipe.seed)
        self.recipe, self.folder = recipe, folder
        folder.mkdir(parents=True, exist_ok=True)
        vocabulary_path = folder / "vocabulary.txt"
        if not vocabulary_path.exists():
            if recipe.start:
                shutil.copyfile(start_file(recipe.start, "vocabulary.txt"), vocabulary_path)
            else:
                build_vocabulary(recipe).save(vocabulary_path)
        self.vocabulary = Vocabulary.load(vocabulary_path)
        self.config = EncoderConfig(vocabulary_size=len(self.vocabulary), **asdict(recipe.encoder))
        self.model = build_model(recipe.objective, self.config, recipe.generator).to(recipe.device)
        if recipe.start:
            load_start(self.model.encoder, recipe.start)
        self.optimizers = build_optimizers(self.model, recipe)
        self.rng = np.random.default_rng(recipe.seed)
        self.step, self.characters, self.loss_average = 0, 0, float("nan")
        self.segmenter = Segmenter()
        state = None
        saved = load_checkpoint(folder, self.model, self.optimizers, device=recipe.device)
        if saved is not None:
            self.step, self.characters = saved.step, saved.characters
            self.rng.bit_generator.state = saved.numpy_state
            restore_random_states(saved.torch_states, recipe.device)
            state = StreamState.from_table(saved.stream)
            logger.info("resumed at step %d, %d characters", self.step, self.characters)
        self.stream = WindowStream(recipe.sources, self.vocabulary, self.segmenter, state)
        if saved is not None:
            self.stream.restore_pending(saved.pending)
        (folder / "recipe.json").write_text(json.dumps(to_table(recipe), ensure_ascii=False, indent=1), "utf-8")
        self._forward: Callable[..., Tensor] = (
            torch.compile(self.model, dynamic=False) if recipe.compile else self.model
        )

    def run(self, *, stop: Callable[[], bool] = lambda: False, max_steps: int | None = None) -> None:
        """Train; the last checkpoint in the folder is always a whole one."""
        began = checkpointed = evaluated = time.monotonic()
        at_start = self.characters
        first = self.step
        while self.characters < self.recipe.phases[-1].until_chars and not stop():
            if max_steps is not None and self.step - first >= max_steps:
                break
            loss = self._train_step()
            self.loss_average = (
                loss if self.loss_average != self.loss_average else 0.98 * self.loss_average + 0.02 * loss
            )
            if self.step % 50 == 0:
                rate = (self.characters - at_start) / (time.monotonic() - began)
                left = (self.recipe.phases[-1].until_chars - self.characters) / max(rate, 1.0)
                logger.info(
                    "step %d  %.2fM characters  loss %.4f  %.0f characters/s  %.0f min left",
                    self.step,
                    self.characters / 1e6,
                    self.loss_average,
                    rate,
                    left / 60,
                )
                self._log({"step": self.step, "characters": self.characters, "loss": round(self.loss_average, 4)})
            now = time.monotonic()
            if now - evaluated > self.recipe.evaluate_seconds:
                self._log({"step": self.step, "characters": self.characters, **self.evaluate()})
                evaluated = time.monotonic()
            if now - checkpointed > self.recipe.checkpoint_seconds:
                self.save()
                checkpointed = time.monotonic()
        self.save()

    def _train_step(self) -> float:
        recipe = self.recipe
        phase = next((p for p in recipe.phases if self.characters < p.until_chars), recipe.phases[-1])
        characters, boundaries = self.stream.next_batch(phase.windows, phase.window_chars)
        whole_word = self.rng.random(phase.windows) < recipe.whole_word_share
        masked = mask_batch(
            characters, boundaries, self.rng,
            share=recipe.mask_share, whole_word=whole_word, vocabulary_size=len(self.vocabulary),
        )  # fmt: skip
        seen_boundaries = boundaries.astype(np.int64)
        seen_boundaries[self.rng.random(phase.windows) < recipe.blind_share] = 0
        scale = phase.rate * self._schedule()
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["base_lr"] * scale
        device = recipe.device
        with autocast(device):
            loss = self._forward(
                torch.from_numpy(masked.characters).to(device),
                torch.from_numpy(seen_boundaries).to(device),
                torch.from_numpy(masked.positions).to(device),
                torch.from_numpy(masked.targets).to(device),
            )
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), recipe.gradient_clip)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.characters += characters.size
        return float(loss.item())

    def _schedule(self) -> float:
        """Warm-up, stable, then linear decay over the last `decay_chars` characters."""
        warm = min(1.0, (self.step + 1) / self.recipe.warmup_steps)
        left = self.recipe.phases[-1].until_chars - self.characters
        return warm * min(1.0, max(left, 0) / self.recipe.decay_chars) if self.recipe.decay_chars else warm

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Held-out accuracy and loss by source, 15% single-character and 15% whole-word masks.

        With the objective "replaced" these are the generator's.
        """
        self.model.eval()
        figures: dict[str, float] = {}
        for source in self.recipe.sources:
            texts = held_out_documents(source, most=self.recipe.held_out_documents)
            for name, whole_word in (("single", False), ("word", True)):
                right, loss, count = self._guess(texts, whole_word)
                if count:
                    figures[f"{source.name}_{name}_accuracy"] = round(right / count, 4)
                    figures[f"{source.name}_{name}_loss"] = round(loss / count, 4)
        self.model.train()
        return figures

    def _guess(self, texts: list[str], whole_word: bool) -> tuple[int, float, int]:
        rng = np.random.default_rng(7)
        right, loss, count = 0, 0.0, 0
        length = self.recipe.phases[-1].window_chars
        for text in texts:
            ids, boundaries = self.vocabulary.encode(text), self.segmenter.boundaries(text)
            windows = len(ids) // length
            if not windows:
                continue
            ids = ids[: windows * length].reshape(windows, length)
            boundaries = boundaries[: windows * length].reshape(windows, length)
            masked = mask_batch(
                ids, boundaries, rng,
                share=0.15, whole_word=np.full(windows, whole_word), vocabulary_size=len(self.vocabulary),
            )  # fmt: skip
            positions, first = np.unique(masked.positions, return_index=True)
            targets = torch.from_numpy(masked.targets[first]).to(self.recipe.device)
            hidden = ids.reshape(-1).astype(np.int64)
            hidden[positions] = 3  # every guess behind MASK: the figure is of what context alone tells
            with autocast(self.recipe.device):
                scores = self.model.logits(
                    torch.from_numpy(hidden.reshape(windows, length)).to(self.recipe.device),
                    torch.from_numpy(boundaries.astype(np.int64)).to(self.recipe.device),
                    torch.from_numpy(positions).to(self.recipe.device),
                ).float()
            right += int((scores.argmax(-1) == targets).sum())
            loss += float(nn.functional.cross_entropy(scores, targets, reduction="sum"))
            count += len(targets)
        return right, loss, count

    def save(self) -> None:
        """Write a checkpoint beside the last one, then put it in its place."""
        checkpoint = Checkpoint(
            step=self.step,
            characters=self.characters,
            numpy_state=self.rng.bit_generator.state,
            stream=self.stream.state.to_table(),
            pending=self.stream.pending(),
            encoder=asdict(self.config),
            torch_states=random_states(self.recipe.device),
        )
        save_checkpoint(self.folder, self.model, self.optimizers, checkpoint)

    def _log(self, row: dict[str, Any]) -> None:
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"time": round(time.time()), **row}) + "\n")


def start_file(folder: str, name: str) -> Path:
    """A file of the encoder that a recipe starts from.

    Raises:
        ConfigError: There is none.
    """
    path = Path(folder) / name
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; `start` must name the folder of an encoder that `pretrain` exported")
    return path


def load_start(encoder: CharEncoder, folder: str) -> None:
    """Take over the weights of an exported encoder.

    Raises:
        ConfigError: They are missing, damaged or of another shape.
    """
    path = start_file(folder, "model.safetensors")
    try:
        encoder.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
    except (SafetensorError, RuntimeError) as error:
        raise ConfigError(f"{path}: not the weights of an encoder of the recipe's shape: {error}") from error


def check_device(device: str) -> None:
    """Make sure that torch has the device.

    Raises:
        ConfigError: It has not.
    """
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"device {device!r} is not to be had here: {error}; use cpu or cuda") from error


def is_layer_matrix(name: str, parameter: nn.Parameter) -> bool:
    """Whether a parameter is a matrix of one of the encoder's layers, which Muon trains better than AdamW does."""
    return parameter.ndim == 2 and "backbone.layers" in name


def build_optimizers(model: nn.Module, recipe: PretrainRecipe) -> list[torch.optim.Optimizer]:
    """AdamW for everything, or Muon for the layers' matrices and AdamW for embeddings, norms and biases."""
    hidden: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        is_matrix = recipe.optimizer == "muon" and is_layer_matrix(name, parameter)
        (hidden if is_matrix else rest).append(parameter)
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            rest, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay, fused=True
        )
    ]
    if hidden:
        optimizers.append(
            Muon(hidden, lr=recipe.muon_learning_rate, weight_decay=recipe.weight_decay, momentum=0.95)
        )
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["base_lr"] = group["lr"]
    return optimizers
