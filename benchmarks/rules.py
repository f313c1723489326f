"""The baseline without a network: gazetteer, number grammar and hand-written patterns, to see what the network adds.

usage: python benchmarks/rules.py ARTICLES.jsonl > records.jsonl

Then `treaty-clauses evaluate GOLD records.jsonl`. A part of a sentence (between commas, semicolons, full stops) is a clause
where it holds a word of obligation, permission or prohibition and a word of a clause type; the type is the one whose words
weigh most. Numbers inside it are its terms; `assembling.py` says who bears it. Written once from the guidelines, not tuned on any gold.
"""

import re
import sys
from pathlib import Path

from assembling import Tagged, assemble

from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.io import Failure, read_articles, record_to_json
from treaty_clauses.labels import ClauseType, Modality, Status, TermRole
from treaty_clauses.quantities import QuantityMatch, find_quantities
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
    found = Tagged(
        actors=[(match.start, match.end, match.kind) for match in gazetteer.find(text)],
        plans=[match.span() for match in _PLAN.finditer(text)],
        conditions=[match.span() for match in _CONDITION.finditer(text)],
    )
    for term in find_quantities(text, article.published):
        role = _role(term)
        if role is not None:
            found.terms.append((term.start, term.end, role))
    for match in _PART.finditer(text):
        part, start, end = match.group(), match.start(), match.end()
        modal = modality_of(part)
        weights = {kind: len(re.findall(words, part)) for kind, words in _TYPES.items()}
        best = max(weights, key=lambda kind: weights[kind])
        if modal is not None and weights[best] and not any(s < end and start < e for s, e in found.conditions):
            found.clauses.append((start, end, best, modal, status_of(part)))
    return assemble(article, found, gazetteer, model="rules")


def modality_of(part: str) -> Modality | None:
    """The modality whose words a part of a sentence holds, if any."""
    return next((label for label, words in _MODALS if re.search(words, part)), None)


def status_of(part: str) -> Status:
    """The status whose words a part of a sentence holds, else proposed."""
    return next((label for label, words in _STATUS if re.search(words, part)), Status.PROPOSED)


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
