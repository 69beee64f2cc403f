"""Foreign text in each form in which it is printed: nothing in it controls a terminal, a page or a spreadsheet."""

from __future__ import annotations

import ast
import json
import tomllib
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rootfs_trust
from rootfs_trust.text import as_cell, as_json, as_markdown, as_toml, printable

PACKAGE = Path(rootfs_trust.__file__).parent
HOSTILE = "\x00\x07\x1b[2J\x7f\x9b31m\u202e\u2066\u200f\u061c\u2028\u2029\ufeff\U000e0041\udcff\n\r\t"
TEXT = st.text(st.characters()) | st.text(st.sampled_from(HOSTILE + "=a|<`'\\"))


def is_plain(text: str) -> bool:
    return not [char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


@given(TEXT)
def test_printable_text_has_no_control_of_any_kind(text):
    assert is_plain(printable(text))


@given(st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters="\u115f\u1160\u2800\u3164\uffa0")))
def test_visible_text_stays_as_it_is(text):
    assert printable(text) == text


@given(TEXT)
def test_json_is_ascii_without_controls_and_gives_the_text_back(text):
    written = as_json({"x": text})
    assert written.isascii() and is_plain(written)
    assert json.loads(written) == {"x": text}


@given(TEXT.filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text)))
def test_toml_has_no_controls_and_gives_the_text_back(text):
    written = as_toml(text)
    assert is_plain(written)
    assert tomllib.loads(f"x = {written}") == {"x": text}


@given(TEXT)
def test_foreign_text_adds_no_markup_to_markdown(text):
    written = as_markdown(text)
    assert is_plain(written) and "<" not in written
    assert all(written[index - 1] == "\\" for index, char in enumerate(written) if char in "|`*[]")


@pytest.mark.parametrize("char", ["\u115f", "\u2800", "\u3164", "\ufe0f", "\uffa0", "\U000e0100", "\u034f"])
def test_what_shows_nothing_is_escaped(char):
    assert printable(f"a{char}b") == f"a{ascii(char)[1:-1]}b" != f"a{char}b"
    assert char not in as_toml(char) and tomllib.loads(f"x = {as_toml(char)}") == {"x": char}


@pytest.mark.parametrize("text", ["see https://evil.example", "www.evil.example", "WWW.evil.example", "ftp://x"])
def test_markdown_makes_no_link_of_a_bare_address(text):
    written = as_markdown(text)
    assert "s://" not in written and "p://" not in written and "www." not in written.lower()
    assert written.replace("\\", "") == text


@pytest.mark.parametrize("first", "=+-@\uff1d\uff0b\uff0d\uff20")
def test_a_formula_of_a_spreadsheet_is_text(first):
    assert as_cell(f"{first}1+1") == f"'{first}1+1"


@given(TEXT)
def test_no_cell_is_a_formula(text):
    assert not as_cell(text).startswith(("=", "+", "-", "@")) and is_plain(as_cell(text))


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=lambda path: path.name)
def test_the_command_line_prints_through_echo(path):
    """click.echo prints whatever it is given; cli/output.py is where text is made printable."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    found = [ast.unparse(call) for call in calls if ast.unparse(call.func) in ("click.echo", "print", "click.secho")]
    allowed = {
        "options.py": 1,  # a page or document that was made printable as a whole
        "output.py": 2,  # echo, echo_json
        "progress.py": 1,  # clears a line of the terminal
        "run.py": 2,  # its own help, and that it was interrupted
    }
    assert len(found) == allowed.get(path.name, 0), found
