"""What the network says of characters, spans and pairs of spans, on top of the encoder."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from treaty_clauses.decode import TAGS
from treaty_clauses.grams import BUCKETS, Bags, SpanBags
from treaty_clauses.links import BAGGED, CHANNELS, CLASSIFIERS, COUNTED, LINKS, REFINED, LinkInputs
from treaty_clauses.refine import LAYERS, LIMIT, SIZE, WIDTH
from treaty_clauses.spans import FEATURE_SIZES, Layer, Pairs, SpanSet

_NEVER = -1e4
_PAIRS_AT_ONCE = 32_768  # bounds memory in texts of many clauses
_BEFORE_CHARS, _AFTER_CHARS = 60, 30  # what stands beside a span and may say its status or its plan
_PLACE = 0.3  # weight of the position code beside a span vector, whose components are about as large


@dataclass(frozen=True, slots=True)
class HeadsConfig:
    """Widths of the heads; with `use_bags` a bag-of-words classifier votes on the labels of clauses as well.

    With `count_bearers` a further classifier says how many bearers a clause has, by which they are chosen as a set.
    """

    span_size: int = 256
    pair_size: int = 128
    document_layers: int = 2
    document_heads: int = 4
    dropout: float = 0.1
    use_bags: bool = False
    count_bearers: bool = False


@dataclass(frozen=True, slots=True)
class Described:
    """What the heads say of an article's spans, one by one.

    `vectors[layer]`: (spans, span_size); `labels[name]`: (spans, labels) logits of each classifier; `votes[name]`: logits
    of the bag-of-words classifiers, for the labels in BAGGED; `unnamed`: (clauses, channels) of belonging to no named
    proposal, a further column of the table of attribution.
    """

    vectors: dict[Layer, Tensor]
    labels: dict[str, Tensor]
    votes: dict[str, Tensor]
    unnamed: Tensor


class BagClassifier(nn.Module):
    """Labels of spans from the words and n-grams in them and beside them, whatever their order."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.inside = nn.EmbeddingBag(BUCKETS, labels, mode="sum")
        self.beside = nn.EmbeddingBag(BUCKETS, labels, mode="sum")
        self.bias = nn.Parameter(torch.zeros(labels))
        nn.init.zeros_(self.inside.weight)
        nn.init.zeros_(self.beside.weight)

    def forward(self, bags: SpanBags) -> Tensor:
        """-> (spans, labels) logits."""
        return self.bias + self._sum(self.inside, bags.inside) + self._sum(self.beside, bags.beside)

    def _sum(self, table: nn.EmbeddingBag, bags: Bags) -> Tensor:
        device = table.weight.device
        buckets, starts = torch.from_numpy(bags.buckets).to(device), torch.from_numpy(bags.starts).to(device)
        weights = torch.from_numpy(bags.weights()).to(device)
        found: Tensor = table(buckets, starts, per_sample_weights=weights)
        return found


class PairScorer(nn.Module):
    """Scores (source span, target entity) from the best of the entity's candidate mentions (log-sum-exp)."""

    def __init__(self, size: int, pair_size: int, links: int, dropout: float) -> None:
        super().__init__()
        self.source = nn.Linear(size, pair_size)
        self.target = nn.Linear(size, pair_size)
        self.source_gate = nn.Linear(size, pair_size)
        self.target_gate = nn.Linear(size, pair_size)
        self.features = nn.Embedding(sum(FEATURE_SIZES), pair_size)
        offsets = torch.tensor([sum(FEATURE_SIZES[:i]) for i in range(len(FEATURE_SIZES))])
        self.register_buffer("offsets", offsets, persistent=False)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(pair_size, pair_size)
        self.out = nn.Linear(pair_size, links)
        nn.init.normal_(self.features.weight, std=0.1)
        nn.init.constant_(self.out.bias, -2.0)

    def forward(self, sources: Tensor, targets: Tensor, pairs: Pairs) -> Tensor:
        """(s, size), (t, size) -> (s, entities, links) logits; entities without candidates get a very small one."""
        candidates = torch.from_numpy(pairs.candidates).to(sources.device)
        is_real = candidates >= 0
        row, mention = is_real.nonzero()[:, 0], candidates[is_real]
        offsets = self.offsets
        assert isinstance(offsets, Tensor)
        features = torch.from_numpy(pairs.features).to(sources.device)[is_real] + offsets
        source, source_gate = self.source(sources), self.source_gate(sources)
        target, target_gate = self.target(targets), self.target_gate(targets)
        parts = []
        for first in range(0, len(row), _PAIRS_AT_ONCE):
            part = slice(first, first + _PAIRS_AT_ONCE)
            joined = source[row[part]] + target[mention[part]]
            joined = joined + nn.functional.embedding_bag(features[part], self.features.weight, mode="sum")
            joined = joined + source_gate[row[part]] * target_gate[mention[part]]
            parts.append(self.out(nn.functional.gelu(self.hidden(self.dropout(nn.functional.gelu(joined))))))
        scores = sources.new_full((*candidates.shape, self.out.out_features), _NEVER)  # (s, entities, candidates, links)
        if parts:
            scores = scores.index_put((is_real,), torch.cat(parts))
        return scores.logsumexp(dim=2)


class TableRefiner(nn.Module):
    """A second look at the scores of all pairs of clauses and actors or proposals; see `refine.py`."""

    def __init__(self, channels: int, links: int) -> None:
        super().__init__()
        self.links = links
        self.enter = nn.Linear(channels, SIZE)
        self.along = nn.ModuleList(nn.Conv1d(SIZE, SIZE, WIDTH, padding=WIDTH // 2) for _ in range(LAYERS))
        self.across = nn.ModuleList(nn.Linear(4 * SIZE, SIZE, bias=False) for _ in range(LAYERS))
        self.leave = nn.Linear(SIZE, links)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, table: Tensor) -> Tensor:
        """(clauses, columns, channels) -> (clauses, columns, links) logits."""
        first = table[..., : self.links]
        if not table.numel():
            return first
        held = torch.relu(self.enter(table.clamp(-LIMIT, LIMIT)))
        for along, across in zip(self.along, self.across, strict=True):
            clauses = torch.cat([held.mean(dim=1), held.amax(dim=1)], dim=-1)[:, None].expand(-1, held.shape[1], -1)
            columns = torch.cat([held.mean(dim=0), held.amax(dim=0)], dim=-1)[None].expand(held.shape[0], -1, -1)
            beside = along(held.permute(1, 2, 0)).permute(2, 0, 1)
            held = held + torch.relu(beside + across(torch.cat([clauses, columns], dim=-1)))
        refined: Tensor = first + self.leave(held)
        return refined


class Heads(nn.Module):
    """All heads: tags a character, labels a span, links a pair; a light encoder over the article's spans between."""

    def __init__(self, hidden_size: int, config: HeadsConfig, word_size: int = 0) -> None:
        super().__init__()
        size = config.span_size
        self.size = size
        self.tags = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(hidden_size, size), nn.GELU(), nn.Linear(size, len(Layer) * TAGS)
        )
        self.attention = nn.Linear(hidden_size, 1)
        self.span = nn.Linear(3 * hidden_size, size)
        self.words = (
            nn.Sequential(nn.LayerNorm(3 * word_size), nn.Dropout(config.dropout), nn.Linear(3 * word_size, size))
            if word_size
            else None
        )
        self.layer = nn.Embedding(len(Layer), size)
        document = nn.TransformerEncoderLayer(
            size, config.document_heads, 2 * size, config.dropout, "gelu", batch_first=True, norm_first=True
        )
        self.document = nn.TransformerEncoder(document, config.document_layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(size)
        self.dropout = nn.Dropout(config.dropout)
        self.asked = CLASSIFIERS | (COUNTED if config.count_bearers else {})
        self.classifiers = nn.ModuleDict(
            {
                name: nn.Sequential(
                    nn.Linear(size, size), nn.GELU(), nn.Dropout(config.dropout), nn.Linear(size, labels)
                )
                for name, (_, labels) in self.asked.items()
            }
        )
        self.scorers = nn.ModuleDict(
            {name: PairScorer(size, config.pair_size, CHANNELS[name], config.dropout) for name in LINKS}
        )
        self.unnamed = nn.Linear(size, CHANNELS["attribution"])
        self.refiners = nn.ModuleDict({name: TableRefiner(CHANNELS[name], LINKS[name][2]) for name in REFINED})
        self.bags = nn.ModuleDict(
            {name: BagClassifier(CLASSIFIERS[name][1]) for name in BAGGED} if config.use_bags else {}
        )

    def tag(self, hidden: Tensor) -> Tensor:
        """(length, hidden) -> (length, layers, TAGS) log-probabilities."""
        scores = self.tags(hidden).float()
        return nn.functional.log_softmax(scores.view(-1, len(Layer), TAGS), dim=-1)

    def describe(self, hidden: Tensor, spans: SpanSet, words: Tensor, bags: SpanBags) -> Described:
        """(length, hidden) of an article, its spans, (length, word_size) word vectors, bags of its clauses -> labels."""
        vectors = self._span_vectors(hidden.float(), spans, words)
        labels = {name: classifier(vectors[self.asked[name][0]]) for name, classifier in self.classifiers.items()}
        votes = {name: classifier(bags) for name, classifier in self.bags.items()}
        return Described(vectors, labels, votes, self.unnamed(vectors[Layer.CLAUSE]))

    def link(self, described: Described, inputs: LinkInputs) -> dict[str, Tensor]:
        """(sources, entities, links) logits of every scorer of LINKS; the last entity of attribution is "unnamed"."""
        vectors = described.vectors
        tables = {
            name: scorer(vectors[LINKS[name][0]], vectors[LINKS[name][1]], inputs.pairs[name])
            for name, scorer in self.scorers.items()
        }
        tables["attribution"] = torch.cat([tables["attribution"], described.unnamed[:, None]], dim=1)
        return tables | {name: refiner(tables[name]) for name, refiner in self.refiners.items()}

    def _span_vectors(self, hidden: Tensor, spans: SpanSet, words: Tensor) -> dict[Layer, Tensor]:
        """(spans of the layer, span_size) for each layer, after the document encoder has mixed them."""
        bounds = np.concatenate([spans.layers[layer] for layer in Layer])
        kinds = np.concatenate([np.full(spans.count(layer), number) for number, layer in enumerate(Layer)])
        if not len(bounds):
            empty = hidden.new_zeros((0, self.size))
            return dict.fromkeys(Layer, empty)
        start = torch.from_numpy(bounds[:, 0]).to(hidden.device)
        end = torch.from_numpy(bounds[:, 1]).to(hidden.device)
        weight = self.attention(hidden).clamp(-12, 12).exp()  # (length, 1)
        total = _running(torch.cat([weight * hidden, weight], dim=-1).double())
        pooled = total[end] - total[start]
        pooled = (pooled[:, :-1] / pooled[:, -1:]).float()
        edges = torch.cat([hidden[start], hidden[end - 1], pooled], dim=-1)
        order = np.lexsort((-bounds[:, 1], bounds[:, 0]))
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        vectors = self.mix(
            edges,
            None if self.words is None else _word_means(words, start, end),
            torch.from_numpy(kinds).to(hidden.device),
            torch.from_numpy(places).to(hidden.device),
        )
        splits = [spans.count(layer) for layer in Layer]
        return dict(zip(Layer, torch.split(vectors, splits), strict=True))

    def mix(self, edges: Tensor, words: Tensor | None, kinds: Tensor, places: Tensor) -> Tensor:
        """What the spans of an article say of themselves and of one another: (spans, span_size).

        `edges` (spans, 3 * hidden): state of the first and the last character, and the mean; `words` (spans, 3 *
        word_size); `kinds` (spans,): the layer's number; `places` (spans,): each one's place in the order of reading.
        """
        raw = self.span(edges) + self.layer(kinds)
        if self.words is not None:
            raw = raw + self.words(words)
        placed = raw + _PLACE * _sinusoids(places, self.size)
        mixed = self.document(placed[None])[0]
        # what the other spans add, without the code of the place: labels are learnt from the words first
        vectors: Tensor = self.dropout(self.norm(raw + mixed - placed))
        return vectors


def _word_means(words: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """(length, size) -> (spans, 3 * size): mean word vectors inside the spans, before and after them."""
    total = _running(words.double())
    length = len(words)
    bounds = ((start, end), ((start - _BEFORE_CHARS).clamp(min=0), start), (end, (end + _AFTER_CHARS).clamp(max=length)))
    means = [(total[b] - total[a]) / (b - a).clamp(min=1)[:, None] for a, b in bounds]
    return torch.cat(means, dim=-1).to(words.dtype)


def _running(values: Tensor) -> Tensor:
    """(length, size) -> (length + 1, size): sums of everything before each position."""
    return nn.functional.pad(values.cumsum(0), (0, 0, 1, 0))


def _sinusoids(positions: Tensor, size: int) -> Tensor:
    """(count,) -> (count, size): sine and cosine position codes (Vaswani et al. 2017, section 3.5)."""
    rates = torch.exp(torch.arange(0, size, 2, device=positions.device) * (-math.log(1000.0) / size))
    angles = positions[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
