"""CycloneDX 1.6 in JSON: certificates, their keys and algorithms as cryptographic assets. Needs cyclonedx-python-lib.

Source: CycloneDX 1.6, cryptoProperties, and the "Authoritative Guide to CBOM".
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from cyclonedx.model import HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.bom_ref import BomRef
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.crypto import (
    AlgorithmProperties,
    CertificateProperties,
    CryptoAssetType,
    CryptoFunction,
    CryptoPrimitive,
    CryptoProperties,
    RelatedCryptoMaterialProperties,
    RelatedCryptoMaterialType,
)
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.service import Service
from cyclonedx.output.json import JsonV1Dot6

from rootfs_trust.audit.root_status import RootStatus
from rootfs_trust.audit.sbom.inventory import TOOL, Inventory, plain, server_properties
from rootfs_trust.audit.servers import Server
from rootfs_trust.audit.trusted_anchors import TrustedAnchor
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.oids import KEY_ALGORITHMS, SIGNATURE_ALGORITHMS

_OIDS = {name: oid for table in (KEY_ALGORITHMS, SIGNATURE_ALGORITHMS) for oid, name in table.items()}
_CURVES = {
    "1.2.840.10045.3.1.1": "nist/P-192",
    "1.3.132.0.33": "nist/P-224",
    "1.2.840.10045.3.1.7": "nist/P-256",
    "1.3.132.0.10": "secg/secp256k1",
    "1.3.132.0.34": "nist/P-384",
    "1.3.132.0.35": "nist/P-521",
    "1.3.36.3.3.2.8.1.1.7": "brainpool/brainpoolP256r1",
    "1.3.36.3.3.2.8.1.1.11": "brainpool/brainpoolP384r1",
    "1.3.36.3.3.2.8.1.1.13": "brainpool/brainpoolP512r1",
}
"""Names of curves in CycloneDX (neuromancer.sk/std)."""


def cyclonedx(inventory: Inventory) -> str:
    """Return the CycloneDX document for an inventory. The same inventory gives the same text."""
    tree = Component(
        type=ComponentType.OPERATING_SYSTEM,
        bom_ref="rootfs",
        name=inventory.system,
        version=inventory.system_version or None,
    )
    tool = Component(type=ComponentType.APPLICATION, bom_ref=TOOL, name=TOOL, version=inventory.tool_version)
    metadata = BomMetaData(component=tree, timestamp=inventory.created)
    metadata.tools.components.add(tool)
    bom = Bom(serial_number=inventory.serial, metadata=metadata)
    needs: dict[BomRef, set[BomRef]] = {}
    _need(needs, tree, *_add_certificates(bom, needs, inventory))
    bom.services.update(map(_service, inventory.servers))
    needs |= {service.bom_ref: set() for service in bom.services}
    bom.dependencies.update(Dependency(ref, map(Dependency, others)) for ref, others in needs.items())
    # Before it writes, the library registers each component once more, and searches a list for it: quadratic time.
    bom.register_dependency = lambda **_: None  # type: ignore[method-assign]
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _service(server: Server) -> Service:
    """Return the service for a server that the tree is expected to trust or to refuse."""
    endpoints = [XsUri(server.hostname)] if server.hostname else []
    properties = [Property(name=f"{TOOL}:{name}", value=value) for name, value in server_properties(server)]
    name = plain(server.name)
    return Service(name=name, bom_ref=f"server:{name}", endpoints=endpoints, properties=properties)


def _need(needs: dict[BomRef, set[BomRef]], component: Component, *others: Component) -> None:
    """Record that ``component`` depends on ``others``."""
    needs.setdefault(component.bom_ref, set()).update(other.bom_ref for other in others)
    for other in others:
        needs.setdefault(other.bom_ref, set())


def _add_certificates(bom: Bom, needs: dict[BomRef, set[BomRef]], inventory: Inventory) -> Iterator[Component]:
    """Add every certificate to ``bom``, with its key and the algorithms of both, without duplicates."""
    added: dict[str, Component] = {}

    def once(component: Component) -> Component:
        return added.setdefault(str(component.bom_ref), component)

    for anchor in inventory.anchors:
        signature = once(_signature_algorithm(anchor.certificate))
        algorithm = once(_key_algorithm(anchor.certificate))
        key = once(_public_key(anchor.certificate, algorithm))
        status = inventory.statuses[anchor.certificate.sha256]
        certificate = _certificate(anchor, signature, key, status)
        bom.components.update((signature, algorithm, key, certificate))
        _need(needs, key, algorithm)
        _need(needs, certificate, signature, key)
        yield certificate


def _certificate(anchor: TrustedAnchor, signature: Component, key: Component, status: RootStatus) -> Component:
    certificate = anchor.certificate
    properties = CertificateProperties(
        subject_name=plain(certificate.subject.text),
        issuer_name=plain(certificate.issuer.text),
        not_valid_before=certificate.not_before,
        not_valid_after=certificate.not_after,
        signature_algorithm_ref=signature.bom_ref,
        subject_public_key_ref=key.bom_ref,
        certificate_format="X.509",
    )
    return _asset(
        f"certificate:{certificate.sha256}",
        plain(anchor.name),
        CryptoProperties(asset_type=CryptoAssetType.CERTIFICATE, certificate_properties=properties),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=certificate.sha256)],
        properties=[Property(name=f"{TOOL}:{name}", value=plain(value)) for name, value in _properties(anchor, status)],
    )


def _properties(anchor: TrustedAnchor, status: RootStatus) -> Iterator[tuple[str, str]]:
    yield "origin", anchor.origin
    yield "status", status.word
    if status.reason:
        yield "status-reason", status.reason
    yield "subject-hash", anchor.certificate.subject.hash
    yield from (("output", path) for path in anchor.paths)
    yield from (("purpose", purpose) for purpose in anchor.purposes)
    yield from (("source", path) for path in anchor.sources)


def _public_key(certificate: Certificate, algorithm: Component) -> Component:
    """Return the key, identified by the digest of its SubjectPublicKeyInfo. Two certificates may share it."""
    digest = sha256(certificate.public_key, usedforsecurity=False).hexdigest()
    properties = RelatedCryptoMaterialProperties(
        type=RelatedCryptoMaterialType.PUBLIC_KEY,
        id=f"sha256:{digest}",
        algorithm_ref=algorithm.bom_ref,
        size=certificate.key_bits,
    )
    kind = CryptoAssetType.RELATED_CRYPTO_MATERIAL
    made = CryptoProperties(asset_type=kind, related_crypto_material_properties=properties)
    return _asset(f"key:{digest}", f"{algorithm.name} public key", made)


def _key_algorithm(certificate: Certificate) -> Component:
    curve = _CURVES.get(certificate.key_curve or "", certificate.key_curve)
    bits = certificate.key_bits
    # EC curves and Ed25519/Ed448 have one size each, given by their name.
    size = str(bits) if bits and certificate.key_algorithm in ("RSA", "RSA-PSS", "DSA") else None
    name = "-".join(filter(None, (certificate.key_algorithm, curve or size)))
    properties = AlgorithmProperties(
        primitive=CryptoPrimitive.SIGNATURE, parameter_set_identifier=size, curve=curve, crypto_functions=_VERIFY
    )
    return _algorithm(f"key-algorithm:{name}", name, certificate.key_algorithm, properties)


def _signature_algorithm(certificate: Certificate) -> Component:
    name = certificate.signature_algorithm
    properties = AlgorithmProperties(primitive=CryptoPrimitive.SIGNATURE, crypto_functions=_VERIFY)
    return _algorithm(f"signature-algorithm:{name}", name, name, properties)


_VERIFY = (CryptoFunction.VERIFY,)


def _algorithm(reference: str, name: str, known_as: str, properties: AlgorithmProperties) -> Component:
    kind = CryptoAssetType.ALGORITHM
    oid = _OIDS.get(known_as, known_as)
    return _asset(reference, name, CryptoProperties(asset_type=kind, algorithm_properties=properties, oid=oid))


def _asset(
    reference: str,
    name: str,
    crypto: CryptoProperties,
    hashes: list[HashType] | None = None,
    properties: list[Property] | None = None,
) -> Component:
    return Component(
        type=ComponentType.CRYPTOGRAPHIC_ASSET,
        bom_ref=reference,
        name=name,
        crypto_properties=crypto,
        hashes=hashes,
        properties=properties,
    )
