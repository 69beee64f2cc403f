"""Count the instructions of common commands with valgrind, so that noise of the machine does not hide a regression.

    python benchmarks/instructions.py [--record NAME | --compare NAME]

The command line runs on a Debian tree with the roots of the machine and one private CA. ``import click`` is the floor
that every command of this kind has. ``--record`` writes benchmarks/history/NAME.json; ``--compare`` prints each count
as a ratio to that file, and its exit status is 1 if a command needs 10 % more than then. Two runs of one command differ
by less than 1 %. valgrind has to be installed.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from install import LOCAL, Bench, Times

HISTORY = Path(__file__).with_name("history")
_COUNT = re.compile(r"Collected : (\d+)")
_WORSE = 1.10


def main() -> int:
    """Print a table. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--record", metavar="NAME")
    choice.add_argument("--compare", metavar="NAME")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = {name: instructions(words) for name, words in _commands(Path(folder)).items()}
    before = json.loads(_file(options.compare).read_text()) if options.compare else {}
    _print(counts, before)
    if options.record:
        HISTORY.mkdir(exist_ok=True)
        _file(options.record).write_text(json.dumps(counts, indent=1) + "\n")
    return int(any(count > _WORSE * before[name] for name, count in counts.items() if name in before))


def _file(name: str) -> Path:
    return HISTORY / f"{name}.json"


def _commands(folder: Path) -> dict[str, list[str]]:
    """Return the words of each command. The tree is complete, so that ``install`` has nothing to do."""
    bench = Bench(folder, Path("/usr/share/ca-certificates"))
    root = bench.fresh(complete=lambda root: bench.ours(root, Times()))
    directory = folder / "directory"
    directory.mkdir()
    for number, file in enumerate(sorted(root.glob("usr/share/ca-certificates/**/*.crt"))):
        (directory / f"{number}.pem").write_bytes(file.read_bytes())
    ours = [str(Path(sys.executable).with_name("rootfs-trust"))]
    tree = ["--root", str(root)]
    return {
        "python -c 'import click'": [sys.executable, "-c", "import click"],
        "--help": [*ours, "--help"],
        "install, nothing to do": [*ours, "install", *tree, "--cert", str(root / LOCAL / "my-ca.crt")],
        "list": [*ours, "list", *tree],
        "check": [*ours, "check", *tree],
        "openssl rehash": ["openssl", "rehash", str(directory)],
        "rehash": [*ours, "rehash", str(directory)],
    }


def instructions(words: list[str]) -> int:
    """Return how many instructions a command runs, without those of the kernel."""
    tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run([*tool, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    found = _COUNT.search(done.stderr)
    if found is None:
        raise SystemExit(f"{' '.join(words)}: {done.stderr[-500:]}")
    return int(found[1])


def _print(counts: dict[str, int], before: dict[str, int]) -> None:
    floor = counts["python -c 'import click'"]
    print(
        "| command | million instructions | compared with `import click` |"
        + (" compared with then |" if before else "")
    )
    print("| --- | --- | --- |" + (" --- |" if before else ""))
    for name, count in counts.items():
        then = f" {count / before[name]:.2f} |" if name in before else " |" if before else ""
        print(f"| {name} | {count / 1e6:.0f} | {count / floor:.1f} |{then}")


if __name__ == "__main__":
    sys.exit(main())
