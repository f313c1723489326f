"""Numerals to exact numbers: Arabic, Chinese, positional, mixed, approximate, fractions.

Everything but `parse_number` works on folded text (`treaty_clauses.folding`).
萬 is 10**4, 億 10**8, 兆 10**12 and 京 10**16, as Taiwan's press uses them (guidelines section 5).
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import prod

from treaty_clauses.folding import fold
from treaty_clauses.labels import Comparator
from treaty_clauses.numeral_signs import BARE_SCALES, BIG_SCALES, DIGITS, FORMAL, PAIRS, SCALES, SMALL_SCALES, TENS


class Style(StrEnum):
    """How a numeral is written; what may stand as a number without a unit depends on it."""

    ARABIC = "arabic"
    CHINESE = "chinese"
    POSITIONAL = "positional"  # 二五〇, 一九四五: digit by digit
    FRACTION = "fraction"
    PERCENT = "percent"  # 百分之五: the value is the ratio 0.05


@dataclass(frozen=True, slots=True)
class Numeral:
    """A numeral read from folded text; `end` is one past its last character.

    `high` is None unless two numbers are said as one (三四十: 30 and 40; then `comparator` is RANGE). `scales` are the
    factors that a lower end said without them may borrow (the 億 of 100至200億), each after the coefficient before it.
    """

    end: int
    low: Decimal
    style: Style
    high: Decimal | None = None
    comparator: Comparator = Comparator.EQ
    digits: int = 0  # how many digits were written, where nothing but digits was
    bare_scale: bool = False  # begins with 百, 千, 萬 or 億 without a digit: 百萬
    scales: tuple[tuple[Decimal, int], ...] = ()


_CN = "".join(char for char in DIGITS if char not in FORMAL and char != "兩")
# 參, 陸, 伍 are words of their own: digits only beside other formal numerals.
_FORMAL = rf"(?:[{FORMAL}](?=[{FORMAL}拾佰仟萬億兆京元圓零點])|(?<=[{FORMAL}拾佰仟萬億兆京零])[{FORMAL}])"
_TOKEN = re.compile(
    r"(?P<power>\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2}|\^[+-]?\d{1,2})(?![\w.]))"
    r"|(?P<arabic>\d{1,3}(?: \d{3}){2,}(?![\d,.])|\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d{1,3}(?:, \d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    rf"|(?P<digits>一兩|兩三?|(?:[{_CN}]|{_FORMAL})+(?:0+[{_CN}]*)*)"
    rf"|(?P<tens>[{''.join(TENS)}])"
    rf"|(?P<small>[{''.join(SMALL_SCALES)}](?!分點)(?<!千(?=克(?!拉)|卡(?![車片通])|赫|焦)))"
    r"|(?P<big>[萬億京]|兆(?![瓦赫帕焦]|位元|字節|電子伏))"  # 兆瓦 is the megawatt
    r"|(?P<some>(?:好?幾|數)(?=[十百千萬億兆]))"
)
# 多 and 餘 after a round number; 來 and 余 (a surname too) only before a unit.
_MORE = re.compile(
    r"多(?![邊數樣國])|餘(?![額下])|余(?=[人名位個萬億年天公元美])|來(?=[個人名位歲年天公斤里塊元萬次分小秒週月噸米輛架艘棟家戶件頁隻])"
)
_SOME_TAIL = re.compile(r"好?幾(?![乎何度經])")
_POINT = re.compile(
    rf"(?:[點‧·・]|\.(?=[{_CN}]))(?P<digits>[{_CN}{FORMAL}]+|\d+)(?![十拾百]?[分刻](?![之貝鐘])|[十拾]|\d)"
)
_AFTER_ARABIC_POINT = re.compile(r"[萬億兆%倍成個百千公]")
_FRACTION = re.compile(  # Hong Kong leaves the 之 out: 三分一, 四分三
    r" ?個?分 ?之 ?|(?:(?<=三)分(?=[一二])|(?<=四)分(?=[一三])|(?<=五)分(?=[一-四]))(?<![十百千萬].分)(?!..?[十百秒分毛點個名十])"
)
_POWER = re.compile(r"[eE^]")
_WORD = re.compile(r"\w")
_SPACED_SCALE = re.compile(r" (?=[萬億兆][^一二三四五六七八九]|[萬億兆]$)")
_SLASH = re.compile(r"/(\d{1,4})(?![\d/.年月])")
_MIXED_SLASH = re.compile(r"[ 又](\d{1,3})/(\d{1,4})(?![\d/.])")
_PERCENT = Decimal(100)
_ZERO, _ONE = Decimal(0), Decimal(1)
_BIG = 10**4
_MAX_DIGITS = 24  # more are a code, not a quantity; Decimal counts 28 exactly
_AFTER_SOME = 10**20  # `last_scale` after 數 or 幾, above every scale


class _Scan:
    """One pass over a numeral: closed sections (…億, …萬), the open section, the coefficient not yet scaled.

    Lower and upper bound run side by side; they differ only after a pair (三四十萬).
    """

    __slots__ = (
        "closed",
        "coefficient",
        "coefficient_start",
        "comparator",
        "digits",
        "end",
        "last_scale",
        "section",
        "text",
        "tokens",
    )

    def __init__(self, text: str, pos: int) -> None:
        self.text = text
        self.end = pos
        self.closed: list[tuple[Decimal, Decimal, int]] = []
        self.section: tuple[Decimal, Decimal] | None = None
        self.coefficient: tuple[Decimal, Decimal] | None = None
        self.last_scale = 0  # the scale just read; 0 after 零. What 三萬五 leaves unsaid is a tenth of it.
        self.comparator = Comparator.EQ
        self.coefficient_start = pos
        self.tokens = 0
        self.digits = 0

    def run(self) -> None:
        while match := _TOKEN.match(self.text, self.end):
            kind = match.lastgroup
            if kind == "power":
                self._power(match[0])
                self.end, self.tokens = match.end(), 1
                return
            if kind == "arabic":
                fits = self._arabic(match[0])
            elif kind == "digits":
                fits = self._digits(match[0])
            elif kind == "tens":
                fits = self._tens(match[0])
            elif kind == "small":
                fits = self._small(SMALL_SCALES[match[0]])
            elif kind == "big":
                fits = self._big(BIG_SCALES[match[0]])
            else:
                fits = self._some()
            if not fits:
                if kind in ("small", "big") and self.coefficient and self.tokens > 1:
                    self.end, self.coefficient = self.coefficient_start, None  # 3億2億 are two
                return
            if kind in ("arabic", "digits"):
                self.coefficient_start = self.end
            self.end = match.end()
            self.tokens += 1
            if kind in ("arabic", "digits") and self.coefficient is not None:
                self._point(kind == "arabic")
                if kind == "arabic" and _SPACED_SCALE.match(self.text, self.end):
                    self.end += 1
            if kind in ("small", "big", "tens") and self._point_after_scale(kind == "big"):
                return
            if kind != "some" and kind != "digits" and self._more():
                return

    def _power(self, token: str) -> None:
        """Read 1.1^23 or 12e-1, which are whole numerals."""
        base, exponent = _POWER.split(token)
        value = Decimal(10) if "^" not in token else Decimal(base)
        value **= int(exponent)
        value = value if "^" in token else value * Decimal(base)
        self.coefficient = (value, value)

    def _arabic(self, token: str) -> bool:
        if len(token) > _MAX_DIGITS:
            return False
        value = Decimal(token.replace(",", "").replace(" ", ""))
        if self.coefficient or (self.section and value >= self.last_scale) or (self.closed and not self._fits(value)):
            return False
        if self.tokens == 0:
            self.digits = len(token) if token.isdigit() else 0
        self.coefficient = (value, value)
        return True

    def _fits(self, value: Decimal) -> bool:
        return bool(value < self.closed[-1][2])

    def _digits(self, token: str) -> bool:
        if self.coefficient or len(token) > _MAX_DIGITS:
            return False
        if self.tokens == 0:
            self.digits = len(token)
        elif token[0] in "零〇":
            self.last_scale = 0
            token = token.lstrip("零〇")
        elif token == "兩" and not self._scaled_after(1):
            return False  # 三億兩 is silver
        if token:
            values = [DIGITS.get(char, 0) for char in token]
            if len(values) == 2 and (values[0], values[1]) in PAIRS and self._pair_fits(token):
                self.coefficient = (Decimal(values[0]), Decimal(values[1]))
            else:
                value = Decimal("".join(map(str, values)))
                self.coefficient = (value, value)
        return True

    def _scaled_after(self, length: int) -> bool:
        return bool(_TOKEN.match(self.text, self.end + length))

    def _pair_fits(self, token: str) -> bool:
        return token not in ("三五", "一二") or self.tokens == 0

    def _tens(self, token: str) -> bool:
        if self.coefficient or (self.section and self.last_scale == 10):
            return False
        base = self.section or (_ZERO, _ZERO)
        self.section = (base[0] + TENS[token], base[1] + TENS[token])
        self.last_scale = 10
        return True

    def _small(self, scale: int) -> bool:
        if self.coefficient is None and self.tokens and scale != 10 and self.last_scale != _AFTER_SOME:
            return False
        if self.section is not None and 0 < self.last_scale <= scale:
            return False  # 十百 is no number
        low, high = self.coefficient or (_ONE, _ONE)
        base = self.section or (_ZERO, _ZERO)
        self.section = (base[0] + low * scale, base[1] + high * scale)
        self.coefficient = None
        self.last_scale = scale
        return True

    def _big(self, scale: int) -> bool:
        section = self._open()
        if section and self.closed and self.closed[-1][2] == scale:
            return False  # 3億2億 are two
        low, high = section or (_ZERO, _ZERO)
        if section is None and (not self.closed or self.closed[-1][2] >= scale):
            if self.closed and (scale != _BIG or self.closed[-1][2] != _BIG):
                return False
            if self.closed:  # 二萬萬
                part = self.closed.pop()
                self.closed.append((part[0] * scale, part[1] * scale, scale * scale))
                return True
            low = high = _ONE  # 萬人, 億元
        while self.closed and self.closed[-1][2] < scale:  # 三萬億, 3萬5千億
            part = self.closed.pop()
            low, high = low + part[0], high + part[1]
        self.closed.append((low * scale, high * scale, scale))
        self.section = self.coefficient = None
        self.last_scale = scale
        return True

    def _some(self) -> bool:
        if self.coefficient or (self.tokens and self.last_scale < 10):
            return False
        self.comparator = Comparator.GT
        self.last_scale = _AFTER_SOME
        return True

    def _point(self, arabic: bool) -> None:
        """Read the decimals after 點 (三點五, 2點5億); 三點五分 and 三點二十 are times of day."""
        assert self.coefficient is not None
        match = _POINT.match(self.text, self.end)
        if match is None or (arabic and not _AFTER_ARABIC_POINT.match(self.text, match.end())):
            return
        decimals = "".join(char if char.isdigit() and char.isascii() else str(DIGITS[char]) for char in match["digits"])
        value = self.coefficient[0] + Decimal(f"0.{decimals}")
        self.coefficient = (value, value)
        self.digits = 0
        self.end = match.end()

    def _point_after_scale(self, big: bool) -> bool:
        """Read the decimals of 三十點五 (萬); after 萬 and 億 only at the end of the words: 一萬點一度 is an index."""
        match = _POINT.match(self.text, self.end)
        if match is None or match["digits"].isascii() or (big and _WORD.match(self.text, match.end())):
            return False
        fraction = Decimal("0." + "".join(str(DIGITS[char]) for char in match["digits"]))
        base = self.section or (_ZERO, _ZERO)
        if big:
            self.coefficient, self.last_scale = (fraction, fraction), 0
        else:
            self.section = (base[0] + fraction, base[1] + fraction)
        self.end = match.end()
        return big

    def _more(self) -> bool:
        """Read 多, 餘, 來, 幾 after a round number; True where the numeral ends there."""
        value = self._open()
        if not self.closed and (value is None or value[0] < 10 or value[0] % 10):
            return False
        if self.coefficient is None and (match := _SOME_TAIL.match(self.text, self.end)):
            if match.end() < len(self.text) and self.text[match.end()] in "十百千":
                return False
            self.comparator = Comparator.GT
        elif match := _MORE.match(self.text, self.end):
            self.comparator = Comparator.APPROX if match[0] == "來" else Comparator.GT
        else:
            return False
        self.end = match.end()
        return not (self.end < len(self.text) and self.text[self.end] in BIG_SCALES)

    def _open(self) -> tuple[Decimal, Decimal] | None:
        if self.coefficient is None or self.section is None:
            return self.coefficient or self.section
        return self.section[0] + self.coefficient[0], self.section[1] + self.coefficient[1]

    def total(self) -> tuple[Decimal, Decimal]:
        """Add up, with the scale that 一百二 and 三萬五 leave unsaid."""
        if self.coefficient and self.last_scale >= 100 and 0 < self.coefficient[1] < 10:
            scale = self.last_scale // 10
            if self.coefficient[0] == self.coefficient[0].to_integral_value():
                self.coefficient = (self.coefficient[0] * scale, self.coefficient[1] * scale)
        low, high = self._open() or (_ZERO, _ZERO)
        for part in self.closed:
            low, high = low + part[0], high + part[1]
        return low, high


def scan_numeral(text: str, pos: int) -> Numeral | None:
    """Read the longest numeral of folded `text` that begins at `pos`, or return None.

    Reads fractions (三分之一, 四又二分之一, 1/2) and 百分之 as well. A sign is the caller's: 負 and 零下 are words.

    >>> scan_numeral("1億2千3百萬", 0).low
    Decimal('123000000')
    """
    numeral = _scan_plain(text, pos)
    if numeral is None or numeral.end >= len(text):
        return numeral
    end, after = numeral.end, text[numeral.end]
    if after in "分個 " and numeral.low > 0 and numeral.comparator is Comparator.EQ:
        match = _FRACTION.match(text, end)
        if match:
            return _scan_fraction(text, numeral, match.end()) or numeral
    if after in "/ 又" and numeral.digits and numeral.style is Style.ARABIC:
        numeral = _scan_slash(text, numeral)
    if after == "又" and numeral.end == end:
        below = _scan_plain(text, end + 1)
        match = _FRACTION.match(text, below.end) if below and below.low > 0 else None
        part = _scan_fraction(text, below, match.end()) if below and match else None
        if part:
            return Numeral(part.end, numeral.low + part.low, Style.FRACTION)
    return numeral


def _scan_fraction(text: str, below: Numeral, pos: int) -> Numeral | None:
    sign = 1
    if text.startswith(("負", "-"), pos):
        sign, pos = -1, pos + 1
    above = _scan_plain(text, pos)
    if above is None:
        return None
    style = Style.PERCENT if below.low == _PERCENT else Style.FRACTION
    high = None if above.high is None else sign * above.high / below.low
    return Numeral(above.end, sign * above.low / below.low, style, high, above.comparator)


def _scan_slash(text: str, numeral: Numeral) -> Numeral:
    match = _SLASH.match(text, numeral.end)
    if match and int(match[1]) > 0 and numeral.low == numeral.low.to_integral_value():
        return Numeral(match.end(), numeral.low / int(match[1]), Style.FRACTION)
    match = _MIXED_SLASH.match(text, numeral.end)
    if match and 0 < int(match[1]) < int(match[2]):
        return Numeral(match.end(), numeral.low + Decimal(int(match[1])) / int(match[2]), Style.FRACTION)
    return numeral


def _scan_plain(text: str, pos: int) -> Numeral | None:
    scan = _Scan(text, pos)
    scan.run()
    if scan.tokens == 0 or (scan.end == pos + 1 and text[pos] in "幾數"):
        return None
    written = text[pos : scan.end]
    low, high = scan.total()
    if scan.digits and scan.tokens == 1:
        positional = scan.digits > 1 and low == high and written[0] in DIGITS
        style = Style.ARABIC if written[0] not in DIGITS else Style.POSITIONAL if positional else Style.CHINESE
        digits = scan.digits
    else:
        style = Style.ARABIC if written[0].isascii() else Style.CHINESE
        digits = 0
    return Numeral(
        scan.end,
        low,
        style,
        None if low == high else high,
        scan.comparator if low == high else Comparator.RANGE,
        digits,
        written[0] in BARE_SCALES,
        _borrowed_scales(written, low) if digits == 0 else (),
    )


def _borrowed_scales(written: str, low: Decimal) -> tuple[tuple[Decimal, int], ...]:
    """Find what 100 may borrow in 「100至200億」: 百萬 of 五百萬 or else its 萬; 十 is never borrowed (三到五十)."""
    written = written.rstrip("多餘來幾余")
    base = written.rstrip("百佰千仟萬億兆京")
    scales = [SMALL_SCALES.get(char) or BIG_SCALES[char] for char in written[len(base) :]]
    if not scales or any(char in base for char in BIG_SCALES):
        return ()
    everything, biggest = prod(scales), prod(scale for scale in scales if scale >= _BIG)
    found = []
    if not SCALES.intersection(base):
        found.append((low / everything, everything))
    if 1 < biggest < everything or (not found and biggest > 1):
        found.append((low / biggest, biggest))
    return tuple(found)


def borrow_scale(low: Decimal, high: Numeral) -> Decimal:
    """Give the lower end of a range the scale that only its upper end says.

    >>> borrow_scale(Decimal(100), scan_numeral("200億", 0))
    Decimal('10000000000')
    """
    for coefficient, factor in high.scales:
        if low < coefficient or (low == 1 and coefficient == 1):
            return low * factor
    return low


def parse_number(text: str) -> Decimal:
    """Read `text`, which must be one exact number and nothing else, with its sign.

    Raises:
        ValueError: `text` is no numeral, only an estimate (十幾), or more than a numeral.

    >>> parse_number("負一百二十三點五"), parse_number("壹仟零伍"), parse_number("3千4百")
    (Decimal('-123.5'), Decimal('1005'), Decimal('3400'))
    """
    folded = fold(text).strip()
    sign, pos = (-1, 1) if folded[:1] in ("負", "-") else (1, 1 if folded[:1] == "+" else 0)
    numeral = scan_numeral(folded, pos)
    if numeral is None or numeral.end != len(folded) or numeral.comparator is not Comparator.EQ:
        raise ValueError(f"{text!r} is not one exact number")
    return sign * numeral.low
