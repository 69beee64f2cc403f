"""The whole matrix: ``python -m tests.faults``; ``--every 20`` tries each twentieth call, ``--case`` one command."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.calls import FAULTS
from tests.faults.cases import CASES
from tests.faults.matrix import Matrix, summary
from tests.faults.sites import SITES

ALL = (*CASES, *SITES)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="of so many calls the first one is tried")
    parser.add_argument("--case", action="append", choices=[case.name for case in ALL])
    parser.add_argument("--fault", action="append", choices=FAULTS)
    parser.add_argument("--writing", action="store_true", help="only calls that write")
    options = parser.parse_args()
    start, everything = time.monotonic(), []
    for case in ALL:
        if options.case and case.name not in options.case:
            continue
        with tempfile.TemporaryDirectory() as folder:
            matrix = Matrix(case, Path(folder))
            tried = []
            places = [place for place, call in enumerate(matrix.calls) if call.writes or not options.writing]
            for each in matrix.tries(places[:: options.every], options.fault or FAULTS):
                tried.append(each)
                if each.wrong:
                    print(each.case, each.fault, each.call, *each.wrong, sep="\n    ", flush=True)
        print(f"{case.name}: {summary(tried)}", flush=True)
        everything += tried
    print(f"all: {summary(everything)}; {time.monotonic() - start:.0f} s")
    return int(any(each.wrong for each in everything))


if __name__ == "__main__":
    sys.exit(main())
