"""The directory of one case: a root filesystem, what is given to the command, and canaries that no run may touch."""

from __future__ import annotations

import base64
import ctypes
import functools
import os
import stat
import tempfile
from pathlib import Path
from random import Random
from typing import NamedTuple

from rootfs_trust import InstallOptions, install
from rootfs_trust.store.jks import keystore
from tests.hostile.hands import Hands, snapshot
from tests.support.authority import Authority
from tests.support.layout_trees import ALPHA, BETA, CREATED, FAMILIES, ODD, LayoutTree, shipped_authority

SECRET = "CANARY7f3a9c"
NEW, SERVER_CA = Authority("My CA"), Authority("Server Root CA")
SERVER = SERVER_CA.server("mqtt.example.com")
OUTSIDE = Authority(f"{SECRET} Root")
_BIND, _REMOUNT, _READ_ONLY, _PRIVATE, _NEW_NAMESPACE = 0x1000, 0x20, 0x1, 0x44000, 0x20000
_libc = ctypes.CDLL(None, use_errno=True)


def _of_pem(pem: bytes) -> tuple[bytes, ...]:
    lines = pem.splitlines()
    return tuple(line[:40] for line in lines[2:4] if len(line) > 20 and b"-" not in line)


MARKERS = (
    SECRET.encode(),
    *_of_pem(OUTSIDE.pem),
    *_of_pem(OUTSIDE.key_pem),
    OUTSIDE.der[-40:],
    OUTSIDE.sha256.encode(),
    base64.b64encode(SECRET.encode())[:12],
)
"""What only the canaries hold: none of it may be in what a run prints or writes."""

CANARIES = {
    "cert.pem": OUTSIDE.pem,
    "cert.der": OUTSIDE.der,
    "key.pem": OUTSIDE.key_pem,
    "os-release": f"ID={SECRET}\nNAME={SECRET}\n".encode(),
    "text.conf": f"{SECRET}\nmozilla/{SECRET}.crt\n".encode(),
    "tedge.toml": f'[config]\nversion = "2"\n[c8y]\nurl = "{SECRET}"\nroot_cert_path = "/{SECRET}"\n'.encode(),
    "document.json": f'{{"imageLayoutVersion": "1.0.0", "{SECRET}": "{SECRET}", "manifests": []}}'.encode(),
    "folder/cert.pem": OUTSIDE.pem,
    "folder/cert.crt": OUTSIDE.pem,
    "folder/text": SECRET.encode(),
    "folder/mapper.toml": f'url = "{SECRET}"\n'.encode(),
    "empty/.keep": b"",
}
HOST = (
    "/etc/passwd",
    "/etc/hostname",
    "/etc/ssl/certs",
    "/proc/self/environ",
    "/proc/self/fd/0",
    "/dev/zero",
    "/dev/stdin",
)


class Entry(NamedTuple):
    path: bytes
    kind: int
    """As in a mode: S_IFREG, S_IFLNK or S_IFDIR."""
    mode: int
    content: bytes
    """Of a file; the text of a link."""


class Base(NamedTuple):
    """A sane root filesystem of a layout."""

    family: str
    installed: bool
    entries: tuple[Entry, ...]
    names: tuple[str, ...]
    local: str

    @property
    def paths(self) -> list[bytes]:
        return [entry.path for entry in self.entries]


@functools.cache
def bases() -> dict[tuple[str, bool], Base]:
    """Every layout, as a package left it and as ``install`` left it."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for family in FAMILIES:
            tree = LayoutTree(Path(folder) / family.name, family)
            _add_programs(tree)
            for installed in (False, True):
                if installed:
                    (Path(folder) / "ca.pem").write_bytes(NEW.pem)
                    install(tree.root, InstallOptions(certs=(f"{folder}/ca.pem",), drop_unsourced=True))
                entries = tuple(_entries(tree.root))
                found[family.name, installed] = Base(family.name, installed, entries, family.names, family.local)
    return found


def _add_programs(tree: LayoutTree) -> None:
    """What reads a trust store, or keeps one: thin-edge.io, Java, Node.js, certifi, and users."""
    tree.write(
        "etc/tedge/tedge.toml", b'[config]\nversion = "2"\n[c8y]\nurl = "a.example"\n[c8y.profiles.x]\nurl = "b"\n'
    )
    tree.write("etc/tedge/mappers/aws/mapper.toml", b'url = "aws.example"\nroot_cert_path = "/etc/ssl/certs"\n')
    tree.write("etc/mosquitto/mosquitto.conf", b"listener 1883\ncafile /etc/ssl/certs/ca-certificates.crt\n")
    tree.write("etc/passwd", b"root:x:0:0::/:\ntedge:x:100:100::/:\nmosquitto:x:101:101::/:\n")
    tree.write("etc/group", b"root:x:0:\ntedge:x:100:\nmosquitto:x:101:tedge\n")
    tree.write("usr/lib/jvm/java-17/lib/security/cacerts", keystore([("a", shipped_authority(ALPHA).der)], CREATED))
    tree.write("usr/lib/python3/dist-packages/certifi/cacert.pem", shipped_authority(ALPHA).pem)
    tree.write("usr/bin/node", b"#!node\n")
    tree.write(
        "usr/lib/systemd/system/tedge-agent.service.d/10-rootfs-trust.conf", b'[Service]\nEnvironment="TEDGE_A=b"\n'
    )
    tree.directory("usr/share/doc")


def _entries(root: str):
    for path, about in sorted(snapshot(root).items()):
        full = os.fsencode(root) + b"/" + path
        mode = int(str(about[0]))
        if stat.S_ISLNK(mode):
            content = os.readlink(full)
        else:
            content = Path(os.fsdecode(full)).read_bytes() if stat.S_ISREG(mode) else b""
        yield Entry(path, stat.S_IFMT(mode), stat.S_IMODE(mode), content)


class World:
    """``folder`` gets ``in/rootfs``, ``given`` (inputs), ``outside`` (canaries), ``out`` (results) and ``work``."""

    def __init__(self, folder: str) -> None:
        self.directory = folder
        self.root, self.outside, self.given = f"{folder}/in/rootfs", f"{folder}/outside", f"{folder}/given"
        self.out, self.work = f"{folder}/out", f"{folder}/work"
        self.tree = Hands(self.root)
        self.files = Hands(self.given)
        self.base = next(iter(bases().values()))
        self.source = ""
        self.shares = False
        """Whether canaries have a second name in the tree: then they may be read, and their count of names changes."""
        for each in (self.out, self.work):
            os.mkdir(each)
        canaries = Hands(self.outside)
        for name, content in CANARIES.items():
            canaries.file(name, content)
        canaries.close()
        for name, content in (
            ("ca.pem", NEW.pem),
            ("chain.pem", SERVER.pem + SERVER_CA.pem),
            ("server-ca.pem", SERVER_CA.pem),
            ("sane.toml", b'[[anchor]]\nfile = "ca.pem"\nname = "ca"\n'),
        ):
            self.files.file(name, content)
        self._seen = self._outside()

    def close(self) -> None:
        for path in (self.root, self.out):
            _libc.umount2(os.fsencode(path), 2)  # what an item may have mounted there
        self.tree.close()
        self.files.close()

    def start(self, random: Random, family: str = "") -> None:
        """A sane root filesystem, of some layout."""
        name = family or random.choice(FAMILIES).name
        self.build(bases()[name, random.random() < 0.5])

    def build(self, base: Base, hands: Hands | None = None) -> None:
        """The root filesystem ``base`` below the hands' directory, which is the world's root by default."""
        self.base = base if hands is None else self.base
        hands = hands or self.tree
        for entry in base.entries:
            if entry.kind == stat.S_IFDIR:
                hands.directory(entry.path, entry.mode)
            elif entry.kind == stat.S_IFLNK:
                hands.link(entry.path, entry.content)
            else:
                hands.file(entry.path, entry.content, entry.mode)

    def sane_tree(self, name: str, family: str) -> str:
        """Another, sane root filesystem, beside the inputs."""
        hands = Hands(f"{self.given}/{name}")
        self.build(bases()[family, True], hands)
        hands.close()
        return hands.path

    def link_out(self, random: Random, path: bytes) -> bytes:
        """A text for a link at ``path`` that leads to a canary, the host, itself, or nowhere, if it were followed."""
        target = f"{self.outside}/{self._twin(random, os.fsdecode(path))}"
        relative = "../" * (path.count(b"/") + 2) + target.removeprefix(f"{self.directory}/")
        name = os.path.basename(path)
        texts = (
            *(target, target, target, relative, f"/../../..{target}", "../" * 40 + target[1:]),
            *(f"/proc/self/root{target}", f"/proc/self/cwd/../{target.removeprefix(self.directory)}", *HOST),
            *(
                os.fsdecode(name),
                f"/{os.fsdecode(path)}/x",
                "/",
                "..",
                ".",
                "nowhere",
                "/nowhere/x",
                "x" * 4000,
                "\x1b[31m",
            ),
        )
        return os.fsencode(random.choice(texts))

    @staticmethod
    def _twin(random: Random, path: str) -> str:
        name = os.path.basename(path)
        if name.endswith((".toml",)):
            return random.choice(("tedge.toml", "folder/mapper.toml"))
        if name in ("os-release", "passwd", "group"):
            return "os-release"
        if name.endswith((".conf", ".json")):
            return random.choice(("text.conf", "document.json", "key.pem"))
        if "." in name or name == "cacerts":
            return random.choice(("cert.pem", "cert.pem", "cert.der", "key.pem"))
        return random.choice(("folder", "folder", "empty", "cert.pem", "text.conf"))

    # -- canaries ------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """From now on, nothing may change outside: hard links of canaries have been made by now."""
        for folder, _, names in os.walk(self.outside):
            for name in (".", *names):
                path = f"{folder}/{name}"
                os.utime(path, ns=(10**18, os.lstat(path).st_mtime_ns), follow_symlinks=False)
        self._seen = self._outside()

    def touched(self, *, reading: bool = True) -> list[str]:
        """What happened to the canaries."""
        found = []
        after = self._outside()
        for path in sorted(self._seen.keys() | after.keys()):
            old, new = self._seen.get(path), after.get(path)
            if old is None or new is None or old[1:] != new[1:]:
                found.append(f"canary changed: {path}")
            elif reading and not self.shares and old[0] != new[0]:
                found.append(f"canary read: {path}")
        return found

    def _outside(self) -> dict[str, tuple[object, ...]]:
        found = {}
        for folder, _, names in os.walk(self.outside):
            for name in (".", *names):
                status = os.lstat(f"{folder}/{name}")
                path = os.path.relpath(f"{folder}/{name}", self.outside)
                content = CANARIES.get(path)
                # Before anything here reads the file, for that is what the time of access is to show.
                changed = 0 if self.shares else status.st_ctime_ns
                found[path] = (status.st_atime_ns, status.st_mtime_ns, changed, status.st_mode, status.st_size, content)
        return found

    def canaries_hold(self) -> bool:
        """Whether the canaries' bytes are what they were."""
        return all(Path(f"{self.outside}/{name}").read_bytes() == content for name, content in CANARIES.items())


def fenced_in(scratch: str) -> bool:
    """Make all but ``scratch`` read-only for this process and its children, where the caller may."""
    if os.geteuid() != 0 or _libc.unshare(_NEW_NAMESPACE) != 0:
        return False
    path = os.fsencode(scratch)
    steps = (
        (b"none", b"/", None, _PRIVATE),
        (path, path, None, _BIND),
        (b"none", b"/", None, _BIND | _REMOUNT | _READ_ONLY),
    )
    return all(_libc.mount(source, target, kind, flags, None) == 0 for source, target, kind, flags in steps)


__all__ = ["ALPHA", "BETA", "ODD"]
