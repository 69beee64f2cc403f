"""Holds each setting against the finished rootfs: what thin-edge.io would stumble over is refused here.

Source: bridge/config.rs, axum_tls, parse_root_certificate.rs and cloud_root_certificate.rs of thin-edge.io 1.4.1
and 2.0.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rootfs_trust import x509
from rootfs_trust.errors import InputError, MalformedError, Problem
from rootfs_trust.rootfs.device import READ, SEARCH, User
from rootfs_trust.rootfs.planned_tree import PlannedTree
from rootfs_trust.rootfs.view import Directory, File, as_bytes, join
from rootfs_trust.store.hash_links import is_looked_up_first
from rootfs_trust.thin_edge.trust_settings import Setting

_EXTERNAL = "mqtt.external.ca_path"
_LAST_WITHOUT_FILE = (2, 0, 1)
_SINCE = ", and thin-edge.io takes one here after 2.0.1 only"
_NEWER = "give a folder with hash links, or install a newer tedge package first"
_RUN_TIME = "--set-at-run-time is for a path on a volume that appears later"


def check_settings(
    settings: Iterable[Setting], finished: PlannedTree, *, built_in_bridge: bool
) -> tuple[list[Problem], list[Problem]]:
    """Troubles that refuse the run, and warnings: of paths that are said to appear at run time only, and of others'.

    What others have put there, its rights included, may be mended by others before the image ships.
    """
    problems: list[Problem] = []
    warnings: list[Problem] = []
    sound: list[Setting] = []
    for setting in settings:
        problem = _check(setting, finished, built_in_bridge)
        if problem:
            (warnings if setting.at_run_time else problems).append(problem)
        else:
            sound.append(setting)
    warnings += _unreadable_paths(sound, finished, built_in_bridge)
    warnings += _directories_with_malformed_files(sound, finished)
    return problems, warnings


def _check(setting: Setting, finished: PlannedTree, built_in_bridge: bool) -> Problem | None:
    kind = finished.kind(setting.path)
    if kind is None:
        return _problem(setting, f"{setting.path} will not be in the finished rootfs", _RUN_TIME)
    if kind is File and setting.key == _EXTERNAL:
        return (
            None if _takes_external_file(finished) else _problem(setting, f"{setting.path} is a file{_SINCE}", _NEWER)
        )
    if kind is not (File if setting.kind.takes == "file" else Directory) and setting.kind.takes != "either":
        other = "folder" if kind is Directory else "file"
        return _problem(
            setting,
            f"{setting.path} is a {other}, and thin-edge.io takes a {setting.kind.takes} here",
            f"give a {setting.kind.takes}",
        )
    by_rustls = built_in_bridge and setting.key.endswith(".root_cert_path")
    if kind is Directory and setting.kind.hashed and not by_rustls:
        return _check_hash_links(setting, finished)
    return None


def _takes_external_file(finished: PlannedTree) -> bool:
    """Whether the package of the tree is newer than 2.0.1: a file is a cafile since pull request 4315 of 2026-08-29."""
    package = finished.device.packages.get("tedge")
    numbers = re.findall("[0-9]+", package.version) if package else []
    return tuple(map(int, numbers[:3])) > _LAST_WITHOUT_FILE


def has_hash_links(finished: PlannedTree, folder: str) -> bool:
    """Return whether OpenSSL's directory lookup will find anything in ``folder``."""
    names = filter(is_looked_up_first, finished.names(folder))
    return any(finished.kind(join(folder, name)) is File for name in names)


def _check_hash_links(setting: Setting, finished: PlannedTree) -> Problem | None:
    if has_hash_links(finished, setting.path):
        return None
    return _problem(
        setting,
        f"{setting.path} has no hash links, so mosquitto would find no CA in it",
        f"rootfs-trust rehash --root DIR {setting.path} makes them; or give the bundle file",
    )


def _problem(setting: Setting, message: str, hint: str) -> Problem:
    return Problem("thin-edge-setting", "", f"{setting.key}: {message}", hint)


# -- who may read ------------------------------------------------------------------------------------------


def _unreadable_paths(settings: Iterable[Setting], finished: PlannedTree, built_in_bridge: bool) -> Iterator[Problem]:
    """Each place that keeps a program from reading a setting's path is told once."""
    told = set()
    for setting in settings:
        for name in _readers(setting, built_in_bridge):
            place = first_unreadable_path(setting.path, finished, finished.user(name))
            if place is not None and (place, name) not in told:
                told.add((place, name))
                yield Problem(
                    "thin-edge-unreadable",
                    place,
                    f"the user {name} may not read it, so {setting.key} = {setting.path} is of no use to it",
                    "make it readable for everybody (chmod a+rX): CA certificates are no secret",
                )


def _readers(setting: Setting, built_in_bridge: bool) -> list[str]:
    """The users as whom the programs run that read a setting's path."""
    if setting.key == _EXTERNAL:
        return ["mosquitto"]
    if setting.key.endswith(".root_cert_path") and not built_in_bridge and not setting.of_user:
        return ["tedge", "mosquitto"]
    return ["tedge"]


def first_unreadable_path(path: str, finished: PlannedTree, reader: User) -> str | None:
    """The first place on the way to ``path`` that ``reader`` does not get through."""
    *folders, end = finished.way(path)
    for place in folders:
        # That of the root folder is the build host's: an image gets it anew.
        if place != "/" and not reader.may(SEARCH, *finished.rights(place)):
            return place
    bits = READ | SEARCH if finished.kind(end) is Directory else READ
    return None if end == "/" or reader.may(bits, *finished.rights(end)) else end


# -- what spoils a folder ----------------------------------------------------------------------------------

_ENDINGS_OF_CA_DIR = (".pem", ".cer", ".crt")
_LOST = "thin-edge.io then trusts none of the certificates in this folder"


def _directories_with_malformed_files(settings: Iterable[Setting], finished: PlannedTree) -> Iterator[Problem]:
    """Each file of others that makes thin-edge.io's HTTPS client, or its MQTT clients, drop a whole folder."""
    folders: dict[str, list[Setting]] = {}
    for setting in settings:
        real = finished.real_path(setting.path)
        if real is not None and finished.kind(real) is Directory and _reads_all(setting):
            folders.setdefault(real, []).append(setting)
    for folder, readers in folders.items():
        keys = ", ".join(setting.key for setting in readers)
        endings = _ENDINGS_OF_CA_DIR if all(key.key.endswith(".ca_dir") for key in readers) else ("",)
        told = set()
        for path in finished.others(folder):
            yield from _misnamed(path, keys)
            real = finished.real_path(path)
            # A hash link and what it leads to are one file.
            if real is not None and real not in told and path.endswith(endings) and finished.kind(real) is File:
                told.add(real)
                yield from _malformed_file(real, keys, finished)


def _reads_all(setting: Setting) -> bool:
    if setting.of_user:
        # Its bridge passes over what is bad, and HTTPS does not read it.
        return False
    return setting.key.endswith((".root_cert_path", ".auth.ca_dir")) or setting.key == "http.ca_path"


def _misnamed(path: str, keys: str) -> Iterator[Problem]:
    try:
        as_bytes(path).decode()
    except UnicodeDecodeError:
        yield Problem("thin-edge-name", path, f"its name is not UTF-8; {_LOST} ({keys})", "rename it")


def _malformed_file(path: str, keys: str, finished: PlannedTree) -> Iterator[Problem]:
    try:
        reason = _fault(finished.read(path) or b"")
    except InputError as error:
        yield from error.problems
        return
    if reason:
        hint = "fix the file, or move it out of the folder"
        yield Problem("client-cannot-read", path, f"{reason}; {_LOST} ({keys}); {_version(finished)}", hint)


def _version(finished: PlannedTree) -> str:
    package = finished.device.packages.get("tedge")
    return f"thin-edge.io {package.version}" if package else "the rootfs shows no version of thin-edge.io"


def _fault(data: bytes) -> str | None:
    """Why rustls would not take a file; PEM in which it finds no certificate at all is no fault."""
    for block in x509.blocks(data):
        where = f"the PEM block {block.label} of line {block.line}"
        if isinstance(block, x509.BadBlock):
            return f"{where} is malformed: {block.reason}"
        if block.header:
            return f"{where} has a header, which thin-edge.io 1.x takes for base64"
        if block.label == "CERTIFICATE":
            try:
                x509.parse_certificate(block.der)
            except MalformedError as error:
                return f"{where} is no certificate: {error.message}"
    return None
