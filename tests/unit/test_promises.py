"""The promises that ``python -m tests.mutation --promises`` breaks: none of them is stale."""

from __future__ import annotations

import ast

import pytest

from tests.mutation.promise import REPOSITORY, Promise, StaleError, each_element
from tests.mutation.promises import PROMISES

TABLE = """
OTHER = (first, first)
TABLE = {
    "one": dict(
        checks=(
            first,
            second("ä"),
            first,
        ),
        pinned=(first,),
    ),
    "two": (2,),
}
"""


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {file: (REPOSITORY / file).read_text() for file in {each.file for each in PROMISES}}


def test_every_promise_names_text_that_is_there_once(texts):
    stale = []
    for each in PROMISES:
        try:
            ast.parse(each.broken(texts[each.file]))
        except StaleError as error:
            stale.append(str(error))
    assert not stale, "\n".join(["", *stale])


def test_promises_have_unique_names():
    names = [each.name for each in PROMISES]
    assert len(names) == len(set(names)) >= 40


def test_every_promise_names_tests():
    for each in PROMISES:
        assert each.tests, each.name
        for path in (test.partition("::")[0] for test in each.tests):
            assert path.startswith("tests/"), each.name


def test_the_documentation_lists_every_promise():
    """Except those for each entry of a table."""
    page = (REPOSITORY / "docs/reliability.md").read_text()
    sentences = {each.promise for each in PROMISES if " #" not in each.name}
    assert not {each for each in sentences if f"| {each} |" not in page}


@pytest.mark.parametrize(("text", "count"), [("none", "not in it"), ("line\nline\n", "2 times")])
def test_a_stale_promise_is_an_error(text, count):
    promise = Promise("name", "A promise.", "file.py", "line", "other", ("tests/unit",))
    with pytest.raises(StaleError, match=rf"file.py: .* promise name .*{count}"):
        promise.broken(text)


def test_a_promise_for_each_element_of_a_table(tmp_path):
    file, text = str(tmp_path / "table.py"), TABLE
    (tmp_path / "table.py").write_text(text)
    found = list(each_element(file, "TABLE", ("tests/unit",), "Without {element} of {table} a test fails."))
    assert [each.name for each in found] == [
        "TABLE[one].checks: first #1",
        "TABLE[one].checks: second('ä') #2",
        "TABLE[one].checks: first #3",
        "TABLE[one].pinned: first #1",
        "TABLE[two]: 2 #1",
    ]
    assert found[1].promise == "Without second('ä') of TABLE[one].checks a test fails."
    tables = [_value(each.broken(text)) for each in found]
    whole = {"one": {"checks": (1, "ä", 1), "pinned": (1,)}, "two": (2,)}
    assert tables == [
        {**whole, "one": {"checks": ("ä", 1), "pinned": (1,)}},
        {**whole, "one": {"checks": (1, 1), "pinned": (1,)}},
        {**whole, "one": {"checks": (1, "ä"), "pinned": (1,)}},
        {**whole, "one": {"checks": (1, "ä", 1), "pinned": ()}},
        {**whole, "two": ()},
    ]


def _value(text: str) -> object:
    names: dict[str, object] = {"first": 1, "second": str}
    exec(text, names)
    return names["TABLE"]
