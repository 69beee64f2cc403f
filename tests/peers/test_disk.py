"""Disks that refuse: read-only, full, not ours, mounted over, an overlay. And the order in which we write."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from rootfs_trust.rootfs.plan import STAGED_PREFIX
from tests.faults import calls
from tests.faults.cases import CASES, STORE
from tests.support.command import OrdinaryUser, rootfs_trust
from tests.support.debian_tree import contents, snapshot
from tests.support.peers import PLAIN_ENVIRONMENT, needs_mounts, needs_root, peer, unavailable

BUNDLE = f"{STORE}/ca-certificates.crt"


@pytest.fixture
def tree(tmp_path) -> Path:
    path = tmp_path / "in/rootfs"
    path.parent.mkdir()
    CASES[0].make(path)
    return path


@pytest.fixture
def words(tree) -> list[str]:
    return CASES[0].words(tree)


def mounted(script: str, tree: Path, words: list[str]) -> subprocess.CompletedProcess[bytes]:
    """``script`` in a mount namespace of its own: $T is the tree, $run the command for it, $W an empty directory."""
    needs_mounts()
    work = tree.parent.parent / "work"
    work.mkdir(exist_ok=True)
    run = [sys.executable, "-m", "rootfs_trust", *words]
    private = [peer("unshare"), "-m", "--propagation", "private"]
    return subprocess.run(
        [*private, "sh", "-ec", f"T=$1 W=$2; shift 2; {script}", "sh", str(tree), str(work), *run],
        env=PLAIN_ENVIRONMENT,
        cwd="/",
        capture_output=True,
        timeout=60,
        check=False,
    )


REFUSED = {
    "read-only": ('mount --bind "$T" "$T"; mount -o remount,bind,ro "$T"', b"is on a read-only file system"),
    "a store that is read-only": (
        f'mount --bind "$T/{STORE}" "$T/{STORE}"; mount -o remount,bind,ro "$T/{STORE}"',
        f"/{STORE}: is on a read-only file system".encode(),
    ),
    "the kernel's files": (
        f'mkdir "$T/proc"; mount -t proc none "$T/proc"; rm -r "$T/{STORE}"; ln -s /proc "$T/{STORE}"',
        f"/{STORE}: is on a kernel file system (proc)".encode(),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_where_nothing_can_be_written_is_refused_before_the_first_write(tree, words, name):
    script, message = REFUSED[name]
    done = mounted(
        f'{script}; cp -a "$T/etc" "$W/etc"; "$@" || echo $?; diff -r --no-dereference "$T/etc" "$W/etc"', tree, words
    )
    assert (done.returncode, done.stdout) == (0, b"3\n"), done.stderr
    assert message in done.stderr and b"nothing can be written there" in done.stderr


@pytest.mark.parametrize(("flag", "what"), [("i", b"immutable"), ("a", b"append-only")])
@pytest.mark.parametrize("place", [BUNDLE, STORE])
def test_what_is_fixed_is_refused_before_the_first_write(tree, words, flag, what, place):
    needs_root()
    if subprocess.run([peer("chattr"), f"+{flag}", tree / place], capture_output=True, check=False).returncode:
        unavailable("this file system keeps no attributes of chattr")
    try:
        before = snapshot(tree)
        done = rootfs_trust(*words)
        assert done.returncode == 3, done.stderr
        assert f"/{place}: is ".encode() + what in done.stderr
        assert snapshot(tree) == before
    finally:
        subprocess.run([peer("chattr"), f"-{flag}", tree / place], check=True)
    assert rootfs_trust(*words).returncode == 0


def test_a_full_file_system(tree, words):
    """Of a small tmpfs nothing is left; what room there is then is enough again."""
    script = """
        mount -t tmpfs -o size=1m none "$W"; cp -a "$T" "$W/rootfs"
        mount --bind "$W/rootfs" "$T"
        dd if=/dev/zero of="$W/fill" bs=4k 2>/dev/null || true
        "$@" || echo "status $?"
        find "$T" -name ".rootfs-trust*"; cmp "$T/%s" "$W/rootfs/%s"; cp "$T/%s" "$W.bundle"
        rm "$W/fill"; "$@"
    """ % ((BUNDLE,) * 3)
    old = (tree / BUNDLE).read_bytes()
    done = mounted(script, tree, words)
    assert done.returncode == 0, done.stderr
    assert b"No space left on device" in done.stderr and b"not written: this and all that comes after" in done.stderr
    assert done.stdout.startswith(b"status 4\n") and b".rootfs-trust" not in done.stdout
    assert Path(f"{tree.parent.parent}/work.bundle").read_bytes() == old
    assert b" changes in " in done.stdout


def test_a_bundle_that_is_a_mount_is_a_conflict(tree, words):
    """As container engines mount the host's: writing into it would change the host's file."""
    host = tree.parent.parent / "host.crt"
    shutil.copy(tree / BUNDLE, host)
    before, content = snapshot(tree), host.read_bytes()
    script = f'mount --bind "$W/../host.crt" "$T/{BUNDLE}"; "$@" && exit 9; test $? = 3; "$@" --dry-run'
    done = mounted(script, tree, words)
    assert done.returncode == 3, done.stderr
    assert done.stderr.count(b": is a mount point, so it cannot be replaced; unmount it,") == 2
    assert snapshot(tree) == before and host.read_bytes() == content


def test_a_mount_that_need_not_be_replaced_is_in_nobodys_way(tree, words):
    rootfs_trust(*words)
    before = snapshot(tree)
    done = mounted(f'mount --bind "$T/{BUNDLE}" "$T/{BUNDLE}"; "$@"', tree, words)
    assert (done.returncode, snapshot(tree)) == (0, before), done.stderr


def test_a_store_that_is_a_mounted_directory(tree, words):
    shutil.copytree(tree, tree.parent / "twin", symlinks=True)
    rootfs_trust(*CASES[0].words(tree.parent / "twin"))
    script = f'cp -a "$T/{STORE}" "$W/volume"; mount --bind "$W/volume" "$T/{STORE}"; "$@"; umount "$T/{STORE}"'
    done = mounted(f'{script}; rm -r "$T/{STORE}"; mv "$W/volume" "$T/{STORE}"', tree, words)
    assert done.returncode == 0, done.stderr
    assert contents(tree) == contents(tree.parent / "twin")


def test_the_upper_layer_of_an_overlay(tree, words):
    shutil.copytree(tree, tree.parent / "twin", symlinks=True)
    rootfs_trust(*CASES[0].words(tree.parent / "twin"))
    before = snapshot(tree)
    script = """
        mount -t tmpfs none "$W"; mkdir "$W/upper" "$W/work" "$W/lower"; mount --bind "$T" "$W/lower"
        mount -t overlay -o "lowerdir=$W/lower,upperdir=$W/upper,workdir=$W/work" none "$T"
        "$@"; "$@" --dry-run; cp -a "$T" "$W/../merged"
    """
    done = mounted(script, tree, words)
    assert done.returncode == 0, done.stderr
    assert b"Nothing to do" in done.stdout
    assert snapshot(tree) == before
    assert contents(tree.parent.parent / "merged") == contents(tree.parent / "twin")


def test_a_user_who_may_not_write(tree, words):
    needs_root()
    with tempfile.TemporaryDirectory() as directory:
        copy, given = Path(directory, "rootfs"), Path(directory, "new.pem")
        shutil.copytree(tree, copy, symlinks=True)
        shutil.copy(words[4], given)
        user = OrdinaryUser(Path(directory), 12345, 12345)
        before = snapshot(copy)
        told = ["install", "--root", str(copy), "--cert", str(given)]
        done = user.rootfs_trust(*told)
        assert done.returncode == 3, done.stderr
        assert b"is not writable for this user: nothing can be written there" in done.stderr
        assert user.rootfs_trust(*told, "--dry-run").returncode == 0
        assert snapshot(copy) == before


# -- the order of writing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES[:3], ids=lambda case: case.name)
def test_nothing_takes_a_place_before_it_is_on_the_disk(tmp_path, case):
    """Each file is synced before its rename, the bundle comes before links, directories are synced before removals."""
    needs_root()
    (tmp_path / "in").mkdir()
    tree = tmp_path / "in/rootfs"
    case.make(tree)
    done = calls.run(case.words(tree), tmp_path / "log", tmp_path / "in")
    assert done.status == 0, done.errors
    events = list(filter(None, (event(call) for call in done.calls if " = -1 " not in call.text)))
    links = {path for what, path, _ in events if what == "link"}
    synced: set[str] = set()
    unsynced: set[str] = set()
    bundled, removing = case.bundle is None, False
    for what, path, staged in events:
        if what == "sync":
            synced.add(path)
            unsynced.discard(path)
            continue
        if what != "rename" and STAGED_PREFIX in path:
            continue
        if what == "rename":
            assert staged in synced | links or os.path.isdir(path), f"{path} is renamed before it is synced"
            bundled = bundled or path.endswith(BUNDLE)
        assert bundled or STORE not in path, f"{path} comes before the bundle"
        if what == "remove" and not removing:
            assert unsynced == set(), f"{path} goes before what stands for it is synced"
            removing = True
        assert removing == (what == "remove"), f"{path} comes after a removal"
        unsynced.add(os.path.dirname(path))
    assert unsynced == set()
    assert {what for what, _, _ in events} >= {"sync", "rename", "link", "remove"}


def event(call: calls.Call) -> tuple[str, str, str] | None:
    """What the call does to which path: sync, rename (with what it was called before), link, remove.

    What becomes of staged entries before they are renamed concerns nobody.
    """
    directory, names = re.match(r"\d+<([^>]*)>", call.text), re.findall(r'"([^"]*)"', call.text)
    at = directory.group(1) if directory else ""
    if call.name == "fsync":
        return "sync", at, ""
    if call.name.startswith("rename"):
        return "rename", f"{at}/{names[1]}", f"{at}/{names[0]}"
    if call.name.startswith("symlink"):
        where = re.search(r", \d+<([^>]*)>", call.text)
        return "link", f"{where.group(1) if where else ''}/{names[1]}", ""
    if call.name.startswith("unlink"):
        return "remove", f"{at}/{names[0]}", ""
    return None
