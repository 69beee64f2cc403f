"""Holds `verify`'s engines against the real ones on C2SP's x509-limbo.

``python -m tests.limbo.agreement LIMBO.json`` prints for each engine how many verdicts are the same, and each that is
not. Exit status 1 if fewer than 99.5 % of all are, or one differs that docs/verify.md does not list. The vectors are
not in this repository: they are limbo.json of github.com/C2SP/x509-limbo.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.limbo.cases import Case, read_cases
from tests.limbo.ours import verdict
from tests.limbo.real import REAL

ENOUGH = 0.995
DOCUMENT = Path(__file__).parents[2] / "docs" / "verify.md"


def main(file: Path, engines: list[str]) -> int:
    same = judged = 0
    surprises = []
    for engine in engines or REAL:
        cases = [_without_host(case) if engine == "java" else case for case in read_cases(file)]
        differences = list(_differences(engine, cases))
        judged, same = judged + len(cases), same + len(cases) - len(differences)
        print(f"{engine}: {len(cases) - len(differences)} of {len(cases)} the same")
        for case, words in differences:
            listed = is_listed(engine, case.id)
            print(f"  {'listed' if listed else 'NOT LISTED'} {case.id}: {words}")
            surprises += [] if listed else [case.id]
    print(f"all: {same} of {judged}, {same / judged:.2%}")
    return int(bool(surprises) or same / judged < ENOUGH)


def _differences(engine: str, cases: list[Case]) -> Iterator[tuple[Case, str]]:
    with TemporaryDirectory() as folder:
        for number, case in enumerate(cases):
            case.write(Path(folder, str(number)))
        real = REAL[engine](cases, Path(folder))
    for case in cases:
        ours, reason = verdict(engine, case)
        theirs, said = real[case.id]
        if ours != theirs:
            yield case, f"we say {_word(ours)} ({reason[:160]}), it says {_word(theirs)} ({said.strip()[-200:]})"


def is_listed(engine: str, case: str) -> bool:
    """Whether docs/verify.md has the difference, in a row ``| engine | `pattern` | why |``."""
    rows = (line.split("|") for line in DOCUMENT.read_text().splitlines() if line.startswith(f"| {engine} | `"))
    return any(fnmatch(case, row[2].strip().strip("`")) for row in rows)


def _without_host(case: Case) -> Case:
    """The trust manager of Java leaves the name to its caller."""
    return replace(case, host=None)


def _word(trusted: bool) -> str:
    return "yes" if trusted else "no"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
