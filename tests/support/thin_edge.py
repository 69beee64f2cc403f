"""What thin-edge.io makes of its settings."""

from __future__ import annotations

import tomllib
from pathlib import Path


def root_cert_path(tree: Path) -> str:
    """Where the device finds the cloud's CAs."""
    settings = tomllib.loads((tree / "etc/tedge/tedge.toml").read_text())
    path = settings["c8y"]["root_cert_path"]
    assert isinstance(path, str)
    return path


def bridge_option(tree: Path) -> str:
    """The line of mosquitto's bridge, as ``tedge connect`` decides it (crates/core/tedge/src/bridge/config.rs)."""
    path = root_cert_path(tree)
    kind = "bridge_capath" if (tree / path[1:]).is_dir() else "bridge_cafile"
    return f"{kind} {path}"
