"""thin-edge.io's trust settings: which there are, what each takes, and what the caller asks for.

Source: tedge_config.rs of thin-edge.io 1.4.1 and 2.0.1 (crates/common/tedge_config); for mappers of users, which came
with 2.0, custom/config.rs and validate_mapper_name of crates/core/tedge_mapper.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rootfs_trust.errors import InputError, Problem
from rootfs_trust.text import did_you_mean

FOLDER = "/etc/tedge"
MAPPERS = f"{FOLDER}/mappers"
CLOUDS = {"c8y": "Cumulocity", "aws": "AWS IoT", "az": "Azure IoT"}
OF_USERS = "NAME.device.root_cert_path"
"""The setting of a mapper of the user's own, whose name stands first, as in ``tedge mapper config get``."""

_PROFILE = re.compile(r"[A-Za-z0-9_-]*[A-Za-z0-9][A-Za-z0-9_-]*")
_MAPPER = re.compile(r"(?!bridge-|collectd$)[a-z][a-z0-9-]*")
_ROOT_COMMENT = "The CA of the cloud, for MQTT and HTTPS. In a folder, mosquitto finds a CA by its hash link."
_PROXY_COMMENT = (
    "thin-edge.io's documentation calls this the CA of the cloud for HTTP; its code demands client certificates\n"
    "signed by these CAs from local clients, once cert_path and key_path are set here. HTTPS to the cloud uses\n"
    "root_cert_path."
)


@dataclass(frozen=True, slots=True)
class SettingType:
    """What a setting takes: ``takes`` is "file", "folder" or "either"; ``hashed``: a folder needs hash links."""

    takes: str
    hashed: bool = False
    comment: str = ""


KINDS = {
    "c8y.root_cert_path": SettingType("either", hashed=True, comment=_ROOT_COMMENT),
    "c8y.proxy.ca_path": SettingType("folder", comment=_PROXY_COMMENT),
    "aws.root_cert_path": SettingType("either", hashed=True, comment=_ROOT_COMMENT),
    "az.root_cert_path": SettingType("either", hashed=True, comment=_ROOT_COMMENT),
    "http.ca_path": SettingType("folder", comment="CAs of local clients, and the roots of the local HTTP client."),
    "mqtt.client.auth.ca_file": SettingType("file", comment="The CA of the local broker."),
    "mqtt.client.auth.ca_dir": SettingType("folder", comment="The CAs of the local broker."),
    "mqtt.external.ca_path": SettingType("folder", hashed=True, comment="CAs of the clients of the external listener."),
    OF_USERS: SettingType("either", comment="The CA of the broker."),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting to write. ``key`` is the dotted path in tedge.toml, profiles as tables of their own.

    That of a mapper of the user is :data:`OF_USERS` with the mapper's name. ``path`` is absolute.
    """

    key: str
    path: str
    at_run_time: bool = False
    explicit: bool = True
    """False where a cloud implies it: it then gives way to what the file says on purpose."""
    relative: str = ""
    """The path as it was given, from the mapper's folder: it is written like that."""

    @property
    def value(self) -> str:
        """What is written."""
        return self.relative or self.path

    @property
    def of_user(self) -> bool:
        """Whether it is that of a mapper of the user's own, which reads no other file than its own."""
        return plain_key(self.key) == OF_USERS

    @property
    def table(self) -> str:
        """The cloud and, where there is one, the profile: ``c8y``, ``c8y.profiles.edge``; or a mapper or a table."""
        parts = self.key.split(".")
        return ".".join(parts[:3]) if parts[1:2] == ["profiles"] else parts[0]

    @property
    def kind(self) -> SettingType:
        """What the setting takes, whatever profile it stands in."""
        return KINDS[plain_key(self.key)]


def plain_key(key: str) -> str:
    """``key`` without its profile or mapper's name: ``c8y.profiles.edge.root_cert_path`` is ``c8y.root_cert_path``."""
    parts = key.split(".")
    if parts[0] not in CLOUDS and parts[1:] == OF_USERS.split(".")[1:]:
        return OF_USERS
    return ".".join([parts[0], *parts[3:]]) if parts[0] in CLOUDS and parts[1:2] == ["profiles"] else key


def cloud_settings(
    cloud: str, folder: str, *, root_cert_path: str | None = None, at_run_time: bool = False, where: str | None = None
) -> Iterator[Setting]:
    """The settings of ``cloud`` (``c8y`` or ``c8y@NAME``), each set to ``folder`` unless said otherwise.

    Raises InputError with messages that begin with ``where``; None: with the option --cloud.
    """
    name, profile = _named(cloud, f"--cloud {cloud}: " if where is None else where)
    table = f"{name}.profiles.{profile}" if profile else name
    key = f"{table}.root_cert_path"
    if root_cert_path is None:
        yield Setting(key, folder, at_run_time, explicit=False)
    else:
        yield Setting(key, _absolute(key, root_cert_path), at_run_time)
    if name == "c8y":
        yield Setting(f"{table}.proxy.ca_path", folder, at_run_time, explicit=False)


def kinds_of(clouds: Iterable[str]) -> tuple[str, ...]:
    """The kinds of ``clouds`` without their profiles, each once. Raises InputError."""
    return tuple(dict.fromkeys(_named(cloud, f"--cloud {cloud}: ")[0] for cloud in clouds))


def _named(cloud: str, where: str) -> tuple[str, str]:
    """The kind of a cloud, and its profile or an empty text. Raises InputError."""
    name, at, profile = cloud.partition("@")
    if name not in CLOUDS:
        clouds = ", ".join(f"{each} ({what})" for each, what in CLOUDS.items())
        hint = f"clouds: {clouds}; a mapper of your own is set by --set {OF_USERS}=PATH"
        raise InputError(Problem("cloud", "", f"{where}no cloud is called {name}", hint))
    return name, _profile(profile, where) if at else ""


def parse_setting(text: str, *, at_run_time: bool = False) -> Setting:
    """``KEY=PATH`` of the command line. Raises InputError."""
    key, equals, path = text.partition("=")
    option = "--set-at-run-time" if at_run_time else "--set"
    if not equals or not path:
        hint = "for example c8y.root_cert_path=/etc/ssl/certs"
        raise InputError(Problem("thin-edge-setting", "", f"{option} {text}: has to be KEY=PATH", hint))
    if plain_key(key) not in KINDS:
        raise InputError(_unknown(f"{option} {key}", plain_key(key)))
    if plain_key(key) == OF_USERS:
        return _of_user(key, path, at_run_time=at_run_time)
    parts = key.split(".")
    if plain_key(key) != key:
        key = ".".join([*parts[:2], _profile(parts[2], f"{option} {key}: "), *parts[3:]])
    return Setting(key, _absolute(key, path), at_run_time)


def _unknown(where: str, key: str) -> Problem:
    """With the nearest key of the same table, where there is that table."""
    table = [each for each in KINDS if each.startswith(f"{key.partition('.')[0]}.")]
    hint = did_you_mean(key, table or KINDS) or f"settings: {', '.join(KINDS)}"
    return Problem("thin-edge-setting", "", f"{where}: is no trust setting of thin-edge.io", hint)


def in_mapper(name: str, path: str) -> str:
    """The device's path of what the file of the mapper ``name`` calls ``path``: from its folder, by the text alone."""
    return path if path.startswith("/") else posixpath.normpath(f"{MAPPERS}/{name}/{path}")


def _of_user(key: str, path: str, *, at_run_time: bool) -> Setting:
    name = key.partition(".")[0]
    if not _MAPPER.fullmatch(name):
        hint = "a small letter, then small letters, digits and -, as in thingsboard; not bridge-..., and not collectd"
        raise InputError(Problem("thin-edge-setting", "", f'{key}: "{name}" is no name for a mapper', hint))
    relative = "" if path.startswith("/") else path
    return Setting(key, _absolute(key, in_mapper(name, path)), at_run_time, relative=relative)


def last_of_each(settings: Iterable[Setting]) -> list[Setting]:
    """One setting a key, the last one given; explicit ones win over those that a cloud implies."""
    chosen: dict[str, Setting] = {}
    for setting in settings:
        if setting.explicit or setting.key not in chosen or not chosen[setting.key].explicit:
            chosen[setting.key] = setting
    return list(chosen.values())


def _profile(name: str, where: str) -> str:
    """The profile as thin-edge.io keeps it: lower case; letters, digits, dash and underscore."""
    if not _PROFILE.fullmatch(name):
        raise InputError(
            Problem(
                "cloud",
                "",
                f'{where}"{name}" cannot be the name of a profile',
                "letters, digits, - and _, with at least one letter or digit",
            )
        )
    return name.lower()


def _absolute(key: str, path: str) -> str:
    if not path.startswith("/") or not path.isprintable():
        raise InputError(
            Problem(
                "thin-edge-setting",
                "",
                f"{key}: {path!r} is no absolute path",
                "give the path that the file has on the device",
            )
        )
    return path
