"""Records for reading: proposals and their clauses as a table."""

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from treaty_clauses.types import ArticleRecord, Clause, Proposal, Term

_SIGNS = {"eq": "=", "approx": "≈", "le": "≤", "lt": "<", "ge": "≥", "gt": ">", "range": "="}


def record_table(record: ArticleRecord) -> RenderableType:
    """A panel with one table a proposal: who is bound, what to, numbers and conditions."""
    names = {actor.id: actor.name for actor in record.actors}
    parts: list[RenderableType] = [_proposal_table(proposal, names) for proposal in record.proposals]
    if not any(proposal.clauses for proposal in record.proposals):
        parts.append(Text("no clause found", style="dim"))
    parts += [Text(f"warning: {warning}", style="yellow") for warning in record.warnings]
    date = f" ({record.article.published})" if record.article.published else ""
    return Panel(Group(*parts), title=Text(f"{record.article.id}{date}"), title_align="left")


def _proposal_table(proposal: Proposal, names: dict[str, str]) -> RenderableType:
    proposers = "、".join(names[actor] for actor in proposal.proposers)
    title = proposal.name or "(no named proposal)"
    heading = Text(f"{title}{' — ' + proposers if proposers else ''}", style="italic")  # no string: it may hold markup
    if not proposal.clauses:
        return heading
    table = Table(title=heading, title_justify="left", show_lines=True)
    table.add_column("norm", no_wrap=True)
    for column in ("who -> towards", "clause", "numbers", "if"):
        table.add_column(column, overflow="fold")
    for clause in proposal.clauses:
        table.add_row(*map(Text, _cells(clause, names)))
    return table


def _cells(clause: Clause, names: dict[str, str]) -> tuple[str, ...]:
    def named(actors: tuple[str, ...]) -> str:
        return "、".join(names[actor] for actor in actors)

    towards = f"\n-> {named(clause.counterparty)}" if clause.counterparty else ""
    return (
        f"{clause.type.value}\n{clause.modality.value}\n{clause.status.value}",
        named(clause.bearer) + towards,
        clause.text,
        "\n".join(describe_term(term) for term in clause.terms),
        "\n".join(condition.text for condition in clause.conditions),
    )


def describe_term(term: Term) -> str:
    """A term in short: role, comparator, value, unit, anchor.

    >>> describe_term(Term(role="troop_cap", start=0, end=6, text="60萬人以內", comparator="le", value=600000, high=None,
    ...                    unit="person", anchor=None))
    'troop_cap ≤ 600,000 person'
    """

    def shown(value: int | float | str) -> str:
        return value if isinstance(value, str) else f"{value:,}"

    value = shown(term.value) if term.high is None else f"{shown(term.value)}..{shown(term.high)}"
    anchor = f" after {term.anchor.text}" if term.anchor else ""
    return f"{term.role.value} {_SIGNS[term.comparator.value]} {value} {term.unit}{anchor}"
