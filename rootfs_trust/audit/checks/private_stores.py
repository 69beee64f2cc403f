"""Findings about applications whose separate trust store lacks anchors of the system's store."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit.findings import WARNING, Finding, FindingType, carry_into
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.clients import node
from rootfs_trust.clients.applications import Unseen, unseen
from rootfs_trust.clients.environment_variables import variable
from rootfs_trust.clients.file_readers import FileReader, file_reader

CERTIFI = FindingType(
    "certifi-store",
    (WARNING,),
    "A copy of certifi lacks an installed anchor",
    "Python's requests, pip and other programs with certifi read only its cacert.pem. They refuse the cloud that "
    "other programs accept.",
    "set REQUESTS_CA_BUNDLE and SSL_CERT_FILE to the bundle for the service, or let the program use truststore",
)
JDK = FindingType(
    "jdk-store",
    (WARNING,),
    "A JDK has its own keystore, which lacks an installed anchor",
    "Programs of this JDK refuse the cloud that other programs accept.",
    "replace its lib/security/cacerts with a link to the system's keystore, or set -Djavax.net.ssl.trustStore",
)
NODE = FindingType(
    "node-store",
    (WARNING,),
    "Node.js does not trust an installed anchor",
    "Its roots are compiled in. Node.js programs refuse the cloud that other programs accept.",
    "set NODE_EXTRA_CA_CERTS to a file with the anchor, or NODE_OPTIONS=--use-openssl-ca, for the service",
)
NODE_EXTRA = FindingType(
    "node-extra-certs",
    (WARNING,),
    "NODE_EXTRA_CA_CERTS names a file that Node.js cannot use",
    "Node.js prints a warning and continues. It trusts only its compiled-in roots.",
    "name a PEM file of the root filesystem",
)
CASTORE = FindingType(
    "castore-store",
    (WARNING,),
    "A bundle of castore lacks an installed anchor",
    "Erlang and Elixir programs with castore or certifi read only this bundle. They refuse the cloud that other "
    "programs accept.",
    "set cacertfile in the program's ssl options to the bundle of the system",
)
MONO = FindingType(
    "mono-store",
    (WARNING,),
    "Mono's machine store lacks an installed anchor",
    "Mono programs read only this store. They refuse the cloud that other programs accept.",
    "run cert-sync of Mono with the bundle on the device",
)
BROWSER = FindingType(
    "browser-store",
    (WARNING,),
    "A browser does not trust an installed anchor",
    "The roots of Chromium and Firefox are compiled in, and managed policies add to them. The browser refuses the "
    "server that other programs accept.",
    "add the anchor to the managed policy CACertificates (Chromium) or Certificates.Install (Firefox)",
)
KINDS = (CERTIFI, JDK, NODE, NODE_EXTRA, CASTORE, MONO, BROWSER)


_BY_RUNTIME = {
    "certifi": CERTIFI,
    "java": JDK,
    "node": NODE,
    "castore": CASTORE,
    "mono": MONO,
    "chromium": BROWSER,
    "firefox": BROWSER,
}


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield a finding for each private store that lacks an installed anchor."""
    reading = file_reader(inspection.device)
    if node.program(reading) is not None:
        yield from _node_extra(reading)
    if not inspection.local_anchors:
        return
    outputs = {output.path for output in inspection.trust.outputs}
    names = {anchor.certificate.sha256: anchor.name for anchor in inspection.local_anchors}
    for each in unseen(reading, tuple(names), outputs):
        message = f"lacks {', '.join(names[sha256] for sha256 in each.missing)}"
        yield kind_of(each).found(each.path, message, commands=(carry_into(each.runtime),))


def is_unseen(id_: str) -> bool:
    """Return whether a finding or warning with this id is about a store of a runtime that lacks an anchor."""
    return any(kind.id == id_ for kind in _BY_RUNTIME.values())


def kind_of(store: Unseen) -> FindingType:
    """Return the kind of finding for a store that lacks an anchor."""
    return _BY_RUNTIME[store.runtime]


def _node_extra(reading: FileReader) -> Iterator[Finding]:
    for path, place in variable(reading, "NODE_EXTRA_CA_CERTS"):
        file = reading.openssl_bundle(path)
        if file is None or not file.anchors:
            reason = file.fault or "it contains no certificate" if file else "the file does not exist"
            yield NODE_EXTRA.found(place, f"sets NODE_EXTRA_CA_CERTS to {path}: {reason}")
