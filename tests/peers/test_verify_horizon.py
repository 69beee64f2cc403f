"""The trust horizon is right to the day: `openssl verify -attime` agrees the day before it and the day after."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest

from rootfs_trust import verify
from rootfs_trust.audit.verify.verdict import Verdict
from tests.support.authority import DAY, NOW, Authority
from tests.support.command import install
from tests.support.debian_tree import DebianTree
from tests.support.layout_trees import FAMILIES, LayoutTree
from tests.support.peers import PLAIN_ENVIRONMENT, peer
from tests.unit.store.p11kit.sources import persist

pytest.importorskip("OpenSSL")

BUNDLE = "etc/ssl/certs/ca-certificates.crt"
BY_OPENSSL = ("openssl-directory", "openssl-bundle")
LONG, SHORT = NOW + 4000 * DAY, NOW + 40 * DAY

Chain = tuple[list[Authority], list[Authority]]
"""What the server sends, and what is installed."""


def _server_first() -> Chain:
    root = Authority("Root", not_after=LONG)
    return [root.server("localhost", not_after=SHORT)], [root]


def _intermediate_first() -> Chain:
    root = Authority("Root", not_after=LONG)
    intermediate = Authority("Intermediate", issuer=root, not_after=SHORT)
    return [intermediate.server("localhost", not_after=LONG), intermediate], [root]


def _root_first() -> Chain:
    root = Authority("Root", not_after=SHORT)
    return [root.server("localhost", not_after=LONG)], [root]


def _renewed_root() -> Chain:
    """The old certificate ends soon, the new one of the same key is there, too: the best path counts."""
    old = Authority("Root", not_after=SHORT)
    new = Authority("Root", key=old.key, not_after=NOW + 400 * DAY)
    return [new.server("localhost", not_after=LONG)], [old, new]


def _cross_signed() -> Chain:
    """The root is sent signed by an old one that ends soon; itself it is installed."""
    old, new = Authority("Old Root", not_after=SHORT), Authority("New Root", not_after=NOW + 400 * DAY)
    crossed = Authority("New Root", issuer=old, key=new.key, not_after=SHORT)
    return [new.server("localhost", not_after=LONG), crossed], [old, new]


def _two_intermediates() -> Chain:
    """Two of one name and key are sent, and the first of them ends soon."""
    root = Authority("Root", not_after=LONG)
    first = Authority("Intermediate", issuer=root, not_after=SHORT)
    second = Authority("Intermediate", issuer=root, key=first.key, not_after=NOW + 400 * DAY)
    return [first.server("localhost", not_after=LONG), first, second], [root]


CHAINS = (_server_first, _intermediate_first, _root_first, _renewed_root, _cross_signed, _two_intermediates)


@pytest.mark.parametrize("make", CHAINS, ids=lambda make: make.__name__.strip("_"))
def test_openssl_verify_agrees_the_day_before_and_the_day_after(make: Callable[[], Chain], tmp_path: Path):
    sent, installed = make()
    tree, chain = _tree(tmp_path, installed), _file(tmp_path / "chain.pem", sent)
    others = _file(tmp_path / "others.pem", sent[1:])
    verdicts = _verdicts(tree, chain, NOW)
    for client in BY_OPENSSL:
        end = verdicts[client].horizon.at
        assert _openssl_verify(tree, chain, others, end - DAY), client
        assert not _openssl_verify(tree, chain, others, end + DAY), client


@pytest.mark.parametrize("make", CHAINS, ids=lambda make: make.__name__.strip("_"))
def test_every_client_trusts_until_its_horizon_and_not_after_it(make: Callable[[], Chain], tmp_path: Path):
    sent, installed = make()
    tree, chain = _tree(tmp_path, installed), _file(tmp_path / "chain.pem", sent)
    then = cache(lambda at: _verdicts(tree, chain, at))
    for client, verdict in then(NOW).items():
        assert verdict.trusted, client
        assert then(verdict.horizon.at - DAY)[client].trusted, client
        assert not then(verdict.horizon.at + DAY)[client].trusted, client
        assert verdict.horizon.reason == then(verdict.horizon.at + DAY)[client].reason, client


def test_an_expired_root_ends_it_for_some_clients_only(tmp_path: Path):
    sent, installed = _root_first()
    verdicts = _verdicts(_tree(tmp_path, installed), _file(tmp_path / "chain.pem", sent), NOW)
    ends = {client: verdict.horizon.at for client, verdict in verdicts.items()}
    assert {client for client, end in ends.items() if end == SHORT} == {*BY_OPENSSL, "gnutls", "go"}
    assert ends["rustls-native"] == LONG


def test_a_shipped_root_leaves_with_mozillas_root_program(tmp_path: Path):
    """Its key of 2009 is due in 2027; a copy that the device's owner installed under his own name stays trusted."""
    old = Authority("Old Public Root", not_before=datetime(2009, 6, 1, tzinfo=NOW.tzinfo), not_after=LONG)
    chain = _file(tmp_path / "chain.pem", [old.server("localhost", not_after=LONG)])
    tree = DebianTree(tmp_path / "tree")
    tree.write("usr/share/ca-certificates/mozilla/Old.crt", old.pem)
    with open(tree.path / "etc/ca-certificates.conf", "a") as conf:
        conf.write("mozilla/Old.crt\n")
    install(tree.path)
    horizon = _verdicts(tree, chain, datetime(2026, 11, 1, tzinfo=NOW.tzinfo))["go"].horizon
    assert (horizon.at.date().isoformat(), horizon.sure) == ("2027-04-15", False)
    assert "Mozilla is due to drop CN=Old Public Root" in horizon.reason

    own = tmp_path / "own"
    own.mkdir()
    horizon = _verdicts(_tree(own, [old]), chain, NOW)["go"].horizon
    assert (horizon.at, horizon.sure) == (LONG, True)


def test_what_mozilla_distrusts_after_a_day_is_dropped_when_all_else_has_expired(tmp_path: Path):
    """As Fedora's package says it: in the attribute that NSS reads, and that no other client does.

    What was issued on 2027-01-31 is valid for at most 200 days (Baseline Requirements, section 6.3.2).
    """
    root = Authority("Distrusted Public Root", not_before=datetime(2020, 1, 1, tzinfo=NOW.tzinfo), not_after=LONG)
    (family,) = (each for each in FAMILIES if each.name == "fedora")
    tree = LayoutTree(tmp_path / "tree", family)
    lines = ("trusted: true", "nss-mozilla-ca-policy: true", 'nss-server-distrust-after: "270131000000Z"')
    tree.write("usr/share/pki/ca-trust-source/mozilla.p11-kit", persist(*lines, block=root.der))
    install(tree.path)
    chain = _file(tmp_path / "chain.pem", [root.server("localhost", not_after=LONG)])
    horizon = _verdicts(tree, chain, NOW)["go"].horizon
    assert (horizon.at.date().isoformat(), horizon.sure) == ("2027-08-19", False)
    assert "trusts nothing that CN=Distrusted Public Root issues after 2027-01-31" in horizon.reason


def _tree(directory: Path, installed: list[Authority]) -> DebianTree:
    tree = DebianTree(directory / "tree")
    files = [_file(directory / f"ca-{number}.pem", [each]) for number, each in enumerate(installed)]
    install(tree.path, *(word for file in files for word in ("--cert", file)))
    return tree


def _file(path: Path, certificates: list[Authority]) -> Path:
    path.write_bytes(b"".join(each.pem for each in certificates))
    return path


def _verdicts(tree: DebianTree, chain: Path, at: datetime) -> dict[str, Verdict]:
    return {each.client: each for each in verify(tree.root, str(chain), at=at).verdicts if "thin" not in each.client}


def _openssl_verify(tree: DebianTree, chain: Path, others: Path, at: datetime) -> bool:
    """The machine's own; the bundle is a regular file of the tree, where links lead is not looked at."""
    here = ("-no-CApath", "-no-CAstore", "-CAfile", tree.path / BUNDLE)
    more = ("-untrusted", others) if others.stat().st_size else ()
    when = ("-attime", str(int(at.timestamp())))
    words = (peer("openssl"), "verify", "-purpose", "sslserver", *here, *more, *when, chain)
    return subprocess.run(words, env=PLAIN_ENVIRONMENT, capture_output=True, timeout=60, check=False).returncode == 0
