"""spaCy's DocBin: one Doc an article, a token a character, so that every span keeps its very offsets.

`doc.spans` has a group a layer (`clause`, `actor`, ...); a span's label is the kind (`ceasefire`, `state`; the layer's name
where there is no kind), its `id_` names the region, its `kb_id_` the actor's Wikidata item. Relations, attributes and the
document stand in `doc.user_data["treaty_clauses"]`.
"""

from collections.abc import Iterable, Iterator

from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from treaty_clauses.errors import AnnotationError
from treaty_clauses.exchange.assemble import record_of
from treaty_clauses.exchange.graph import Graph, Imported, Region, Relation, graph_of
from treaty_clauses.spans import Layer
from treaty_clauses.types import ArticleRecord

_KEY = "treaty_clauses"


def to_docbin(articles: Iterable[tuple[str, ArticleRecord]]) -> DocBin:
    """A DocBin of (text, record) pairs.

    Raises:
        AnnotationError: A text and its record do not belong together.
    """
    vocab = Vocab()
    return DocBin(docs=[to_doc(text, record, vocab) for text, record in articles], store_user_data=True)


def to_doc(text: str, record: ArticleRecord, vocab: Vocab) -> Doc:
    """One article as a Doc of single characters.

    Raises:
        AnnotationError: Text and record do not belong together.
    """
    graph = graph_of(text, record)
    doc = Doc(vocab, words=list(text), spaces=[False] * len(text))
    for layer in Layer:
        spans = [_span(doc, region) for region in graph.regions if region.layer is layer]
        doc.spans[layer.value] = spans
    doc.user_data[_KEY] = {
        "order": [region.id for region in graph.regions],
        "attributes": {region.id: dict(region.attributes) for region in graph.regions if region.attributes},
        "relations": [[relation.source, relation.target, relation.type] for relation in graph.relations],
        "document": dict(graph.document),
    }
    return doc


def _span(doc: Doc, region: Region) -> Span:
    linked = str(region.attributes.get("wikidata", ""))
    return Span(doc, region.start, region.end, label=region.kind or region.layer.value, kb_id=linked, span_id=region.id)


def from_docbin(docbin: DocBin, *, where: str) -> Iterator[Imported]:
    """Read the articles of a DocBin that `to_docbin` made, whatever was added to or taken from its spans.

    Raises:
        AnnotationError: A Doc was not made by `to_docbin`, or cannot be made a record.
    """
    for number, doc in enumerate(docbin.get_docs(Vocab()), start=1):
        yield from_doc(doc, where=f"{where}: document {number}")


def from_doc(doc: Doc, *, where: str) -> Imported:
    """Read one Doc.

    Raises:
        AnnotationError: The Doc was not made by `to_doc`, or cannot be made a record.
    """
    if _KEY not in doc.user_data:
        raise AnnotationError(f"{where}: no `user_data[{_KEY!r}]`; write the DocBin with `store_user_data=True`")
    kept = doc.user_data[_KEY]
    regions: dict[str, Region] = {}
    for layer in Layer:
        for number, span in enumerate(doc.spans.get(layer.value, ())):
            name = span.id_ or f"{layer}-{number}"
            label = layer.value if span.label_ == layer.value else f"{layer}.{span.label_}"
            linked = {"wikidata": span.kb_id_} if span.kb_id_ else {}
            attributes = {**kept["attributes"].get(name, {}), **linked}
            regions[name] = Region(name, span.start_char, span.end_char, label, attributes)
    order = {name: index for index, name in enumerate(kept["order"])}
    ordered = sorted(regions.values(), key=lambda region: order.get(region.id, len(order)))
    names = {region.id for region in ordered}
    relations = tuple(Relation(*ends) for ends in kept["relations"] if {ends[0], ends[1]} <= names)
    notes = tuple(
        f"{where}: the span group {key!r} was left out"
        for key in doc.spans
        if key not in {layer.value for layer in Layer}
    )
    graph = Graph(doc.text, tuple(ordered), relations, kept["document"])
    return Imported(doc.text, record_of(graph, where=where), notes)


def read_docbin(data: bytes, *, where: str) -> DocBin:
    """A DocBin from the bytes of a `.spacy` file.

    Raises:
        AnnotationError: The bytes are no DocBin.
    """
    try:
        return DocBin(store_user_data=True).from_bytes(data)
    except Exception as error:  # zlib, msgpack and spaCy each have errors of their own
        raise AnnotationError(f"{where}: not a DocBin: {error}; give a .spacy file") from error
