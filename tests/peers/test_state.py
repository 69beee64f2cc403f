"""A device's state over its image: the kernel's overlayfs and OSTree's own merge are the judges."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from rootfs_trust.api.open_tree import open_view
from rootfs_trust.rootfs.view import Directory, File, Symlink, View, join
from tests.support.peers import PLAIN_ENVIRONMENT, needs_mounts, needs_root, peer

_OVERLAY = """
set -e
cd "$1"
mount -t tmpfs tmpfs "$2"
mkdir "$2/upper" "$2/work"
mount -t overlay overlay -o "lowerdir=$PWD/image/etc,upperdir=$2/upper,workdir=$2/work" image/etc
cd image/etc
sh -e ../../changes
cd ../..
cp -a image/etc merged
umount image/etc
cp -a "$2/upper" state
"""

_CHANGES = """
echo new > ssl/new.pem
echo changed > ssl/certs/a.pem
rm ssl/certs/b.pem
rm -r tedge
mkdir tedge
echo fresh > tedge/tedge.toml
rm -r gone
rm -r folder && echo file > folder
rm file && mkdir file && echo inside > file/inside
ln -sf /etc/ssl/certs/a.pem ssl/certs/link.pem
rm -r linked && ln -s ssl linked
mv ssl/certs/c.pem ssl/certs/renamed.pem
mkdir -p deep/er && echo x > deep/er/x
rm -r again && mkdir -p again && echo y > again/kept
"""

_REFUSED_BY_OSTREE = (
    "rm -r folder && echo file > folder",
    "rm file && mkdir file && echo inside > file/inside",
    "rm -r linked && ln -s ssl linked",
)
"""It does not deploy where a directory has become something else, or something else a directory."""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def image(directory: Path) -> None:
    for name in ("ssl/certs/a.pem", "ssl/certs/b.pem", "ssl/certs/c.pem", "tedge/tedge.toml", "tedge/old/file"):
        write(directory / name, f"of the image: {name}\n")
    for name in ("gone/one", "gone/two/three", "folder/in/side", "file", "linked/old", "again/lost", "again/kept"):
        write(directory / name, f"of the image: {name}\n")
    (directory / "ssl/certs/link.pem").symlink_to("b.pem")


def on_disk(directory: Path) -> dict[str, object]:
    """Every entry below ``folder``: content, link text or nothing, by its path from there."""
    entries: dict[str, object] = {}
    for here, directories, files in os.walk(directory):
        for name in [*directories, *files]:
            path = os.path.join(here, name)
            mode = os.lstat(path).st_mode
            entries[os.path.relpath(path, directory)] = (
                os.readlink(path) if stat.S_ISLNK(mode) else Path(path).read_bytes() if stat.S_ISREG(mode) else None
            )
    return entries


def seen(view: View, directory: str) -> dict[str, object]:
    """The same, as a view has it."""
    entries: dict[str, object] = {}
    pending = [directory]
    while pending:
        here = pending.pop()
        for name in view.names(here):
            path = join(here, name)
            node = view.node(path)
            assert node is not None, path
            assert view.kind(path, follow=False) is type(node)
            entries[os.path.relpath(path, directory)] = (
                node.points_to if isinstance(node, Symlink) else node.content if isinstance(node, File) else None
            )
            if isinstance(node, Directory):
                pending.append(path)
    return entries


@pytest.fixture
def overlaid(tmp_path) -> Path:
    """``image`` and ``state``, the upper directory that the kernel made of changes, and ``merged``, what it showed."""
    needs_mounts()
    image(tmp_path / "image/etc")
    (tmp_path / "memory").mkdir()
    (tmp_path / "changes").write_text(_CHANGES)
    words = ["unshare", "-m", "sh", "-c", _OVERLAY, "sh", str(tmp_path), str(tmp_path / "memory")]
    subprocess.run([peer(words[0]), *words[1:]], env=PLAIN_ENVIRONMENT, check=True, timeout=60)
    return tmp_path


def test_an_overlay_is_seen_as_the_kernel_shows_it(overlaid):
    assert any(stat.S_ISCHR(path.lstat().st_mode) for path in (overlaid / "state").rglob("*")), "there are whiteouts"
    with open_view(str(overlaid / "image"), [f"overlay:/etc={overlaid / 'state'}"]) as view:
        assert seen(view, "/etc") == on_disk(overlaid / "merged")


def test_links_are_followed_over_both(overlaid):
    with open_view(str(overlaid / "image"), [f"overlay:/etc={overlaid / 'state'}"]) as view:
        assert view.real_path("/etc/linked/certs/link.pem") == "/etc/ssl/certs/a.pem"
        assert view.node("/etc/linked/certs/link.pem", follow=True).content == b"changed\n"
        assert view.real_path("/etc/ssl/certs/b.pem") is None
        assert view.names("/etc/gone") == []
        assert view.names("/etc/linked") == view.names("/etc/ssl") == ["certs", "new.pem"]
        assert view.from_state("/etc/linked/certs/link.pem")
        assert not view.from_state("/etc/ssl/certs/renamed") and view.from_state("/etc/ssl/certs/renamed.pem")


def test_what_an_update_copies_over_the_image(tmp_path):
    image(tmp_path / "image/etc")
    write(tmp_path / "old/tedge.toml", "of the device\n")
    write(tmp_path / "old/mappers/c8y/mapper.toml", "of the device\n")
    merged = tmp_path / "merged"
    subprocess.run([peer("cp"), "-a", f"{tmp_path}/image/etc", merged], check=True)
    subprocess.run([peer("cp"), "-a", f"{tmp_path}/old/.", f"{merged}/tedge"], check=True)
    with open_view(str(tmp_path / "image"), [f"copy:/etc/tedge={tmp_path / 'old'}"]) as view:
        assert seen(view, "/etc") == on_disk(merged)
        assert view.from_state("/etc/tedge/tedge.toml") and not view.from_state("/etc/tedge/old/file")


def ostree(sysroot: Path, *words: str) -> str:
    done = subprocess.run(
        [peer("ostree"), *words],
        env={**PLAIN_ENVIRONMENT, "OSTREE_SYSROOT": str(sysroot)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def commit(sysroot: Path, tree: Path, text: str) -> None:
    """A commit of a tree as OSTree wants it: a kernel, and what becomes /etc in /usr/etc."""
    write(tree / "usr/lib/modules/1/vmlinuz", "no kernel")
    write(tree / "usr/lib/os-release", "ID=test\n")
    image(tree / "usr/etc")
    write(tree / "usr/etc/ssl/certs/a.pem", text)
    write(tree / "usr/etc/version", text)
    write(tree / f"usr/etc/only-{text}", text)
    ostree(sysroot, "commit", f"--repo={sysroot}/ostree/repo", "--branch=os", f"--tree=dir={tree}")


def deployments(sysroot: Path) -> list[Path]:
    directory = sysroot / "ostree/deploy/test/deploy"
    return sorted((path for path in directory.iterdir() if path.is_dir()), key=lambda path: path.stat().st_ctime_ns)


def test_ostree_merges_etc_so(tmp_path):
    needs_root()
    sysroot = tmp_path / "sysroot"
    sysroot.mkdir()
    ostree(sysroot, "admin", "init-fs", str(sysroot))
    ostree(sysroot, "admin", "os-init", "test")
    commit(sysroot, tmp_path / "one", "first")
    ostree(sysroot, "admin", "deploy", "--os=test", "os")
    (old,) = deployments(sysroot)
    changes = "\n".join(line for line in _CHANGES.splitlines() if line not in _REFUSED_BY_OSTREE)
    subprocess.run([peer("sh"), "-ec", changes], cwd=old / "etc", check=True)
    commit(sysroot, tmp_path / "two", "second")
    ostree(sysroot, "admin", "deploy", "--os=test", "os")
    (new,) = (path for path in deployments(sysroot) if path != old)
    with open_view(str(tmp_path / "two"), [f"ostree:{old}"]) as view:
        assert seen(view, "/etc") == on_disk(new / "etc")
