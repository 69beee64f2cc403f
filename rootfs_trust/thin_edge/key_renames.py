"""Renames of keys from version 1 of tedge.toml to version 2, as thin-edge.io does them.

A file without ``config.version`` is version 1: the first tedge process on the device would rename its keys. If this
tool only set version 2, thin-edge.io would not rename them and would lose the settings. The same edit therefore renames
them.

Source: tedge_config.rs of thin-edge.io 1.4.1 and 2.0.1, the migration steps of TomlV1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VERSION = "2"

RENAMES = {
    "mqtt.port": "mqtt.bind.port",
    "mqtt.bind_address": "mqtt.bind.address",
    "mqtt.client_host": "mqtt.client.host",
    "mqtt.client_port": "mqtt.client.port",
    "mqtt.client_ca_file": "mqtt.client.auth.ca_file",
    "mqtt.client_ca_path": "mqtt.client.auth.ca_dir",
    "mqtt.client_auth.cert_file": "mqtt.client.auth.cert_file",
    "mqtt.client_auth.key_file": "mqtt.client.auth.key_file",
    "mqtt.external_port": "mqtt.external.bind.port",
    "mqtt.external_bind_address": "mqtt.external.bind.address",
    "mqtt.external_bind_interface": "mqtt.external.bind.interface",
    "mqtt.external_capath": "mqtt.external.ca_path",
    "mqtt.external_certfile": "mqtt.external.cert_file",
    "mqtt.external_keyfile": "mqtt.external.key_file",
    "az.mapper_timestamp": "az.mapper.timestamp",
    "aws.mapper_timestamp": "aws.mapper.timestamp",
    "http.port": "http.bind.port",
    "http.bind_address": "http.bind.address",
    "software.default_plugin_type": "software.plugin.default",
    "firmware.child_update_timeout": "firmware.child.update.timeout",
    "c8y.smartrest_templates": "c8y.smartrest.templates",
}

ALIASES = {
    "az": "azure",
    "mqtt.client.auth.ca_file": "mqtt.client.auth.cafile",
    "mqtt.client.auth.ca_dir": "mqtt.client.auth.cadir",
}
"""Alternative names of a table or key in thin-edge.io. A file must not use both."""

EMPTIED = "mqtt.client_auth"
"""A table that the renames may leave empty. It is then removed."""


def lookup(document: Mapping[str, Any], key: str) -> Any:
    """Return the value at the dotted ``key``, or None."""
    value: Any = document
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def pending_renames(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the renames of keys of version 1 that ``document`` (parsed TOML) still needs."""
    if lookup(document, "config.version") not in (None, "1"):
        return {}
    return {old: new for old, new in RENAMES.items() if lookup(document, old) is not None}


def key_as_written(document: Mapping[str, Any], key: str) -> str:
    """Return ``key`` as ``document`` spells it: with an alias if the document uses one."""
    for name, alias in ALIASES.items():
        if (key == name or key.startswith(f"{name}.")) and lookup(document, alias) is not None:
            return alias + key.removeprefix(name)
    return key
