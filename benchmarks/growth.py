"""How the time of each command grows with the numbers of anchors, files, targets and findings.

    python benchmarks/growth.py [--by anchors|files|targets|findings] [--most N] [--runs N]

Sizes are 10, 100, 1,000 and so on, up to --most. The tables have the processor time (user and system, with child
processes) of whole processes, the smallest of the runs, and the exponent of the last step: 1.0 is linear. The time to
start Python is subtracted, so that it does not hide growth.

anchors   One private CA for each, installed at once into an empty Debian tree from one directory.
files     A Debian tree with one anchor and so many other files, 20 in a directory.
targets   A fleet of so many Debian trees with one anchor each.
findings  A Debian tree with so many source files without a certificate.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

import install as building
from audit import many
from find_runtimes import build as add_files

from tests.support.authority import Authority
from tests.support.filesystem_images import tar

_OURS = str(Path(sys.executable).with_name("rootfs-trust"))
LOCAL = "usr/local/share/ca-certificates"

Row = tuple[str, Callable[[], float]]
"""The name of a row, and a function that returns the seconds of one run."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--by", choices=sorted(TABLES), action="append")
    parser.add_argument("--most", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    counts = [10**power for power in range(1, int(math.log10(options.most)) + 1)]
    for by in options.by or TABLES:
        _print(by, counts, TABLES[by], options.runs)


def _print(by: str, counts: list[int], rows: Callable[[Path, int], Iterator[Row]], runs: int) -> None:
    columns = []
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="rootfs-trust-growth-") as folder:
            start = _smallest(lambda: run("--version"), runs)
            found = {name: _smallest(once, runs) for name, once in rows(Path(folder), count)}
        columns.append({name: max(seconds - start, 0.001) for name, seconds in found.items()})
        print(by, count, {name: round(each, 2) for name, each in columns[-1].items()}, file=sys.stderr, flush=True)
    print(f"| command | {' | '.join(f'{count:,} {by}' for count in counts)} | exponent |")
    print(f"| --- | {'--- | ' * len(counts)}--- |")
    for name in columns[0]:
        seconds = [column[name] for column in columns]
        exponent = math.log(seconds[-1] / seconds[-2]) / math.log(counts[-1] / counts[-2])
        print(f"| {name} | {' | '.join(f'{each:.2f} s' for each in seconds)} | {exponent:.2f} |")


def _smallest(once: Callable[[], float], runs: int) -> float:
    return min(once() for _ in range(runs))


def run(*words: object) -> float:
    """Run a command and return its processor time in seconds. Exit status 1 is a verdict."""
    times = building.Times()
    times.run(_OURS, *map(str, words), ok=(0, 1))
    return times.cpu[0]


def by_anchors(folder: Path, count: int) -> Iterator[Row]:
    """Yield the rows for a tree with ``count`` anchors."""
    made, empty, root = many(folder, count) / "made", _empty(folder), folder / "rootfs"
    archive, server = folder / "rootfs.tar", folder / "server.pem"
    authority = Authority("Growth Root CA")
    (made / "99999.crt").write_bytes(authority.pem)
    server.write_bytes(authority.server("device.test").pem)
    config = folder / "rootfs-trust.toml"
    config.write_text(f'[[server]]\nname = "s"\nchain = "{server}"\nhostname = "device.test"\n')

    def install() -> float:
        _copy(empty, root)
        return run("install", "--root", root, "--cert", made)

    def remove() -> float:
        install()
        return run("remove", "--root", root, "00005")

    def image() -> float:
        (folder / "new.tar").unlink(missing_ok=True)
        return run("image", archive, folder / "new.tar", "--cert", made / "99999.crt")

    yield "`install`", install
    tar(root, archive)
    yield "`install`, nothing to do", lambda: run("install", "--root", root, "--cert", made)
    yield "`list`", lambda: run("list", "--root", root)
    yield "`check`", lambda: run("check", "--root", root)
    yield "`verify`", lambda: run("verify", "--root", root, "--chain", server, "--hostname", "device.test")
    yield "`advise`", lambda: run("advise", "--root", root, "--config", config, "--until", "2027-01-01")
    yield "`sbom`", lambda: run("sbom", "--root", root)
    yield "`sbom --format spdx`", lambda: run("sbom", "--root", root, "--format", "spdx")
    yield "`report`", lambda: run("report", "--root", root, "-o", folder / "page.html")
    yield "`diff`", lambda: run("diff", empty, root)
    yield "`rehash`", lambda: run("rehash", made)
    yield "`image`, a tar", image
    yield "`remove` of one", remove


def by_files(folder: Path, count: int) -> Iterator[Row]:
    """Yield the rows for a tree with ``count`` files beside the store."""
    empty, root, ca = _empty(folder), folder / "rootfs", folder / "ca.pem"
    ca.write_bytes(Authority("Growth Root CA").pem)
    add_files(empty, count)
    _copy(empty, root)

    def install() -> float:
        shutil.rmtree(root / LOCAL)
        (root / LOCAL).mkdir()
        return run("install", "--root", root, "--cert", ca, "--runtimes", "auto")

    yield "`install --runtimes auto`", install
    yield "the same, nothing to do", lambda: run("install", "--root", root, "--cert", ca, "--runtimes", "auto")
    yield "`list`", lambda: run("list", "--root", root)
    yield "`check`", lambda: run("check", "--root", root)
    yield "`report`", lambda: run("report", "--root", root, "-o", folder / "page.html")
    tar(root, folder / "rootfs.tar")
    yield "`check` of a tar", lambda: run("check", "--root", folder / "rootfs.tar")


def by_targets(folder: Path, count: int) -> Iterator[Row]:
    """Yield the rows for a fleet of ``count`` trees."""
    empty, fleet = _empty(folder), folder / "fleet.toml"
    (folder / "ca.pem").write_bytes(Authority("Growth Root CA").pem)
    (folder / "edge.toml").write_text('[[anchor]]\nfile = "ca.pem"\n')
    fleet.write_text("".join(f'[[target]]\nroot = "roots/{number}"\nconfig = "edge.toml"\n' for number in range(count)))

    def install() -> float:
        shutil.rmtree(folder / "roots", ignore_errors=True)
        for number in range(count):
            shutil.copytree(empty, folder / f"roots/{number}")
        return run("fleet", fleet, "-q", "--fresh")

    yield "`fleet`", install
    yield "`fleet`, nothing to do", lambda: run("fleet", fleet, "-q")
    yield "`fleet --check`", lambda: run("fleet", fleet, "-q", "--check")


def by_findings(folder: Path, count: int) -> Iterator[Row]:
    """Yield the rows for a tree with ``count`` findings."""
    root = _empty(folder)
    for number in range(count):
        (root / LOCAL / f"{number:05}.crt").write_bytes(b"no certificate\n")
    yield "`check`", lambda: run("check", "--root", root)
    for form in ("json", "sarif"):
        yield f"`check --format {form}`", lambda form=form: run("check", "--root", root, "--format", form)
    yield "`report`", lambda: run("report", "--root", root, "-o", folder / "page.html")


TABLES = {"anchors": by_anchors, "files": by_files, "targets": by_targets, "findings": by_findings}


def _empty(folder: Path) -> Path:
    """Create an empty Debian tree."""
    empty = folder / "empty"
    for name in ("etc/ssl/certs", LOCAL, "usr/share/ca-certificates", "var/lib/dpkg"):
        (empty / name).mkdir(parents=True)
    (empty / "etc/os-release").write_text("ID=debian\n")
    (empty / "etc/ca-certificates.conf").write_text("")
    return empty


def _copy(empty: Path, root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(empty, root)


if __name__ == "__main__":
    main()
