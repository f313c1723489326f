"""Words before and after a quantity that say how it bounds what it measures (guidelines section 5).

One table each; the longest word wins. 約, 近, 左右: approx. 至少, 以上: ge. 最多, 以內: le. 逾, 超過, 餘: gt. 未滿, 不到: lt.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from treaty_clauses.labels import Comparator
from treaty_clauses.units import Lexicon

_APPROX, _GE, _LE, _GT, _LT = Comparator.APPROX, Comparator.GE, Comparator.LE, Comparator.GT, Comparator.LT


@dataclass(frozen=True, slots=True)
class Word:
    """A comparing word; `not_after` / `not_before` are the characters that make it part of another word (條約5國).

    `bare` words compare only with 百, 千, 萬, 億 or 半 standing without a digit (上百, 過半). `unless_after` has, for some of
    `not_after`, the characters before these that make a word with them, so that the comparing word stands alone (台北｜約).
    """

    comparator: Comparator
    not_after: str = ""
    not_before: str = ""
    bare: bool = False
    unless_after: Mapping[str, str] | None = None

    def is_part(self, text: str, begin: int) -> bool:
        """Whether the word at `begin` is the end of a longer one."""
        before = text[begin - 1 : begin]
        if not before or before not in self.not_after:
            return False
        alone = self.unless_after.get(before, "") if self.unless_after else ""
        return begin < 2 or text[begin - 2] not in alone


# What ends in 約 is a treaty or a bond (條約, 北約, 續約), but not where its first half belongs to the word before.
_WORDS_BEFORE_ABOUT = {
    "北": "台西東以南往朝華之湖河新偏正閩桃竹向極方",
    "續": "持繼陸連延後接存永賡",
    "失": "損消流喪遺散丟走",
    "和": "克槍械藥糧卡船團會樓校站人員兵架艘枚門戶具名機彈炮砲艦艇隊個件款金元圓噸員童女民者分數工師生區萬千百時天年月日處座量",
    "立": "成建設創確對獨站樹中設",
    "解": "瓦了分溶理調化緩",
    "制": "限管編控體抑機強",
    "公": "辦",
    "合": "折結混集聯融組整符綜配",
    "節": "季環調春細",
    "租": "出承招轉",
    "新": "更刷創嶄翻全從重革",
    "商": "協廠經磋招外台僑",
    "毀": "燒炸摧損焚沖擊撞銷拆全半",
    "守": "防堅據固把駐留看",
    "簽": "抽中",
    "訂": "修增",
    "大": "擴加增放最廣龐浩",
    "赴": "奔前開",
    "誓": "宣發",
    "相": "首外",
}


def _table(*rows: tuple[Comparator, str]) -> dict[str, Word]:
    return {form: Word(comparator) for comparator, forms in rows for form in forms.split()}


_BEFORE = Lexicon(
    {
        **_table(
            (
                _APPROX,
                "大約 大概 約為 約有 約莫 約合 約達 約需 約佔 約占 約在 將近 接近 幾近 差不多 逼近 趨近 近約 大致 約略 概約 上看",
            ),
            (_APPROX, "幾乎 約等於 大約有 大約為 大約是 大概有 大概是 估計約 近乎 粗估 不外 約計 約當 約值 約共 約於"),
            (
                _GE,
                "至少 最少 起碼 不少於 不低於 不下於 不下 不小於 不亞於 至少有 至少為 至少需 最少有 不短於 不早於 至少達 不得少於",
            ),
            (
                _GE,
                "不得低於 不應少於 不應低於 下限 下限為 下限是 不能少於 不能低於 不可少於 不可低於 至少在 至少要 最低 大於等於",
            ),
            (_GE, "大於或等於 不得短於 至少相隔 至少相距 最快 最早 至少共 至少約 少說 最起碼 不少過 少說也有 起步價"),
            (
                _LE,
                "最多 至多 頂多 不超過 不得超過 不多於 不得多於 不高於 不大於 不會超過 不逾 不得逾 未超過 不應超過 不可超過 不能超過",
            ),
            (
                _LE,
                "上限 上限為 上限是 上限訂為 上限定為 最高 最長 限制在 限制為 限制於 僅限 限於 限定在 控制在 不長於 不得長於 不得大於",
            ),
            (
                _LE,
                "不得高於 最遲 最晚 不晚於 不遲於 不得遲於 不得晚於 多達 至多有 最多有 最多為 最多可 最多部署 最多派 最多派駐 最多派遣 壓在",
            ),
            (
                _LE,
                "小於等於 小於或等於 最多可有 未逾 沒有超過 沒超過 不會多於 最大 不能多於 上限為約 縮減至最多 最遲於 最遲至 最遲在 最多達",
            ),
            (
                _GT,
                "逾 超過 超逾 多於 大於 高於 突破 超出 長於 晚於 遲於 不止 不只 遠超 遠超過 超過了 多過 高過 突破了 大過",
            ),
            (_GT, "不僅 超越 越過 衝破 遠高於 勝過 優於"),
            (
                _LT,
                "未滿 少於 不到 低於 小於 不足 未達 不滿 不及 未及 短於 不夠 不用 少過 低過 早於 未到 遠低於 跌破 少於約 尚未滿 還不到 不達 仍不到",
            ),
        ),
        "約": Word(
            _APPROX,
            not_after="條北公合契節紐大和盟締簽特預婚隱制邀違毀失赴爽簡儉相租續履解守訂立商誓新舊",
            unless_after=_WORDS_BEFORE_ABOUT,
        ),
        "近": Word(_APPROX, not_after="附最接鄰靠親新遠臨逼晚就拉走迫湊傍貼相抵挨"),
        "破": Word(_GT, not_after="突打衝跌擊爆攻殘識偵"),
        "超": Word(_GT, not_after="高趕馬反"),
        "過": Word(_GT, bare=True, not_after="不超通經透度渡飛躍"),
        "上": Word(_GE, bare=True, not_after="以之路馬世身晚史線陸島加早岸海地網"),
        "快": Word(_APPROX, not_after="盡加輕飛爽痛勤趕愉明暢涼愈越輕"),
        "成": Word(_GE, bare=True, not_after="完達變組形構造促生"),
        "靠": Word(_APPROX, bare=True),
        "滿": Word(_GE, not_after="未不充圓佈布豐美已期爆客塞屆自任坐擠"),
        "破了": Word(_GT),
    }
)
_AFTER = Lexicon(
    {
        **_table(
            (_APPROX, "左右 上下 許 之譜 前後"),
            (
                _GE,
                "以外 之外 以上 及以上 或以上 或更多 起跳 起碼 （含）以上 (含)以上 以上者 或者以上 含以上 之上 （以上）",
            ),
            (_LE, "以內 之內 以下 及以下 或以下 之下 為限 為上限 封頂 （含）以下 (含)以下 或更少 為度 止"),
            (_GT, "開外 出頭 有餘"),
            (_LT, "未滿 不到"),
        ),
        "內": Word(_LE, not_before="容部心政閣陸地戰外務需向憂行賈塔湖人銷側線政衣褲蒙"),
        "強": Word(_GT, not_before="度大調烈化制迫勢力勁國者行風震降權化佔占攻項"),
        "弱": Word(_LT, not_before="勢點小者化國"),
        "多": Word(_GT, not_before="邊數樣國種名次個位元人家種項年月邊起方重所層功達"),
        "餘": Word(_GT, not_before="額下地的震生"),
        "起": Word(_GE, not_before="來源義因訴初草伏身飛事火案跳碼點步家降落居床訖死"),
    }
)
_AFTER_BLOCK = {
    "以下": "簡稱列各幾是為稱同皆均四五六七八九十兩三",
    "以上": "述是為皆均各",
    "以內": "",
    "左右": "兩為開逢手臂翼派側岸",
}
_SUPERLATIVES = ("最高", "最低", "最大", "最長", "最短", "最多", "不只", "不止", "不僅")


def comparator_before(text: str, start: int, *, bare: bool = False) -> tuple[int, Comparator] | None:
    """Find the comparing word that ends at `start` (one filler such as 了 or 達 may stand between).

    Args:
        text: Folded text.
        start: Where the number begins.
        bare: The number begins with 百, 千, 萬, 億 or 半 without a digit.
    """
    found = _before(text, start, bare)
    if found is None and start > 1 and text[start - 1] in "了有為是在達到至於 共":
        found = _before(text, start - 1, False)
        word = text[found[0] : start - 1] if found else ""
        if found and text[start - 1] != " " and (len(word) < 2 or word in _SUPERLATIVES):  # 最高達615元 was reached
            return None
    if found is None:
        return None
    outer = _before(text, found[0], False)  # 至少約, 最多不超過
    if outer and len(text[outer[0] : found[0]]) > 1:
        comparator = found[1] if outer[1] is _APPROX else outer[1]
        return outer[0], comparator
    return found


def _before(text: str, start: int, bare: bool) -> tuple[int, Comparator] | None:
    found = _BEFORE.match_before(text, start)
    if found is None:
        return None
    begin, word = found
    if (word.bare and not bare) or word.is_part(text, begin):
        return None
    return begin, word.comparator


def comparator_after(text: str, end: int) -> tuple[int, Comparator] | None:
    """Find the comparing word that begins at `end`, and where it ends."""
    pos = end + 1 if text[end : end + 1] == " " else end
    found = _AFTER.match(text, pos)
    if found is None:
        return None
    after, word = found
    blocked = word.not_before or _AFTER_BLOCK.get(text[pos:after], "")
    if after < len(text) and text[after] in blocked:
        return None
    return after, word.comparator
