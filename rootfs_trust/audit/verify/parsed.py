"""A certificate with its parts that judging asks for, read by the cryptography library when they are asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from rootfs_trust.x509 import Certificate

if TYPE_CHECKING:
    from cryptography import x509

    Extension = TypeVar("Extension", bound=x509.ExtensionType)


class Parsed:
    """``certificate`` as the room x509 has it; ``whole`` is cryptography's, None where that library refuses it."""

    def __init__(self, certificate: Certificate) -> None:
        self.certificate = certificate

    @cached_property
    def whole(self) -> x509.Certificate | None:
        """cryptography's reading of the same octets."""
        from cryptography import x509

        try:
            return x509.load_der_x509_certificate(self.certificate.der)
        except ValueError:
            return None

    @cached_property
    def extensions(self) -> x509.Extensions | None:
        """All extensions; None where one of them makes no sense."""
        from cryptography import x509

        try:
            return self.whole.extensions if self.whole else None
        except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            return None

    def extension(self, kind: type[Extension]) -> Extension | None:
        """The value of the extension ``kind``, None where it is not there."""
        from cryptography.x509 import ExtensionNotFound

        try:
            return self.extensions.get_extension_for_class(kind).value if self.extensions else None
        except ExtensionNotFound:
            return None

    @cached_property
    def unknown_critical(self) -> list[str]:
        """Dotted OIDs of critical extensions that no TLS client handles."""
        listed = self.extensions or ()
        return [each.oid.dotted_string for each in listed if each.critical and each.oid.dotted_string not in _HANDLED]

    def signed_by(self, issuer: Parsed) -> bool:
        """Whether the issuer's key made this signature; names are not compared."""
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

        try:
            return self._check_signature(issuer)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
            return False

    def _check_signature(self, issuer: Parsed) -> bool:
        from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

        if self.whole is None or issuer.whole is None:
            return False
        key, whole = issuer.whole.public_key(), self.whole
        signed = whole.signature, whole.tbs_certificate_bytes
        parameters, digest = whole.signature_algorithm_parameters, whole.signature_hash_algorithm
        if isinstance(key, rsa.RSAPublicKey) and digest is not None:
            key.verify(*signed, parameters, digest)  # type: ignore[arg-type]
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(*signed, parameters)  # type: ignore[arg-type]
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(*signed)
        elif isinstance(key, dsa.DSAPublicKey) and digest is not None:
            key.verify(*signed, digest)
        else:
            return False
        return True


_HANDLED = frozenset(
    (
        "2.5.29.15",  # keyUsage
        "2.5.29.17",  # subjectAltName
        "2.5.29.19",  # basicConstraints
        "2.5.29.30",  # nameConstraints
        "2.5.29.32",  # certificatePolicies
        "2.5.29.33",  # policyMappings
        "2.5.29.36",  # policyConstraints
        "2.5.29.37",  # extKeyUsage
        "2.5.29.54",  # inhibitAnyPolicy
    )
)
