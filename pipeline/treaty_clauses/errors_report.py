"""The errors of a prediction for reading: an HTML page with every one in its sentence, and a table of kinds."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import pairwise

from rich.table import Table
from rich.text import Text

from treaty_clauses.error_kinds import KINDS, Mistake, count_kinds
from treaty_clauses.matching import Chars
from treaty_clauses.types import ArticleRecord

_SENTENCE_END = re.compile(r"[。！？!?\n]")
_DETAILS_SHOWN = 3
_CONTEXT_CHARS = 120  # on each side, where a sentence goes on for longer
_STYLE = """
body { font: 16px/1.6 sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; color: #222; background: #fff; }
table { border-collapse: collapse; } th, td { padding: .2em .8em; border-bottom: 1px solid #ccc; text-align: left; }
td.n, th.n { text-align: right; } summary { cursor: pointer; font-weight: bold; margin: 1em 0 .3em; }
p { margin: .3em 0 .9em; } .where { color: #666; font-size: .85em; } .around { color: #777; }
.gold { border-bottom: 3px solid #228833; } .predicted { background: #ffd9a8; }
"""


def render_html(mistakes: Sequence[Mistake], texts: Mapping[str, str], *, title: str, conditions: str = "") -> str:
    """One page, whole in itself: the table of kinds, then a section a kind with every error.

    Gold is underlined, the prediction has a coloured ground. An article whose text is not known shows no sentence.
    """
    rows = count_kinds(mistakes)
    total = len(mistakes)
    parts = [
        "<!DOCTYPE html>",
        '<html lang="zh-Hant"><head><meta charset="utf-8">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1><p>{escape(conditions)}</p>",
        f"<p>{total} errors in {len({mistake.article for mistake in mistakes})} articles. "
        '<span class="gold">Gold</span>, <span class="predicted">prediction</span>.</p>',
        '<table><tr><th>kind</th><th class="n">errors</th><th class="n">share</th><th>most frequent</th></tr>',
    ]
    for kind, count, details in rows:
        parts.append(
            f'<tr><td><a href="#{_anchor(kind)}">{escape(kind)}</a></td><td class="n">{count}</td>'
            f'<td class="n">{count / total:.1%}</td><td>{escape(_show_details(details))}</td></tr>'
        )
    parts.append("</table>")
    for kind, count, details in rows:
        parts.append(f'<h2 id="{_anchor(kind)}">{escape(kind)} ({count})</h2><p>{escape(KINDS[kind])}</p>')
        for detail, number in details:
            parts.append(f"<details><summary>{escape(detail or kind)} ({number})</summary>")
            parts += [
                _render(mistake, texts.get(mistake.article))
                for mistake in mistakes
                if (mistake.kind, mistake.detail) == (kind, detail)
            ]
            parts.append("</details>")
    return "\n".join([*parts, "</body></html>"]) + "\n"


def kinds_markdown(mistakes: Iterable[Mistake], *, most: int | None = None) -> str:
    """The most frequent kinds with their counts as a Markdown table; ends with a line break."""
    lines = [("kind", "errors", "share", "most frequent"), ("---", "---:", "---:", "---"), *_rows(mistakes, most)]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def kinds_table(mistakes: Iterable[Mistake], *, most: int | None = None) -> Table:
    """The same for a rich console."""
    table = Table(title="Errors by kind", title_justify="left")
    for column in ("kind", "errors", "share", "most frequent"):
        table.add_column(column, justify="right" if column in ("errors", "share") else "left")
    for row in _rows(mistakes, most):
        table.add_row(*map(Text, row))
    return table


def texts_in(records: Iterable[ArticleRecord]) -> dict[str, str]:
    """What can be known of the texts from the quotes alone: the quotes in their places, elsewhere an ellipsis sign."""
    found = {}
    for record in records:
        shown = ["…"] * record.article.length
        clauses = [clause for proposal in record.proposals for clause in proposal.clauses]
        mentions = [m for actor in record.actors for m in actor.mentions]
        mentions += [m for proposal in record.proposals for m in proposal.mentions]
        mentions += [m for clause in clauses for m in (*clause.mentions, *clause.conditions)]
        for mention in mentions:
            shown[mention.start : mention.end] = mention.text
        found[record.article.id] = "".join(shown)
    return found


def _rows(mistakes: Iterable[Mistake], most: int | None) -> list[tuple[str, str, str, str]]:
    rows = count_kinds(mistakes)
    total = sum(count for _, count, _ in rows) or 1
    return [(kind, str(count), f"{count / total:.1%}", _show_details(details)) for kind, count, details in rows[:most]]


def _show_details(details: list[tuple[str, int]]) -> str:
    return ", ".join(f"{detail} {count}" for detail, count in details[:_DETAILS_SHOWN] if detail)


def _anchor(kind: str) -> str:
    return kind.replace(" ", "-")


def _render(mistake: Mistake, text: str | None) -> str:
    note = f" · {escape(mistake.note)}" if mistake.note else ""
    where = f'<span class="where">{escape(mistake.article)} [{mistake.start}]{note}</span>'
    return f"<p>{where}<br/>{'' if text is None else _show_sentence(mistake, text)}</p>"


def _show_sentence(mistake: Mistake, text: str) -> str:
    """The sentences that the spans stand in, marked, and the one before and after."""
    spans = [span for span in (mistake.gold, mistake.predicted) if span is not None]
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    first, last = _sentence_start(text, start), _sentence_end(text, end)
    before = text[_sentence_start(text, max(first - 1, 0)) : first]
    after = text[last : _sentence_end(text, min(last + 1, len(text)))]
    cuts = sorted({first, last, *(min(max(edge, first), last) for span in spans for edge in span)})
    pieces = []
    for low, high in pairwise(cuts):
        classes = [
            name
            for name, span in (("gold", mistake.gold), ("predicted", mistake.predicted))
            if span is not None and _covers(span, low)
        ]
        piece = escape(text[low:high])
        pieces.append(f'<span class="{" ".join(classes)}">{piece}</span>' if classes else piece)
    return f'<span class="around">{escape(before)}</span>{"".join(pieces)}<span class="around">{escape(after)}</span>'


def _covers(span: Chars, offset: int) -> bool:
    return span[0] <= offset < span[1]


def _sentence_start(text: str, offset: int) -> int:
    """Behind the last sentence end before an offset, at most `_CONTEXT_CHARS` back."""
    low = max(0, offset - _CONTEXT_CHARS)
    ends = [match.end() for match in _SENTENCE_END.finditer(text, low, offset)]
    return ends[-1] if ends else low


def _sentence_end(text: str, offset: int) -> int:
    """Behind the next sentence end from an offset on, at most `_CONTEXT_CHARS` ahead."""
    high = min(len(text), offset + _CONTEXT_CHARS)
    match = _SENTENCE_END.search(text, offset, high)
    return match.end() if match else high
