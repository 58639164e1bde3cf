"""Owns the question whether a call is an emergency call: short codes by country, `urn:service:sos`.

The trunk does not offer emergency calls (R122); it has to know them to refuse them at once, before
anything else is asked. What the refusal looks like is `refusal`'s.
"""

from functools import lru_cache
from typing import Final

import phonenumbers

UNIVERSAL: Final = frozenset({"112", "911", "999"})

_LONGEST = 10  # calling code and short code together are never longer

_TABLE: Final = """
AE 996 997 998 | AL 127 128 129 | AR 100 101 103 106 107 | AT 122 133 140 141 144 | AU 000 106
BA 122 123 124 | BE 100 101 | BG 150 160 166 | BR 190 191 192 193 194 197 198 199
BY 101 102 103 104
CA 933 | CH 117 118 144 1414 1415 | CL 130 131 132 133 137 | CN 110 119 120 122 | CO 119 123
CY 199 | CZ 150 155 156 158 | DE 110 | DK 114 | DZ 14 17 1055 | EE 110
EG 122 123 180 | ES 061 062 080 085 088 091 092 | FI 110 | FR 15 17 18 114 115 119 191 196 197
GF 15 17 18 114 | GP 15 17 18 114 | MQ 15 17 18 114 | RE 15 17 18 114 | MC 15 17 18
GB 18000 | GH 191 192 193 | GR 100 108 166 199 | HK 992 | HR 192 193 194 195 | HU 104 105 107
ID 110 113 115 118 119 | IL 100 101 102 104 | IN 100 101 102 108 | IT 113 115 118 1530
JP 110 118 119 | KR 111 113 119 122 | KZ 101 102 103 104 | LI 117 118 144 | LK 110 118 119 1990
LT 01 02 03 011 022 033 101 102 103 | LU 113 | LV 01 02 03 110 113 | MA 15 19 150 177 190
MD 901 902 903 | ME 122 123 124 | MK 192 193 194 | MX 060 065 066 068 080 | MY 994 | NG 199
NO 110 113 120 | NZ 111 | PE 105 106 116 117 | PH 117 | PK 15 16 115 1122
PL 984 985 986 997 998 | PT 115 117 | RO 961 981 | RS 192 193 194 | RU 01 02 03 04 101 102 103 104
SA 937 997 998 | SE 90000 | SG 995 | SI 113 | SK 150 155 158 159 | TH 191 199 1155 1669
TN 190 197 198 | TR 110 155 156 158 177 | TW 110 119 | UA 101 102 103 104 | US 933 | UY 104 105 109
VE 171 | VN 113 114 115 | ZA 107 10111 10177 112
"""


def _read(table: str) -> dict[str, frozenset[str]]:
    rows = (row.split() for line in table.splitlines() for row in line.split("|"))
    return {row[0]: frozenset(row[1:]) for row in rows if row}


NATIONAL: Final = _read(_TABLE)


def _international() -> frozenset[str]:
    """Every short code behind its country's calling code, as some PBXs complete the number."""
    found: set[str] = set()
    for calling_code, countries in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        codes = UNIVERSAL.union(*(NATIONAL.get(country, frozenset()) for country in countries))
        found.update(f"{calling_code}{code}" for code in codes)
    return frozenset(found)


INTERNATIONAL: Final = _international()


def is_emergency(called: str, scheme: str, country: str) -> bool:
    """Whether `called`, dialled by a PBX of `country` (alpha-2, may be empty), asks for help."""
    if scheme == "urn":
        # RFC 5031 §4.2: sos and its sub-services, and nothing else of the service tree.
        service = called.lower()
        return service == "service:sos" or service.startswith("service:sos.")
    text = called.partition(";")[0]
    if len(text) > 2 * _LONGEST:
        return False
    return _is_short_code(text, country)


@lru_cache(maxsize=65_536)
def _is_short_code(text: str, country: str) -> bool:
    digits = text.lstrip("+")
    for separator in "-. ()":
        digits = digits.replace(separator, "")
    if not digits.isdigit() or len(digits) > _LONGEST:
        return False
    national = NATIONAL.get(country, frozenset())
    # "000" is a code itself, "00112" is one behind the international prefix: try both readings.
    for reading in (digits, digits.removeprefix("00")):
        if reading in UNIVERSAL or reading in national or reading in INTERNATIONAL:
            return True
    return False
