"""Hostile root filesystems: each item changes a sane one of some layout, in places that were found in it."""

from __future__ import annotations

import os
import stat
import struct
from random import Random

from rootfs_trust.runtimes import pem_block
from tests.hostile import certificates
from tests.hostile.corpus import ITEMS, tree
from tests.hostile.mutations import BIDI, ESC, damaged
from tests.hostile.texts import TEDGE, hostile_json, hostile_toml
from tests.hostile.world import ALPHA, World, shipped_authority
from tests.support.authority import Authority

_SOURCES = {
    "fedora": ("etc/pki/ca-trust/source/anchors", "usr/share/pki/ca-trust-source"),
    "suse": ("etc/pki/trust/anchors", "usr/share/pki/trust", "etc/pki/trust/blocklist"),
    "arch": ("etc/ca-certificates/trust-source/anchors", "usr/share/ca-certificates/trust-source"),
}
_JAVA = (
    *("etc/ssl/certs/java/cacerts", "etc/pki/ca-trust/extracted/java/cacerts", "var/lib/ca-certificates/java-cacerts"),
    *("etc/ca-certificates/extracted/java-cacerts.jks", "usr/lib/jvm/java-17/lib/security/cacerts"),
)
_NAMES = (
    *(b"new\nline.crt", b"\x1b[31mred.crt", b"\xff\xfe.pem", b"n" * 251 + b".crt", b"-rf.pem", b"...crt", b" .crt"),
    *(
        BIDI.encode() + b".pem",
        b"a\rb.crt",
        b"\xc2\x9b1m.crt",
        b"00000000.0",
        b"*.crt",
        b"$(id).crt",
        b"<b>.pem",
        b"=1+1.crt",
    ),
)


def sources(world: World) -> tuple[str, ...]:
    """Directories from which the layout's store is made, and the hash directory."""
    return (
        *_SOURCES.get(world.base.family, ("usr/share/ca-certificates/mozilla", world.base.local or "etc/ssl/certs")),
        "etc/ssl/certs",
    )


def some(world: World, random: Random, most: int = 4) -> list[bytes]:
    """Paths of the sane tree, those of the store more often than others."""
    paths = [path for path in world.base.paths if b"/doc" not in path]
    deep = [
        path for path in paths if b"ssl" in path or b"pki" in path or b"ca-certificates" in path or b"tedge" in path
    ]
    return [random.choice(random.choice((paths, deep, deep))) for _ in range(random.randint(1, most))]


# -- what is in a place -------------------------------------------------------------------------------------


@tree(rounds=12)
def links_out(world: World, random: Random) -> None:
    for path in some(world, random):
        world.tree.link(path, world.link_out(random, path))


@tree(rounds=4)
def links_at_staged_names(world: World, random: Random) -> None:
    """Where a run would put its unfinished files."""
    for path in (*some(world, random), b"etc/ssl/certs/x", b"usr/share/doc/x"):
        for number in range(3):
            world.tree.link(os.path.dirname(path) + b"/.rootfs-trust-%d" % number, world.link_out(random, path))


@tree(rounds=3)
def links_in_chains(world: World, random: Random) -> None:
    for path in some(world, random):
        folder = os.path.dirname(path)
        for number in range(45):
            world.tree.link(folder + b"/chain%d" % number, b"chain%d" % (number + 1))
        world.tree.link(path, random.choice((b"chain0", b"chain10", b"chain30/../chain20", b"chain44/" * 50)))


@tree(rounds=3)
def hard_links_to_outside(world: World, random: Random) -> None:
    """Writing into such a file would change the one outside."""
    world.shares = True
    for path in some(world, random):
        world.tree.hard_link(path, f"{world.outside}/{random.choice(('cert.pem', 'text.conf', 'tedge.toml'))}")


@tree(rounds=4)
def special_files(world: World, random: Random) -> None:
    for path in some(world, random):
        kind, device = random.choice(
            (
                (stat.S_IFIFO, (0, 0)),
                (stat.S_IFSOCK, (0, 0)),
                (stat.S_IFCHR, (1, 5)),
                (stat.S_IFCHR, (1, 7)),
                (stat.S_IFCHR, (0, 0)),
                (stat.S_IFBLK, (7, 250)),
            )
        )
        world.tree.node(path, kind, device)


@tree(rounds=2)
def sparse_files(world: World, random: Random) -> None:
    for path in some(world, random, 2):
        world.tree.file(path, shipped_authority(ALPHA).pem, size=random.choice((1 << 40, (64 << 20) + 1, 200 << 20)))


@tree(rounds=3)
def other_kinds(world: World, random: Random) -> None:
    """Files for directories, directories for files."""
    for path in some(world, random):
        way = random.randrange(3)
        if way == 0:
            world.tree.file(
                path, random.choice((b"", b"\0" * 5000, bytes(range(256)))), mode=random.choice((0, 0o444, 0o7777))
            )
        elif way == 1:
            world.tree.directory(path + b"/x", mode=random.choice((0, 0o755)))
        else:
            world.tree.remove(path)


@tree(rounds=3)
def damaged_files(world: World, random: Random) -> None:
    """Any file of the tree, with damage."""
    files = [entry for entry in world.base.entries if stat.S_ISREG(entry.kind) and entry.content]
    for entry in random.sample(files, min(5, len(files))):
        world.tree.file(entry.path, damaged(random, entry.content), entry.mode)


@tree(rounds=2)
def odd_names(world: World, random: Random) -> None:
    for folder in sources(world):
        for name in random.sample(_NAMES, 6):
            world.tree.file(os.fsencode(folder) + b"/" + name, Authority("Odd Name").pem)


@tree()
def odd_names_of_links(world: World, random: Random) -> None:
    for folder in sources(world):
        for name in random.sample(_NAMES, 5):
            world.tree.link(
                os.fsencode(folder) + b"/" + name, random.choice((*_NAMES, b"nowhere", b"/etc/ssl/certs/nowhere"))
            )


@tree()
def deep_directories(world: World, random: Random) -> None:
    for folder in sources(world)[:2]:
        path = os.fsencode(folder)
        while len(path) < 3900:
            path += b"/d"
        world.tree.file(path + b"/a.crt", Authority("Deep").pem)


@tree()
def very_deep_directories(world: World, random: Random) -> None:
    """Deeper than any path can name, and than Python calls."""
    folder = os.open(world.tree.path, os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for name in [*sources(world)[1].strip("/").split("/"), *["d"] * 2500]:
            if not os.path.isdir(f"/proc/self/fd/{folder}/{name}"):
                os.mkdir(name, dir_fd=folder)
            inner = os.open(name, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
    finally:
        os.close(folder)


@tree()
def many_entries(world: World, random: Random) -> None:
    folder = sources(world)[-1]
    for number in range(8000):
        world.tree.link(
            f"{folder}/{number:08x}.{number % 7}", random.choice(("nowhere", "ca.pem", f"{number + 1:08x}.0"))
        )


@tree(rounds=2)
def hash_links(world: World, random: Random) -> None:
    """In the way of those that are to come."""
    subject = shipped_authority(ALPHA).certificate
    from rootfs_trust.x509 import Name

    hashes = (Name(subject.subject.public_bytes()).hash, Name(subject.subject.public_bytes()).hash_old, "00000000")
    for value in hashes:
        for number in random.sample(range(40), 12):
            path = f"etc/ssl/certs/{value}.{number}"
            way = random.randrange(4)
            if way == 0:
                world.tree.link(path, world.link_out(random, path.encode()))
            elif way == 1:
                world.tree.file(path, shipped_authority(ALPHA).pem)
            elif way == 2:
                world.tree.directory(path)
            else:
                world.tree.link(path, random.choice((f"{value}.{number + 1}", f"{value}.{number}", "Alpha_Root.pem")))


# -- rights and attributes ---------------------------------------------------------------------------------


@tree(rounds=2)
def attributes(world: World, random: Random) -> None:
    """Signatures of IMA and EVM, labels, access lists, and large values."""
    names = (
        "security.ima",
        "security.evm",
        "security.selinux",
        "user." + "n" * 200,
        "trusted.overlay.opaque",
        "security.capability",
    )
    for path in (*some(world, random, 8), b"etc/ssl/certs/ca-certificates.crt", b"etc/ssl/certs"):
        name = random.choice(names)
        value = (
            struct.pack("<IIIII", 0x02000001, 0, 0, 0, 0)
            if name.endswith("capability")
            else random.randbytes(random.choice((0, 1, 200, 4000)))
        )
        world.tree.attribute(path, name, value)


@tree(rounds=2)
def owners_and_modes(world: World, random: Random) -> None:
    for path in some(world, random, 8):
        full = os.fsencode(world.root) + b"/" + path
        os.chown(full, random.choice((0, 1000, 2**32 - 2)), random.choice((0, 100, 2**31)), follow_symlinks=False)
        if not stat.S_ISLNK(os.lstat(full).st_mode):
            os.chmod(full, random.choice((0, 0o1777, 0o4755, 0o2000, 0o400)))


@tree()
def times(world: World, random: Random) -> None:
    for path in some(world, random, 8):
        full = os.fsencode(world.root) + b"/" + path
        seconds = random.choice((0, -1, 2**31, 2**32 + 5, 253402300800, -2_000_000_000, 2**34))
        try:
            os.utime(full, ns=(seconds * 10**9, seconds * 10**9 + 999_999_999), follow_symlinks=False)
        except OSError:
            continue  # this file system has no such time


# -- what the files say ------------------------------------------------------------------------------------


@tree(rounds=2)
def release_files(world: World, random: Random) -> None:
    texts = (
        b"ID=" + b"x" * 1_000_000,
        b"ID=debian\n" * 200_000,
        f'ID="{ESC}"\nNAME="{BIDI}"\n'.encode(),
        b"\xff\xfeI\0D\0=\0",
        b"ID='\n",
        b"ID=fedora\nID_LIKE=" + b"debian " * 50_000,
        b"=\n==\nID\n",
        b"ID=$(reboot)\n",
        b"\0" * 4096,
        b"ID=arch\nID=suse\nID=alpine\n",
    )
    for path in ("etc/os-release", "usr/lib/os-release", "etc/openwrt_release", "etc/alpine-release"):
        world.tree.file(path, random.choice(texts))


@tree(family="debian", rounds=3)
def lists_of_debian(world: World, random: Random) -> None:
    lines = (
        *(
            b"../../../../etc/passwd",
            b"/etc/passwd",
            b"!mozilla/Alpha_Root.crt",
            b"mozilla/../mozilla/Beta_Root.crt",
            b"mozilla//Alpha_Root.crt",
        ),
        *(
            ESC.encode(),
            BIDI.encode(),
            b"\xff\xfe",
            b"!" * 5000,
            b"x" * 100_000,
            b"",
            b"!",
            b".",
            b"mozilla",
            b"mozilla/" + b"n" * 300 + b".crt",
            b"a\0b",
        ),
    )
    count = random.choice((1, 10, 30_000))
    world.tree.file("etc/ca-certificates.conf", b"\n".join(random.choice(lines) for _ in range(count)))


@tree(rounds=3)
def settings_of_thin_edge(world: World, random: Random) -> None:
    world.tree.file("etc/tedge/tedge.toml", hostile_toml(random, TEDGE))
    for name in ("c8y", "az.prod", "\x1b[31m", "own", "c8y." + "p" * 200):
        world.tree.file(
            f"etc/tedge/mappers/{name}/mapper.toml", hostile_toml(random, {**TEDGE["c8y"], "proxy": {"ca_path": "/x"}})
        )
    drop_in = "".join(
        f'Environment="TEDGE_C8Y_ROOT_CERT_PATH={random.choice((ESC, BIDI, "/x" * 9000, ".."))}"\n' for _ in range(3)
    )
    world.tree.file("usr/lib/systemd/system/tedge-agent.service.d/10-rootfs-trust.conf", drop_in.encode())


@tree(rounds=3)
def paths_in_settings(world: World, random: Random) -> None:
    """Settings that name a place outside, a loop, or an odd name."""
    world.tree.link("etc/loop", "loop")
    world.tree.link("etc/out", world.link_out(random, b"etc/out"))
    paths = (
        "/etc/loop",
        "/etc/out",
        f"/../../..{world.outside}/folder",
        "/proc/self/environ",
        "relative",
        "",
        "/dev/zero",
        "/" + "x" * 300,
        "/a\\u001b[31m",
        "/\\u202e",
    )
    lines = ['[config]\nversion = "2"']
    lines += [
        f'[{cloud}]\nurl = "a"\nroot_cert_path = "{random.choice(paths)}"\nproxy.ca_path = "{random.choice(paths)}"'
        for cloud in ("c8y", "az", "aws")
    ]
    world.tree.file("etc/tedge/tedge.toml", "\n".join(lines).encode())


@tree()
def mosquitto_includes_itself(world: World, random: Random) -> None:
    text = b"include_dir /etc/mosquitto/conf.d\ninclude_dir /etc/mosquitto\ncafile ../../../../etc/shadow\n"
    world.tree.file("etc/mosquitto/mosquitto.conf", text)
    world.tree.file("etc/mosquitto/conf.d/a.conf", text + b"capath " + b"x" * 100_000 + b"\nbridge_cafile \x1b[31m\n")
    world.tree.link("etc/mosquitto/conf.d/b.conf", "../mosquitto.conf")
    world.tree.link("etc/mosquitto/conf.d/c.conf", world.link_out(random, b"etc/mosquitto/conf.d/c.conf"))


@tree(rounds=2)
def users_and_packages(world: World, random: Random) -> None:
    lines = (
        b"tedge:x:" + b"9" * 6000 + b":1::/:",
        b"tedge:x:-1:-1::/:",
        b":" * 9000,
        ESC.encode(),
        b"mosquitto:x:\xd9\xa0:0::/:",
        b"tedge",
    )
    for path in ("etc/passwd", "etc/group"):
        world.tree.file(path, b"\n".join(random.choice(lines) for _ in range(random.choice((3, 20_000)))))
    world.tree.file(
        "var/lib/dpkg/status",
        b"Package: tedge\nVersion: " + random.choice((b"2" * 90_000, ESC.encode(), b"", b"1.\xff")) + b"\n",
    )
    world.tree.file("lib/apk/db/installed", b"P:tedge\nV:" + b"9" * 90_000)
    world.tree.file("var/lib/rpmmanifest/container-manifest-2", b"tedge\t" + b"\t" * 9000)
    databases = (b"SQLite format 3\0" + random.randbytes(9000), b"RpmP\0\0\0\0" + b"\xff" * 9000, b"RpmP", b"\0" * 99)
    for path in ("usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/Packages.db"):
        world.tree.file(path, random.choice(databases))


@tree(rounds=4)
def keystores_of_java(world: World, random: Random) -> None:
    for path in _JAVA:
        if path.encode() in world.base.paths or random.random() < 0.3:
            world.tree.file(path, certificates.hostile_store(random))


@tree()
def bundles(world: World, random: Random) -> None:
    """Without certificates, with too many, with what is none, and with private keys."""
    contents = (
        b"",
        certificates.pem(random.randbytes(500)) * 2000,
        certificates.rich().pem * 5000,
        b"\r\n".join([certificates.rich().pem] * 3),
        b"\0" * 100,
        certificates.rich().key_pem,
        b"-----BEGIN CERTIFICATE-----\n" * 200_000,
        b"-----BEGIN CERTIFICATE-----\nA: b\n" * 100_000 + certificates.rich().pem,
        b"-----BEGIN X509 CERTIFICATE-----\n" * 100_000 + certificates.rich().pem,
        b"#\n" * 500_000,
        (b"\n" + pem_block.BEGIN) * 10_000,
        pem_block.BEGIN
        + b"# rootfs-trust: a\n-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n"
        + pem_block.END,
    )
    for path in (
        "etc/ssl/certs/ca-certificates.crt",
        "etc/ssl/cert.pem",
        "etc/pki/tls/cert.pem",
        "usr/lib/python3/dist-packages/certifi/cacert.pem",
    ):
        world.tree.file(path, random.choice(contents))


@tree(rounds=2)
def ostree_deployments(world: World, random: Random) -> None:
    """``usr/etc`` beside ``etc``, with whiteouts, and links between both."""
    for entry in world.base.entries:
        if entry.path.startswith(b"etc/ssl") and random.random() < 0.7:
            path = b"usr/" + entry.path
            if stat.S_ISDIR(entry.kind):
                world.tree.directory(path)
            else:
                world.tree.file(path, entry.content)
    for path in some(world, random):
        world.tree.node(path, stat.S_IFCHR)  # a whiteout of an overlay
    world.tree.link(
        "usr/etc/ssl/certs",
        random.choice((b"../../../etc/ssl/certs", b"/usr/etc/ssl/certs", world.link_out(random, b"usr/etc/ssl/certs"))),
    )


@tree(rounds=2)
def programs(world: World, random: Random) -> None:
    """What tells of Node.js, Python and Java: files that are read for a version or an option."""
    world.tree.file("var/lib/dpkg/info/nodejs.list", ESC.encode() * 50_000)
    number = random.choice((b"24", b"9" * 9000))
    packages = b"Package: nodejs\nVersion: %b.1\n\nPackage: tedge\nVersion: %b" % (number, number)
    world.tree.file("var/lib/dpkg/status", packages)
    world.tree.file(
        "opt/node/include/node/node_version.h",
        b"#define NODE_MAJOR_VERSION " + number + b"\n#define NODE_MINOR_VERSION 1\n",
    )
    world.tree.file(
        "etc/environment",
        b"NODE_EXTRA_CA_CERTS=/../../../etc/passwd\nNODE_OPTIONS=" + b"--x " * 50_000 + b"\nSSL_CERT_FILE=\x1b[31m\n",
    )
    for path in (
        "usr/bin/node",
        "opt/node/bin/node",
        "opt/java/openjdk/lib/security/cacerts",
        "usr/lib/ssl/openssl.cnf",
        "etc/ssl/openssl.cnf",
        "usr/lib/python3/dist-packages/certifi/cacert.pem",
    ):
        random.choice(
            (world.tree.file, lambda place, _: world.tree.link(place, world.link_out(random, place.encode())))
        )(path, random.choice((b"", b"\0" * 9000, b".include /etc/ssl\n" * 9000, hostile_json(random, {"a": 1}))))


# -- hostile certificates as sources -----------------------------------------------------------------------


@tree(rounds=8)
def sources_of_certificates(world: World, random: Random) -> None:
    """The files of an item of certificates in a source directory, and in the hash directory."""
    items = [
        item
        for item in ITEMS.values()
        if item.kind == "certificate" and "megabytes" not in item.name and "thousands" not in item.name
    ]
    item = random.choice(items)
    for name, content in item.make(random).items():
        folder = random.choice(sources(world))
        kept = name.endswith((".crt", ".p11-kit")) or "pki" in folder
        place = os.fsencode(name if kept else f"{os.path.splitext(name)[0]}.crt")
        if len(place) <= 255:
            world.tree.file(os.fsencode(folder) + b"/" + place, content)


@tree()
def sources_by_the_thousand(world: World, random: Random) -> None:
    folder = sources(world)[1]
    files = certificates.thousands_with_one_subject_hash(random)["many.pem"].split(b"-----END CERTIFICATE-----\n")
    for number, content in enumerate(files[:1000]):
        world.tree.file(f"{folder}/{number}.crt", content + b"-----END CERTIFICATE-----\n")


@tree()
def private_keys_in_sources(world: World, random: Random) -> None:
    for name, content in certificates.private_keys(random).items():
        world.tree.file(f"{random.choice(sources(world)[:2])}/{os.path.splitext(name)[0]}.crt", content)


@tree()
def a_rootfs_trust_toml_inside(world: World, random: Random) -> None:
    """And what else may be taken for ours."""
    for path in (
        "rootfs-trust.toml",
        "etc/rootfs-trust.toml",
        ".rootfs-trust-0",
        "etc/ssl/certs/.rootfs-trust-0",
        "fleet.toml.done",
    ):
        world.tree.file(path, hostile_toml(random, TEDGE))
