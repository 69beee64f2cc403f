"""The tar reader beside GNU tar and the standard library, and streams that want time, memory or the stack."""

from __future__ import annotations

import io
import subprocess
import tarfile
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.tar_stream import MAX_EXTENSIONS, MAX_HEADER, members
from tests.support.peers import peer

NAMES = st.text(st.characters(exclude_characters="\0/", exclude_categories=("Cs",)), min_size=1, max_size=40)
PATHS = st.lists(NAMES.filter(lambda name: name not in (".", "..")), min_size=1, max_size=12).map("/".join)
FIELDS = ("name", "linkname", "type", "mode", "uid", "gid", "uname", "gname", "mtime", "size", "pax_headers")


def read(data: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    found = []
    for member in members(iter([data[at : at + 1000] for at in range(0, len(data), 1000)])):
        raw = member.global_headers + member.header
        content = member.content() if member.info.isreg() and not member.info.issparse() else b""
        raw += content + b"".join(member.rest())
        assert raw == data[member.start : member.end]
        found.append((member.info, content))
    return found


def as_standard_library(data: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(data), encoding="utf-8", errors="surrogateescape") as tar:
        return [(info, tar.extractfile(info).read() if info.isreg() and not info.issparse() else b"") for info in tar]


def assert_equal(data: bytes) -> None:
    ours, theirs = read(data), as_standard_library(data)
    assert len(ours) == len(theirs)
    for (info, content), (other, expected) in zip(ours, theirs, strict=True):
        assert {each: getattr(info, each) for each in FIELDS} == {each: getattr(other, each) for each in FIELDS}
        assert (info.offset, info.issparse()) == (other.offset, other.issparse())
        assert info.issparse() or info.offset_data == other.offset_data
        assert content == expected


@st.composite
def entries(draw):
    info = tarfile.TarInfo(draw(PATHS))
    kinds = [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
    info.type = draw(st.sampled_from(kinds))
    info.mode = draw(st.integers(0, 0o7777))
    info.uid, info.gid = draw(st.integers(0, 2**31)), draw(st.integers(0, 2**40))
    info.uname, info.gname = draw(NAMES), draw(NAMES)
    info.mtime = draw(st.integers(-(2**33), 2**40) | st.floats(0, 1e9).map(lambda value: round(value, 3)))
    content = draw(st.binary(max_size=1500)) if info.type == tarfile.REGTYPE else b""
    info.size = len(content)
    if info.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        info.linkname = draw(PATHS)
    keys = st.sampled_from(["SCHILY.xattr.user.a", "SCHILY.xattr.security.selinux", "comment", "RHT.x"])
    info.pax_headers = draw(st.dictionaries(keys, st.text(st.characters(exclude_categories=("Cs",)), max_size=300)))
    return info, content


def archive(found, form, **options) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form, **options) as tar:
        for info, content in found:
            if form != tarfile.PAX_FORMAT:
                info.mtime = max(0, int(info.mtime))
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


@settings(deadline=None, max_examples=60)
@given(
    st.lists(entries(), min_size=1, max_size=6),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.booleans(),
)
def test_what_the_standard_library_writes_is_read_as_it_reads_it(found, form, with_globals):
    more = {"pax_headers": {"comment": "of all", "uid": "7"}} if with_globals and form == tarfile.PAX_FORMAT else {}
    assert_equal(archive(found, form, **more))


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    deep = root.joinpath(*("folder" * 3 for _ in range(12)))
    deep.mkdir(parents=True)
    (deep / ("n" * 200)).write_bytes(b"x" * 700)
    (root / "link").symlink_to("l" * 300)
    (root / "umlaut-ä").touch()
    with open(bytes(root) + b"/\xff\xfe", "wb"):
        pass
    with open(root / "sparse", "wb") as file:
        for hole in range(100):
            file.seek(hole * 65536)
            file.write(b"data")
        file.truncate(100 * 65536 + 5)
    (root / "hard").hardlink_to(deep / ("n" * 200))
    return root


@pytest.mark.parametrize(
    "options",
    ["--format=v7", "--format=oldgnu", "--format=gnu", "--format=ustar", "--format=posix", "--format=oldgnu -S",
     "--format=gnu -S", "--format=posix -S --sparse-version=0.0", "--format=posix -S --sparse-version=0.1",
     "--format=posix -S --sparse-version=1.0", "--format=posix --xattrs --pax-option=globexthdr.name=x,comment=y"],
)  # fmt: skip
def test_what_gnu_tar_writes_is_read_as_gnu_tar_lists_it(tree, options):
    run = [peer("tar"), *options.split(), "-C", tree, "-cf", "-", "--sort=name", "."]
    data = subprocess.run(run, capture_output=True, check=False).stdout  # some names are too long for V7 and ustar
    assert_equal(data)
    run = [peer("tar"), "-t", "--quoting-style=literal"]
    listing = subprocess.run(run, input=data, capture_output=True, check=True)
    names = [name.rstrip(b"/").removeprefix(b"./") or b"." for name in listing.stdout.splitlines()]
    assert [(info.name.removeprefix("./") or ".").encode("utf-8", "surrogateescape") for info, _ in read(data)] == names


def block(name: bytes, kind: bytes, size: int = 0) -> bytes:
    info = tarfile.TarInfo(name.decode("latin-1"))
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def extended(kind: bytes, content: bytes) -> bytes:
    return block(b"x", kind, len(content)) + content + bytes(-len(content) % 512)


FILE = block(b"etc/os-release", tarfile.REGTYPE)


def pax(key: bytes, size: int) -> bytes:
    """A record of just ``size`` bytes."""
    return b"%d %s=" % (size, key) + b"v" * (size - len(b"%d %s=" % (size, key)) - 1) + b"\n"


def summed(header: bytes, at: int, field: bytes) -> bytes:
    """A header with another field at the place, and the checksum of that."""
    header = header[:at] + field + header[at + len(field) :]
    return header[:148] + b"%06o\0 " % (256 + sum(header[:148]) + sum(header[156:])) + header[156:]


READ = ""
"""In place of a message: the stream is read."""

HOSTILE = {
    "one pax record of 1 MiB": (extended(b"x", pax(b"a", MAX_HEADER)) + FILE, READ),
    "a pax header of blanks": (extended(b"x", b" " * MAX_HEADER) + FILE, "broken extended header at byte 0"),
    "a pax header of digits": (extended(b"x", b"1" * MAX_HEADER) + FILE, "broken extended header at byte 0"),
    "a pax header of many records": (extended(b"x", b"6 a=b\n" * (MAX_HEADER // 6)) + FILE, READ),
    "a pax header without an end": (extended(b"x", b"7 a=bcde") + FILE, "broken extended header at byte 0"),
    "pax header over the bound": (block(b"x", b"x", MAX_HEADER + 1), "has a header of more than 1048576 bytes"),
    "2,000 pax headers in a row": (extended(b"x", b"6 a=b\n") * 2_000 + FILE, "two extended headers"),
    "2,000 long names in a row": (extended(b"L", b"name\0") * 2_000 + FILE, "two extended headers"),
    "two pax headers, of which programs use different fields": (
        extended(b"x", b"10 path=b\n") + extended(b"x", b"9 size=0\n") + FILE,
        "two extended headers of the same kind",
    ),
    "2,000 global headers in a row": (extended(b"g", b"6 a=b\n") * 2_000 + FILE, "more than 100 extended headers"),
    "global headers that grow": (
        b"".join(extended(b"g", pax(b"key%d" % number, 300_000)) + FILE for number in range(20)),
        "has global headers of more than 1048576 bytes",
    ),
    "sparse maps without end": (
        summed(block(b"s", b"S"), 482, b"\1") + (bytes(504) + b"\1" + bytes(7)) * 2_060,
        "has a sparse map of more than 1048576 bytes",
    ),
    "a negative size": (summed(FILE, 124, b"\xff" * 12), "has an entry of an impossible size (at byte 0)"),
    "a negative size in a pax header": (extended(b"x", b"11 size=-5\n") + FILE, "has an entry of an impossible size"),
    "a size of 2**70": (
        extended(b"x", b"31 size=1180591620717411303424\n") + FILE,
        "has an entry of an impossible size",
    ),
    "nothing behind an extended header": (extended(b"x", b"6 a=b\n"), "it is truncated"),
    "a bad checksum": (FILE[:148] + b"0000000\0" + FILE[156:], "broken header at byte 0: bad checksum"),
    "a number that is none": (summed(FILE, 100, b"abcdefg\0"), "broken header at byte 0: bad number"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_headers_cost_little_and_are_refused_or_read(name):
    """Within a second and 16 MiB: the standard library wants minutes, gigabytes or the stack for some."""
    data, says = HOSTILE[name]
    tracemalloc.start()
    start = time.process_time()
    try:
        read(data + bytes(1024))
        message = READ
    except MalformedError as error:
        message = error.message
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - start < 5 and peak < 32 << 20
    assert message == says if says == READ else says in message


def test_a_sparse_map_that_is_cut_off_is_refused():
    with pytest.raises(MalformedError, match="is not a valid tar archive: it is truncated"):
        read(summed(block(b"s", b"S"), 482, b"\1"))


def test_a_stream_of_too_many_entries_is_refused(monkeypatch):
    monkeypatch.setattr("rootfs_trust.image.tar_stream.MAX_MEMBERS", 3)
    assert len(read(FILE * 3 + bytes(1024))) == 3
    with pytest.raises(MalformedError, match="has more than 3 entries"):
        read(FILE * 4 + bytes(1024))


def test_a_file_whose_content_ends_early_is_refused():
    """Whoever reads the content gets all of it or an error, before the end of the stream is known."""
    member = next(members(iter([block(b"etc/os-release", tarfile.REGTYPE, 700) + bytes(699)])))
    with pytest.raises(MalformedError, match="is not a valid tar archive: it is truncated"):
        member.content()


@pytest.mark.parametrize("kind", [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_only_files_have_content_whatever_size_is_in_a_header(kind):
    data = block(b"name", kind, 512) + FILE + bytes(1024)
    assert_equal(data)
    assert [info.name for info, _ in read(data)] == ["name", "etc/os-release"]


def test_an_entry_of_an_unknown_type_has_content():
    data = block(b"name", b"Z", 512) + bytes(512) + FILE + bytes(1024)
    assert_equal(data)
    assert [info.name for info, _ in read(data)] == ["name", "etc/os-release"]


def test_a_checksum_of_signed_bytes_is_one_too():
    """Old versions of Sun's and of other tars added the bytes as signed numbers."""
    header = block("\xe4".encode("latin-1") * 3, tarfile.REGTYPE)
    rest = header[:148] + header[156:]
    signed = 256 + sum(byte - 256 if byte > 127 else byte for byte in rest)
    data = header[:148] + b"%06o\0 " % signed + header[156:] + bytes(1024)
    assert signed != 256 + sum(rest)
    assert_equal(data)
    assert len(read(data)) == 1


def test_an_owner_that_is_not_a_number_is_root():
    data = extended(b"x", b"11 uid=abc\n" + b"11 gid=abc\n") + summed(FILE, 108, b"0000007\0") + bytes(1024)
    assert_equal(data)
    assert [(info.uid, info.gid) for info, _ in read(data)] == [(0, 0)]


def test_extensions_up_to_the_bound_are_read():
    found = read(extended(b"g", b"6 a=b\n") * MAX_EXTENSIONS + FILE + bytes(1024))
    assert [info.name for info, _ in found] == ["etc/os-release"]


def test_the_first_of_two_name_headers_counts():
    """As the standard library has it, which reads the outer one last."""
    data = extended(b"x", b"17 path=from-pax\n") + extended(b"L", b"from-gnu\0") + FILE + bytes(1024)
    assert_equal(data)
    assert_equal(extended(b"L", b"from-gnu\0") + extended(b"x", b"17 path=from-pax\n") + FILE + bytes(1024))
