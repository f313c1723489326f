"""The baseline without a network: gazetteer, number grammar and hand-written patterns, to see what the network adds.

usage: python benchmarks/rules.py ARTICLES.jsonl > records.jsonl

Then `treaty-clauses evaluate GOLD records.jsonl`. A part of a sentence (between commas, semicolons, full stops) is a clause
where it holds a word of obligation, permission or prohibition and a word of a clause type; the type is the one whose words
weigh most. Its bearer is the actor it begins with, else the last bearer of the sentence; numbers inside it are its terms.
Written once from the guidelines, not tuned on any gold.
"""

import re
import sys
from pathlib import Path

import numpy as np

from treaty_clauses.actors import link_mentions
from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.io import Failure, read_articles, record_to_json
from treaty_clauses.labels import ActorKind, ClauseType, Modality, Role, Status, TermRole
from treaty_clauses.proposal_names import cluster_names
from treaty_clauses.proposals import RecordBuilder, Scores, Thresholds
from treaty_clauses.quantities import QuantityMatch, find_quantities
from treaty_clauses.spans import Layer, SpanSet, as_array
from treaty_clauses.types import Article, ArticleRecord

_PART = re.compile(r"[^，。；！？：\n「」『』]+")
_MODALS: tuple[tuple[Modality, str], ...] = (
    (Modality.PROHIBITION, "不得|不可|不准|禁止|不會|不能|絕不|不再|不超過"),
    (Modality.RIGHT, "有權|將獲得|享有"),
    (Modality.CONSTITUTIVE, "承認|生效|失效|視為|確認|恢復有效"),
    (Modality.PERMISSION, "可以|允許|得以|獲准|准許"),
    (Modality.OBLIGATION, "必須|須|應|將|同意|承諾|要求|保證|願意|決定|負責|承擔"),
)
_STATUS: tuple[tuple[Status, str], ...] = (
    (Status.REJECTED, "拒絕|否決|不接受|駁回"),
    (Status.ENDED, "廢除|終止|到期|退出"),
    (Status.DEMANDED, "要求|堅持|希望|呼籲"),
    (Status.AGREED, "同意|承諾|達成|簽署|決定"),
    (Status.IN_FORCE, "生效|實施|開始執行"),
)
_TYPES: dict[ClauseType, str] = {
    ClauseType.CEASEFIRE: "停火|停戰|休戰|敵對行動|停止攻擊",
    ClauseType.WITHDRAWAL: "撤軍|撤出|撤離|撤退|撤走",
    ClauseType.DEMILITARIZATION: "非軍事|緩衝區|中立區",
    ClauseType.TERRITORY: "領土|邊界|割讓|主權歸|控制權|劃界",
    ClauseType.RECOGNITION: "建交|外交關係|承認|正常化|主權",
    ClauseType.FORCE_LIMITS: "兵力|裁軍|解除武裝|武裝部隊|繳械|射程",
    ClauseType.FOREIGN_FORCES: "駐軍|維和部隊|駐紮|基地|派兵",
    ClauseType.ALLIANCE: "北約|中立|結盟|同盟|加入聯盟",
    ClauseType.SECURITY_GUARANTEE: "安全保障|安全保證|共同防禦",
    ClauseType.NON_AGGRESSION: "互不侵犯|武力威脅|不使用武力|干涉內政",
    ClauseType.ARMS_CONTROL: "核武|濃縮|核設施|飛彈|軍控|核試",
    ClauseType.SANCTIONS: "制裁|禁運",
    ClauseType.ASSETS: "賠償|資產|賠款|凍結",
    ClauseType.RECONSTRUCTION: "重建|投資|基金|援助",
    ClauseType.TRADE: "關稅|貿易|採購|出口|進口|市場",
    ClauseType.MEMBERSHIP: "加入歐盟|入盟|會員|重返",
    ClauseType.PRISONERS: "戰俘|人質|釋放|換俘|遺體|被拘",
    ClauseType.HUMANITARIAN: "人道|難民|物資|平民|排雷|救援",
    ClauseType.ACCOUNTABILITY: "調查|審判|戰爭罪|追究|法庭",
    ClauseType.AMNESTY: "特赦|赦免|豁免",
    ClauseType.ELECTION: "選舉|公投|大選",
    ClauseType.GOVERNANCE: "過渡政府|自治|憲法|政府由|執政",
    ClauseType.RIGHTS_CULTURE: "語言|宗教|教育|少數民族|文化|媒體",
    ClauseType.ENERGY_INFRASTRUCTURE: "核電廠|電廠|電網|管線|天然氣",
    ClauseType.TRANSIT: "航行|通航|走廊|口岸|過境|海峽|空域",
    ClauseType.NEGOTIATION: "談判|會談|對話|磋商|會晤",
    ClauseType.IMPLEMENTATION: "監督|執行|委員會|生效|核查|協議",
}
_PLAN = re.compile(r"(?<=[「《])[^「」《》]{2,20}(?:協議|協定|條約|方案|計畫|計劃|草案|聲明|備忘錄|路線圖)(?=[」》])|[^\W_]{0,4}\d+點(?:方案|計畫)")
_CONDITION = re.compile(r"(?:如果|若|一旦|除非|只要)[^，。；\n]+")
_ROLES = {"date": TermRole.DEADLINE, "person": TermRole.HEADCOUNT, "ratio": TermRole.SHARE, "item": TermRole.QUANTITY}
_TIME = {"hour", "day", "week", "month", "year", "min"}
_LENGTH = {"km", "m", "[mi_i]"}


def read(article: Article, gazetteer: Gazetteer) -> ArticleRecord:
    """The record of an article, by patterns alone."""
    text = article.text
    matches = gazetteer.find(text)
    actors = [(match.start, match.end) for match in matches]
    links = link_mentions(text, actors, gazetteer, kinds=[match.kind for match in matches], published=article.published)
    numbers: dict[str, int] = {}
    entities = np.array([numbers.setdefault(link.key, len(numbers)) for link in links], np.int64)
    plans = [match.span() for match in _PLAN.finditer(text)]
    conditions = [match.span() for match in _CONDITION.finditer(text)]
    clauses, types, modals, states, bearers = [], [], [], [], []
    last: int | None = None
    for match in _PART.finditer(text):
        part = match.group()
        inside = [n for n, (start, end) in enumerate(actors) if match.start() <= start and end <= match.end()]
        modal = _first(part, _MODALS)
        weights = {kind: len(re.findall(words, part)) for kind, words in _TYPES.items()}
        best = max(weights, key=lambda kind: weights[kind])
        if modal is None or not weights[best] or any(s < match.end() and match.start() < e for s, e in conditions):
            continue
        if inside and actors[inside[0]][0] - match.start() <= 2:
            last = int(entities[inside[0]])
        clauses.append(match.span())
        types.append(list(ClauseType).index(best))
        modals.append(list(Modality).index(modal))
        states.append(list(Status).index(_first(part, _STATUS) or Status.PROPOSED))
        bearers.append(last)
    terms = [term for term in find_quantities(text, article.published) if _role(term) is not None]
    layers = {Layer.CLAUSE: clauses, Layer.ACTOR: actors, Layer.PROPOSAL: plans, Layer.CONDITION: conditions, Layer.ANCHOR: []}
    spans = SpanSet(
        {layer: as_array(found) for layer, found in layers.items()}
        | {Layer.TERM: as_array([(term.start, term.end) for term in terms])},
        scores={layer: np.ones(max(len(terms), len(clauses), 1)) for layer in Layer},
        actor_entities=entities,
        proposal_entities=cluster_names(text, as_array(plans)),
    )
    return RecordBuilder(
        article,
        spans,
        links,
        _scores(spans, len(numbers), types, modals, states, bearers, [_role(term) for term in terms], matches),
        thresholds=Thresholds(),
        model="rules",
    ).build()


def _first(part: str, table: tuple) -> Modality | Status | None:  # type: ignore[type-arg]
    return next((label for label, words in table if re.search(words, part)), None)


def _role(term: QuantityMatch) -> TermRole | None:
    unit = term.unit or ""
    if unit in _TIME:
        return TermRole.DEADLINE if term.comparator == "le" else TermRole.DURATION
    if unit in _LENGTH:
        return TermRole.DISTANCE
    if str(term.kind) == "money":
        return TermRole.ASSET_SUM
    if str(term.kind) == "percent":
        return TermRole.SHARE
    return _ROLES.get(unit)


def _scores(spans: SpanSet, actor_count: int, types, modals, states, bearers, roles, matches) -> Scores:  # type: ignore[no-untyped-def]
    count, plans = len(types), int(spans.proposal_entities.max(initial=-1)) + 1
    held = np.zeros((count, actor_count, len(Role)), np.float32)
    owner = np.zeros((count, plans + 1), np.float32)
    linked = np.zeros((count, spans.count(Layer.CONDITION)), np.float32)
    for row, bearer in enumerate(bearers):
        if bearer is not None:
            held[row, bearer, list(Role).index(Role.BEARER)] = 1
        start = spans.layers[Layer.CLAUSE][row, 0]
        before = np.flatnonzero(spans.layers[Layer.PROPOSAL][:, 0] < start) if plans else []
        owner[row, int(spans.proposal_entities[before[-1]]) if len(before) else plans] = 1
        for column, (begin, end) in enumerate(spans.layers[Layer.CONDITION].tolist()):
            linked[row, column] = abs(begin - spans.layers[Layer.CLAUSE][row, 1]) <= 1 or abs(start - end) <= 1

    def certain(labels: list[int], size: int) -> np.ndarray:  # type: ignore[type-arg]
        return np.eye(size, dtype=np.float32)[labels] if labels else np.zeros((0, size), np.float32)

    return Scores(
        labels={
            "clause_type": certain(types, len(ClauseType)),
            "modality": certain(modals, len(Modality)),
            "status": certain(states, len(Status)),
            "kind": certain([list(ActorKind).index(match.kind) for match in matches], len(ActorKind)),
            "term_role": certain([list(TermRole).index(role) for role in roles], len(TermRole)),
        },
        roles=held,
        attribution=owner,
        proposers=np.zeros((spans.count(Layer.PROPOSAL), actor_count), np.float32),
        conditions=linked,
        same_norm=np.zeros((count, count), np.float32),
    )


def main() -> None:
    """Read a file of articles, print a record a line."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    gazetteer = Gazetteer.load()
    for article in read_articles(Path(sys.argv[1])):
        if isinstance(article, Failure):
            sys.exit(str(article))
        print(record_to_json(read(article, gazetteer)))


if __name__ == "__main__":
    main()
