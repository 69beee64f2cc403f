"""Findings about thin-edge.io's settings, compared with the tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rootfs_trust.audit.checks.client_reading import CANNOT_READ
from rootfs_trust.audit.findings import ERROR, NOTE, READABLE, WARNING, Finding, FindingType, chmod
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.errors import InputError, Problem
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.planned_tree import PlannedTree
from rootfs_trust.rootfs.view import View
from rootfs_trust.thin_edge.configure import FILE
from rootfs_trust.thin_edge.key_renames import key_as_written, lookup
from rootfs_trust.thin_edge.settings_checks import check_settings
from rootfs_trust.thin_edge.settings_file import SettingsFile, open_settings
from rootfs_trust.thin_edge.settings_in_force import (
    FoundSetting,
    cloud_roots_by_default,
    found_settings,
    has_thin_edge,
    main_file,
    mapper_tables,
)
from rootfs_trust.thin_edge.trust_settings import Setting
from rootfs_trust.thin_edge.version import built_in_bridge, mapper_file

SETTING = FindingType(
    "thin-edge-setting",
    (ERROR,),
    "A trust setting of thin-edge.io has a value that it cannot use",
    "The path does not exist, has no hash links for mosquitto, or is a file where a directory is required. tedge "
    "connect fails on the device, or the program does not start.",
    "set it to a path of the root filesystem",
)
UNREADABLE = FindingType(
    "thin-edge-unreadable",
    (ERROR,),
    "The users tedge or mosquitto cannot read the path of a setting",
    "thin-edge.io and mosquitto run as separate users. They find no CA, and refuse the cloud.",
    "make it readable for all users: CA certificates are not secret",
)
NAME = FindingType(
    "thin-edge-name",
    (ERROR,),
    "A directory that thin-edge.io reads contains a file name that is not UTF-8",
    "Its HTTPS client stops at the name, and ignores all certificates in the directory.",
    "rename the file",
)
BOTH = FindingType(
    "thin-edge-both",
    (WARNING,),
    "A cloud is configured for both thin-edge.io 1.x and 2.x",
    "thin-edge.io 2.x ignores the table in tedge.toml, and its upgrade deletes the mapper file.",
    "move the settings that you need into one of the two files, and delete the other table",
)
TOML = FindingType(
    "thin-edge-toml",
    (ERROR,),
    "A settings file of thin-edge.io cannot be parsed",
    "Every tedge command and service fails to start.",
    "correct the file",
)
OLD_NAMES = FindingType(
    "thin-edge-version",
    (NOTE,),
    "tedge.toml does not state version 2",
    "The first tedge process on the device rewrites it. If it cannot write the file, 1.4.1 does not start.",
    'write version = "2" into the table [config], after renaming all keys of version 1',
)
PROXY = FindingType(
    "proxy-ca-path",
    (NOTE,),
    "proxy.ca_path has two meanings",
    "thin-edge.io's documentation calls it the CA of the cloud for HTTP. Its code demands client certificates "
    "signed by these CAs from local clients, if cert_path and key_path are set. HTTPS to the cloud uses "
    "root_cert_path.",
    "do not set it if local clients have no certificates and cert_path and key_path are set",
)
KINDS = (SETTING, UNREADABLE, NAME, BOTH, TOML, OLD_NAMES, PROXY)

_BY_ID = {kind.id: kind for kind in (UNREADABLE, NAME, CANNOT_READ)}


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield findings for every trust setting in a file of the tree."""
    view = inspection.view
    if not has_thin_edge(view):
        return
    try:
        settings = found_settings(view)
        main = main_file(view)
    except InputError as error:
        yield from (TOML.found(each.path, each.message, fix=each.hint) for each in error.problems)
        return
    if main is not None:
        yield from _install_problems(inspection.device, settings, main)
        yield from _empty_files(inspection, settings)
        yield from _forms(view, settings, main)


def _empty_files(inspection: Inspection, settings: Iterable[FoundSetting]) -> Iterator[Finding]:
    """Yield a finding for each file without a certificate: a program that reads it trusts nobody. Other findings report
    malformed files.
    """
    for path, found in {each.value: each for each in settings}.items():
        file = inspection.trust.files.at(path)
        if file is not None and not (file.certificates or file.objects.bad):
            message = f"holds no certificate, and {found.key} of {found.file} names it: thin-edge.io trusts nobody"
            yield SETTING.found(path, message, fix="put the CA certificate there, or name another path")


def _install_problems(device: Device, settings: tuple[FoundSetting, ...], main: SettingsFile) -> Iterator[Finding]:
    """Yield the errors and warnings that ``install`` would report about each setting, with the file that sets it."""
    built_in = built_in_bridge(device, main.document, "auto")
    finished = PlannedTree(device, {})
    told = set()
    for found in (*settings, *cloud_roots_by_default(device.view, settings, main)):
        setting = Setting(found.key, found.value)
        problems, warnings = check_settings([setting], finished, built_in_bridge=built_in)
        for problem in (*problems, *warnings):
            if (problem.id, problem.path) not in told or not problem.path:
                told.add((problem.id, problem.path))
                yield _finding(problem, found.file)


def _finding(problem: Problem, file: str) -> Finding:
    if problem.id not in _BY_ID:
        return SETTING.found(problem.path or file, problem.message, fix=problem.hint)
    kind = _BY_ID[problem.id]
    if kind is UNREADABLE:
        return kind.found(problem.path, problem.message, commands=(chmod(READABLE, problem.path),))
    return kind.found(problem.path, problem.message, level=ERROR, fix=problem.hint)


def _forms(view: View, settings: tuple[FoundSetting, ...], main: SettingsFile) -> Iterator[Finding]:
    # If a cloud has any mapper file, 2.x ignores all its settings in tedge.toml.
    for cloud, table in {table.partition(".")[0]: table for table in reversed(mapper_tables(view))}.items():
        name = key_as_written(main.document, cloud)
        if lookup(main.document, name) is not None:
            yield BOTH.found(FILE, f"has a table [{name}], but thin-edge.io 2.x reads {mapper_file(table)}")
    if main.text is not None and lookup(main.document, "config.version") in (None, "1"):
        yield OLD_NAMES.found(FILE, "has no config.version of 2")
    for setting in settings:
        if setting.key.endswith(".proxy.ca_path"):
            yield PROXY.found(setting.file, f"sets {setting.key}: {_proxys_part(view, setting, main)}")


def _proxys_part(view: View, setting: FoundSetting, main: SettingsFile) -> str:
    """Describe how the Cumulocity proxy uses ``proxy.ca_path``, which depends on other settings."""
    table = setting.key.removesuffix(".proxy.ca_path")
    in_mapper = setting.file == mapper_file(table)
    document = open_settings(view, setting.file, table).document if in_mapper else main.document
    proxy = lookup(document, "proxy" if in_mapper else f"{table}.proxy")
    if isinstance(proxy, dict) and "cert_path" in proxy and "key_path" in proxy:
        return "the proxy demands client certificates"
    return "not used without cert_path and key_path"
