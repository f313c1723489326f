"""A quick extractor for the tests of batch processing: exact patterns, real records, and words that make it fail."""

import base64
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from treaty_clauses.batch.handlers import serve_extractor
from treaty_clauses.io import text_sha256
from treaty_clauses.labels import ActorKind, ClauseType, Comparator, Modality, Status, TermRole
from treaty_clauses.types import (
    SCHEMA_VERSION,
    Actor,
    Article,
    ArticleInfo,
    ArticleRecord,
    Clause,
    Mention,
    Proposal,
    Term,
)

_CAP = re.compile(r"(?P<plan>\w{2}方案)規定(?P<who>\w{2})(?P<clause>兵力(?P<term>不得超過(?P<value>\d+)萬人))")


class Standin:
    """Finds 「某某方案規定某國兵力不得超過N萬人」; raises at RAISE, ends the process at CRASH, never returns at HANG."""

    def __init__(self, seconds: float = 0.0, seen: Path | None = None) -> None:
        self._seconds, self._seen = seconds, seen

    def pipe(self, articles: Iterable[Article], *, ahead_chars: int = 0) -> Iterator[ArticleRecord]:
        del ahead_chars  # one after the other
        for article in articles:
            if "RAISE" in article.text:
                raise ValueError("the text says RAISE")
            if "CRASH" in article.text:
                os._exit(9)
            if "HANG" in article.text:
                time.sleep(1000)
            time.sleep(self._seconds)
            if self._seen is not None:
                with self._seen.open("a") as stream:
                    stream.write(article.id + "\n")
            yield _record(article)


def _record(article: Article) -> ArticleRecord:
    actors: dict[str, list[Mention]] = {}
    plans: dict[str, list[Mention]] = {}
    clauses: dict[str, list[Clause]] = {}
    for number, match in enumerate(_CAP.finditer(article.text), start=1):
        actors.setdefault(match["who"], []).append(_mention(match, "who"))
        plans.setdefault(match["plan"], []).append(_mention(match, "plan"))
        actor_id = f"a{[*actors].index(match['who']) + 1}"
        term = Term(
            role=TermRole.TROOP_CAP,
            start=match.start("term"),
            end=match.end("term"),
            text=match["term"],
            comparator=Comparator.LE,
            value=int(match["value"]) * 10_000,
            high=None,
            unit="person",
            anchor=None,
        )
        clause = Clause(
            id=f"c{number}",
            type=ClauseType.FORCE_LIMITS,
            modality=Modality.PROHIBITION,
            status=Status.PROPOSED,
            text=match["clause"],
            mentions=(_mention(match, "clause"),),
            bearer=(actor_id,),
            counterparty=(),
            territory=(),
            proposers=(),
            terms=(term,),
            conditions=(),
            confidence=0.9,
        )
        clauses.setdefault(match["plan"], []).append(clause)
    return ArticleRecord(
        schema_version=SCHEMA_VERSION,
        article=ArticleInfo(
            id=article.id,
            title=article.title,
            published=str(article.published) if article.published else None,
            source=article.source,
            url=article.url,
            sha256=text_sha256(article.text),
            length=len(article.text),
        ),
        actors=tuple(
            Actor(id=f"a{n}", name=name, kind=ActorKind.STATE, wikidata=None, mentions=tuple(mentions))
            for n, (name, mentions) in enumerate(actors.items(), start=1)
        ),
        proposals=tuple(
            Proposal(
                id=f"p{n}", name=name, proposers=(), date=None, mentions=tuple(mentions), clauses=tuple(clauses[name])
            )
            for n, (name, mentions) in enumerate(plans.items(), start=1)
        ),
        model="standin",
        warnings=(),
    )


def _mention(match: re.Match[str], group: str) -> Mention:
    return Mention(start=match.start(group), end=match.end(group), text=match[group])


def handler(*, seconds: float = 0.0, seen: str | None = None) -> Callable[[Any], list[dict[str, Any]]]:
    """What the extraction process of a test does."""
    return serve_extractor(Standin(seconds, Path(seen) if seen else None))


_PLACES = ("南川", "北嶺", "白嶼", "東洲", "西礁", "青岬", "石門", "長汀")
_ACTS = ("派出代表", "召開記者會", "發表聲明", "展開磋商", "交換文件", "視察邊界", "擱置爭議", "重申立場")
_THINGS = ("撤軍時程", "戰俘名單", "航道管理", "監督機制", "糧食通道", "電網修復", "邊界劃定", "選舉日期")


def make_text(number: int, *, sentences: int = 4) -> str:
    """A short article of its own for each number, with one troop cap."""
    parts = [f"{_PLACES[number % 8]}外交部第{number}號公報說，"]
    for step in range(sentences):
        key = (number * 2654435761 + step * 40503 * (number + 7)) % 2**32
        place, act, thing = _PLACES[key % 8], _ACTS[key // 8 % 8], _THINGS[key // 64 % 8]
        parts.append(f"{place}於第{key % 9973}次會議後{act}，就{thing}與第{key // 1000 % 7919}號提案表示意見。")
    who = _PLACES[(number * 5 + 3) % 8]
    parts.append(f"{_PLACES[number // 3 % 8]}方案規定{who}兵力不得超過{number % 50 + 1}萬人。")
    return "".join(parts)


def reading_handler(**arguments: Any) -> Callable[[Any], Any]:
    """What the reading process of a test does: as ever, but a feed that says HANG never ends."""
    from treaty_clauses.batch.handlers import reading_handler as real

    handle = real(**arguments)

    def hanging(request: Any) -> Any:
        if b"HANG" in base64.b64decode(request.get("feed", "")):
            time.sleep(1000)
        return handle(request)

    return hanging
