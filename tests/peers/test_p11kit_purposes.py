"""Anchors for some purposes: the real ``trust extract`` keeps them apart, and OpenSSL reads settings as we do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rootfs_trust.rootfs.view import Absent
from rootfs_trust.store import jks
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.purposes import WORDS, Purposes, purposes, purposes_of_settings
from rootfs_trust.store.store_plan import Request
from rootfs_trust.x509 import parse_certificate, read_objects
from tests.peers.test_p11kit_extract import shipped_roots
from tests.peers.test_p11kit_layouts import CREATED, SCRIPTS, Rootfs, parse_certificate_of
from tests.support.debian_tree import contents
from tests.support.peers import PLAIN_ENVIRONMENT, needs_root, peer
from tests.unit.store.p11kit.sources import Root
from tests.unit.store.test_purposes import MINE, SETTINGS, settings_of

pytestmark = pytest.mark.slow

NAMED = [("server-auth",), ("email",), ("client-auth",), ("code-signing",), ("server-auth", "email"), ()]


@pytest.fixture(params=SCRIPTS, ids=lambda script: script.layout.name)
def rootfs(request: pytest.FixtureRequest, tmp_path: Path) -> Rootfs:
    needs_root()
    return Rootfs(tmp_path / "root", request.param)


def anchor(wanted: Purposes, *, replace: bool = False) -> Anchor:
    return Anchor("my-ca", parse_certificate(MINE.der), "my-ca.pem", replace, wanted)


def holding(rootfs: Rootfs, outputs: dict[str, object], root: Root = MINE) -> set[str]:
    """The outputs of the distribution's script that hold the certificate, with trust or without."""
    body = root.pem.splitlines()[1]  # its first line is the same in TRUSTED CERTIFICATEs
    found = set()
    for name, (_, content) in outputs.items():
        if isinstance(content, bytes) and (body in content or root.der in content):
            found |= {path for path, *_ in rootfs.script.calls if name == path or name.startswith(f"{path}/")}
    return found


def of_purposes(rootfs: Rootfs, words: tuple[str, ...]) -> set[str]:
    """The outputs whose call names one of the purposes, or none."""
    asked = {
        path: [each for each in options if each.startswith("--purpose=")] for path, *options in rootfs.script.calls
    }
    wanted = {f"--purpose={word}" for word in words or WORDS}
    return {path for path, named in asked.items() if not named or wanted.intersection(named)}


@pytest.mark.parametrize("words", NAMED, ids=lambda words: "+".join(words) or "all")
def test_only_the_outputs_of_its_purposes_hold_it(rootfs: Rootfs, words: tuple[str, ...], tmp_path: Path) -> None:
    rootfs.plan(Request(anchors=(anchor(purposes(words) if words else None),)))
    real = rootfs.real_outputs(tmp_path / "real")
    assert rootfs.outputs() == real
    assert holding(rootfs, real) == of_purposes(rootfs, words)


def test_a_shipped_root_is_for_what_its_anchor_says(rootfs: Rootfs, tmp_path: Path) -> None:
    shipped = parse_certificate_of(next(each for each in shipped_roots() if each.name.startswith("ISRG_Root_X1")))
    rootfs.plan(Request(anchors=(Anchor("isrg", shipped, "isrg.pem", purposes=frozenset(("email",))),)))
    real = rootfs.real_outputs(tmp_path / "real")
    assert rootfs.outputs() == real
    held = {each.sha256 for _, each in read_objects(real[rootfs.layout.bundle[1:]][1]).certificates}
    assert len(held) > 100
    assert shipped.sha256 not in held


def test_changed_and_removed(rootfs: Rootfs, tmp_path: Path) -> None:
    rootfs.plan()
    before = contents(rootfs.path)
    for words in (("email",), ("server-auth",), ()):
        wanted = anchor(purposes(words) if words else None, replace=True)
        rootfs.plan(Request(anchors=(wanted,)))
        once = contents(rootfs.path)
        rootfs.plan(Request(anchors=(anchor(wanted.purposes),)))
        assert contents(rootfs.path) == once
        real = rootfs.real_outputs(tmp_path / f"real{len(words)}{words}")
        assert rootfs.outputs() == real
        assert holding(rootfs, real) == of_purposes(rootfs, words)
    rootfs.plan(Request(remove=("my-ca",)))
    assert contents(rootfs.path) == before


def test_the_date_of_a_new_keystore(rootfs: Rootfs, tmp_path: Path) -> None:
    """Given one, it is the date that ``trust extract`` takes from SOURCE_DATE_EPOCH."""
    (java,) = [each.path[1:] for each in rootfs.layout.tool.bundles if each.format == "java"]
    (rootfs.path / java).unlink()
    rootfs.plan(Request(created=CREATED))
    assert rootfs.outputs()[java] == rootfs.real_outputs(tmp_path / "real")[java]
    rootfs.plan(Request(anchors=(anchor(None),), created=CREATED + 60))
    dates = {each.der == MINE.der: each.created_ms for each in jks.read_keystore((rootfs.path / java).read_bytes())}
    assert dates == {True: (CREATED + 60) * 1000, False: CREATED * 1000}
    assert not any(node == Absent() for node in rootfs.plan(Request(created=CREATED + 99)).desired.values())


# -- OpenSSL ---------------------------------------------------------------------------------------------

CHECKS = {"server-auth": "sslserver", "client-auth": "sslclient", "email": "smimesign"}
"""The purposes of ``openssl verify`` that every release has."""


@pytest.mark.parametrize(("trust", "reject"), [each[:2] for each in SETTINGS])
def test_openssl_trusts_for_what_the_settings_say(trust, reject, tmp_path: Path) -> None:
    pem = MINE.trusted(trust, reject)
    (tmp_path / "ca.pem").write_bytes(pem)
    (tmp_path / "leaf.pem").write_bytes(Root("leaf", ca=False, issuer=MINE).pem)
    command = [peer("openssl"), "verify", "-no-CApath", "-no-CAstore", "-CAfile", "ca.pem"]
    ours = purposes_of_settings(settings_of(pem))
    for word, purpose in CHECKS.items():
        done = subprocess.run(
            [*command, "-purpose", purpose, "leaf.pem"],
            cwd=tmp_path,
            env=PLAIN_ENVIRONMENT,
            capture_output=True,
            check=False,
        )
        assert (done.returncode == 0) == (ours is None or word in ours), done.stderr.decode()
