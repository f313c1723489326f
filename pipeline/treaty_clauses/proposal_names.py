"""Which namings of an article mean the same proposal: by their words before the links are scored, by the network after."""

import re
from contextlib import suppress
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from treaty_clauses.numerals import parse_number
from treaty_clauses.spans import Ints

Floats = npt.NDArray[np.float32]
#: A number that tells documents apart: 28點方案, 第1701號決議, 2005年協議, 第二次宣言.
_NUMBERED = re.compile(r"(?:\d+|[零一二三四五六七八九十百千廿卅]+)(?=[點項條號年步次階輪])")


def cluster_names(text: str, spans: Ints) -> Ints:
    """Which proposal mentions name the same proposal: entity numbers without gaps, shape (mentions,).

    Mentions are the same when their names are equal, or when one is the end of the other (「28點方案」 and
    「俄烏和平28點方案」) and no third name could be meant as well.

    >>> text = "俄烏和平28點方案與12點方案。28點方案"
    >>> cluster_names(text, np.array([[0, 9], [10, 15], [16, 21]])).tolist()
    [0, 1, 0]
    """
    names = [plain_name(text[start:end]) for start, end in spans.tolist()]
    distinct = sorted(set(names), key=lambda name: (-len(name), name))
    home: dict[str, str] = {}
    for name in distinct:
        longer = {home[other] for other in home if other.endswith(name) or (len(name) >= 4 and name in other)}
        home[name] = longer.pop() if len(longer) == 1 else name
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(home[name], len(numbers)) for name in names], np.int64)


def tell_apart(text: str, spans: Ints) -> npt.NDArray[np.bool_]:
    """Which pairs of namings (mentions, mentions) cannot mean the same: both hold numbers, and none in common.

    >>> tell_apart("28點方案、十二點方案、和平方案", np.array([[0, 5], [6, 11], [12, 16]])).tolist()
    [[False, True, False], [True, False, False], [False, False, False]]
    """
    numbers = [_numbers(text[start:end]) for start, end in spans.tolist()]
    apart = [bool(a and b and not a & b) for a in numbers for b in numbers]
    return np.array(apart, np.bool_).reshape(len(numbers), len(numbers))


def join_names(
    entities: Ints, same: Floats, apart: npt.NDArray[np.bool_], attribution: Floats, *, threshold: float
) -> tuple[Ints, Floats]:
    """Join proposals whose namings the network takes for the same one.

    `entities` (mentions,) numbers the proposals; `same` (mentions, mentions) has probabilities below the diagonal, `apart`
    what `tell_apart` says; `attribution` (clauses, proposals + 1) are probabilities of belonging, the last column to none with
    a name. Two proposals are joined where no two of their namings must be told apart and the mean probability over all pairs
    of them reaches the threshold, the likeliest first; what belongs to either belongs to both, so columns are added.

    >>> same = np.array([[0, 0, 0], [0.9, 0, 0], [0.1, 0.2, 0]], np.float32)
    >>> apart, shares = np.zeros((3, 3), np.bool_), np.array([[0.4, 0.3, 0.2, 0.1]], np.float32)
    >>> entities, owners = join_names(np.array([0, 1, 2]), same, apart, shares, threshold=0.5)
    >>> entities.tolist(), [round(float(p), 2) for p in owners[0]]
    ([0, 0, 1], [0.7, 0.2, 0.1])
    """
    count = int(entities.max()) + 1 if len(entities) else 0
    if count < 2:
        return entities, attribution
    either = same + same.T
    member = (entities[:, None] == np.arange(count)).astype(np.float64)  # (mentions, proposals)
    groups = [[number] for number in range(count)]
    while len(groups) > 1:
        joined = np.stack([member[:, group].sum(axis=1) for group in groups], axis=1)
        sizes = joined.sum(axis=0)
        means = (joined.T @ either @ joined) / (sizes[:, None] * sizes[None, :])
        means[joined.T @ apart @ joined > 0] = -1.0
        np.fill_diagonal(means, -1.0)
        first, second = sorted(np.unravel_index(int(means.argmax()), means.shape))
        if means[first, second] < threshold:
            break
        groups[first] = groups[first] + groups.pop(int(second))
    groups.sort(key=min)
    home = np.empty(count, np.int64)
    for number, group in enumerate(groups):
        home[group] = number
    columns = [attribution[:, group].sum(axis=1) for group in groups]
    return home[entities], np.stack([*columns, attribution[:, count]], axis=1)


def trust_names(attribution: Floats, entities: Ints, certainty: npt.NDArray[np.float64], *, weight: float) -> Floats:
    """Let clauses belong less to a proposal whose namings may be none: another plan then gets what it loses.

    `attribution` (clauses, proposals + 1) as in `join_names`; `entities` and `certainty` (mentions,): whose naming each is and
    the score of its span. A proposal's share is multiplied by how many namings it is expected to have, 1 at most, to the power
    `weight`; 0 leaves all as it is.

    >>> shares = np.array([[0.6, 0.3, 0.1]], np.float32)
    >>> [round(float(p), 2) for p in trust_names(shares, np.array([0, 1, 1]), np.array([0.3, 0.7, 0.8]), weight=1.0)[0]]
    [0.31, 0.52, 0.17]
    """
    count = attribution.shape[1] - 1
    if not weight or not count or not len(attribution):
        return attribution
    expected = np.bincount(entities, weights=certainty, minlength=count).clip(1e-6, 1.0)
    shares = attribution * np.append(expected**weight, 1.0)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


def _numbers(name: str) -> set[Decimal]:
    numbers = set()
    for match in _NUMBERED.finditer(name):
        with suppress(ValueError):  # an estimate (數十點) tells nothing apart
            numbers.add(parse_number(match.group()))
    return numbers


def plain_name(name: str) -> str:
    """A naming without quotation marks and white space.

    >>> plain_name("歐烏「12點方案」")
    '歐烏12點方案'
    """
    return re.sub(r"[《》〈〉「」『』“”\s]", "", name)
