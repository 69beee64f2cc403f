"""Trust stores that applications bring along: they do not see what was installed into the store of the system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rootfs_trust.audit.checks.anchors import FORBIDDEN
from rootfs_trust.audit.clients import certifi, java, node
from rootfs_trust.audit.clients.environment import variable
from rootfs_trust.audit.clients.reading import Reading
from rootfs_trust.audit.findings import WARNING, Finding, Kind
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.outputs import java_store
from rootfs_trust.x509 import Certificate

CERTIFI = Kind(
    "certifi-store",
    (WARNING,),
    "A copy of certifi lacks an installed anchor",
    "Python's requests, pip and all that use certifi read its cacert.pem and nothing else: they refuse the cloud that "
    "other programs accept.",
    "set REQUESTS_CA_BUNDLE and SSL_CERT_FILE to the bundle for the service, or let the program use truststore",
)
JDK = Kind(
    "jdk-store",
    (WARNING,),
    "A JDK has a store of its own, and it lacks an installed anchor",
    "Programs of this JDK refuse the cloud that other programs accept.",
    "make its lib/security/cacerts a link to the store of the system, or set -Djavax.net.ssl.trustStore",
)
NODE = Kind(
    "node-store",
    (WARNING,),
    "Node.js does not see an installed anchor",
    "Its roots are compiled in: programs of Node.js refuse the cloud that other programs accept.",
    "set NODE_EXTRA_CA_CERTS to a file of the anchor, or NODE_OPTIONS=--use-openssl-ca, for the service",
)
NODE_EXTRA = Kind(
    "node-extra-certs",
    (WARNING,),
    "NODE_EXTRA_CA_CERTS names a file that Node.js cannot use",
    "Node.js prints a warning and goes on without it: it trusts its compiled-in roots alone.",
    "name a PEM file that the tree has",
)
KINDS = (CERTIFI, JDK, NODE, NODE_EXTRA)


def check(inspection: Inspection) -> Iterator[Finding]:
    """Every private store of the tree, held against the anchors that were installed."""
    reading = Reading(inspection.view)
    if node.program(reading) is not None:
        yield from _node_extra(reading)
    yield from _forbidden(inspection, reading)
    if inspection.local_anchors:
        yield from _certifi(inspection, reading)
        yield from _jdks(inspection, reading)
        yield from _node(inspection, reading)


def _forbidden(inspection: Inspection, reading: Reading) -> Iterator[Finding]:
    for path in _apart(inspection, [*certifi.stores(reading), *java.own_stores(reading)]):
        for sha256 in inspection.policy.forbid.intersection(each.sha256 for each in _held(inspection, path)):
            yield FORBIDDEN.found(path, f"holds sha256 {sha256}, which must never ship")


def _certifi(inspection: Inspection, reading: Reading) -> Iterator[Finding]:
    if any(reading.is_file(path) for path, _ in variable(reading, "REQUESTS_CA_BUNDLE")):
        return
    for path in _apart(inspection, certifi.stores(reading)):
        yield from _lacking(inspection, CERTIFI, path, _held(inspection, path))


def _jdks(inspection: Inspection, reading: Reading) -> Iterator[Finding]:
    for path in _apart(inspection, java.own_stores(reading)):
        yield from _lacking(inspection, JDK, path, _held(inspection, path))


def _held(inspection: Inspection, path: str) -> tuple[Certificate, ...]:
    """The certificates of a bundle or of a keystore; none of one that cannot be read, which lacks them all."""
    file = inspection.trust.files.at(path)
    if file is None or file.certificates:
        return file.certificates if file else ()
    store = java_store(inspection.trust.files, path)
    return store.certificates if store else ()


def _apart(inspection: Inspection, paths: Iterable[str]) -> list[str]:
    """Those of ``paths`` that are no links to an output of the system's store, each file once."""
    outputs = {output.path for output in inspection.trust.outputs}
    reals = {inspection.view.real_path(path): path for path in paths}
    return [path for real, path in reals.items() if real not in outputs]


def _node(inspection: Inspection, reading: Reading) -> Iterator[Finding]:
    path = node.program(reading)
    if path is not None and node.keeps_apart(reading):
        files = node.extra_certificates(reading)
        yield from _lacking(inspection, NODE, path, [anchor.certificate for file in files for anchor in file.anchors])


def _node_extra(reading: Reading) -> Iterator[Finding]:
    for path, place in variable(reading, "NODE_EXTRA_CA_CERTS"):
        file = reading.openssl_bundle(path)
        if file is None or not file.anchors:
            reason = file.fault or "it holds no certificate" if file else "there is no such file"
            yield NODE_EXTRA.found(place, f"sets NODE_EXTRA_CA_CERTS to {path}: {reason}")


def _lacking(inspection: Inspection, kind: Kind, path: str, held: Iterable[Certificate]) -> Iterator[Finding]:
    digests = {certificate.sha256 for certificate in held}
    missing = [anchor.name for anchor in inspection.local_anchors if anchor.certificate.sha256 not in digests]
    if missing:
        yield kind.found(path, f"lacks {', '.join(missing)}")
