"""Findings about file formats that clients read differently, and about private keys.

Clients agree only on plain PEM blocks, one after the other. Sources: OpenSSL (crypto/pem/pem_lib.c), rustls
(rustls-pemfile 1.0, pki-types 1.14), Go (encoding/pem) and GnuTLS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rootfs_trust import x509
from rootfs_trust.audit import well_known_paths
from rootfs_trust.audit.files import CertificateFile
from rootfs_trust.audit.findings import ERROR, WARNING, Finding, FindingType
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.trusted_anchors import certificates_of
from rootfs_trust.errors import MalformedError

_CLEAN = "replace the file with one PEM certificate with plain BEGIN and END lines and LF line endings"
_RUSTLS = "thin-edge.io's HTTPS client, its built-in bridge and other programs with rustls"

PRIVATE_KEY = FindingType(
    "private-key",
    (ERROR,),
    "The trust store contains a private key",
    "Every user of the device can read the store, and everyone with the image can read the key.",
    "delete the key from the image, and get a new certificate with a new key: the old key is no longer secret",
)
MALFORMED = FindingType(
    "pem-malformed",
    (ERROR,),
    "A PEM block is malformed",
    "OpenSSL fails to load the whole file, with every certificate in it. thin-edge.io's HTTPS client then ignores"
    " the whole directory.",
    _CLEAN,
)
GLUED = FindingType(
    "pem-glued",
    (ERROR,),
    "An END line and the next BEGIN line are on one line",
    "OpenSSL rejects the whole file, and rustls silently skips the second certificate.",
    "put a newline between the blocks",
)
CR_ONLY = FindingType(
    "pem-cr-only",
    (ERROR,),
    "Lines end with CR only",
    "OpenSSL sees no certificate in the file. mosquitto and most other programs do not trust it, but rustls does.",
    _CLEAN,
)
UNSEEN = FindingType(
    "pem-unseen",
    (WARNING,),
    "OpenSSL does not recognise a BEGIN line",
    "OpenSSL silently skips a block if its BEGIN line is indented, has other text on it, or is UTF-16.",
    _CLEAN,
)
BOM = FindingType(
    "pem-bom",
    (WARNING,),
    "A byte order mark precedes a certificate",
    f"{_RUSTLS} silently skip the certificate. OpenSSL accepts it at the beginning of a file.",
    _CLEAN,
)
LABEL = FindingType(
    "pem-label",
    (WARNING,),
    "Only OpenSSL supports the label of a certificate",
    f"{_RUSTLS}, Go and others silently skip TRUSTED CERTIFICATE and X509 CERTIFICATE.",
    _CLEAN,
)
OTHER = FindingType(
    "pem-other-section",
    (WARNING,),
    "The trust store contains a PEM block that is not a certificate",
    "openssl x509 stops at it. thin-edge.io 1.x reads it, too: an error in it makes the whole file unusable.",
    "delete the block",
)
HEADER = FindingType(
    "pem-header",
    (ERROR,),
    "A PEM block has a header",
    "thin-edge.io 1.x decodes the header as base64, and then ignores all certificates in the directory.",
    "delete the block",
)
OCTETS_BEHIND = FindingType(
    "pem-octets-behind",
    (ERROR,),
    "A PEM block contains more bytes after the certificate",
    "openssl rehash creates a link to the file, but OpenSSL's lookup cannot load it. rustls refuses it, too.",
    _CLEAN,
)
DER = FindingType(
    "der",
    (ERROR,),
    "A certificate is DER where clients read PEM",
    "No client finds it. Debian's update-ca-certificates copies its bytes into the bundle.",
    _CLEAN,
)
SEVERAL = FindingType(
    "several-certificates",
    (WARNING, ERROR),
    "A source file contains several certificates",
    "They are in the bundle, but get no hash link. mosquitto and other programs with a CA directory trust none of"
    " them. It is an error if no store file contains one of them.",
    "write each certificate to its own file",
)
NO_CERTIFICATE = FindingType(
    "no-certificate",
    (WARNING,),
    "A source file contains no certificate",
    "Somebody wanted to trust a CA, but no client does.",
    "replace the file with one PEM certificate, or delete it",
)
KINDS = (
    PRIVATE_KEY,
    MALFORMED,
    GLUED,
    CR_ONLY,
    UNSEEN,
    BOM,
    LABEL,
    OTHER,
    HEADER,
    OCTETS_BEHIND,
    DER,
    SEVERAL,
    NO_CERTIFICATE,
)

_GLUED = re.compile(rb"-----END [^-\r\n]{1,80}-----[ \t]*-----BEGIN ")
_CR_ONLY = re.compile(rb"-----BEGIN [^-\r\n]{1,80}-----\r(?!\n)")
_BOM = re.compile(rb"\xef\xbb\xbf[ \t]*-----BEGIN ")
_SUFFIXES = (".pem", ".crt", ".cer")


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield findings for every file that clients read, and for source files, except those of p11-kit."""
    plain = {each.sha256 for file in inspection.read_by_clients for each in _plain(file)}
    # A label that hides an untrusted certificate, such as one that p11-kit marks as distrusted, does no harm.
    hidden = {anchor.certificate.sha256 for anchor in inspection.trust.anchors} - plain
    trusted = {anchor.certificate.sha256 for anchor in inspection.trust.anchors}
    told = set()
    for file in inspection.read_by_clients:
        told.add(file.path)
        yield from _form(file, hidden)
    for file in inspection.sources:
        if x509.private_key_form(file.data):
            yield from _key(file) if file.path not in told else ()
        elif not inspection.uses_p11kit and file.path.startswith(
            tuple(f"{each}/" for each in well_known_paths.LOCAL_SOURCES)
        ):
            yield from _form(file, hidden) if file.path not in told else ()
            yield from _source(file, trusted)
        elif inspection.uses_p11kit and file.path.startswith(
            tuple(f"{each}/" for each in well_known_paths.LOCAL_SOURCES)
        ):
            yield from _p11kit_source(file)


def _form(file: CertificateFile, hidden: set[str]) -> Iterator[Finding]:
    if x509.private_key_form(file.data):
        yield from _key(file)
    if b"-----BEGIN " not in file.data.replace(b"\0", b""):
        yield from _binary(file)
        return
    explained = list(_line_ends(file))
    yield from explained
    yield from _blocks(file, hidden)
    if not any(each.kind in (GLUED, CR_ONLY, MALFORMED) for each in explained):
        for bad in file.objects.bad:
            yield MALFORMED.found(file.path, f"the block of line {bad.line} is malformed: {bad.reason}", line=bad.line)
        yield from (
            UNSEEN.found(file.path, each.reason, line=each.line) for each in x509.unrecognized_begin_lines(file.data)
        )


def _key(file: CertificateFile) -> Iterator[Finding]:
    yield PRIVATE_KEY.found(file.path, "contains a private key")


def _line_ends(file: CertificateFile) -> Iterator[Finding]:
    if match := _GLUED.search(file.data):
        line = file.data.count(b"\n", 0, match.start()) + 1
        yield GLUED.found(file.path, f"line {line} has both an END and a BEGIN", line=line)
    if _CR_ONLY.search(file.data):
        yield CR_ONLY.found(file.path, "its lines end with CR only")
    if match := _BOM.search(file.data):
        line = file.data.count(b"\n", 0, match.start()) + 1
        yield BOM.found(file.path, f"a byte order mark precedes the BEGIN of line {line}", line=line)


def _blocks(file: CertificateFile, hidden: set[str]) -> Iterator[Finding]:
    for line in file.objects.spoilt:
        yield OCTETS_BEHIND.found(
            file.path, f"the block of line {line} has more bytes after the certificate", line=line
        )
    for block in file.objects.others:
        kind = HEADER if block.header else OTHER
        yield kind.found(file.path, f"the block of line {block.line} is a {block.label}", line=block.line)
    for label, line, certificate in _labelled(file):
        if certificate.sha256 in hidden:
            yield LABEL.found(file.path, f"the block of line {line} is a {label}", line=line)


def _labelled(file: CertificateFile) -> Iterator[tuple[str, int, x509.Certificate]]:
    """Yield the certificates whose label is not CERTIFICATE. Files without such labels are skipped to save time."""
    if b"-----BEGIN X509 C" in file.data or b"-----BEGIN TRUSTED" in file.data:
        labels = {block.line: block.label for block in x509.blocks(file.data)}
        for line, certificate in file.objects.certificates:
            if labels.get(line) != "CERTIFICATE":
                yield labels.get(line, ""), line, certificate


def _plain(file: CertificateFile) -> Iterator[x509.Certificate]:
    other = {line for _, line, _ in _labelled(file)}
    yield from (certificate for line, certificate in file.objects.certificates if line not in other)


def _binary(file: CertificateFile) -> Iterator[Finding]:
    if not file.data.startswith(b"0"):
        return
    try:
        x509.parse_certificate(file.data)
    except MalformedError:
        return
    yield DER.found(file.path, "is a DER certificate")


def _p11kit_source(file: CertificateFile) -> Iterator[Finding]:
    """Yield findings for a source file of p11-kit, which reads every format. ``install`` refuses an empty one."""
    looks = b"-----BEGIN " in file.data or file.path.endswith((*_SUFFIXES, ".der", ".p11-kit"))
    if looks and not certificates_of(file) and b"[p11-kit-object-v1]" not in file.data:
        yield NO_CERTIFICATE.found(file.path, "contains no certificate that p11-kit can read")


def _source(file: CertificateFile, trusted: set[str]) -> Iterator[Finding]:
    if len(file.certificates) > 1:
        level = WARNING if any(each.sha256 in trusted for each in file.certificates) else ERROR
        yield SEVERAL.found(file.path, f"contains {len(file.certificates)} certificates", level=level)
    elif not file.path.lower().endswith(_SUFFIXES) or file.certificates or file.objects.bad:
        return
    elif not any(_binary(file)) and not any(_line_ends(file)) and not x509.unrecognized_begin_lines(file.data):
        yield NO_CERTIFICATE.found(file.path, "contains no certificate")
