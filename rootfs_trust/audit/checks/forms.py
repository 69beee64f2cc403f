"""Files that some clients read otherwise than others, or not at all, and private keys among them.

The clients disagree on everything but one plain PEM block after the other: OpenSSL (crypto/pem/pem_lib.c), rustls
(rustls-pemfile 1.0, pki-types 1.14), Go (encoding/pem) and GnuTLS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rootfs_trust import x509
from rootfs_trust.audit import places
from rootfs_trust.audit.files import CertificateFile
from rootfs_trust.audit.findings import ERROR, WARNING, Finding, Kind
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.errors import MalformedError

_CLEAN = "run rootfs-trust install --root ... --adopt, which rewrites local files clean, or put clean PEM there"
_STRICT = "thin-edge.io's HTTPS client and built-in bridge and other programs that use rustls"

PRIVATE_KEY = Kind(
    "private-key",
    (ERROR,),
    "A private key stands in the trust store",
    "Everybody on the device may read the store, and everybody who has the image may read the key.",
    "take the key out of the image, and have its certificate issued anew: the key is no secret any more",
)
MALFORMED = Kind(
    "pem-malformed",
    (ERROR,),
    "A PEM block is malformed",
    "OpenSSL fails to load the whole file, with every certificate in it; thin-edge.io's HTTPS client then trusts "
    "none of the folder.",
    _CLEAN,
)
GLUED = Kind(
    "pem-glued",
    (ERROR,),
    "An END line and the next BEGIN line are one line",
    "OpenSSL rejects the whole file, and rustls loses the second certificate without a word.",
    "put a newline between the blocks",
)
CR_ONLY = Kind(
    "pem-cr-only",
    (ERROR,),
    "Lines end with CR alone",
    "OpenSSL sees no certificate in it: mosquitto and most others do not trust it, while rustls does.",
    _CLEAN,
)
UNSEEN = Kind(
    "pem-unseen",
    (WARNING,),
    "A BEGIN line is one that OpenSSL does not see",
    "Indented lines, text before or behind, UTF-16: OpenSSL passes over such a block without a word.",
    _CLEAN,
)
BOM = Kind(
    "pem-bom",
    (WARNING,),
    "A byte order mark stands before a certificate",
    f"{_STRICT} pass over the certificate without a word, while OpenSSL takes it at the beginning of a file.",
    _CLEAN,
)
LABEL = Kind(
    "pem-label",
    (WARNING,),
    "A certificate has a label that only OpenSSL knows",
    f"{_STRICT}, Go and others pass over TRUSTED CERTIFICATE and X509 CERTIFICATE without a word.",
    _CLEAN,
)
OTHER = Kind(
    "pem-other-section",
    (WARNING,),
    "Something other than a certificate stands in the trust store",
    "openssl x509 stops at it, and thin-edge.io 1.x reads it, too: what is wrong in it costs the whole file.",
    "take the block out",
)
HEADER = Kind(
    "pem-header",
    (ERROR,),
    "A PEM block has a header",
    "thin-edge.io 1.x takes the header for base64, and then trusts none of the certificates in the folder.",
    "take the block out",
)
OCTETS_BEHIND = Kind(
    "pem-octets-behind",
    (ERROR,),
    "Octets stand behind a certificate, inside its block",
    "openssl rehash links the file, and then OpenSSL's lookup cannot load it; rustls refuses it, too.",
    _CLEAN,
)
DER = Kind(
    "der",
    (ERROR,),
    "A certificate is DER where clients read PEM",
    "No client finds it; Debian's update-ca-certificates copies its octets into the bundle all the same.",
    _CLEAN,
)
SEVERAL = Kind(
    "several-certificates",
    (WARNING,),
    "A source holds several certificates",
    "They are in the bundle, but get no hash link: mosquitto and other programs with a CA folder trust none of them.",
    "run rootfs-trust install --root ... --adopt, which makes a file of each",
)
NO_CERTIFICATE = Kind(
    "no-certificate",
    (WARNING,),
    "A source holds no certificate",
    "Whoever put it there meant a CA to be trusted, and no client does.",
    "put one PEM certificate there, or take the file away",
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
    """Every file that clients read, and the sources; p11-kit makes clean outputs of sources in any form."""
    plain = {each.sha256 for file in inspection.read_by_clients for each in _plain(file)}
    # A label that hides what is trusted nowhere, such as what p11-kit marks as distrusted, does no harm.
    hidden = {anchor.certificate.sha256 for anchor in inspection.trust.anchors} - plain
    told = set()
    for file in inspection.read_by_clients:
        told.add(file.path)
        yield from _form(file, hidden)
    for file in inspection.sources:
        if x509.has_private_key(file.data) or x509.looks_like_private_key_der(file.data):
            yield from _key(file) if file.path not in told else ()
        elif not inspection.by_p11kit and file.path.startswith(tuple(f"{each}/" for each in places.LOCAL_SOURCES)):
            yield from _form(file, hidden) if file.path not in told else ()
            yield from _source(file)


def _form(file: CertificateFile, hidden: set[str]) -> Iterator[Finding]:
    if x509.has_private_key(file.data) or x509.looks_like_private_key_der(file.data):
        yield from _key(file)
    if b"-----BEGIN " not in file.data.replace(b"\0", b""):
        yield from _binary(file)
        return
    explained = list(_line_ends(file))
    yield from explained
    yield from _blocks(file, hidden)
    if not any(each.kind in (GLUED, CR_ONLY, MALFORMED) for each in explained):
        yield from _bad(file)
        yield from (UNSEEN.found(file.path, each.reason, line=each.line) for each in x509.overlooked(file.data))


def _key(file: CertificateFile) -> Iterator[Finding]:
    yield PRIVATE_KEY.found(file.path, "holds a private key")


def _line_ends(file: CertificateFile) -> Iterator[Finding]:
    if match := _GLUED.search(file.data):
        line = file.data.count(b"\n", 0, match.start()) + 1
        yield GLUED.found(file.path, f"in line {line} a block ends and the next one begins", line=line)
    if _CR_ONLY.search(file.data):
        yield CR_ONLY.found(file.path, "its lines end with CR alone")
    if match := _BOM.search(file.data):
        line = file.data.count(b"\n", 0, match.start()) + 1
        yield BOM.found(file.path, f"a byte order mark stands before the BEGIN of line {line}", line=line)


def _bad(file: CertificateFile) -> Iterator[Finding]:
    for bad in file.objects.bad:
        yield MALFORMED.found(file.path, f"the block of line {bad.line} is malformed: {bad.reason}", line=bad.line)


def _blocks(file: CertificateFile, hidden: set[str]) -> Iterator[Finding]:
    for line in file.objects.spoilt:
        yield OCTETS_BEHIND.found(file.path, f"octets stand behind the certificate of line {line}", line=line)
    for block in file.objects.others:
        kind = HEADER if block.header else OTHER
        yield kind.found(file.path, f"the block of line {block.line} is a {block.label}", line=block.line)
    for label, line, certificate in _labelled(file):
        if certificate.sha256 in hidden:
            yield LABEL.found(file.path, f"the block of line {line} is a {label}", line=line)


def _labelled(file: CertificateFile) -> Iterator[tuple[str, int, x509.Certificate]]:
    """The certificates whose label is not CERTIFICATE. Files without such labels are not taken apart again."""
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
    yield DER.found(file.path, "is a certificate in DER")


def _source(file: CertificateFile) -> Iterator[Finding]:
    if len(file.certificates) > 1:
        yield SEVERAL.found(file.path, f"holds {len(file.certificates)} certificates")
    elif not file.path.lower().endswith(_SUFFIXES) or file.certificates or file.objects.bad:
        return
    elif not any(_binary(file)) and not any(_line_ends(file)) and not x509.overlooked(file.data):
        yield NO_CERTIFICATE.found(file.path, "holds no certificate")
