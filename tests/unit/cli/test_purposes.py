"""``purposes`` of an anchor as a person names them: in rootfs-trust.toml, and in a TRUSTED CERTIFICATE."""

from __future__ import annotations

import pytest

from rootfs_trust.x509 import encode
from rootfs_trust.x509.der import encode as element
from tests.support.authority import Authority
from tests.unit.store.p11kit.sources import CLIENT_AUTH, EMAIL, SERVER_AUTH, TIME_STAMPING, encode_usages

MAIL = "etc/pki/ca-trust/extracted/pem/email-ca-bundle.pem"
TLS = "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
ANCHORS = "etc/pki/ca-trust/source/anchors"


def trusted(authority: Authority, trust: tuple[str, ...] | None, reject: tuple[str, ...] = ()) -> bytes:
    settings = b"" if trust is None else encode_usages(trust)
    settings += b"\xa0" + encode_usages(reject)[1:] if reject else b""
    return encode(authority.der + element(16, settings), "TRUSTED CERTIFICATE")


@pytest.fixture
def config(authority):
    """Writes rootfs-trust.toml of the current directory, with one anchor beside it."""

    def write(purposes: str, content: bytes = b"") -> None:
        with open("mine.pem", "wb") as file:
            file.write(content or authority.pem)
        with open("rootfs-trust.toml", "w") as text:
            text.write(f'[[anchor]]\nfile = "mine.pem"\n{purposes}\n')

    return write


@pytest.fixture
def fedora(command, tmp_path):
    """``rootfs-trust install`` into a tree of Fedora's, answering in JSON; its path is ``fedora.path``."""
    path = tmp_path / "fedora"
    (path / ANCHORS).mkdir(parents=True)
    (path / "etc/os-release").write_text("ID=fedora\n")

    def run(*words: object):
        return command("install", "--root", path, "--format", "json", *words)

    run.path = path
    return run


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('["server-auth", "mail"]', '"email"'),
        ('"server-auth"', "a list"),
        ("[]", "at least one"),
        ("[1]", '"client-auth"'),
        ("true", "a list"),
        ('[["email"]]', '"code-signing"'),
    ],
)
def test_a_wrong_word_is_said_with_key_and_line(refused, config, value, message):
    config(f"replace = false\npurposes = {value}")
    result = refused()
    assert result.errors == [("config", "rootfs-trust.toml:4")]
    told = result.document["errors"][0]["message"]
    assert told.startswith("anchor[0].purposes must be ")
    assert message in told


def test_fedora_keeps_them(fedora, config, authority):
    config('purposes = ["email", "client-auth"]')
    result = fedora()
    assert result.status == 0
    assert result.warnings == [("no-output", result.warnings[0][1])]
    assert (fedora.path / ANCHORS / "mine.crt").read_bytes() == trusted(authority, (CLIENT_AUTH, EMAIL))
    assert authority.pem in (fedora.path / MAIL).read_bytes()
    assert (fedora.path / TLS).read_bytes() == b""
    assert fedora().document["changed"] is False
    config('purposes = ["email", "server-auth"]')
    assert fedora().status == 3
    assert fedora("--replace", "mine").status == 0
    assert authority.pem in (fedora.path / TLS).read_bytes()
    assert fedora().document["changed"] is False


def test_a_directory_gives_them_to_each(fedora, authority, other_authority, tmp_path):
    (tmp_path / "cas").mkdir()
    (tmp_path / "cas/one.pem").write_bytes(authority.pem)
    (tmp_path / "cas/two.pem").write_bytes(other_authority.pem)
    (tmp_path / "rootfs-trust.toml").write_text('[[anchor]]\nfile = "cas"\npurposes = ["email"]\n')
    assert fedora("--config", tmp_path / "rootfs-trust.toml").status == 0
    mail = (fedora.path / MAIL).read_bytes()
    assert authority.pem in mail and other_authority.pem in mail
    assert (fedora.path / TLS).read_bytes() == b""


def test_debian_refuses_one_that_is_not_for_servers(refused, config):
    config('purposes = ["email"]')
    assert [id for id, _ in refused().errors] == ["purposes"]


def test_debian_warns_about_purposes(install, config, debian, authority):
    config('purposes = ["server-auth"]')
    result = install()
    assert (result.status, [id for id, _ in result.warnings]) == (0, ["purposes"])
    assert debian.read("usr/local/share/ca-certificates/mine.crt") == authority.pem
    assert install().document["changed"] is False


def test_all_of_them_are_the_default(install, config):
    config('purposes = ["server-auth", "client-auth", "email", "code-signing"]')
    assert install().warnings == []


@pytest.mark.parametrize(
    ("trust", "reject"),
    [(None, (SERVER_AUTH,)), ((EMAIL,), ()), ((SERVER_AUTH,), (SERVER_AUTH,)), ((), ()), ((TIME_STAMPING,), ())],
)
def test_a_trusted_certificate_that_is_not_for_servers_is_refused(refused, authority, tmp_path, trust, reject):
    (tmp_path / "mine.pem").write_bytes(trusted(authority, trust, reject))
    assert "purposes" in {id for id, _ in refused("--cert", tmp_path / "mine.pem").errors}


def test_its_settings_count_under_a_plain_label_too(refused, authority, tmp_path):
    """OpenSSL's d2i_X509_AUX reads them there."""
    pem = trusted(authority, (EMAIL,)).replace(b"TRUSTED CERTIFICATE", b"CERTIFICATE")
    (tmp_path / "mine.pem").write_bytes(pem)
    assert [id for id, _ in refused("--cert", tmp_path / "mine.pem").errors] == ["purposes"]


def test_an_anchor_of_a_file_with_several_is_named_by_its_line(refused, authority, other_authority, tmp_path):
    (tmp_path / "both.pem").write_bytes(authority.pem + trusted(other_authority, None, (SERVER_AUTH,)))
    line = authority.pem.count(b"\n") + 1
    assert refused("--cert", tmp_path / "both.pem").errors == [("purposes", f"{tmp_path}/both.pem:{line}")]


def test_fedora_keeps_those_of_a_trusted_certificate(fedora, authority, tmp_path):
    (tmp_path / "mine.pem").write_bytes(trusted(authority, (SERVER_AUTH, EMAIL), (SERVER_AUTH,)))
    assert fedora("--cert", tmp_path / "mine.pem").status == 0
    assert (fedora.path / ANCHORS / "mine.crt").read_bytes() == trusted(authority, (EMAIL,))
    assert (fedora.path / TLS).read_bytes() == b""


def test_one_for_nothing_is_refused_everywhere(fedora, authority, tmp_path):
    (tmp_path / "mine.pem").write_bytes(trusted(authority, (TIME_STAMPING,)))
    result = fedora("--cert", tmp_path / "mine.pem")
    assert (result.status, [id for id, _ in result.errors]) == (2, ["purposes"])


def test_the_config_may_name_fewer_than_the_file_and_no_others(fedora, config, authority):
    content = trusted(authority, (SERVER_AUTH, EMAIL))
    config('purposes = ["email", "client-auth"]', content)
    result = fedora()
    assert (result.status, [id for id, _ in result.errors]) == (2, ["purposes"])
    assert "anchor[0].purposes" in result.document["errors"][0]["message"]
    config('purposes = ["email"]', content)
    assert fedora().status == 0
    assert (fedora.path / ANCHORS / "mine.crt").read_bytes() == trusted(authority, (EMAIL,))


def test_one_certificate_for_two_purposes_is_refused(fedora, config):
    config('purposes = ["email"]')
    result = fedora("--cert", "mine.pem")
    assert (result.status, [id for id, _ in result.errors]) == (2, ["purposes"])
    config("")
    assert [id for id, _ in fedora("--cert", "mine.pem").warnings] == ["duplicate"]
