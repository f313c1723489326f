"""The command line that the trained baselines share: `train` on gold, `extract` articles into records."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from treaty_clauses.io import Failure, read_articles, record_to_json
from treaty_clauses.texts import read_texts
from treaty_clauses.training.gold import GoldArticle, gold_ids, read_gold
from treaty_clauses.types import Article, ArticleRecord

Sources = list[tuple[Path, Path]]
Read = Callable[[Article], ArticleRecord]


def read_sources(sources: Sources) -> Iterator[GoldArticle]:
    """The gold articles of pairs (records, texts)."""
    for records, texts in sources:
        yield from read_gold(records, read_texts(texts, only=gold_ids(records)))


def run(usage: str, train: Callable[[Path, Sources, int], None], reader: Callable[[Path], Read]) -> None:
    """Train into a folder, or read articles with what was trained: one record a line on standard output."""
    parser = argparse.ArgumentParser(description=usage, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train")
    training.add_argument("folder", type=Path)
    training.add_argument("sources", nargs="+", metavar="GOLD.jsonl=TEXTS")
    training.add_argument("--epochs", type=int, default=8)
    reading = commands.add_parser("extract")
    reading.add_argument("folder", type=Path)
    reading.add_argument("articles", type=Path)
    options = parser.parse_args()
    if options.command == "train":
        pairs = [source.split("=", 1) for source in options.sources]
        train(options.folder, [(Path(records), Path(texts)) for records, texts in pairs], options.epochs)
        return
    read = reader(options.folder)
    for article in read_articles(options.articles):
        if isinstance(article, Failure):
            sys.exit(str(article))
        print(record_to_json(read(article)))
