"""Programs that use Mbed TLS, such as those of OpenWrt. They read the bundle that their configuration names.

mbedtls_x509_crt_parse skips certificates that it cannot read, and returns their number. Some programs (fluent-bit,
FFmpeg) treat a positive number as a failure, and then have no anchors.
"""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.clients.client import Client, ClientType, FoundAnchors, fixed
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.clients.mbedtls_parser import unread_by_mbedtls
from rootfs_trust.clients.openssl import default_bundle, library_directories

TYPE = ClientType(
    "mbedtls",
    "mbedtls",
    "programs with Mbed TLS",
    "the bundle; certificates that Mbed TLS cannot parse are skipped",
    "x509_crt.c of Mbed TLS",
)
TYPES = (TYPE,)


def clients(reading: FileReader) -> Iterator[Client]:
    """Yield ``mbedtls`` if the rootfs has its library."""
    names = (name for folder in library_directories(reading) for name in reading.view.names(folder))
    if not any(name.startswith("libmbedx509.so") for name in names):
        return
    path = default_bundle(reading)
    file = reading.rust(path)
    if file is None:
        yield TYPE.client(fixed(FoundAnchors((), path, (f"there is no {path}",))))
        return
    faults = [
        f"{each.certificate.subject.text or each.certificate.sha256[:16]} cannot be read: {fault}"
        for each in file.anchors
        if (fault := unread_by_mbedtls(each.certificate))
    ]
    faults += [file.fault] if file.fault else []
    told = f"of {path} {faults[0]}; programs that treat this as a failure have no anchors at all" if faults else ""
    yield TYPE.client(fixed(FoundAnchors(file.anchors, path, tuple(faults))), told)
