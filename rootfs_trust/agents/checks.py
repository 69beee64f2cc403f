"""Holds each setting against the finished rootfs: what thin-edge.io would stumble over is refused here.

Source: bridge/config.rs, axum_tls and parse_root_certificate.rs of thin-edge.io 1.4.1 and 2.0.1.
"""

from __future__ import annotations

from collections.abc import Iterable

from rootfs_trust.agents.finished import Finished
from rootfs_trust.agents.settings import Setting
from rootfs_trust.errors import Trouble
from rootfs_trust.rootfs.nodes import Directory, File

_RUN_TIME = "--set-at-run-time is for a path on a volume that appears later"


def check_settings(
    settings: Iterable[Setting], finished: Finished, *, built_in_bridge: bool
) -> tuple[list[Trouble], list[Trouble]]:
    """Troubles that refuse the run, and warnings for paths that are said to appear at run time only."""
    troubles: list[Trouble] = []
    warnings: list[Trouble] = []
    for setting in settings:
        trouble = _check(setting, finished, built_in_bridge)
        if trouble:
            (warnings if setting.at_run_time else troubles).append(trouble)
    return troubles, warnings


def _check(setting: Setting, finished: Finished, built_in_bridge: bool) -> Trouble | None:
    kind = finished.kind(setting.path)
    if kind is None:
        return _trouble(setting, f"{setting.path} will not be in the finished rootfs", _RUN_TIME)
    if kind is not (File if setting.kind.takes == "file" else Directory) and setting.kind.takes != "either":
        other = "folder" if kind is Directory else "file"
        return _trouble(
            setting,
            f"{setting.path} is a {other}, and thin-edge.io takes a {setting.kind.takes} here",
            f"give a {setting.kind.takes}",
        )
    by_rustls = built_in_bridge and setting.key.endswith(".root_cert_path")
    if kind is Directory and setting.kind.hashed and not by_rustls:
        return _check_hash_links(setting, finished)
    return None


def _check_hash_links(setting: Setting, finished: Finished) -> Trouble | None:
    if finished.has_hash_links(setting.path):
        return None
    return _trouble(
        setting,
        f"{setting.path} has no hash links, so mosquitto would find no CA in it",
        "run rootfs-trust rehash on the folder, or give the bundle file",
    )


def _trouble(setting: Setting, message: str, hint: str) -> Trouble:
    return Trouble("setting", "", f"{setting.key}: {message}", hint)
