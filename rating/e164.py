"""Owns `E164`: full international numbers (ITU-T E.164), what may be dialled, and their country.

A number is taken when its country code exists and its length is possible there; whether somebody
has been given it is the network's knowledge. Emergency numbers and the names of the own network
are looked at before a number gets here.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumber, ValidationResult

from rating.errors import InvalidNumber

_DIALLED = re.compile(r"(?:\+|00)?([1-9][0-9]{4,14})", re.ASCII)
_CACHED = 16_384


@dataclass(frozen=True, slots=True)
class E164:
    """A number by its digits, country code first; made by `parse` or `dialled`."""

    digits: str

    @classmethod
    def parse(cls, text: str) -> "E164":
        """The number written with its "+"; raises InvalidNumber."""
        if not text.startswith("+"):
            raise InvalidNumber(f"{text!r} has no leading +")
        return _number(text)

    @classmethod
    def dialled(cls, text: str) -> "E164":
        """What a caller dialled: all digits, "+" or "00" optional, nothing guessed (R121)."""
        return _number(text)

    @property
    def country(self) -> str:
        """ISO 3166-1 alpha-2, or "" where a shared or worldwide code does not tell."""
        return _country(self.digits)

    def __str__(self) -> str:
        return f"+{self.digits}"


@lru_cache(maxsize=_CACHED)
def _number(text: str) -> E164:
    match = _DIALLED.fullmatch(text)
    if match is None:
        raise InvalidNumber(f"{text!r} is not a full international number")
    digits = match[1]
    parsed = _parsed(digits)
    # A local number without its area code is "possible" too, but cannot be dialled from afar.
    if phonenumbers.is_possible_number_with_reason(parsed) != ValidationResult.IS_POSSIBLE:
        raise InvalidNumber(
            f"+{digits} has the wrong length for country code {parsed.country_code}"
        )
    # The parser forgives a national trunk prefix after the country code; the network does not.
    if _international(parsed) != digits:
        raise InvalidNumber(f"+{digits} has a trunk prefix after its country code")
    return E164(digits)


@lru_cache(maxsize=64)  # the two questions below come close together
def _parsed(digits: str) -> PhoneNumber:
    try:
        return phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException as error:
        raise InvalidNumber(f"+{digits} has no known country code") from error


def _international(parsed: PhoneNumber) -> str:
    return f"{parsed.country_code}{phonenumbers.national_significant_number(parsed)}"


@lru_cache(maxsize=_CACHED)
def _country(digits: str) -> str:
    parsed = _parsed(digits)
    region = phonenumbers.region_code_for_number(parsed)
    if region is None:
        regions = phonenumbers.region_codes_for_country_code(parsed.country_code or 0)
        region = regions[0] if len(regions) == 1 else ""
    return region if region.isalpha() else ""
