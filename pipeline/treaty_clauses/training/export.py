"""Exports a trained tagger as the graphs that the fast runtime reads."""

import logging
import warnings
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Literal

import numpy as np
import openvino
import torch
from openvino import opset13
from torch import Tensor, nn

from treaty_clauses.band import BandEncoder
from treaty_clauses.encode import ArticleEncoder, Encoded
from treaty_clauses.encoder import CharEncoder
from treaty_clauses.errors import ModelError
from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.heads import Heads, PairScorer
from treaty_clauses.links import LINKS
from treaty_clauses.manifest import Manifest, remove_manifest, write_manifest
from treaty_clauses.packing import BLOCK_CHARS, Packed, pack, packed_chars
from treaty_clauses.segment import Segmenter
from treaty_clauses.spans import FEATURE_GROUPS, FEATURE_SIZES
from treaty_clauses.tagger import Tagger, TorchTagger, load_tagger
from treaty_clauses.training.quantize import quantize_layers

Precision = Literal["int8", "half"]
_log = logging.getLogger(__name__)
_LARGE = 4096  # elements from which on a constant is written as fp16; scales stay fp32
_ROW_CHARS = 4096  # read at once while ranges are measured


class ReaderGraph(nn.Module):
    """Packed texts -> hidden states, tag log-probabilities, weights in the mean of a span."""

    def __init__(self, model: Tagger) -> None:
        super().__init__()
        assert isinstance(model.encoder, CharEncoder)
        self.model, self.band = model, BandEncoder(model.encoder)

    def forward(
        self,
        characters: Tensor,
        boundaries: Tensor,
        gazetteer: Tensor,
        quantities: Tensor,
        words: Tensor,
        texts: Tensor,
        positions: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(1, length) each."""
        inputs = self.model.embed(characters, boundaries, gazetteer, quantities, words, (texts > 0).float())
        hidden = self.band(inputs, texts, positions)
        heads = self.model.heads
        tags = heads.tag(hidden[0])
        return hidden, tags.reshape(1, -1, tags.shape[1] * tags.shape[2]), heads.attention(hidden).clamp(-12, 12).exp()


class SpanGraph(nn.Module):
    """Spans of an article, all layers in one row -> vectors, logits of belonging to no plan, logits of all classifiers."""

    def __init__(self, heads: Heads) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, edges: Tensor, kinds: Tensor, places: Tensor, words: Tensor | None = None) -> tuple[Tensor, ...]:
        """(spans, 3 * hidden), (spans,), (spans,), (spans, 3 * word_size)."""
        heads = self.heads
        vectors = heads.mix(edges, words, kinds, places)
        return (vectors, heads.unnamed(vectors), *(classifier(vectors) for classifier in heads.classifiers.values()))


class PairGraph(nn.Module):
    """Span vectors and pairs of them -> the logits of every scorer."""

    def __init__(self, heads: Heads) -> None:
        super().__init__()
        self.scorers = nn.ModuleList(_PairGraph(heads.scorers[name]) for name in LINKS)

    def forward(self, vectors: Tensor, *pairs: Tensor) -> tuple[Tensor, ...]:
        """(spans, size); then (pairs,), (pairs,) and (pairs, groups) for each scorer."""
        threes = zip(*(pairs[part::3] for part in range(3)), strict=True)
        return tuple(scorer(vectors, *three) for scorer, three in zip(self.scorers, threes, strict=True))


class _PairGraph(nn.Module):
    def __init__(self, scorer: nn.Module) -> None:
        super().__init__()
        assert isinstance(scorer, PairScorer)
        self.scorer = scorer
        tables = torch.split(scorer.features.weight.detach(), list(FEATURE_SIZES))
        self.tables = nn.ParameterList(_outer_sum([tables[feature] for feature in group]) for group in FEATURE_GROUPS)

    def forward(self, vectors: Tensor, sources: Tensor, targets: Tensor, features: Tensor) -> Tensor:
        scorer = self.scorer
        joined = scorer.source(vectors)[sources] + scorer.target(vectors)[targets]
        for number, table in enumerate(self.tables):
            joined = joined + nn.functional.embedding(features[:, number], table)
        joined = joined + scorer.source_gate(vectors)[sources] * scorer.target_gate(vectors)[targets]
        scores: Tensor = scorer.out(nn.functional.gelu(scorer.hidden(nn.functional.gelu(joined))))
        return scores


def _outer_sum(tables: Sequence[Tensor]) -> Tensor:
    """One row for each choice of a row of every table: their sum, the last table's rows running fastest."""
    total = tables[0]
    for table in tables[1:]:
        total = (total[:, None] + table[None]).reshape(-1, table.shape[1])
    return total


def export_tagger(folder: Path, texts: Sequence[str], *, precision: Precision) -> None:
    """Write the graphs of the fast runtime beside the weights in a model folder.

    Weights are held as fp16; with "int8", those of most products of the encoder as 8-bit numbers, and what is multiplied
    with them is rounded to 8 bits, with ranges measured on `texts`.

    Raises:
        ModelError: The folder is damaged, or its encoder cannot read in blocks (one from a hub, or with unbounded reach).
    """
    tagger = load_tagger(folder)
    model = tagger.model
    if not isinstance(model.encoder, CharEncoder) or not model.encoder.config.reach_chars:
        raise ModelError(
            f"{folder}: only a character encoder of bounded reach has a fast runtime; use the torch backend"
        )
    remove_manifest(folder)
    size, heads = model.encoder.hidden_size, model.heads
    names = [*(field.name for field in fields(Encoded)), "texts", "positions"]
    row = {name: torch.ones(1, 3 * BLOCK_CHARS, dtype=torch.int32) for name in names}
    reader = _convert(ReaderGraph(model), row, ["hidden", "tags", "weights"])
    if precision == "int8":
        quantize_layers(reader, _rows(tagger, texts))
    _save(reader, folder / "reader.xml")
    count = 3
    spans = {
        "edges": torch.zeros(count, 3 * size),
        "kinds": torch.zeros(count, dtype=torch.int32),
        "places": torch.arange(count, dtype=torch.int32),
    }
    if heads.words is not None:
        spans["words"] = torch.zeros(count, 3 * model.config.word_size)
    _save(_convert(SpanGraph(heads), spans, ["vectors", "unnamed", *heads.classifiers]), folder / "spans.xml")
    pairs = {"vectors": torch.zeros(count, heads.size)}
    for number, name in enumerate(LINKS, start=2):  # sizes of their own, so that none is taken for another's
        pairs[f"{name}.sources"] = torch.zeros(2 * number, dtype=torch.int32)
        pairs[f"{name}.targets"] = torch.zeros(2 * number, dtype=torch.int32)
        pairs[f"{name}.features"] = torch.zeros(2 * number, len(FEATURE_GROUPS), dtype=torch.int32)
    _save(_convert(PairGraph(heads), pairs, list(LINKS)), folder / "pairs.xml")
    write_manifest(folder, Manifest(precision, {}))


def _rows(tagger: TorchTagger, texts: Sequence[str]) -> list[Packed]:
    encoder = ArticleEncoder(tagger.vocabulary, Segmenter(), Gazetteer.load(), tagger.words)
    rows: list[list[Encoded]] = [[]]
    for encoded in map(encoder.encode, texts):
        if rows[-1] and sum(packed_chars(len(one)) for one in (*rows[-1], encoded)) > _ROW_CHARS:
            rows.append([])
        rows[-1].append(encoded)
    return [pack(row) for row in rows if row]


def _convert(graph: nn.Module, inputs: dict[str, Tensor], outputs: Sequence[str]) -> openvino.Model:
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # its fused layers have no form outside torch
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tracing is deprecated, but the way OpenVINO takes; constants are meant
            model = openvino.convert_model(graph.eval(), example_input=tuple(inputs.values()))
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    shapes = {}
    for port, (name, example) in zip(model.inputs, inputs.items(), strict=True):
        port.get_tensor().set_names({name})
        shapes[name] = [1, -1] if isinstance(graph, ReaderGraph) else [-1, *example.shape[1:]]
    for port, name in zip(model.outputs, outputs, strict=True):
        port.get_tensor().set_names({name})
    model.reshape(shapes)
    return model


def _save(model: openvino.Model, path: Path) -> None:
    _halve(model)
    openvino.save_model(model, path, compress_to_fp16=False)
    _log.info("wrote %s, %.1f MB", path, (path.stat().st_size + path.with_suffix(".bin").stat().st_size) / 1e6)


def _halve(model: openvino.Model) -> None:
    """Hold the large constants as fp16, as model.safetensors does."""
    for node in model.get_ops():
        if (
            node.get_type_name() == "Constant"
            and node.get_element_type() == openvino.Type.f32
            and node.data.size >= _LARGE
        ):
            half = opset13.convert(opset13.constant(node.data.astype(np.float16)), "f32")
            half.get_rt_info()["decompression_0"] = True
            for target in node.output(0).get_target_inputs():
                target.replace_source_output(half.output(0))
