"""`store.errors`: what the exceptions tell an operator."""

from store.errors import StoreBusy, StoreError


def test_a_busy_store_names_the_process_that_holds_it() -> None:
    error = StoreBusy("var/sipgw.db", 4711)
    assert isinstance(error, StoreError)
    assert str(error) == "var/sipgw.db is in use by process 4711: one gateway per database"
    assert "another process" in str(StoreBusy("var/sipgw.db", 0))
