"""thin-edge.io's three clients, with the settings of the rootfs: mosquitto's bridge, the built-in bridge, HTTPS.

Sources: bridge/config.rs, parse_root_certificate.rs and cloud_root_certificate.rs of thin-edge.io 1.4.1 and 2.0.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rootfs_trust.clients import openssl, rustls
from rootfs_trust.clients.client import Client, ClientType, Find, FoundAnchors
from rootfs_trust.clients.file_readers import FileReader, ParsedFile
from rootfs_trust.thin_edge.settings_in_force import DEFAULT, found_settings, has_thin_edge
from rootfs_trust.thin_edge.trust_settings import CLOUDS
from rootfs_trust.thin_edge.version import generation_of

_KEY = "root_cert_path"

MOSQUITTO_BRIDGE = ClientType(
    "thin-edge-mosquitto-bridge",
    "openssl",
    "thin-edge.io's bridge by mosquitto",
    "each `root_cert_path`: a file, or a directory by its hash links",
    "bridge/config.rs of thin-edge.io",
)
BUILT_IN_BRIDGE = ClientType(
    "thin-edge-built-in-bridge",
    "rustls",
    "thin-edge.io's built-in bridge",
    "each `root_cert_path`: a file, or every file of a directory and of those below",
    "parse_root_certificate.rs of thin-edge.io",
)
HTTPS = ClientType(
    "thin-edge-https",
    "rustls",
    "thin-edge.io's HTTP clients",
    "what `rustls-native` reads, and each `root_cert_path`: a file, or every file of a directory",
    "cloud_root_certificate.rs of thin-edge.io",
)
TYPES = (MOSQUITTO_BRIDGE, BUILT_IN_BRIDGE, HTTPS)


def clients(reading: FileReader) -> Iterator[Client]:
    """Yield three clients for each path in the clouds' settings, if the rootfs has /etc/tedge.

    Clouds and profiles may have different paths, and a chain belongs to one cloud: the best verdict of each client
    counts.
    """
    if not has_thin_edge(reading.view):
        return
    paths = cloud_paths(reading)
    first_generation = generation_of(reading.device, "auto") != "2"
    for path, keys in paths.items():
        note = f"{' and '.join(keys)} = {path}"
        yield MOSQUITTO_BRIDGE.client(_bridge(reading, path), note, openssl.default_options(reading))
        yield BUILT_IN_BRIDGE.client(_built_in(reading, path, first_generation), note)
    # HTTPS pools the certificates of all clouds.
    note = "; ".join(f"{' and '.join(keys)} = {path}" for path, keys in paths.items())
    yield HTTPS.client(_https(reading, list(paths), first_generation), note)


def cloud_paths(reading: FileReader) -> dict[str, list[str]]:
    """Return each path that a ``root_cert_path`` has, with its keys; the default if none is set."""
    paths: dict[str, list[str]] = {}
    for setting in found_settings(reading.view):
        if setting.key.endswith(f".{_KEY}") and setting.key.partition(".")[0] in CLOUDS:
            paths.setdefault(setting.value, []).append(setting.key)
    return paths or {DEFAULT: [f"{_KEY} by default"]}


def _bridge(reading: FileReader, path: str) -> Find:
    """Return the function that finds the anchors of mosquitto: with bridge_capath for a directory, or else
    bridge_cafile.
    """
    if reading.is_directory(path):
        return lambda chain: openssl.by_directory(reading, path, chain)
    cannot_start = "" if reading.is_file(path) else f"there is no {path}, so `tedge connect` stops"
    found = openssl.by_bundle(reading, path)
    if found.faults and not cannot_start:
        cannot_start = f"mosquitto cannot load it: {found.faults[0]}"
    return lambda _: FoundAnchors(found.anchors, path, found.faults, cannot_start)


def _built_in(reading: FileReader, path: str, first_generation: bool) -> Find:
    """Return the function that finds the anchors of the built-in bridge: in files of any name, also in subdirectories.
    A file with malformed PEM is skipped.
    """
    paths = list(reading.files_below(path)) if reading.is_directory(path) else [path]
    read = {each: reading.rust(each, pemfile=first_generation) for each in paths}
    found = rustls.found_in({each: file for each, file in read.items() if file and not file.fault}, path)
    cannot_start = "" if first_generation else _panic(reading)
    if reading.view.kind(path) is None:
        cannot_start = f"there is no {path}"
    return lambda _: FoundAnchors(found.anchors, path, found.faults, cannot_start)


def _panic(reading: FileReader) -> str:
    """Return the reason why thin-edge.io 2.x stops when it starts, or an empty string. For its bridge it also loads the
    system's store, and panics if that is malformed.
    """
    faults = rustls.native_certs(reading).faults
    return f"thin-edge.io 2.x exits: could not load platform certs: {faults[0]}" if faults else ""


def _https(reading: FileReader, paths: Sequence[str], first_generation: bool) -> Find:
    """Return the function that finds the anchors of the HTTPS client: in the system's store, and in the files of each
    path without subdirectories.

    A path with one malformed file is dropped. A file that is not a certificate ends the process; for reqwest 0.11 of
    1.x, so does a fault in the system's store.
    """
    system = rustls.native_certs(reading, first_generation=first_generation)
    read = {path: _trust_store(reading, path, first_generation) for path in paths}
    parts = [rustls.found_in(files, path) for path, files in read.items()]
    kept = [*(part for part in parts if not part.faults), system]
    anchors = {each.certificate.sha256: each for part in kept for each in part.anchors}
    faults = tuple(
        f"everything in {part.searched} is dropped, because {part.faults[0]}" for part in parts if part.faults
    )
    searched = " and ".join(dict.fromkeys((*paths, system.searched)))
    ends = [path for part, files in zip(parts, read.values(), strict=True) for path in _unparsed(part, files)]
    if first_generation:
        ends += system.faults
    cannot_start = f"thin-edge.io exits, because it cannot use what it reads: {ends[0]}" if ends else ""
    found = FoundAnchors(tuple(anchors.values()), searched, faults, cannot_start)
    return lambda _: found


def _trust_store(reading: FileReader, path: str, first_generation: bool) -> dict[str, ParsedFile | None]:
    files = reading.files_in(path) if reading.is_directory(path) else [path]
    return {each: reading.rust(each, pemfile=first_generation) for each in files}


def _unparsed(part: FoundAnchors, files: Mapping[str, ParsedFile | None]) -> list[str]:
    """Return the files whose PEM is valid but contains no certificate. If the path has a fault, return none, because
    these files then do not matter.
    """
    return [] if part.faults else [path for path, file in files.items() if file and file.unparsed]
