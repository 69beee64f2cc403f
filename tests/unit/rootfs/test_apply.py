"""The writer: whatever fails, and wherever, each file is whole, the error tells, and the next run ends it."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path

import pytest

from rootfs_trust.errors import ApplyError
from rootfs_trust.rootfs.apply import apply
from rootfs_trust.rootfs.plan import STAGED_PREFIX, make_plan
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import Absent, Directory, File, Owner, Symlink
from tests.support.debian_tree import contents, snapshot

DESIRED = {
    "/new/folder": Directory(mode=0o750),
    "/new/folder/file": File(b"new file", mode=0o600),
    "/etc/file": File(b"new content"),
    "/etc/turned": File(b"was a link"),
    "/etc/link": Symlink("elsewhere"),
    "/etc/fresh": Symlink("file"),
    "/etc/gone": Absent(),
    "/etc/gone-link": Absent(),
    "/etc/never": Absent(),
}


@pytest.fixture
def tree(tmp_path) -> Path:
    root = tmp_path / "rootfs"
    (root / "etc").mkdir(parents=True)
    for name in ("file", "gone", "other"):
        (root / "etc" / name).write_bytes(b"old content")
    for name in ("turned", "link", "gone-link"):
        (root / "etc" / name).symlink_to("other")
    return root


def run(tree: Path, desired=DESIRED, *, owner: Owner | None = None, timestamp: int | None = None):
    with RootDirectory(str(tree)) as root:
        return apply(root, make_plan(root, desired), owner=owner, timestamp=timestamp)


def done(tree: Path) -> dict[str, object]:
    """What a run that nothing disturbs leaves."""
    shutil.copytree(tree, copy := tree.parent / "undisturbed", symlinks=True)
    run(copy)
    return contents(copy)


def test_every_action_is_carried_out(tree):
    umask = os.umask(0o077)
    try:
        assert run(tree) == []
    finally:
        os.umask(umask)
    assert contents(tree) == {
        "etc": ("drwxr-xr-x", None),
        "etc/file": ("-rw-r--r--", b"new content"),
        "etc/fresh": ("lrwxrwxrwx", "file"),
        "etc/link": ("lrwxrwxrwx", "elsewhere"),
        "etc/other": ("-rw-r--r--", b"old content"),
        "etc/turned": ("-rw-r--r--", b"was a link"),
        "new": ("drwxr-xr-x", None),
        "new/folder": ("drwxr-x---", None),
        "new/folder/file": ("-rw-------", b"new file"),
    }
    before = snapshot(tree)
    run(tree)
    assert snapshot(tree) == before


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o4755, 0o444])
def test_a_replaced_file_keeps_mode_and_attributes_but_signatures(tree, mode):
    file = tree / "etc/file"
    os.setxattr(file, "user.label", b"kept")
    file.chmod(mode)
    run(tree)
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert os.getxattr(file, "user.label") == b"kept"
    assert file.read_bytes() == b"new content"


def test_another_name_of_a_replaced_file_keeps_the_old_content(tree):
    os.link(tree / "etc/file", tree / "etc/hard-link")
    run(tree)
    assert (tree / "etc/hard-link").read_bytes() == b"old content"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change owners")
def test_owners_of_new_and_of_replaced_entries(tree):
    for name in ("file", "link"):
        os.chown(tree / "etc" / name, 11, 12, follow_symlinks=False)
    wanted = {**DESIRED, "/new/folder/own": File(b"", Owner(21, 22)), "/new/own": Directory(Owner(23, 24))}
    notes = run(tree, wanted, owner=Owner(31, 32))
    owners = {name: entry[1:3] for name, entry in snapshot(tree).items()}
    assert owners["etc/file"] == owners["etc/link"] == (11, 12)
    assert owners["new/folder/own"] == (21, 22)
    assert owners["new/own"] == (23, 24)
    for name in ("new", "new/folder", "new/folder/file", "etc/fresh"):
        assert owners[name] == (31, 32)
    assert [(note.id, "31:32" in note.message) for note in notes] == [("owner", True)]


def test_an_owner_that_cannot_be_set_is_a_warning(tree, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    monkeypatch.setattr(
        os, "chown", lambda path, *_, **__: None if os.fsdecode(path).startswith(STAGED_PREFIX) else refuse()
    )
    notes = run(tree, owner=Owner(31, 32))
    assert contents(tree)["etc/file"] == ("-rw-r--r--", b"new content")
    assert [(note.id, "belong to the caller" in note.message) for note in notes] == [("owner", True)]


def test_only_written_entries_get_the_timestamp(tree):
    os.utime(tree / "etc/other", (5, 5))
    run(tree, timestamp=1_000_000_000)
    times = {name: entry[3] // 10**9 for name, entry in snapshot(tree).items()}
    assert times.pop("etc/other") == 5
    assert set(times.values()) == {1_000_000_000}


# -- leftovers ---------------------------------------------------------------------------------------------


def test_temporary_files_of_a_killed_run_are_deleted(tree):
    expected = done(tree)
    for number in range(6):
        (tree / f"etc/{STAGED_PREFIX}{number}").write_bytes(b"half")
    (tree / f"etc/{STAGED_PREFIX}x").symlink_to("/nowhere")
    (tree / f"etc/{STAGED_PREFIX}y").mkdir()
    (tree / f"{STAGED_PREFIX}0").mkdir()
    run(tree)
    assert contents(tree) == expected


def test_deleting_temporary_files_counts_as_a_change(tree):
    run(tree)
    (tree / f"etc/{STAGED_PREFIX}7").write_bytes(b"half")
    with RootDirectory(str(tree)) as root:
        plan = make_plan(root, DESIRED)
    assert [(action.verb, action.path) for action in plan.actions] == [("remove", f"/etc/{STAGED_PREFIX}7")]
    run(tree)
    assert not (tree / f"etc/{STAGED_PREFIX}7").exists()


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_a_foreign_entry_with_the_name_of_a_temporary_file_is_a_conflict(tree, kind):
    path = tree / f"etc/{STAGED_PREFIX}0"
    if kind == "folder":
        (path / "something").mkdir(parents=True)
    else:
        os.mkfifo(path)
    with RootDirectory(str(tree)) as root:
        plan = make_plan(root, DESIRED)
    assert [(each.id, each.path) for each in plan.conflicts] == [("conflict", f"/etc/{STAGED_PREFIX}0")]


# -- faults ------------------------------------------------------------------------------------------------

CALLS = ("fsync", "rename", "symlink", "unlink", "mkdir", "fchmod", "setxattr", "utime", "stat", "open", "fstat")


class Fault:
    """Lets the first ``after`` calls of ``os.NAME`` pass and fails the next one."""

    def __init__(self, monkeypatch, name: str, after: int, number: int = errno.ENOSPC) -> None:
        self.hit = False
        real = getattr(os, name)
        calls = iter(range(10**6))

        def call(*words, **options):
            if name == "open" and not words[1] & os.O_CREAT:
                return real(*words, **options)
            if next(calls) == after:
                self.hit = True
                raise OSError(number, os.strerror(number))
            return real(*words, **options)

        monkeypatch.setattr(os, name, call)


@pytest.mark.parametrize("name", CALLS)
def test_a_fault_at_any_step(tree, monkeypatch, name):
    """A run that fails leaves no half file and no staged one, says so, and the next run ends it."""
    os.setxattr(tree / "etc/file", "user.label", b"kept")
    before, after = contents(tree), done(tree)
    shutil.copytree(tree, pristine := tree.parent / "pristine", symlinks=True)
    for number in range(100):
        shutil.rmtree(tree)
        shutil.copytree(pristine, tree, symlinks=True)
        with RootDirectory(str(tree)) as root, monkeypatch.context() as patched:
            plan = make_plan(root, DESIRED)
            fault = Fault(patched, name, number)
            try:
                apply(root, plan, owner=None, timestamp=1_000_000_000)
            except ApplyError as error:
                (problem,) = error.problems
        if not fault.hit:
            break
        found = contents(tree)
        for path in found.keys() | before.keys() | after.keys():
            assert found.get(path) in (before.get(path), after.get(path)), path
        assert (problem.id, error_says(problem, before, found)) == ("apply", True)
        run(tree)
        assert contents(tree) == after
    else:
        pytest.fail("it never ran through")
    assert number > 0, f"os.{name} is never called"


def error_says(problem, before, found) -> bool:
    """Whether the message names just what differs."""
    if "all changes are written" in problem.message:
        return "cannot be flushed to disk" in problem.message
    assert "No space left on device" in problem.message and "run the same command again" in problem.hint
    written = problem.message.partition("written before: ")[2].partition("; not written")[0]
    if "cannot be flushed" in problem.message:
        return "not done: removals" in problem.message and "/etc/gone" not in written
    named = {path.lstrip("/") for path in written.split(", ") if path}
    changed = {path for path in found.keys() | before.keys() if found.get(path) != before.get(path)}
    assert ("nothing was written" in problem.message) is not named
    # The link that failed may stand there already, without its time.
    return named - {"etc/gone", "etc/gone-link"} <= changed <= named | {problem.path.lstrip("/")}


def test_a_full_disk_by_the_command_line(tmp_path, monkeypatch, capfd):
    import sys

    from rootfs_trust.cli.run import main
    from tests.support.debian_tree import DebianTree

    debian = DebianTree(tmp_path / "tree")
    before = contents(debian.path)
    monkeypatch.setattr(sys, "argv", ["rootfs-trust", "install", "--root", debian.root])
    with monkeypatch.context() as patched:
        Fault(patched, "fsync", 0)
        with pytest.raises(SystemExit) as exit_:
            main()
    out, err = capfd.readouterr()
    assert (exit_.value.code, out, len(err.splitlines())) == (4, "", 1)
    assert "/etc/ssl/certs/ca-certificates.crt: put failed: No space left on device; nothing was written" in err
    assert contents(debian.path) == before
    with pytest.raises(SystemExit) as exit_:
        main()
    assert not exit_.value.code


def test_a_directory_that_is_deleted_during_the_run(tree, monkeypatch):
    with RootDirectory(str(tree)) as root:
        plan = make_plan(root, {"/etc/file": File(b"new")})
        monkeypatch.setattr(root, "place", lambda _: None)
        with pytest.raises(ApplyError, match="/etc/file: put failed: No such file or directory; nothing was written"):
            apply(root, plan, owner=None, timestamp=None)


def test_removing_an_entry_that_is_already_gone_succeeds(tree):
    with RootDirectory(str(tree)) as root:
        plan = make_plan(root, {"/etc/gone": Absent()})
        (tree / "etc/gone").unlink()
        assert apply(root, plan, owner=None, timestamp=None) == []


def test_a_link_that_became_a_file_is_replaced_with_the_mode_of_the_plan(tree):
    run(tree, {"/etc/turned": File(b"x", mode=0o640)})
    assert stat.S_IMODE((tree / "etc/turned").lstat().st_mode) == 0o640
    assert (tree / "etc/other").read_bytes() == b"old content"


# -- attributes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["security.ima", "security.evm"])
def test_a_signature_attribute_is_a_conflict_and_is_never_copied(tree, monkeypatch, name):
    """No kernel lets a test set one, so the file system's answers are made up."""
    given = {name: b"signature", "user.label": b"kept"}
    monkeypatch.setattr("rootfs_trust.rootfs.apply.read_extended_attributes", lambda *_: given)
    monkeypatch.setattr("rootfs_trust.rootfs.root_directory.read_extended_attributes", lambda *_: given)
    desired = {"/etc/file": File(b"new"), "/etc/other": File(b"old content"), "/etc/fresh": File(b"")}
    with RootDirectory(str(tree)) as root:
        (conflict,) = make_plan(root, desired).conflicts
        assert (conflict.id, conflict.path, name in conflict.message) == ("conflict", "/etc/file", True)
        assert "--will-be-signed" in conflict.hint
        plan = make_plan(root, desired, will_be_signed=True)
        assert plan.conflicts == ()
        apply(root, plan, owner=None, timestamp=None)
    assert os.listxattr(tree / "etc/file") == ["user.label"]
    assert (tree / "etc/file").read_bytes() == b"new"


def test_a_link_that_is_replaced_keeps_its_attributes(tree, monkeypatch):
    kept = []
    real = os.setxattr

    def setxattr(path, key, value, **options):
        kept.append((key, value, options.get("follow_symlinks")))
        if key != "security.label":
            real(path, key, value, **options)

    monkeypatch.setattr(os, "setxattr", setxattr)
    monkeypatch.setattr("rootfs_trust.rootfs.apply.read_extended_attributes", lambda *_: {"security.label": b"x"})
    run(tree, {"/etc/link": Symlink("elsewhere")})
    assert kept == [("security.label", b"x", False)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change owners")
@pytest.mark.parametrize(("number", "fails"), [(errno.EPERM, False), (errno.EINVAL, False), (errno.EIO, True)])
def test_which_errors_of_chown_are_only_warnings(tree, monkeypatch, number, fails):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fchown", refuse)
    if fails:
        with pytest.raises(ApplyError, match="Input/output error"):
            run(tree, {"/etc/new": File(b"")}, owner=Owner(7, 8))
        assert not (tree / "etc/new").exists()
    else:
        (note,) = run(tree, {"/etc/new": File(b"")}, owner=Owner(7, 8))
        assert "7:8 belong to the caller" in note.message


def test_a_directory_that_becomes_unreachable_is_an_apply_error(tree, monkeypatch):
    from rootfs_trust.errors import InputError, Problem

    with RootDirectory(str(tree)) as root:
        plan = make_plan(root, {"/etc/file": File(b"new")})

        def refuse(_):
            raise InputError(Problem("unreadable", "/etc", "cannot be read: Permission denied"))

        monkeypatch.setattr(root, "place", refuse)
        with pytest.raises(ApplyError, match="/etc/file: put failed: cannot be read: Permission denied; nothing"):
            apply(root, plan, owner=None, timestamp=None)


@pytest.mark.parametrize("most", [1, 3, 11, 12])
def test_short_writes_lose_no_bytes(tree, monkeypatch, most):
    """As FUSE may (fuse-overlayfs under rootless containers); half a file read is half a store written."""
    real = os.read
    monkeypatch.setattr(os, "read", lambda fd, size: real(fd, min(size, most)))
    with RootDirectory(str(tree)) as root:
        assert root.node("/etc/file").content == b"old content"


def test_a_new_link_takes_its_place_with_its_time_and_owner(tree, monkeypatch):
    """A run that is killed after any call leaves none that the next run would have to mend, and could not know of."""
    seen = []
    real = os.utime

    def utime(path, *words, **options):
        seen.append(os.fsdecode(path) if not isinstance(path, int) else "")
        real(path, *words, **options)

    monkeypatch.setattr(os, "utime", utime)
    run(tree, {"/etc/fresh": Symlink("file")}, timestamp=1_000_000_000)
    assert [name for name in seen if name] == [f"{STAGED_PREFIX}0"]
    assert (tree / "etc/fresh").lstat().st_mtime == 1_000_000_000


def test_nothing_is_removed_if_a_directory_cannot_be_synced_first(tree, monkeypatch):
    monkeypatch.setattr(os, "fsync", refuse_directories)
    with pytest.raises(ApplyError, match=r"/etc: cannot be flushed to disk: .*; not done: removals"):
        run(tree, {"/etc/file": File(b"new"), "/etc/gone": Absent()})
    assert (tree / "etc/gone").exists()


def refuse_directories(fd: int) -> None:
    if stat.S_ISDIR(os.fstat(fd).st_mode):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
