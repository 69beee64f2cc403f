"""thin-edge.io's settings held against the tree."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.agents.checks import check_settings
from rootfs_trust.agents.finished import Finished
from rootfs_trust.agents.generation import built_in_bridge, mapper_file
from rootfs_trust.agents.migration import lookup, spelled
from rootfs_trust.agents.settings import CLOUDS, Setting
from rootfs_trust.agents.settings_file import SettingsFile, open_settings
from rootfs_trust.agents.thin_edge import FILE
from rootfs_trust.audit.findings import ERROR, NOTE, WARNING, Finding, Kind
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.settings import FoundSetting, found_settings, has_thin_edge, main_file, mapper_tables
from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.rootfs.nodes import View

SETTING = Kind(
    "thin-edge-setting",
    (ERROR,),
    "A trust setting of thin-edge.io points at something that it cannot use",
    "A path that is not there, a folder without hash links for mosquitto, a file where a folder is needed: "
    "tedge connect fails on the device, or the program does not start.",
    "set it to what the tree has, for example with rootfs-trust install --set",
)
UNREADABLE = Kind(
    "thin-edge-unreadable",
    (ERROR,),
    "The users tedge or mosquitto may not read what a setting points at",
    "thin-edge.io and mosquitto run as users of their own: they find no CA, and refuse the cloud.",
    "chmod a+rX it: CA certificates are no secret",
)
NAME = Kind(
    "thin-edge-name",
    (ERROR,),
    "A file name that is not UTF-8 stands in a folder that thin-edge.io reads",
    "Its HTTPS client stops at the name, and trusts none of the certificates in the folder.",
    "rename the file",
)
BAD_PEM = Kind(
    "thin-edge-bad-pem",
    (ERROR,),
    "A file spoils a whole folder for thin-edge.io",
    "Its HTTPS client reads every file of the folder and gives up at the first that is wrong: it trusts none.",
    "mend the file, or move it out of the folder",
)
BOTH = Kind(
    "thin-edge-both",
    (WARNING,),
    "A cloud has settings in the form of 1.x and in that of 2.x",
    "thin-edge.io 2.x ignores the table in tedge.toml, and its upgrade deletes the mapper's file.",
    "move what is still wanted into one of the two, and take the other out",
)
TOML = Kind(
    "thin-edge-toml",
    (ERROR,),
    "A settings file of thin-edge.io cannot be read",
    "Every tedge command and service fails to start.",
    "mend the file",
)
OLD_NAMES = Kind(
    "thin-edge-version",
    (NOTE,),
    "tedge.toml does not say that it is version 2",
    "The first tedge process on the device rewrites it, and fails to start where it may not (1.4.1).",
    'write version = "2" into the table [config], once every key has its new name',
)
PROXY = Kind(
    "proxy-ca-path",
    (NOTE,),
    "proxy.ca_path has two meanings",
    "thin-edge.io's documentation calls it the CA of the cloud for HTTP. Its code demands client certificates signed "
    "by these CAs from local clients, once cert_path and key_path are set; HTTPS to the cloud uses root_cert_path.",
    "leave it unset where local clients have no certificates and cert_path and key_path are set",
)
KINDS = (SETTING, UNREADABLE, NAME, BAD_PEM, BOTH, TOML, OLD_NAMES, PROXY)

_BY_ID = {kind.id: kind for kind in (UNREADABLE, NAME, BAD_PEM)}
_DEFAULT = "/etc/ssl/certs"
"""thin-edge.io's own, where no root_cert_path is set (tedge_config.rs)."""


def check(inspection: Inspection) -> Iterator[Finding]:
    """Every trust setting that some file of the tree sets."""
    view = inspection.view
    if not has_thin_edge(view):
        return
    try:
        settings = found_settings(view)
        main = main_file(view)
    except InputError as error:
        yield from (TOML.found(each.path, each.message, mend=each.hint) for each in error.troubles)
        return
    if main is not None:
        yield from _held_against(view, settings, main)
        yield from _forms(view, settings, main)


def _held_against(view: View, settings: tuple[FoundSetting, ...], main: SettingsFile) -> Iterator[Finding]:
    """What ``install`` would refuse or warn of, one setting at a time, so that each finding names its file."""
    built_in = built_in_bridge(view, main.document, "auto")
    finished = Finished(view, {})
    told = set()
    for found in (*settings, *_by_default(view, settings, main)):
        setting = Setting(found.key, found.value)
        troubles, warnings = check_settings([setting], finished, built_in_bridge=built_in)
        for trouble in (*troubles, *warnings):
            if (trouble.id, trouble.path) not in told or not trouble.path:
                told.add((trouble.id, trouble.path))
                yield _finding(trouble, found.file)


def _finding(trouble: Trouble, file: str) -> Finding:
    if trouble.id not in _BY_ID:
        return SETTING.found(trouble.path or file, trouble.message, mend=trouble.hint)
    return _BY_ID[trouble.id].found(trouble.path, trouble.message, mend=trouble.hint)


def _by_default(view: View, settings: tuple[FoundSetting, ...], main: SettingsFile) -> Iterator[FoundSetting]:
    """The clouds that are set up, and leave the CA to thin-edge.io; in 2.x those that have a mapper's file."""
    keys = {each.key for each in settings}
    mappers = mapper_tables(view)
    of_mappers = {table.partition(".")[0] for table in mappers}
    tables = {table: mapper_file(table) for table in mappers}
    tables |= {table: FILE for table in _tables(main) if table.partition(".")[0] not in of_mappers}
    for table, file in tables.items():
        document = main.document if file == FILE else open_settings(view, file, table).document
        url = lookup(document, spelled(document, f"{table}.url") if file == FILE else "url")
        if url is not None and f"{table}.root_cert_path" not in keys:
            yield FoundSetting(f"{table}.root_cert_path", _DEFAULT, file)


def _tables(main: SettingsFile) -> Iterator[str]:
    """The clouds, and the profiles that tedge.toml has of them."""
    for cloud in CLOUDS:
        yield cloud
        profiles = lookup(main.document, spelled(main.document, f"{cloud}.profiles"))
        yield from (f"{cloud}.profiles.{name}" for name in profiles) if isinstance(profiles, dict) else ()


def _forms(view: View, settings: tuple[FoundSetting, ...], main: SettingsFile) -> Iterator[Finding]:
    # Any mapper's file of a cloud makes 2.x ignore all that tedge.toml has of it.
    for cloud, table in {table.partition(".")[0]: table for table in reversed(mapper_tables(view))}.items():
        name = spelled(main.document, cloud)
        if lookup(main.document, name) is not None:
            yield BOTH.found(FILE, f"[{name}] stands here, and thin-edge.io 2.x reads {mapper_file(table)}")
    if main.text is not None and lookup(main.document, "config.version") in (None, "1"):
        yield OLD_NAMES.found(FILE, "has no config.version of 2")
    for setting in settings:
        if setting.key.endswith(".proxy.ca_path"):
            yield PROXY.found(setting.file, f"sets {setting.key}: {_proxys_part(view, setting, main)}")


def _proxys_part(view: View, setting: FoundSetting, main: SettingsFile) -> str:
    """What the proxy makes of its CA path, by the settings beside it."""
    table = setting.key.removesuffix(".proxy.ca_path")
    in_mapper = setting.file == mapper_file(table)
    document = open_settings(view, setting.file, table).document if in_mapper else main.document
    proxy = lookup(document, "proxy" if in_mapper else f"{table}.proxy")
    if isinstance(proxy, dict) and "cert_path" in proxy and "key_path" in proxy:
        return "the proxy demands client certificates"
    return "not used without cert_path and key_path"
