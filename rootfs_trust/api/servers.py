"""Read the ``[[server]]`` tables of a config and their chains."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time

from rootfs_trust.audit.servers import Server
from rootfs_trust.audit.verify.chain import Chain, read_chain
from rootfs_trust.audit.verify.host_names import is_host
from rootfs_trust.clients.all_clients import NAMES
from rootfs_trust.errors import CHAIN, CONFIG, InputError, Problem, refuse
from rootfs_trust.inputs.config import Config, ServerTable
from rootfs_trust.inputs.config_reader import read_text
from rootfs_trust.inputs.encodings import decoded
from rootfs_trust.inputs.files import private_key, read_inputs
from rootfs_trust.inputs.toml_schema import KeyLines
from rootfs_trust.text import did_you_mean


def read_servers(config: Config, at: datetime) -> tuple[Server, ...]:
    """Read the servers of ``config``. ``at`` is the time of the check. Raises InputError with every mistake."""
    problems: list[Problem] = []
    servers: list[Server] = []
    for table in config.servers:
        chain = _chain(table)
        found = [*([chain] if isinstance(chain, Problem) else []), *_mistakes(table, at)]
        problems += found
        if not found and not isinstance(chain, Problem):
            until = None if table.until is None else datetime.combine(table.until, time(), UTC)
            clients = tuple(dict.fromkeys(table.clients))
            servers.append(Server(table.name, chain, table.hostname, clients, until, table.refused, table.where))
    problems += _shared_names(config)
    refuse(InputError, problems)
    return tuple(servers)


def chain_file(path: str) -> Chain:
    """Read the chain from a file on the host, or from standard input for ``-``. Raises InputError."""
    found = read_inputs([path])
    refuse(InputError, found.problems)
    if len(found.files) != 1:
        raise InputError(CHAIN(path, "is a directory", "name the file with the server's chain"))
    data = found.files[0].data
    if problem := private_key(path, data):
        raise InputError(problem)
    return read_chain(decoded(data), path)


def _chain(table: ServerTable) -> Chain | Problem:
    try:
        return chain_file(table.chain)
    except InputError as error:
        first = error.problems[0]
        return _wrong(table, "chain", f"{table.chain} {first.message}", first.hint)


def _mistakes(table: ServerTable, at: datetime) -> Iterator[Problem]:
    if table.hostname is not None and not is_host(table.hostname):
        hint = "use the host name or IP address that the device connects to"
        yield _wrong(table, "hostname", f"{table.hostname} is not a host name", hint)
    for name in table.clients:
        if name.partition(":")[0] not in NAMES:
            hint = did_you_mean(name, NAMES) or f"clients: {', '.join(NAMES)}"
            yield _wrong(table, "clients", f"has an unknown client {name}", hint)
    if table.until is not None and table.until < at.date():
        message = f"is {table.until}, which is before {at.date()}, the time of the check"
        yield _wrong(table, "until", message, "use a later day, or delete the key to check the time of the run")
    if table.until is not None and table.refused:
        yield _wrong(table, "until", "and refused = true exclude each other", "delete one of them")


def _shared_names(config: Config) -> Iterator[Problem]:
    first: dict[str, ServerTable] = {}
    for table in config.servers:
        if first.setdefault(table.name, table) is not table:
            message = f"{table.name} is also the name of {first[table.name].key}"
            yield _wrong(table, "name", message, "use a different name for each server")


def _wrong(table: ServerTable, name: str, message: str, hint: str) -> Problem:
    return CONFIG(_place(table, name), f"{table.key}.{name} {message}", hint)


def _place(table: ServerTable, name: str) -> str:
    """Return ``file:line`` of a key of the table, or of the table if the file cannot be read again."""
    path = table.where.rpartition(":")[0]
    try:
        line = KeyLines(read_text(path)).line(f"{table.key}.{name}")
    except InputError:
        return table.where
    return f"{path}:{line}" if line else table.where
