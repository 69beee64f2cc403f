"""Read and check the text of rootfs-trust.toml. Every mistake is reported with its key and line.

An unknown key is a mistake, and so is a wrong type.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from rootfs_trust.errors import CONFIG, InputError, refuse
from rootfs_trust.inputs.config import (
    FILE_NAME,
    AnchorTable,
    CloudTable,
    Config,
    RenderTable,
    RuntimesTable,
    ServerTable,
    StoreTable,
)
from rootfs_trust.inputs.constraints import FENCES, NO_FENCE, Fence, host_names
from rootfs_trust.inputs.files import MAX_INPUT, private_key, read_file
from rootfs_trust.inputs.policy import Policy
from rootfs_trust.inputs.selection_text import digest, selection
from rootfs_trust.inputs.toml_schema import (
    DESCRIBED,
    Check,
    TableReader,
    boolean,
    count,
    file_name,
    list_of,
    one_of,
    string,
)
from rootfs_trust.rootfs.plan import MAX_NAME, MAX_PATH, STAGED_PREFIX
from rootfs_trust.runtimes.names import AUTO, NAMES, NONE
from rootfs_trust.store.purposes import WORDS, Purposes, purposes
from rootfs_trust.store.selection import Selection
from rootfs_trust.x509.name import GeneralName

_SHIPPED = re.compile("[a-z0-9-]+")
"""The names of included templates. They have neither a dot nor a slash."""


def read_text(path: str) -> str:
    """Read the text of a TOML file. Raises InputError."""
    try:
        data = read_file(path)
        if problem := private_key(path, data):
            raise InputError(problem)
        return data.decode()
    except OSError as error:
        hint = "check the path and its permissions"
        raise InputError(CONFIG(path, f"cannot be read: {error.strerror}", hint)) from error
    except UnicodeDecodeError as error:
        raise InputError(CONFIG(path, "is not UTF-8 text", "a TOML file is UTF-8 text")) from error
    except ValueError as error:
        raise InputError(CONFIG(path, str(error), DESCRIBED)) from error


def parse_config(source: str | Mapping[str, Any], path: str = FILE_NAME) -> Config:
    """Parse a configuration. ``source`` is the text of a rootfs-trust.toml, or its tables as a dictionary.

    Paths in it are relative to the directory of ``path``. Raises InputError with every mistake.
    """
    text, document = (source, parse_toml(source, path)) if isinstance(source, str) else ("", dict(source))
    reader = TableReader(path, text)
    config = _config(reader, document)
    refuse(InputError, reader.problems)
    return config


def parse_toml(text: str, path: str, described: str = DESCRIBED) -> dict[str, Any]:
    """Parse ``text`` as TOML. Raises InputError with the hint ``described``."""
    from rootfs_trust import bounded_toml

    try:
        return bounded_toml.loads(text, characters=MAX_INPUT, dots=1000)
    except (ValueError, RecursionError) as error:
        raise InputError(CONFIG(path, f"is not valid TOML: {error}", described)) from error


def _config(reader: TableReader, document: dict[str, Any]) -> Config:
    reader.unknown("", document, ("store", "anchor", "policy", "cloud", "render", "server", "runtimes"))
    store = reader.table("store", document.get("store", {}), _STORE)
    policy = reader.table("policy", document.get("policy", {}), _POLICY)
    runtimes = reader.table("runtimes", document.get("runtimes", {}), _RUNTIMES)
    anchors = [reader.table(key, each, _ANCHOR, ("file",)) for key, each in reader.array("anchor", document)]
    clouds = [reader.table(key, each, _CLOUD, ("kind",)) for key, each in reader.array("cloud", document)]
    renders = [reader.table(key, each, _RENDER, ("template", "dest")) for key, each in reader.array("render", document)]
    servers = [reader.table(key, each, _SERVER, ("chain", "name")) for key, each in reader.array("server", document)]
    if reader.problems:
        return Config()
    folder = os.path.dirname(os.path.abspath(reader.path))
    return Config(
        reader.path,
        StoreTable(**_beside(folder, store, "roots")),
        tuple(AnchorTable(**_beside(folder, _with_fence(each), "file")) for each in anchors),
        Policy(**policy),
        tuple(CloudTable(**each) for each in clouds),
        tuple(RenderTable(**{**each, "template": _template(folder, each["template"])}) for each in renders),
        tuple(ServerTable(**_beside(folder, each, "chain")) for each in servers),
        RuntimesTable(**_beside(folder, runtimes, "java_password_file")),
    )


def _beside(folder: str, table: dict[str, Any], name: str) -> dict[str, Any]:
    """Make the path ``name`` in the table, if there is one, absolute from the directory of the config."""
    return {**table, name: os.path.join(folder, table[name])} if name in table else table


def _with_fence(table: dict[str, Any]) -> dict[str, Any]:
    """Return the table with ``permitted`` and ``excluded`` joined to one value."""
    lists = {name: table[name] for name in ("permitted", "excluded") if name in table}
    others = {name: value for name, value in table.items() if name not in (*lists, "fence")}
    return {**others, "fence": Fence(**lists, mode=table.get("fence", NO_FENCE.mode))}


def _template(folder: str, name: str) -> str:
    """Return the path of a template relative to the config. The name of an included template is unchanged."""
    return name if _SHIPPED.fullmatch(name) else os.path.join(folder, name)


# -- types of values ---------------------------------------------------------------------------------------


def _selection(value: object) -> Selection:
    return selection(string(value))


def _purposes(value: object) -> Purposes:
    words = list_of(lambda each: str(one_of(*WORDS)(each)))(value)
    if not words:
        raise ValueError("a list of at least one purpose")
    return purposes(words)


def _names(value: object) -> tuple[GeneralName, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("a list of at least one name")
    return tuple(map(host_names, value))


def _absolute(value: object) -> str:
    text = string(value)
    names = text[1:].split("/")
    if not text.startswith("/") or not {"", ".", ".."}.isdisjoint(names):
        raise ValueError("an absolute path on the device, without //, . or .., and without / at its end")
    if not text.isprintable():
        raise ValueError("an absolute path on the device, without control characters")
    if len(text.encode()) > MAX_PATH or any(len(name.encode()) > MAX_NAME for name in names):
        raise ValueError(f"an absolute path of at most {MAX_PATH} bytes, each name in it of at most {MAX_NAME}")
    if any(name.startswith(STAGED_PREFIX) for name in names):
        raise ValueError(f"an absolute path without a name that begins with {STAGED_PREFIX}, as temporary files do")
    return text


def _mode(value: object) -> int:
    if not isinstance(value, str) or not re.fullmatch("0?[0-7]{3}", value):
        raise ValueError('octal digits in a text, such as "0644"')
    return int(value, 8)


def _day(value: object) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError("a day, without quotes: 2031-01-01")
    return value


def _values(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("a table")
    return value


_STORE: dict[str, Check] = {
    "layout": string,
    "base": one_of("keep", "none"),
    "distrust": list_of(_selection),
    "program": one_of("mozilla"),
    "roots": string,
}
_RUNTIMES: dict[str, Check] = {
    "use": list_of(lambda value: str(one_of(AUTO, NONE, *NAMES)(value))),
    "java_password_file": string,
}
_ANCHOR: dict[str, Check] = {
    "file": string,
    "name": file_name,
    "sha256": digest,
    "replace": boolean,
    "allow": lambda value: frozenset(list_of(lambda each: str(one_of("expired")(each)))(value)),
    "purposes": _purposes,
    "permitted": _names,
    "excluded": _names,
    "fence": one_of(*FENCES),
}
_POLICY: dict[str, Check] = {
    "min_rsa_bits": count,
    "min_days_left": count,
    "require_ca": boolean,
    "strict": boolean,
    "forbid": list_of(_selection),
    "allow_only": list_of(_selection),
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
_SERVER: dict[str, Check] = {
    "name": string,
    "chain": string,
    "hostname": string,
    "clients": list_of(string),
    "until": _day,
    "refused": boolean,
}
