"""The tables of rootfs-trust.toml as dataclasses, and the function that loads them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from rootfs_trust.errors import InputError, Problem, refuse
from rootfs_trust.inputs.constraints import NO_FENCE, Fence
from rootfs_trust.inputs.files import GIVEN, InputRecord, used
from rootfs_trust.inputs.policy import DEFAULT_POLICY, Policy
from rootfs_trust.store.purposes import Purposes
from rootfs_trust.store.selection import Selection

FILE_NAME = "rootfs-trust.toml"


class StoreTable(NamedTuple):
    """The table ``[store]``."""

    layout: str = "auto"
    base: str = "keep"
    distrust: tuple[Selection, ...] = ()
    program: str | None = None
    """If set, trust only those roots of the distribution that are in this root program."""
    roots: str | None = None
    """A file on the host with more candidates for the roots of clouds."""


class AnchorTable(NamedTuple):
    """A table ``[[anchor]]``.

    ``file`` is the bytes of a file, or a path on the host, made absolute from the directory of the config.
    """

    file: str | bytes
    name: str | None = None
    sha256: str | None = None
    replace: bool = False
    allow: frozenset[str] = frozenset()
    purposes: Purposes = None
    fence: Fence = NO_FENCE
    key: str = ""
    where: str = ""
    """The key and the position of the table in the config; both are empty for a file on the command line."""

    @property
    def path(self) -> str:
        """The path of the file, for messages."""
        return GIVEN if isinstance(self.file, bytes) else self.file


class CloudTable(NamedTuple):
    """A table ``[[cloud]]``."""

    kind: str
    profile: str | None = None
    root_cert_path: str | None = None
    at_run_time: bool = False
    key: str = ""
    where: str = ""


class RenderTable(NamedTuple):
    """A table ``[[render]]``. ``template`` is an absolute path on the host, or the name of an included template."""

    template: str
    dest: str
    mode: int = 0o644
    values: Mapping[str, Any] = {}
    replace: bool = False
    key: str = ""
    where: str = ""


class ServerTable(NamedTuple):
    """A table ``[[server]]``. ``chain`` is an absolute path on the host."""

    name: str
    chain: str
    hostname: str | None = None
    clients: tuple[str, ...] = ()
    until: date | None = None
    refused: bool = False
    key: str = ""
    where: str = ""


class RuntimesTable(NamedTuple):
    """The table ``[runtimes]``. ``java_password_file`` is an absolute path on the host."""

    use: tuple[str, ...] = ()
    java_password_file: str | None = None


class Config(NamedTuple):
    """The whole configuration. An empty file gives the defaults."""

    path: str = ""
    store: StoreTable = StoreTable()
    anchors: tuple[AnchorTable, ...] = ()
    policy: Policy = DEFAULT_POLICY
    clouds: tuple[CloudTable, ...] = ()
    renders: tuple[RenderTable, ...] = ()
    servers: tuple[ServerTable, ...] = ()
    runtimes: RuntimesTable = RuntimesTable()
    used: tuple[InputRecord, ...] = ()
    """The configuration file; empty if there is none."""


def load_config(source: str | Config | None, root_data: str | None = None) -> Config:
    """Read the configuration at the host path ``source``. A Config is returned unchanged; None means the defaults.

    ``root_data`` is the table of public roots; None means the table of the package. It is read only if the
    configuration names an incident or a root. Raises InputError.
    """
    if source is None:
        return Config()
    if isinstance(source, Config):
        config, path, text = source, source.path, ""
    else:
        from rootfs_trust.inputs.config_reader import parse_config, read_text

        path, text = source, read_text(source)
        config = parse_config(text, path)._replace(used=(used("config", path, text.encode()),))
    store, policy = config.store, config.policy
    if not (store.distrust or policy.forbid or policy.allow_only):
        return config
    resolve = _Selections(path, text, root_data)
    distrust = resolve("store.distrust", store.distrust)
    forbid, allow_only = resolve("policy.forbid", policy.forbid), resolve("policy.allow_only", policy.allow_only)
    refuse(InputError, resolve.problems)
    store, policy = store._replace(distrust=distrust), policy._replace(forbid=forbid, allow_only=allow_only)
    return config._replace(store=store, policy=policy)


class _Selections:
    """Resolves the selections in a configuration. Each of ``problems`` names the key and its line."""

    def __init__(self, path: str, text: str, root_data: str | None) -> None:
        self._path, self._text, self._root_data = path, text, root_data
        self.problems: list[Problem] = []

    def __call__(self, key: str, chosen: tuple[Selection, ...]) -> tuple[Selection, ...]:
        if all(each.sha256 or each.spki for each in chosen):
            return chosen
        from rootfs_trust.inputs.root_data import load_root_data
        from rootfs_trust.inputs.selections import Resolver
        from rootfs_trust.inputs.toml_schema import KeyLines

        resolver = Resolver(os.path.dirname(os.path.abspath(self._path)), lambda: load_root_data(self._root_data))
        resolved = tuple(map(resolver, chosen))
        line = KeyLines(self._text).line(key)
        where = f"{self._path}:{line}" if line else self._path
        for each in resolver.problems:
            message = f"{each.path} {each.message}" if each.path else each.message
            self.problems.append(
                each if each.id == "private-key" else each._replace(id="config", path=where, message=f"{key} {message}")
            )
        return resolved
