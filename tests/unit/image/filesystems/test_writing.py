"""``image`` writes an anchor into an image of each format: its checker accepts the result, and nothing else changes."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from rootfs_trust.api.open_tree import open_view
from rootfs_trust.errors import InputError, Problem
from rootfs_trust.image.filesystems.ext import Ext
from rootfs_trust.image.filesystems.open import open_filesystem
from rootfs_trust.rootfs.view import File, Symlink, read
from tests.support import newer_erofs
from tests.support.authority import Authority
from tests.support.filesystem_images import MAKERS, disk, erofs, ext, partitioned, run, squashfs
from tests.support.peers import needs_root, peer
from tests.unit.image.filesystems.conftest import MTIME

pytestmark = pytest.mark.integration  # programs make the images

WRITTEN = [kind for kind in MAKERS if kind.startswith(("ext", "squashfs", "erofs", "gpt-ext"))]
FEW = ("ext2", "ext4", "squashfs-xz", "erofs-lz4hc-large", "gpt-ext4")
NEW = "/usr/local/share/ca-certificates/new.crt"
CHANGED = ("/etc/ssl/certs", "/usr/local/share/ca-certificates")
"""The directories in which an anchor changes something."""

Entries = dict[str, tuple[object, ...]]


@pytest.fixture
def new_ca(tmp_path) -> Path:
    path = tmp_path / "new.pem"
    path.write_bytes(Authority("A New Root").pem)
    return path


@pytest.fixture
def install(command, new_ca, tmp_path):
    """``rootfs-trust image SOURCE DEST``, which has to succeed, and the path of DEST."""

    def image(source: Path, *words: object, dest: str = "new-image") -> Path:
        result = command("image", source, tmp_path / dest, "--cert", new_ca, *words)
        assert result.status == 0, result.err
        return tmp_path / dest

    return image


def entries(image: Path) -> Entries:
    """Every entry of an image: type, rights, owner, time, attributes, device, content, and its other names."""
    found = open_filesystem(str(image))
    assert found is not None
    view, entries, names = found.view, {}, {}
    for path, inode in view.walk():
        node = view.node(path)
        content = node.content if isinstance(node, File) else node.points_to if isinstance(node, Symlink) else None
        first = names.setdefault(inode.number, path)
        attributes = tuple(sorted(view.attributes(inode).items()))
        entries[path] = (inode.mode, inode.owner, inode.mtime, attributes, inode.device, content, first, inode.links)
    return entries


def accepted(kind: str, image: Path, tmp_path: Path) -> None:
    """What the checker of the format says."""
    if "gpt" in kind:
        run("e2fsck", "-fn", f"{image}?offset={second_partition(image)}")
    elif kind.startswith("ext"):
        run("e2fsck", "-fn", image)
    elif kind.startswith("squashfs"):
        run("unsquashfs", "-no-progress", "-d", tmp_path / "unpacked", image)
    else:
        run("fsck.erofs", image)


def second_partition(image: Path) -> int:
    table = json.loads(run("sfdisk", "--json", image))
    return int(table["partitiontable"]["partitions"][1]["start"]) * 512


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in FEW else pytest.mark.slow) for kind in WRITTEN]
)
def test_an_anchor_is_written_and_nothing_else_changes(kind, rootfs, install, command, tmp_path):
    needs_root()
    source = tmp_path / "image"
    MAKERS[kind](rootfs, source)
    dest = install(source)
    accepted(kind, dest, tmp_path)
    before, after = entries(source), entries(dest)
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert NEW in changed
    assert all(path.startswith(CHANGED) for path in changed), changed
    assert after[NEW][:3] == (stat.S_IFREG | 0o644, (0, 0), max(entry[2] for entry in before.values()))
    assert before["/etc/ssl/certs/ca-certificates.crt"][:2] == after["/etc/ssl/certs/ca-certificates.crt"][:2]
    names = [anchor["name"] for anchor in command("list", "--root", dest, "--format", "json").document["anchors"]]
    assert "new" in names
    assert command("check", "--root", dest).status == 0
    assert command("diff", source, dest).status == 1


@pytest.mark.parametrize("kind", [*FEW, "cpio.gz"])
def test_the_same_change_gives_the_same_bytes(kind, rootfs, install, tmp_path):
    source = tmp_path / "image"
    MAKERS[kind](rootfs, source)
    first = install(source).read_bytes()
    assert install(source, dest="again").read_bytes() == first
    assert install(source).read_bytes() == first, "DEST is what would be written"


@pytest.mark.parametrize("kind", [*FEW, "cpio", "cpio.gz"])
def test_an_image_in_which_nothing_changes_is_copied(kind, rootfs, install, tmp_path):
    source = tmp_path / "image"
    MAKERS[kind](rootfs, source)
    dest = install(source)
    assert install(dest, dest="third").read_bytes() == dest.read_bytes()


@pytest.mark.parametrize("kind", ["ext4", "squashfs-xz", "erofs"])
def test_a_store_that_was_empty_gets_every_link(kind, debian, install, tmp_path):
    """GNU tar makes links that lead upwards last, after it has set the times of directories that were empty."""
    source = tmp_path / "image"
    MAKERS[kind](debian.path, source)
    time = MTIME + 1000
    assert {entries(install(source, "--timestamp", time))[place][2] for place in (CHANGED[0], NEW)} == {time}


@pytest.mark.parametrize("kind", ["ext4", "squashfs-xz", "erofs"])
def test_a_timestamp_is_the_time_of_what_changes(kind, rootfs, install, tmp_path):
    source = tmp_path / "image"
    MAKERS[kind](rootfs, source)
    time = MTIME + 400_000_000
    assert entries(install(source, "--timestamp", time))[NEW][2] == time


@pytest.mark.parametrize("kind", ["ext4", "squashfs-xz", "erofs", "cpio"])
def test_an_anchor_is_removed_again(kind, rootfs, install, command, tmp_path):
    source = tmp_path / "image"
    MAKERS[kind](rootfs, source)
    dest = install(source)
    result = command("image", dest, tmp_path / "without", "--without", "new")
    assert result.status == 0, result.err
    assert "new" not in command("list", "--root", tmp_path / "without").out
    if kind == "ext4":
        run("e2fsck", "-fn", tmp_path / "without")


@pytest.mark.parametrize("kind", ["ext4", "squashfs-xz", "cpio"])
def test_a_dry_run_writes_nothing(kind, rootfs, install, tmp_path):
    source = tmp_path / "image"
    MAKERS[kind](rootfs, source)
    assert not install(source, "--dry-run").exists()


# -- cpio ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cpio", "cpio.gz", "cpio.xz", "cpio.zst"])
def test_a_cpio_archive_is_unpacked_by_cpio(kind, rootfs, install, tmp_path):
    needs_root()
    source = tmp_path / "image"
    MAKERS[kind](rootfs, source)
    dest = install(source)
    before, after = unpacked(kind, source, tmp_path / "before"), unpacked(kind, dest, tmp_path / "after")
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert NEW in changed
    assert all(path.startswith(CHANGED) for path in changed), changed


def unpacked(kind: str, image: Path, tree: Path) -> Entries:
    packer = {"cpio.gz": "gzip", "cpio.xz": "xz", "cpio.zst": "zstd"}.get(kind)
    archive = run(packer, "-dc", stdin=image.read_bytes()) if packer else image.read_bytes()
    tree.mkdir()
    run("cpio", "-idm", "--quiet", cwd=tree, stdin=archive)
    return on_disk(tree)


def on_disk(root: Path) -> Entries:
    found: Entries = {}
    for path in root.rglob("*"):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
        text = os.readlink(path) if path.is_symlink() else None
        links = 0 if path.is_dir() else status.st_nlink
        owner = status.st_uid, status.st_gid
        time = int(status.st_mtime) if path.is_file() and not path.is_symlink() else None  # of others cpio loses it
        found[f"/{path.relative_to(root)}"] = (status.st_mode, owner, time, content, text, links, status.st_rdev)
    return found


def test_a_file_with_other_names_leaves_its_content_to_them(rootfs, install, tmp_path):
    bundle = rootfs / "etc/ssl/certs/ca-certificates.crt"
    (rootfs / "srv").mkdir()
    for name in ("a", "z"):
        (rootfs / "srv" / name).hardlink_to(bundle)
    (rootfs / "etc/aaa").hardlink_to(bundle)
    content = bundle.read_bytes()
    for kind in ("cpio", "ext4", "squashfs-xz", "erofs"):
        source = tmp_path / f"image-{kind}"
        MAKERS[kind](rootfs, source)
        dest = install(source, dest=f"new-{kind}")
        with open_view(str(dest)) as view:
            assert [read(view, path) for path in ("/srv/a", "/srv/z", "/etc/aaa")] == [content] * 3
            assert read(view, "/etc/ssl/certs/ca-certificates.crt") != content


# -- what cannot be written ------------------------------------------------------------------------------


def refused(command, source: Path, new_ca: Path, tmp_path: Path) -> str:
    result = command("image", source, tmp_path / "dest", "--cert", new_ca)
    assert result.status == 2
    assert len(result.err.splitlines()) == 1
    assert not [path for path in tmp_path.iterdir() if "dest" in path.name]
    return result.err


@pytest.mark.parametrize("kind", ["ext4", "squashfs-xz", "erofs"])
@pytest.mark.parametrize(
    ("behind", "says"), [(b"verity\0\0" + bytes(504), "dm-verity hashes"), (b"signed", "perhaps a signature")]
)
def test_a_protected_image_is_refused_with_the_order_of_steps(kind, behind, says, debian, command, new_ca, tmp_path):
    source = tmp_path / "image"
    MAKERS[kind](debian.path, source)
    with source.open("ab") as file:
        file.write(behind)
    said = refused(command, source, new_ca, tmp_path)
    assert says in said
    assert "install first, then make the hashes and signatures" in said
    assert command("list", "--root", source).status == 0


def test_hashes_in_another_partition_are_found(debian, command, new_ca, tmp_path):
    part, source = tmp_path / "part", tmp_path / "image"
    ext("ext4")(debian.path, part)
    partitioned(source, "gpt", [part.read_bytes(), b"verity\0\0" + bytes(512)])
    assert "has dm-verity hashes in partition 2" in refused(command, source, new_ca, tmp_path)


def test_a_squashfs_in_a_disk_image_is_refused_with_what_to_do(debian, command, new_ca, tmp_path):
    source = tmp_path / "image"
    disk("gpt", squashfs("gzip"))(debian.path, source)
    assert "run image on the file of that partition" in refused(command, source, new_ca, tmp_path)


def test_a_full_file_system_is_refused_before_anything_is_written(debian, command, new_ca, tmp_path):
    source = tmp_path / "image"
    ext("ext2", "-b", "1024", size=1024 * 1024)(debian.path, source)
    found = open_filesystem(str(source))
    assert found is not None
    assert isinstance(found.view.filesystem, Ext)
    (tmp_path / "filler").write_bytes(b"x" * 1024 * (found.view.filesystem.superblock.free_blocks - 10))
    run("debugfs", "-w", "-R", f"write {tmp_path}/filler filler", source)
    said = refused(command, source, new_ca, tmp_path)
    assert "has no space for the changes" in said
    assert "resize2fs" in said


@pytest.mark.parametrize(
    ("kind", "package"), [("ext4", "e2fsprogs"), ("squashfs-xz", "squashfs-tools"), ("erofs", "erofs-utils")]
)
def test_a_missing_program_is_named_with_its_package(kind, package, debian, command, new_ca, tmp_path, monkeypatch):
    source = tmp_path / "image"
    MAKERS[kind](debian.path, source)
    monkeypatch.setattr("rootfs_trust.image.filesystems.programs.PATH", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    assert f"install the package {package}" in refused(command, source, new_ca, tmp_path)


@pytest.mark.parametrize(
    ("kind", "lacks"),
    [("erofs-zstd", "zstd"), ("erofs-deflate", "deflate"), ("erofs-1k-blocks", "blocks of 1024 bytes")],
)
def test_an_older_mkfs_erofs_is_refused_with_what_it_lacks(kind, lacks, command, new_ca, tmp_path, monkeypatch):
    source = tmp_path / "image"
    source.write_bytes(newer_erofs.image(kind))
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "mkfs.erofs").write_text("#!/bin/sh\necho ' -C#  size'\necho 'Available compressors are: lz4hc, lz4'\n")
    (fake / "mkfs.erofs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake}:{os.environ['PATH']}")
    said = refused(command, source, new_ca, tmp_path)
    assert f"needs a mkfs.erofs with {lacks}" in said and "install erofs-utils 1.8 or later" in said


def test_an_erofs_of_a_newer_version_is_written_where_its_program_is_here(install, tmp_path):
    """Every mkfs.erofs has lz4; the names of attributes are then stored in full."""
    source = tmp_path / "image"
    source.write_bytes(newer_erofs.image("erofs-prefixes"))
    dest = install(source)
    run("fsck.erofs", dest)
    before, after = entries(source), entries(dest)
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert NEW in changed and all(path.startswith(CHANGED) for path in changed)


def test_a_program_that_fails_leaves_nothing_and_is_quoted(debian, command, new_ca, tmp_path, monkeypatch):
    source = tmp_path / "image"
    MAKERS["squashfs-xz"](debian.path, source)
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "mksquashfs").write_text("#!/bin/sh\nprintf 'no \\033[31mspace\\n'\nexit 7\n")
    (fake / "mksquashfs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake}:{os.environ['PATH']}")
    result = command("image", source, tmp_path / "dest", "--cert", new_ca)
    assert result.status == 4
    assert "mksquashfs failed with exit status 7 and said: no \\x1b[31mspace; nothing was written" in result.err
    assert not [path for path in tmp_path.iterdir() if "dest" in path.name]


@pytest.mark.parametrize(
    ("kind", "program", "before"),
    [
        ("ext4", "debugfs", ""),
        ("ext4", "debugfs", '"$REAL" -w -R "write /etc/hostname x" "$(readlink -f image)"'),
        ("ext4", "e2fsck", ""),
        ("squashfs-xz", "tar", "head -c 20000 > /dev/null"),
        ("squashfs-xz", "mksquashfs", 'echo half > "$2"'),
        ("erofs-lz4", "tar", ""),
        ("erofs-lz4", "mkfs.erofs", '"$REAL" "$@"'),
    ],
)
def test_a_program_that_is_killed_leaves_nothing(kind, program, before, debian, command, new_ca, tmp_path, monkeypatch):
    """Before it has done anything, half way, or when the image is complete."""
    source, temporary = tmp_path / "image", tmp_path / "temporary"
    MAKERS[kind](debian.path, source)
    fake = tmp_path / "bin"
    fake.mkdir()
    temporary.mkdir()
    (fake / program).write_text(f"#!/bin/sh\nREAL={peer(program)}\n{before}\nkill -9 $$\n")
    (fake / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake}:{os.environ['PATH']}")
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    result = command("image", source, tmp_path / "dest", "--cert", new_ca)
    assert result.status == 4
    assert f"cannot be written: {program} was killed by signal 9" in result.err
    assert not [path for path in tmp_path.iterdir() if "dest" in path.name] and not list(temporary.iterdir())


def test_a_program_that_writes_something_else_is_found_out(debian, command, new_ca, tmp_path, monkeypatch):
    """debugfs ends with exit status 0 whatever its commands did."""
    source = tmp_path / "image"
    MAKERS["ext4"](debian.path, source)
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "debugfs").symlink_to(peer("true"))
    monkeypatch.setenv("PATH", f"{fake}:{os.environ['PATH']}")
    result = command("image", source, tmp_path / "dest", "--cert", new_ca)
    assert result.status == 4
    assert "the programs wrote something else than planned" in result.err
    assert not (tmp_path / "dest").exists()


def test_a_new_image_whose_digest_cannot_be_read_is_not_kept(debian, command, new_ca, tmp_path, monkeypatch):
    """A failing disk; the image has its name only after it was read again."""
    source, dest = tmp_path / "image", tmp_path / "dest"
    MAKERS["ext4"](debian.path, source)

    def fail(*_):
        message = "cannot be read: Input/output error"
        raise InputError(Problem("unreadable", str(tmp_path / ".rootfs-trust-dest"), message))

    monkeypatch.setattr("rootfs_trust.api.image_filesystem.digest_of_file", fail)
    result = command("image", source, dest, "--cert", new_ca)
    assert result.status == 4
    assert result.err == f"rootfs-trust: error: {dest}: cannot be read: Input/output error; nothing was written\n"
    assert not dest.exists()


def test_a_directory_with_an_index_gets_entries(tmp_path, debian, install):
    """e2fsck -D builds an index that debugfs has to keep or to drop."""
    for number in range(3000):
        (debian.path / f"etc/ssl/certs/a-long-name-of-a-file-{number:04}").symlink_to("/nowhere")
    source = tmp_path / "image"
    ext("ext4", "-N", "5000", size=32 << 20)(debian.path, source)
    subprocess.run([peer("e2fsck"), "-fyD", str(source)], capture_output=True, check=False)
    dest = install(source)
    run("e2fsck", "-fn", dest)
    assert len([path for path in entries(dest) if path.startswith("/etc/ssl/certs/")]) > 3000


def test_odd_names_of_the_image_file_reach_no_option(debian, install, tmp_path):
    source = tmp_path / "image?offset=4096 -x"
    MAKERS["ext4"](debian.path, source)
    run("e2fsck", "-fn", install(source, dest="new-image"))
    assert NEW in entries(install(source, dest="new?offset=1"))


def test_a_socket_is_refused(debian, command, new_ca, tmp_path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(debian.path / "s"))
        source = tmp_path / "image"
        erofs()(debian.path, source)
    assert "has a socket at /s" in refused(command, source, new_ca, tmp_path)
