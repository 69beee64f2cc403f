"""A certificate whose fields are parsed by the cryptography library on first use."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rootfs_trust.audit.verify.openssl_engine import has_signed
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.oids import (
    BASIC_CONSTRAINTS,
    CERTIFICATE_POLICIES,
    EXTENDED_KEY_USAGE,
    INHIBIT_ANY_POLICY,
    KEY_USAGE,
    NAME_CONSTRAINTS,
    POLICY_CONSTRAINTS,
    POLICY_MAPPINGS,
    SUBJECT_ALTERNATIVE_NAME,
)

if TYPE_CHECKING:
    from cryptography import x509


class Parsed:
    """A certificate as this package and as the cryptography library parse it. ``whole`` is None if that library cannot
    parse it.
    """

    def __init__(self, certificate: Certificate) -> None:
        self.certificate = certificate

    @cached_property
    def whole(self) -> x509.Certificate | None:
        """The certificate as parsed by cryptography, or None."""
        from cryptography import x509

        try:
            return x509.load_der_x509_certificate(self.certificate.der)
        except (ValueError, TypeError):
            return None

    @cached_property
    def well_made(self) -> bool:
        """Whether a strict parser accepts the certificate and every extension."""
        from cryptography import x509

        try:
            return self.whole is not None and self.whole.extensions is not None
        except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            return False

    def signed_by(self, issuer: Parsed) -> bool:
        """Return whether the key of the issuer signed this certificate. Names are not compared."""
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

        try:
            return self._check_signature(issuer)
        except UnsupportedAlgorithm:
            return has_signed(issuer.certificate, self.certificate)
        except (InvalidSignature, ValueError, TypeError):
            return False

    def _check_signature(self, issuer: Parsed) -> bool:
        from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

        if self.whole is None or issuer.whole is None:  # OpenSSL may still accept it
            return has_signed(issuer.certificate, self.certificate)
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
            return has_signed(issuer.certificate, self.certificate)
        return True


HANDLED = frozenset(
    (
        KEY_USAGE,
        SUBJECT_ALTERNATIVE_NAME,
        BASIC_CONSTRAINTS,
        NAME_CONSTRAINTS,
        CERTIFICATE_POLICIES,
        POLICY_MAPPINGS,
        POLICY_CONSTRAINTS,
        EXTENDED_KEY_USAGE,
        INHIBIT_ANY_POLICY,
    )
)
"""Critical extensions that every TLS client supports."""
