"""``list --client`` and the real clients on one random tree: before and after install, remove and distrust."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from rootfs_trust.api.install import install
from rootfs_trust.api.list_anchors import list_anchors
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.remove import remove
from rootfs_trust.clients import gnutls, java, openssl
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.errors import ConflictError, InputError
from rootfs_trust.layouts import BUNDLES
from rootfs_trust.layouts.layout import EVERY_FILE, P11KIT
from rootfs_trust.layouts.with_p11kit import P11KITS
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.x509 import read_objects
from tests.clients.authorities import authorities
from tests.clients.judges import Gnutls, Go, Java, P11Kit, Rustls, StorePlan
from tests.clients.judges import openssl as real_openssl
from tests.clients.trees import Bases, families, scatter, scatter_more
from tests.support.debian_tree import snapshot

NOBODY = (False,) * len(authorities())
P11KIT_SOURCES = tuple(path for layout in P11KITS for path in layout.tokens)


@dataclass(frozen=True)
class Judges:
    gnutls: Gnutls
    go: Go
    rustls: Rustls
    java: Java | None = None
    p11kit: P11Kit | None = None

    @property
    def more(self) -> bool:
        """Whether the trees have what these two read."""
        return self.java is not None or self.p11kit is not None


@dataclass
class Counts:
    """What was compared, for the figure of the documentation."""

    trees: int = 0
    questions: int = 0
    removed: int = 0
    refused: int = 0


def one(seed: int, directory: Path, bases: Bases, judges: Judges, counts: Counts) -> None:
    """One tree of one layout. Raises AssertionError where the real clients differ from what we say."""
    random, machine = Random(seed), _machine()
    family = random.choice(families())
    root = directory / "rootfs"
    bases.copy(family, root)
    scatter(random, root)
    if judges.more:
        scatter_more(Random(f"{seed} more"), root)
    counts.trees += 1
    _compare(root, judges, counts, f"seed {seed}, {family.name}, as found")
    for step in range(2):
        what = _change(random, root, directory, judges, counts, f"seed {seed}, {family.name}, step {step}")
        _compare(root, judges, counts, f"seed {seed}, {family.name}, after {what}")
    assert _machine() == machine, f"seed {seed}: a store of this machine was written"


def _machine() -> dict[str, tuple[int, int]]:
    """Size and time of each store file of the machine itself, to which links of a tree may lead."""
    return {path: (os.stat(path).st_size, os.stat(path).st_mtime_ns) for path in BUNDLES if os.path.isfile(path)}


def _compare(root: Path, judges: Judges, counts: Counts, where: str) -> None:
    for client, real in _real(root, judges).items():
        said = {anchor.certificate.sha256 for anchor in list_anchors(str(root), clients=[client])}
        ours = tuple(authority.sha256 in said for authority in authorities())
        counts.questions += len(ours)
        assert ours == real, f"{where}: {client}: we say {_shown(ours)}, it says {_shown(real)}"


def _real(root: Path, judges: Judges) -> dict[str, StorePlan]:
    with _reading(root) as reading:
        bundle, directories = openssl.default_bundle(reading), openssl.default_directories(reading)
        way, place = reading.defaults.gnutls_way, gnutls.system_trust(reading).searched
        is_directory = reading.is_directory(place)
        keystore = reading.view.real_path(java.default_store(reading) or "/nowhere")
    answers = {
        "openssl-bundle": real_openssl(root, bundle, ()),
        "openssl-directory": real_openssl(root, None, directories),
        "go": judges.go(root),
        "rustls-native": judges.rustls(root),
    }
    if way == EVERY_FILE and is_directory:
        answers["gnutls"] = judges.gnutls.by_directory(root, place)
    elif not (way == P11KIT and place.startswith(P11KIT_SOURCES)):
        answers["gnutls"] = judges.gnutls.by_file(root, place)
    elif judges.p11kit:
        answers["gnutls"] = judges.p11kit(root, tuple(place.split(" and ")))
    if judges.java and keystore:
        answers["java"] = judges.java(root / keystore[1:])
    return answers


@contextmanager
def _reading(root: Path) -> Iterator[FileReader]:
    with RootDirectory(str(root)) as tree:
        yield FileReader(Device(tree))


def _change(random: Random, root: Path, directory: Path, judges: Judges, counts: Counts, where: str) -> str:
    """Install, remove or distrust one CA; a run that refuses has written nothing."""
    before, trusted = snapshot(root), _real(root, judges)
    verb = random.choice(("install", "remove", "remove", "distrust"))
    there = [each for each, some in zip(authorities(), zip(*trusted.values(), strict=True), strict=True) if any(some)]
    authority = random.choice(there if there and verb != "install" else authorities())
    gone = set() if verb == "install" else {authority.sha256}
    blocked = _blocklisted(root)
    try:
        _run(verb, root, directory, authority.pem, authority.sha256)
    except (ConflictError, InputError):
        counts.refused += 1
        assert snapshot(root) == before, f"{where}: {verb} refused, and wrote"
        return f"{verb}, which was refused"
    after = _real(root, judges)
    for client, answer in after.items():
        for each, had, has in zip(authorities(), trusted.get(client, NOBODY), answer, strict=True):
            if each.sha256 in gone:
                assert not has, f"{where}: {verb} was done, and {client} still trusts {each.name}"
            else:
                assert has or not had or each.sha256 in blocked, f"{where}: {verb} took {each.name} from {client}"
    counts.removed += bool(gone)
    return verb


def _blocklisted(root: Path) -> set[str]:
    """The certificates that the tree itself distrusts: any tool drops a stale copy in the bundle."""
    files = (file for path in P11KIT_SOURCES for file in (root / path[1:] / "blocklist").glob("*"))
    return {each.sha256 for file in files if file.is_file() for _, each in read_objects(file.read_bytes()).certificates}


def _run(verb: str, root: Path, directory: Path, pem: bytes, sha256: str) -> None:
    (directory / "ca.pem").write_bytes(pem)
    (directory / "empty.toml").write_text("")
    config = directory / "empty.toml"
    if verb == "remove":
        remove(str(root), [f"sha256:{sha256}"])
        return
    if verb == "distrust":
        config = directory / "distrust.toml"
        config.write_text(f'[store]\ndistrust = ["sha256:{sha256}"]\n')
    certs = [str(directory / "ca.pem")] if verb == "install" else []
    install(str(root), InstallOptions(certs=certs, config=str(config)))


def _shown(answer: StorePlan) -> str:
    return "".join("1" if each else "0" for each in answer)
