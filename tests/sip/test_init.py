"""The façade of the package."""

import sip


def test_every_name_of_the_facade_exists() -> None:
    assert [name for name in sip.__all__ if not hasattr(sip, name)] == []
