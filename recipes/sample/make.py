"""Makes a small root filesystem that looks like Debian's with thin-edge.io, and a private CA beside it.

Usage: make.py DIR. The certificates are made on the spot and protect nothing; their keys are thrown away.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

PUBLIC_ROOTS = ("Sample Public Root R1", "Sample Public Root R2", "Sample Public Root E1")


def main(directory: Path) -> None:
    root = directory / "rootfs"
    names = [f"mozilla/{name.replace(' ', '_')}.crt" for name in PUBLIC_ROOTS]
    for name, common_name in zip(names, PUBLIC_ROOTS, strict=True):
        write(root / "usr/share/ca-certificates" / name, certificate(common_name))
    write(root / "etc/ca-certificates.conf", "".join(f"{name}\n" for name in sorted(names)).encode())
    write(root / "etc/os-release", b'ID=debian\nVERSION_ID="12"\n')
    write(root / "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\ntedge:x:951:950::/:/bin/false\n")
    for empty in ("var/lib/dpkg", "etc/ssl/certs"):
        (root / empty).mkdir(parents=True)
    write(directory / "my-ca.pem", certificate("My Company Root CA"))
    # Make these files older than those that install writes next, so that "find -newer" lists only the latter.
    earlier = time.time() - 60
    for path in directory.rglob("*"):
        os.utime(path, (earlier, earlier))


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def certificate(common_name: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
