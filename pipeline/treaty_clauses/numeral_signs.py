"""The signs that Chinese numerals are written with, and their values."""

DIGITS = {
    **{char: value for value, char in enumerate("零一二三四五六七八九")},
    **{char: value for value, char in enumerate("壹貳參肆伍陸柒捌玖", start=1)},
    **{"〇": 0, "兩": 2, "叁": 3, "叄": 3},
}
FORMAL = "壹貳參叁叄肆伍陸柒捌玖"
TENS = {"廿": 20, "卅": 30, "卌": 40}
SMALL_SCALES = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
BIG_SCALES = {"萬": 10**4, "億": 10**8, "兆": 10**12, "京": 10**16}
CHINESE_NUMERAL_CHARS = "".join([*DIGITS, *TENS, *SMALL_SCALES, *BIG_SCALES])
SCALES = frozenset([*SMALL_SCALES, *BIG_SCALES])
BARE_SCALES = frozenset("百佰千仟萬億兆京數幾好")  # what a numeral without a digit may begin with
# Digits said in pairs as an estimate: 三四十, 五六個, and the set phrase 三五個.
PAIRS = frozenset({(1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (8, 9), (3, 5)})
