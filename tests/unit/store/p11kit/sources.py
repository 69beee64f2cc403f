"""Sources of a p11-kit trust store, made on the spot: every form that the trust module reads."""

from __future__ import annotations

import base64
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from rootfs_trust.x509 import encode as pem
from rootfs_trust.x509.der import encode
from rootfs_trust.x509.oids import CLIENT_AUTH, CODE_SIGNING, EMAIL, SERVER_AUTH, encode_usages, oid_contents

TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
MANY_PURPOSES = tuple(f"1.3.6.1.4.1.99999.{number}" for number in range(1, 25))


class Root:
    """A CA certificate with any subject; ``ca`` None leaves basic constraints out."""

    def __init__(
        self,
        *names: tuple[x509.ObjectIdentifier, str] | str,
        ca: bool | None = True,
        usages: tuple[str, ...] = (),
        key: ec.EllipticCurvePrivateKey | None = None,
        kind: _ASN1Type | None = None,
        issuer: Root | None = None,
    ) -> None:
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        pairs = [(NameOID.COMMON_NAME, each) if isinstance(each, str) else each for each in names]
        self.subject = x509.Name([x509.NameAttribute(oid, text, kind) for oid, text in pairs])
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.subject)
            .issuer_name((issuer or self).subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.datetime(2020, 1, 1))
            .not_valid_after(datetime.datetime(2040, 1, 1))
        )
        if ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
        if usages:
            listed = [x509.ObjectIdentifier(each) for each in usages]
            builder = builder.add_extension(x509.ExtendedKeyUsage(listed), critical=False)
        certificate = builder.sign((issuer or self).key, hashes.SHA256())
        self.der = certificate.public_bytes(Encoding.DER)
        self.key_der = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.serial = encode(2, certificate.serial_number.to_bytes(certificate.serial_number.bit_length() // 8 + 1))

    @property
    def pem(self) -> bytes:
        return pem(self.der)

    def trusted(
        self,
        trust: tuple[str, ...] | None = None,
        reject: tuple[str, ...] | None = None,
        alias: str = "",
        key_id: bytes = b"",
    ) -> bytes:
        """As a TRUSTED CERTIFICATE, with the settings given."""
        settings = b"" if trust is None else encode_usages(trust)
        settings += b"" if reject is None else b"\xa0" + encode_usages(reject)[1:]
        settings += encode(12, alias.encode()) if alias else b""
        settings += encode(4, key_id) if key_id else b""
        return pem(self.der + encode(16, settings), "TRUSTED CERTIFICATE")


def escaped(octets: bytes) -> str:
    return '"' + "".join(f"%{octet:02x}" for octet in octets) + '"'


def persist(*lines: str, block: bytes = b"", label: str = "CERTIFICATE") -> bytes:
    """One object of a .p11-kit file."""
    text = "".join(f"{line}\n" for line in ("[p11-kit-object-v1]", *lines)).encode()
    return text + (pem(block, label) if block else b"") + b"\n"


def stapled(root: Root, oid: str, value: bytes, *, critical: bool = True) -> bytes:
    """An extension for every certificate with the key of ``root``, as a .p11-kit object."""
    body = encode(6, oid_contents(oid)) + (b"\x01\x01\xff" if critical else b"") + encode(4, value)
    lines = ("class: x-certificate-extension", f"object-id: {oid}", f"value: {escaped(encode(16, body))}")
    return persist(*lines, "modifiable: false", block=root.key_der, label="PUBLIC KEY")


def stapled_usages(root: Root, *usages: str) -> bytes:
    return stapled(root, "2.5.29.37", encode_usages(usages))


def in_odd_lines(root: Root) -> bytes:
    """PEM that p11-kit reads and OpenSSL does not: text before BEGIN, lines of any length, CR LF."""
    digits = base64.b64encode(root.der).decode()
    lines = "\r\n".join(digits[n : n + 100] for n in range(0, len(digits), 100))
    return f"\ufeffan anchor: -----BEGIN CERTIFICATE-----\r\n{lines}\r\n-----END CERTIFICATE-----\r\n".encode()


def every_form() -> dict[str, bytes]:
    """Files of a token by their paths below it."""
    shared = ec.generate_private_key(ec.SECP256R1())
    twice = Root("In Two Files")
    restricted, rejected, constrained = (
        Root("Stapled Server"),
        Root("Stapled None"),
        Root("Made A CA", ca=False),
    )
    unmade = Root("Unmade CA")
    unmade_twice, made_twice = Root("Says It Is, Unmade"), Root("Says It Is Not, Made A CA", ca=False)
    blocked, keyed, unlisted = (
        Root("Blocked"),
        Root("Old Name", key=shared),
        Root("Blocked By Serial"),
    )
    named = Root("Its Subject")
    return {
        "plain.p11-kit": persist("trusted: true", 'label: "A label %c3%bc /x"', block=named.der)
        + persist("trusted: true", "nss-mozilla-ca-policy: true", "modifiable: false", block=restricted.der)
        + stapled_usages(restricted, SERVER_AUTH, EMAIL)
        + stapled_usages(rejected, "1.3.6.1.4.1.3319.6.10.16")
        + persist("trusted: true", "java-midp-security-domain: 0", block=rejected.der)
        + stapled(constrained, "2.5.29.19", bytes.fromhex("30030101ff"))
        + persist("trusted: true", block=constrained.der)
        + persist("trusted: true", block=unmade.der)
        + stapled(unmade, "2.5.29.19", bytes.fromhex("3000"))
        + persist("trusted: true", "certificate-category: authority", block=Root("Says It Is", ca=False).der)
        + persist("trusted: true", "certificate-category: other-entry", block=Root("Says It Is Not").der)
        + persist("trusted: true", "certificate-category: authority", block=unmade_twice.der)
        + stapled(unmade_twice, "2.5.29.19", bytes.fromhex("3000"))
        + persist("trusted: true", "certificate-category: other-entry", block=made_twice.der)
        + stapled(made_twice, "2.5.29.19", bytes.fromhex("30030101ff"))
        + persist("trusted: true", 'label: ""', block=Root("Named Nothing").der)
        + persist(
            "trusted: true",
            'nss-server-distrust-after: "%32%34%30%36%33%30%32%33%35%39%35%39%5a"',
            "nss-email-distrust-after: false",
            block=Root("Ends").der,
        )
        + persist("x-distrusted: true", block=Root("Distrusted By Word").der)
        + persist("trusted: false", block=Root("Neither").der),
        "by-serial.p11-kit": persist(
            "class: certificate",
            "certificate-type: x-509",
            "x-distrusted: true",
            f"issuer: {escaped(unlisted_issuer(unlisted))}",
            f"serial-number: {escaped(unlisted.serial)}",
        ),
        "broken.p11-kit": persist("trusted: maybe", block=Root("In A Broken File").der),
        "stops.p11-kit": persist("trusted: true", block=Root("Before The Stop").der)
        + persist("trusted: true", 'application: "x"', block=Root("At The Stop").der)
        + persist("trusted: true", block=Root("After The Stop").der),
        "README": b"Put certificates into anchors.\n",
        "no-word.pem": Root("No Word").pem,
        "trusted.pem": Root("Trusted All").trusted((SERVER_AUTH, CLIENT_AUTH, CODE_SIGNING, EMAIL))
        + Root("Trusted Some").trusted((EMAIL,), alias="An alias, (1)")
        + Root("Trusted Many").trusted((*MANY_PURPOSES, SERVER_AUTH), MANY_PURPOSES[3:5], "many")
        + Root("Trusted Rejected").trusted((SERVER_AUTH,), (SERVER_AUTH, TIME_STAMPING))
        + Root("Rejected Only").trusted(None, (CLIENT_AUTH,), "rejected")
        + Root("Settings Empty").trusted()
        + Root("With Key Id").trusted((SERVER_AUTH,), key_id=b"0123456789")
        + Root("Odd Purpose").trusted(("2.5.29.37.0", "1.2.840.113549.1.9.16.3.3")),
        "bare-trusted.pem": pem(Root("Bare Trusted").der, "TRUSTED CERTIFICATE"),
        "anchors/der.cer": Root("In DER").der,
        "anchors/several.crt": Root("First Of Two").pem + b"text between\n" + Root("Second Of Two").pem,
        "anchors/odd.pem": in_odd_lines(Root("Odd Lines")),
        "anchors/.hidden": Root("Hidden").pem,
        "anchors/no-ca.pem": Root("A Server", ca=False).pem,
        "anchors/no-constraints.pem": Root("No Constraints", ca=None).pem,
        "anchors/purposes.pem": Root("Own Purposes", usages=(CLIENT_AUTH,)).pem,
        "anchors/trusted.pem": Root("Trusted Anchor").trusted((CODE_SIGNING,), alias="an anchor"),
        "anchors/distrusted.pem": Root("Distrusted Anchor").trusted(None, (SERVER_AUTH,)),
        "anchors/x509.pem": pem(Root("X509 Label").der, "X509 CERTIFICATE") + pem(Root("After It").der),
        "anchors/broken.pem": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + Root("Behind").pem,
        "anchors/bad-base64.pem": b"-----BEGIN CERTIFICATE-----\nA*AA\n-----END CERTIFICATE-----\n" + Root("Next").pem,
        "anchors/bad-frame.pem": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END X-----\n" + Root("Lost").pem,
        "anchors/header.pem": Root("With Header").pem.replace(b"E-----\n", b"E-----\nProc-Type: 4\n\n", 1),
        "anchors/labels.p11-kit": persist('label: "Same"', block=Root("1").der)
        + persist('label: "same"', block=Root("2").der)
        + persist('label: "Same"', block=Root("3").der)
        + persist('label: "S ame"', block=Root("4").der)
        + persist('label: "%e4%bd%a0"', block=Root("5").der),
        "anchors/same-subject.pem": Root("Same Subject").pem + Root("Same Subject").pem + Root("Same Subject").pem,
        "anchors/twice-1.pem": twice.pem,
        "anchors/twice-2.pem": twice.trusted((EMAIL,)),
        "anchors/no-cn.pem": Root((NameOID.ORGANIZATION_NAME, "Org"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "Unit")).pem
        + Root((NameOID.ORGANIZATION_NAME, "Only Org")).pem
        + Root((NameOID.COUNTRY_NAME, "DE")).pem,
        "anchors/two-names.pem": Root("First Name", "Last Name").pem,
        "anchors/umlaut.pem": Root("Übung Größe").pem
        + Root("  Two   Spaces ").pem
        + Root("BMP Ü", kind=_ASN1Type.BMPString).pem,
        "anchors/long.pem": Root("L" * 64, (NameOID.ORGANIZATION_NAME, "x")).pem,
        "anchors/any-purpose.pem": Root("Any Purpose", usages=("2.5.29.37.0",)).pem,
        "anchors/blocked.pem": blocked.pem,
        "anchors/renewed.pem": Root("New Name", key=shared).pem,
        "anchors/by-serial.pem": unlisted.pem,
        "blocklist/blocked.pem": blocked.pem,
        "blocklist/old.crt": keyed.pem,
        "blocklist/trusted.pem": Root("Blocked Though Trusted").trusted((SERVER_AUTH,), (EMAIL,), "still blocked"),
    }


def unlisted_issuer(root: Root) -> bytes:
    return root.subject.public_bytes()
