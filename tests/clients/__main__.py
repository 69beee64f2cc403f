"""Compare random trees with the real clients: ``python -m tests.clients --count 2000``; needs root, Go, Rust."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.clients.judges import Gnutls, Go, Java, P11Kit, Rustls
from tests.clients.property import Counts, Judges, one
from tests.clients.trees import Bases


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="trees to try (default: 2000)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first one; each has the next number")
    parser.add_argument("--keep-going", action="store_true", help="print differences and go on")
    parser.add_argument("--more", action="store_true", help="ask keytool and p11-kit, too: about twice as long")
    options = parser.parse_args()
    start, counts, wrong = time.monotonic(), Counts(), 0
    with tempfile.TemporaryDirectory() as directory:
        bases, judges = Bases(Path(directory) / "bases"), _judges(Path(directory), options.more)
        for seed in range(options.seed, options.seed + options.count):
            with tempfile.TemporaryDirectory(dir=directory) as tree:
                try:
                    one(seed, Path(tree), bases, judges, counts)
                except AssertionError as error:
                    wrong += 1
                    print(error, flush=True)
                    if not options.keep_going:
                        return 1
    print(
        f"{counts.trees} trees, {counts.questions} questions, {counts.removed} removals and {counts.refused} refusals "
        f"in {time.monotonic() - start:.0f} s: {wrong} differences"
    )
    return int(wrong > 0)


def _judges(directory: Path, more: bool) -> Judges:
    return Judges(Gnutls(), Go(directory), Rustls(directory), *((Java(), P11Kit(directory)) if more else ()))


if __name__ == "__main__":
    sys.exit(main())
