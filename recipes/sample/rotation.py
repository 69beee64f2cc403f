"""Makes what docs/rotation.md rehearses: root filesystems, roots, and chains of servers before and after a cloud moves.

Usage: rotation.py DIR. Every name is a stand-in; the certificates are made on the spot and protect nothing.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import make
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC).replace(microsecond=0)
HOST = "mqtt.example.com"


class Authority:
    """A CA and its key; ``above`` is the CA that signs it, and ``same_as`` the one whose name and key it has."""

    def __init__(
        self, name: str, above: Authority | None = None, days: int = 3650, same_as: Authority | None = None
    ) -> None:
        self.key = same_as.key if same_as else ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.days = days
        signer = above or self
        self.pem = signed(self, signer, x509.BasicConstraints(ca=True, path_length=None), days)

    def server(self, host: str = HOST, days: int = 396) -> bytes:
        """The chain that a server sends: its own certificate and that of the CA that issued it."""
        issuing = Authority(f"{common_name(self)} Issuing CA", self, min(self.days, 1800))
        leaf = Authority.__new__(Authority)
        leaf.key = ec.generate_private_key(ec.SECP256R1())
        leaf.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        own = signed(leaf, issuing, x509.BasicConstraints(ca=False, path_length=None), days, host)
        return own + issuing.pem

    def as_signed_by(self, other: Authority, days: int = 3650) -> bytes:
        """The same name and key in a certificate of another CA: a cross-sign."""
        return Authority(common_name(self), other, days, self).pem


def common_name(authority: Authority) -> str:
    return str(authority.name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def signed(subject: Authority, signer: Authority, kind: x509.BasicConstraints, days: int, host: str = "") -> bytes:
    public, issuer = subject.key.public_key(), signer.key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject.name)
        .issuer_name(signer.name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(kind, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
    )
    if host:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def write(directory: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        make.write(directory / name, content)


def main(directory: Path) -> None:
    make.main(directory)
    a, b = Authority("Root A"), Authority("Root B")
    moved = b.server()
    chains = {"today": a.server(), "moved": moved, "moved-cross-signed": moved + b.as_signed_by(a)}
    roots = {"root-a.pem": a.pem, "root-b.pem": b.pem}
    write(directory, roots | {f"chains/{name}.pem": chain for name, chain in chains.items()})
    azure(directory / "azure")
    aws(directory / "aws")
    lets_encrypt(directory / "lets-encrypt")


def azure(directory: Path) -> None:
    old, new = Authority("Stand-in Baltimore CyberTrust Root"), Authority("Stand-in DigiCert Global Root G2")
    write(directory, {"old.pem": old.pem, "new.pem": new.pem, "before.pem": old.server(), "after.pem": new.server()})


def aws(directory: Path) -> None:
    old, new = Authority("Stand-in Starfield Services Root G2"), Authority("Stand-in Amazon Root CA 1")
    chain = new.server()
    crossed = chain + new.as_signed_by(old)
    write(directory, {"old.pem": old.pem, "new.pem": new.pem, "before.pem": crossed, "after.pem": chain})


def lets_encrypt(directory: Path) -> None:
    """The cross-sign outlives the root that made it, as in 2021."""
    old, new = Authority("Stand-in DST Root CA X3", days=60), Authority("Stand-in ISRG Root X1")
    chain = new.server(days=90)
    crossed = chain + new.as_signed_by(old, days=1000)
    write(directory, {"old.pem": old.pem, "new.pem": new.pem, "before.pem": crossed, "after.pem": chain})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
