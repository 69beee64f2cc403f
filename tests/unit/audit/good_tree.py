"""A small root filesystem that is in order, as ``install`` leaves it; tests then damage it."""

from __future__ import annotations

import shutil
from pathlib import Path

from rootfs_trust import InstallOptions, install
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority
from tests.support.layout_trees import FAMILIES, LayoutTree

CERTS, LOCAL, CONF = "etc/ssl/certs", "usr/local/share/ca-certificates", "etc/ca-certificates.conf"
BUNDLE, TEDGE = f"{CERTS}/ca-certificates.crt", "etc/tedge/tedge.toml"

CA = Authority("My CA")
TWINS = Authority("Twin CA"), Authority("Twin CA")
"""Two CAs of one name: their hash links are H.0 and H.1."""

BY_NAME = {family.name: family for family in FAMILIES}


class GoodTree(LayoutTree):
    """``path`` must not be there yet. ``clouds`` are set up; the anchors are my-ca, twin-a and twin-b."""

    @classmethod
    def build(cls, path: Path, family: str, *clouds: str) -> GoodTree:
        tree = cls(path, BY_NAME[family])
        tree.write("etc/passwd", b"tedge:x:951:950::/:\nmosquitto:x:961:960::/:\n")
        certs = path.parent / f"{path.name}-certs"
        certs.mkdir()
        for name, authority in (("my-ca", CA), ("twin-a", TWINS[0]), ("twin-b", TWINS[1])):
            (certs / f"{name}.pem").write_bytes(authority.pem)
        install(tree.root, InstallOptions(certs=[str(certs)], clouds=clouds))
        return tree

    def copy(self, path: Path) -> GoodTree:
        """The same tree in another place, which has not been there yet."""
        shutil.copytree(self.path, path, symlinks=True)
        copied = object.__new__(GoodTree)
        copied.path, copied.family = path, self.family
        return copied

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def delete(self, *names: str) -> None:
        for name in names:
            (self.path / name).unlink()

    def append(self, name: str, data: bytes) -> None:
        self.write(name, self.read(name) + data)

    def replace(self, name: str, old: bytes, new: bytes) -> None:
        content = self.read(name)
        assert content.count(old) == 1, name
        self.write(name, content.replace(old, new))

    def install(self, name: str, authority: Authority) -> None:
        """One anchor more, as ``install`` puts it there."""
        file = self.path.parent / f"{name}.pem"
        file.write_bytes(authority.pem)
        install(self.root, InstallOptions(certs=[str(file)]))

    def put(self, name: str, pem: bytes, subject_of: Authority) -> None:
        """The same without asking anybody: source, link, hash link and bundle."""
        self.write(f"{LOCAL}/{name}.crt", pem)
        self.link(f"{CERTS}/{name}.pem", f"/{LOCAL}/{name}.crt")
        self.link(f"{CERTS}/{hash_of(subject_of)}.0", f"{name}.pem")
        self.append(BUNDLE, pem)

    def hash_links(self) -> list[str]:
        names = [path.name for path in (self.path / CERTS).iterdir() if path.suffix[1:].isdigit()]
        return [f"{CERTS}/{name}" for name in names]


def hash_of(authority: Authority) -> str:
    return parse_certificate(authority.der).subject.hash


def link_of(authority: Authority, number: int = 0) -> str:
    return f"{CERTS}/{hash_of(authority)}.{number}"
