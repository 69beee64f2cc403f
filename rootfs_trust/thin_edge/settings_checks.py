"""Checks each setting against the finished rootfs, and reports what thin-edge.io could not use.

Source: bridge/config.rs, axum_tls, parse_root_certificate.rs and cloud_root_certificate.rs of thin-edge.io 1.4.1 and
2.0.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rootfs_trust import x509
from rootfs_trust.errors import (
    CLIENT_CANNOT_READ,
    THIN_EDGE_NAME,
    THIN_EDGE_SETTING,
    THIN_EDGE_UNREADABLE,
    InputError,
    MalformedError,
    Problem,
)
from rootfs_trust.rootfs.device import READ, SEARCH, User
from rootfs_trust.rootfs.planned_tree import PlannedTree
from rootfs_trust.rootfs.view import Directory, File, as_bytes, join
from rootfs_trust.store.hash_links import is_looked_up_first
from rootfs_trust.thin_edge.trust_settings import Setting

_EXTERNAL = "mqtt.external.ca_path"
_LAST_WITHOUT_FILE = (2, 0, 1)
_SINCE = ", which thin-edge.io accepts here only after 2.0.1"
_NEWER = "use a directory with hash links, or install a newer tedge package first"
_RUN_TIME = "use --set-at-run-time for a path on a volume that is mounted later"


def check_settings(
    settings: Iterable[Setting], finished: PlannedTree, *, built_in_bridge: bool
) -> tuple[list[Problem], list[Problem]]:
    """Return errors and warnings about the settings. Run-time paths, and foreign files and their permissions, only get
    a warning, because another build step may fix them.
    """
    problems: list[Problem] = []
    warnings: list[Problem] = []
    valid: list[Setting] = []
    for setting in settings:
        problem = _check(setting, finished, built_in_bridge)
        if problem:
            (warnings if setting.at_run_time else problems).append(problem)
        else:
            valid.append(setting)
    warnings += _unreadable_paths(valid, finished, built_in_bridge)
    warnings += _directories_with_malformed_files(valid, finished)
    return problems, warnings


def _check(setting: Setting, finished: PlannedTree, built_in_bridge: bool) -> Problem | None:
    kind = finished.kind(setting.path)
    if kind is None:
        return _problem(setting, f"{setting.path} will not be in the finished rootfs", _RUN_TIME)
    if kind is File and setting.key == _EXTERNAL:
        return (
            None if _accepts_external_file(finished) else _problem(setting, f"{setting.path} is a file{_SINCE}", _NEWER)
        )
    if kind is not (File if setting.kind.takes == "file" else Directory) and setting.kind.takes != "either":
        other = "directory" if kind is Directory else "file"
        message = f"{setting.path} is a {other}, and thin-edge.io needs a {setting.kind.takes} here"
        return _problem(setting, message, f"set it to a {setting.kind.takes}")
    by_rustls = built_in_bridge and setting.key.endswith(".root_cert_path")
    if kind is Directory and setting.kind.hashed and not by_rustls:
        return _check_hash_links(setting, finished)
    return None


def _accepts_external_file(finished: PlannedTree) -> bool:
    """Return whether thin-edge.io in the rootfs is newer than 2.0.1 and so accepts a cafile (pull request 4315,
    2026-08-29).
    """
    package = finished.device.packages.get("tedge")
    numbers = re.findall("[0-9]+", package.version) if package else []
    # int() refuses more than 4,300 digits, and the package database may be hostile.
    return tuple(int(digits[:18]) for digits in numbers[:3]) > _LAST_WITHOUT_FILE


def has_hash_links(finished: PlannedTree, folder: str) -> bool:
    """Return whether OpenSSL's directory lookup will find anything in ``folder``."""
    names = filter(is_looked_up_first, finished.names(folder))
    return any(finished.kind(join(folder, name)) is File for name in names)


def _check_hash_links(setting: Setting, finished: PlannedTree) -> Problem | None:
    if has_hash_links(finished, setting.path):
        return None
    hint = f"create them with rootfs-trust rehash --root DIR {setting.path}, or use the bundle file"
    return _problem(setting, f"{setting.path} has no hash links, so mosquitto would find no CA in it", hint)


def _problem(setting: Setting, message: str, hint: str) -> Problem:
    return THIN_EDGE_SETTING("", f"{setting.key}: {message}", hint)


# -- permissions -------------------------------------------------------------------------------------------


def _unreadable_paths(settings: Iterable[Setting], finished: PlannedTree, built_in_bridge: bool) -> Iterator[Problem]:
    """Yield a warning for each path whose permissions prevent a program from reading the file of a setting, without
    duplicates.
    """
    reported = set()
    for setting in settings:
        for name in _readers(setting, built_in_bridge):
            place = first_unreadable_path(setting.path, finished, finished.user(name))
            if place is not None and (place, name) not in reported:
                reported.add((place, name))
                message = f"the user {name} may not read it, so it cannot use {setting.key} = {setting.path}"
                yield THIN_EDGE_UNREADABLE(place, message)


def _readers(setting: Setting, built_in_bridge: bool) -> list[str]:
    """Return the users whose programs read the path of a setting."""
    if setting.key == _EXTERNAL:
        return ["mosquitto"]
    if setting.key.endswith(".root_cert_path") and not built_in_bridge and not setting.of_user:
        return ["tedge", "mosquitto"]
    return ["tedge"]


def first_unreadable_path(path: str, finished: PlannedTree, reader: User) -> str | None:
    """Return the first component of ``path`` that ``reader`` may not traverse or read, or None."""
    *folders, end = finished.way(path)
    for place in folders:
        # The mode of the root directory is the build host's; an image sets its own.
        if place != "/" and not reader.may(SEARCH, *finished.rights(place)):
            return place
    bits = READ | SEARCH if finished.kind(end) is Directory else READ
    return None if end == "/" or reader.may(bits, *finished.rights(end)) else end


# -- malformed files ---------------------------------------------------------------------------------------

_ENDINGS_OF_CA_DIR = (".pem", ".cer", ".crt")
_LOST = "thin-edge.io then trusts none of the certificates in this directory"


def _directories_with_malformed_files(settings: Iterable[Setting], finished: PlannedTree) -> Iterator[Problem]:
    """Yield a warning for each foreign file that makes thin-edge.io's HTTPS or MQTT clients ignore its directory."""
    folders: dict[str, list[Setting]] = {}
    for setting in settings:
        real = finished.real_path(setting.path)
        if real is not None and finished.kind(real) is Directory and _reads_all(setting):
            folders.setdefault(real, []).append(setting)
    for folder, readers in folders.items():
        keys = ", ".join(setting.key for setting in readers)
        endings = _ENDINGS_OF_CA_DIR if all(key.key.endswith(".ca_dir") for key in readers) else ("",)
        reported = set()
        for path in finished.others(folder):
            yield from _misnamed(path, keys)
            real = finished.real_path(path)
            # A hash link and its target are one file.
            if real is not None and real not in reported and path.endswith(endings) and finished.kind(real) is File:
                reported.add(real)
                yield from _malformed_file(real, keys, finished)


def _reads_all(setting: Setting) -> bool:
    if setting.of_user:
        # Its bridge skips malformed files, and its HTTPS client does not read the directory.
        return False
    return setting.key.endswith((".root_cert_path", ".auth.ca_dir")) or setting.key == "http.ca_path"


def _misnamed(path: str, keys: str) -> Iterator[Problem]:
    try:
        as_bytes(path).decode()
    except UnicodeDecodeError:
        yield THIN_EDGE_NAME(path, f"its name is not UTF-8; {_LOST} ({keys})")


def _malformed_file(path: str, keys: str, finished: PlannedTree) -> Iterator[Problem]:
    try:
        reason = _fault(finished.read(path) or b"")
    except InputError as error:
        yield from error.problems
        return
    if reason:
        hint = "fix the file, or move it out of the directory"
        yield CLIENT_CANNOT_READ(path, f"{reason}; {_LOST} ({keys}); {_version(finished)}", hint)


def _version(finished: PlannedTree) -> str:
    package = finished.device.packages.get("tedge")
    return f"thin-edge.io {package.version}" if package else "the rootfs shows no version of thin-edge.io"


def _fault(data: bytes) -> str | None:
    """Return the reason why rustls would reject a file, or None. It accepts PEM without any certificate."""
    for block in x509.blocks(data):
        where = f"the PEM block {block.label} of line {block.line}"
        if isinstance(block, x509.BadBlock):
            return f"{where} is malformed: {block.reason}"
        if block.header:
            return f"{where} has a header, which thin-edge.io 1.x decodes as base64"
        if block.label == "CERTIFICATE":
            try:
                x509.parse_certificate(block.der)
            except MalformedError as error:
                return f"{where} is not a certificate: {error.message}"
    return None
