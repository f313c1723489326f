"""Checkpoints without pickle: tensors in safetensors, the rest in JSON, swapped in whole."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from treaty_clauses.errors import ModelError

Pending = dict[str, tuple[list[int], list[int]]]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything but the tensors: counters, random state, data position, encoder shape."""

    step: int
    characters: int
    numpy_state: Any
    stream: dict[str, Any]
    pending: Pending
    encoder: dict[str, Any]
    torch_states: list[str] = field(default_factory=list)


def save_checkpoint(
    folder: Path, model: nn.Module, optimizers: Sequence[torch.optim.Optimizer], checkpoint: Checkpoint
) -> None:
    """Write `folder/checkpoint`; a failure on the way (a full disk) leaves the last good one in place.

    Raises:
        ModelError: The checkpoint could not be written.
    """
    fresh, last, old = folder / "checkpoint.new", folder / "checkpoint", folder / "checkpoint.old"
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, fresh / "model.safetensors")
        for number, optimizer in enumerate(optimizers):
            save_file(_optimizer_tensors(optimizer), fresh / f"optimizer-{number}.safetensors")
        text = json.dumps(asdict(checkpoint), default=_plain)
        (fresh / "state.json").write_text(text, encoding="utf-8")
        shutil.rmtree(old, ignore_errors=True)
        if last.exists():
            last.replace(old)
        fresh.replace(last)
        shutil.rmtree(old, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{fresh}: cannot write the checkpoint: {error}; the last good one is {last}") from error


def random_states(device: str) -> list[str]:
    """Torch's random states, the processor's and the device's, as hexadecimal digits."""
    states = [torch.get_rng_state()]
    if torch.device(device).type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    return [state.numpy().tobytes().hex() for state in states]


def restore_random_states(states: Sequence[str], device: str) -> None:
    """Take back what `random_states` gave; a run moved to another kind of device gets the processor's state only."""
    tensors = [torch.frombuffer(bytearray.fromhex(state), dtype=torch.uint8) for state in states]
    if tensors:
        torch.set_rng_state(tensors[0])
    if len(tensors) > 1 and torch.device(device).type == "cuda":
        torch.cuda.set_rng_state(tensors[1], device)


def load_checkpoint(
    folder: Path, model: nn.Module, optimizers: Sequence[torch.optim.Optimizer], *, device: str
) -> Checkpoint | None:
    """Load the checkpoint of `folder` into model and optimizers; None where there is none.

    Raises:
        ModelError: A file is damaged or belongs to another model; nothing is overwritten.
    """
    last = folder / "checkpoint"
    if not last.exists():
        if not (folder / "checkpoint.old").exists():
            return None
        last = folder / "checkpoint.old"  # the process died between the two renames
    try:
        table = json.loads((last / "state.json").read_text(encoding="utf-8"))
        model.load_state_dict(load_file(last / "model.safetensors", device=device))
        for number, optimizer in enumerate(optimizers):
            _restore_optimizer(optimizer, load_file(last / f"optimizer-{number}.safetensors", device=device))
        return Checkpoint(**table)
    except (OSError, SafetensorError, ValueError, LookupError, TypeError, RuntimeError) as error:
        raise ModelError(
            f"{last}: damaged, or the checkpoint of another recipe: {error}; restore it or start in another folder"
        ) from error


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    tensors = {}
    for index, state in optimizer.state_dict()["state"].items():
        for name, value in state.items():
            tensors[f"{index}.{name}"] = value.contiguous() if torch.is_tensor(value) else torch.tensor(value)
    return tensors


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for number, values in state.items():
        for name, value in values.items():
            if value.ndim and value.shape != parameters[number].shape:
                raise ValueError(f"optimizer state {name} of parameter {number} has shape {tuple(value.shape)}")
    table = optimizer.state_dict()
    table["state"] = state
    optimizer.load_state_dict(table)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"cannot write {type(value).__name__} into a checkpoint")


def export_encoder(run: Path, folder: Path) -> None:
    """Write the encoder of a pretraining run as a model folder: config.json, vocabulary.txt, model.safetensors (fp16).

    Raises:
        ModelError: The run has no whole checkpoint, or the folder cannot be written.
    """
    last = run / "checkpoint"
    try:
        table = json.loads((last / "state.json").read_text(encoding="utf-8"))
        tensors = load_file(last / "model.safetensors")
        prefix = "encoder."
        kept = {n.removeprefix(prefix): v.half().contiguous() for n, v in tensors.items() if n.startswith(prefix)}
        folder.mkdir(parents=True, exist_ok=True)
        save_file(kept, folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(table["encoder"], indent=1) + "\n", encoding="utf-8")
        shutil.copyfile(run / "vocabulary.txt", folder / "vocabulary.txt")
        shutil.copyfile(run / "recipe.json", folder / "recipe.json")
        if (run / "log.jsonl").exists():
            shutil.copyfile(run / "log.jsonl", folder / "log.jsonl")
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise ModelError(f"{run}: cannot export its encoder: {error}; let the run write a checkpoint first") from error
