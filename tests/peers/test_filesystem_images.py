"""What the programs of a device see in an image that got an anchor: openssl in a chroot of the unpacked result."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.command import OrdinaryUser, rootfs_trust
from tests.support.debian_tree import DebianTree
from tests.support.filesystem_images import MAKERS as SMALL
from tests.support.filesystem_images import cpio, disk, erofs, ext, run, squashfs, tar
from tests.support.peers import needs_root
from tests.support.trees import RealTree

MIB = 1024 * 1024
MAKERS = {
    "ext4": ext("ext4", "-m", "0", size=400 * MIB),
    "gpt-ext2": disk("gpt", ext("ext2", size=400 * MIB)),
    "squashfs": squashfs("zstd", "-Xcompression-level", "3"),
    "erofs": erofs("-zlz4"),
    "cpio": cpio("gzip"),
    "tar": tar,
}


def unpack(kind: str, source: Path, tree: Path) -> None:
    """As the tools of each format do."""
    if kind == "squashfs":
        run("unsquashfs", "-quiet", "-no-progress", "-d", tree, source)
        return
    tree.mkdir()
    if kind == "ext4":
        run("debugfs", "-R", f'rdump / "{tree}"', source)
    elif kind == "gpt-ext2":
        part = source.with_suffix(".part")
        run("dd", f"if={source}", f"of={part}", "bs=1M", "skip=4", "status=none")
        run("debugfs", "-R", f'rdump / "{tree}"', part)
    elif kind == "erofs":
        run("fsck.erofs", f"--extract={tree}", "--overwrite", source)
    elif kind == "cpio":
        run("cpio", "-idm", "--quiet", cwd=tree, stdin=run("gzip", "-dc", stdin=source.read_bytes()))
    else:
        run("tar", "-xpf", source, "-C", tree)


@pytest.mark.slow
@pytest.mark.parametrize("kind", MAKERS)
def test_openssl_in_the_unpacked_image_trusts_a_server_of_the_ca(kind, new_small_tree, tmp_path):
    needs_root()
    authority, tree = Authority("Image CA"), new_small_tree()
    source, dest = tmp_path / "image", tmp_path / "dest"
    MAKERS[kind](tree.path, source)
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    done = rootfs_trust("image", source, dest, "--cert", tmp_path / "ca.pem")
    assert done.returncode == 0, done.stderr
    unpack(kind, dest, tmp_path / "unpacked")
    device = RealTree(tmp_path / "unpacked")
    (device.path / "tmp/server.pem").write_bytes(authority.server("cloud.example").pem)
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    for words in (("-no-CAfile", "-CApath", "/etc/ssl/certs"), ("-no-CApath", "-CAfile", bundle)):
        said = device.run("openssl", "verify", *words, "/tmp/server.pem")
        assert said.stdout.strip().endswith("OK")
    shutil.rmtree(device.path)


@pytest.mark.parametrize("kind", ["ext4", "gpt-ext4", "squashfs-xz", "erofs-lz4", "cpio.gz"])
def test_an_ordinary_user_writes_the_same_bytes_as_root(kind, open_directory, tmp_path):
    """Owners, modes and device nodes that such a user cannot make."""
    needs_root()
    tree = DebianTree(tmp_path / "rootfs")
    owned = tree.write("usr/lib/program", b"program")
    os.chown(owned, 1234, 70_000)
    owned.chmod(0o4755)
    os.mknod(tree.path / "usr/lib/null", 0o020666, os.makedev(1, 3))
    source = open_directory / "image"
    SMALL[kind](tree.path, source)
    (open_directory / "ca.pem").write_bytes(Authority("Image CA").pem)
    user = OrdinaryUser(open_directory, 61234, 61235)
    os.chown(open_directory, user.uid, user.gid)
    words = ("image", source, "--cert", open_directory / "ca.pem", "--timestamp", "1700000000")
    for run_as, dest in ((rootfs_trust, tmp_path / "of-root"), (user.rootfs_trust, open_directory / "of-user")):
        done = run_as(*words[:2], dest, *words[2:])
        assert done.returncode == 0, done.stderr
    assert (open_directory / "of-user").read_bytes() == (tmp_path / "of-root").read_bytes()
    assert (tmp_path / "of-root").read_bytes() != source.read_bytes()


@pytest.mark.parametrize("kind", ["squashfs-xz", "erofs-lz4"])
def test_an_ordinary_user_is_refused_where_attributes_would_be_lost(kind, open_directory, tmp_path):
    needs_root()
    tree = DebianTree(tmp_path / "rootfs")
    os.setxattr(tree.write("usr/lib/program", b"program"), "security.selinux", b"label\0")
    SMALL[kind](tree.path, open_directory / "image")
    user = OrdinaryUser(open_directory, 61234, 61235)
    os.chown(open_directory, user.uid, user.gid)
    (open_directory / "ca.pem").write_bytes(Authority("Image CA").pem)
    done = user.rootfs_trust(
        "image", open_directory / "image", open_directory / "dest", "--cert", open_directory / "ca.pem"
    )
    assert done.returncode == 2 and b"run the same command as root" in done.stderr
    assert not (open_directory / "dest").exists()
