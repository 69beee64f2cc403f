"""thin-edge.io's settings as environment of its services: a drop-in of systemd under /usr. Pure.

An update that copies the old /etc/tedge over the new image's, as meta-tedge's scripts do, takes an image's tedge.toml
with it; /usr it leaves alone. Variables ``TEDGE_*`` win over the files (tedge_config_location.rs). They reach the
services, not a ``tedge`` that a person calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rootfs_trust.errors import Problem
from rootfs_trust.thin_edge.trust_settings import Setting

_NAME = re.compile("[A-Z0-9_]+")
_ASSIGNMENT = re.compile(r'Environment="(TEDGE_[A-Z0-9_]+)=.*"')
_HINT = "a profile whose name has a dash and a mapper of the user need --settings-as file"
DROP_IN = "/usr/lib/systemd/system/tedge-.service.d/50-rootfs-trust.conf"
"""systemd reads it for each service whose name begins with ``tedge-`` (systemd.unit(5), since 239)."""


def drop_in(settings: Iterable[Setting], before: bytes = b"") -> bytes:
    """The drop-in that sets ``settings``, and what the one ``before`` sets besides."""
    lines = _lines(before) | {variable(setting.key): _line(setting) for setting in settings}
    return "\n".join(["[Service]", *lines.values(), ""]).encode()


def overridden_by_drop_in(settings: Iterable[Setting], before: bytes) -> Iterator[Problem]:
    """A warning for each of ``settings``, meant for a file, that the drop-in of an earlier run sets otherwise."""
    lines = _lines(before)
    for setting in settings:
        name = variable(setting.key)
        if lines.get(name, _line(setting)) != _line(setting):
            message = f"{name} is set here, and wins over {setting.key} of the file"
            yield Problem("thin-edge-environment", DROP_IN, message, "take this file away, or say --settings-as env")


def _lines(before: bytes) -> dict[str, str]:
    found = (_ASSIGNMENT.fullmatch(line) for line in before.decode("utf-8", "replace").splitlines())
    return {match[1]: match[0] for match in found if match}


def _line(setting: Setting) -> str:
    return f'Environment="{variable(setting.key)}={_quoted(setting.path)}"'


def settings_without_variable(settings: Iterable[Setting]) -> list[Problem]:
    """A trouble for each setting that no variable sets.

    That is, users' mappers read none, and systemd passes over a name with a dash (environ(7), env_name_is_valid).
    """
    return [
        Problem("thin-edge-setting", "", f"{setting.key}: no environment variable sets it", _HINT)
        for setting in settings
        if setting.of_user or not _NAME.fullmatch(variable(setting.key))
    ]


def variable(key: str) -> str:
    """The name of the variable that overrides ``key``: ``c8y.root_cert_path`` is TEDGE_C8Y_ROOT_CERT_PATH."""
    return "TEDGE_" + key.replace(".", "_").upper()


def _quoted(path: str) -> str:
    """``path`` inside double quotes of a unit file: backslash, quote and the specifiers' percent doubled or escaped."""
    return path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
