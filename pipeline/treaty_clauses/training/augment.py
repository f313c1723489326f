"""Rewrites a gold article with other names and numeral styles, its annotation carried along."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from treaty_clauses.io import text_sha256
from treaty_clauses.labels import ActorKind
from treaty_clauses.training.gold import GoldArticle
from treaty_clauses.types import Actor, ArticleRecord

Edit = tuple[int, int, str]

#: States to put in the place of others: full name, short form, capital. Written for this project.
_STATES: tuple[tuple[str, str, str], ...] = (
    ("烏克蘭", "烏", "基輔"), ("俄羅斯", "俄", "莫斯科"), ("以色列", "以", "耶路撒冷"), ("伊朗", "伊", "德黑蘭"),
    ("印度", "印", "新德里"), ("巴基斯坦", "巴", "伊斯蘭堡"), ("敘利亞", "敘", "大馬士革"), ("黎巴嫩", "黎", "貝魯特"),
    ("土耳其", "土", "安卡拉"), ("希臘", "希", "雅典"), ("埃及", "埃", "開羅"), ("蘇丹", "蘇", "喀土穆"),
    ("泰國", "泰", "曼谷"), ("柬埔寨", "柬", "金邊"), ("越南", "越", "河內"), ("緬甸", "緬", "奈比多"),
    ("亞美尼亞", "亞", "葉里溫"), ("亞塞拜然", "阿", "巴庫"), ("衣索比亞", "衣", "阿迪斯阿貝巴"), ("盧安達", "盧", "吉佳利"),
    ("哥倫比亞", "哥", "波哥大"), ("祕魯", "祕", "利馬"), ("智利", "智", "聖地牙哥"), ("南韓", "韓", "首爾"),
    ("北韓", "朝", "平壤"), ("日本", "日", "東京"), ("中國", "中", "北京"), ("美國", "美", "華盛頓"),
    ("英國", "英", "倫敦"), ("法國", "法", "巴黎"), ("塞爾維亞", "塞", "貝爾格勒"), ("科索沃", "科", "普里斯提納"),
    ("喬治亞", "喬", "提比里斯"), ("塞內加爾", "塞", "達卡"), ("葉門", "葉", "沙那"), ("利比亞", "利", "的黎波里"),
    ("北嶺", "嶺", "嶺口"), ("南川", "川", "川京"), ("白嶼", "嶼", "白嶼港"), ("東漢薩", "漢", "漢薩堡"),
    ("洛維亞", "洛", "維亞城"), ("卡桑", "卡", "桑達"), ("維蘭", "維", "蘭都"), ("塔姆里亞", "塔", "塔姆"),
)  # fmt: skip
_SURNAMES = [
    "阿",
    "艾",
    "巴",
    "貝",
    "布",
    "卡",
    "達",
    "德",
    "費",
    "戈",
    "哈",
    "霍",
    "伊",
    "賈",
    "克",
    "拉",
    "萊",
    "盧",
    "馬",
    "梅",
    "穆",
    "納",
    "尼",
    "歐",
    "帕",
    "佩",
    "薩",
    "沙",
    "塔",
    "托",
    "瓦",
    "維",
    "烏",
    "葉",
    "札",
    "澤",
]
_SYLLABLES = [
    "爾",
    "斯",
    "達",
    "米",
    "諾",
    "夫",
    "基",
    "蘭",
    "森",
    "維",
    "特",
    "拉",
    "里",
    "曼",
    "托",
    "尼",
    "德",
    "卡",
    "洛",
    "西",
    "恩",
    "雷",
    "瑪",
    "圖",
    "加",
    "利",
    "門",
    "佐",
    "亞",
    "丁",
]
_GROUPS = ("民族陣線", "解放陣線", "人民軍", "自由運動", "抵抗陣線", "青年黨", "民主聯盟", "復興軍", "愛國武裝")
_SUFFIXES = ("軍方", "部隊", "軍隊", "政府", "外交部", "國防部", "總統府", "軍", "方", "國")
_DIGITS = "○一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How often each rewriting is tried on an article, as probabilities."""

    names: float = 0.5
    numerals: float = 0.25
    quotes: float = 0.1


def augment(gold: GoldArticle, rng: np.random.Generator, config: AugmentConfig) -> GoldArticle:
    """A rewritten copy of the article; the same one where no rewriting was drawn."""
    steps: list[tuple[float, Callable[[GoldArticle, np.random.Generator], list[Edit]]]] = [
        (config.names, _swap_names),
        (config.numerals, _respell_numerals),
        (config.quotes, _drop_quotes),
    ]
    for probability, step in steps:
        if rng.random() < probability:
            gold = apply_edits(gold, step(gold, rng))
    return gold


def apply_edits(gold: GoldArticle, edits: Sequence[Edit]) -> GoldArticle:
    """Replace stretches of the text; edits that would cut through a span's border are left out."""
    text = gold.article.text
    borders = np.zeros(len(text) + 1, bool)
    table = gold.record.model_dump()
    _visit(table, lambda span: borders.__setitem__([span["start"], span["end"]], True))
    kept: list[Edit] = []
    for start, end, new in sorted(edits):
        overlaps = bool(kept) and start < kept[-1][1]
        if not overlaps and new and not borders[start + 1 : end].any():
            kept.append((start, end, new))
    if not kept:
        return gold
    ends = np.array([end for _, end, _ in kept])
    moves = np.concatenate([[0], np.cumsum([len(new) - (end - start) for start, end, new in kept])])
    pieces, last = [], 0
    for start, end, new in kept:
        pieces += [text[last:start], new]
        last = end
    changed = "".join(pieces) + text[last:]

    def move(span: dict[str, Any]) -> None:
        for key in ("start", "end"):
            span[key] = int(span[key] + moves[np.searchsorted(ends, span[key], side="right")])
        span["text"] = changed[span["start"] : span["end"]]

    _visit(table, move)
    for proposal in table["proposals"]:
        for clause in proposal["clauses"]:
            clause["text"] = clause["mentions"][0]["text"]
    table["article"] |= {"sha256": text_sha256(changed), "length": len(changed)}
    return GoldArticle(replace(gold.article, text=changed), ArticleRecord.model_validate(table))


def _visit(value: Any, act: Callable[[dict[str, Any]], None]) -> None:
    if isinstance(value, dict):
        for item in value.values():
            _visit(item, act)
        if "start" in value and "end" in value:
            act(value)
    elif isinstance(value, list | tuple):
        for item in value:
            _visit(item, act)


def _swap_names(gold: GoldArticle, rng: np.random.Generator) -> list[Edit]:
    """Other names for states, persons and armed groups; an actor is renamed in all its mentions or in none."""
    edits: list[Edit] = []
    taken = {mention.text for actor in gold.record.actors for mention in actor.mentions}
    pool = [state for state in _STATES if state[0] not in taken]
    rng.shuffle(pool)
    for actor in gold.record.actors:
        if rng.random() < 0.4:
            continue
        renamed: dict[str, str] | None = None
        if actor.kind == ActorKind.STATE and pool:
            renamed = _rename_state(actor, pool.pop())
        elif actor.kind == ActorKind.PERSON:
            renamed = _rename_person(actor, rng)
        elif actor.kind == ActorKind.ARMED_GROUP and len({m.text for m in actor.mentions}) == 1:
            renamed = {actor.mentions[0].text: str(rng.choice(_SYLLABLES)) + str(rng.choice(_GROUPS))}
        if renamed:
            edits += [(m.start, m.end, renamed[m.text]) for m in actor.mentions]
    return edits


def _rename_state(actor: Actor, new: tuple[str, str, str]) -> dict[str, str] | None:
    """New forms for all forms of a state, or None where a form is of no known make."""
    forms = {mention.text for mention in actor.mentions}
    old = next((state for state in _STATES if state[0] in forms), None)
    full = old[0] if old else actor.name
    renamed = {}
    for form in forms:
        if form.startswith(full):
            renamed[form] = new[0] + form[len(full) :]
        elif old and form == old[2]:
            renamed[form] = new[2]
        elif len(form) == 1:
            renamed[form] = new[1]
        elif form[1:] in _SUFFIXES:
            renamed[form] = new[1] + form[1:]
        else:
            return None
    return renamed


def _rename_person(actor: Actor, rng: np.random.Generator) -> dict[str, str] | None:
    """A new name: the longest form gets a full one, shorter forms that end it the same ending."""
    forms = sorted({mention.text for mention in actor.mentions}, key=len, reverse=True)
    last = str(rng.choice(_SURNAMES)) + "".join(rng.choice(_SYLLABLES, int(rng.integers(1, 4))))
    first = str(rng.choice(_SURNAMES)) + "".join(rng.choice(_SYLLABLES, int(rng.integers(1, 3))))
    if len(forms) == 1:
        return {forms[0]: last}
    if len(forms) == 2 and forms[0].endswith(forms[1]):
        dot = "．" if "．" in forms[0] else "·"
        return {forms[0]: f"{first}{dot}{last}", forms[1]: last}
    return None


def _respell_numerals(gold: GoldArticle, rng: np.random.Generator) -> list[Edit]:
    """Arabic numerals in print style: 72 becomes 七十二 or 七二, 2025 becomes 二○二五."""
    del rng
    edits = []
    for match in re.finditer(r"(?<![\d.,，])\d{1,4}(?![\d.,%％])", gold.article.text):
        digits = match.group()
        spelled = "".join(_DIGITS[int(d)] for d in digits) if len(digits) > 2 else _spell(int(digits))
        edits.append((match.start(), match.end(), spelled))
    return edits


def _spell(number: int) -> str:
    """A number below 100 as it is read: 12 -> 十二, 40 -> 四十."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else _DIGITS[tens] + "十"
    return (head + (_DIGITS[ones] if ones else "")) or "零"


def _drop_quotes(gold: GoldArticle, rng: np.random.Generator) -> list[Edit]:
    """Other quotation marks, as some outlets print them."""
    pairs = [("「", "“"), ("」", "”")] if rng.random() < 0.5 else [("「", "『"), ("」", "』")]
    return [
        (match.start(), match.end(), new)
        for old, new in pairs
        for match in re.finditer(re.escape(old), gold.article.text)
    ]
