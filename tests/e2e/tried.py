"""The table of docs/runtimes.md with the real programs that the slow tests of runtimes tried.

``python -m tests.e2e.tried`` runs these tests and writes what passed.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import pytest

from rootfs_trust.runtimes.names import NAMES

DOCUMENT = Path(__file__).parents[2] / "docs" / "runtimes.md"
BEGIN, END = "<!-- table of programs -->\n", "<!-- end of the table of programs -->\n"
ROWS = {name: f"`{name}`" for name in NAMES} | {"system": "no option: the system's store"}
TESTS = ("test_runtimes.py", "test_runtime_versions.py", "test_debian_runtimes.py")


class Recorder:
    """A plugin of pytest that keeps what tests recorded, by runtime. Only tests that passed record something."""

    def __init__(self) -> None:
        self.tried: dict[str, list[str]] = defaultdict(list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties if report.when == "call" and report.passed else ():
            if name == "tried":
                runtime, _, program = str(value).partition(": ")
                self.tried[runtime].append(program)


def main() -> None:
    recorder = Recorder()
    files = [str(Path(__file__).with_name(name)) for name in TESTS]
    if pytest.main(["-q", "-m", "slow", *files], [recorder]) != pytest.ExitCode.OK:
        sys.exit("a test failed; the page is unchanged")
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{table(recorder.tried)}\n{END}{rest.partition(END)[2]}")


def table(found: dict[str, list[str]]) -> str:
    """The table in Markdown."""
    rows = [(title, ", ".join(dict.fromkeys(found[name]))) for name, title in ROWS.items()]
    return "".join(f"| {' | '.join(each)} |\n" for each in [("runtime", "real programs"), ("---", "---"), *rows])


if __name__ == "__main__":
    main()
