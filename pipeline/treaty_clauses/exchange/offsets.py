"""Code points and UTF-16 units: how Python and JavaScript count the same text."""

from itertools import accumulate

_LAST_IN_ONE_UNIT = 0xFFFF  # characters above need two UTF-16 units (The Unicode Standard, section 3.9)


class Units:
    """Offsets of one text in both counts.

    >>> units = Units("和平🕊️協議")
    >>> units.to_utf16(3), units.to_code_point(4)
    (4, 3)
    """

    def __init__(self, text: str) -> None:
        widths = (2 if ord(char) > _LAST_IN_ONE_UNIT else 1 for char in text)
        self._utf16 = [0, *accumulate(widths)]
        self._code_point = {unit: index for index, unit in enumerate(self._utf16)}

    def to_utf16(self, offset: int) -> int:
        """The offset of a code point, in UTF-16 units."""
        return self._utf16[offset]

    def to_code_point(self, offset: int) -> int | None:
        """The offset of a UTF-16 unit, in code points; None inside a surrogate pair and behind the end."""
        return self._code_point.get(offset)
