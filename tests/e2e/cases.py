"""The servers of the table: what each shows, and what the device has in its store to trust it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.authority import DAY, NOW, Authority, small_rsa_key
from tests.support.debian_tree import shipped_authority
from tests.support.peers import PLAIN_ENVIRONMENT, peer

SHIPPED = "mozilla/Alpha_Root.crt"


@dataclass(frozen=True)
class Identity:
    """What a server shows: its chain as PEM, the server's own first, and its key."""

    pem: bytes
    key_pem: bytes


@dataclass(frozen=True)
class Server:
    """A server and how the device's store came to be: ``install`` was given ``installed``, at the time ``at``.

    ``local`` files stood in the local directory before; ``removed`` was removed by ``remove`` afterwards.
    """

    shows: Identity
    installed: tuple[bytes, ...] = ()
    local: Mapping[str, bytes] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    at: datetime | None = None


def _shown(server: Authority, *others: Authority) -> Identity:
    return Identity(b"".join(each.pem for each in (server, *others)), server.key_pem)


def _private_ca(**of_the_server) -> Server:
    root = Authority("Private Root")
    return Server(_shown(root.server("localhost", **of_the_server)), (root.pem,))


def _under(**of_the_root) -> Server:
    root = Authority("Private Root", **of_the_root)
    return Server(_shown(root.server("localhost")), (root.pem,), at=NOW - 20 * DAY)


def _with_intermediate(sent: bool, root_installed: bool, intermediate_installed: bool) -> Server:
    root = Authority("Private Root")
    intermediate = Authority("Private Intermediate", issuer=root)
    installed = [root.pem] * root_installed + [intermediate.pem] * intermediate_installed
    return Server(_shown(intermediate.server("localhost"), *[intermediate] * sent), tuple(installed))


def _as_cumulocity_edge(**dates) -> Server:
    server = Authority("localhost", ca=False, names=("localhost",), **dates)
    return Server(_shown(server), (server.pem,), at=NOW - 20 * DAY)


def _as_openssl_req_makes_it() -> Server:
    """Self-signed with CA:TRUE, by the program that everyone uses and with its own defaults."""
    both = _openssl(
        "req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout -"
    )
    start = both.index(b"-----BEGIN CERTIFICATE")
    return Server(Identity(both[start:], both[:start]), (both[start:],))


def _openssl(words: str, stdin: bytes = b"") -> bytes:
    command = [peer("openssl"), *words.split()]
    return subprocess.run(
        command, env=PLAIN_ENVIRONMENT, input=stdin, capture_output=True, timeout=60, check=True
    ).stdout


def _stranger() -> Server:
    return Server(_shown(Authority("Private Root").server("localhost")), (Authority("Somebody Else").pem,))


def _of_the_wrong_name() -> Server:
    root = Authority("Private Root")
    return Server(_shown(root.server("example.com")), (root.pem,))


def _named_by_its_subject_alone() -> Server:
    root = Authority("Private Root")
    return Server(_shown(Authority("localhost", ca=False, issuer=root)), (root.pem,))


def _distrusted() -> Server:
    """A root that the distribution ships, removed with ``remove``."""
    return Server(_shown(shipped_authority(SHIPPED).server("localhost")), removed=(SHIPPED,))


def _constrained(to: str) -> Server:
    return _under(more=(x509.NameConstraints([x509.DNSName(to)], None),))


def _signed_with_sha1() -> Server:
    """By openssl, since the cryptography library makes no such signature any more."""
    root = Authority("Private Root")
    server = Authority("localhost", ca=False)
    with TemporaryDirectory() as directory:
        signer, extensions = Path(directory, "ca.pem"), Path(directory, "extensions")
        signer.write_bytes(root.pem + root.key_pem)
        extensions.write_text("subjectAltName = DNS:localhost")
        ca = f"-CA {signer} -CAkey {signer} -set_serial 1 -days 30 -sha1"
        pem = _openssl(f"x509 {ca} -clrext -extfile {extensions}", server.pem)
    return Server(Identity(pem, server.key_pem), (root.pem,))


def _pinned() -> Server:
    """The server's own certificate is in the store, which `install` would refuse, and its CA is not."""
    server = Authority("Private Root").server("localhost")
    return Server(_shown(server), local={"pinned.crt": server.pem})


def _stored(name: str, form: Callable[[bytes], bytes]) -> Server:
    """The local directory contains the root in a form other than clean PEM."""
    root = Authority("Private Root")
    return Server(_shown(root.server("localhost")), local={name: form(root.pem)})


def _with_trust_settings(words: str) -> Callable[[bytes], bytes]:
    return lambda pem: _openssl(f"x509 -trustout {words}", pem)


def _renewed() -> Server:
    """The CA has a new certificate with its old key; the expired one is in the store, too, and is found first."""
    old = Authority("Private Root", not_before=NOW - 30 * DAY, not_after=NOW - 3 * DAY)
    new = old.renewed()
    return Server(_shown(new.server("localhost")), (old.pem, new.pem), at=NOW - 20 * DAY)


def _cross_signed() -> Server:
    """The server sends its new root signed by an old one, which has expired; the device has the new one alone."""
    old = Authority("Old Root", not_after=NOW - 3 * DAY)
    new = Authority("New Root")
    crossed = Authority("New Root", issuer=old, key=new.key)
    return Server(_shown(new.server("localhost"), crossed), (new.pem,))


_NO_SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
_LONG_AGO = {"not_before": NOW - 30 * DAY, "not_after": NOW - 3 * DAY}

CASES: dict[str, tuple[str, Callable[[], Server]]] = {
    "ca": ("A private CA", _private_ca),
    "sent": ("A CA with an intermediate, which the server sends", lambda: _with_intermediate(True, True, False)),
    "not-sent": ("As 2, but the server does not send the intermediate", lambda: _with_intermediate(False, True, False)),
    "both": (
        "As 3, but both the intermediate and the root are installed",
        lambda: _with_intermediate(False, True, True),
    ),
    "alone": (
        "As 2, but only the intermediate is installed, not the root",
        lambda: _with_intermediate(True, False, True),
    ),
    "edge": ("A self-signed certificate that is not a CA, as in Cumulocity Edge", _as_cumulocity_edge),
    "self-ca": ("A self-signed certificate with CA:TRUE, as `openssl req -x509` creates it", _as_openssl_req_makes_it),
    "stranger": ("A CA that is not installed", _stranger),
    "old-ca": ("The installed CA has expired", lambda: _under(**_LONG_AGO)),
    "expired": ("The server's certificate has expired", lambda: _private_ca(**_LONG_AGO)),
    "early": ("The server's certificate is not yet valid", lambda: _private_ca(not_before=NOW + 3 * DAY)),
    "old-edge": ("A self-signed certificate that is not a CA, expired", lambda: _as_cumulocity_edge(**_LONG_AGO)),
    "renewed": ("A renewed CA; its old, expired certificate is also installed", _renewed),
    "crossed": (
        "The server sends its root, cross-signed by an expired one; the root itself is installed",
        _cross_signed,
    ),
    "name": ("The server's certificate is for another name", _of_the_wrong_name),
    "subject": ("The server's certificate has its name only in the subject", _named_by_its_subject_alone),
    "distrust": ("A CA of the distribution that `remove` distrusted", _distrusted),
    "in": ("The CA has name constraints, and the server's name is permitted", lambda: _constrained("localhost")),
    "out": ("The CA has name constraints, and the server's name is not permitted", lambda: _constrained("example.com")),
    "sha1": ("The server's certificate is signed with SHA-1", _signed_with_sha1),
    "rsa1024": ("The CA has an RSA key of 1024 bits", lambda: _under(key=small_rsa_key(1024))),
    "client": ("The server's certificate is for clients only", lambda: _private_ca(more=(_NO_SERVER,))),
    "pinned": ("Only the server's own certificate is installed, not its CA", _pinned),
    "bom": (
        "The file of the CA has a byte order mark",
        lambda: _stored("bom.crt", b"\xef\xbb\xbf".__add__),
    ),
    "trusted": (
        "The file of the CA is a TRUSTED CERTIFICATE",
        lambda: _stored("trusted.crt", _with_trust_settings("-addtrust serverAuth")),
    ),
    "rejected": (
        "The file of the CA is a TRUSTED CERTIFICATE that is rejected for servers",
        lambda: _stored("rejected.crt", _with_trust_settings("-addreject serverAuth")),
    ),
}
