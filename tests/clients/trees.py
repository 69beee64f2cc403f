"""Random trees: certificates in files of all names, in all places that the table of clients knows, and links."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from rootfs_trust.api.install import install
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.clients.table import DIRECTORIES, JAVA_STORES
from rootfs_trust.layouts import BUNDLES
from rootfs_trust.layouts.with_p11kit import P11KITS
from rootfs_trust.store.jks import keystore
from rootfs_trust.x509 import encode, parse_certificate
from tests.clients.authorities import authorities
from tests.support.authority import Authority
from tests.support.layout_trees import FAMILIES, Family, LayoutTree

_NAMES = (
    "corp.crt",
    "corp.pem",
    "corp.cer",
    "corp.bak",
    "corp",
    "a b.pem",
    ".hidden.pem",
    "ca-certificates.crt.apk-new",
    "ca-certificates.crt.dpkg-new",
    "ca-bundle.crt.rpmnew",
    "ca-bundle.crt.pacnew",
)
_HASH_NAMES = ("{}.0", "{}.0", "{}.0", "{}.1", "{}.2", "{}.00", "{}.r0", "{}.007", "{}.0x")


class Bases:
    """A tree of each layout after a first ``install``, made once and copied."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir()

    def copy(self, family: Family, path: Path) -> None:
        base = self._directory / family.name
        if not base.exists():
            install(LayoutTree(base, family).root, InstallOptions(config=os.devnull))
        shutil.copytree(base, path, symlinks=True)


def families() -> tuple[Family, ...]:
    return FAMILIES


def scatter(random: Random, root: Path) -> None:
    """Put some of the CAs into the tree, in ways of administrators and package managers, and in some of nobody."""
    for _ in range(random.choice((1, 2, 4, 8))):
        random.choice((_file, _file, _file, _link, _hash_link, _append))(random, root)


def scatter_more(random: Random, root: Path) -> None:
    """The same for what Java reads, and for sources of p11-kit where the tree has them."""
    if random.random() < 0.2:
        some = random.sample(authorities(), random.choice((1, 2, 3)))
        _write(root, random.choice(JAVA_STORES), keystore([(f"ca{n}", each.der) for n, each in enumerate(some)], 0))
    for source in (path for layout in P11KITS for path in layout.tokens if (root / path[1:]).is_dir()):
        for _ in range(random.choice((0, 1, 1, 2))):
            directory = random.choice(("", "anchors/", "anchors/", "blocklist/"))
            _write(root, f"{source}/{directory}{random.choice(_NAMES)}", _content(random))


def _places(random: Random, paths: tuple[str, ...] = DIRECTORIES) -> str:
    """One of the paths; none in Yocto's directory, which would make any tree one of Yocto."""
    return random.choice([path for path in paths if not path.startswith("/usr/lib/ssl-3")])


def _file(random: Random, root: Path) -> None:
    if random.random() < 0.2:
        path = _places(random, BUNDLES)
    elif random.random() < 0.3:
        path = f"{_places(random)}/{_hash_name(random)}"
    else:
        path = f"{_places(random)}/{random.choice(_NAMES)}"
    _write(root, path, _content(random))


def _append(random: Random, root: Path) -> None:
    """To a bundle that is a separate file: an absolute link of the tree would lead to the machine's own bundle."""
    path = _inside(root, _places(random, BUNDLES))
    if path.is_file() and not path.is_symlink():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW), "ab") as file:
            file.write(_content(random))


def _link(random: Random, root: Path) -> None:
    """To a file elsewhere, to a neighbour, or to nothing."""
    target = random.choice((f"/opt/corp/{random.randrange(3)}.pem", "corp.crt", "../corp.pem", "/nowhere"))
    if target.startswith("/opt"):
        _write(root, target, _content(random))
    _symlink(root, f"{_places(random)}/{random.choice(_NAMES)}", target)


def _hash_link(random: Random, root: Path) -> None:
    """The hash link of a file beside it, mostly the right one."""
    directory, name = _places(random), random.choice(_NAMES)
    authority = random.choice(authorities())
    _write(root, f"{directory}/{name}", random.choice((authority.pem, authority.pem, _content(random))))
    _symlink(
        root,
        f"{directory}/{_hash_of(authority)}.{random.choice((0, 0, 0, 1))}",
        random.choice((name, f"{directory}/{name}")),
    )


def _hash_name(random: Random) -> str:
    digits = _hash_of(random.choice(authorities()))
    return random.choice(_HASH_NAMES).format(random.choice((digits, digits, digits, digits.upper())))


def _hash_of(authority: Authority) -> str:
    return parse_certificate(authority.der).subject.hash


def _content(random: Random) -> bytes:
    """One CA or several, most often in clean PEM."""
    some = random.sample(authorities(), random.choice((1, 1, 1, 2, 3)))
    forms: tuple[Callable[[Authority], bytes], ...] = (
        *(lambda each: each.pem,) * 8,
        lambda each: each.pem.replace(b"\n", b"\r\n"),
        lambda each: b"text before\n" + each.pem + b"and behind\n",
        lambda each: encode(each.der, "X509 CERTIFICATE"),
        lambda each: encode(each.der, "TRUSTED CERTIFICATE"),
        lambda each: b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n" + each.pem,
        lambda each: each.der,
        lambda each: b"\xef\xbb\xbf" + each.pem,
    )
    return b"".join(random.choice(forms)(each) for each in some)


def _write(root: Path, path: str, content: bytes) -> None:
    place = _inside(root, path)
    if not place.is_dir():
        place.unlink(missing_ok=True)
        place.write_bytes(content)


def _symlink(root: Path, path: str, target: str) -> None:
    place = _inside(root, path)
    if not os.path.lexists(place):
        place.symlink_to(target)


def _inside(root: Path, path: str) -> Path:
    """The host's path of a path of the tree; its directories are made, and followed inside the tree."""
    here, rest = root, [part for part in path.split("/") if part]
    *directories, name = rest
    for part in directories:
        here = here / part
        if here.is_symlink():
            text = os.readlink(here)
            base = root if text.startswith("/") else here.parent
            here = Path(os.path.normpath(f"{base}/{text.lstrip('/') if text.startswith('/') else text}"))
            assert here.is_relative_to(root)
        here.mkdir(parents=True, exist_ok=True)
    return here / name
