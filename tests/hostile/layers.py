"""Hostile tar streams, block by block: what ``tarfile`` would not write."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from random import Random

from tests.hostile.mutations import BIDI, ESC, damaged
from tests.hostile.world import Base, World
from tests.support.images import Tarball, zstd


def header(name: bytes, kind: bytes = b"0", size: int | bytes = 0, link: bytes = b"", **fields: bytes) -> bytes:
    """One block; ``fields`` are the bytes of mode, uid, gid, mtime, magic, uname, prefix."""
    octal = b"%011o\0" % size if isinstance(size, int) else size
    block = name[:100].ljust(100, b"\0")
    for key, default in (("mode", b"0000644\0"), ("uid", b"0000000\0"), ("gid", b"0000000\0")):
        block += fields.get(key, default)
    block += octal.ljust(12, b"\0")[:12] + fields.get("mtime", b"14524770502\0")[:12].ljust(12, b"\0") + b" " * 8 + kind
    block += (
        link[:100].ljust(100, b"\0") + fields.get("magic", b"ustar\x0000") + fields.get("uname", b"").ljust(32, b"\0")
    )
    block = (block + b"\0" * 32 + b"0000000\0" * 2 + fields.get("prefix", b"").ljust(155, b"\0")).ljust(512, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def entry(name: bytes, kind: bytes = b"0", content: bytes = b"", **fields) -> bytes:
    return header(name, kind, len(content), **fields) + content + b"\0" * (-len(content) % 512)


def pax(*records: tuple[bytes, bytes], kind: bytes = b"x") -> bytes:
    return entry(b"PaxHeaders/x", kind, b"".join(_record(*each) for each in records))


def _record(key: bytes, value: bytes) -> bytes:
    rest = b" " + key + b"=" + value + b"\n"
    size = len(rest) + 1
    while len(b"%d" % size) + len(rest) != size:
        size = len(b"%d" % size) + len(rest)
    return b"%d" % size + rest


def tar_of(world: World, base: Base, folder: bool = True) -> Tarball:
    """A sane root filesystem as a tar that can be added to."""
    tar = Tarball()
    for each in base.entries:
        name = each.path.decode("utf-8", "surrogateescape")
        if each.kind == 0o040000:
            if folder:
                tar.directory(name)
        elif each.kind == 0o120000:
            tar.link(name, each.content.decode("utf-8", "surrogateescape"))
        else:
            tar.file(name, each.content)
    return tar


def hostile_layer(world: World, random: Random) -> bytes:
    """A layer above a sane root filesystem."""
    way = random.choice(WAYS)
    return way(world, random)


END = b"\0" * 1024


def _path(world: World, random: Random) -> bytes:
    return random.choice([path for path in world.base.paths if b"etc" in path or b"ca-cert" in path])


def _links(world: World, random: Random) -> bytes:
    blocks = b""
    for _ in range(4):
        path = _path(world, random)
        if len(path) < 90:
            blocks += entry(path, b"2", link=world.link_out(random, path)[:99]) + entry(path + b"/x", b"0", b"x")
    return blocks + END


def _whiteouts_over_links(world: World, random: Random) -> bytes:
    blocks = entry(b"etc/out", b"2", link=os_link(world))
    for name in (
        b"etc/out/.wh.cert.pem",
        b"etc/out/.wh..wh..opq",
        b"etc/.wh.ssl",
        b".wh..wh..opq",
        b".wh.",
        b"etc/.wh..",
        b"etc/.wh...",
        b"etc/ssl/.wh..wh.plnk",
    ):
        if random.random() < 0.6:
            blocks += entry(
                name, random.choice((b"0", b"2", b"5", b"1")), link=random.choice((b"", b"etc/out", b"etc/passwd"))
            )
    return blocks + entry(_path(world, random), b"0", b"again") + END


def os_link(world: World) -> bytes:
    return world.outside.encode()[:99]


def _hard_links(world: World, random: Random) -> bytes:
    outside = world.outside.encode()
    targets = (
        b"../../../etc/passwd",
        b"/etc/passwd",
        outside + b"/cert.pem",
        b"a",
        b"b",
        b"etc/out/cert.pem",
        b"nowhere",
        b"",
        b"etc",
        b".",
        b"etc/ssl/certs",
    )
    blocks = entry(b"etc/out", b"2", link=outside)
    for name in (b"a", b"b", b"etc/ssl/certs/ca-certificates.crt", b"etc/os-release", b"etc/ssl/certs/h.pem", b"etc"):
        blocks += entry(name, b"1", link=random.choice(targets))
    return blocks + END


def _names(world: World, random: Random) -> bytes:
    names = (
        b"../../x",
        b"/etc/x",
        b"etc/../../x",
        b"",
        b".",
        b"./",
        b"//",
        b"a/\xff\xfe",
        ESC.encode(),
        BIDI.encode(),
        b"n" * 100,
        b"etc/ssl/certs/a\nb.pem",
        b"etc/./ssl//certs/x.pem",
        b".rootfs-trust-0",
    )
    return (
        b"".join(
            entry(
                random.choice(names),
                random.choice((b"0", b"5", b"2", b"1", b"3", b"6", b"7", b"V", b"Z", b"\0")),
                b"",
                link=b"x",
            )
            for _ in range(12)
        )
        + END
    )


def _devices(world: World, random: Random) -> bytes:
    return b"".join(entry(_path(world, random)[:99], kind) for kind in (b"3", b"4", b"6", b"7")) + END


def _numbers(world: World, random: Random) -> bytes:
    """Fields that are not numbers, negative, or of no size at all."""
    odd = (
        b"\x80" + b"\xff" * 11,
        b"\xff" * 12,
        b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"77777777777\0",
        b"-0000000001\0",
        b"99999999999\0",
        b"            ",
        b"\x80" + b"\0" * 10 + b"\x05",
    )
    blocks = b""
    for _ in range(6):
        fields = {
            key: random.choice(odd)[: 8 if key != "mtime" else 12]
            for key in random.sample(("mode", "uid", "gid", "mtime"), 2)
        }
        blocks += header(_path(world, random)[:99], b"0", random.choice((0, 0, *odd)), **fields)
    return blocks + END


def _pax_values(world: World, random: Random) -> bytes:
    keys = (
        b"path",
        b"linkpath",
        b"size",
        b"mtime",
        b"uid",
        b"gid",
        b"uname",
        b"hdrcharset",
        b"SCHILY.xattr.security.ima",
        b"SCHILY.xattr.user.\xff",
        b"GNU.sparse.major",
        b"GNU.sparse.map",
        b"GNU.sparse.realsize",
        b"GNU.sparse.name",
        b"LIBARCHIVE.creationtime",
        b"",
        b"=",
        b"comment",
    )
    values = (
        b"",
        b"9" * 30,
        b"-1",
        b"1e999",
        b"nan",
        b"inf",
        b"../../etc/passwd",
        b"/etc/passwd",
        b"BINARY",
        b"\xff\xfe",
        b"\0",
        b"x" * 5000,
        ESC.encode(),
        b"1,2,3",
        b"0x10",
        b"\xd9\xa1",
        b"1_0",
        b"etc/ssl/certs/ca-certificates.crt",
    )
    blocks = b""
    for _ in range(6):
        records = [(random.choice(keys), random.choice(values)) for _ in range(random.randint(1, 4))]
        blocks += pax(*records, kind=random.choice((b"x", b"x", b"g"))) + entry(
            _path(world, random)[:99], random.choice((b"0", b"5", b"2")), b"abc", link=b"x"
        )
    return blocks + END


def _pax_broken(world: World, random: Random) -> bytes:
    bodies = (
        b"99999999999999999999 path=x\n",
        b"0 path=x\n",
        b"-5 path=x\n",
        b"5 a=b",
        b"path=x\n",
        b"\n" * 500,
        b"12 pathxxxx\n",
        b"9" * 4000,
        b"30 path=x\n",
        b"1\xd9\xa0 path=x\n",
    )
    return (
        b"".join(entry(b"p", b"x", random.choice(bodies)) + entry(b"etc/x%d" % n, b"0", b"x") for n in range(5)) + END
    )


def _one_large_pax(world: World, random: Random) -> bytes:
    body = random.choice(
        (
            b"1" * (1 << 20),
            b"20 path=" + b"x" * (1 << 20),
            b"\n" * (1 << 20),
            b"10 a=bbbb\n" * 100_000,
            b"9 =aaaaa\n" * 100_000,
        )
    )
    return entry(b"p", random.choice((b"x", b"g")), body) + entry(b"etc/x", b"0", b"x") + END


def _headers_in_a_row(world: World, random: Random) -> bytes:
    kind = random.choice((b"x", b"g", b"L", b"K"))
    each = pax((b"comment", b"x"), kind=kind) if kind in b"xg" else entry(b"././@LongLink", kind, b"etc/x\0")
    return each * 4000 + entry(b"etc/x", b"0", b"x") + END


def _long_names(world: World, random: Random) -> bytes:
    name = random.choice(
        (
            b"a/" * 500_000,
            b"n" * 300,
            b"n" * (1 << 20),
            b"../" * 1000 + b"etc/passwd",
            b"\0",
            b"\xff" * 300,
            b"etc/ssl/certs/" + b"n" * 255,
            b"a\n" * 300,
        )
    )
    return (
        entry(b"././@LongLink", random.choice((b"L", b"K")), name + b"\0")
        + entry(b"etc/x", random.choice((b"0", b"2", b"1")), b"", link=b"y")
        + END
    )


def _deep(world: World, random: Random) -> bytes:
    name = b"/".join([b"d"] * 1500)
    blocks = pax((b"path", name)) + entry(b"x", b"5")
    blocks += pax((b"path", name + b"/.wh.x")) + entry(b"x", b"0")
    return (
        blocks + pax((b"path", b"usr/local/share/ca-certificates/" + name + b"/a.crt")) + entry(b"x", b"0", b"x") + END
    )


def _deep_through_links(world: World, random: Random) -> bytes:
    blocks, here = b"", b"l0"
    for number in range(1300):
        blocks += entry(b"l%d" % number, b"2", link=b"l%d/d" % (number + 1))
    return (
        blocks
        + entry(b"l1300", b"5")
        + entry(here + b"/x", b"0", b"x")
        + entry(b"etc/ssl/certs", b"2", link=b"/l0")
        + END
    )


def _old_sparse(world: World, random: Random) -> bytes:
    """GNU's old format, with blocks of extension that never end."""
    block = bytearray(header(b"etc/ssl/certs/sparse.pem", b"S", 0, magic=b"ustar  \0"))
    for number in range(4):
        block[386 + 24 * number : 410 + 24 * number] = b"%011o\0%011o\0" % (number * 512, random.choice((0, 512)))
    block[482] = 1
    block[483:495] = random.choice((b"77777777777\0", b"%011o\0" % 4096, b"\x80" + b"\xff" * 11))
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    extension = (b"%011o\0%011o\0" % (512, 0)) * 21 + b"\1" + b"\0" * 7
    return bytes(block) + extension * random.choice((1, 8000)) + END


def _new_sparse(world: World, random: Random) -> bytes:
    body = random.choice(
        (b"1\n0\n5\n", b"9" * 300 + b"\n", b"-1\n", b"1000000\n" + b"0\n1\n" * 100_000, b"1\n8589934592\n5\n")
    ).ljust(512, b"\0")
    records = (
        (b"GNU.sparse.major", b"1"),
        (b"GNU.sparse.minor", b"0"),
        (b"GNU.sparse.name", b"etc/ssl/certs/s.pem"),
        (b"GNU.sparse.realsize", b"9" * 15),
    )
    return pax(*records) + entry(b"etc/ssl/certs/s.pem", b"0", body + b"hello") + END


def _many_entries(world: World, random: Random) -> bytes:
    return (
        b"".join(entry(b"usr/share/ca-certificates/mozilla/%d.crt" % number, b"0", b"x") for number in range(20_000))
        + END
    )


def _large_file(world: World, random: Random) -> bytes:
    return header(b"etc/ssl/certs/ca-certificates.crt", b"0", 100 << 20) + b"\0" * (100 << 20) + END


def _cut_off(world: World, random: Random) -> bytes:
    whole = tar_of(world, world.base).end()
    return damaged(random, whole)


def _two_archives(world: World, random: Random) -> bytes:
    whole = entry(b"etc/os-release", b"0", b"ID=plan9\n")
    return whole + END + entry(b"etc/late", b"0", b"x") + random.randbytes(700)


def _attributes(world: World, random: Random) -> bytes:
    records = tuple(
        (b"SCHILY.xattr.user.%d" % number, random.randbytes(random.choice((1, 60_000)))) for number in range(40)
    )
    return (
        pax(*records, (b"SCHILY.xattr.security.ima", b"\3\2" + b"x" * 70))
        + entry(b"etc/ssl/certs/ca-certificates.crt", b"0", b"x")
        + END
    )


def _sources(world: World, random: Random) -> bytes:
    from tests.hostile import certificates, trees

    blocks = b""
    for _ in range(4):
        for name, content in random.choice(
            (certificates.element_changed, certificates.p11kit_damaged, certificates.names_that_print_odd)
        )(random).items():
            blocks += entry(
                f"{random.choice(trees.sources(world))}/{name}".encode("utf-8", "surrogateescape")[:99], b"0", content
            )
    return blocks + END


WAYS = (
    _links,
    _whiteouts_over_links,
    _hard_links,
    _names,
    _devices,
    _numbers,
    _pax_values,
    _pax_broken,
    _one_large_pax,
    _headers_in_a_row,
    _long_names,
    _deep,
    _deep_through_links,
    _old_sparse,
    _new_sparse,
    _many_entries,
    _large_file,
    _cut_off,
    _two_archives,
    _attributes,
    _sources,
)


# -- compression -------------------------------------------------------------------------------------------


def packed(random: Random, content: bytes, way: str) -> bytes:
    """``content`` in a form of :data:`PACKINGS`."""
    return PACKINGS[way](random, content)


def _bomb(_: Random, content: bytes) -> bytes:
    compressor = zlib.compressobj(9, 8, 31)
    pieces = [compressor.compress(header(b"usr/share/bomb", b"0", 8 << 30))]
    zeros = b"\0" * (1 << 20)
    pieces += [compressor.compress(zeros) for _ in range(700)]
    return b"".join([*pieces, compressor.flush()])


PACKINGS = {
    "plain": lambda random, content: content,
    "gzip": lambda random, content: gzip.compress(content, 1, mtime=0),
    "xz": lambda random, content: lzma.compress(content, preset=0),
    "zstd": lambda random, content: zstd().compress(content),
    "bz2": lambda random, content: bz2.compress(content, 1),
    "gzip-members": lambda random, content: (
        gzip.compress(b"", 1, mtime=0) * 100_000 + gzip.compress(content, 1, mtime=0)
    ),
    "gzip-name": lambda random, content: b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + b"n" * 5_000_000,
    "gzip-damaged": lambda random, content: damaged(random, gzip.compress(content, 1, mtime=0)),
    "gzip-bomb": _bomb,
    "gzip-tail": lambda random, content: (
        gzip.compress(content, 1, mtime=0) + random.choice((b"\0" * 5000, random.randbytes(500)))
    ),
    "xz-damaged": lambda random, content: damaged(random, lzma.compress(content, preset=0)),
    "xz-window": lambda random, content: (
        lzma.compress(content, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 22}])[:12].ljust(
            12, b"\0"
        )
        + b"\x02\x00\x21\x01\x28\x00\x00\x00"
        + random.randbytes(40)
    ),
    "xz-streams": lambda random, content: lzma.compress(b"", preset=0) * 50_000 + lzma.compress(content, preset=0),
    "xz-bomb": lambda random, content: lzma.compress(
        header(b"usr/share/bomb", b"0", 8 << 30) + b"\0" * (200 << 20), preset=0
    ),
    "zstd-damaged": lambda random, content: damaged(random, zstd().compress(content)),
    "zstd-window": lambda random, content: b"\x28\xb5\x2f\xfd\0\xb8" + random.randbytes(100),
    "zstd-skips": lambda random, content: b"\x50\x2a\x4d\x18\0\0\0\0" * 200_000 + zstd().compress(content),
    "zstd-skip-large": lambda random, content: b"\x50\x2a\x4d\x18\xff\xff\xff\xff" + zstd().compress(content),
    "zstd-bomb": lambda random, content: zstd().compress(
        header(b"usr/share/bomb", b"0", 8 << 30) + b"\0" * (400 << 20)
    ),
    "tar-in-gzip-in-gzip": lambda random, content: gzip.compress(gzip.compress(content)),
}
