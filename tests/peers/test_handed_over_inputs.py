"""Inputs that people hand over, made by the programs that people use: keytool, openssl, zip, base64 and PyYAML."""

from __future__ import annotations

import base64
import json
import subprocess

import pytest
import yaml

from tests.support.authority import NOW, Authority
from tests.support.command import install, rootfs_trust
from tests.support.debian_tree import DebianTree
from tests.support.peers import PLAIN_ENVIRONMENT, peer

ACME, OTHER = Authority("Acme Root"), Authority("Other Root")
DIGESTS = {ACME.sha256, OTHER.sha256}


def run(*words: object, stdin: bytes = b"", cwd=None) -> bytes:
    command = [peer(str(words[0])), *map(str, words[1:])]
    done = subprocess.run(
        command, env=PLAIN_ENVIRONMENT, input=stdin, cwd=cwd, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def files(tmp_path):
    (tmp_path / "acme.pem").write_bytes(ACME.pem)
    (tmp_path / "other.pem").write_bytes(OTHER.pem)
    (tmp_path / "acme.key").write_bytes(ACME.key_pem)
    return tmp_path


def installed(path, tmp_path, *more: object) -> dict[str, str]:
    """The anchors that ``install`` takes from ``path``, SHA-256 by name."""
    tree = DebianTree(tmp_path / "rootfs")
    document = json.loads(install(tree.root, "--cert", path, "--format", "json", *more).stdout)
    return {each["name"]: each["sha256"] for each in document["anchors"]}


def refused(path, tmp_path) -> tuple[str, str]:
    """Id and message of the one error with which ``install`` refuses ``path``."""
    tree = DebianTree(tmp_path / "rootfs")
    before = tree.snapshot()
    done = rootfs_trust("install", "--root", tree.root, "--cert", path, "--format", "json")
    assert (done.returncode, tree.snapshot()) == (2, before)
    (error,) = json.loads(done.stdout)["errors"]
    assert ACME.key_pem.splitlines()[1] not in done.stdout
    return error["id"], error["message"]


# -- keystores ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["changeit", "another secret"])
def test_a_java_keystore_of_certificates(files, password):
    for name in ("acme", "other"):
        words = ("-importcert", "-noprompt", "-alias", f"Company {name}", "-file", files / f"{name}.pem")
        run("keytool", *words, "-storetype", "JKS", "-keystore", files / "trust.jks", "-storepass", password)
    expected = {"company_acme": ACME.sha256, "company_other": OTHER.sha256}
    assert installed(files / "trust.jks", files) == expected


def test_a_pkcs12_keystore_of_keytool(files):
    words = ("-importcert", "-noprompt", "-alias", "acme", "-file", files / "acme.pem", "-storetype", "PKCS12")
    run("keytool", *words, "-keystore", files / "trust.p12", "-storepass", "changeit")
    assert installed(files / "trust.p12", files) == {"acme": ACME.sha256}


@pytest.mark.parametrize(
    "options", [("-passout", "pass:"), ("-passout", "pass:changeit"), ("-passout", "pass:", "-nomac")]
)
def test_a_pkcs12_file_of_openssl_without_a_key(files, options):
    run("openssl", "pkcs12", "-export", "-nokeys", "-in", files / "acme.pem", "-out", files / "ca.p12", *options)
    assert installed(files / "ca.p12", files) == {"ca.p12": ACME.sha256}


@pytest.mark.parametrize("kind", ["JKS", "PKCS12", "JCEKS"])
def test_a_keystore_with_a_private_key(files, kind):
    words = ("-genkeypair", "-alias", "mine", "-dname", "CN=mine", "-keyalg", "EC", "-storetype", kind)
    run("keytool", *words, "-keystore", files / "identity", "-storepass", "changeit", "-keypass", "changeit")
    id_, message = refused(files / "identity", files)
    assert id_ == "private-key"
    assert "private key" in message


def test_a_pkcs12_file_with_an_unknown_password_may_have_a_key(files):
    words = ("-export", "-nokeys", "-in", files / "acme.pem", "-out", files / "ca.p12", "-passout", "pass:secret")
    run("openssl", "pkcs12", *words)
    id_, message = refused(files / "ca.p12", files)
    assert id_ == "private-key"
    assert "may contain a private key" in message


def test_a_keystore_of_another_type(files):
    words = ("-importcert", "-noprompt", "-alias", "acme", "-file", files / "acme.pem", "-storetype", "JCEKS")
    run("keytool", *words, "-keystore", files / "trust", "-storepass", "changeit")
    assert refused(files / "trust", files) == (
        "keystore",
        "the keystore cannot be read: is a keystore of type JCEKS, not JKS",
    )


# -- zip ---------------------------------------------------------------------------------------------------


def test_a_zip_archive_is_read_as_a_directory(files):
    (files / ".hidden.pem").write_text("not a certificate")
    (files / "README").write_text("two roots")
    run("zip", "-q", "certs.zip", "acme.pem", "other.pem", ".hidden.pem", "README", cwd=files)
    assert installed(files / "certs.zip", files) == {"acme": ACME.sha256, "other": OTHER.sha256}


def test_a_private_key_in_a_zip_archive_is_named(files):
    run("zip", "-q", "certs.zip", "acme.pem", "acme.key", cwd=files)
    done = rootfs_trust("install", "--root", DebianTree(files / "rootfs").root, "--cert", files / "certs.zip")
    assert done.returncode == 2
    assert f"{files}/certs.zip/acme.key: the file contains a private key" in done.stderr.decode()


def test_an_encrypted_zip_archive(files):
    run("zip", "-q", "-P", "secret", "certs.zip", "acme.pem", cwd=files)
    assert refused(files / "certs.zip", files) == ("archive", "the zip archive is encrypted")


def test_a_zip_archive_that_is_cut_short(files):
    run("zip", "-q", "certs.zip", "acme.pem", cwd=files)
    (files / "certs.zip").write_bytes((files / "certs.zip").read_bytes()[:-30])
    assert refused(files / "certs.zip", files)[0] == "archive"


def test_a_zip_archive_that_unpacks_to_very_much(files):
    (files / "large.pem").write_bytes(bytes(17 * 1024 * 1024))
    run("zip", "-q", "certs.zip", "large.pem", cwd=files)
    assert refused(files / "certs.zip", files)[0] == "too-large"


# -- encodings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["-w76", "-w0"])
@pytest.mark.parametrize("of", ["der", "pem"])
def test_base64_without_pem_lines(files, form, of):
    content = run("base64", form, stdin=ACME.der if of == "der" else ACME.pem + OTHER.pem)
    (files / "ca.cer").write_bytes(content)
    assert set(installed(files / "ca.cer", files).values()) == ({ACME.sha256} if of == "der" else DIGESTS)


def test_a_private_key_behind_a_certificate_in_base64(files):
    (files / "ca.cer").write_bytes(run("base64", stdin=ACME.pem + ACME.key_pem))
    assert refused(files / "ca.cer", files)[0] == "private-key"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16(files, encoding):
    (files / "ca.cer").write_bytes(ACME.pem.decode().replace("\n", "\r\n").encode(encoding))
    assert installed(files / "ca.cer", files) == {"ca": ACME.sha256}


# -- Kubernetes --------------------------------------------------------------------------------------------

WITH_CRLF = (ACME.pem + OTHER.pem).replace(b"\n", b"\r\n").decode()
CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "kube-root-ca.crt", "annotations": {"kubernetes.io/description": "Contains a CA bundle."}},
    "data": {"ca.crt": (ACME.pem + OTHER.pem).decode(), "note": 'it\'s the "roots"', "empty": ""},
}
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "type": "Opaque",
    "data": {"ca.crt": base64.b64encode(ACME.pem).decode(), "namespace": "ZGVmYXVsdA=="},
}


def styled(text: str, style: str | None) -> str:
    """A scalar as PyYAML writes it below a key that is indented by two."""
    return yaml.safe_dump(text, default_style=style, indent=4).removesuffix("...\n").replace("\n", "\n  ").rstrip(" ")


@pytest.mark.parametrize("style", [None, "|", '"', "'"])
@pytest.mark.parametrize("value", ["lf", "crlf"])
def test_a_config_map_in_every_style_of_yaml(files, style, value):
    """kubectl writes texts with LF after `|`, and those with CRLF in double quotes."""
    data = {**CONFIG_MAP["data"], **({"ca.crt": WITH_CRLF} if value == "crlf" else {})}
    body = "".join(f"  {key}: {styled(text, style)}" for key, text in data.items())
    (files / "cm.yaml").write_text(f"apiVersion: v1\ndata:\n{body}kind: ConfigMap\n")
    assert yaml.safe_load((files / "cm.yaml").read_text())["data"] == data
    assert set(installed(files / "cm.yaml", files).values()) == DIGESTS


@pytest.mark.parametrize(
    "document", [CONFIG_MAP, SECRET, {"apiVersion": "v1", "kind": "List", "items": [SECRET, CONFIG_MAP]}]
)
@pytest.mark.parametrize("form", ["yaml", "json"])
def test_config_maps_and_secrets(files, document, form):
    text = yaml.safe_dump(document) if form == "yaml" else json.dumps(document, indent=4)
    (files / "object").write_text(text)
    expected = {ACME.sha256} if document is SECRET else DIGESTS
    assert set(installed(files / "object", files).values()) == expected


KUBECTL = """\
apiVersion: v1
data:
  ca.crt: |
    {pem}
kind: ConfigMap
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {{"apiVersion":"v1","data":{{"ca.crt":"{old}"}},"kind":"ConfigMap","metadata":{{"name":"corp-ca"}}}}
  creationTimestamp: "2026-01-05T10:00:00Z"
  name: corp-ca
  namespace: default
"""


def test_what_kubectl_prints_has_the_data_and_not_the_annotation(files):
    pem, old = ACME.pem.decode().strip().replace("\n", "\n    "), OTHER.pem.decode().replace("\n", "\\n")
    (files / "cm.yaml").write_text(KUBECTL.format(pem=pem, old=old))
    assert installed(files / "cm.yaml", files) == {"ca": ACME.sha256}


@pytest.mark.parametrize("form", ["yaml", "json"])
@pytest.mark.parametrize("together", [False, True])
def test_a_secret_with_a_private_key(files, form, together):
    values = {"all.pem": ACME.pem + ACME.key_pem} if together else {"tls.crt": ACME.pem, "tls.key": ACME.key_pem}
    data = {key: base64.b64encode(value).decode() for key, value in values.items()}
    secret = {**SECRET, "data": data}
    (files / "secret").write_text(yaml.safe_dump(secret) if form == "yaml" else json.dumps(secret))
    assert refused(files / "secret", files)[0] == "private-key"


def test_another_object_of_kubernetes(files):
    (files / "pod.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "spec": {}}))
    expected = "the file is a Kubernetes object (Pod) without a certificate in its data"
    assert refused(files / "pod.yaml", files) == ("no-certificate", expected)


# -- what is not a certificate -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_a_certificate_request(files, form):
    words = ("-new", "-key", files / "acme.key", "-subj", "/CN=x", "-outform", form, "-out", files / "ca.csr")
    run("openssl", "req", *words)
    message = "the file is a certificate request, not a certificate"
    assert refused(files / "ca.csr", files) == ("no-certificate", message)


def test_a_public_key(files):
    (files / "ca.pem").write_bytes(run("openssl", "pkey", "-in", files / "acme.key", "-pubout"))
    assert refused(files / "ca.pem", files)[1] == "the file is a public key, not a certificate"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html>\n<html><head><title>Sign in</title>", "the file is a web page (HTML), not a certificate"),
        (b"\xef\xbb\xbf\r\n<HTML>", "the file is a web page (HTML), not a certificate"),
        (b"https://pki.example/root.crt\n", "the file contains a URL, not a certificate"),
        (b"[InternetShortcut]\r\nURL=http://pki.example/\r\n", "the file contains a URL, not a certificate"),
        (b"%PDF-1.7\n", "the file is a PDF document, not a certificate"),
        (b"\x1f\x8b\x08\0", "the file is a compressed archive"),
    ],
)
def test_other_files_are_named(files, content, message):
    (files / "ca.pem").write_bytes(content)
    assert refused(files / "ca.pem", files)[1] == message


def test_a_url(files):
    url = "https://pki.example/root.crt"
    assert refused(url, files) == ("url", "is a URL, and rootfs-trust opens no connection")
    (files / "rootfs-trust.toml").write_text(f'[[anchor]]\nfile = "{url}"\n')
    done = rootfs_trust("install", "--root", files / "rootfs", "--config", files / "rootfs-trust.toml")
    assert done.returncode == 2
    assert b"is a URL" in done.stderr


# -- the chain of a server ---------------------------------------------------------------------------------

SERVER = ACME.server("mqtt.example", not_after=NOW.replace(year=NOW.year + 2))
CHAINS = {
    "utf-16": (lambda: SERVER.pem.decode().encode("utf-16"), None),
    "base64": (lambda: base64.encodebytes(SERVER.der), None),
    "key": (lambda: SERVER.pem + SERVER.key_pem, "the file contains a private key (PEM)"),
    "html": (lambda: b"<html>", "the file is a web page"),
    "config map": (lambda: json.dumps(CONFIG_MAP).encode(), "the file is a Kubernetes object"),
    "zip": (lambda: b"PK\x03\x04", "the file is a zip archive"),
    "keystore": (lambda: b"\xfe\xed\xfe\xed", "the file is a keystore"),
}


@pytest.mark.parametrize("form", CHAINS)
def test_chains_are_read_or_named(files, form):
    content, message = CHAINS[form]
    root = DebianTree(files / "rootfs").root
    install(root, "--cert", files / "acme.pem")
    (files / "chain").write_bytes(content())
    done = rootfs_trust("verify", "--root", root, "--chain", files / "chain", "--hostname", "mqtt.example")
    assert done.returncode == (2 if message else 0), done.stderr
    assert not message or message in done.stderr.decode()
    assert SERVER.key_pem.splitlines()[1] not in done.stdout + done.stderr
