"""Finding the line of a key in a TOML file."""

import tomllib

import pytest

from config.toml_lines import index, line_of

TEXT = '''\
# a comment with name = "x"
realms = [
  "a = 1", # don't [open
  "b",
]
user_agent = """
[http]
bind = "no"
"""

[media]
port_min = 1
"port_max" = 2

[[listeners]]
name = "udp"
[[listeners]] # the second
name = "tcp"
bind = "[::]:5060"
inline = { a = 1, b = [1, 2] }
[a.b]
c.d = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("realms",), 2),
        (("user_agent",), 6),
        (("media",), 11),
        (("media", "port_min"), 12),
        (("media", "port_max"), 13),
        (("listeners",), 15),
        (("listeners", 0, "name"), 16),
        (("listeners", 1), 17),
        (("listeners", 1, "name"), 18),
        (("listeners", 1, "bind"), 19),
        (("a", "b", "c", "d"), 22),
    ],
)
def test_a_key_is_found(path: tuple[str | int, ...], line: int) -> None:
    tomllib.loads(TEXT)
    assert line_of(TEXT, path) == line


def test_a_missing_key_is_found_at_its_table() -> None:
    assert line_of(TEXT, ("listeners", 1, "transport")) == 17
    assert line_of(TEXT, ("realms", 1)) == 2
    assert line_of(TEXT, ("listeners", 1, "inline", "b", 0)) == 20


def test_a_key_whose_table_is_missing_is_not_found() -> None:
    assert line_of(TEXT, ("http", "bind")) is None


def test_keys_in_strings_and_comments_are_not_keys() -> None:
    lines = index(TEXT)
    assert ("name",) not in lines
    assert ("bind",) not in lines
    assert ("http",) not in lines


def test_an_escaped_quote_does_not_end_a_string() -> None:
    text = 'a = "\\"[{"\nb = 1\n'
    assert tomllib.loads(text) == {"a": '"[{', "b": 1}
    assert line_of(text, ("b",)) == 2


def test_a_table_inside_an_array_of_tables_belongs_to_the_current_one() -> None:
    text = "[[a]]\n[a.b]\nc = 1\n[[a]]\n[a.b]\nc = 2\n"
    assert line_of(text, ("a", 0, "b", "c")) == 3
    assert line_of(text, ("a", 1, "b", "c")) == 6
