"""Sums of money: currency names and signs before or after the number, bare 元 by context, small change.

元, 圓 and 塊 alone follow the article (guidelines section 5): the currency that it names, else the place it speaks of.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache, cached_property

from treaty_clauses.numeral_signs import CHINESE_NUMERAL_CHARS, DIGITS
from treaty_clauses.numerals import scan_numeral
from treaty_clauses.units import Unit, currencies

_BARE = re.compile(r"(?:元|圓|塊)(?:整|正)?")
_BARE_NOT_BEFORE = frozenset("論化函酸醇催首旦宵素朝帥兇勳")
_PIECES = re.compile(r"塊(?:錢|大洋)?|元|圓")
_PIECE_OF = {"美": "USD", "港": "HKD", "台": "TWD", "人": "CNY", "歐": "EUR"}
_CHINESE = frozenset(CHINESE_NUMERAL_CHARS)
_PIECE_OF_A_THING = re.compile(rf"塊(?![錢多左以起上美港人台新日歐{''.join(DIGITS)}])\w")
_CHANGE = re.compile(r"角|毛錢?|毫子")
_CENT = re.compile(r"分錢?")
# Hundredths with a name of their own, before and after the number.
_HUNDREDTHS = {
    "美分": "USD",
    "歐分": "EUR",
    "歐仙": "EUR",
    "便士": "GBP",
    "戈比": "RUB",
    "港仙": "HKD",
    "分錢": None,
    "cents": "USD",
    "cent": "USD",
}
_HUNDREDTH = re.compile("|".join(sorted(_HUNDREDTHS, key=len, reverse=True)))
# Signs and names that stand before the number: 新台幣500萬元, US$5億. Personal names (馬克, 比爾) do not.
_NAME_BEFORE = re.compile(r"[^A-Z]{3,}$|.*[幣元圓金鎊布比銖郎吉]$|[A-Z]{2,3}\$?$|.*[$€£¥₩₹₽₪₫₺₴฿₱]$")
# 10億克朗尼 is money of no known kind: the name of a currency goes on as the name of another.
_NAME_GOES_ON = frozenset("尼斯亞恩維奇夫雅茲瓦魯萊蒂娜琳羅諾姆")
_PLAIN_ENDINGS = frozenset("元圓幣金鎊鈔刀分仙銖")
_ASCII_ALNUM = re.compile(r"[0-9A-Za-z]")
_SHARED_NOUNS = frozenset(
    {"盧比", "披索", "比索", "法郎", "克朗", "克郎", "第納爾", "里亞爾", "先令", "鎊", "盧布", "里拉", "馬克", "迪拉姆"}
)
NO_CURRENCY = "XXX"  # ISO 4217 for a sum in no currency, as of an invented state
_DOLLAR, _YEN_SIGN = "$", "¥"
_EVIDENCE = (
    ("TWD", re.compile(r"新台幣|台幣|NT\$")),
    ("HKD", re.compile(r"港元|港幣|HK\$")),
    ("CNY", re.compile(r"人民幣|RMB")),
    ("JPY", re.compile(r"日圓|日元|日幣")),
    ("TWD", re.compile(r"台灣|台北|高雄|台中|行政院|立法院|立委|新北|桃園")),
    (
        "HKD",
        re.compile(
            r"香港|港府|特區政府|九龍|新界|本港|港人|港鐵|特首|旺角|元朗|沙田|屯門|荃灣|屋邨|公屋|食環署|財委會"
        ),
    ),
    ("CNY", re.compile(r"中國|大陸|北京|上海|中共|廣東|深圳|同比|環比|萬億元")),
)
_ROC_EVIDENCE = re.compile(r"民國|年度|(?<!\d)1[01]\d年\d|今\(1[01]\d\)年")
_FIRST_YEAR, _LAST_YEAR = 1000, 2999


@dataclass(frozen=True)
class Context:
    """What a term may need to know of its surroundings.

    Attributes:
        text: The folded text.
        reference: The day that relative dates count from, usually the article's; one outside of the years 1000 to 2999 is
            not used, as stepping from it could leave the calendar.
        currency: ISO 4217 code of bare 元, where the caller knows it.
        guess: Whether `text` is a whole text, in which bare 元 with no evidence is Taiwan's; if it is only a term's span, 元
            has no unit there and is refused.
    """

    text: str
    reference: date | None = None
    currency: str | None = None
    guess: bool = True
    _mentioned: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.reference and not _FIRST_YEAR <= self.reference.year <= _LAST_YEAR:
            object.__setattr__(self, "reference", None)

    def mentions(self, word: str) -> bool:
        """Whether the text holds a word; each is looked for once, so that a scan stays linear."""
        if word not in self._mentioned:
            self._mentioned[word] = word in self.text
        return self._mentioned[word]

    @cached_property
    def bare_currency(self) -> str | None:
        """ISO 4217 code that 元 alone means in this text; None where nothing tells."""
        if self.currency:
            return self.currency
        for code, pattern in _EVIDENCE:
            if pattern.search(self.text):
                return code
        return "TWD" if self.guess else None

    @cached_property
    def dollar(self) -> str:
        """ISO 4217 code that the sign $ alone means in this text."""
        return "HKD" if self.bare_currency == "HKD" else "USD"

    @cached_property
    def speaks_of_oil(self) -> bool:
        """Whether a 桶 is a barrel here."""
        return not self.guess or any(self.mentions(word) for word in ("油", "OPEC", "布蘭特", "能源"))

    @cached_property
    def counts_by_republic(self) -> bool:
        """Whether the text counts years from the founding of the Republic of China (民國110年, 110年度)."""
        return bool(_ROC_EVIDENCE.search(self.text))


@cache
def money_unit(code: str | None, factor: Fraction = Fraction(1)) -> Unit:
    """Return the unit of a currency; None is a bare 元 that nothing explains."""
    return Unit("money", code, factor, frozenset(), frozenset())


def match_money_unit(text: str, pos: int, context: Context) -> tuple[int, Unit] | None:
    """Find the currency after a number at `pos`: a name, a sign, 元 alone, or small change alone (五角, 五十美分)."""
    char = text[pos : pos + 1]
    if not char:
        return None
    found = currencies().match(text, pos)
    if found:
        end, code = found
        after = text[end : end + 1]
        if after and after in _NAME_GOES_ON and text[end - 1] not in _PLAIN_ENDINGS:
            return None
        if not (text[end - 1] in "元圓" and after and after in _BARE_NOT_BEFORE) and not (
            text[end - 1].isascii() and after.isascii() and after.isalnum()
        ):
            return end, money_unit(_which(text[pos:end], code, context))
    if char in "元圓塊":
        match = _BARE.match(text, pos)
        if char == "塊" and text[pos - 1] in _CHINESE and _PIECE_OF_A_THING.match(text, pos):
            return None
        if match is None or text[match.end() : match.end() + 1] in tuple(_BARE_NOT_BEFORE):
            return None
        return _bare(text, pos, match.end(), context)
    if char in "角毛毫":
        match = _CHANGE.match(text, pos)
        after = text[match.end() : match.end() + 1] if match else ""
        # 三角 is a shape more often than money: small change is so called, or the last word, or followed by 分.
        if match and (len(match[0]) > 1 or not after.isalnum() or after in DIGITS or after.isdigit()):
            return match.end(), money_unit(context.bare_currency, Fraction(1, 10))
    if char == "兩" and (text[pos - 1 : pos] in ("萬", "億") or text.startswith(("白銀", "銀", "紋銀"), pos + 1)):
        return pos + 1, money_unit(context.currency or "XXX")
    match = _HUNDREDTH.match(text, pos)
    if match:
        code_of = _HUNDREDTHS[match[0]]
        return match.end(), money_unit(code_of or context.bare_currency, Fraction(1, 100))
    return None


def _bare(text: str, pos: int, end: int, context: Context) -> tuple[int, Unit] | None:
    if text[pos] == "塊":
        match = _PIECES.match(text, pos)
        end = match.end() if match else end
    pair = text[end : end + 2]
    if pair in ("美金", "美元", "港幣", "台幣", "歐元"):  # 五塊美金
        return end + 2, money_unit(_PIECE_OF[pair[0]])
    if pair == "人民" and text.startswith("人民幣", end):
        return end + 3, money_unit("CNY")
    if pair in ("新台", "日幣") and text.startswith(("新台幣", "日幣"), end):
        return end + (3 if pair == "新台" else 2), money_unit("TWD" if pair == "新台" else "JPY")
    return end, money_unit(context.bare_currency)


def match_currency_before(text: str, start: int, context: Context) -> tuple[int, str] | None:
    """Find the name or sign of a currency that ends at `start`: where it begins, and its ISO 4217 code."""
    end = start - 1 if start and text[start - 1] == " " else start
    if not end or text[end - 1] not in _last_chars():
        return None
    found = currencies().match_before(text, end)
    if found is None:
        return None
    begin, code = found
    form = text[begin:end]
    if len(form) == 1 and form not in "$€£¥₩₹₽₪₫₺₴฿₱":
        return None
    if not _NAME_BEFORE.match(form) or (form[0].isalpha() and _ASCII_ALNUM.match(text, begin - 1, begin)):
        return None
    return begin, _which(form, code, context) or code


@cache
def _last_chars() -> frozenset[str]:
    return frozenset(form[-1] for form in currencies().entries)


@cache
def _issuers(noun: str) -> tuple[tuple[str, str], ...]:
    """Return the names that may stand before a noun several currencies share (盧比: 印度, 尼泊爾 …), with their codes."""
    return tuple(
        (form[: -len(noun)], code)
        for form, code in currencies().entries.items()
        if form.endswith(noun) and len(form) > len(noun) + 1
    )


def _which(form: str, code: str, context: Context) -> str | None:
    """Decide what a bare 盧比, 法郎 or $ is: the currency of the one issuer that the text speaks of, else the usual one."""
    issuers = _issuers(form) if form in _SHARED_NOUNS else ()
    if issuers:
        if context.currency == NO_CURRENCY or any(issuer == context.currency for _, issuer in issuers):
            return context.currency  # the caller knows better
        named = {issuer for name, issuer in issuers if context.mentions(name)}
        return named.pop() if len(named) == 1 else code
    if form == _DOLLAR:
        return context.dollar
    if form == _YEN_SIGN:
        return "JPY" if context.mentions("日") or context.mentions("円") else "CNY"
    return code


def scan_change(text: str, end: int, unit: Unit) -> tuple[int, Decimal]:
    """Read the small change after a sum (元 read up to `end`): 五元六角, 十塊五毛, 五塊二, 3美元50美分.

    Returns the new end and what to add in the sum's unit; the end is unchanged where there is none.
    """
    amount = Decimal(0)
    numeral = scan_numeral(text, end)
    while numeral is not None:
        after = numeral.end
        tenth, hundredth = _CHANGE.match(text, after), _HUNDREDTH.match(text, after) or _CENT.match(text, after)
        if tenth and numeral.low < 10:
            amount, end = amount + numeral.low / 10, tenth.end()
        elif hundredth and numeral.low < 100:
            rest = numeral.low / 100 * unit.factor.denominator / unit.factor.numerator  # 五角五分 counts in 角
            return hundredth.end(), amount + rest
        else:
            break
        numeral = scan_numeral(text, end)
    if amount and text[end - 1 : end] in ("角", "毛") and text[end : end + 1] in tuple(DIGITS):
        if not text[end + 1 : end + 2].isalnum():  # 九塊九毛九
            return end + 1, amount + Decimal(DIGITS[text[end]]) / 100
    elif text[end - 1 : end] == "毛" and text[end : end + 1] in tuple(DIGITS) and not text[end + 1 : end + 2].isalnum():
        return end + 1, Decimal(DIGITS[text[end]]) / 10  # 五毛五, counted in 毛
    bare = not amount and text[end - 1 : end] in ("塊", "元") and text[end : end + 1] in tuple(DIGITS)
    if bare and not text[end + 1 : end + 2].isalnum():  # 五塊二: the digit is the last word
        return end + 1, Decimal(DIGITS[text[end]]) / 10
    return end, amount
