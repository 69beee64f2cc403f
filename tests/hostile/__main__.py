"""Runs every command on the corpus of hostile input, prints a table, and fails where something is wrong."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict
from random import Random

from tests.hostile import certificates, conditions, configs, filesystems, images, options, trees
from tests.hostile.corpus import ITEMS, KINDS
from tests.hostile.rounds import Case, Tried, attempt, cases
from tests.hostile.world import bases, fenced_in

CORPUS = (certificates, conditions, configs, filesystems, images, options, trees)
"""Imported for the items that they register."""


def main() -> int:
    options_ = _parsed()
    if options_.list:
        for item in ITEMS.values():
            print(f"{item.kind:<12} {item.name:<40} {(item.make.__doc__ or '').partition(chr(10))[0]}".rstrip())
        return 0
    return _worker(options_) if options_.worker else _all(options_)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument(
        "--minutes",
        type=float,
        help="run every item with every command, with new seeds, for so long; without it a sample",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", choices=list(ITEMS), help="this item only"
    )
    parser.add_argument(
        "--command",
        action="append",
        default=[],
        metavar="NAME",
        help="this command only: install, or a whole name as printed",
    )
    parser.add_argument("--kind", action="append", default=[], choices=KINDS, help="items of this kind only")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="worker processes")
    parser.add_argument("--keep", metavar="DIR", help="keep the folders of failed cases in this new directory")
    parser.add_argument("--list", action="store_true", help="print the items and exit")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args()


# -- all workers -------------------------------------------------------------------------------------------


def _all(options_: argparse.Namespace) -> int:
    start, tried = time.monotonic(), list[dict]()
    words = [sys.executable, "-m", "tests.hostile", *sys.argv[1:]]
    workers = [
        subprocess.Popen([*words, "--worker", f"{n}/{options_.jobs}"], stdout=subprocess.PIPE, text=True)
        for n in range(options_.jobs)
    ]
    threads = [threading.Thread(target=_read, args=(worker, tried)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    died = [worker.args[-1] for worker in workers if worker.wait() != 0]
    _print_table(tried)
    failed = sum(bool(each["wrong"]) for each in tried)
    print(
        f"{len(tried)} cases, {failed} failed; {time.monotonic() - start:.0f} s"
        + (f"; workers died: {died}" if died else "")
    )
    return int(bool(failed or died or not tried))


def _read(worker: subprocess.Popen[str], tried: list[dict]) -> None:
    for line in worker.stdout or ():
        found = json.loads(line)
        tried.append(found)
        if found["wrong"]:
            print(f"FAILED python -m tests.hostile {_reproduce(found['case'])}", flush=True)
            print(f"    {ascii(' '.join(found['words']))[:400]} -> {found['status']}")
            for each in found["wrong"][:5]:
                print(f"    {ascii(each)[1:-1]}", flush=True)


def _reproduce(case: dict[str, str]) -> str:
    """The options that run this case again."""
    command = f" --command {case['command']!r}" if case["command"] else ""
    return f"--only {case['item']}{command} --seed {case['seed']} --minutes 0"


def _print_table(tried: list[dict]) -> None:
    rows = {kind: [each for each in tried if ITEMS[each["case"]["item"]].kind == kind] for kind in KINDS}
    print(f"\n{'kind':<12} {'items':>6} {'cases':>6} {'failed':>6} {'slowest':>8}  statuses")
    for kind, found in rows.items():
        if found:
            statuses = ", ".join(
                f"{status}: {count}" for status, count in sorted(Counter(each["status"] for each in found).items())
            )
            items = len({each["case"]["item"] for each in found})
            failed = sum(bool(each["wrong"]) for each in found)
            slowest = max(found, key=lambda each: each["seconds"])
            print(f"{kind:<12} {items:>6} {len(found):>6} {failed:>6} {slowest['seconds']:>6.1f} s  {statuses}")
            print(f"{'':<37} {_reproduce(slowest['case'])}")


# -- one worker --------------------------------------------------------------------------------------------


def _worker(options_: argparse.Namespace) -> int:
    number, count = map(int, options_.worker.split("/"))
    scratch = tempfile.mkdtemp(prefix="hostile-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    if options_.keep:
        os.makedirs(options_.keep, exist_ok=True)
    bases()
    _import_all()
    if not options_.keep:
        fenced_in(scratch)
    try:
        for place, case in enumerate(_cases(options_)):
            if place % count == number:
                _report(_tried(case, f"{scratch}/{place}", options_.keep))
    finally:
        _remove(scratch)
    return 0


def _cases(options_: argparse.Namespace):
    narrow = options_.only, options_.command, options_.kind
    if options_.minutes is None:
        yield from cases(options_.seed, 0, *narrow)
        return
    end = time.monotonic() + 60 * options_.minutes
    seed = options_.seed
    while True:
        # In any order, so that a short run is a sample of all; the same in every worker.
        every = list(cases(seed, 1, *narrow))
        Random(seed).shuffle(every)
        for case in every:
            yield case
            if options_.minutes and time.monotonic() > end:
                return
        seed += 1
        if not options_.minutes:
            return


def _tried(case: Case, folder: str, keep: str | None) -> Tried:
    os.mkdir(folder)
    tried = attempt(case, folder)
    if tried.wrong and keep:
        shutil.move(folder, f"{keep}/{case.item}-{case.seed}-{os.path.basename(folder)}")
    else:
        _remove(folder)
    return tried


def _remove(folder: str) -> None:
    """With a program that needs no stack: paths may be deeper than Python can remove."""
    subprocess.run(["rm", "-rf", folder], check=False, stderr=subprocess.DEVNULL)


def _report(tried: Tried) -> None:
    print(json.dumps(asdict(tried)), flush=True)


def _import_all() -> None:
    """Every module now: a child that is another user may not read the directory of Python."""
    import importlib
    import pkgutil

    import rootfs_trust

    for module in pkgutil.walk_packages(rootfs_trust.__path__, "rootfs_trust."):
        if not module.name.endswith(("__main__", ".dask")):
            importlib.import_module(module.name)
    for name in (
        "OpenSSL",
        "jinja2",
        "cyclonedx.output.json",
        "spdx_python_model",
        "backports.zstd",
        "cryptography.hazmat.primitives.serialization.pkcs12",
        "difflib",
        "zipfile",
    ):
        try:
            importlib.import_module(name)
        except ImportError:
            continue


if __name__ == "__main__":
    sys.exit(main())
