"""thin-edge.io's trust settings: their names, the values that they accept, and those that the user requests.

Source: tedge_config.rs of thin-edge.io 1.4.1 and 2.0.1 (crates/common/tedge_config); for custom mappers, which exist
since 2.0, custom/config.rs and validate_mapper_name of crates/core/tedge_mapper.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rootfs_trust.errors import CLOUD, THIN_EDGE_SETTING, InputError, Problem
from rootfs_trust.text import did_you_mean

DIRECTORY = "/etc/tedge"
MAPPERS = f"{DIRECTORY}/mappers"
CLOUDS = {"c8y": "Cumulocity", "aws": "AWS IoT", "az": "Azure IoT"}
OF_USERS = "NAME.device.root_cert_path"
"""The key of the setting of a custom mapper, as in ``tedge mapper config get``. NAME is the name of the mapper."""

_PROFILE = re.compile(r"[A-Za-z0-9_-]*[A-Za-z0-9][A-Za-z0-9_-]*")
_MAPPER = re.compile(r"(?!bridge-|collectd$)[a-z][a-z0-9-]*")
_ROOT_COMMENT = "The CA of the cloud, for MQTT and HTTPS. In a directory, mosquitto finds a CA by its hash link."
_PROXY_COMMENT = (
    "thin-edge.io's documentation calls this the CA of the cloud for HTTP; its code demands client certificates\n"
    "signed by these CAs from local clients, if cert_path and key_path are set here. HTTPS to the cloud uses\n"
    "root_cert_path."
)


@dataclass(frozen=True, slots=True)
class SettingType:
    """The value that a setting accepts. ``takes`` is "file", "directory" or "either".

    ``hashed``: a directory needs hash links.
    """

    takes: str
    hashed: bool = False
    comment: str = ""


KINDS = {
    "c8y.root_cert_path": SettingType("either", hashed=True, comment=_ROOT_COMMENT),
    "c8y.proxy.ca_path": SettingType("directory", comment=_PROXY_COMMENT),
    "aws.root_cert_path": SettingType("either", hashed=True, comment=_ROOT_COMMENT),
    "az.root_cert_path": SettingType("either", hashed=True, comment=_ROOT_COMMENT),
    "http.ca_path": SettingType("directory", comment="CAs of local clients, and the roots of the local HTTP client."),
    "mqtt.client.auth.ca_file": SettingType("file", comment="The CA of the local broker."),
    "mqtt.client.auth.ca_dir": SettingType("directory", comment="The CAs of the local broker."),
    "mqtt.external.ca_path": SettingType("directory", hashed=True, comment="CAs of the external listener's clients."),
    OF_USERS: SettingType("either", comment="The CA of the broker."),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting to write. ``key`` is the dotted key in tedge.toml, including a profile. ``path`` is absolute.

    For a custom mapper the key is :data:`OF_USERS` with the mapper's name.
    """

    key: str
    path: str
    at_run_time: bool = False
    explicit: bool = True
    """False if a cloud implies it: a value in the file then takes precedence."""
    relative: str = ""
    """The path relative to the directory of the mapper, if the user gave such a path. It is written unchanged."""

    @property
    def value(self) -> str:
        """The text to write as the value."""
        return self.relative or self.path

    @property
    def of_user(self) -> bool:
        """Whether the setting belongs to a custom mapper, which reads only its own file."""
        return plain_key(self.key) == OF_USERS

    @property
    def table(self) -> str:
        """The table with the setting: a cloud, with the profile if there is one (``c8y``, ``c8y.profiles.edge``), a
        mapper, or another table.
        """
        parts = self.key.split(".")
        return ".".join(parts[:3]) if parts[1:2] == ["profiles"] else parts[0]

    @property
    def kind(self) -> SettingType:
        """The value that the setting accepts, the same for all profiles."""
        return KINDS[plain_key(self.key)]


def plain_key(key: str) -> str:
    """Return ``key`` without profile or mapper name: ``c8y.profiles.edge.root_cert_path`` is ``c8y.root_cert_path``."""
    parts = key.split(".")
    if parts[0] not in CLOUDS and parts[1:] == OF_USERS.split(".")[1:]:
        return OF_USERS
    return ".".join([parts[0], *parts[3:]]) if parts[0] in CLOUDS and parts[1:2] == ["profiles"] else key


def cloud_settings(
    cloud: str, folder: str, *, root_cert_path: str | None = None, at_run_time: bool = False, where: str | None = None
) -> Iterator[Setting]:
    """Yield the settings of ``cloud`` (``c8y`` or ``c8y@NAME``), each set to ``folder`` unless given otherwise.

    Raises InputError with messages that begin with ``where``; None: with the option --cloud.
    """
    name, profile = _split_cloud(cloud, f"--cloud {cloud}: " if where is None else where)
    table = f"{name}.profiles.{profile}" if profile else name
    key = f"{table}.root_cert_path"
    if root_cert_path is None:
        yield Setting(key, folder, at_run_time, explicit=False)
    else:
        yield Setting(key, _absolute(key, root_cert_path), at_run_time)
    if name == "c8y":
        yield Setting(f"{table}.proxy.ca_path", folder, at_run_time, explicit=False)


def kinds_of(clouds: Iterable[str]) -> tuple[str, ...]:
    """Return the kinds of ``clouds`` without profiles and duplicates. Raises InputError."""
    return tuple(dict.fromkeys(_split_cloud(cloud, f"--cloud {cloud}: ")[0] for cloud in clouds))


def _split_cloud(cloud: str, where: str) -> tuple[str, str]:
    """Return the kind of a cloud, and its profile or an empty string. Raises InputError."""
    name, at, profile = cloud.partition("@")
    if name not in CLOUDS:
        clouds = ", ".join(f"{each} ({what})" for each, what in CLOUDS.items())
        hint = f"clouds: {clouds}; for a custom mapper, use --set {OF_USERS}=PATH"
        raise InputError(CLOUD("", f"{where}unknown cloud {name}", hint))
    return name, _profile(profile, where) if at else ""


def parse_setting(text: str, *, at_run_time: bool = False) -> Setting:
    """Parse ``KEY=PATH`` of the command line. Raises InputError."""
    key, equals, path = text.partition("=")
    option = "--set-at-run-time" if at_run_time else "--set"
    if not equals or not path:
        hint = "for example c8y.root_cert_path=/etc/ssl/certs"
        raise InputError(THIN_EDGE_SETTING("", f"{option} {text}: is not KEY=PATH", hint))
    if plain_key(key) not in KINDS:
        raise InputError(_unknown(f"{option} {key}", plain_key(key)))
    if plain_key(key) == OF_USERS:
        return _of_user(key, path, at_run_time=at_run_time)
    parts = key.split(".")
    if plain_key(key) != key:
        key = ".".join([*parts[:2], _profile(parts[2], f"{option} {key}: "), *parts[3:]])
    return Setting(key, _absolute(key, path), at_run_time)


def _unknown(where: str, key: str) -> Problem:
    """Return the error for an unknown key. Suggestions come from the same table if it exists."""
    table = [each for each in KINDS if each.startswith(f"{key.partition('.')[0]}.")]
    hint = did_you_mean(key, table or KINDS) or f"settings: {', '.join(KINDS)}"
    return THIN_EDGE_SETTING("", f"{where}: is not a trust setting of thin-edge.io", hint)


def in_mapper(name: str, path: str) -> str:
    """Return the absolute path for ``path`` in the file of the mapper ``name``: relative paths start in its
    directory.
    """
    return path if path.startswith("/") else posixpath.normpath(f"{MAPPERS}/{name}/{path}")


def _of_user(key: str, path: str, *, at_run_time: bool) -> Setting:
    name = key.partition(".")[0]
    if not _MAPPER.fullmatch(name):
        hint = "lower-case letters, digits and -, starting with a letter; not bridge-... and not collectd"
        raise InputError(THIN_EDGE_SETTING("", f'{key}: "{name}" is not a valid mapper name', hint))
    relative = "" if path.startswith("/") else path
    return Setting(key, _absolute(key, in_mapper(name, path)), at_run_time, relative=relative)


def last_of_each(settings: Iterable[Setting]) -> list[Setting]:
    """Return one setting for each key: the last one given. Explicit settings take precedence over implied ones."""
    chosen: dict[str, Setting] = {}
    for setting in settings:
        if setting.explicit or setting.key not in chosen or not chosen[setting.key].explicit:
            chosen[setting.key] = setting
    return list(chosen.values())


def _profile(name: str, where: str) -> str:
    """Return the profile as thin-edge.io stores it: lower case; letters, digits, dash and underscore."""
    if not _PROFILE.fullmatch(name):
        hint = "letters, digits, - and _, with at least one letter or digit"
        raise InputError(CLOUD("", f'{where}"{name}" is not a valid profile name', hint))
    return name.lower()


def _absolute(key: str, path: str) -> str:
    if not path.startswith("/") or not path.isprintable():
        message = f"{key}: {path!r} is not an absolute path"
        raise InputError(THIN_EDGE_SETTING("", message, "use the path of the file on the device"))
    return path
