"""thin-edge.io's settings as environment variables of its services: a drop-in of systemd in /usr.

Some updates copy the old /etc/tedge over that of the new image, as meta-tedge's scripts do, and so overwrite its
tedge.toml. They do not touch /usr. Variables ``TEDGE_*`` override the files (tedge_config_location.rs). They apply to
the services, not to a ``tedge`` that somebody runs in a shell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rootfs_trust.errors import THIN_EDGE_ENVIRONMENT, THIN_EDGE_SETTING, Problem
from rootfs_trust.thin_edge.trust_settings import Setting

_NAME = re.compile("[A-Z0-9_]+")
_ASSIGNMENT = re.compile(r'Environment="(TEDGE_[A-Z0-9_]+)=.*"')
_HINT = "profiles with a dash in their name and custom mappers need --settings-as file"
DROP_IN = "/usr/lib/systemd/system/tedge-.service.d/50-rootfs-trust.conf"
"""A drop-in that systemd reads for each service whose name begins with ``tedge-`` (systemd.unit(5), since 239)."""


def drop_in(settings: Iterable[Setting], before: bytes = b"") -> bytes:
    """Return the drop-in that sets ``settings``, in addition to the variables of the existing drop-in ``before``."""
    lines = _lines(before) | {variable(setting.key): _line(setting) for setting in settings}
    return "\n".join(["[Service]", *lines.values(), ""]).encode()


def overridden_by_drop_in(settings: Iterable[Setting], before: bytes) -> Iterator[Problem]:
    """Yield a warning for each of ``settings`` that the drop-in of an earlier run overrides."""
    lines = _lines(before)
    for setting in settings:
        name = variable(setting.key)
        if lines.get(name, _line(setting)) != _line(setting):
            yield THIN_EDGE_ENVIRONMENT(DROP_IN, f"{name} is set here and overrides {setting.key} in the file")


def _lines(before: bytes) -> dict[str, str]:
    found = (_ASSIGNMENT.fullmatch(line) for line in before.decode("utf-8", "replace").splitlines())
    return {match[1]: match[0] for match in found if match}


def _line(setting: Setting) -> str:
    return f'Environment="{variable(setting.key)}={_quoted(setting.path)}"'


def settings_without_variable(settings: Iterable[Setting]) -> list[Problem]:
    """Return an error for each setting that no variable can set.

    Custom mappers read no variables, and systemd ignores names with a dash (environ(7), env_name_is_valid).
    """
    return [
        THIN_EDGE_SETTING("", f"{setting.key}: no environment variable sets it", _HINT)
        for setting in settings
        if setting.of_user or not _NAME.fullmatch(variable(setting.key))
    ]


def variable(key: str) -> str:
    """Return the name of the variable that overrides ``key``: TEDGE_C8Y_ROOT_CERT_PATH for ``c8y.root_cert_path``."""
    return "TEDGE_" + key.replace(".", "_").upper()


def _quoted(path: str) -> str:
    """Escape ``path`` for a quoted string of a unit file: backslashes and quotes get a backslash, percent signs are
    doubled.
    """
    return path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
