"""Made cases in limbo's form, for names, constraints and paths that no collection has.

``python -m tests.limbo.generate NUMBER SEED > FILE`` writes them; tests.limbo.agreement reads the file.
"""

from __future__ import annotations

import ipaddress
import json
import random
import sys
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 11, 1, tzinfo=UTC)
_HOSTS = ("a.test.example", "b.test.example", "test.example", "x.a.test.example", "A.Test.example", "other.example")
# No IPv6: OpenJDK 17.0.15 (not 17.0.21) ends with an exception where an IPv4 address meets an IPv6 constraint.
_ADDRESSES = ("10.1.2.3", "10.9.0.1", "192.0.2.1")
_BASES = ("test.example", ".test.example", "a.test.example", "example", "other.example", "TEST.example", "est.example")
_NETWORKS = ("10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24", "0.0.0.0/0")
_MAILBOXES = ("user@test.example", "test.example", ".test.example")
_KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(8)]


class Maker:
    """Makes cases from one source of random numbers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def case(self, number: int) -> dict:
        """One case: a server, up to four issuers of a few names and keys, and up to three roots."""
        roots = [self._ca(f"Root {each}", _KEYS[each], None) for each in range(self.random.choice((1, 1, 2)))]
        known = [(f"Root {each}", _KEYS[each], f"Root {each}") for each in range(2)]
        intermediates = []
        signers = [known[0]]
        for each in range(self.random.randrange(4)):
            name = f"Issuer {self.random.choice((each, each, each, 0))}"
            key = _KEYS[2 + self.random.choice((each, each, each, 0))]
            signer = self.random.choice((signers[-1], signers[-1], self.random.choice(known)))
            intermediates.append(self._ca(name, key, signer))
            signers.append((name, key, name))
            known.append(signers[-1])
        leaf = self._server(self.random.choice((signers[-1], signers[-1], signers[-1], self.random.choice(known))))
        sent = intermediates[::-1]
        if self.random.random() < 0.3:
            self.random.shuffle(sent)
        if self.random.random() < 0.15:
            sent.append(self.random.choice(roots))
        if intermediates and self.random.random() < 0.15:
            roots.append(self.random.choice(intermediates))
        if self.random.random() < 0.03:
            roots.append(leaf)
        host = self.random.choice((*_HOSTS[:3], *_ADDRESSES[:1]))
        return {
            "id": f"made::{number}",
            "validation_kind": "SERVER",
            "crls": [],
            "key_usage": [],
            "signature_algorithms": [],
            "max_chain_depth": None,
            "extended_key_usage": [],
            "peer_certificate": leaf,
            "untrusted_intermediates": sent,
            "trusted_certs": roots,
            "expected_peer_name": {"kind": "IP" if host[0].isdigit() else "DNS", "value": host},
            "validation_time": NOW.isoformat(),
        }

    def _ca(self, name: str, key: ec.EllipticCurvePrivateKey, signer: tuple | None) -> str:
        extensions: list[tuple[x509.ExtensionType, bool]] = []
        length = self.random.choice((None, None, None, None, 0, 1))
        if self.random.random() < 0.95:
            extensions.append((x509.BasicConstraints(self.random.random() < 0.97, None), True))
            if extensions[0][0].ca:
                extensions[0] = (x509.BasicConstraints(True, length), True)
        if self.random.random() < 0.35:
            extensions.append((self._constraints(), self.random.random() < 0.5))
        if self.random.random() < 0.1:
            extensions.append((self._purposes(), False))
        return self._made(name, key, signer or (name, key, name), extensions)

    def _server(self, signer: tuple) -> str:
        names: list[x509.GeneralName] = []
        for _ in range(self.random.choice((0, 1, 1, 2, 3))):
            names.append(self._name())
        extensions: list[tuple[x509.ExtensionType, bool]] = []
        if names:
            extensions.append((x509.SubjectAlternativeName(names), False))
        if self.random.random() < 0.3:
            extensions.append((self._purposes(), False))
        name = self.random.choice((*_HOSTS, *_ADDRESSES, "A Server", "A Server", ""))
        return self._made(name, _KEYS[7], signer, extensions)

    def _name(self) -> x509.GeneralName:
        kind = self.random.random()
        if kind < 0.6:
            return x509.DNSName(self.random.choice((*_HOSTS, "*.test.example")))
        if kind < 0.85:
            return x509.IPAddress(ipaddress.ip_address(self.random.choice(_ADDRESSES)))
        if kind < 0.93:
            return x509.RFC822Name("user@test.example")
        return x509.UniformResourceIdentifier("https://test.example/x")

    def _constraint(self) -> x509.GeneralName:
        kind = self.random.random()
        if kind < 0.55:
            return x509.DNSName(self.random.choice(_BASES))
        if kind < 0.8:
            return x509.IPAddress(ipaddress.ip_network(self.random.choice(_NETWORKS)))
        if kind < 0.87:
            return x509.RFC822Name(self.random.choice(_MAILBOXES))
        if kind < 0.94:
            return x509.DirectoryName(_name(self.random.choice(("A Server", "a.test.example", "", "Nobody"))))
        return x509.UniformResourceIdentifier("test.example")

    def _constraints(self) -> x509.NameConstraints:
        permitted = [self._constraint() for _ in range(self.random.choice((0, 1, 2, 3)))]
        excluded = [self._constraint() for _ in range(self.random.choice((0, 0, 1)) if permitted else 1)]
        return x509.NameConstraints(permitted or None, excluded or None)

    def _purposes(self) -> x509.ExtendedKeyUsage:
        purposes = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
        return x509.ExtendedKeyUsage([self.random.choice((*purposes, ExtendedKeyUsageOID.CLIENT_AUTH))])

    def _made(self, name: str, key: ec.EllipticCurvePrivateKey, signer: tuple, extensions: list) -> str:
        expired = self.random.random() < 0.04
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(signer[0]))
            .public_key(key.public_key())
            .serial_number(self.random.randrange(1, 1 << 60))
            .not_valid_before(NOW - timedelta(days=30))
            .not_valid_after(NOW + timedelta(days=-1 if expired else 30))
        )
        identifiers = self.random.random()
        if identifiers < 0.7:
            builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        if 0.1 < identifiers < 0.8:
            wrong = self.random.random() < 0.05
            key_of_issuer = (_KEYS[0] if wrong else signer[1]).public_key()
            builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key_of_issuer), False)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(signer[1], hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])


if __name__ == "__main__":
    maker = Maker(int(sys.argv[2]))
    json.dump({"testcases": [maker.case(number) for number in range(int(sys.argv[1]))]}, sys.stdout)
