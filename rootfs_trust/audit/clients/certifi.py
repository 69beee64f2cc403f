"""Python's requests, pip and all that read the ``cacert.pem`` of certifi, through OpenSSL."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit.clients.client import Client, OpenSslOptions
from rootfs_trust.audit.clients.openssl import by_bundle, default_options
from rootfs_trust.audit.clients.reading import Reading
from rootfs_trust.rootfs.nodes import join

_PREFIXES = ("/usr/lib", "/usr/local/lib", "/usr/lib64", "/usr/local/lib64")
_HOMES = ("/opt", "/srv", "/usr/local", "/home", "/root", "/app", "/")
_PACKAGES = ("site-packages", "dist-packages")


def clients(reading: Reading) -> Iterator[Client]:
    """``certifi``, where the tree has a ``cacert.pem`` of it."""
    paths = stores(reading)
    if not paths:
        return
    path = paths[0]
    apart = [each for each in paths[1:] if reading.view.real_path(each) != reading.view.real_path(path)]
    note = f"not judged: {', '.join(apart)}, which is a store of its own" if apart else ""
    recent = _since_3_13(path)
    options = OpenSslOptions(recent, recent, san=True, level=default_options(reading).level)
    yield Client("certifi", "openssl", lambda _: by_bundle(reading, path), note, options)


def stores(reading: Reading) -> list[str]:
    """Every ``cacert.pem`` of certifi in the Pythons of the system and in virtual environments one folder deep."""
    libraries = [*_PREFIXES, *(join(join(home, name), "lib") for home in _HOMES for name in reading.view.names(home))]
    folders = [
        f"{library}/{name}/{packages}/certifi/cacert.pem"
        for library in dict.fromkeys(libraries)
        for name in reading.view.names(library)
        if name.startswith("python3")
        for packages in _PACKAGES
    ]
    return [path for path in folders if reading.is_file(path)]


def _since_3_13(path: str) -> bool:
    """urllib3 and ssl.create_default_context() ask for VERIFY_X509_STRICT and PARTIAL_CHAIN since Python 3.13."""
    version = path.partition("/python3.")[2].partition("/")[0]
    return version.isdecimal() and int(version) >= 13
