"""Near-duplicates among a store's articles: each new one is linked to the most similar earlier one, never dropped."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from treaty_clauses.duplicates import SIMILAR, bands, similarity
from treaty_clauses.items import Found
from treaty_clauses.store.connection import Connection, id_list

#: Of the articles that share a band, so many are compared; the earliest, so that links do not depend on later ones.
_CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class _Candidate:
    article_id: str
    number: int
    story_id: str
    signature: bytes


class Linker:
    """Links the articles of one commit, in order, to those stored and to those before them in the commit."""

    def __init__(self, connection: Connection, signatures: Iterable[bytes]) -> None:
        self._by_band: defaultdict[int, list[_Candidate]] = defaultdict(list)
        keys = sorted({key for signature in signatures for key in bands(signature)})
        if not keys:
            return
        pairs = connection.look_up(
            "SELECT band, article_id FROM (SELECT band, article_id, number, row_number() OVER (PARTITION BY band ORDER BY "
            f"number) AS place FROM bands WHERE band IN ({', '.join(map(str, keys))})) ranked "
            f"WHERE place <= {_CANDIDATES} ORDER BY band, number"
        )
        rows = connection.look_up(
            "SELECT article_id, number, story_id, signature FROM articles "
            f"WHERE article_id IN ({id_list({article for _, article in pairs})})"
        )
        by_id = {row[0]: _Candidate(*row) for row in rows}
        for band, article_id in pairs:
            self._by_band[band].append(by_id[article_id])

    def link(self, found: Found, number: int) -> tuple[str, float | None]:
        """The story of an article and its similarity to the earlier one it is linked by; its own id and None without."""
        keys = bands(found.signature)
        near = {candidate.article_id: candidate for key in keys for candidate in self._by_band[key]}
        scored = [(similarity(found.signature, one.signature), -one.number, one.story_id) for one in near.values()]
        best = max(scored, default=None)
        alike, story = (best[0], best[2]) if best is not None and best[0] >= SIMILAR else (None, found.article.id)
        me = _Candidate(found.article.id, number, story, found.signature)
        for key in keys:
            if len(self._by_band[key]) < _CANDIDATES:
                self._by_band[key].append(me)
        return story, alike
