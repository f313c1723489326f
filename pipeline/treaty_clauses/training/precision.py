"""In which number format the network is trained: bf16 where the processor multiplies it natively, fp32 elsewhere."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def multiplies_bf16(device: str) -> bool:
    """Whether a device has instructions for bf16 products.

    Where it has none, torch emulates them: on a processor with AVX2 alone a bf16 product ran at 1 to 2 GFLOP/s, an fp32 one at
    100 to 150 (2026-11-24, two cores).
    """
    kind = torch.device(device).type
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if kind == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return False


def autocast(device: str) -> AbstractContextManager[Any]:
    """bf16 autocast where it pays (`multiplies_bf16`), else nothing: fp32."""
    return torch.autocast(torch.device(device).type, torch.bfloat16) if multiplies_bf16(device) else nullcontext()
