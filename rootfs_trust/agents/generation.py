"""Which form of settings a rootfs needs: thin-edge.io 1.x keeps them all in tedge.toml, 2.x a cloud in a mapper's file.

2.x reads a cloud and its profiles from mapper.toml files where there is any of that cloud; else it still reads
tedge.toml, if that has any cloud's table (decide_config_source in tedge_config_location.rs, 2.0.1). Never both: its own
upgrade deletes a mapper's file of a cloud that stands in tedge.toml, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rootfs_trust.agents.migration import lookup, spelled
from rootfs_trust.agents.settings import CLOUDS, MAPPERS
from rootfs_trust.rootfs.nodes import View, join, read

_STATUS = ("/var/lib/dpkg/status", "/var/lib/opkg/status", "/usr/lib/opkg/status")
_APK = "/lib/apk/db/installed"
_RPM_MANIFEST = "/var/lib/rpmmanifest/container-manifest-2"


def mapper_file(table: str) -> str:
    """Where 2.x keeps the settings of ``c8y``, ``c8y.profiles.edge`` or a mapper of the user."""
    return f"{MAPPERS}/{table.replace('.profiles.', '.')}/mapper.toml"


def is_generation_2(view: View, table: str, document: Mapping[str, Any], choice: str) -> bool:
    """Whether the settings of ``table`` go into a mapper's file. ``document`` is the parsed tedge.toml.

    ``choice`` is "1" or "2", or "auto": read from the rootfs's files, else from its package database.
    """
    if choice != "auto":
        return choice == "2"
    if _has_mapper_file(view, table.partition(".")[0]):
        return True
    if any(spelled(document, cloud) in document for cloud in CLOUDS):
        return False
    return generation_of(view, "auto") == "2"


def _has_mapper_file(view: View, cloud: str) -> bool:
    """Whether there is such a file of ``cloud`` or of any of its profiles."""
    names = (name for name in view.names(MAPPERS) if name.partition(".")[0] == cloud)
    return any(view.kind(f"{join(MAPPERS, name)}/mapper.toml") is not None for name in names)


def generation_of(view: View, choice: str) -> str:
    """What ``choice`` says or, for "auto", the rootfs's packages or files: "1", "2", or "" where nothing tells."""
    if choice != "auto":
        return choice
    version = package_version(view)
    if version is not None:
        return "1" if version.startswith(("0.", "1.")) else "2"
    files = (f"{join(MAPPERS, name)}/mapper.toml" for name in view.names(MAPPERS))
    return "2" if any(view.kind(file) is not None for file in files) else ""


def built_in_bridge(view: View, document: Mapping[str, Any], choice: str) -> bool:
    """Whether MQTT goes over thin-edge.io's own bridge: where tedge.toml says that, or by default in 2.x."""
    said = lookup(document, "mqtt.bridge.built_in")
    return said is True or (said is None and generation_of(view, choice) == "2")


def package_version(view: View) -> str | None:
    """The version of the rootfs's ``tedge`` package, by its package database of dpkg, opkg, apk or rpm's text form."""
    return next(_versions(view), None)


def _versions(view: View) -> Iterator[str]:
    status = [path for path in _STATUS if read(view, path)]
    # distroless keeps a file a package
    status += [join("/var/lib/dpkg/status.d", name) for name in view.names("/var/lib/dpkg/status.d") if name == "tedge"]
    for path in status:
        yield from _stanza_versions(_lines(view, path), "Package: tedge", "Version: ")
    yield from _stanza_versions(_lines(view, _APK), "P:tedge", "V:")
    for line in _lines(view, _RPM_MANIFEST):
        name, _, rest = line.partition("\t")
        if name == "tedge":
            yield rest.partition("\t")[0]


def _stanza_versions(lines: list[str], package: str, version: str) -> Iterator[str]:
    """The version in the stanza of ``package``; stanzas end with an empty line."""
    inside = False
    for line in lines:
        inside = line == package or (inside and line != "")
        if inside and line.startswith(version):
            yield line.removeprefix(version)


def _lines(view: View, path: str) -> list[str]:
    return (read(view, path) or b"").decode("utf-8", "replace").split("\n")
