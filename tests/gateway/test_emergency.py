"""Emergency numbers are known in every form a PBX may send; ordinary numbers never are."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.emergency import INTERNATIONAL, NATIONAL, UNIVERSAL, is_emergency
from rating.e164 import E164
from rating.errors import InvalidNumber


@pytest.mark.parametrize("country", ["US", "GB", "AU", "EE", "", "XX"])
@pytest.mark.parametrize("called", ["112", "911", "999", "+112", "+911", "00112", "1-1-2"])
def test_the_universal_numbers_count_everywhere(called: str, country: str) -> None:
    """R122"""
    assert is_emergency(called, "sip", country)


@pytest.mark.parametrize(
    ("called", "country"),
    [
        ("000", "AU"),
        ("106", "AU"),
        ("110", "DE"),
        ("110", "JP"),
        ("119", "JP"),
        ("15", "FR"),
        ("17", "FR"),
        ("18", "FR"),
        ("933", "US"),
        ("111", "NZ"),
        ("10111", "ZA"),
        ("90000", "SE"),
        ("01", "LV"),
        ("190", "BR"),
        ("100", "IN"),
    ],
)
def test_a_country_has_its_own_numbers(called: str, country: str) -> None:
    """R122"""
    assert is_emergency(called, "sip", country)
    assert not is_emergency(called, "sip", "")


@pytest.mark.parametrize(
    "called",
    ["+1911", "1911", "001911", "+44999", "44112", "+61000", "+49110", "+3315", "+2710111"],
)
def test_a_country_code_before_it_changes_nothing(called: str) -> None:
    """R122: some PBXs complete what was dialled."""
    assert is_emergency(called, "sip", "US")
    assert is_emergency(called, "tel", "")


@pytest.mark.parametrize("called", ["service:sos", "service:SOS", "service:sos.fire"])
def test_the_service_urn_counts(called: str) -> None:
    """R122, RFC 5031 §4.2"""
    assert is_emergency(called, "urn", "")


@pytest.mark.parametrize(
    ("called", "scheme"),
    [
        ("service:counseling", "urn"),
        ("service:sosmusic", "urn"),
        ("uuid:911", "urn"),
        ("sos", "sip"),
        ("service:sos", "sip"),
        ("", "sip"),
        ("+", "sip"),
        ("911a", "sip"),
        ("*112", "sip"),
        ("9" * 60, "sip"),
        ("9999", "sip"),
        ("101", "sip"),
        ("000", "sip"),
        ("12025550911", "sip"),
        ("17606604690", "sip"),
        ("+4411200", "sip"),
        ("²¹¹", "sip"),
    ],
)
def test_other_things_do_not_count(called: str, scheme: str) -> None:
    assert not is_emergency(called, scheme, "US")


def test_user_parameters_do_not_hide_the_number() -> None:
    assert is_emergency("911;phone-context=+1", "tel", "US")


def test_no_listed_form_is_a_number_that_anybody_has() -> None:
    """R122: a normal full international number must never match."""
    for digits in INTERNATIONAL | UNIVERSAL | frozenset().union(*NATIONAL.values()):
        try:
            parsed = phonenumbers.parse(f"+{digits}", None)
        except phonenumbers.NumberParseException:
            continue
        assert not phonenumbers.is_valid_number(parsed), digits


@pytest.mark.parametrize("country", phonenumbers.SUPPORTED_REGIONS)
def test_an_ordinary_number_of_each_country_is_not_taken_for_one(country: str) -> None:
    """R122"""
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        example = phonenumbers.example_number_for_type(country, kind)
        if example is None:
            continue
        text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        for called in (text, text[1:], f"00{text[1:]}"):
            assert not is_emergency(called, "sip", country), called


@given(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True), st.sampled_from(["US", "ZA", "SE", ""]))
def test_what_can_be_dialled_in_full_is_never_an_emergency(digits: str, country: str) -> None:
    """R122: but for South Africa's 10111 behind its country code, which nobody else has."""
    try:
        E164.dialled(digits)
    except InvalidNumber:
        return
    assert not is_emergency(digits, "sip", country) or digits in INTERNATIONAL


def test_every_country_of_the_table_exists_and_is_listed_once() -> None:
    assert set(NATIONAL) <= set(phonenumbers.SUPPORTED_REGIONS)
    assert all(code.isdigit() for codes in NATIONAL.values() for code in codes)
