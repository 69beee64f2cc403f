"""verify on a terminal: nothing is wider, a client that trusts the server has one line, a refusal keeps its reason."""

from __future__ import annotations

import pytest

from rootfs_trust.cli import verify_output
from tests.support.authority import NOW, Authority


@pytest.fixture
def lines(openssl_engine, command, debian, tmp_path, monkeypatch):
    """The lines that verify prints on a terminal of 80 columns, for a server of a CA with a long name."""
    ca = Authority("Factory Root CA of the Second Generation", organization="Acme Industrial Devices GmbH")
    debian.write("usr/lib/python3/dist-packages/certifi/cacert.pem", Authority("Public").pem)
    (tmp_path / "ca.pem").write_bytes(ca.pem)
    (tmp_path / "chain.pem").write_bytes(ca.server("mqtt.example", not_after=NOW.replace(year=NOW.year + 20)).pem)
    assert command("install", "--root", debian.path, "--cert", tmp_path / "ca.pem").status == 0
    monkeypatch.setattr(verify_output, "terminal_width", lambda: 80)

    def run(*words: str) -> list[str]:
        done = command("verify", "--root", debian.path, "--chain", tmp_path / "chain.pem", *words)
        assert done.status == 1
        return done.out.splitlines()

    return run


def test_nothing_is_wider_than_the_terminal(lines):
    shown = lines()
    assert max(map(len, shown)) <= 80
    trusted = [line for line in shown if "  trusted  " in line]
    assert all(line.startswith("  ") and "…" in line and line[-1] != "…" for line in trusted)
    assert any(line.split()[0] == "go" and line.endswith("ca-certificates.crt") for line in trusted)
    (refused,) = (at for at, line in enumerate(shown) if line.endswith("  REFUSED"))
    assert shown[refused + 1].startswith("      the issuer of CN=mqtt.example is missing: ")


def test_v_prints_all(lines):
    assert max(map(len, lines("-v"))) > 80


def test_the_servers_of_a_configuration_fit_the_terminal(lines, command, debian, tmp_path):
    lines()
    config = tmp_path / "rootfs-trust.toml"
    config.write_text('[[server]]\nname = "production"\nchain = "chain.pem"\n')
    shown = command("verify", "--root", debian.path, "--config", config).out.splitlines()
    assert max(map(len, shown)) <= 80
    assert any("  as expected  " in line and "…" in line for line in shown)
    assert any(line.startswith("      ") and "is missing" in line for line in shown)


def test_clients_that_refuse_for_one_reason_share_it(lines, tmp_path):
    stranger = Authority("Root CA of a Vendor That Nobody Has Installed")
    (tmp_path / "chain.pem").write_bytes(stranger.server("mqtt.example").pem)
    shown = lines()
    refused = [at for at, line in enumerate(shown) if line.endswith("  REFUSED")]
    clients = [shown[at].split()[0] for at in refused]
    assert refused[clients.index("gnutls")] == refused[clients.index("openssl-bundle")] + 1
    assert sum("the issuer of CN=mqtt.example is missing" in line for line in shown) < len(refused)
