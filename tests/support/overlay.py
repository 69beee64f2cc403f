"""Programs of this machine over the trust store of a tree, which stands for them where a device has it.

The directories that a Debian trust store is made of are mounted over this machine's, in a mount namespace that ends
with the program. The other way round from device.py, which runs programs of a tree.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.peers import PLAIN_ENVIRONMENT, needs_mounts, peer, unavailable
from tests.support.servers import Broker
from tests.support.trees import RealTree

_COVERED = ("etc/ssl/certs", "usr/share/ca-certificates", "usr/local/share/ca-certificates")
_RUN_OVER = """
tree=$1; shift
while [ "$1" != -- ]; do mount --bind "$tree/$1" "/$1" || exit 99; shift; done
shift
exec "$@"
"""


def words_over(tree: Path, *words: str | os.PathLike[str]) -> list[str]:
    """The command that runs ``words`` with the trust store of ``tree`` in the place of this machine's."""
    needs_mounts()
    here = [directory for directory in _COVERED if Path("/", directory).is_dir()]
    return [peer("unshare"), "-m", "sh", "-c", _RUN_OVER, "sh", str(tree), *here, "--", *map(os.fspath, words)]


_MERGED = ("etc", "usr/share")
_RUN_MERGED = """
tree=$1; shift
while [ "$1" != -- ]; do
    mount -t overlay overlay -o "lowerdir=$tree/$1:/$1" "/$1" || { echo "no mount" >&2; exit 99; }; shift
done
shift
exec "$@"
"""


def words_merged(tree: Path, *words: str | os.PathLike[str]) -> list[str]:
    """The command that runs ``words`` with the files of ``tree`` below /etc and /usr/share added to this machine's."""
    needs_mounts()
    if not _overlays_are_allowed():
        unavailable("overlays of directories are not allowed here")
    here = [directory for directory in _MERGED if (tree / directory).is_dir()]
    return [peer("unshare"), "-m", "sh", "-c", _RUN_MERGED, "sh", str(tree), *here, "--", *map(os.fspath, words)]


@functools.cache
def _overlays_are_allowed() -> bool:
    mount = ("mount", "-t", "overlay", "overlay", "-o", "lowerdir=/etc:/usr/share", "/mnt")
    return subprocess.run([peer("unshare"), "-m", *mount], check=False, capture_output=True).returncode == 0


def run_over(
    tree: Path, *words: str | os.PathLike[str], stdin: str = "", environment: Mapping[str, str] = PLAIN_ENVIRONMENT
) -> subprocess.CompletedProcess[str]:
    """Run ``words`` to their end, with nothing of the caller's environment."""
    return _run(words_over(tree, *words), stdin, environment)


def run_merged(tree: Path, *words: str | os.PathLike[str]) -> subprocess.CompletedProcess[str]:
    """The same with the files of ``tree`` added to this machine's."""
    return _run(words_merged(tree, *words), "", PLAIN_ENVIRONMENT)


def _run(words: list[str], stdin: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        words,
        env=dict(environment),
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
    )
    assert done.returncode != 99, done.stdout
    return done


class BrokerOver(Broker):
    """This machine's mosquitto over the trust store of ``tree``; what it writes goes to ``folder``.

    ``before`` are the words of a program that starts it, such as one that sets its clock.
    """

    def __init__(self, tree: Path, directory: Path, name: str, *lines: str, before: tuple[str, ...] = ()) -> None:
        (directory / "tmp").mkdir(parents=True, exist_ok=True)
        super().__init__(RealTree(directory), name, *lines)
        self._words = words_over(tree, *before, peer("mosquitto"), "-c", str(directory / self._conf[1:]))

    def __enter__(self) -> BrokerOver:
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                self._words, env=PLAIN_ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self
