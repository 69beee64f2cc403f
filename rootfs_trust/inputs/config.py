"""rootfs-trust.toml: read, checked key by key, every mistake said with its key and line.

The tables of the file are the dataclasses below; a key that none of them has is a mistake, as is a wrong type.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from typing import Any

from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.inputs.files import MAX_INPUT, UsedFile, read_file, used
from rootfs_trust.inputs.policy import DEFAULT_POLICY, Policy
from rootfs_trust.inputs.tables import (
    DESCRIBED,
    Check,
    TableReader,
    boolean,
    count,
    digest,
    file_name,
    list_of,
    one_of,
    string,
)
from rootfs_trust.store.purposes import WORDS, Purposes, purposes

FILE_NAME = "rootfs-trust.toml"

_SHIPPED = re.compile("[a-z0-9-]+")
"""The names of templates that ship have neither a dot nor a slash."""


@dataclass(frozen=True, slots=True)
class StoreTable:
    """``[store]``."""

    layout: str = "auto"
    base: str = "keep"
    distrust: tuple[str, ...] = ()
    roots: str | None = None
    """A file on the host from which the roots of clouds may be taken, beside those that the rootfs holds."""


@dataclass(frozen=True, slots=True)
class AnchorTable:
    """One ``[[anchor]]``. ``file`` is the path on the host, made absolute from the place of the config."""

    file: str
    name: str | None = None
    sha256: str | None = None
    replace: bool = False
    allow: frozenset[str] = frozenset()
    purposes: Purposes = None
    key: str = ""
    where: str = ""
    """Its key and its place in the config; both empty for a file of the command line."""


@dataclass(frozen=True, slots=True)
class CloudTable:
    """One ``[[cloud]]``."""

    kind: str
    profile: str | None = None
    root_cert_path: str | None = None
    at_run_time: bool = False
    key: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class RenderTable:
    """One ``[[render]]``. ``template`` is a path on the host, made absolute, or the name of one that ships."""

    template: str
    dest: str
    mode: int = 0o644
    values: dict[str, Any] = field(default_factory=dict)
    replace: bool = False
    key: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file; the defaults are those of an empty one."""

    path: str = ""
    store: StoreTable = StoreTable()
    anchors: tuple[AnchorTable, ...] = ()
    policy: Policy = DEFAULT_POLICY
    clouds: tuple[CloudTable, ...] = ()
    renders: tuple[RenderTable, ...] = ()
    used: tuple[UsedFile, ...] = ()
    """The file itself; none where there is none."""


def load_config(path: str | None) -> Config:
    """The config at ``path``; None: the one in the current folder, or the defaults where there is none."""
    if path is None and not os.path.exists(FILE_NAME):
        return Config()
    path = path or FILE_NAME
    text = read_text(path)
    return replace(parse_config(text, path), used=(used("config", path, text.encode()),))


def read_text(path: str) -> str:
    """The text of a TOML file. Raises InputError."""
    try:
        return read_file(path).decode()
    except OSError as error:
        hint = "check the path and its permissions"
        raise InputError(Trouble("config", path, f"cannot be read: {error.strerror}", hint)) from error
    except UnicodeDecodeError as error:
        raise InputError(Trouble("config", path, "is not UTF-8 text", "TOML files are")) from error
    except ValueError as error:
        raise InputError(Trouble("config", path, str(error), DESCRIBED)) from error


def parse_config(text: str, path: str) -> Config:
    """The config that ``text`` holds. Raises InputError with every mistake in it."""
    reader = TableReader(path, text)
    config = _config(reader, parse_toml(text, path))
    if reader.troubles:
        raise InputError(*reader.troubles)
    return config


def parse_toml(text: str, path: str, described: str = DESCRIBED) -> dict[str, Any]:
    """The document that ``text`` holds. Raises InputError; ``described`` is its hint."""
    from rootfs_trust import toml

    try:
        return toml.loads(text, characters=MAX_INPUT, dots=1000)
    except (ValueError, RecursionError) as error:
        raise InputError(Trouble("config", path, f"is not valid TOML: {error}", described)) from error


def _config(reader: TableReader, document: dict[str, Any]) -> Config:
    reader.unknown("", document, ("store", "anchor", "policy", "cloud", "render"))
    store = reader.table("store", document.get("store", {}), _STORE)
    policy = reader.table("policy", document.get("policy", {}), _POLICY)
    anchors = [reader.table(key, each, _ANCHOR, ("file",)) for key, each in reader.array("anchor", document)]
    clouds = [reader.table(key, each, _CLOUD, ("kind",)) for key, each in reader.array("cloud", document)]
    renders = [reader.table(key, each, _RENDER, ("template", "dest")) for key, each in reader.array("render", document)]
    if reader.troubles:
        return Config()
    folder = os.path.dirname(os.path.abspath(reader.path))
    return Config(
        reader.path,
        StoreTable(**_beside(folder, store, "roots")),
        tuple(AnchorTable(**_beside(folder, each, "file")) for each in anchors),
        Policy(**policy),
        tuple(CloudTable(**each) for each in clouds),
        tuple(RenderTable(**{**each, "template": _template(folder, each["template"])}) for each in renders),
    )


def _beside(folder: str, table: dict[str, Any], name: str) -> dict[str, Any]:
    """The table with a path, where it has one, made absolute from the folder of the config."""
    return {**table, name: os.path.join(folder, table[name])} if name in table else table


def _template(folder: str, name: str) -> str:
    """A path relative to the config; a bare name of a template that ships stays as it is."""
    return name if _SHIPPED.fullmatch(name) else os.path.join(folder, name)


# -- what each key takes -----------------------------------------------------------------------------------


def _purposes(value: object) -> Purposes:
    words = list_of(lambda each: str(one_of(*WORDS)(each)))(value)
    if not words:
        raise ValueError("a list of at least one purpose")
    return purposes(words)


def _absolute(value: object) -> str:
    text = string(value)
    if not text.startswith("/") or text.endswith("/") or ".." in text.split("/"):
        raise ValueError("an absolute path on the device")
    return text


def _mode(value: object) -> int:
    if not isinstance(value, str) or not re.fullmatch("0?[0-7]{3}", value):
        raise ValueError('octal digits in a text, such as "0644"')
    return int(value, 8)


def _values(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("a table")
    return value


_STORE: dict[str, Check] = {
    "layout": string,
    "base": one_of("keep", "none"),
    "distrust": list_of(digest),
    "roots": string,
}
_ANCHOR: dict[str, Check] = {
    "file": string,
    "name": file_name,
    "sha256": digest,
    "replace": boolean,
    "allow": lambda value: frozenset(list_of(lambda each: str(one_of("expired")(each)))(value)),
    "purposes": _purposes,
}
_POLICY: dict[str, Check] = {
    "min_rsa_bits": count,
    "min_days_left": count,
    "require_ca": boolean,
    "strict": boolean,
    "forbid": lambda value: frozenset(list_of(digest)(value)),
}
_CLOUD: dict[str, Check] = {
    "kind": one_of("c8y", "aws", "az"),
    "profile": string,
    "root_cert_path": string,
    "at_run_time": boolean,
}
_RENDER: dict[str, Check] = {
    "template": string,
    "dest": _absolute,
    "mode": _mode,
    "values": _values,
    "replace": boolean,
}
