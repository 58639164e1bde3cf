"""`rating.e164`: what may be dialled (R121, ruling 16)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.e164 import E164
from rating.errors import InvalidNumber


@pytest.mark.parametrize("text", ["17606604690", "+17606604690", "0017606604690"])
def test_the_full_number_is_taken_bare_with_plus_and_with_00(text: str) -> None:
    """R121: the echo number in its three spellings."""
    assert str(E164.dialled(text)) == "+17606604690"


def test_the_echo_number_without_its_country_code_is_refused() -> None:
    """R121: 7606604690 is not international."""
    with pytest.raises(InvalidNumber):
        E164.dialled("7606604690")


@pytest.mark.parametrize("digits", ["442079460123", "12025550123", "15551230001", "12026555376"])
def test_numbers_of_possible_length_pass_although_nobody_was_given_them(digits: str) -> None:
    assert E164.dialled(digits).digits == digits
    assert E164.parse("+" + digits).digits == digits


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "00",
        "911",
        "4690",
        "+0017606604690",
        "++17606604690",
        "1-760-660-4690",
        "1 760 660 4690",
        "+12025550",
        "+9991234567",
        "+1234567890123456",
        "17606604690#",
        "tel:17606604690",
        "1760660469\u0660",
        "17606604690\n",
        "+4402079460123",
        "+117606604690",
        "echo",
    ],
)
def test_anything_but_a_full_international_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidNumber):
        E164.dialled(text)


@pytest.mark.parametrize("text", ["17606604690", "0017606604690"])
def test_strict_parsing_wants_the_plus(text: str) -> None:
    with pytest.raises(InvalidNumber):
        E164.parse(text)


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+17606604690", "US"),
        ("+14165550123", "CA"),
        ("+442079460123", "GB"),
        ("+3726000000", "EE"),
        ("+390612345678", "IT"),
        ("+49111111111", "DE"),
        ("+390000000001", ""),
        ("+15551230001", ""),
        ("+80012345678", ""),
        ("+88213000000", ""),
    ],
)
def test_a_number_knows_its_country_where_its_digits_tell(number: str, country: str) -> None:
    assert E164.parse(number).country == country


@given(st.text(alphabet="+0123456789 -#*ab", max_size=20))
def test_whatever_passes_comes_back_unchanged_by_its_own_spelling(text: str) -> None:
    try:
        number = E164.dialled(text)
    except InvalidNumber:
        return
    assert text in (number.digits, f"+{number.digits}", f"00{number.digits}")
    assert E164.parse(str(number)) == number
