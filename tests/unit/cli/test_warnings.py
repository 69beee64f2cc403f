"""What is accepted and told: each warning has its id and place, and the policy turns some into refusals."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.authority import DAY, NOW, Authority, small_rsa_key
from tests.support.debian_tree import SHIPPED, shipped_authority
from tests.unit.cli.test_inputs import installed


@pytest.fixture
def ca(tmp_path):
    """Writes a certificate to ``ca.pem`` and gives the path of the file."""

    def write(each: Authority, name: str = "ca.pem"):
        (tmp_path / name).write_bytes(each.pem)
        return tmp_path / name

    return write


@pytest.fixture
def policy(tmp_path):
    """Writes a config with this ``[policy]`` and gives the path of the file."""

    def write(text: str):
        (tmp_path / "trust.toml").write_text(f"[policy]\n{text}\n")
        return tmp_path / "trust.toml"

    return write


def message(result, id: str) -> str:
    (text,) = [each["message"] for each in result.document["warnings"] if each["id"] == id]
    return text


def test_self_signed_but_no_ca(install, refused, ca, policy, debian):
    edge = Authority("cumulocity.edge", ca=False)
    file = ca(edge)
    strict = refused("--cert", file, "--config", policy("require_ca = true"))
    assert strict.errors == [("not-a-ca", f"{file}:1")]
    result = install("--cert", file)
    assert result.warnings == [("not-a-ca", f"{file}:1")]
    assert "refuse any other" in message(result, "not-a-ca")
    assert installed(debian) == {"ca.crt": edge.pem}


def test_a_ca_whose_issuer_is_missing(install, ca, authority, debian):
    issuing = Authority("Issuing CA", issuer=authority)
    file = ca(issuing)
    result = install("--cert", file)
    assert result.warnings == [("issuer-missing", f"{file}:1")]
    assert "CN=Test Root CA" in message(result, "issuer-missing").replace(" = ", "=")
    assert "OpenSSL" in message(result, "issuer-missing")
    assert installed(debian) == {"ca.crt": issuing.pem}


def test_a_ca_whose_issuer_comes_with_it_or_is_there_already(install, ca, authority, debian):
    issuing = Authority("Issuing CA", issuer=authority)
    assert install("--cert", ca(issuing), "--cert", ca(authority, "root.pem")).warnings == []
    assert install("--cert", ca(issuing)).warnings == []
    sub = Authority("Sub CA", issuer=shipped_authority(SHIPPED[0]))
    assert install("--cert", ca(sub, "sub.pem")).warnings == []


@pytest.mark.parametrize("bits", [1024, 2047])
def test_a_weak_rsa_key(install, refused, ca, policy, bits):
    weak = Authority("Weak", key=small_rsa_key(bits))
    file = ca(weak)
    assert refused("--cert", file, "--config", policy("strict = true")).errors == [("weak-key", f"{file}:1")]
    assert install("--cert", file, "--config", policy(f"min_rsa_bits = {bits}"), "--dry-run").warnings == []
    result = install("--cert", file)
    assert result.warnings == [("weak-key", f"{file}:1")]
    assert f"{bits} bits" in message(result, "weak-key")


def test_a_key_of_just_the_right_size(install, refused, ca, policy):
    file = ca(Authority("Strong", key=small_rsa_key(2048)))
    result = refused("--cert", file, "--config", policy("strict = true\nmin_rsa_bits = 2049"))
    assert result.errors == [("weak-key", f"{file}:1")]
    assert install("--cert", file, "--config", policy("strict = true")).warnings == []


def test_bits_of_a_curve_are_not_compared_with_bits_of_rsa(install, ca, authority, policy):
    assert install("--cert", ca(authority), "--config", policy("strict = true\nmin_rsa_bits = 4096")).warnings == []


def test_one_that_expires_soon(install, refused, ca, policy):
    soon = Authority("Soon", not_after=NOW + 10 * DAY)
    file, at = ca(soon), f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
    words = ("--cert", file, "--at", at)
    assert install(*words, "--config", policy("min_days_left = 10"), "--dry-run").warnings == []
    result = refused(*words, "--config", policy("min_days_left = 11\nstrict = true"))
    assert result.errors == [("expires-soon", f"{file}:1")]
    assert install(*words, "--config", policy("min_days_left = 11")).warnings == [("expires-soon", f"{file}:1")]


def test_an_expired_anchor_has_no_warning_about_expiring_soon(refused, ca, policy):
    file = ca(Authority("Old", not_after=NOW - DAY))
    result = refused("--cert", file, "--config", policy("min_days_left = 30\nstrict = true"))
    assert result.errors == [("expired", f"{file}:1")]


def test_days_left_beyond_all_calendars(install, ca, authority, policy):
    file = ca(authority)
    result = install("--cert", file, "--config", policy(f"min_days_left = {10**12}"))
    assert result.status == 0
    assert result.warnings == [("expires-soon", f"{file}:1")]


def test_one_that_is_not_yet_valid(install, ca, tmp_path):
    file = ca(Authority("Tomorrow", not_before=NOW + DAY))
    result = install("--cert", file)
    assert result.warnings == [("not-yet-valid", f"{file}:1")]
    assert f"{NOW + DAY:%Y-%m-%d}" in message(result, "not-yet-valid")


def test_one_that_is_valid_from_this_second(install, ca, authority):
    start = int(authority.certificate.not_valid_before_utc.timestamp())
    file = ca(authority)
    assert install("--cert", file, "--dry-run", "--at", start).warnings == []
    assert install("--cert", file, "--dry-run", "--at", start - 1).warnings == [("not-yet-valid", f"{file}:1")]


def test_expired_but_allowed(install, refused, ca, tmp_path, debian):
    old = Authority("Old", not_before=NOW - 9 * DAY, not_after=NOW - timedelta(hours=1))
    file = ca(old)
    config = tmp_path / "trust.toml"
    config.write_text('[[anchor]]\nfile = "ca.pem"\n[policy]\nstrict = true\n')
    assert refused("--config", config).errors == [("expired", f"{file}:1")]
    config.write_text('[[anchor]]\nfile = "ca.pem"\nallow = ["expired"]\n[policy]\nstrict = true\n')
    result = install("--config", config)
    assert result.warnings == [("expired", f"{file}:1")]
    assert installed(debian) == {"ca.crt": old.pem}
    # What is allowed for one anchor is not allowed for another.
    (tmp_path / "other.pem").write_bytes(Authority("Older", not_after=NOW - DAY).pem)
    assert refused("--config", config, "--cert", tmp_path / "other.pem").errors == [
        ("expired", f"{tmp_path / 'other.pem'}:1")
    ]


def test_allowed_to_be_expired_does_not_allow_a_wrong_pin(refused, ca, tmp_path):
    file = ca(Authority("Old", not_before=NOW - 9 * DAY, not_after=NOW - DAY))
    (tmp_path / "trust.toml").write_text(f'[[anchor]]\nfile = "ca.pem"\nallow = ["expired"]\nsha256 = "{"0" * 64}"\n')
    assert refused("--config", tmp_path / "trust.toml").errors == [("pin", f"{file}:1")]


def test_an_anchor_that_the_distribution_ships_is_installed_with_a_warning(install, ca, debian):
    alpha = shipped_authority(SHIPPED[0])
    file = ca(alpha, "mine.pem")
    result = install("--cert", file)
    assert result.warnings == [("already-shipped", f"{file}:1")]
    assert f"/usr/share/ca-certificates/{SHIPPED[0]}" in message(result, "already-shipped")
    assert result.anchors == {"mine": alpha.sha256}
    assert installed(debian) == {"mine.crt": alpha.pem}
    assert debian.read("etc/ssl/certs/ca-certificates.crt").count(alpha.pem) == 2


def test_an_anchor_with_the_name_of_a_shipped_copy_gets_another_name(install, ca, debian):
    alpha = shipped_authority(SHIPPED[0])
    file = ca(alpha, "Alpha_Root.pem")
    result = install("--cert", file)
    name = f"Alpha_Root-{alpha.sha256[:8]}"
    assert result.anchors == {name: alpha.sha256}
    assert installed(debian) == {f"{name}.crt": alpha.pem}
    again = install("--cert", file)
    assert (again.status, again.document["changed"]) == (0, False)
    assert again.anchors == {name: alpha.sha256}


def test_one_that_is_installed_already_under_another_name_stays_there(install, ca, authority, debian):
    assert install("--cert", ca(authority, "first.pem")).status == 0
    before = debian.snapshot()
    file = ca(authority, "second.pem")
    result = install("--cert", file)
    assert result.warnings == [("already-installed", f"{file}:1")]
    assert "/usr/local/share/ca-certificates/first.crt" in message(result, "already-installed")
    assert result.anchors == {"first": authority.sha256}
    assert debian.snapshot() == before


def test_a_warning_is_one_line_on_standard_error(command, ca, debian):
    file = ca(Authority("cumulocity.edge", ca=False))
    result = command("install", "--root", debian.path, "--cert", file)
    (line,) = result.err.splitlines()
    assert line.startswith(f"rootfs-trust: warning: {file}:1: is self-signed")


def test_a_ca_that_names_a_host(install, ca, debian):
    """What ``openssl req -x509`` makes for a server: rustls refuses a server that shows it (docs/client-table.md)."""
    server = Authority("cumulocity.edge", names=("cumulocity.edge",))
    file = ca(server)
    result = install("--cert", file)
    assert result.warnings == [("ca-names-server", f"{file}:1")]
    assert "CaUsedAsEndEntity" in message(result, "ca-names-server")
    assert installed(debian) == {"ca.crt": server.pem}
