"""Findings about anchors: dates, keys and purposes, compared with the policy."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit.findings import ERROR, NOTE, WARNING, Finding, FindingType, remove
from rootfs_trust.audit.first_boot import FirstClock, image_clock
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.trusted_anchors import DISTRIBUTION, TrustedAnchor
from rootfs_trust.errors import Problem
from rootfs_trust.inputs.policy import judge
from rootfs_trust.store.selection import selected
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.constrained import digests_of

_SHIPPED = "It is a note for anchors that the distribution ships."
_RENEW = "get the new certificate of this CA, and replace this one with it"

EXPIRED = FindingType(
    "expired",
    (ERROR, NOTE),
    "An anchor has expired",
    "OpenSSL and most other clients refuse certificates that it signed. rustls still accepts them. It is a note for "
    'anchors that the distribution ships, and if rootfs-trust.toml accepts it: allow = ["expired"].',
    _RENEW,
)
SOON = FindingType(
    "expires-soon",
    (WARNING, ERROR, NOTE),
    "An anchor expires within the days of the policy",
    "[policy] min_days_left is how long devices will run with this image. It is an error if the policy is strict. "
    f"{_SHIPPED}",
    _RENEW,
)
NOT_YET = FindingType(
    "not-yet-valid",
    (WARNING, NOTE),
    "An anchor is not valid yet",
    f"Until then, clients refuse certificates that it signed. {_SHIPPED}",
    "check the build host's clock or the value of --at; otherwise ship the image later",
)
CLOCK = FindingType(
    "younger-than-clock",
    (NOTE,),
    "An anchor becomes valid later than the device's initial clock",
    "A device without a battery-backed clock starts at the time of /usr/lib/clock-epoch (systemd), /etc/timestamp "
    "(Yocto's sysvinit) or /etc/fake-hwclock.data. Until its clock is set, which may need TLS, it refuses certificates "
    "that this anchor signed.",
    "build the image with a newer clock file, or set the clock without TLS before programs connect",
)
DATES = FindingType(
    "unreadable-dates",
    (ERROR, NOTE),
    "The validity of an anchor cannot be parsed",
    f"No client accepts the anchor. {_SHIPPED}",
    "have the certificate issued again",
)
MISSING = FindingType(
    "anchor-missing",
    (ERROR,),
    "The tree does not trust an anchor that rootfs-trust.toml names",
    "The anchor was never installed, or was removed since. No client accepts the servers of this CA.",
    "install the anchors of this rootfs-trust.toml as the last step of the build",
)
FORBIDDEN = FindingType(
    "forbidden",
    (ERROR,),
    "A forbidden certificate is in the tree",
    "[policy] forbid lists it, for example because a build network inspects TLS with it. Whoever has its key "
    "could read and change what the device sends.",
    "delete every source file that contains it, and rebuild the trust store",
)
WEAK_KEY = FindingType(
    "weak-key",
    (WARNING, ERROR, NOTE),
    "The key of an anchor is weak",
    f"Clients with a stricter security level refuse it. It is an error if the policy is strict. {_SHIPPED}",
    "have the certificate issued again with a stronger key",
)
WEAK_SIGNATURE = FindingType(
    "weak-signature",
    (WARNING, NOTE),
    "An intermediate CA in the store has a weak signature",
    "Clients refuse MD5 and SHA-1 in a chain. They check this signature if they build the chain up to the root. "
    f"{_SHIPPED}",
    "have the certificate issued again with SHA-256",
)
NOT_CA = FindingType(
    "not-a-ca",
    (WARNING, ERROR, NOTE),
    "An anchor is self-signed and not a CA",
    "Clients accept a server that uses this certificate, and refuse any other certificate that its key signed. An"
    f" error with [policy] require_ca. {_SHIPPED}",
    "sign the server's certificate with a CA, and install that CA",
)
NOT_ANCHOR = FindingType(
    "not-an-anchor",
    (WARNING, NOTE),
    "A certificate in the store is not a CA, and another CA signed it",
    f"OpenSSL does not accept it as an anchor. Other clients accept it for that one server. {_SHIPPED}",
    "install the CA that signed it",
)
NAMES_SERVER = FindingType(
    "ca-names-server",
    (WARNING, NOTE),
    "A CA certificate also names a server",
    "rustls refuses a server that uses it (CaUsedAsEndEntity). thin-edge.io's HTTPS client and built-in bridge "
    f"then fail, while mosquitto's bridge connects. {_SHIPPED}",
    "have the server's certificate issued with CA:FALSE, or signed by this CA",
)
ISSUER = FindingType(
    "issuer-missing",
    (WARNING, NOTE),
    "An anchor is not a root, and its issuer is not in the store",
    "curl, rustls and GnuTLS accept it as an anchor. mosquitto and most programs with OpenSSL look for the root, "
    f"and refuse. {_SHIPPED}",
    "also install the root that signed it",
)
KINDS = (
    EXPIRED,
    SOON,
    NOT_YET,
    CLOCK,
    DATES,
    MISSING,
    FORBIDDEN,
    WEAK_KEY,
    WEAK_SIGNATURE,
    NOT_CA,
    NOT_ANCHOR,
    NAMES_SERVER,
    ISSUER,
)

_BY_ID = {kind.id: kind for kind in KINDS}
_WEAK = ("md2", "md4", "md5", "sha1", "ecdsa-with-sha1", "dsawithsha1", "dsa_with_sha1")


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield findings for every anchor in a store file, and for every forbidden source file."""
    subjects = {anchor.certificate.subject.canonical for anchor in inspection.trust.anchors}
    clock = image_clock(inspection.view)
    for anchor in inspection.trust.anchors:
        yield from _policy_findings(inspection, anchor)
        yield from _signed_by_others(inspection, anchor, subjects)
        yield from _validity_findings(inspection, anchor, clock)
    yield from _missing_anchors(inspection)
    yield from _forbidden_sources(inspection)
    yield from _forbidden_elsewhere(inspection)


def _missing_anchors(inspection: Inspection) -> Iterator[Finding]:
    """Yield configured anchors that no store file contains. With p11-kit, only anchors for servers are expected."""
    trusted = {sha256 for anchor in inspection.trust.anchors for sha256 in digests_of(anchor.certificate)}
    path = next((output.path for output in inspection.trust.outputs), "/")
    for sha256, table in inspection.own.items():
        if sha256 not in trusted and (table.purposes is None or table.purposes - {"client-auth"}):
            yield MISSING.found(path, f"lacks sha256 {sha256}, which is in {table.path}", sha256=sha256)


def _policy_findings(inspection: Inspection, anchor: TrustedAnchor) -> Iterator[Finding]:
    """Yield the problems that ``install`` would report about an anchor. A problem that ``allow`` accepts is a note."""
    own = inspection.table_of(anchor.certificate)
    allow = own.allow if own else frozenset[str]()
    judgement = judge(anchor.certificate, inspection.where(anchor), inspection.policy, inspection.at, allow=allow)
    for problem in judgement.errors:
        yield _finding(anchor, problem, refused=True)
    for problem in judgement.warnings:
        yield _finding(anchor, problem, refused=False)


def _finding(anchor: TrustedAnchor, problem: Problem, *, refused: bool) -> Finding:
    # A problem without a separate kind is still a finding.
    kind = _BY_ID.get(problem.id) or FindingType(problem.id, (WARNING, ERROR, NOTE), problem.id, "", problem.hint)
    level = ERROR if refused and ERROR in kind.levels else WARNING
    if (anchor.origin == DISTRIBUTION or level not in kind.levels) and NOTE in kind.levels:
        level = NOTE
    sha256 = anchor.certificate.sha256
    commands = (remove(sha256),) if kind is FORBIDDEN else ()
    message = f"{_named(anchor)} {problem.message}"
    return kind.found(problem.path, message, level=level, sha256=sha256, commands=commands)


def _signed_by_others(inspection: Inspection, anchor: TrustedAnchor, subjects: set[bytes]) -> Iterator[Finding]:
    certificate = anchor.certificate
    if certificate.self_issued:
        return
    level = NOTE if anchor.origin == DISTRIBUTION else WARNING
    if certificate.issuer.canonical not in subjects:
        message = f"{_named(anchor)} is signed by {certificate.issuer.text}, which is not in the store"
        yield ISSUER.found(inspection.where(anchor), message, level=level, sha256=certificate.sha256)
    if _is_weak(certificate):
        message = f"{_named(anchor)} is signed with {certificate.signature_algorithm}"
        yield WEAK_SIGNATURE.found(inspection.where(anchor), message, level=level, sha256=certificate.sha256)


def _is_weak(certificate: Certificate) -> bool:
    return certificate.signature_algorithm.lower().startswith(_WEAK)


def _validity_findings(inspection: Inspection, anchor: TrustedAnchor, clock: FirstClock | None) -> Iterator[Finding]:
    begins = anchor.certificate.not_before
    if begins is not None and clock is not None and begins > clock.at:
        message = (
            f"{_named(anchor)} is valid from {begins.date()}, but the clock starts {clock.at.date()} ({clock.path})"
        )
        yield CLOCK.found(inspection.where(anchor), message, sha256=anchor.certificate.sha256)


def _forbidden_sources(inspection: Inspection) -> Iterator[Finding]:
    """Yield forbidden source files that no store file contains yet, but will after the distribution's tool runs.

    A certificate that the store distrusts (a ``!`` line, p11-kit's blocklist) is not reported.
    """
    trusted = {anchor.certificate.sha256 for anchor in inspection.trust.anchors}
    for certificate, paths in inspection.trust.sources if inspection.policy.forbid else ():
        sha256 = certificate.sha256
        for path in paths if sha256 not in trusted and selected(inspection.policy.forbid, certificate) else ():
            if not inspection.is_distrusted(path, sha256):
                message = f"contains sha256 {sha256}, which [policy] forbid lists"
                yield FORBIDDEN.found(path, message, sha256=sha256, commands=(remove(sha256),))


def _forbidden_elsewhere(inspection: Inspection) -> Iterator[Finding]:
    """Yield a finding for each file with a forbidden certificate that a client reads, but that is not a store file."""
    held = {anchor.certificate.sha256 for anchor in inspection.trust.anchors}
    for sha256, trusted in inspection.trust.trusted_by.items() if inspection.policy.forbid else ():
        if sha256 in held or not selected(inspection.policy.forbid, trusted.certificate):
            continue
        clients: dict[str, dict[str, None]] = {}
        for reader in trusted.readers:
            clients.setdefault(reader.path, {})[reader.client] = None
        for path, names in clients.items():
            message = f"contains sha256 {sha256}, which [policy] forbid lists; trusted by {', '.join(names)}"
            yield FORBIDDEN.found(path, message)


def _named(anchor: TrustedAnchor) -> str:
    return anchor.name
