"""Certificates for tests, made on the spot by the cryptography library; no key is ever kept in the repository."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7, pkcs12
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@functools.cache
def small_rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


class Authority:
    """A CA: its certificate in any form, and certificates that it signs."""

    def __init__(
        self,
        common_name: str = "Test Root CA",
        *,
        ca: bool = True,
        issuer: Authority | None = None,
        not_before: datetime = NOW - 30 * DAY,
        not_after: datetime = NOW + 3650 * DAY,
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
        organization: str | None = None,
        names: tuple[str, ...] = (),
        key_usage: bool = True,
        more: tuple[x509.ExtensionType, ...] = (),
    ) -> None:
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
        if organization:
            attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
        self.name = x509.Name(attributes)
        signer = issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(signer.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(not_before)
            .not_valid_after(not_after)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False)
        )
        if ca and key_usage:
            builder = builder.add_extension(_key_usage(), critical=True)
        if names:
            general = [x509.DNSName(each) for each in names]
            builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
        for extension in more:
            builder = builder.add_extension(extension, critical=True)
        self.certificate = builder.sign(signer.key, hashes.SHA256())

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def sha256(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def key_der(self) -> bytes:
        return self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    @property
    def pkcs12(self) -> bytes:
        return pkcs12.serialize_key_and_certificates(b"x", self.key, self.certificate, None, NoEncryption())

    def server(self, *names: str, **options) -> Authority:
        """A server certificate for ``names``, signed by this CA."""
        return Authority(names[0], ca=False, issuer=self, names=names, **options)

    def renewed(self) -> Authority:
        """The same CA with the same key and a new certificate."""
        common_name = self.name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        return Authority(str(common_name), key=self.key, not_after=NOW + 7300 * DAY)


def pkcs7_der(*authorities: Authority) -> bytes:
    return pkcs7.serialize_certificates([each.certificate for each in authorities], Encoding.DER)


def pkcs7_pem(*authorities: Authority) -> bytes:
    return pkcs7.serialize_certificates([each.certificate for each in authorities], Encoding.PEM)


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
