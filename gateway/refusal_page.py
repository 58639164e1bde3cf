"""Prints the refusal table as a page for operators and for those who connect PBXs.

The table is `gateway/refusal`'s; the page is docs/refusals.md (`make docs`), and a test compares.
"""

from gateway.refusal import REFUSALS, headers, refuse

EXAMPLE = "CHANNELS_FULL_PBX"

_HEAD = """\
# Refusals

Written by `make docs` from `gateway/refusal.py`; change it there.

When the gateway says no, it says why, in the same words everywhere. Each reason has a code that
never changes its meaning: scripts may rely on it. The code stands

- in the response, as text of `Reason` and at the start of the `Warning`, which goes on with what to
  do, and the particular of the case in brackets;
- in the log, as `code`, with the sentence, the source and the Call-ID;
- in the metrics, as label of `sipgw_refusals_total`;
- in the CDR, for calls of somebody who was identified.

"""

_TAIL = """\

Some answers are not refusals and carry no code: the challenges 401 and 407, which strangers and
wrong passwords get alike; what the called side answered, which is passed on; and what is wrong with
a message as SIP (400, 420, 481, 482, 483).
"""


def page() -> str:
    """The whole page, in Markdown."""
    refusal = refuse(EXAMPLE)
    example = [f"SIP/2.0 {refusal.status} {refusal.reason}"]
    example += [f"{name}: {value}" for name, value in headers(refusal)]
    lines = [
        "```",
        *example,
        "```",
        "",
        "| Code | Status | Reason phrase | Q.850 | What it means and what to do |",
        "|---|---|---|---|---|",
    ]
    for code, row in REFUSALS.items():
        status = str(row.status)
        if row.outside_status:
            status += f", to callers from outside {row.outside_status}"
        lines.append(f"| `{code}` | {status} | {row.reason} | {row.q850} | {row.sentence} |")
    return _HEAD + "\n".join(lines) + "\n" + _TAIL
