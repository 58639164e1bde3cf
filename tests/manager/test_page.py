"""The health page as text."""

from manager.page import health_page


def test_plain_values_stand_above_the_tables() -> None:
    page = health_page({"status": "ok", "listeners": [{"name": "udp"}], "calls": 7})
    assert page.index("<dd>7</dd>") < page.index("<td>udp</td>")


def test_rows_with_different_columns_share_one_table() -> None:
    page = health_page({"status": "ok", "rows": [{"a_b": 1}, {"c": 2}]})
    assert '<th scope="col">a b</th><th scope="col">c</th>' in page
    assert "<tr><td>1</td><td></td></tr>" in page
    assert "<tr><td></td><td>2</td></tr>" in page


def test_an_empty_list_says_none() -> None:
    assert '<td colspan="1">none</td>' in health_page({"status": "ok", "alarms": []})


def test_a_status_without_a_verdict_is_not_ok() -> None:
    assert '<strong class="bad">unknown</strong>' in health_page({})


def test_the_page_has_no_script_and_no_inline_style() -> None:
    page = health_page({"status": "ok"})
    assert "<script" not in page
    assert "style=" not in page
