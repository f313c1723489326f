"""One form for all widths and variants of a character, so that each grammar is written once.

Full-width signs are made half-width and variant characters the ones Taiwan prints, one character for one character: offsets
into the folded text are offsets into the article.
"""

import re

# Variant and Simplified characters that numbers, units and dates are written with, each before its form here.
_VARIANTS = (
    "○〇 亿億 万萬 两兩 贰貳 陆陸 点點 个個 岁歲 约約 过過 达達 负負 于於 从從 数數 几幾 来來 内內 后後 间間 钟鐘 时時 号號 "
    "币幣 圆圓 欧歐 镑鎊 卢盧 仑侖 吨噸 顷頃 亩畝 级級 届屆 岛島 舰艦 臺台 周週 礼禮 节節 阴陰 农農 历曆 国國 无無 辆輛 张張 "
    "颗顆 门門 条條 项項 宽寬 长長 码碼 龄齡 晋晉 华華 氏氏 摄攝 秒秒 枚枚 双雙 对對 这這 当當 为為 与與 韩韓 "
    "湾灣 党黨 轮輪 场場 户戶 员員 价價 厘釐 幺一"
)
_FOLD = {
    **{0xFF01 + i: 0x21 + i for i in range(0x5E)},  # full-width ASCII
    **{ord(pair[0]): pair[1] for pair in _VARIANTS.split()},
    **{ord(char): " " for char in "\u3000\u00a0\u2002\u2003\u2004\u2005\u2007\u2008\u2009\u200a\u202f\u205f"},
    **{ord(char): "-" for char in "−–‐‑﹣"},
    **{ord(char): "~" for char in "〜∼˜"},
    ord("，"): "，",  # a clause comma, not a thousands separator
    ord("﹪"): "%",
    ord("￥"): "¥",
    ord("￡"): "£",
}


_WIDE_COMMA = re.compile(r"(?<=[０-９])，(?=[０-９]{3}(?![０-９]))")


def fold(text: str) -> str:
    """Return `text` with width and character variants made one, of equal length.

    >>> fold("６０％，臺幣５０萬")
    '60%，台幣50萬'
    """
    if "，" in text:
        text = _WIDE_COMMA.sub(",", text)
    return text.translate(_FOLD)
