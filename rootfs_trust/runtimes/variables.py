"""Variables in a root filesystem: a file of profile.d for shells, and a drop-in of systemd for services.

Both files belong to rootfs-trust: a run writes every variable into them, and deletes them when no variable is left. In
a container image, the variables are in the image config, and the file :data:`RECORD` lists which of them a run has set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rootfs_trust.errors import CONFLICT, Problem
from rootfs_trust.rootfs.view import Absent, Directory, File, View, read
from rootfs_trust.runtimes.request import Assignment, RuntimePlan

PROFILE = "/etc/profile.d/rootfs-trust.sh"
SYSTEMD = "/etc/systemd/system.conf.d/50-rootfs-trust.conf"
"""systemd gives the variables to every service (systemd-system.conf(5), DefaultEnvironment=)."""
RECORD = "/usr/share/rootfs-trust/image-variables"

_SYSTEMDS = ("/usr/lib/systemd/system", "/lib/systemd/system", "/etc/systemd/system")
_OURS = "# Written by rootfs-trust: trust stores for programs that do not read the system's.\n"
_RECORDED = "# Written by rootfs-trust: the variables that it has set in the config of this image.\n"
_SET = re.compile(r'^(?:export |DefaultEnvironment=")([A-Z0-9_]+)="?([^"\n]+)"$', re.MULTILINE)


def variable_files(view: View, variables: Mapping[str, str]) -> RuntimePlan:
    """Plan the files that set ``variables``; none without variables. Foreign files at their paths are conflicts."""
    plan = RuntimePlan()
    has_systemd = any(view.kind(path) is Directory for path in _SYSTEMDS)
    for path, text in ((PROFILE, _profile(variables)), (SYSTEMD, _drop_in(variables))):
        data = read(view, path)
        if data is not None and not data.startswith(_OURS.encode()):
            message = "is a foreign file at the path where rootfs-trust writes variables"
            plan.conflicts.append(CONFLICT(path, message, "move it, or leave node and environment out of --runtimes"))
        elif variables and (path == PROFILE or has_systemd):
            plan.desired[path] = File(text.encode())
        elif data is not None:
            plan.desired[path] = Absent()
    return plan


def variables_before(view: View) -> dict[str, str]:
    """Return the variables that an earlier run wrote."""
    data = read(view, PROFILE) or b""
    return dict(_SET.findall(data.decode("utf-8", "replace"))) if data.startswith(_OURS.encode()) else {}


def record(view: View, variables: Mapping[str, str]) -> RuntimePlan:
    """Plan the file that records ``variables``; no file if there are no variables."""
    plan = RuntimePlan()
    if variables:
        lines = (f"{name}={value}\n" for name, value in _sorted(variables))
        plan.desired[RECORD] = File(f"{_RECORDED}{''.join(lines)}".encode())
    elif read(view, RECORD) is not None:
        plan.desired[RECORD] = Absent()
    return plan


def recorded(view: View) -> dict[str, str]:
    """Return the variables that earlier runs have set in the config of the image."""
    text = (read(view, RECORD) or b"").decode("utf-8", "replace")
    lines = text.removeprefix(_RECORDED).splitlines() if text.startswith(_RECORDED) else ()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def unassigned(
    view: View, variables: Mapping[str, str], assigned: Mapping[str, tuple[Assignment, ...]]
) -> tuple[dict[str, str], list[Problem]]:
    """Return those of ``variables`` that nothing else sets, and a conflict for each that is already set to another
    file.
    """
    conflicts = [
        _already_set(name, path, there)
        for name, path in variables.items()
        for there in assigned.get(name, ())
        if not _same(view, there.value, path)
    ]
    return {name: path for name, path in variables.items() if name not in assigned}, conflicts


def _same(view: View, one: str, other: str) -> bool:
    return one == other or (
        one.startswith("/") and view.real_path(one) is not None and view.real_path(one) == view.real_path(other)
    )


def _already_set(name: str, path: str, there: Assignment) -> Problem:
    message = f"sets {name} to {there.value}, but it must be {path}"
    return CONFLICT(there.place, message, "remove that setting, or leave the runtime out of --runtimes")


def _profile(variables: Mapping[str, str]) -> str:
    return _OURS + "".join(f'export {name}="{value}"\n' for name, value in _sorted(variables))


def _drop_in(variables: Mapping[str, str]) -> str:
    lines = (f'DefaultEnvironment="{name}={value}"\n' for name, value in _sorted(variables))
    return f"{_OURS}[Manager]\n{''.join(lines)}"


def _sorted(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return iter(sorted(variables.items()))
