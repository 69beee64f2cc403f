"""SPDX 3.0.1 in JSON-LD: the files of the store, and the certificates that each contains. Needs spdx-python-model.

Elements are as in Yocto's create-spdx: a package for the tree, and files with their digests. Each certificate is a
separate element, because a store file may contain any number of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from spdx_python_model import v3_0_1 as spdx

from rootfs_trust.audit.root_status import RootStatus
from rootfs_trust.audit.sbom.inventory import TOOL, Inventory, StoreFile, plain
from rootfs_trust.audit.trusted_anchors import TrustedAnchor

_FIRST_TIME = datetime(1000, 1, 1, tzinfo=UTC)
"""SPDX needs years with four digits, but the library writes earlier ones with fewer."""


def spdx_json(inventory: Inventory) -> str:
    """Return the SPDX document for an inventory. The same inventory gives the same text."""
    objects = spdx.SHACLObjectSet(_Elements(inventory).all())
    data = spdx.JSONLDSerializer().serialize_data(objects, force_at_graph=True)
    return json.dumps(data, indent=2, sort_keys=True) + "\n"


class _Elements:
    """The elements of one document."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._namespace = f"urn:uuid:{inventory.serial}#"
        name = f"{TOOL} {inventory.tool_version}"
        self._creation = spdx.CreationInfo(_id="_:creation", specVersion="3.0.1", created=inventory.created)
        self._agent = self._make(spdx.SoftwareAgent, "agent", name=name)
        self._tool = self._make(spdx.Tool, "tool", name=name)
        self._creation.createdBy = [self._id("agent")]
        self._creation.createdUsing = [self._id("tool")]

    def all(self) -> list[Any]:
        """Return every object, those that contain others last."""
        elements = [self._tree(), *self._certificates(), *self._files(), *self._relationships()]
        bom = self._make(spdx.software_Sbom, "sbom", rootElement=[self._id("rootfs")])
        document = self._make(spdx.SpdxDocument, "document", rootElement=[self._id("sbom")])
        identifiers = sorted(each.spdxId for each in elements)
        bom.element, bom.software_sbomType = identifiers, [spdx.software_SbomType.deployed]
        document.element = sorted([*identifiers, *map(self._id, ("agent", "tool", "sbom"))])
        for collection in (bom, document):
            profile = spdx.ProfileIdentifierType
            collection.profileConformance = [profile.core, profile.software]
        return [self._creation, self._agent, self._tool, *elements, bom, document]

    def _id(self, fragment: str) -> str:
        return self._namespace + fragment

    def _make(self, kind: Any, fragment: str, **properties: Any) -> Any:
        return kind(_id=self._id(fragment), creationInfo=self._creation, **properties)

    def _tree(self) -> Any:
        tree = self._make(spdx.software_Package, "rootfs", name=self._inventory.system)
        tree.software_primaryPurpose = spdx.software_SoftwarePurpose.operatingSystem
        if self._inventory.system_version:
            tree.software_packageVersion = self._inventory.system_version
        return tree

    def _files(self) -> Iterator[Any]:
        for number, file in enumerate(self._inventory.files):
            made = self._make(spdx.software_File, f"file-{number}", name=plain(file.path))
            made.software_primaryPurpose = spdx.software_SoftwarePurpose.data
            kinds = spdx.software_FileKindType
            made.software_fileKind = kinds.directory if file.sha256 is None else kinds.file
            if file.sha256 is not None:
                made.verifiedUsing = [_hash(file.sha256)]
            yield made

    def _certificates(self) -> Iterator[Any]:
        for anchor in self._inventory.anchors:
            yield self._certificate(anchor)
            yield self._annotation(anchor)

    def _certificate(self, anchor: TrustedAnchor) -> Any:
        certificate = anchor.certificate
        made = self._make(spdx.software_Package, _certificate_name(certificate.sha256), name=plain(anchor.name))
        made.software_primaryPurpose = spdx.software_SoftwarePurpose.data
        made.summary = plain(f"X.509 certificate of {certificate.subject.text}")
        made.verifiedUsing = [_hash(certificate.sha256)]
        kind = spdx.ExternalIdentifierType.securityOther
        issuer = plain(certificate.issuer.text)
        made.externalIdentifier = [
            spdx.ExternalIdentifier(
                externalIdentifierType=kind,
                identifier=f"sha256:{certificate.sha256}",
                issuingAuthority=issuer,
                comment="SHA-256 fingerprint of the certificate",
            )
        ]
        if certificate.not_after and certificate.not_after >= _FIRST_TIME:
            made.validUntilTime = certificate.not_after
        return made

    def _annotation(self, anchor: TrustedAnchor) -> Any:
        """Return an annotation in JSON for data without an SPDX property."""
        digest = anchor.certificate.sha256
        made = self._make(spdx.Annotation, f"annotation-{digest}", subject=self._id(_certificate_name(digest)))
        made.annotationType, made.contentType = spdx.AnnotationType.other, "application/json"
        status = self._inventory.statuses[digest]
        made.statement = json.dumps(_document(anchor, status), sort_keys=True)
        return made

    def _relationships(self) -> Iterator[Any]:
        files = [f"file-{number}" for number in range(len(self._inventory.files))]
        if files:
            yield self._contains("rootfs", files)
        for name, file in zip(files, self._inventory.files, strict=True):
            if file.certificates:
                yield self._contains(name, _names(file))

    def _contains(self, holder: str, held: list[str]) -> Any:
        made = self._make(spdx.Relationship, f"contains-{holder}", from_=self._id(holder))
        made.to = [self._id(name) for name in held]
        made.relationshipType = spdx.RelationshipType.contains
        return made


def _certificate_name(sha256: str) -> str:
    return f"certificate-{sha256}"


def _names(file: StoreFile) -> list[str]:
    return [_certificate_name(digest) for digest in file.certificates]


def _hash(value: str) -> Any:
    return spdx.Hash(algorithm=spdx.HashAlgorithm.sha256, hashValue=value)


def _document(anchor: TrustedAnchor, status: RootStatus) -> dict[str, Any]:
    certificate = anchor.certificate
    return {
        "subject": plain(certificate.subject.text),
        "issuer": plain(certificate.issuer.text),
        "subject_hash": certificate.subject.hash,
        "key": certificate.key_algorithm,
        "key_bits": certificate.key_bits,
        "signature": certificate.signature_algorithm,
        "not_before": _time(certificate.not_before),
        "not_after": _time(certificate.not_after),
        "purposes": list(anchor.purposes),
        "origin": anchor.origin,
        "outputs": list(anchor.outputs),
        "paths": [plain(path) for path in anchor.paths],
        "sources": [plain(path) for path in anchor.sources],
        "status": status.word,
        "status_reason": status.reason,
    }


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat().replace("+00:00", "Z")
