"""The settings format of a rootfs: thin-edge.io 1.x has all settings in tedge.toml, 2.x a mapper file for each cloud.

If a cloud has any mapper.toml file, 2.x reads that cloud and its profiles from mapper.toml files. Otherwise it still
reads tedge.toml, if tedge.toml has a table of any cloud (decide_config_source in tedge_config_location.rs, 2.0.1). A
cloud is never in both: thin-edge.io's own upgrade deletes the mapper file of a cloud that is in tedge.toml.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import View, join
from rootfs_trust.thin_edge.key_renames import key_as_written, lookup
from rootfs_trust.thin_edge.trust_settings import CLOUDS, MAPPERS


def mapper_file(table: str) -> str:
    """Return the path of 2.x's settings file for ``c8y``, ``c8y.profiles.edge`` or a custom mapper."""
    return f"{MAPPERS}/{table.replace('.profiles.', '.')}/mapper.toml"


def uses_mapper_file(device: Device, table: str, document: Mapping[str, Any], choice: str) -> bool:
    """Return whether the settings of ``table`` go into a mapper file. ``document`` is the parsed tedge.toml.

    ``choice`` is "1" or "2", or "auto": detected from the rootfs's files, else from its package database.
    """
    if choice != "auto":
        return choice == "2"
    if _has_mapper_file(device.view, table.partition(".")[0]):
        return True
    if any(key_as_written(document, cloud) in document for cloud in CLOUDS):
        return False
    return generation_of(device, "auto") == "2"


def _has_mapper_file(view: View, cloud: str) -> bool:
    """Return whether ``cloud`` or any of its profiles has a mapper file."""
    names = (name for name in view.names(MAPPERS) if name.partition(".")[0] == cloud)
    return any(view.kind(f"{join(MAPPERS, name)}/mapper.toml") is not None for name in names)


def generation_of(device: Device, choice: str) -> str:
    """Return ``choice`` or, for "auto", what the rootfs's packages or files show: "1", "2", or "" if unknown."""
    if choice != "auto":
        return choice
    package = device.packages.get("tedge")
    if package and package.version:
        return "1" if package.version.startswith(("0.", "1.")) else "2"
    files = (f"{join(MAPPERS, name)}/mapper.toml" for name in device.view.names(MAPPERS))
    return "2" if any(device.view.kind(file) is not None for file in files) else ""


def built_in_bridge(device: Device, document: Mapping[str, Any], choice: str) -> bool:
    """Return whether MQTT uses thin-edge.io's built-in bridge: if tedge.toml says so, or by default in 2.x."""
    configured = lookup(document, "mqtt.bridge.built_in")
    return configured is True or (configured is None and generation_of(device, choice) == "2")
