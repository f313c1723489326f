"""Length-preserving views of a text: what the model reads, never what the record quotes."""

from functools import cache
from pathlib import Path

import opencc

_FOLDABLE = range(0xFF01, 0xFF5F)  # full-width ASCII (Unicode block Halfwidth and Fullwidth Forms)


def _fold_table() -> dict[int, str]:
    table = {code: chr(code - 0xFEE0) for code in _FOLDABLE}
    table.update({0x3000: " ", 0x00A0: " ", 0x2007: " ", 0x202F: " ", 0x0D: "\n", 0x09: " ", 0xFEFF: " "})
    return table


@cache
def _tables() -> tuple[dict[int, str], dict[int, str]]:
    fold = _fold_table()
    source = Path(opencc.__file__).parent / "dictionary" / "TSCharacters.txt"
    simplify: dict[int, str] = {}
    for line in source.read_text(encoding="utf-8").splitlines():
        traditional, _, rest = line.partition("\t")
        target = rest.split(" ")[0]
        if len(traditional) == 1 and len(target) == 1:
            simplify[ord(traditional)] = target
    return fold, simplify


def fold_width(text: str) -> str:
    """Fold full-width ASCII and odd spaces to their plain forms, one character for one.

    >>> fold_width("５０％，ＡＢ")
    '50%,AB'
    """
    folded = text.translate(_tables()[0])
    assert len(folded) == len(text)
    return folded


def simplify(text: str) -> str:
    """Convert to Simplified characters one for one, for jieba's dictionary only (OpenCC's TSCharacters table).

    >>> simplify("停火協議")
    '停火协议'
    """
    simplified = text.translate(_tables()[1])
    assert len(simplified) == len(text)
    return simplified
