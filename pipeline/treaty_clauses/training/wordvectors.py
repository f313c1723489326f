"""Word vectors by skip-gram over segmented news: cheap knowledge of which words are alike, from all of the text."""

import json
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from treaty_clauses.config import to_table
from treaty_clauses.errors import ModelError
from treaty_clauses.segment import Segmenter
from treaty_clauses.training.stream import Source, is_held_out, read_documents
from treaty_clauses.words import WordTable, spell

logger = logging.getLogger(__name__)

_LONGEST_WORD = 12  # characters; longer "words" are runs of Latin letters, addresses and the like


@dataclass(frozen=True, slots=True)
class VectorRecipe:
    """Everything that decides the vectors.

    `sources`: corpus files; each gives documents from its start until `weight` times `characters` are read. `words`: how
    many of the most frequent get a vector of `size` numbers. `threads` above 1 makes a run faster and not repeatable.
    """

    sources: tuple[Source, ...]
    characters: int
    words: int = 40_000
    size: int = 96
    window: int = 6
    epochs: int = 3
    negative: int = 8
    sample: float = 1e-4
    seed: int = 1
    threads: int = 2


def train_vectors(recipe: VectorRecipe, folder: Path) -> None:
    """Segment the sources, learn vectors, and write words.txt, vectors.safetensors and recipe.json into `folder`.

    Raises:
        InputError: A source cannot be read.
    """
    with tempfile.TemporaryDirectory() as scratch:
        lines = Path(scratch) / "words.txt"
        with lines.open("w", encoding="utf-8") as stream:
            for line in segmented(recipe):
                stream.write(line + "\n")
        fit(recipe, lines, folder)


def segmented(recipe: VectorRecipe) -> Iterator[str]:
    """Paragraphs of the sources as words between spaces, spelled as in the table; held-out documents are left out."""
    segmenter = Segmenter()
    for source in recipe.sources:
        left = source.weight * recipe.characters
        for text in read_documents(source):
            if left <= 0:
                break
            if is_held_out(text):
                continue
            left -= len(text)
            for paragraph in text.splitlines():
                spelled = spell(paragraph)
                line = " ".join(spelled[start:end] for start, end in segmenter.spans(paragraph))
                if line.strip():
                    yield " ".join(line.split())
        logger.info("%s: segmented", source.name)


def fit(recipe: VectorRecipe, lines: Path, folder: Path) -> None:
    """Learn vectors from a file of segmented lines (skip-gram with negative sampling, Mikolov et al. 2013)."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        corpus_file=str(lines),
        sg=1,
        vector_size=recipe.size,
        window=recipe.window,
        negative=recipe.negative,
        sample=recipe.sample,
        epochs=recipe.epochs,
        max_final_vocab=recipe.words,
        min_count=5,
        seed=recipe.seed,
        workers=recipe.threads,
    )
    kept = [word for word in model.wv.index_to_key if len(word) <= _LONGEST_WORD]
    vectors = np.asarray(model.wv[kept], np.float32)
    vectors /= np.sqrt((vectors**2).sum(axis=1, keepdims=True).mean())  # mean length 1; frequent words stay shorter
    folder.mkdir(parents=True, exist_ok=True)
    WordTable(kept).save(folder / "words.txt")
    rows = torch.from_numpy(np.concatenate([np.zeros((1, recipe.size), np.float32), vectors])).half()
    save_file({"vectors": rows}, folder / "vectors.safetensors")
    (folder / "recipe.json").write_text(json.dumps(to_table(recipe), ensure_ascii=False, indent=1) + "\n", "utf-8")
    logger.info("%d words of %d numbers in %s", len(kept), recipe.size, folder)


def read_vectors(folder: Path) -> tuple[WordTable, torch.Tensor]:
    """The word list of a folder and its vectors, shape (len(table), size), float32.

    Raises:
        ModelError: The folder is missing or damaged.
    """
    table = WordTable.load(folder / "words.txt")
    try:
        vectors = load_file(folder / "vectors.safetensors")["vectors"].float()
        if len(vectors) != len(table):
            raise ValueError(f"{len(table)} rows in the word list, {len(vectors)} vectors")
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelError(f"{folder}: cannot read the word vectors: {error}; make them again") from error
    return table, vectors
