"""Certificates with dates at the ends and keys that cannot be read, in every place and to every command."""

from __future__ import annotations

import pytest

from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree
from tests.support.odd_certificates import DATES, KEYS, with_dates, with_odd_key

ROOT = Authority("Odd Root CA")
SERVER = ROOT.server("device.test")
ODD = {name: with_dates(ROOT, *dates) for name, dates in DATES.items()} | {
    name: with_odd_key(ROOT, name) for name in KEYS
}
ODD_SERVERS = {name: with_dates(SERVER, *dates) for name, dates in DATES.items()} | {
    name: with_odd_key(SERVER, name) for name in KEYS
}
TIMES = (
    *("9999-12-31T23:59:59Z", "0001-01-01", "1970-01-01", "2106-02-07T06:28:16Z", "99999999999", "253402300799"),
    *("9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00"),  # outside of what can be held, in UTC
)
READING = (
    ("list",),
    ("list", "--format", "csv"),
    ("list", "--format", "json"),
    ("check",),
    ("check", "--format", "json"),
    ("check", "--format", "sarif"),
    ("report", "-o", "-"),
    ("report", "-o", "-", "--format", "md", "--lifetime", "100"),
    ("sbom",),
    ("sbom", "--format", "spdx"),
)


@pytest.fixture
def tree(tmp_path, command):
    """Every odd certificate in the local directory and in the list, put into the store."""
    tree = DebianTree(tmp_path / "rootfs")
    for name, pem in (ODD | {f"server-{name}": pem for name, pem in ODD_SERVERS.items()}).items():
        tree.write(f"usr/local/share/ca-certificates/{name}.crt", pem)
        tree.write(f"usr/share/ca-certificates/mozilla/{name}.crt", pem)
    (tree.path / "etc/ssl/certs/java").mkdir()
    listed = "".join(f"mozilla/{name}.crt\n" for name in ODD)
    tree.write("etc/ca-certificates.conf", tree.read("etc/ca-certificates.conf") + listed.encode())
    assert command("install", "--root", tree.root).status == 0
    return tree


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_what_only_reads_knows_them(tree, command, words):
    assert command(words[0], "--root", tree.root, *words[1:]).status in ((0, 1) if words[0] == "check" else (0,))


@pytest.mark.parametrize("at", TIMES)
@pytest.mark.parametrize("words", [("list",), ("check",), ("report", "-o", "-")], ids=" ".join)
def test_at_any_time(tree, command, words, at):
    result = command(words[0], "--root", tree.root, "--at", at, *words[1:])
    assert result.status == (2 if "3:00" in at else result.status) and result.status in (0, 1, 2)
    assert (result.status == 1) <= (words[0] == "check")


@pytest.mark.parametrize("name", [*ODD_SERVERS, *(f"anchor-{name}" for name in ODD)])
def test_verify_judges_a_chain_that_holds_one(tree, command, tmp_path, name):
    chain = tmp_path / "chain.pem"
    chain.write_bytes(ODD[name[7:]] if name.startswith("anchor-") else ODD_SERVERS[name] + ODD.get(name, b""))
    for more in ((), ("--hostname", "device.test"), ("--at", "9999-12-31T23:59:59Z"), ("--at", "0001-01-01")):
        assert command("verify", "--root", tree.root, "--chain", chain, *more).status in (0, 1)


@pytest.mark.parametrize("name", ODD)
def test_install_accepts_or_refuses_one(tree, command, tmp_path, name):
    file = tmp_path / "odd.pem"
    file.write_bytes(ODD[name])
    assert command("install", "--root", tree.root, "--cert", file, "--dry-run").status in (0, 2, 3)


@pytest.mark.parametrize("epoch", ["-1", "99999999999", "9" * 30, "x", " 1", "0"])
def test_source_date_epoch(tree, command, monkeypatch, epoch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    expected = 0 if epoch in ("99999999999", "0") else 2
    assert command("sbom", "--root", tree.root).status == expected
    assert command("install", "--root", tree.root).status == expected
