"""Holds `verify`'s engines against the real ones on C2SP's x509-limbo.

``python -m tests.limbo.agreement LIMBO.json`` prints for each engine how many verdicts are the same, and each that is
not. Exit status 1 if fewer than 99.5 % of all are, or one differs that docs/verify.md does not list. The vectors are
not in this repository: they are limbo.json of github.com/C2SP/x509-limbo. Run on the sample, it also records what the
real clients said in verdicts.json, by which the fast tests judge.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.limbo.cases import SAMPLE, Case, read_cases
from tests.limbo.ours import verdict
from tests.limbo.real import REAL

ENOUGH = 0.995
VERDICTS = Path(__file__).parent / "verdicts.json"
DOCUMENT = Path(__file__).parents[2] / "docs" / "verify.md"


def main(file: Path, engines: list[str]) -> int:
    same = judged = 0
    surprises = []
    for engine in engines or REAL:
        cases = cases_for(engine, file)
        real = real_verdicts(engine, cases)
        different = list(differences(engine, cases, real))
        judged, same = judged + len(cases), same + len(cases) - len(different)
        print(f"{engine}: {len(cases) - len(different)} of {len(cases)} the same")
        unlisted = [case.id for case, _ in different if not is_listed(engine, case.id)]
        for case, words in different:
            print(f"  {'NOT LISTED' if case.id in unlisted else 'listed'} {case.id}: {words}")
        surprises += unlisted
        if file == SAMPLE and not unlisted and engine in recorded():
            _record(engine, [real[case.id][0] for case in cases])
    print(f"all: {same} of {judged}, {same / judged:.2%}")
    return int(bool(surprises) or same / judged < ENOUGH)


def cases_for(engine: str, file: Path = SAMPLE) -> list[Case]:
    """The cases of a file as the engine is asked; Java's trust manager leaves the name to its caller."""
    return [replace(case, host=None) if engine == "java" else case for case in read_cases(file)]


def recorded() -> dict[str, str]:
    """What the real clients said on the sample: for each engine a y or n a case, in the order of the sample."""
    found: dict[str, str] = json.loads(VERDICTS.read_text())
    return found


def _record(engine: str, trusted: list[bool]) -> None:
    verdicts = {**recorded(), engine: "".join("y" if each else "n" for each in trusted)}
    VERDICTS.write_text(json.dumps(verdicts, indent=2) + "\n")


def real_verdicts(engine: str, cases: list[Case]) -> dict[str, tuple[bool, str]]:
    """What the real client says, and its words, by the ids of the cases."""
    with TemporaryDirectory() as directory:
        for number, case in enumerate(cases):
            case.write(Path(directory, str(number)))
        return REAL[engine](cases, Path(directory))


def differences(engine: str, cases: list[Case], real: dict[str, tuple[bool, str]]) -> Iterator[tuple[Case, str]]:
    """Yield each case in which `verify` says otherwise than the real client, and what both say."""
    for case in cases:
        ours, reason = verdict(engine, case)
        theirs, said = real[case.id]
        if ours != theirs:
            yield case, f"we say {_word(ours)} ({reason[:160]}), it says {_word(theirs)} ({said.strip()[-200:]})"


def is_listed(engine: str, case: str) -> bool:
    """Whether docs/verify.md has the difference, in a row ``| engine | `pattern` | why |``."""
    rows = (line.split("|") for line in DOCUMENT.read_text().splitlines() if line.startswith(f"| {engine} | `"))
    return any(fnmatch(case, row[2].strip().strip("`")) for row in rows)


def _word(trusted: bool) -> str:
    return "yes" if trusted else "no"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
