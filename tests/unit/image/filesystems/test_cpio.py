"""Initramfs images: archives in a row, hard links, and names as the kernel reads them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from rootfs_trust.api.open_tree import open_view
from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.view import File, read
from tests.support.filesystem_images import cpio, run

pytestmark = pytest.mark.integration  # programs make the images


def record(name: str, content: bytes = b"", *, mode: int = 0o100644, ino: int = 1, links: int = 1) -> bytes:
    raw = name.encode() + b"\0"
    numbers = (ino, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(raw), 0)
    header = b"070701" + b"".join(b"%08X" % number for number in numbers) + raw
    return header + bytes(-len(header) % 4) + content + bytes(-len(content) % 4)


def archive(*records: bytes) -> bytes:
    return b"".join(records) + record("TRAILER!!!")


def opened(tmp_path: Path, content: bytes):
    (tmp_path / "initrd").write_bytes(content)
    return open_view(str(tmp_path / "initrd"))


@pytest.mark.parametrize("pack", [lambda content: content, gzip.compress])
def test_a_later_archive_replaces_what_an_earlier_one_has(pack, tmp_path):
    first = archive(record("kernel/x86/microcode", b"code"), record("etc/os-release", b"ID=old"))
    second = archive(record("etc/os-release", b"ID=new"))
    with opened(tmp_path, first + bytes(512) + pack(second)) as view:
        assert read(view, "/etc/os-release") == b"ID=new"
        assert read(view, "/kernel/x86/microcode") == b"code"


def test_packed_archives_in_a_row_are_one_image(tmp_path):
    image = gzip.compress(archive(record("a", b"1"))) + gzip.compress(archive(record("b", b"2")))
    with opened(tmp_path, image) as view:
        assert (read(view, "/a"), read(view, "/b")) == (b"1", b"2")


@pytest.mark.parametrize("where", [0, 1, 2])
def test_the_content_of_a_hard_link_is_with_any_of_its_names(where, tmp_path):
    names = ("a", "b", "c")
    content = [b"content" if index == where else b"" for index in range(3)]
    with opened(
        tmp_path, archive(*(record(*each, ino=7, links=3) for each in zip(names, content, strict=True)))
    ) as view:
        assert [read(view, f"/{name}") for name in names] == [b"content"] * 3


def test_numbers_of_inodes_count_in_one_archive_only(tmp_path):
    image = archive(record("a", b"1", ino=7, links=2)) + archive(record("b", b"2", ino=7, links=2))
    with opened(tmp_path, image) as view:
        assert (read(view, "/a"), read(view, "/b")) == (b"1", b"2")


def test_hard_links_as_cpio_writes_them(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "one").write_bytes(b"content")
    (tree / "two").hardlink_to(tree / "one")
    cpio()(tree, tmp_path / "image")
    with open_view(str(tmp_path / "image")) as view:
        assert view.node("/one") == view.node("/two")
        node = view.node("/one")
        assert isinstance(node, File)
        assert node.content == b"content"


def test_a_leading_slash_is_the_root_of_the_image(tmp_path):
    with opened(tmp_path, archive(record("/etc", mode=0o040755), record("/etc/file", b"x"))) as view:
        assert read(view, "/etc/file") == b"x"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (record("a", b"1"), "truncated"),
        (archive(record("../a", b"1")), "could lead out of the tree"),
        (archive(record("a", b"1", mode=0o170000)), "of an unknown type"),
        (archive(record("a", b"1")) + b"rubbish", "no cpio header"),
        (archive(record("a", b"1")).replace(b"00000000", b"0000000x", 1), "broken cpio header"),
        (archive(record("a" * 5000, b"1")), "broken cpio header"),
        (archive(record("a", b"1"), record("a/b", b"1")), "below something that is not a directory"),
        (archive(record("a", b"/x" * 3000, mode=0o120777)), "a link 'a' to more than"),
    ],
)
def test_a_broken_archive_is_refused(content, says, tmp_path):
    with pytest.raises(InputError, match=says), opened(tmp_path, content):
        pass


def test_the_older_format_is_named(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    old = run("cpio", "-o", "-H", "odc", "--quiet", cwd=tree, stdin=b".\n")
    with pytest.raises(InputError, match="create it with cpio -H newc"), opened(tmp_path, old):
        pass
