"""Each runtime refuses before, accepts after, and is what it was after ``remove``."""

from __future__ import annotations

import pytest

from tests.e2e import tried
from tests.unit.runtimes import table


@pytest.mark.parametrize("case", table.CASES.values(), ids=table.CASES)
def test_what_each_runtime_does(case):
    assert dict(zip(table.COLUMNS, table.row(*case), strict=True)) == dict(
        zip(table.COLUMNS, table.EXPECTED, strict=True)
    )


def test_the_page_has_the_table():
    text = table.DOCUMENT.read_text()
    assert table.page(text) == text, "python -m tests.unit.runtimes.table writes it"


def test_the_page_names_a_real_program_for_each_runtime():
    part = table.DOCUMENT.read_text().partition(tried.BEGIN)[2].partition(tried.END)[0]
    rows = [line.strip("| ").split(" | ") for line in part.strip().splitlines()[2:]]
    assert [row[0] for row in rows if row[1:]] == list(tried.ROWS.values())
