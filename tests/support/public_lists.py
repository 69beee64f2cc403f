"""Lists of public roots as others publish them: wheels of certifi, Debian's packages. Fetched once, kept in a cache."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from rootfs_trust.x509 import Certificate, read_objects
from tests.support.peers import unavailable

NEWEST = "2026.10.19.post1"
"""The certifi that root_data/collect.py leaves out, with the older ones of the tests."""


def certifi_bundle(cache: Path, version: str) -> bytes:
    """The cacert.pem of a version of certifi."""
    cache.mkdir(parents=True, exist_ok=True)
    if not list(cache.glob(f"certifi-{version}-*.whl")):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
        done = subprocess.run([*pip, "-d", str(cache), f"certifi=={version}"], capture_output=True, check=False)
        if done.returncode:
            unavailable(f"certifi {version} cannot be fetched")
    (wheel,) = cache.glob(f"certifi-{version}-*.whl")
    return zipfile.ZipFile(wheel).read("certifi/cacert.pem")


def certificates(data: bytes) -> dict[str, Certificate]:
    """The certificates of a bundle, by SHA-256."""
    return {certificate.sha256: certificate for _, certificate in read_objects(data).certificates}


def debian_bundle(package: Path) -> bytes:
    """All certificates that a Debian package ships, joined."""
    directory = package.parent / f"{package.name}.unpacked"
    if not directory.exists():
        subprocess.run(["dpkg-deb", "-x", str(package), str(directory)], check=True)
    files = sorted((directory / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    return b"".join(file.read_bytes() for file in files)
