"""The command line: parse, one library call, print. Data goes to stdout, everything else to stderr."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler

from treaty_clauses import cli_batch, cli_export
from treaty_clauses.cli_confidence import print_confidence
from treaty_clauses.cli_errors import print_errors, write_errors
from treaty_clauses.cli_exchange import exchange_app
from treaty_clauses.cli_extras import ExtrasGroup
from treaty_clauses.errors import AnnotationError, TreatyClausesError
from treaty_clauses.io import (
    Failure,
    article_from_bytes,
    article_from_line,
    parse_date,
    read_articles,
    write_records,
)
from treaty_clauses.types import Article

app = typer.Typer(
    cls=ExtrasGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Reads Traditional Chinese news about peace proposals and treaties into structured, checkable records.",
)
annotate_app = typer.Typer(no_args_is_help=True, help="Check, build, exchange and compare annotations.")
annotate_app.add_typer(exchange_app)
app.add_typer(annotate_app, name="annotate")
cli_batch.register(app)
cli_export.register(app)


class Backend(StrEnum):
    """What runs the network."""

    FAST = "fast"
    TORCH = "torch"


class Format(StrEnum):
    """How records are printed."""

    JSONL = "jsonl"
    TABLE = "table"


class ReportFormat(StrEnum):
    """How an evaluation is printed."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"


def _stderr() -> Console:
    return Console(stderr=True, soft_wrap=True, highlight=False)


def _table_console() -> Console:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # quotes may hold lone surrogates
    return Console()


def _fail(error: TreatyClausesError) -> typer.Exit:
    _stderr().print(str(error), style="red", markup=False)
    return typer.Exit(1)


def _log(verbose: bool) -> None:
    handler = RichHandler(console=_stderr(), show_path=False)
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[handler], format="%(message)s")


Model = Annotated[Path | None, typer.Option(help="Model folder; the one that ships with the package if not given.")]


@app.command()
def extract(
    paths: Annotated[list[Path], typer.Argument(help="Text files, JSONL files, directories, or - for stdin.")],
    published: Annotated[
        str | None, typer.Option(help="Date of articles that bring none, YYYY-MM-DD.", metavar="DATE")
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="jsonl: one record a line; table: for reading.")
    ] = Format.TABLE,
    minimum: Annotated[
        float, typer.Option("--min-confidence", min=0.0, max=1.0, help="Leave out clauses of less confidence.")
    ] = 0.0,
    model: Model = None,
    backend: Annotated[
        Backend | None, typer.Option(help="fast: the exported graphs, used where they are; torch: the reference.")
    ] = None,
) -> None:
    """Extract the proposal records of articles.

    Example: `treaty-clauses extract article.txt --published 2025-11-24 --format jsonl`

    JSONL input has an object a line with `text`, and if known `id`, `published`, `title`. Exit code 1 when some input
    could not be read; the others are still done.
    """
    from treaty_clauses.extract import AHEAD_CHARS, load
    from treaty_clauses.proposals import keep_at_least

    _log(verbose=False)
    errors = _stderr()
    try:
        day = parse_date(published, where="--published") if published else None
        extractor = load(model, backend=backend.value if backend else None)
    except TreatyClausesError as error:
        raise _fail(error) from error
    failed = False

    def readable() -> Iterator[Article]:
        nonlocal failed
        item: Article | Failure | None
        for item in _inputs(paths, day):
            if isinstance(item, Failure):
                errors.print(f"{item.where}: {item.message}", style="red", markup=False)
                failed = True
                item = item.article
            if item is not None:
                yield item

    console = _table_console() if output is Format.TABLE else None
    for found in extractor.pipe(readable(), ahead_chars=AHEAD_CHARS):
        record = keep_at_least(found, minimum)
        if console is None:
            write_records([record], sys.stdout)
        else:
            from treaty_clauses.report import record_table

            console.print(record_table(record))
    if failed:
        raise typer.Exit(1)


def _inputs(paths: Iterable[Path], published: date | None) -> Iterator[Article | Failure]:
    for path in paths:
        if str(path) != "-":
            yield from read_articles(path, published=published)
            continue
        data = sys.stdin.buffer.read()
        if data.lstrip()[:1] == b"{":
            for number, line in enumerate(data.split(b"\n"), start=1):
                if line.strip():
                    yield article_from_line(line, where=f"stdin:{number}", published=published)
        else:
            yield article_from_bytes(data, article_id="stdin", where="stdin", published=published)


@app.command()
def evaluate(
    gold: Annotated[Path, typer.Argument(help="JSONL of gold records.")],
    predicted: Annotated[Path, typer.Argument(help="JSONL of predicted records.")],
    output: Annotated[ReportFormat, typer.Option("--format", help="How to print.")] = ReportFormat.TABLE,
    texts: Annotated[
        Path | None, typer.Option(help="Folder or JSONL of texts, for gold that holds offsets only.")
    ] = None,
    floors: Annotated[Path | None, typer.Option(help="JSON of floors to hold; exit code 1 below one.")] = None,
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples for the intervals.")] = 1000,
    errors: Annotated[
        Path | None, typer.Option(help="Write every error in its sentence here, as HTML; prints the kinds of error too.")
    ] = None,
    confidence: Annotated[
        bool, typer.Option("--confidence", help="Print how confidences trade precision for recall, and their error.")
    ] = False,
    reliability: Annotated[Path | None, typer.Option(help="Draw the confidences' reliability here, as SVG.")] = None,
) -> None:
    """Score predicted records against gold: every figure of the guidelines' section 9, with 95% intervals.

    Example: `treaty-clauses evaluate annotations/test.jsonl predicted.jsonl --format markdown`
    """
    from treaty_clauses.evaluate import check_floors, evaluate_files

    try:
        report = evaluate_files(gold, predicted, texts=_texts(texts), resamples=resamples)
        mistakes = write_errors(gold, predicted, _texts(texts), report, errors) if errors else None
        shortfalls = check_floors(report, floors) if floors else ()
    except TreatyClausesError as error:
        raise _fail(error) from error
    if output is ReportFormat.JSON:
        sys.stdout.write(json.dumps(report.to_json(), ensure_ascii=False, indent=1) + "\n")
    elif output is ReportFormat.MARKDOWN:
        sys.stdout.write(report.to_markdown() + "\n")
    else:
        Console().print(report.to_table())
    if mistakes is not None and output is not ReportFormat.JSON:
        print_errors(mistakes, markdown=output is ReportFormat.MARKDOWN)
    if (confidence and output is not ReportFormat.JSON) or reliability is not None:
        try:
            print_confidence(gold, predicted, _texts(texts), reliability, markdown=output is ReportFormat.MARKDOWN)
        except TreatyClausesError as error:
            raise _fail(error) from error
    for shortfall in shortfalls:
        _stderr().print(str(shortfall), style="red", markup=False)
    if shortfalls:
        raise typer.Exit(1)


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="TOML recipe of the tagger.")],
    output: Annotated[Path, typer.Option(help="Model folder to write.")] = Path("runs/tagger"),
) -> None:
    """Train the tagger from a recipe.

    Example: `treaty-clauses train models/recipes/tagger.toml --output runs/tagger`
    """
    from treaty_clauses.config import load_recipe
    from treaty_clauses.training.finetune import Training
    from treaty_clauses.training.start import TrainRecipe

    _log(verbose=True)
    try:
        Training(load_recipe(recipe, TrainRecipe), output).run()
    except TreatyClausesError as error:
        raise _fail(error) from error


@app.command()
def pretrain(
    recipe: Annotated[Path, typer.Argument(help="TOML recipe of the encoder.")],
    output: Annotated[Path, typer.Option(help="Run folder; a run found there is resumed.")] = Path("runs/encoder"),
    steps: Annotated[int | None, typer.Option(help="Stop after so many steps of this call.")] = None,
    export: Annotated[Path | None, typer.Option(help="Write the encoder as a model folder at the end.")] = None,
) -> None:
    """Pretrain the encoder on raw text, or go on with a run that was interrupted.

    Example: `treaty-clauses pretrain models/recipes/pretrain-cpu.toml --output runs/encoder --export models/encoder`
    """
    from treaty_clauses.config import load_recipe
    from treaty_clauses.training.checkpoint import export_encoder
    from treaty_clauses.training.curve import write_curve
    from treaty_clauses.training.pretrain import Pretraining, PretrainRecipe

    _log(verbose=True)
    try:
        Pretraining(load_recipe(recipe, PretrainRecipe), output).run(max_steps=steps)
        if export is not None:
            export_encoder(output, export)
            write_curve(export / "log.jsonl", export)
    except TreatyClausesError as error:
        raise _fail(error) from error


@app.command()
def vectors(
    recipe: Annotated[Path, typer.Argument(help="TOML recipe of the word vectors.")],
    output: Annotated[Path, typer.Option(help="Folder to write.")] = Path("runs/words"),
) -> None:
    """Learn word vectors from raw text, for the tagger's recipe to name.

    Example: `treaty-clauses vectors models/recipes/words.toml --output models/words`
    """
    from treaty_clauses.config import load_recipe
    from treaty_clauses.training.wordvectors import VectorRecipe, train_vectors

    _log(verbose=True)
    try:
        train_vectors(load_recipe(recipe, VectorRecipe), output)
    except TreatyClausesError as error:
        raise _fail(error) from error


Sources = Annotated[list[Path], typer.Argument(help="YAML annotations or directories of them, text beside as .txt.")]
Texts = Annotated[Path | None, typer.Option(help="Folder or JSONL of texts that may not lie beside the annotations.")]


@annotate_app.command("check")
def annotate_check(
    sources: Sources,
    texts: Texts = None,
    exceptions: Annotated[
        Path | None, typer.Option(help="TOML of terms whose value their span alone does not give, with reasons.")
    ] = None,
) -> None:
    """Report every mistake in annotations, with file and line.

    Example: `treaty-clauses annotate check annotations/source`
    """
    from treaty_clauses.annotate import check_terms, load_exceptions, read_sources

    count, problems = 0, []
    try:
        allowed = load_exceptions(exceptions) if exceptions else frozenset()
        for source in read_sources(sources, _texts(texts)):
            count += 1
            problems += str(source).splitlines() if isinstance(source, AnnotationError) else check_terms(source, allowed)
    except TreatyClausesError as error:
        raise _fail(error) from error
    for problem in problems:
        sys.stdout.write(problem + "\n")
    _stderr().print(f"{count} annotations, {len(problems)} problems")
    if problems:
        raise typer.Exit(1)


@annotate_app.command("build")
def annotate_build(
    sources: Sources,
    splits: Annotated[Path, typer.Option(help="TOML with the lists `dev` and `test` of events.")],
    annotations: Annotated[Path, typer.Option(help="Folder for train.jsonl, dev.jsonl, test.jsonl.")],
    corpus: Annotated[
        Path | None, typer.Option(help="Folder for articles.jsonl; without it no text is written.")
    ] = None,
    texts: Texts = None,
) -> None:
    """Compile annotations to gold files by split; nothing is written when one of them has a mistake.

    Example: `treaty-clauses annotate build annotations/source --splits annotations/splits.toml
    --annotations annotations --corpus corpus`
    """
    from treaty_clauses.annotate import Source, Splits, build, read_sources

    try:
        found = list(read_sources(sources, _texts(texts)))
        mistakes = [str(item) for item in found if isinstance(item, AnnotationError)]
        if mistakes:
            raise AnnotationError("\n".join(mistakes))
        good = [item for item in found if isinstance(item, Source)]
        counts = build(good, Splits.load(splits), annotations, corpus)
    except TreatyClausesError as error:
        raise _fail(error) from error
    _stderr().print("  ".join(f"{split} {count}" for split, count in counts.items()))


def _texts(path: Path | None) -> dict[str, str]:
    from treaty_clauses.texts import read_texts

    return read_texts(path) if path else {}


@app.command()
def schema(
    crosswalk: Annotated[
        bool, typer.Option("--crosswalk", help="Print the PA-X and PLOVER codes of clause types.")
    ] = False,
) -> None:
    """Print the JSON Schema of records, or the crosswalk of clause types to PA-X and PLOVER codes.

    Example: `treaty-clauses schema > record.schema.json`
    """
    from treaty_clauses.schema import crosswalk_rows, record_schema

    if crosswalk:
        sys.stdout.write("type\tpa_x\tplover\n")
        for row in crosswalk_rows():
            sys.stdout.write(f"{row.type}\t{' '.join(row.pa_x)}\t{' '.join(row.plover)}\n")
    else:
        sys.stdout.write(json.dumps(record_schema(), ensure_ascii=False, indent=1) + "\n")


@app.command()
def quantities() -> None:
    r"""Find all numeric expressions of texts, JSONL in, JSONL out.

    Example: `echo '{"id":"1","text":"簽署後100天內","reference_date":"2025-11-24"}' | treaty-clauses quantities`
    """
    from treaty_clauses.quantities import quantities_jsonl

    _stream(quantities_jsonl)


@app.command()
def actors() -> None:
    r"""Find and link the actors of texts by the gazetteer alone, JSONL in, JSONL out.

    Example: `echo '{"id":"1","text":"俄烏同意停火"}' | treaty-clauses actors`
    """
    from treaty_clauses.actors import actors_jsonl

    _stream(actors_jsonl)


def _stream(transform: Callable[[Iterable[str]], Iterator[str]]) -> None:
    failed = False
    lines = (line.decode("utf-8", "surrogateescape") for line in sys.stdin.buffer)
    try:
        for answer in transform(lines):
            failed = failed or '"error"' in answer
            try:
                answer.encode("utf-8")
            except UnicodeEncodeError:  # lone surrogates are escaped so that the line is valid UTF-8
                answer = json.dumps(json.loads(answer))
            sys.stdout.write(answer.rstrip("\n") + "\n")
    except TreatyClausesError as error:
        raise _fail(error) from error
    if failed:
        _stderr().print("some lines could not be read; their answers hold an `error`", style="red")
        raise typer.Exit(1)
