"""How the time of each command grows with the number of anchors: 10, 100, 1,000 and, with --slow, 10,000.

    python benchmarks/growth.py [--slow]

One private CA for each anchor, installed at once into an empty Debian tree from one directory. Then each command runs
on that tree. The table has the processor time (user and system) of whole processes, the smallest of three runs, and
the exponent of the last step: 1.0 is linear. The time to start Python is subtracted, so that it does not hide growth.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import install as building
from audit import many

RUNS = 3
_OURS = str(Path(sys.executable).with_name("rootfs-trust"))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slow", action="store_true", help="10,000 anchors, too")
    counts = (10, 100, 1000, *([10000] if parser.parse_args().slow else []))
    with tempfile.TemporaryDirectory(prefix="rootfs-trust-growth-") as folder:
        columns = [measure(Path(folder) / str(count), count) for count in counts]
    print(f"| command | {' | '.join(f'{count:,} anchors' for count in counts)} | exponent |")
    print(f"| --- | {'--- | ' * len(counts)}--- |")
    for name in columns[0]:
        seconds = [column[name] for column in columns]
        exponent = math.log(seconds[-1] / seconds[-2]) / math.log(counts[-1] / counts[-2])
        print(f"| {name} | {' | '.join(f'{each:.2f} s' for each in seconds)} | {exponent:.2f} |")


def measure(folder: Path, count: int) -> dict[str, float]:
    """Return the seconds of each command on a tree with ``count`` anchors, without the time to start."""
    made = many(folder, count) / "made"
    empty, root = folder / "empty", folder / "rootfs"
    for name in ("etc/ssl/certs", "usr/local/share/ca-certificates", "usr/share/ca-certificates", "var/lib/dpkg"):
        (empty / name).mkdir(parents=True)
    (empty / "etc/os-release").write_text("ID=debian\n")
    (empty / "etc/ca-certificates.conf").write_text("")
    start = _smallest("--version")
    times = {"install": _smallest("install", "--root", root, "--cert", made, prepare=lambda: _copy(empty, root))}
    times["install, nothing to do"] = _smallest("install", "--root", root, "--cert", made)
    for command in ("list", "check", "sbom", "report"):
        words = (command, "--root", root, *(("-o", folder / "page.html") if command == "report" else ()))
        times[command] = _smallest(*words, ok=(0, 1))
    times["diff"] = _smallest("diff", empty, root, ok=(0, 1))
    times["rehash"] = _smallest("rehash", made)
    times["remove of one"] = _smallest("remove", "--root", root, "00005", prepare=lambda: _installed(empty, root, made))
    return {name: max(seconds - start, 0.001) for name, seconds in times.items()}


def _copy(empty: Path, root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(empty, root)


def _installed(empty: Path, root: Path, made: Path) -> None:
    _copy(empty, root)
    _run("install", "--root", root, "--cert", made)


def _smallest(*words: object, prepare=lambda: None, ok: tuple[int, ...] = (0,)) -> float:
    seconds = []
    for _ in range(RUNS):
        prepare()
        seconds.append(_run(*words, ok=ok))
    return min(seconds)


def _run(*words: object, ok: tuple[int, ...] = (0,)) -> float:
    times = building.Times()
    times.run(_OURS, *map(str, words), ok=ok)
    return times.cpu[0]


if __name__ == "__main__":
    main()
