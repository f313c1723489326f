"""The scorer's report: figures with their intervals and conditions, as a rich table, Markdown and JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from rich.console import Group
from rich.table import Table
from rich.text import Text

from treaty_clauses.bootstrap import LEVEL, Rate, estimate_rates
from treaty_clauses.counts import Counts, Tally, iterate_tallies
from treaty_clauses.labels import ClauseType, Role
from treaty_clauses.score import MATCH_RULE, TRIPLE_ROLES, Scores

TALLY_RULES = {
    "record": "clause record: proposal, type, modality, bearers and (value, high, unit, comparator) all right",
    "clause": "clause mention matched",
    "typed": "matched, same type",
    "strict": "matched, same type, exact span",
    "actor": "actor mention: exact span, same link",
    "term": "overlap >= 0.5; value, high, unit, comparator equal",
    "role": f"triple (clause, role, actor link) with role {', '.join(TRIPLE_ROLES)}",
    "condition": "overlap >= 0.5, linked to the matched clause",
}
"""When an item of each figure is right (guidelines section 9)."""

SHARE_RULES = {
    "modality": "over matched clause mentions",
    "status": "over matched clause mentions",
    "attribution": "same proposal, over matched clause mentions",
    "term_role": "over right terms",
    "anchor": "over right terms",
}
"""What each accuracy is taken over (guidelines section 9)."""

# The tables list only the most frequent confusions; the JSON has them all.
_CONFUSIONS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which conditions the numbers of a report hold; files are named without their folders."""

    gold: str
    gold_sha256: str
    predicted: str
    predicted_sha256: str
    models: tuple[str, ...]  # of the predicted records; empty when they name none
    resamples: int
    seed: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One table, before it is rendered: the first `text_columns` columns hold words, the others numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int


@dataclass(frozen=True, slots=True)
class Report:
    """What `evaluate_files` found; `rates` has every rate by its dotted name, `record.f1` for instance."""

    total: Counts
    rates: dict[str, Rate]
    conditions: Conditions
    problems: tuple[str, ...]  # what was counted as empty or wrong, or left out, and why

    @classmethod
    def of(cls, scores: Scores, conditions: Conditions, problems: Iterable[str] = ()) -> "Report":
        """Derive rates and intervals from the counts of each article."""
        rates = estimate_rates(scores.articles, resamples=conditions.resamples, seed=conditions.seed)
        return cls(scores.total, rates, conditions, tuple(problems))

    def describe_conditions(self) -> str:
        """Return, in one paragraph, all that must be said beside any number of this report."""
        total, conditions = self.total, self.conditions
        models = ", ".join(conditions.models) or "not named"
        return (
            f"{total.articles} articles ({total.articles_without_clause} without a clause in gold); "
            f"{total.gold_clauses} gold clauses in {total.clause.tp + total.clause.fn} mentions, "
            f"{total.predicted_clauses} predicted in {total.clause.tp + total.clause.fp}; {MATCH_RULE}; "
            f"micro-averages with {LEVEL:.0%} percentile bootstrap intervals over articles "
            f"({conditions.resamples} resamples, seed {conditions.seed}); "
            f"gold {conditions.gold}, SHA-256 {conditions.gold_sha256}; "
            f"prediction {conditions.predicted}, SHA-256 {conditions.predicted_sha256}; model {models}."
        )

    def to_json(self) -> dict[str, object]:
        """Return the whole report as plain JSON values; undefined rates are null."""
        total = self.total
        tallies = {name: {**asdict(tally), **self._rates_of(name)} for name, tally in iterate_tallies(total)}
        return {
            "conditions": {
                **asdict(self.conditions),
                "models": list(self.conditions.models),
                "articles": total.articles,
                "articles_without_clause": total.articles_without_clause,
                "gold_clauses": total.gold_clauses,
                "gold_mentions": total.clause.tp + total.clause.fn,
                "predicted_clauses": total.predicted_clauses,
                "predicted_mentions": total.clause.tp + total.clause.fp,
                "match_rule": MATCH_RULE,
                "interval": f"{LEVEL:.0%} percentile bootstrap over articles",
            },
            "figures": {
                **{name: tallies[name] for name in total.tallies},
                **{name: {**asdict(share), **self._rates_of(name)} for name, share in total.shares.items()},
            },
            "types": {str(label): tallies[f"type.{label}"] for label in ClauseType},
            "roles": {str(role): tallies[f"role.{role}"] for role in Role},
            "agreement": {
                name: {"pairs": confusion.total, "alpha": asdict(self.rates[f"{name}.alpha"])}
                for name, confusion in total.confusions.items()
            },
            "confusions": {
                name: [
                    {"gold": str(gold), "predicted": str(predicted), "count": count}
                    for (gold, predicted), count in sorted(confusion.pairs.items())
                ]
                for name, confusion in total.confusions.items()
            },
            "problems": list(self.problems),
        }

    def to_markdown(self) -> str:
        """Return the report as Markdown tables followed by their conditions; ends with a line break."""
        blocks = []
        for table in self._tables():
            ruler = ["---"] * table.text_columns + ["---:"] * (len(table.columns) - table.text_columns)
            lines = (table.columns, ruler, *table.rows)
            blocks.append(
                f"**{table.title}**\n\n"
                + "\n".join("| " + " | ".join(_escape_markdown(cell) for cell in line) + " |" for line in lines)
            )
        blocks.append(self.describe_conditions())
        if self.problems:
            blocks.append("\n".join(f"- {problem}" for problem in self.problems))
        return "\n\n".join(blocks) + "\n"

    def to_table(self) -> Group:
        """Return the report as something a rich console prints: the tables, their conditions, the problems."""
        parts: list[Table | Text] = []
        for shown in self._tables():
            table = Table(title=shown.title, title_justify="left")
            for index, column in enumerate(shown.columns):
                table.add_column(column, justify="left" if index < shown.text_columns else "right")
            for row in shown.rows:
                table.add_row(*(Text(cell) for cell in row))
            parts.append(table)
        parts.append(Text(self.describe_conditions()))
        parts.extend(Text(f"! {problem}") for problem in self.problems)
        return Group(*parts)

    def _rates_of(self, name: str) -> dict[str, object]:
        kinds = ("precision", "recall", "f1", "accuracy")
        return {kind: asdict(self.rates[f"{name}.{kind}"]) for kind in kinds if f"{name}.{kind}" in self.rates}

    def _tables(self) -> list[Shown]:
        total = self.total
        header = ("P", "R", "F1", f"{LEVEL:.0%} of F1", "TP", "FP", "FN")
        labelled = {name: tally for name, tally in iterate_tallies(total) if tally != Tally()}
        tables = [
            Shown(
                "Figures",
                ("figure", "right when", *header),
                tuple((name, rule, *self._show_tally(name, total.tallies[name])) for name, rule in TALLY_RULES.items()),
                text_columns=2,
            ),
            Shown(
                "Accuracies",
                ("figure", "over", "accuracy", f"{LEVEL:.0%}", "right", "total"),
                tuple(
                    (name, rule, *self._show_rate(f"{name}.accuracy"), *map(str, (share.right, share.total)))
                    for (name, rule), share in zip(SHARE_RULES.items(), total.shares.values(), strict=True)
                ),
                text_columns=2,
            ),
            Shown(
                "Agreement on matched clause mentions",
                ("label", "Krippendorff's alpha", f"{LEVEL:.0%}", "pairs"),
                tuple(
                    (name, *self._show_rate(f"{name}.alpha"), str(confusion.total))
                    for name, confusion in total.confusions.items()
                ),
                text_columns=1,
            ),
        ]
        for title, prefix in (("Typed clauses by type", "type."), ("Role triples by role", "role.")):
            rows = tuple(
                (name.removeprefix(prefix), *self._show_tally(name, tally))
                for name, tally in labelled.items()
                if name.startswith(prefix)
            )
            tables.append(Shown(title, (prefix.removesuffix("."), *header), rows, text_columns=1))
        tables.append(Shown("Most frequent confusions", ("label", "gold", "predicted", "pairs"), self._confusions(), 3))
        return [table for table in tables if table.rows]

    def _confusions(self) -> tuple[tuple[str, ...], ...]:
        wrong = [
            (-count, name, str(gold), str(predicted))
            for name, confusion in self.total.confusions.items()
            for (gold, predicted), count in confusion.pairs.items()
            if gold != predicted
        ]
        return tuple((*labels, str(-negative)) for negative, *labels in sorted(wrong)[:_CONFUSIONS_SHOWN])

    def _show_tally(self, name: str, tally: Tally) -> Sequence[str]:
        precision, recall = (_show_number(self.rates[f"{name}.{kind}"].value) for kind in ("precision", "recall"))
        return precision, recall, *self._show_rate(f"{name}.f1"), *map(str, (tally.tp, tally.fp, tally.fn))

    def _show_rate(self, name: str) -> tuple[str, str]:
        rate = self.rates[name]
        interval = "–" if rate.low is None else f"{_show_number(rate.low)}–{_show_number(rate.high)}"
        return _show_number(rate.value), interval


def _show_number(value: float | None) -> str:
    """Three decimals; a dash for what is undefined."""
    return "–" if value is None else f"{value:.3f}"


def _escape_markdown(cell: str) -> str:
    return cell.replace("|", "\\|")
