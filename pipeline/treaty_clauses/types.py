"""The core types: what goes in (`Article`), what comes out (`ArticleRecord`), and what a number is (`Quantity`).

Offsets count Unicode code points of `Article.text`; `end` is one past the last, so
`article.text[start:end]` is a span's text. Gold and prediction are the same type.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from treaty_clauses.labels import ActorKind, ClauseType, Comparator, Modality, Status, TermRole

SCHEMA_VERSION: Literal["1"] = "1"


@dataclass(frozen=True, slots=True)
class Article:
    """One news article as it was given; the text is never rewritten."""

    id: str
    text: str
    published: date | None = None
    title: str | None = None
    source: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of an article, `article.text[start:end]`."""

    start: int
    end: int
    label: str
    score: float = 1.0  # probability in [0, 1]; 1.0 for gold


@dataclass(frozen=True, slots=True)
class Quantity:
    """A normalized numeric term.

    `value` is a Decimal in the base unit named by `unit` (guidelines section 5: 60萬 -> 600000, 三成 -> 0.3), or an ISO
    date string when `unit` is "date" ("2025-11-27", "--11-27" where no year can be known). `high` is the upper end
    when `comparator` is "range", else None.
    """

    value: Decimal | str
    unit: str
    comparator: Comparator = Comparator.EQ
    high: Decimal | str | None = None


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Mention(_Frozen):
    """A stretch of the article's text, quoted."""

    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=1)]
    text: Annotated[str, Field(min_length=1)]


class Actor(_Frozen):
    """A state, organisation, armed group, person, body or place with all its mentions, linked to Wikidata if known."""

    id: str
    name: str
    kind: ActorKind
    wikidata: Annotated[str, Field(pattern=r"^Q[0-9]+$")] | None
    mentions: Annotated[tuple[Mention, ...], Field(min_length=1)]


class Term(_Frozen):
    """A number with its unit that fixes how much, how many, how far, by when or how long."""

    role: TermRole
    start: int
    end: int
    text: str
    comparator: Comparator
    value: int | float | str
    high: int | float | str | None
    unit: str
    anchor: Annotated[
        Mention | None,
        Field(
            description="The words that name the event a deadline or duration counts from, if not the article's date."
        ),
    ]


class Clause(_Frozen):
    """One norm of a proposal: who must, must not, may or is entitled to do what. Roles hold actor ids."""

    id: str
    type: ClauseType
    modality: Modality
    status: Status
    text: str
    mentions: Annotated[tuple[Mention, ...], Field(min_length=1)]
    bearer: tuple[str, ...]
    counterparty: tuple[str, ...]
    territory: tuple[str, ...]
    proposers: tuple[str, ...]
    terms: tuple[Term, ...]
    conditions: tuple[Mention, ...]
    confidence: Annotated[float, Field(ge=0, le=1)]


class Proposal(_Frozen):
    """A plan, agreement, draft, treaty or position with its clauses; `name` is None for an unnamed negotiation."""

    id: str
    name: str | None
    proposers: tuple[str, ...]
    date: str | None
    mentions: tuple[Mention, ...]
    clauses: tuple[Clause, ...]


class ArticleInfo(_Frozen):
    """Which text a record speaks of; `length` counts code points, `sha256` is of the text's UTF-8."""

    id: str
    title: str | None = None
    published: str | None
    source: str | None = None
    url: str | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    length: Annotated[int, Field(ge=0)]


class ArticleRecord(_Frozen):
    """Everything extracted from one article. Offsets are code points into the article's text as given."""

    schema_version: Literal["1"]
    article: ArticleInfo
    actors: tuple[Actor, ...]
    proposals: tuple[Proposal, ...]
    model: str | None = None
    warnings: tuple[str, ...] = ()
