"""What looks like a quantity and is none: names with numbers, idioms, indefinite articles, codes, and ordinals of names.

The words are listed in `data/numeral_words.txt`; patterns that no list can hold are here.
"""

import re
from decimal import Decimal
from functools import cache
from importlib.resources import files

from treaty_clauses.labels import Comparator
from treaty_clauses.measures import Measure
from treaty_clauses.numerals import Style, scan_numeral
from treaty_clauses.units import Lexicon


def _any(words: str) -> str:
    """Make a pattern of words, the longest first."""
    return "|".join(sorted(map(re.escape, words.split()), key=len, reverse=True))


_N = r"(?:\d{1,4}|[零〇一二兩三四五六七八九十百]{1,6})"
# 28點方案, 五點和平計畫: what so many points are.
_PLAN_WORDS = "式 新 和平 停火 停戰 結束 共同 聯合 政治 具體 核心 原則性 行動 改革 重要"
_PLANS = (
    "方案 計畫 計劃 聲明 共識 建議 主張 原則 協議 提案 倡議 要求 決議 綱領 草案 提議 宣言 路線圖 清單 文件 和平 意見 訴求 結論 說明 "
    "回應 立場 呼籲 理由 條件 」"
)
_PLAN = re.compile(rf"{_N}(?:大|項)?(?:點|個要點|要點|條)(?:{_any(_PLAN_WORDS)})*(?:{_any(_PLANS)})")
# 20國集團, 七大工業國, 五角大廈.
_GROUPS = (
    "國集團 國峰會 國聯軍 國會談 國公約 大工業國 大經濟體 大工業 大洲 大洋 方會談 國外長 國領袖 黨制 院制 角大廈 角大樓 軍團 常 國會議 "
    "國論壇 國組織 國同盟 國聯盟 國協議 方協議 方會議 輪傳動 輪驅動 強賽"
)
_GROUP = re.compile(rf"{_N}(?:{_any(_GROUPS)}|強(?![烈度勢制化]))")
_FORMAT = re.compile(r"\d{1,2}\+\d{1,2}(?![\d=.])")  # 2+2 of a dialogue, 10+3
# 九一一恐攻, 921大地震, 九·一八事變: days that name an event.
_EVENTS = (
    "事件 事變 大地震 強震 地震 震災 慘案 運動 學運 砲戰 炮戰 部隊 條款 恐怖 恐攻 襲擊 攻擊 公報 共識 政變 革命 風災 空難 大屠殺 屠殺 講話 "
    "指示 血案 海戰 空戰 戰役 起義 專線 反送中 決議 協議 風暴 抗爭 紀念 遇襲 劫機 條例"
)
_EVENT_DAY = (
    r"\d{3}|[一二三四五六七八九〇零]{2,3}|\d[-/.·‧]\d{2}|[一二三四五六七八九十][·‧・][一二三四五六七八九十]{1,3}"
)
_EVENT = re.compile(rf"(?:{_EVENT_DAY})(?=」?(?:{_any(_EVENTS)}))")
# 前三名, 前二項: a rank or a reference, not a count.
_TOP = re.compile(rf"前({_N})(?:{_any('名 大 強 位 項 條 款 段 點 者 目')})")
# 第五條, 第七艦隊, 第一夫人: what is so numbered is a name.
_NUMBERED = (
    "條 款 項 章 號 節 師 旅 軍 團 營 連 排 國 方 者 世 台 次世 次世界大戰 次大戰 次中東戰爭 次波斯灣 次國內 島鏈 艦隊 夫人 共和 帝國 修正案 "
    "銀行 勢力 軌 語言 外語 外國語 縱隊 手 線 時間 感 街 醫 醫院 大學 巷 汽車 工業 全國 屆全國 段 流 印象 審 炮 砲 槍 義 信 波 網 弦 版 極 梯隊 "
    "權 拖 紡 中級 人民 村 紀 系 級 文明 城市 宇宙 戰線 社會 屏 勢 天龍 職 頻道 電視 月台 跑道 會議室 會展 季 點 春 桶金 千金 產業 把交椅 家庭 "
    "現場 眼 張圖 原理 性 型 類接觸 種人 人稱 公子 書記 中學 高中 女中 法庭 分局 核電 核能 航廈 軍區 野戰 集團軍 裝甲 空降 步兵 騎兵 空軍 機械化 "
    "砲兵 炮兵 陸戰 特遣 航空 課 殯儀 市場 支部 地方 巡迴 修憲 夥伴 動力 人格 主義 自然 ("
)
_ORDINAL_NAME = re.compile(_any(_NUMBERED))
_ORDINAL_NAMES = re.compile(
    rf"第{_N}(?:[、及和與至到~-]第?{_N})+(?:{_any('條 款 項 章 號 節 頁 段 類 卷 冊 期')})"
)  # 第2、3條
_ORDINAL_UNITS = ("名", "位", "個", "次", "大", "屆")
_REST_OF_NUMBER = re.compile(r"(?:之\d+|-\d+|[一-鿿])?")
# 737客機, 5型, 101空降師, 台61線: a plain number before these names a thing.
_PRODUCTS = (
    "版 學年 學期 客機 型 系列 世代 專線 熱線 高地 公路 國道 省道 縣道 大樓 號 路公車 機型 條款 公里處 航班 奈米製程 分局 度線 空降 裝甲 機步 軍團 艦隊 報案 "
    "防疫專線 反詐騙"
)
_PRODUCT = re.compile(rf"{_any(_PRODUCTS)}|線(?!上)|師(?![生傅資長])|旅(?![客遊行人途])")
# Makes of arms and craft that a number follows (殲20, 東風41).
_MAKES = "殲 轟 運 直 空警 東風 巨浪 紅旗 雄風 天弓 鷹擊 勇鷹 長征 神舟 嫦娥 天宮 天舟 福衛 獵鷹 火星 米格 蘇愷 蘇 圖 白楊 愛國者 標準 榴 波音 公車 巴士 國道 省道 空巴 空中巴士 郵遞區號 電話 手機 統編 統一編號 車牌 帳號 案號 密碼 門號 分機 編號 代號 頁 標普 撥打"
_CODE_BEFORE = re.compile(rf"(?:{_any(_MAKES)}|[A-Za-z][-.]?|[A-Za-z] |[#@_/:]|No\.? ?|\d[-.:])$")
_CODE_AFTER = re.compile(r"[A-Za-z_#@]|[-.][A-Za-z]|:\d|-\d|\.\d")
_HYPHENED = re.compile(r"(?![是為約達到於至近逾過在了得])[一-鿿]-$")  # 北溪-2
_LETTER_BEFORE = re.compile(r"[A-Za-z][-.]?$")
_LIST_ITEM = re.compile(r"[.、)](?!\d)")
_ITEM_BEFORE = ("", "\n", " ", "、", "，", ":", "。", "；", "(")
# After these, 一 counts; else 一名 and 一個 are the indefinite article.
_COUNTED_ONE = re.compile(
    rf"(?:{_any('僅 只 只有 共 各 剩 剩下 唯 至少 最多 不到 有且只有 增加 減少 拿下 囊括 買 吃 喝 、')})$"
)
_INDEFINITE_DAY = re.compile(rf"(?:{_any('有 那 某 哪 同 這 另 任何')})$")
# What may follow a plain number of two or three characters; before a noun they are names (十八羅漢, 三十六計).
_AFTER_NUMBER = frozenset("的是為而和與或及至到比加減乘除等以之多餘倍，對左上下增降升跌漲縮變改轉")
_BIG_CHARS = frozenset("萬億兆")
_SCALE_CHARS = frozenset("十百千萬億兆廿卅拾佰仟點")
_MIN_BARE_CHINESE = 2
_PHONE_DIGITS = 7
_LONG_CODE = 12
_SHORT_TEXT = 5


@cache
def _words() -> Lexicon[str]:  # each word with the characters that must not follow it
    entries: dict[str, str] = {}
    text = files("treaty_clauses").joinpath("data", "numeral_words.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            for entry in line.split():
                word, _, not_before = entry.partition("!")
                entries[word] = not_before
    return Lexicon(entries)


def match_name(text: str, pos: int) -> int | None:
    """Return where a word or name ends that the character at `pos` is part of and that is no quantity; else None."""
    words = _words()
    for start in range(max(0, pos - 4), pos + 1):
        for end, not_before in words.match_all(text, start):
            after = text[end : end + 1]
            if end > pos and not (after and after in not_before):
                return end
    if text[pos] == "第":
        return None
    ranked = _TOP.match(text, pos - 1) if pos else None
    if ranked:
        return ranked.end()
    for pattern in (_PLAN, _GROUP, _EVENT, _FORMAT):
        if match := pattern.match(text, pos):
            return match.end()
    return None


def match_ordinal(text: str, pos: int) -> tuple[int, Decimal | None] | None:
    """Read 第 with its number at `pos`: where it ends, and the number; None for the number in a name (第五條, 第七艦隊)."""
    if names := _ORDINAL_NAMES.match(text, pos):
        return names.end(), None
    numeral = scan_numeral(text, pos + 1)
    if numeral is None or numeral.comparator is not Comparator.EQ or numeral.style is Style.FRACTION:
        return None
    if _ORDINAL_NAME.match(text, numeral.end) or text.startswith(("之", "-"), numeral.end):
        rest = _REST_OF_NUMBER.match(text, numeral.end)
        return rest.end() if rest else numeral.end, None
    end = numeral.end + text.startswith(_ORDINAL_UNITS, numeral.end)
    return end, numeral.low


def is_accepted_count(text: str, start: int, measure: Measure, whole: str) -> bool:
    """Whether a number with its unit counts; 一名男子 and 有一天 do not."""
    numeral = measure.numeral
    written = text[start : numeral.end]
    if numeral.style is Style.ARABIC:
        return not _LETTER_BEFORE.search(text, max(0, start - 2), start) or measure.kind != "count"
    if written == "一" or (measure.start < start and written == "一"):
        if measure.comparator is not Comparator.EQ or measure.high is not None or text[start : measure.end] == whole:
            return True
        if measure.kind == "duration":
            return not _INDEFINITE_DAY.search(text, max(0, start - 3), start)
        if "article" in measure.flags:
            return bool(_COUNTED_ONE.search(text, max(0, start - 3), start)) or (
                start == 0 and len(whole) <= _SHORT_TEXT
            )
    if numeral.bare_scale and written in ("百", "千", "萬", "億") and measure.comparator is Comparator.EQ:
        if measure.kind == "money" or measure.unit == "person":
            return True
        after = text[measure.end : measure.end + 1]
        return measure.kind in ("duration", "length") and (not after.isalnum() or after in "的歷來前後慶")
    return True


def is_accepted_number(text: str, start: int, measure: Measure, whole: str) -> bool:
    """Whether a number without a unit is a term: not in codes and product names, and no single Chinese digit."""
    numeral = measure.numeral
    written = text[start : measure.end]
    if numeral.digits >= _PHONE_DIGITS and text[start] == "0":
        return False
    if written == whole or "times" in measure.flags:
        return True
    if measure.start < start and numeral.bare_scale:
        return True
    digits = text[start : numeral.end].lstrip("-負")
    before = text[max(0, start - 1) : start]
    if (
        before == "案"
        or (before in ("經", "緯") and text.startswith("度", measure.end))
        or (before in _ITEM_BEFORE and _LIST_ITEM.match(text, measure.end))
    ):
        return False
    if before in ("(", "[", "註") and text[measure.end : measure.end + 1] in (")", "]", ":") and len(written) <= 3:
        return False
    if numeral.style in (Style.FRACTION, Style.PERCENT):
        return not text.startswith(("決賽", "準決賽"), measure.end)
    if numeral.style is Style.ARABIC or digits[:1].isascii():
        if written[0] == "-" and _HYPHENED.search(text, max(0, start - 2), start + 1):
            return False
        if _CODE_BEFORE.search(text, max(0, start - 4), start) or _CODE_AFTER.match(text, measure.end):
            return False
        if numeral.digits and (numeral.digits > _LONG_CODE or (digits[0] == "0" and numeral.digits > 1)):
            return False
        return not _PRODUCT.match(text, measure.end)
    if numeral.style is Style.POSITIONAL:
        return numeral.digits >= 4
    if numeral.bare_scale:
        return (measure.comparator is not Comparator.EQ and measure.start < start) or text[start] in "數幾好"
    if measure.end - numeral.end > 1 and len(digits) >= _MIN_BARE_CHINESE and _SCALE_CHARS.intersection(digits):
        return True  # 二十出頭
    if text.startswith(("大", "小", "多", "少", "高", "低"), measure.end) and before == "比":
        return True  # 比一百大
    if len(digits) < _MIN_BARE_CHINESE:
        return measure.start < start and not text[measure.end : measure.end + 1].isalnum()
    if not _SCALE_CHARS.intersection(digits):
        return False
    after = text[measure.end : measure.end + 1]
    if not after.isalnum() or after in _AFTER_NUMBER or measure.start < start:
        return True
    return len(digits) > 3 or bool(_BIG_CHARS.intersection(digits)) or "點" in digits
