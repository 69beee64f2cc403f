"""Writes thin-edge.io's settings: renders a missing file from a template, and edits an existing file in place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rootfs_trust.errors import NO_TEDGE_USER, PROXY_CA_PATH, THIN_EDGE_BOTH, ConflictError
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.planned_tree import PlannedTree
from rootfs_trust.rootfs.view import Absent, Directory, File, Owner, Symlink, parent, read
from rootfs_trust.store.store_plan import StorePlan
from rootfs_trust.thin_edge.key_renames import key_as_written, lookup
from rootfs_trust.thin_edge.service_environment import (
    DROP_IN,
    drop_in,
    overridden_by_drop_in,
    settings_without_variable,
)
from rootfs_trust.thin_edge.settings_checks import check_settings
from rootfs_trust.thin_edge.settings_file import SettingsFile, open_settings
from rootfs_trust.thin_edge.trust_settings import CLOUDS, DIRECTORY, Setting, last_of_each
from rootfs_trust.thin_edge.user_mappers import supported_settings
from rootfs_trust.thin_edge.version import built_in_bridge, mapper_file, uses_mapper_file

FILE = f"{DIRECTORY}/tedge.toml"


def thin_edge(
    device: Device,
    settings: Iterable[Setting],
    store: Mapping[str, File | Symlink | Directory | Absent],
    generation: str = "auto",
    *,
    as_environment: bool = False,
) -> StorePlan:
    """Plan the settings files for ``settings``. ``store`` contains the files that the same run writes into the rootfs.

    ``generation`` is "1" or "2" for the format of thin-edge.io 1.x or 2.x, or "auto". With ``as_environment``, a
    drop-in of systemd is written instead. Raises InputError for a file that cannot be parsed.
    """
    view, plan = device.view, StorePlan()
    chosen = last_of_each(settings)
    if not chosen:
        return plan
    try:
        main = open_settings(view, FILE)
        chosen = supported_settings(device, chosen, generation, plan)
        files = _group_by_file(device, main, chosen, generation, plan)
    except ConflictError as error:
        plan.conflicts += error.problems
        return plan
    plan.problems += settings_without_variable(chosen) if as_environment else []
    finished = PlannedTree(device, store)
    built_in = built_in_bridge(device, main.document, generation)
    held: list[Setting] = []
    for file, file_settings in files:
        kept = _without_risky_proxy_ca_path(file, file_settings, plan)
        problems, warnings = check_settings(kept, finished, built_in_bridge=built_in)
        plan.problems += problems
        plan.warnings += warnings
        held += kept
        if not as_environment:
            _write(device, file, kept, plan)
    before = read(view, DROP_IN) or b""
    if as_environment:
        plan.desired[DROP_IN] = File(drop_in(held, before))
    else:
        plan.warnings += overridden_by_drop_in(held, before)
    return plan


def _group_by_file(
    device: Device, main: SettingsFile, chosen: list[Setting], generation: str, plan: StorePlan
) -> list[tuple[SettingsFile, list[Setting]]]:
    """Return the files to write, and the settings for each file. In 2.x, each mapper has a separate file."""
    groups: dict[str, list[Setting]] = {}
    ignored: dict[str, str] = {}
    for setting in chosen:
        cloud = setting.table.partition(".")[0]
        in_mapper = cloud in CLOUDS and uses_mapper_file(device, setting.table, main.document, generation)
        groups.setdefault(setting.table if in_mapper or setting.of_user else "", []).append(setting)
        if in_mapper and lookup(main.document, key_as_written(main.document, cloud)) is not None:
            ignored.setdefault(cloud, setting.table)
    for cloud, table in ignored.items():
        written = key_as_written(main.document, cloud)
        what = f"which reads mapper files such as {mapper_file(table)}"
        hint = f"move its settings there, and delete [{written}] from tedge.toml"
        plan.warnings.append(THIN_EDGE_BOTH(FILE, f"its [{written}] is ignored by thin-edge.io 2.x, {what}", hint))
    return [
        (open_settings(device.view, mapper_file(table), table) if table else main, settings)
        for table, settings in groups.items()
    ]


def _write(device: Device, file: SettingsFile, chosen: list[Setting], plan: StorePlan) -> None:
    content = file.content(chosen) if chosen else None
    if content is None:
        return
    owner = None
    if file.text is None:
        owner = _tedge_owner(device, file.name, plan)
        for folder in _parent_directories(file.path):
            plan.desired[folder] = Directory(owner)
    plan.desired[file.path] = File(content, owner)


def _parent_directories(path: str) -> list[str]:
    """Return thin-edge.io's directories above ``path``, the top one first."""
    folders = []
    while (path := parent(path)).startswith(DIRECTORY):
        folders.append(path)
    return folders[::-1]


def _without_risky_proxy_ca_path(file: SettingsFile, chosen: list[Setting], plan: StorePlan) -> list[Setting]:
    """Drop the implied ``proxy.ca_path`` if it would make the proxy demand client certificates."""
    kept = []
    for setting in chosen:
        table = file.key(setting).removesuffix(".ca_path")
        serves_tls = all(lookup(file.document, f"{table}.{name}") is not None for name in ("cert_path", "key_path"))
        if setting.key.endswith(".proxy.ca_path") and not setting.explicit and serves_tls:
            found = f"{setting.key.removesuffix('.ca_path')}.cert_path and key_path are set"
            why = "with a CA path the proxy would demand client certificates"
            message, hint = f"{setting.key} is not set: {found}, and {why}", f"--set {setting.key}=PATH sets it anyway"
            plan.warnings.append(PROXY_CA_PATH(file.name, message, hint))
        else:
            kept.append(setting)
    return kept


def _tedge_owner(device: Device, name: str, plan: StorePlan) -> Owner | None:
    """Return the uid and gid of the rootfs's ``tedge`` user. If it has none, return None and add a warning."""
    user = device.user("tedge")
    if user.uid is not None and user.gid is not None:
        return Owner(user.uid, user.gid)
    message = "the rootfs has no tedge user yet, so the file gets the owner of other new files"
    plan.warnings.append(NO_TEDGE_USER(name, message))
    return None
