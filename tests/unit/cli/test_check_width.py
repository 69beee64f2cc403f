"""check on a terminal: only commands and paths are wider, and a server that many clients refuse is reported once."""

from __future__ import annotations

import pytest

from rootfs_trust.cli import check
from tests.support.authority import Authority


@pytest.fixture
def lines(openssl_engine, command, debian, tmp_path, monkeypatch):
    """The lines that check prints on a terminal of 80 columns, for a server of a CA that is not installed."""
    (tmp_path / "chain.pem").write_bytes(Authority("Unknown Root CA").server("mqtt.example").pem)
    (tmp_path / "rootfs-trust.toml").write_text('[[server]]\nname = "production"\nchain = "chain.pem"\n')
    assert command("install", "--root", debian.path).status == 0
    (debian.path / "etc/ssl/certs/Alpha_Root.pem").unlink()
    monkeypatch.setattr(check, "terminal_width", lambda: 80)

    def run(*words: str) -> list[str]:
        done = command("check", "--root", debian.path, "--config", tmp_path / "rootfs-trust.toml", *words)
        assert done.status == 1
        return done.out.splitlines()

    return run


def test_only_commands_are_wider_than_the_terminal(lines, debian):
    shown = lines()
    assert any(len(line) > 60 for line in shown)
    wide = [line for line in shown[:-1] if len(line) > 80]
    assert wide and all(line.startswith("    fix: run rootfs-trust ") for line in wide)


def test_a_server_that_several_clients_refuse_is_one_paragraph(lines):
    text = " ".join(" ".join(lines()).split())
    assert text.count("error server-refused: ") == 1
    assert "server-refused: 8 clients; openssl-directory refuses the server production: the issuer of" in text
    assert "also: openssl-bundle, gnutls, go, rustls-native, thin-edge-mosquitto-bridge" in text


def test_v_prints_a_line_for_each(lines):
    assert sum("error server-refused: " in line for line in lines("-v")) == 8
