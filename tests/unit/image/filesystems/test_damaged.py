"""Images that were cut, changed or made up: one clear error each, in bounded time."""

from __future__ import annotations

import functools
import re
import tempfile
import time
from pathlib import Path
from random import Random

import pytest

from rootfs_trust import InputError, install_image, list_anchors
from tests.support.damage import DAMAGE
from tests.support.debian_tree import DebianTree
from tests.support.filesystem_images import MAKERS, ext, partitioned, run
from tests.support.peers import peer

pytestmark = pytest.mark.integration  # programs make the images

KINDS = ("ext2", "ext4", "ext4-inline-data", "squashfs-gzip", "squashfs-lzo", "squashfs-lz4", "squashfs-zstd")
KINDS += ("erofs", "erofs-lz4", "erofs-fragments", "erofs-chunks", "cpio", "cpio.gz", "gpt-ext4", "logical-erofs")
EACH = 40
PATIENCE = 20
"""Seconds for one image on a busy machine; all of them together take less than a minute on an idle one."""

OF_ITS_SIZE = r"is not a well-formed image: it is cut short: it has \d+ of \d+ bytes; download or build the image again"


@functools.cache
def sound(kind: str) -> bytes:
    with tempfile.TemporaryDirectory() as path:
        tree = DebianTree(Path(path) / "rootfs")
        (tree.path / "usr/lib").mkdir()
        (tree.path / "usr/lib/text").write_bytes(b"some text\n" * 3000)
        MAKERS[kind](tree.path, Path(path) / "image")
        return (Path(path) / "image").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_image_gives_one_error_or_is_read(kind, command, tmp_path):
    image = tmp_path / "image"
    refused = 0
    for seed in range(EACH):
        random = Random(f"{kind}{seed}")
        image.write_bytes(DAMAGE[seed % len(DAMAGE)](random, sound(kind)))
        words = random.choice([("list",), ("check",), ("list", "--format", "json"), ("sbom",), ("report", "-o", "-")])
        before = time.monotonic()
        result = command(*words, "--root", image)
        assert time.monotonic() - before < PATIENCE, seed
        errors = [line for line in result.err.splitlines() if line.startswith("rootfs-trust: error:")]
        if result.status == 2 and "json" not in words:
            assert len(errors) == 1, (seed, result.err)
            assert str(image) in errors[0], (seed, result.err)
        elif result.status == 2:
            assert [path.partition("#")[0] for _, path in result.errors] == [str(image)], (seed, result.out)
        else:
            assert result.status in (0, 1), (seed, result)
            assert not errors, (seed, errors)
        refused += result.status == 2
    assert refused > EACH // 5


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (
            "ext4",
            r"is not a well-formed image: it is cut short: it has \d+ of 8388608 bytes; download or build the image",
        ),
        (
            "squashfs-gzip",
            r"is not a well-formed image: it is cut short: it has \d+ of \d+ bytes; download or build the image",
        ),
        ("erofs-lz4", OF_ITS_SIZE),
        ("cpio", "is not a valid cpio archive: it is truncated; download or build the image again"),
        ("cpio.gz", "is cut short; download or build the image again"),
    ],
)
def test_an_image_that_is_cut_short_is_refused(kind, says, command, tmp_path):
    image = tmp_path / "image"
    content = sound(kind).rstrip(b"\0")
    image.write_bytes(content[: len(content) * 2 // 3])
    result = command("check", "--root", image)
    assert result.status == 2
    assert re.match(f"rootfs-trust: error: {re.escape(str(image))}: {says}", result.err), result.err


def test_callers_of_the_api_get_an_input_error(tmp_path):
    image = tmp_path / "image"
    content = sound("squashfs-gzip")
    image.write_bytes(content[:96] + bytes(200) + content[296:])
    with pytest.raises(InputError, match="is not a well-formed"):
        list_anchors(str(image))
    with pytest.raises(InputError, match="is not a well-formed"):
        install_image(str(image), str(tmp_path / "dest"))


def test_an_empty_file_is_not_an_image(command, tmp_path):
    (tmp_path / "image").touch()
    result = command("list", "--root", tmp_path / "image")
    assert (result.status, "is empty" in result.err) == (2, True)


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (b"LUKS\xba\xbe\0\2", "is an encrypted LUKS volume, which cannot be read; open it with cryptsetup"),
        (b"verity\0\0", "is a dm-verity hash tree, which cannot be read"),
        (b"\x3a\xff\x26\xed", "simg2img"),
        (b"UBI#", "is a UBI image"),
        (bytes(1024) + b"\x10\x20\xf5\xf2", "is an F2FS file system"),
        (b"PK\x03\x04", "is a ZIP file"),
        (b"070707" + b"0" * 100, "cpio -H newc"),
        (b"what is this", "not an image of a known format"),
    ],
)
def test_other_formats_are_named(start, says, command, tmp_path):
    (tmp_path / "image").write_bytes(start.ljust(8192, b"\0"))
    result = command("list", "--root", tmp_path / "image")
    assert result.status == 2
    assert says in result.err.replace(" (", "; ")


def test_a_packed_image_says_how_to_unpack_it(command, tmp_path):
    image = tmp_path / "rootfs.ext4.gz"
    image.write_bytes(run("gzip", "-c", stdin=sound("ext4")))
    result = command("list", "--root", image)
    assert result.status == 2
    assert f"unpack it first: gzip -dk {image}" in result.err


def test_an_image_that_was_not_unmounted_is_refused(command, tmp_path):
    image = tmp_path / "image"
    image.write_bytes(sound("ext4"))
    run(peer("debugfs"), "-w", "-R", "feature needs_recovery", image)
    result = command("list", "--root", image)
    assert (result.status, "its journal has to be replayed first" in result.err) == (2, True)


def test_a_directory_with_two_names_is_refused(command, tmp_path):
    """Without that, a small image has as many paths as one likes."""
    image = tmp_path / "image"
    image.write_bytes(sound("ext2"))
    run(peer("debugfs"), "-w", "-R", "link /usr /etc/usr", image)
    result = command("check", "--root", image)
    assert (result.status, "a directory with two names" in result.err) == (2, True)


# -- partitions ------------------------------------------------------------------------------------------


@pytest.fixture
def two_systems(tmp_path) -> Path:
    """A disk image with two root filesystems, as devices with A/B updates have."""
    image = tmp_path / "disk.wic"
    partitioned(image, "gpt", [b"boot", sound("squashfs-gzip"), sound("ext4")])
    return image


def test_one_of_two_root_filesystems_is_asked_for(two_systems, command):
    result = command("list", "--root", two_systems)
    assert result.status == 2
    assert "has 2 partitions with a root filesystem: #2: squashfs, #3: ext4" in result.err
    assert f"{two_systems}#2" in result.err
    assert command("list", "--root", f"{two_systems}#2").status == 0
    assert command("list", "--root", f"{two_systems}#3").status == 0
    assert command("diff", f"{two_systems}#2", f"{two_systems}#3").status == 0


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("9", "has no partition 9; partitions: 1, 2, 3"),
        ("0", "has no partition 0"),
        ("1", "contains data of an unknown kind, not a file system that can be read"),
    ],
)
def test_a_partition_without_a_file_system_is_named(number, says, two_systems, command):
    result = command("list", "--root", f"{two_systems}#{number}")
    assert (result.status, says in result.err) == (2, True)


def test_a_partition_of_a_file_without_partitions(command, tmp_path):
    image = tmp_path / "image"
    image.write_bytes(sound("squashfs-gzip"))
    result = command("list", "--root", f"{image}#1")
    assert (result.status, "has no partition" in result.err) == (2, True)


def test_a_disk_without_a_root_filesystem_says_what_it_has(command, tmp_path):
    image = tmp_path / "disk.wic"
    partitioned(image, "dos", [b"LUKS\xba\xbe".ljust(512, b"\0"), b"boot"])
    result = command("list", "--root", image)
    assert result.status == 2
    assert "#1: an encrypted LUKS volume, #2: data of an unknown kind" in result.err


def test_the_backup_of_a_gpt_is_used(two_systems, command):
    content = bytearray(two_systems.read_bytes())
    content[512:600] = bytes(88)
    two_systems.write_bytes(content)
    assert command("list", "--root", f"{two_systems}#3").status == 0
    two_systems.write_bytes(content[: len(content) - 600])
    result = command("list", "--root", two_systems)
    assert (result.status, "damaged GPT" in result.err) == (2, True)


def test_a_file_whose_name_has_a_number_sign_is_a_file(command, tmp_path):
    image = tmp_path / "rootfs#2"
    image.write_bytes(sound("squashfs-gzip"))
    assert command("list", "--root", image).status == 0


def test_many_large_files_of_zeros_are_bounded(command, tmp_path):
    """64 GB of zeros take no space in an image."""
    tree = DebianTree(tmp_path / "rootfs")
    for number in range(20):
        with (tree.path / f"etc/ssl/certs/{number}.pem").open("wb") as file:
            file.truncate(65 << 20)
    image = tmp_path / "image"
    ext("ext4")(tree.path, image)
    before = time.monotonic()
    assert command("check", "--root", image).status in (0, 1, 2)
    assert time.monotonic() - before < PATIENCE
