"""Images of every kind, made by the real programs, are read as the directory that they were made of."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootfs_trust.api.open_tree import open_view
from rootfs_trust.image.filesystems.open import open_filesystem
from rootfs_trust.rootfs.view import File, Symlink
from tests.support import newer_erofs
from tests.support.authority import Authority
from tests.support.command import PACKAGE
from tests.support.filesystem_images import MAKERS, erofs, ext, run, squashfs, tar
from tests.support.peers import PLAIN_ENVIRONMENT, needs_root, peer

pytestmark = pytest.mark.integration  # programs make the images

AT = ("--at", "2026-11-01T00:00:00Z")
PROGRAM = """
import contextlib, io, json, sys
from rootfs_trust.cli.run import main
answers = []
for words in json.load(sys.stdin):
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(out):
        sys.argv = ["rootfs-trust", *words]
        try:
            status = main()
        except SystemExit as end:
            status = end.code
    out.flush()
    answers.append([status, out.buffer.getvalue().decode()])
json.dump(answers, sys.stdout)
"""

FILESYSTEMS = [name for name in MAKERS if name.startswith(("ext", "squashfs", "erofs"))]


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that every user can read; those of pytest are its owner's."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o755)
        yield Path(path)


def answers(root: Path, chain: Path) -> list[tuple[int, str]]:
    """What the reading commands say of ``root``, as an ordinary user; only the report names the path itself."""
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    commands = [
        ["list", "--format", "json"],
        ["check", "--format", "json", *AT],
        ["verify", "--format", "json", *AT, "--chain", str(chain)],
        ["report", "--format", "md", *AT, "-o", "-"],
    ]
    done = subprocess.run(
        [*(nobody if os.geteuid() == 0 else ()), sys.executable, "-c", PROGRAM],
        input=json.dumps([[*words, "--root", str(root)] for words in commands]).encode(),
        env={**PLAIN_ENVIRONMENT, "PYTHONPATH": PACKAGE},
        capture_output=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    found = [(status, text) for status, text in json.loads(done.stdout)]
    status, report = found.pop()
    return [*found, (status, report.partition("\n")[2])]


FEW = ("ext4", "squashfs-xz", "erofs-lz4hc-large", "cpio.gz", "gpt-ext4", "tar")
"""One of each format; the others are for the slow suite."""


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in FEW else pytest.mark.slow) for kind in (*MAKERS, "tar")]
)
def test_reading_commands_answer_as_for_the_directory(kind, rootfs, authority, public):
    chain, image = public / "server.pem", public / "image"
    chain.write_bytes(Authority("server.example", ca=False, issuer=authority, names=("server.example",)).pem)
    run("cp", "-a", rootfs, public / "rootfs")
    (tar if kind == "tar" else MAKERS[kind])(public / "rootfs", image)
    expected = answers(public / "rootfs", chain)
    assert [status for status, _ in expected] == [0, 0, 0, 0]
    assert '"trusted": true' in expected[2][1]
    assert answers(image, chain) == expected


@pytest.mark.parametrize("kind", newer_erofs.KINDS)
def test_every_entry_of_an_erofs_of_a_newer_version(kind, command, tmp_path):
    image = tmp_path / "image"
    image.write_bytes(newer_erofs.image(kind))
    found = open_filesystem(str(image))
    assert found is not None
    view, entries = found.view, {}
    for path, inode in view.walk():
        node = view.node(path)
        data = node.content if isinstance(node, File) else node.points_to if isinstance(node, Symlink) else None
        device = os.makedev(*inode.device) if inode.device else 0
        owner = inode.owner.uid, inode.owner.gid
        attributes = view.attributes(inode)
        entries[path] = newer_erofs.entry(inode.mode, owner, inode.mtime, inode.links, attributes, device, data)
    del entries["/"]
    assert entries == newer_erofs.listing()
    anchors = command("list", "--root", image, "--format", "json").document["anchors"]
    assert [each["name"] for each in anchors] == ["Alpha_Root", "Beta_Root", "Gamma_Root"]


@pytest.mark.parametrize("kind", FILESYSTEMS)
def test_every_entry_of_an_image_is_that_of_the_directory(kind, rootfs, tmp_path):
    MAKERS[kind](rootfs, tmp_path / "image")
    assert_same(rootfs, tmp_path / "image")


def assert_same(rootfs: Path, image: Path) -> None:
    needs_root()
    found = open_filesystem(str(image))
    assert found is not None
    view = found.view
    entries = {path: inode for path, inode in view.walk() if not path.startswith("/lost+found")}
    assert set(entries) == {"/", *(f"/{path.relative_to(rootfs)}" for path in rootfs.rglob("*"))}
    for path, inode in entries.items():
        full = f"{rootfs}{path}"
        status = os.lstat(full)
        assert inode.mode == status.st_mode, path
        assert tuple(inode.owner) == (status.st_uid, status.st_gid), path
        if path != "/":  # mke2fs gives the root the time at which it makes the file system
            assert inode.mtime == int(status.st_mtime), path
        if not stat.S_ISDIR(status.st_mode):
            assert inode.links == status.st_nlink, path
        names = os.listxattr(full, follow_symlinks=False)
        assert view.attributes(inode) == {name: os.getxattr(full, name, follow_symlinks=False) for name in names}
        node = view.node(path)
        if isinstance(node, File):
            assert node.content == Path(full).read_bytes(), path
        elif isinstance(node, Symlink):
            assert node.points_to == os.readlink(full), path
        elif stat.S_ISCHR(status.st_mode):
            assert inode.device == (1, 3)


def test_an_image_is_not_changed_by_reading_it(rootfs, tmp_path):
    image = tmp_path / "image"
    MAKERS["ext4"](rootfs, image)
    image.chmod(0o444)
    before = image.read_bytes(), image.stat().st_mtime_ns
    with open_view(str(image)) as view:
        assert view.names("/etc/ssl/certs")
    assert (image.read_bytes(), image.stat().st_mtime_ns) == before


def test_a_directory_with_an_index_is_read_whole(tmp_path):
    tree = tmp_path / "tree"
    (tree / "etc").mkdir(parents=True)
    for number in range(5000):
        (tree / f"etc/a-rather-long-name-{number}").touch()
    image = tmp_path / "image"
    ext("ext4", "-N", "6000", size=64 << 20)(tree, image)
    subprocess.run([peer("e2fsck"), "-fyD", str(image)], capture_output=True, check=False)  # builds the index
    with open_view(str(image)) as view:
        assert len(view.names("/etc")) == 5000


def test_access_control_lists_are_those_that_programs_see(tmp_path):
    needs_root()
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").touch()
    entries = [(1, 6, 0xFFFFFFFF), (2, 4, 1000), (4, 4, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 4, 0xFFFFFFFF)]
    value = (2).to_bytes(4, "little") + b"".join(
        tag.to_bytes(2, "little") + rights.to_bytes(2, "little") + number.to_bytes(4, "little")
        for tag, rights, number in entries
    )
    os.setxattr(tree / "file", "system.posix_acl_access", value)
    for make in (ext("ext4"), erofs()):
        image = tmp_path / "image"
        image.unlink(missing_ok=True)
        make(tree, image)
        with open_view(str(image)) as view:
            assert view.extended_attributes("/file") == {"system.posix_acl_access": value}


def test_zstd_squashfs_needs_no_program(rootfs, tmp_path, monkeypatch):
    image = tmp_path / "image"
    squashfs("zstd")(rootfs, image)
    monkeypatch.setenv("PATH", "/nowhere")
    with open_view(str(image)) as view:
        assert view.names("/usr/share/ca-certificates/mozilla")
