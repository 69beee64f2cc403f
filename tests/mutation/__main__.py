"""Mutates the code and sees whether a test notices: ``python -m tests.mutation x509 rootfs store``.

``--sample 40`` tries so many mutants of each module, by chance, the same ones each time; ``--module pem`` one module.
mutmut makes and runs the mutants, in a copy under build/mutation; what it leaves alone is said in docs/reliability.md.

``--promises`` breaks the central promises of tests/mutation/promises.py instead, without mutmut; ``--promise NAME`` one
of them, or all whose names begin so.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.mutation.packages import PACKAGES, Package
from tests.mutation.workspace import REPOSITORY, make_workspace

if TYPE_CHECKING:  # mutmut is an extra, and --promises does without
    from tests.mutation.figures import Figures


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("package", nargs="*", help="x509, rootfs, store; all of them by default")
    parser.add_argument("--sample", type=int, help="so many mutants of each module instead of all")
    parser.add_argument("--module", action="append", help="name of a module in the package; its mutants only")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "build/mutation", help="where copies are made")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--promises", action="store_true", help="break the central promises, one at a time")
    parser.add_argument("--promise", action="append", help="beginning of a promise's name; may be given several times")
    parser.add_argument("--report", action="store_true", help="print the figures of the last run again")
    options = parser.parse_args()
    if options.promises or options.promise:
        return _promises(options.promise or [""], options.folder.absolute() / "promises", options.processes)
    for package in PACKAGES:
        if not options.package or package.name in options.package:
            folder = options.folder.absolute() / package.name
            if not options.report:
                make_workspace(package, folder)
            os.chdir(folder)
            modules = _modules(package, options.module)
            if not options.report:
                _mutmut(modules, options.sample, options.processes)
            _print(package, modules)
    return 0


def _promises(names: list[str], folder: Path, processes: int) -> int:
    from tests.mutation.promised import CAUGHT, fails_unbroken, judge_promises
    from tests.mutation.promises import PROMISES

    wanted = [each for each in PROMISES if each.name.startswith(tuple(names))]
    if not wanted:
        sys.exit("no promise has such a name")
    if output := fails_unbroken(wanted, folder):
        sys.exit(f"{output}\nthe tests fail before anything is broken")
    results = judge_promises(wanted, folder, processes)
    left = [each for each in results if each.verdict != CAUGHT]
    print(f"\n{len(results)} promises broken, {len(results) - len(left)} caught")
    for each in left:
        print(f"{each.verdict}: {each.promise.name}: {each.promise.promise} ({each.promise.file}): {each.test}")
    return 1 if left else 0


def _modules(package: Package, wanted: list[str] | None) -> list[Path]:
    paths = sorted(Path("rootfs_trust", package.name).rglob("*.py"))
    return [path for path in paths if (not wanted or path.stem in wanted) and _mutants(path)]


def _mutants(path: Path) -> list[str]:
    from mutmut.mutation.file_mutation import mutate_file_contents
    from mutmut.utils.format_utils import get_mutant_name

    made = mutate_file_contents(str(path), path.read_text())
    return [get_mutant_name(path, name) for name in made.mutant_names]


def _mutmut(modules: list[Path], sample: int | None, processes: int) -> None:
    wanted: list[str] = []
    for path in modules:
        names = _mutants(path)
        wanted += names if sample is None else random.Random(str(path)).sample(names, min(sample, len(names)))
    program = shutil.which("mutmut", path=Path(sys.executable).parent) or "mutmut"
    with open("mutmut.log", "wb") as log:
        done = subprocess.run(
            [program, "run", "--max-children", str(processes), *wanted], check=False, stdout=log, stderr=log
        )
    if done.returncode:
        sys.exit(f"mutmut failed; see {Path('mutmut.log').absolute()}")


def _print(package: Package, modules: list[Path]) -> None:
    from tests.mutation.figures import figures

    found = [figures(path) for path in modules]
    for each in found:
        for mutant in each.survivors:
            print(f"{mutant.name}\n    - {mutant.old}\n    + {mutant.new}")
    print(f"\n{'module':44} tried killed timeout alive texts equal")
    for each in found:
        _print_line(each.module, [each])
    _print_line(f"all of {package.name}", found)


def _print_line(name: str, found: list[Figures]) -> None:
    tried, killed = sum(each.tried for each in found), sum(each.killed for each in found)
    texts, equal = sum(each.texts for each in found), sum(each.equal for each in found)
    timeouts, alive = sum(each.counts["timeout"] for each in found), sum(len(each.survivors) for each in found)
    score = f"{killed / tried:6.1%}, {killed / (killed + alive or 1):.1%} of those that count" if tried else ""
    print(f"{name:44} {tried:5} {killed:6} {timeouts:7} {alive:5} {texts:5} {equal:5} {score}")


if __name__ == "__main__":
    sys.exit(main())
