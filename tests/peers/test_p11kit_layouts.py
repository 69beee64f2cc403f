"""Whole stores of the p11-kit family against what the distribution's own script makes the real tool write.

The scripts are recreated as the list of their calls; the sources are laid out so that no directory has two files
whose order readdir could choose: what is shipped comes in one .p11-kit file, as Fedora, SUSE and Arch ship it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rootfs_trust.api.apply_plan import apply_and_verify
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.layouts.with_p11kit import ARCH, FEDORA, SUSE
from rootfs_trust.rootfs.plan import make_plan
from rootfs_trust.rootfs.root_directory import RootDirectory as Tree
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.jks import keystore
from rootfs_trust.store.plan_store import plan_store
from rootfs_trust.store.store_plan import Request, StorePlan
from rootfs_trust.x509 import Certificate, parse_certificate, read_objects
from rootfs_trust.x509.oids import EMAIL, SERVER_AUTH
from tests.peers.test_p11kit_extract import shipped_roots
from tests.support.debian_tree import contents
from tests.support.peers import needs_root
from tests.unit.store.p11kit.peer import TrustTool
from tests.unit.store.p11kit.sources import Root, persist, stapled_usages

pytestmark = pytest.mark.slow

ANCHORS, TLS = "--filter=ca-anchors", "--purpose=server-auth"
BUNDLE, TRUSTED, HASHED = "--format=pem-bundle", "--format=openssl-bundle", "--format=pem-directory-hash"


@dataclass(frozen=True)
class Script:
    """The calls of a distribution's script: output below the root, and options."""

    layout: Layout
    calls: tuple[tuple[str, ...], ...]
    comments: Mapping[str, str] = field(default_factory=dict)
    """What the script writes before the first certificate of an output, by `cat`."""

    def run(self, tool: TrustTool, directory: Path) -> None:
        """Extract every output below ``folder``."""
        for path, *options in self.calls:
            place = directory / path
            place.parent.mkdir(parents=True, exist_ok=True)
            tool.extract(*options, str(place), SOURCE_DATE_EPOCH=str(CREATED))
            if path in self.comments:
                extracted = place.read_bytes()
                place.unlink()
                place.write_bytes(self.comments[path].encode() + extracted)
                place.chmod(0o644)


_FEDORA, _SUSE, _ARCH = "etc/pki/ca-trust/extracted", "var/lib/ca-certificates", "etc/ca-certificates/extracted"
SUSES = """\
#
# automatically created by /usr/lib/ca-certificates/update.d/99certbundle.run. Do not edit!
#
# Use of this file is deprecated and should only be used as last
# resort by applications that do not support p11-kit or reading /etc/ssl/certs.
# You should avoid hardcoding any paths in applications anyways though. Use
# functions that know the operating system defaults instead:
#
# - openssl: SSL_CTX_set_default_verify_paths()
# - gnutls: gnutls_certificate_set_x509_system_trust(cred)
#
"""
"""99certbundle.run of openSUSE's ca-certificates."""

SCRIPTS = [
    Script(
        FEDORA,
        (
            (f"{_FEDORA}/openssl/ca-bundle.trust.crt", TRUSTED, "--filter=certificates", "--comment"),
            (f"{_FEDORA}/pem/tls-ca-bundle.pem", BUNDLE, ANCHORS, TLS, "--comment"),
            (f"{_FEDORA}/pem/email-ca-bundle.pem", BUNDLE, ANCHORS, "--purpose=email", "--comment"),
            (f"{_FEDORA}/pem/objsign-ca-bundle.pem", BUNDLE, ANCHORS, "--purpose=code-signing", "--comment"),
            (f"{_FEDORA}/java/cacerts", "--format=java-cacerts", ANCHORS, TLS),
            (f"{_FEDORA}/edk2/cacerts.bin", "--format=edk2-cacerts", ANCHORS, TLS),
            (f"{_FEDORA}/pem/directory-hash", HASHED, ANCHORS, TLS),
        ),
    ),
    Script(
        SUSE,
        (
            (f"{_SUSE}/java-cacerts", "--format=java-cacerts", ANCHORS, TLS),
            (f"{_SUSE}/openssl", "--format=openssl-directory", ANCHORS),
            (f"{_SUSE}/pem", HASHED, ANCHORS, TLS),
            (f"{_SUSE}/ca-bundle.pem", BUNDLE, ANCHORS, TLS),
        ),
        {f"{_SUSE}/ca-bundle.pem": SUSES},
    ),
    Script(
        ARCH,
        (
            (f"{_ARCH}/ca-bundle.trust.crt", TRUSTED, "--filter=certificates", "--comment"),
            (f"{_ARCH}/tls-ca-bundle.pem", BUNDLE, ANCHORS, TLS, "--comment"),
            (f"{_ARCH}/email-ca-bundle.pem", BUNDLE, ANCHORS, "--purpose=email", "--comment"),
            (f"{_ARCH}/objsign-ca-bundle.pem", BUNDLE, ANCHORS, "--purpose=code-signing", "--comment"),
            (f"{_ARCH}/java-cacerts.jks", "--format=java-cacerts", ANCHORS, TLS),
            (f"{_ARCH}/edk2-cacerts.bin", "--format=edk2-cacerts", ANCHORS, TLS),
            (f"{_ARCH}/cadir", HASHED, ANCHORS, TLS),
        ),
    ),
]


REBUILD = Request()
CREATED = 1_700_000_000


class Rootfs:
    """A tree with one shipped file, and the real tool for it."""

    def __init__(self, path: Path, script: Script) -> None:
        self.path = path
        # Bookworm's p11-kit takes the first of several common names for a label.
        self.layout = script.layout._replace(tool=script.layout.tool._replace(last_name=False))
        self.script = script
        shipped = path / script.layout.tokens[1][1:] / "ca-bundle.trust.p11-kit"
        shipped.parent.mkdir(parents=True)
        shipped.write_bytes(shipped_file())
        (path / script.layout.local[1:]).mkdir(parents=True)
        for bundle in script.layout.tool.bundles:
            if bundle.format == "java":  # the date of the store that is there is kept
                java = path / bundle.path[1:]
                java.parent.mkdir(parents=True)
                java.write_bytes(keystore([("old", MINE.der)], CREATED))
                java.chmod(0o444)

    def plan(self, request: Request = REBUILD) -> StorePlan:
        """Carry out the plan of the layout, which must have no conflict."""
        with Tree(str(self.path)) as tree:
            store = plan_store(self.layout, tree, request)
            assert (store.conflicts, store.problems) == ([], [])
            plan = make_plan(tree, store.desired)
            assert plan.conflicts == ()
            apply_and_verify(tree, plan, store.desired, owner=None, timestamp=None)
        return store

    def outputs(self) -> dict[str, object]:
        return _below(self.path, [call[0] for call in self.script.calls])

    def real_outputs(self, directory: Path) -> dict[str, object]:
        tool = TrustTool(self.path / token[1:] for token in self.layout.tokens)
        self.script.run(tool, directory)
        return _below(directory, [call[0] for call in self.script.calls])


def _below(root: Path, paths: list[str]) -> dict[str, object]:
    """Modes and contents, the links aside that the script itself adds."""
    found = {name: each for name, each in contents(root).items() if name.startswith(tuple(paths))}
    return {name: each for name, each in found.items() if not name.endswith(("ca-certificates.crt", "ca-bundle.crt"))}


_SHIPPED: list[bytes] = []


def shipped_file() -> bytes:
    """Debian's CAs as Fedora ships them: some for email only, one distrusted."""
    if not _SHIPPED:
        made = []
        for file in shipped_roots():
            der = parse_certificate_of(file).der
            made.append(persist("trusted: true", "nss-mozilla-ca-policy: true", "modifiable: false", block=der))
        mail, gone = Root("Mail Only"), Root("Gone (x), Inc.")
        made.append(stapled_usages(mail, EMAIL) + persist("trusted: true", block=mail.der))
        made.append(stapled_usages(gone, SERVER_AUTH, EMAIL) + persist("x-distrusted: true", block=gone.der))
        made.append(persist("trusted: true", 'label: "Odd (x), na%c3%afve"', block=Root("Odd").der))
        _SHIPPED.append(b"".join(made))
    return _SHIPPED[0]


def parse_certificate_of(file: Path) -> Certificate:
    return read_objects(file.read_bytes()).certificates[0][1]


@pytest.fixture(params=SCRIPTS, ids=lambda script: script.layout.name)
def rootfs(request: pytest.FixtureRequest, tmp_path: Path) -> Rootfs:
    needs_root()
    return Rootfs(tmp_path / "root", request.param)


def anchor(root: Root, name: str = "my-ca") -> Anchor:
    return Anchor(name, parse_certificate(root.der), f"{name}.pem")


MINE, OTHER = Root("My CA"), Root("My CA")
REQUESTS = {
    "rebuild": Request(),
    "install": Request(anchors=(anchor(MINE),)),
    "remove": Request(remove=("ISRG Root X1",)),
    "remove an odd name": Request(remove=("Odd (x), naïve",)),
    "only": Request(anchors=(anchor(MINE),), only=True),
}


@pytest.mark.parametrize("asked", REQUESTS.values(), ids=REQUESTS)
def test_every_output(rootfs: Rootfs, asked: Request, tmp_path: Path) -> None:
    rootfs.plan(asked)
    ours, real = rootfs.outputs(), rootfs.real_outputs(tmp_path / "real")
    if asked.only:
        ours, real = _without_trusted_bundle(ours), _without_trusted_bundle(real)
    assert ours == real
    assert len(ours) > 100 or asked.only


def _without_trusted_bundle(outputs: dict[str, object]) -> dict[str, object]:
    """The bundle of all certificates lists the blocklist too, whose many files readdir orders."""
    return {name: each for name, each in outputs.items() if not name.endswith("ca-bundle.trust.crt")}


def test_twice_is_once(rootfs: Rootfs) -> None:
    for asked in REQUESTS.values():
        rootfs.plan(asked)
        before = contents(rootfs.path)
        repeated = asked._replace(remove=())
        with Tree(str(rootfs.path)) as tree:
            plan = make_plan(tree, plan_store(rootfs.layout, tree, repeated).desired)
        assert plan.actions == ()
        assert contents(rootfs.path) == before


def test_install_then_remove_leaves_nothing(rootfs: Rootfs) -> None:
    rootfs.plan()
    before = contents(rootfs.path)
    rootfs.plan(Request(anchors=(anchor(MINE), anchor(OTHER, "second"))))
    assert contents(rootfs.path) != before
    rootfs.plan(Request(remove=("my-ca", "second")))
    assert contents(rootfs.path) == before


def test_two_of_one_subject(rootfs: Rootfs, tmp_path: Path) -> None:
    """Both in one file: the second one's file, links and alias are numbered."""
    local = rootfs.path / rootfs.layout.local[1:]
    (local / "both.pem").write_bytes(MINE.pem + OTHER.pem)
    rootfs.plan()
    assert rootfs.outputs() == rootfs.real_outputs(tmp_path / "real")


def test_only_and_back(rootfs: Rootfs) -> None:
    """An anchor that ``only`` put on the blocklist comes off it again when it is asked for."""
    shipped = parse_certificate_of(next(each for each in shipped_roots() if each.name.startswith("ISRG_Root_X1")))
    rootfs.plan(Request(anchors=(anchor(MINE),), only=True))
    rootfs.plan(Request(anchors=(Anchor("isrg", shipped, "isrg.pem"),), only=True))
    bundle = (rootfs.path / rootfs.layout.bundle[1:]).read_bytes()
    assert bundle.count(b"BEGIN CERTIFICATE") == 1
    blocked = rootfs.path / rootfs.layout.tokens[0][1:] / "blocklist"
    assert len(os.listdir(blocked)) == len(shipped_roots()) - 1 + 2
