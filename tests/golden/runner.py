"""Runs commands of the checkout named on the command line, one after the other, and prints what each left.

Standard input: a JSON list of argument lists. The current directory holds what the commands work on; its state after
each command is recorded. Imports nothing of the tests: it also runs with the code of older checkouts.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

STARTED = time.time_ns() - 10_000_000


def main() -> None:
    import rootfs_trust
    from rootfs_trust.__main__ import main as command_line

    assert Path(rootfs_trust.__file__).is_relative_to(sys.argv[1]), rootfs_trust.__file__
    results = []
    with tempfile.TemporaryDirectory() as directory:
        for words in json.loads(sys.stdin.read()):
            streams = [Path(directory, name) for name in ("stdout", "stderr")]
            child = os.fork()
            if child == 0:
                for number, path in enumerate(streams, 1):
                    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
                os._exit(status_of(command_line, words))
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            out, err = (path.read_text("latin-1") for path in streams)
            results.append({"status": status, "stdout": out, "stderr": err, "files": state()})
    json.dump(results, sys.stdout)


def status_of(command_line: Callable[[], None], words: list[str]) -> int:
    sys.argv = ["rootfs-trust", *words]
    try:
        command_line()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def state() -> dict[str, list[object]]:
    """Mode, owner, time and content or link text of every entry.

    The time is -1 where it is the host's clock, and 0 for directories. A journal of fleet holds stamps of inodes.
    """
    found: dict[str, list[object]] = {}
    for directory, directories, files in os.walk("."):
        for name in [*directories, *(each for each in files if not each.endswith(".journal"))]:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            content = ""
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = Path(path).read_text("latin-1")
            changed = -1 if status.st_mtime_ns > STARTED else status.st_mtime_ns
            modified = 0 if stat.S_ISDIR(status.st_mode) else changed
            found[path] = [stat.filemode(status.st_mode), status.st_uid, status.st_gid, modified, content]
    return found


if __name__ == "__main__":
    main()
