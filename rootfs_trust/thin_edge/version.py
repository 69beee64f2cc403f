"""Which form of settings a rootfs needs: thin-edge.io 1.x keeps them all in tedge.toml, 2.x a cloud in a mapper's file.

2.x reads a cloud and its profiles from mapper.toml files where there is any of that cloud; else it still reads
tedge.toml, if that has any cloud's table (decide_config_source in tedge_config_location.rs, 2.0.1). Never both: its own
upgrade deletes a mapper's file of a cloud that stands in tedge.toml, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import View, join
from rootfs_trust.thin_edge.key_renames import key_as_written, lookup
from rootfs_trust.thin_edge.trust_settings import CLOUDS, MAPPERS


def mapper_file(table: str) -> str:
    """Where 2.x keeps the settings of ``c8y``, ``c8y.profiles.edge`` or a mapper of the user."""
    return f"{MAPPERS}/{table.replace('.profiles.', '.')}/mapper.toml"


def uses_mapper_file(device: Device, table: str, document: Mapping[str, Any], choice: str) -> bool:
    """Whether the settings of ``table`` go into a mapper's file. ``document`` is the parsed tedge.toml.

    ``choice`` is "1" or "2", or "auto": read from the rootfs's files, else from its package database.
    """
    if choice != "auto":
        return choice == "2"
    if _has_mapper_file(device.view, table.partition(".")[0]):
        return True
    if any(key_as_written(document, cloud) in document for cloud in CLOUDS):
        return False
    return generation_of(device, "auto") == "2"


def _has_mapper_file(view: View, cloud: str) -> bool:
    """Whether there is such a file of ``cloud`` or of any of its profiles."""
    names = (name for name in view.names(MAPPERS) if name.partition(".")[0] == cloud)
    return any(view.kind(f"{join(MAPPERS, name)}/mapper.toml") is not None for name in names)


def generation_of(device: Device, choice: str) -> str:
    """What ``choice`` says or, for "auto", the rootfs's packages or files: "1", "2", or "" where nothing tells."""
    if choice != "auto":
        return choice
    package = device.packages.get("tedge")
    if package and package.version:
        return "1" if package.version.startswith(("0.", "1.")) else "2"
    files = (f"{join(MAPPERS, name)}/mapper.toml" for name in device.view.names(MAPPERS))
    return "2" if any(device.view.kind(file) is not None for file in files) else ""


def built_in_bridge(device: Device, document: Mapping[str, Any], choice: str) -> bool:
    """Whether MQTT goes over thin-edge.io's own bridge: where tedge.toml says that, or by default in 2.x."""
    said = lookup(document, "mqtt.bridge.built_in")
    return said is True or (said is None and generation_of(device, choice) == "2")
