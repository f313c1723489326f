"""Commands around the annotations: tools' files, statistics, checksums, agreement. Parse, one library call, print."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from treaty_clauses.errors import InputError, TreatyClausesError

if TYPE_CHECKING:
    from treaty_clauses.exchange.graph import Imported
    from treaty_clauses.types import ArticleRecord

exchange_app = typer.Typer()


class Tool(StrEnum):
    """Which tool's file."""

    LABEL_STUDIO = "label-studio"
    DOCCANO = "doccano"
    DOCBIN = "docbin"


Format = Annotated[Tool, typer.Option("--format", help="Whose file.")]
Texts = Annotated[Path, typer.Option(help="Folder of ID.txt, or JSONL, of the articles' texts.")]
CodePoints = Annotated[
    bool, typer.Option("--code-points", help="doccano: offsets count code points, not its editor's UTF-16 units.")
]


def _stderr(message: str, *, style: str | None = None) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False).print(message, style=style, markup=False)


def _fail(error: TreatyClausesError) -> typer.Exit:
    _stderr(str(error), style="red")
    return typer.Exit(1)


@exchange_app.command("export")
def export(
    gold: Annotated[Path, typer.Argument(help="JSONL of records, gold or predicted.")],
    output: Annotated[Path, typer.Argument(help="File to write.")],
    tool: Format,
    texts: Texts,
    config: Annotated[
        Path | None, typer.Option(help="Label Studio: write the project's labeling interface (XML) here too.")
    ] = None,
    code_points: CodePoints = False,
) -> None:
    """Write annotated articles for Label Studio, doccano or spaCy.

    Example: `treaty-clauses annotate export annotations/dev.jsonl tasks.json --format label-studio --texts corpus/written`
    """
    from treaty_clauses.exchange.label_studio import labeling_config
    from treaty_clauses.io import read_records
    from treaty_clauses.texts import read_texts

    try:
        known = read_texts(texts)
        pairs = [(_text_of(record, known), record) for record in read_records(gold, texts=known)]
        output.write_bytes(_encode(pairs, tool, code_points))
    except TreatyClausesError as error:
        raise _fail(error) from error
    if config is not None:
        config.write_text(labeling_config(), encoding="utf-8")
    _stderr(f"{len(pairs)} articles")


def _text_of(record: "ArticleRecord", texts: Mapping[str, str]) -> str:
    if record.article.id not in texts:
        raise InputError(f"the text of article {record.article.id!r} is missing; name its folder with --texts")
    return texts[record.article.id]


def _encode(pairs: Iterable[tuple[str, "ArticleRecord"]], tool: Tool, code_points: bool) -> bytes:
    if tool is Tool.DOCBIN:
        from treaty_clauses.exchange.docbin import to_docbin

        return to_docbin(pairs).to_bytes()
    if tool is Tool.DOCCANO:
        from treaty_clauses.exchange.doccano import to_line

        rows = (to_line(text, record, utf16=not code_points) for text, record in pairs)
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8")
    from treaty_clauses.exchange.label_studio import to_task

    tasks = [to_task(text, record) for text, record in pairs]
    return (json.dumps(tasks, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


@exchange_app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="A tool's export: Label Studio's JSON, doccano's JSONL, a DocBin.")],
    tool: Format,
    articles: Annotated[Path | None, typer.Option(help="Write the articles' texts here, as JSONL.")] = None,
    code_points: CodePoints = False,
) -> None:
    """Read a tool's export back as records, JSONL on stdout.

    Example: `treaty-clauses annotate import export.json --format label-studio > records.jsonl`

    What no record can hold is named on stderr.
    """
    from treaty_clauses.io import record_to_json

    try:
        found = list(_decode(path, tool, code_points))
    except TreatyClausesError as error:
        raise _fail(error) from error
    for imported in found:
        sys.stdout.write(record_to_json(imported.record) + "\n")
        for note in imported.notes:
            _stderr(note, style="yellow")
    if articles is not None:
        rows = ({"id": imported.record.article.id, "text": imported.text} for imported in found)
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        articles.write_text(lines, encoding="utf-8")
    _stderr(f"{len(found)} articles")


def _decode(path: Path, tool: Tool, code_points: bool) -> Iterator["Imported"]:
    try:
        data = path.read_bytes()
        if tool is Tool.DOCBIN:
            from treaty_clauses.exchange.docbin import from_docbin, read_docbin

            return from_docbin(read_docbin(data, where=str(path)), where=str(path))
        text = data.decode("utf-8")
        if tool is Tool.DOCCANO:
            from treaty_clauses.exchange.doccano import read_lines

            return read_lines(text, where=str(path), utf16=not code_points)
        from treaty_clauses.exchange.label_studio import from_tasks

        return from_tasks(json.loads(text), where=str(path))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot read the export: {error}") from error


@exchange_app.command("statistics")
def statistics(
    annotations: Annotated[Path, typer.Argument(help="Folder of gold.")] = Path("annotations"),
    corpus: Annotated[Path, typer.Argument(help="Folder of articles; its README.md is the dataset card.")] = Path(
        "corpus"
    ),
    plots: Annotated[bool, typer.Option(help="Draw the plots too (needs matplotlib).")] = True,
) -> None:
    """Write the tables and plots of the dataset card, and the SHA256SUMS of both folders.

    Example: `treaty-clauses annotate statistics annotations corpus`
    """
    from treaty_clauses.card import Statistics, write_tables
    from treaty_clauses.checksums import write_checksums

    try:
        found = Statistics.read(annotations, corpus)
        write_tables(corpus / "README.md", found)
        if plots:
            from treaty_clauses.plots import draw_plots

            draw_plots(found, corpus / "plots")
        counts = [write_checksums(folder) for folder in (annotations, corpus)]
    except TreatyClausesError as error:
        raise _fail(error) from error
    _stderr(f"{len(found.articles)} articles, checksums of {sum(counts)} files")


@exchange_app.command("agreement")
def agreement(
    first: Annotated[list[Path], typer.Option(help="Gold: JSONL or YAML files, or folders of them; may be repeated.")],
    second: Annotated[list[Path], typer.Option(help="The second annotator's; may be repeated.")],
    texts: Annotated[Path | None, typer.Option(help="Texts of YAML annotations that have none beside them.")] = None,
    real: Annotated[
        str, typer.Option(help="How ids of real articles begin, divided by commas; the others are written ones.")
    ] = "pool-,news_,recent-",
    output: Annotated[Path | None, typer.Option(help="Write every figure here, as JSON.")] = None,
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples for the intervals.")] = 1000,
) -> None:
    """Compare two annotations of the same articles: every figure of section 9, and Krippendorff's alpha.

    Example: `treaty-clauses annotate agreement --first annotations --first annotations/real --second annotations/second
    --output annotations/agreement.json`
    """
    from treaty_clauses.agreement import measure_agreement, read_annotations, summarize
    from treaty_clauses.texts import read_texts

    prefixes = tuple(real.split(","))
    try:
        known = read_texts(texts) if texts else {}
        table = measure_agreement(
            read_annotations(first, known),
            read_annotations(second, known),
            groups={
                "all": lambda _: True,
                "real": lambda name: name.startswith(prefixes),
                "written": lambda name: not name.startswith(prefixes),
            },
            resamples=resamples,
        )
    except TreatyClausesError as error:
        raise _fail(error) from error
    if output is not None:
        output.write_text(json.dumps(table, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(summarize(table))
    for key in ("text_changed", "second_only"):
        if table[key]:
            _stderr(f"left out, {key.replace('_', ' ')}: {', '.join(table[key])}")
