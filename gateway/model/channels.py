"""Owns how many channels may be ordered (R24, R25): 1 to 300, above 100 in tens.

What they cost is not decided here, nor who may order them.
"""

import re

MOST = 300
EXACT_UP_TO = 100
_STEP = 10
_DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)


class InvalidChannels(ValueError):
    """Not a number of channels that can be had."""


def ordered_channels(wanted: int | str) -> int:
    """The channels an order of `wanted` gives, rounded to the nearest ten above 100, ties up (R25).

    Raises InvalidChannels; what is out of range is refused before it is rounded.
    """
    if isinstance(wanted, str):
        if _DIGITS.fullmatch(wanted) is None:
            raise InvalidChannels(f"{wanted!r} is not a number of channels: give 1 to {MOST}")
        wanted = int(wanted)
    if not 1 <= wanted <= MOST:
        raise InvalidChannels(f"{wanted} channels cannot be had: give 1 to {MOST}")
    if wanted <= EXACT_UP_TO:
        return wanted
    return (wanted + _STEP // 2) // _STEP * _STEP
