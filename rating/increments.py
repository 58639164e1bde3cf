"""Owns the increment rule (R68): the first 30 seconds, then steps of 6, in whole seconds.

What a second costs is the rater's.
"""

FIRST_S = 30
STEP_S = 6


def billable_s(duration_s: float, first_s: int = FIRST_S, step_s: int = STEP_S) -> int:
    """Seconds billed for a talk of `duration_s`: 0 when never answered, else first_s + k*step_s."""
    whole_s = whole_seconds(duration_s)
    if whole_s == 0:
        return 0
    if whole_s <= first_s:
        return first_s
    return first_s + -(-(whole_s - first_s) // step_s) * step_s


def whole_seconds(duration_s: float) -> int:
    """Started seconds, ruling 14: 30.001 is 31."""
    if duration_s <= 0:
        return 0
    # A difference of two monotonic floats carries noise far below a microsecond: it is no talk.
    micros = round(duration_s * 1_000_000)
    return max(1, -(-micros // 1_000_000))
