"""The anchors themselves: their dates, keys and purposes, held against the policy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from rootfs_trust.audit.findings import ERROR, NOTE, WARNING, Finding, Kind
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.trust import DISTRIBUTION, TrustedAnchor
from rootfs_trust.errors import Trouble
from rootfs_trust.inputs.policy import judge
from rootfs_trust.rootfs.nodes import read
from rootfs_trust.store.presets import leaves_programme
from rootfs_trust.x509 import Certificate

_SHIPPED = "A note for anchors that the distribution ships."
_RENEW = "get the new certificate of this CA, and exchange it: rootfs-trust install --replace NAME"

EXPIRED = Kind(
    "expired",
    (ERROR, NOTE),
    "An anchor has expired",
    "OpenSSL and most others refuse what it signed; rustls still accepts it, so that clients disagree. A note for "
    'anchors that the distribution ships, and for one that rootfs-trust.toml lets in: allow = ["expired"].',
    _RENEW,
)
SOON = Kind(
    "expires-soon",
    (WARNING, ERROR, NOTE),
    "An anchor expires within the days that the policy asks for",
    f"[policy] min_days_left says how long devices will run with this image. An error where it is strict. {_SHIPPED}",
    _RENEW,
)
NOT_YET = Kind(
    "not-yet-valid",
    (WARNING, NOTE),
    "An anchor is not valid yet",
    f"Clients refuse what it signed until then. {_SHIPPED}",
    "check the clock of the build host, or --at; else wait with shipping",
)
CLOCK = Kind(
    "younger-than-clock",
    (NOTE,),
    "An anchor is younger than the clock with which the device may start",
    "A device without a battery starts at the time of /usr/lib/clock-epoch (systemd) or /etc/timestamp (Yocto's "
    "sysvinit), and until its clock is set, which may need TLS, refuses what this anchor signed.",
    "build the image with a newer one, or set the clock without TLS before programs connect",
)
DATES = Kind(
    "unreadable-dates",
    (ERROR, NOTE),
    "The validity of an anchor cannot be read",
    f"No client accepts it. {_SHIPPED}",
    "have it issued again",
)
MISSING = Kind(
    "anchor-missing",
    (ERROR,),
    "The tree does not trust an anchor that rootfs-trust.toml names",
    "It was never installed, or something has taken it out since: no client accepts the servers of this CA.",
    "run rootfs-trust install --root on the tree with this rootfs-trust.toml, as the last step of the build",
)
FORBIDDEN = Kind(
    "forbidden",
    (ERROR,),
    "A certificate that must never ship is in the tree",
    "[policy] forbid lists it, such as the CA with which a build network opens TLS: whoever has its key could read "
    "and change what the device sends.",
    "rootfs-trust remove --root DIR sha256:HEX takes every copy out of the store",
)
PROGRAMME = Kind(
    "leaves-programme",
    (NOTE,),
    "A root is due to leave Mozilla's programme within the days that the policy asks for",
    "Mozilla takes its trust for web sites away about 15 years after the root's key was made, long before it expires; "
    "the distribution's next package then drops it, and clouds move to another root.",
    "ask the cloud which root comes next, and ship that one, too",
)
WEAK_KEY = Kind(
    "weak-key",
    (WARNING, ERROR, NOTE),
    "The key of an anchor is weak",
    f"Clients with a stricter security level refuse it. An error where the policy is strict. {_SHIPPED}",
    "have it issued anew with a stronger key",
)
WEAK_SIGNATURE = Kind(
    "weak-signature",
    (WARNING, NOTE),
    "A CA that another one signed has a weak signature",
    f"Clients refuse MD5 and SHA-1 in a chain, and go by this one where they build it up to the root. {_SHIPPED}",
    "have it issued anew, with SHA-256",
)
NOT_CA = Kind(
    "not-a-ca",
    (WARNING, ERROR, NOTE),
    "An anchor signed itself and is no CA",
    "Clients that trust it accept a server that shows this very certificate, and refuse any other that its key "
    f"signed. An error where [policy] require_ca says so. {_SHIPPED}",
    "sign the server's certificate with a CA, and install that CA",
)
NOT_ANCHOR = Kind(
    "not-an-anchor",
    (WARNING, NOTE),
    "A certificate in the store is no CA, and another CA signed it",
    f"OpenSSL does not take it for an anchor; others take it for that one server. {_SHIPPED}",
    "install the CA that signed it",
)
NAMES_SERVER = Kind(
    "ca-names-server",
    (WARNING, NOTE),
    "A CA is a server's certificate, too",
    "rustls refuses a server that shows it (CaUsedAsEndEntity): thin-edge.io's HTTPS and built-in bridge fail while "
    f"mosquitto's bridge connects. {_SHIPPED}",
    "have the server's certificate issued with CA:FALSE, or signed by this CA",
)
ISSUER = Kind(
    "issuer-missing",
    (WARNING, NOTE),
    "An anchor is no root, and its issuer is not in the store",
    "curl, rustls and GnuTLS accept it as an anchor; mosquitto and most who use OpenSSL look for the root and refuse. "
    f"{_SHIPPED}",
    "install the root that signed it, too",
)
KINDS = (
    EXPIRED,
    SOON,
    NOT_YET,
    CLOCK,
    DATES,
    MISSING,
    FORBIDDEN,
    PROGRAMME,
    WEAK_KEY,
    WEAK_SIGNATURE,
    NOT_CA,
    NOT_ANCHOR,
    NAMES_SERVER,
    ISSUER,
)

_BY_ID = {kind.id: kind for kind in KINDS}
_CLOCK_EPOCH, _TIMESTAMP = "/usr/lib/clock-epoch", "/etc/timestamp"
_WEAK = ("md2", "md4", "md5", "sha1", "ecdsa-with-sha1", "dsawithsha1", "dsa_with_sha1")


def check(inspection: Inspection) -> Iterator[Finding]:
    """Every anchor of every output, and every source that is forbidden."""
    subjects = {anchor.certificate.subject.canonical for anchor in inspection.trust.anchors}
    floor = clock_floor(inspection)
    for anchor in inspection.trust.anchors:
        yield from _judged(inspection, anchor)
        yield from _signed_by_others(inspection, anchor, subjects)
        yield from _in_time(inspection, anchor, floor)
    yield from _missing(inspection)
    yield from _forbidden_sources(inspection)


def clock_floor(inspection: Inspection) -> datetime | None:
    """The least time of the device's clock: systemd's is that of /usr/lib/clock-epoch (systemd-timesyncd(8)).

    OE-core's bootmisc.sh of sysvinit sets the clock from the text of /etc/timestamp, where it is behind.
    """
    seconds = inspection.view.modified(_CLOCK_EPOCH)
    if seconds is not None:
        return datetime.fromtimestamp(seconds, UTC)
    digits = (read(inspection.view, _TIMESTAMP) or b"").strip()
    if len(digits) != 14 or not digits.isdigit():
        return None
    try:
        return datetime.strptime(digits.decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _missing(inspection: Inspection) -> Iterator[Finding]:
    """Named anchors that no output holds. What is for clients alone is in no output of p11-kit."""
    trusted = {anchor.certificate.sha256 for anchor in inspection.trust.anchors}
    path = next((output.path for output in inspection.trust.outputs), "/")
    for sha256, table in inspection.own.items():
        if sha256 not in trusted and (table.purposes is None or table.purposes - {"client-auth"}):
            yield MISSING.found(path, f"lacks sha256 {sha256}, which is in {table.file}")


def _judged(inspection: Inspection, anchor: TrustedAnchor) -> Iterator[Finding]:
    """What ``install`` would say of it. An anchor that was let in on purpose is told all the same, as a note."""
    own = inspection.own.get(anchor.certificate.sha256)
    allow = own.allow if own else frozenset[str]()
    judgement = judge(anchor.certificate, inspection.where(anchor), inspection.policy, inspection.at, allow=allow)
    for trouble in judgement.errors:
        yield _finding(anchor, trouble, refused=True)
    for trouble in judgement.warnings:
        yield _finding(anchor, trouble, refused=False)


def _finding(anchor: TrustedAnchor, trouble: Trouble, *, refused: bool) -> Finding:
    kind = _BY_ID[trouble.id]
    level = ERROR if refused and ERROR in kind.levels else WARNING
    if (anchor.origin == DISTRIBUTION or level not in kind.levels) and NOTE in kind.levels:
        level = NOTE
    return kind.found(trouble.path, f"{_named(anchor)} {trouble.message}", level=level)


def _signed_by_others(inspection: Inspection, anchor: TrustedAnchor, subjects: set[bytes]) -> Iterator[Finding]:
    certificate = anchor.certificate
    if certificate.self_issued:
        return
    level = NOTE if anchor.origin == DISTRIBUTION else WARNING
    if certificate.issuer.canonical not in subjects:
        message = f"{_named(anchor)} was signed by {certificate.issuer.text}, which is not in the store"
        yield ISSUER.found(inspection.where(anchor), message, level=level)
    if _is_weak(certificate):
        message = f"{_named(anchor)} is signed with {certificate.signature_algorithm}"
        yield WEAK_SIGNATURE.found(inspection.where(anchor), message, level=level)


def _is_weak(certificate: Certificate) -> bool:
    return certificate.signature_algorithm.lower().startswith(_WEAK)


def _in_time(inspection: Inspection, anchor: TrustedAnchor, floor: datetime | None) -> Iterator[Finding]:
    begins = anchor.certificate.not_before
    if begins is None:
        return
    if floor is not None and begins > floor:
        message = f"{_named(anchor)} begins on {begins:%Y-%m-%d}, after the clock's start on {floor:%Y-%m-%d}"
        yield CLOCK.found(inspection.where(anchor), message)
    leaves = leaves_programme(begins.date())
    last = (inspection.at + timedelta(days=inspection.policy.min_days_left)).date()
    if anchor.origin == DISTRIBUTION and anchor.certificate.self_issued and leaves <= last:
        yield PROGRAMME.found(inspection.where(anchor), f"{_named(anchor)} is due to leave on {leaves}")


def _forbidden_sources(inspection: Inspection) -> Iterator[Finding]:
    """Sources that are forbidden and in no output yet: the distribution's tool would put them there."""
    trusted = {anchor.certificate.sha256 for anchor in inspection.trust.anchors}
    for sha256 in sorted(inspection.policy.forbid - trusted):
        for path in (*inspection.trust.local.get(sha256, ()), *inspection.trust.shipped.get(sha256, ())):
            yield FORBIDDEN.found(path, f"holds sha256 {sha256}, which must never ship")


def _named(anchor: TrustedAnchor) -> str:
    return anchor.name
