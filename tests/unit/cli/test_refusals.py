"""Every input that is refused: with its file, place, reason and hint, all together, and nothing is written."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

import rootfs_trust
from rootfs_trust.store.pkcs12 import read_pkcs12, write_pkcs12
from rootfs_trust.x509 import private_key_form
from tests.support.authority import NOW, Authority, pkcs7_der, small_rsa_key
from tests.unit.cli.conftest import assert_untold


def body_of(pem: bytes) -> bytes:
    return b"".join(pem.splitlines()[1:-1])


def rewrapped(label: str, der: bytes) -> bytes:
    body = base64.encodebytes(der)
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (label.encode(), body, label.encode())


# -- what holds no certificate -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b" \r\n\t\n", "the file is empty"),
        (b"hello\n", "no certificate was found in the file"),
        (b"\xff\xfe\x00\x01" * 50, "no certificate was found in the file"),
        (rewrapped("CERTIFICATE REQUEST", b"\x30\x00"), "the file is a certificate request, not a certificate"),
        (rewrapped("PUBLIC KEY", b"\x30\x00"), "the file is a public key, not a certificate"),
    ],
)
def test_a_file_without_a_certificate(refused, tmp_path, content, message):
    file = tmp_path / "ca.pem"
    file.write_bytes(content)
    result = refused("--cert", file)
    assert result.errors == [("no-certificate", str(file))]
    assert result.document["errors"][0]["message"] == message


def test_standard_input_without_a_certificate(refused):
    assert refused("--cert", "-", stdin=b"").errors == [("no-certificate", "-")]


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (lambda pem: pem.replace(b"MII", b"M!I", 1), 1),
        (lambda pem: pem[: len(pem) // 2], 1),
        (lambda pem: pem.replace(b"-----END CERTIFICATE-----", b""), 1),
        (lambda pem: b"one\ntwo\n" + pem[:-40] + b"\n-----END CERTIFICATE-----\n", 3),
        (lambda pem: b"\n".join(pem.splitlines()[:2]) + b"\n-----END CERTIFICATE-----\n", 1),
        (lambda pem: pem.replace(b"END CERTIFICATE", b"END X509 CRL"), 1),
        (lambda pem: b"  " + pem, 1),
        (lambda _: rewrapped("CERTIFICATE", b"\x30\x03\x02\x01\x05"), 1),
        (lambda _: rewrapped("CERTIFICATE", b"\x30\x82"), 1),
        (lambda pem: pem + b"\n" + pem.replace(b"MII", b"M!I", 1), None),
    ],
    ids=["base64", "cut", "no-end", "cut-in-line-3", "one-line", "other-end", "indented", "der", "length", "second"],
)
def test_a_broken_block_is_named_with_its_line(refused, authority, tmp_path, damage, line):
    file = tmp_path / "ca.pem"
    file.write_bytes(damage(authority.pem))
    line = line or len(authority.pem.splitlines()) + 2
    result = refused("--cert", file, secret=authority.pem)
    assert result.errors == [("pem-malformed", f"{file}:{line}")]


def test_a_begin_line_without_its_dashes_shows_nothing_of_the_body(refused, authority, tmp_path):
    file = tmp_path / "ca.pem"
    file.write_bytes(authority.pem.replace(b"CERTIFICATE-----", b"CERTIFICATE", 1))
    assert refused("--cert", file, secret=authority.pem).errors == [("pem-malformed", f"{file}:1")]
    file.write_bytes(b"text -----BEGIN ")
    assert refused("--cert", file).errors == [("pem-malformed", f"{file}:1")]


@pytest.mark.parametrize(
    "damage",
    [
        lambda der: der[: len(der) // 2],
        lambda der: der[:-1],
        lambda der: der + b"\0",
        lambda der: b"\x30\x80" + der[2:],
        lambda _: b"\x30\x03\x02\x01\x05",
    ],
    ids=["half", "cut", "longer", "indefinite", "other"],
)
def test_broken_der(refused, authority, tmp_path, damage):
    file = tmp_path / "ca.der"
    file.write_bytes(damage(authority.der))
    assert refused("--cert", file).errors == [("broken-certificate", str(file))]


def test_broken_pkcs7(refused, authority, other_authority, tmp_path):
    whole = pkcs7_der(authority, other_authority)
    (tmp_path / "cut.p7b").write_bytes(whole[:-10])
    (tmp_path / "cut.pem").write_bytes(b"text\n" + rewrapped("PKCS7", whole[:-10]))
    (tmp_path / "data.p7b").write_bytes(bytes.fromhex("300f06092a864886f70d010701a0020400"))
    (tmp_path / "empty.p7b").write_bytes(pkcs7_without_certificates())
    assert refused("--cert", tmp_path / "cut.p7b").errors == [("broken-certificate", str(tmp_path / "cut.p7b"))]
    assert refused("--cert", tmp_path / "cut.pem").errors == [("broken-pkcs7", f"{tmp_path / 'cut.pem'}:2")]
    assert refused("--cert", tmp_path / "data.p7b").errors == [("broken-pkcs7", str(tmp_path / "data.p7b"))]
    (error,) = refused("--cert", tmp_path / "empty.p7b").errors
    assert error in [("broken-pkcs7", str(tmp_path / "empty.p7b")), ("no-certificate", str(tmp_path / "empty.p7b"))]


def test_pkcs7_without_the_library_that_reads_it(refused, authority, tmp_path, monkeypatch):
    (tmp_path / "ca.p7b").write_bytes(pkcs7_der(authority))
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    result = refused("--cert", tmp_path / "ca.p7b")
    assert result.errors == [("missing-package", str(tmp_path / "ca.p7b"))]
    assert "install rootfs-trust[pkcs7]" in result.document["errors"][0]["hint"]


def pkcs7_without_certificates() -> bytes:
    """SignedData with nothing in it, as a request for renewal has it (RFC 2315, 9.1)."""
    data = bytes.fromhex("020101 3100 300b06092a864886f70d010701 3100")
    signed = b"\x30" + bytes([len(data)]) + data
    explicit = b"\xa0" + bytes([len(signed)]) + signed
    body = bytes.fromhex("06092a864886f70d010702") + explicit
    return b"\x30" + bytes([len(body)]) + body


def test_a_file_that_is_not_there_or_may_not_be_read(refused, tmp_path):
    result = refused("--cert", tmp_path / "none.pem")
    assert result.errors == [("unreadable", str(tmp_path / "none.pem"))]
    assert "No such file" in result.document["errors"][0]["message"]


def test_a_directory_without_certificates(refused, tmp_path):
    (tmp_path / "certs").mkdir()
    assert refused("--cert", tmp_path / "certs").errors == [("no-certificate", str(tmp_path / "certs"))]


def test_an_input_that_never_ends_is_not_read_to_its_end(refused):
    assert refused("--cert", "/dev/zero").errors == [("too-large", "/dev/zero")]


# -- private keys ------------------------------------------------------------------------------------------


KEY = Authority("Keyholder")
RSA = small_rsa_key(2048)
TRADITIONAL = PrivateFormat.TraditionalOpenSSL


def legacy_encrypted() -> bytes:
    return RSA.private_bytes(Encoding.PEM, TRADITIONAL, BestAvailableEncryption(b"secret"))


KEYS = {
    "pkcs8": KEY.key_pem,
    "ec": KEY.key.private_bytes(Encoding.PEM, TRADITIONAL, NoEncryption()),
    "rsa": RSA.private_bytes(Encoding.PEM, TRADITIONAL, NoEncryption()),
    "encrypted": RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")),
    "proc-type": legacy_encrypted(),
    "openssh": KEY.key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
    "crlf": KEY.key_pem.replace(b"\n", b"\r\n"),
    "old-macintosh": KEY.key_pem.replace(b"\n", b"\r"),
    "bom": b"\xef\xbb\xbf" + KEY.key_pem,
    "utf-16": KEY.key_pem.decode().encode("utf-16"),
    "utf-16-be": KEY.key_pem.decode().encode("utf-16-be"),
    "indented": b"".join(b"    " + line + b"\n" for line in KEY.key_pem.splitlines()),
    "in-yaml": b"key: |\n" + b"".join(b"  " + line + b"\n" for line in KEY.key_pem.splitlines()),
    "in-json": b'{"key": "' + KEY.key_pem.replace(b"\n", b"\\n") + b'"}',
    "before": KEY.key_pem + KEY.pem,
    "behind": KEY.pem + KEY.key_pem,
    "between": KEY.pem + KEY.key_pem + Authority("Another").pem,
    "broken": KEY.key_pem[:-60],
    "in-comment": b"# " + KEY.key_pem + KEY.pem,
}


@pytest.mark.parametrize("form", KEYS)
def test_a_private_key_in_pem(refused, tmp_path, form):
    file = tmp_path / "ca.pem"
    file.write_bytes(KEYS[form])
    result = refused("--cert", file, secret=KEYS[form] if b"\0" not in KEYS[form] else KEY.key_pem)
    assert result.errors == [("private-key", str(file))]
    assert "must not be in an image" in result.document["errors"][0]["message"]


def test_a_private_key_in_mozillas_list(refused, tmp_path):
    file = tmp_path / "certdata.txt"
    file.write_bytes(b"# comment\nBEGINDATA\nCKA_CLASS CK_OBJECT_CLASS CKO_NSS_BUILTIN_ROOT_LIST\n" + KEY.key_pem)
    assert refused("--cert", file, secret=KEY.key_pem).errors == [("private-key", str(file))]


def test_proc_type_is_really_the_legacy_form():
    assert b"Proc-Type: 4,ENCRYPTED" in KEYS["proc-type"]


@pytest.mark.parametrize("form", ["pkcs8", "utf-16", "between"])
def test_a_private_key_on_standard_input(refused, form):
    assert refused("--cert", "-", stdin=KEYS[form], secret=KEY.key_pem).errors == [("private-key", "-")]


@pytest.mark.parametrize(
    "der",
    [
        KEY.key_der,
        KEY.key.private_bytes(Encoding.DER, TRADITIONAL, NoEncryption()),
        RSA.private_bytes(Encoding.DER, TRADITIONAL, NoEncryption()),
        RSA.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        RSA.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")),
    ],
    ids=["pkcs8-ec", "sec1", "pkcs1", "pkcs8-rsa", "encrypted"],
)
def test_a_private_key_in_der(refused, tmp_path, der):
    file = tmp_path / "ca.der"
    file.write_bytes(der)
    assert refused("--cert", file, secret=base64.b64encode(der)).errors == [("private-key", str(file))]


def test_pkcs12_that_shows_its_key_only_when_it_is_decrypted(refused, tmp_path):
    certificates = [pkcs12.PKCS12Certificate(KEY.certificate, b"ca")]
    store = read_pkcs12(pkcs12.serialize_java_truststore(certificates, BestAvailableEncryption(b"changeit")))
    keys = [bag for bag in read_pkcs12(KEY.pkcs12).bags if not bag.certificate]
    file = tmp_path / "ca.crt"
    file.write_bytes(write_pkcs12(store.with_bags(keys)))
    assert private_key_form(file.read_bytes()) == ""
    result = refused("--cert", file, secret=KEY.key_pem)
    assert result.errors == [("private-key", str(file))]
    assert "an entry that is not a certificate" in result.document["errors"][0]["message"]


def test_pkcs12_without_a_key_is_read(install, tmp_path):
    file = tmp_path / "ca.crt"
    file.write_bytes(pkcs12.serialize_key_and_certificates(b"x", None, KEY.certificate, None, NoEncryption()))
    assert list(install("--cert", file).anchors.values()) == [KEY.sha256]


@pytest.mark.parametrize("password", [None, b"secret"])
def test_a_private_key_in_pkcs12(refused, tmp_path, password):
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    file = tmp_path / "ca.crt"
    file.write_bytes(pkcs12.serialize_key_and_certificates(b"x", KEY.key, KEY.certificate, None, encryption))
    result = refused("--cert", file)
    assert result.errors == [("private-key", str(file))]
    assert "PKCS#12" in result.document["errors"][0]["message"]


@pytest.mark.parametrize("name", ["ca.key", "README", "ca.p12"])
@pytest.mark.parametrize("form", ["pkcs8", "utf-16", "pkcs12", "der"])
def test_a_private_key_in_a_file_that_a_directory_skips(refused, authority, tmp_path, name, form):
    directory = tmp_path / "certs"
    directory.mkdir()
    (directory / "ca.pem").write_bytes(authority.pem)
    content = {"pkcs12": KEY.pkcs12, "der": KEY.key_der}.get(form) or KEYS[form]
    (directory / name).write_bytes(content)
    assert refused("--cert", directory, secret=KEY.key_pem).errors == [("private-key", str(directory / name))]


def test_a_private_key_is_found_through_a_link_of_the_host(refused, authority, tmp_path):
    directory = tmp_path / "certs"
    directory.mkdir()
    (tmp_path / "elsewhere").write_bytes(KEY.key_pem)
    (directory / "a.pem").write_bytes(authority.pem)
    (directory / "b.pem").symlink_to(tmp_path / "elsewhere")
    assert refused("--cert", directory, secret=KEY.key_pem).errors == [("private-key", str(directory / "b.pem"))]


def test_a_private_key_named_by_the_config(refused, tmp_path):
    (tmp_path / "ca.pem").write_bytes(KEYS["between"])
    (tmp_path / "trust.toml").write_text('[[anchor]]\nfile = "ca.pem"\n')
    result = refused("--config", tmp_path / "trust.toml", secret=KEY.key_pem)
    assert result.errors == [("private-key", str(tmp_path / "ca.pem"))]


# -- certificates that are no anchors ----------------------------------------------------------------------


def test_a_server_certificate_that_another_ca_signed(refused, authority, tmp_path):
    file = tmp_path / "server.pem"
    file.write_bytes(authority.server("device.example.com").pem)
    result = refused("--cert", file)
    assert result.errors == [("not-an-anchor", f"{file}:1")]
    assert "Test Root CA" in result.document["errors"][0]["message"]


def test_each_certificate_of_a_chain_is_judged_by_itself(refused, authority, tmp_path):
    file = tmp_path / "chain.pem"
    server = authority.server("device.example.com").pem
    file.write_bytes(server + authority.pem + server)
    behind = len((server + authority.pem).splitlines()) + 1
    assert refused("--cert", file).errors == [("not-an-anchor", f"{file}:1"), ("not-an-anchor", f"{file}:{behind}")]


def test_expired_by_the_clock_of_the_host(refused, install, tmp_path):
    expired = Authority("Old", not_before=NOW - timedelta(days=400), not_after=NOW - timedelta(seconds=5))
    file = tmp_path / "old.pem"
    file.write_bytes(expired.pem)
    result = refused("--cert", file)
    assert result.errors == [("expired", f"{file}:1")]
    assert f"{expired.certificate.not_valid_after_utc:%Y-%m-%d}" in result.document["errors"][0]["message"]
    assert install("--cert", file, "--at", f"{NOW - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}").status == 0


def test_expired_at_the_time_that_is_given(refused, install, authority, tmp_path):
    file = tmp_path / "ca.pem"
    file.write_bytes(authority.pem)
    end = int(authority.certificate.not_valid_after_utc.timestamp())
    assert refused("--cert", file, "--at", end + 1).errors == [("expired", f"{file}:1")]
    assert install("--cert", file, "--at", end).status == 0


def test_a_pin_that_does_not_match(refused, install, authority, other_authority, tmp_path):
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    config = tmp_path / "trust.toml"
    config.write_text(f'[[anchor]]\nfile = "ca.pem"\nsha256 = "{other_authority.sha256}"\n')
    result = refused("--config", config)
    assert result.errors == [("pin", f"{tmp_path / 'ca.pem'}:1")]
    message = result.document["errors"][0]["message"]
    assert authority.sha256 in message and other_authority.sha256 in message
    config.write_text(f'[[anchor]]\nfile = "ca.pem"\nsha256 = "{authority.sha256.upper()}"\n')
    assert install("--config", config).status == 0


def test_a_certificate_that_must_never_ship(refused, authority, tmp_path):
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    (tmp_path / "trust.toml").write_text(f'[policy]\nforbid = ["sha256:{authority.sha256}"]\n')
    result = refused("--cert", tmp_path / "ca.pem", "--config", tmp_path / "trust.toml")
    assert result.errors == [("forbidden", f"{tmp_path / 'ca.pem'}:1")]
    assert authority.sha256 in result.document["errors"][0]["message"]


# -- many at once ------------------------------------------------------------------------------------------


def test_all_errors_are_reported_at_once(refused, authority, tmp_path):
    expired = Authority("Old", not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=1))
    contents = {
        "a-good.pem": authority.pem,
        "b-empty.pem": b"",
        "c-key.pem": authority.pem + KEY.key_pem,
        "d-cut.pem": authority.pem[:200],
        "e-server.pem": authority.server("x.example.com").pem,
        "f-old.der": expired.der,
        "g-pkcs12.crt": KEY.pkcs12,
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    words = [word for name in contents for word in ("--cert", tmp_path / name)]
    result = refused(*words, "--cert", tmp_path / "none.pem", "--replace", "nobody", secret=KEY.key_pem)
    assert result.errors == [
        ("no-certificate", str(tmp_path / "b-empty.pem")),
        ("private-key", str(tmp_path / "c-key.pem")),
        ("pem-malformed", f"{tmp_path / 'd-cut.pem'}:1"),
        ("not-an-anchor", f"{tmp_path / 'e-server.pem'}:1"),
        ("expired", str(tmp_path / "f-old.der")),
        ("private-key", str(tmp_path / "g-pkcs12.crt")),
        ("unreadable", str(tmp_path / "none.pem")),
        ("replace", ""),
    ]


def test_errors_of_certificates_and_of_settings_are_reported_together(refused, tmp_path, debian):
    (tmp_path / "empty.pem").write_bytes(b"")
    result = refused(
        *("--cert", tmp_path / "empty.pem", "--cloud", "gcp", "--set", "c8y.root_cert=/x"),
        *("--set", "c8y.root_cert_path=relative", "--set-at-run-time", "nothing"),
    )
    assert [id for id, _ in result.errors] == [
        "no-certificate",
        "cloud",
        "thin-edge-setting",
        "thin-edge-setting",
        "thin-edge-setting",
    ]


def test_a_broken_tedge_toml_does_not_hide_a_bad_certificate(refused, tmp_path, debian):
    (tmp_path / "empty.pem").write_bytes(b"")
    debian.write("etc/tedge/tedge.toml", b"[c8y\n")
    result = refused("--cert", tmp_path / "empty.pem", "--cloud", "c8y")
    assert result.errors == [
        ("no-certificate", str(tmp_path / "empty.pem")),
        ("thin-edge-toml", "/etc/tedge/tedge.toml"),
    ]


# -- names -------------------------------------------------------------------------------------------------


def test_two_files_that_would_have_one_name(refused, authority, other_authority, tmp_path):
    for directory, each in (("a", authority), ("b", other_authority)):
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "ca.pem").write_bytes(each.pem)
    result = refused("--cert", tmp_path / "a/ca.pem", "--cert", tmp_path / "b/ca.pem")
    assert result.errors == [("name", f"{tmp_path}/a/ca.pem:1")]
    assert f"{tmp_path}/b/ca.pem:1" in result.document["errors"][0]["message"]


def test_one_name_for_several_certificates(refused, authority, other_authority, tmp_path):
    (tmp_path / "ca.pem").write_bytes(authority.pem + other_authority.pem)
    (tmp_path / "trust.toml").write_text('[[anchor]]\nfile = "ca.pem"\nname = "both"\n')
    result = refused("--config", tmp_path / "trust.toml")
    assert "anchor[0].name" in result.document["errors"][0]["message"]


def test_a_file_name_with_control_characters_stays_on_its_line(refused, tmp_path):
    name = os.fsdecode(b"a\n\x1b[31mb\xff\xe2\x80\xae.pem")
    (tmp_path / name).write_bytes(b"")
    result = refused("--cert", tmp_path / name)
    assert result.errors == [("no-certificate", str(tmp_path / name))]


def test_the_same_refusals_in_a_separate_process(tmp_path, debian):
    """Whole: the real standard streams, an environment of nothing but the way to the package."""
    file = tmp_path / "ca.pem"
    file.write_bytes(KEYS["between"])
    before = debian.snapshot()
    run = subprocess.run(
        [sys.executable, "-m", "rootfs_trust", "install", "--root", debian.root, "--cert", "-"],
        input=KEYS["between"],
        capture_output=True,
        check=False,
        env={"PYTHONPATH": str(Path(rootfs_trust.__file__).parents[1])},
        cwd=tmp_path,
    )
    assert (run.returncode, run.stdout) == (2, b"")
    assert run.stderr == (
        b"rootfs-trust: error: -: the file contains a private key (PEM), which must not be in an image; "
        b"delete the key, and use only certificates\n"
    )
    assert debian.snapshot() == before


def test_the_check_for_secrets_can_fail():
    from tests.unit.cli.conftest import Result

    with pytest.raises(AssertionError):
        assert_untold(KEY.key_pem, Result(2, "", KEY.key_pem.decode().splitlines()[1][10:40]))


@pytest.mark.parametrize("words", [("install",), ("remove", "my-ca")])
def test_a_directory_that_is_not_a_root_filesystem_is_named_by_its_path_on_the_host(command, tmp_path, words):
    (tmp_path / "somewhere").mkdir()
    result = command(words[0], "--root", tmp_path / "somewhere", *words[1:])
    assert result.status == 2
    assert result.err.startswith(f"rootfs-trust: error: {tmp_path}/somewhere: no known trust store layout")
