"""spaCy: `nlp.add_pipe("treaty_clauses")` puts spans into `doc.spans` and the record into `doc._.treaty`.

The tokenizer "treaty_clauses.segmenter" gives Docs of jieba words, losslessly, from the package's own segmenter.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import DummyTokenizer, registry
from spacy.vocab import Vocab

from treaty_clauses.extract import Extractor, load
from treaty_clauses.segment import Segmenter
from treaty_clauses.types import ArticleRecord

_KEYS = ("clauses", "actors", "terms", "conditions", "proposals")


class SegmenterTokenizer(DummyTokenizer):
    """Makes a Doc of jieba words; `doc.text` is the text as it was given, white space tokens included.

    Saving a pipeline writes nothing of it: its dictionary is part of the package.
    """

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab
        self._segmenter = Segmenter()

    def __call__(self, text: str) -> Doc:
        """Segment one text."""
        words = self._segmenter.words(text)
        return Doc(self.vocab, words=words, spaces=[False] * len(words))


@registry.tokenizers("treaty_clauses.segmenter")  # type: ignore[untyped-decorator]
def create_tokenizer() -> Callable[[Language], SegmenterTokenizer]:
    """For `spacy.blank("zh", config={"nlp": {"tokenizer": {"@tokenizers": "treaty_clauses.segmenter"}}})`."""
    return lambda nlp: SegmenterTokenizer(nlp.vocab)


class TreatyComponent:
    """Extracts the record of a Doc's text. Tokens are split where a span's border falls inside one."""

    def __init__(self, extractor: Extractor, published: str | None) -> None:
        self._extractor = extractor
        self._published = published

    def __call__(self, doc: Doc) -> Doc:
        """Annotate one Doc; the article's date is `doc.user_data["published"]` if set, else the component's own."""
        published = doc.user_data.get("published", self._published)
        record = self._extractor.extract(doc.text, published=published)
        annotate(doc, record)
        return doc


@Language.factory("treaty_clauses", default_config={"model": None, "published": None})
def create(nlp: Language, name: str, model: str | None, published: str | None) -> TreatyComponent:
    """The component; `model` names a model folder, `published` the articles' date (YYYY-MM-DD)."""
    del nlp, name
    return TreatyComponent(load(Path(model) if model else None), published)


def annotate(doc: Doc, record: ArticleRecord) -> None:
    """Put a record's spans into `doc.spans` under "clauses", "actors", "terms", "conditions", "proposals"."""
    if not Doc.has_extension("treaty"):
        Doc.set_extension("treaty", default=None)
    clauses = [clause for proposal in record.proposals for clause in proposal.clauses]
    found: dict[str, list[tuple[int, int, str]]] = {
        "clauses": [(m.start, m.end, c.type.value) for c in clauses for m in c.mentions],
        "actors": [(m.start, m.end, a.kind.value) for a in record.actors for m in a.mentions],
        "terms": [(t.start, t.end, t.role.value) for c in clauses for t in c.terms],
        "conditions": [(m.start, m.end, "condition") for c in clauses for m in c.conditions],
        "proposals": [(m.start, m.end, "proposal") for p in record.proposals for m in p.mentions],
    }
    split_tokens(doc, (border for spans in found.values() for start, end, _ in spans for border in (start, end)))
    for key in _KEYS:
        spans = [doc.char_span(start, end, label=label) for start, end, label in sorted(set(found[key]))]
        doc.spans[key] = [span for span in spans if isinstance(span, Span)]
    doc._.treaty = record


def split_tokens(doc: Doc, borders: Iterable[int]) -> None:
    """Split the tokens of a Doc so that each character offset in `borders` lies between two tokens."""
    wanted = sorted(set(borders))
    with doc.retokenize() as retokenizer:
        for token in doc:
            inside = [b - token.idx for b in wanted if token.idx < b < token.idx + len(token)]
            if inside:
                cuts = [0, *inside, len(token)]
                parts = [token.text[start:end] for start, end in pairwise(cuts)]
                retokenizer.split(token, parts, heads=[(token, number) for number in range(len(parts))])
