"""``init``: write a first rootfs-trust.toml, from the root filesystem and the options."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rootfs_trust.api.clock import utc_now
from rootfs_trust.api.open_tree import open_view
from rootfs_trust.api.output_file import there_already, write_output
from rootfs_trust.audit.trusted_anchors import Trust
from rootfs_trust.errors import NO_CERTIFICATE, InputError, refuse
from rootfs_trust.inputs.certificates import FoundCertificate, certificates
from rootfs_trust.inputs.config import FILE_NAME
from rootfs_trust.inputs.config_reader import parse_config
from rootfs_trust.inputs.files import read_inputs
from rootfs_trust.layouts.detect import find_layout
from rootfs_trust.rendering.packaged_templates import packaged_template
from rootfs_trust.rootfs.view import View
from rootfs_trust.store.anchor import name_of_file, safe_name
from rootfs_trust.text import printable
from rootfs_trust.thin_edge.key_renames import key_as_written, lookup
from rootfs_trust.thin_edge.settings_in_force import main_file, mapper_tables
from rootfs_trust.thin_edge.trust_settings import CLOUDS, cloud_settings

_CHAINS = "chains"
"""The directory of saved chains, next to the config."""


@dataclass(frozen=True, slots=True)
class RootfsFacts:
    """The facts that ``init`` reads from the rootfs. ``clouds`` are those for which its thin-edge.io is configured."""

    system: str
    layout: str
    anchors: int
    clouds: tuple[str, ...]


class GivenAnchor(NamedTuple):
    """An ``[[anchor]]`` to write. It has no name and digest if the path contains several certificates."""

    file: str
    subject: str
    until: str
    name: str = ""
    sha256: str = ""


class GivenCloud(NamedTuple):
    """A ``[[cloud]]`` to write."""

    kind: str
    profile: str
    title: str


class GivenServer(NamedTuple):
    """A ``[[server]]`` to write; ``chain`` is relative to the config."""

    name: str
    chain: str
    hostname: str


def detect_settings(root: str) -> RootfsFacts:
    """Read the facts from the rootfs. Raises InputError."""
    with open_view(root) as view:
        trust = Trust(view)
        release = trust.device.os_release
        system = release.get("PRETTY_NAME") or release.get("ID") or "a rootfs without os-release"
        return RootfsFacts(system, find_layout(trust.device).name, len(trust.anchors), tuple(_clouds(view)))


def init(
    root: str,
    config: str = FILE_NAME,
    *,
    certs: Sequence[str] = (),
    clouds: Sequence[str] = (),
    servers: Sequence[str] = (),
) -> None:
    """Write a first rootfs-trust.toml to the host path ``config``, for the rootfs at ``root``.

    ``certs`` and ``clouds`` are as for ``install``. Without clouds, those that the rootfs is configured for are used.
    For each ``HOST:PORT`` of ``servers``, connects to it, saves its chain to ``chains/HOST.pem`` next to ``config``
    and writes a ``[[server]]``. Raises InputError for a certificate, cloud or server that cannot be used, ConflictError
    if a file already exists.
    """
    write_config(root, detect_settings(root), config, certs, clouds, servers)


def write_config(
    root: str, known: RootfsFacts, config: str, certs: Sequence[str], clouds: Sequence[str], servers: Sequence[str] = ()
) -> None:
    """Like :func:`init`, with facts that were already read. Raises the same errors."""
    folder = os.path.dirname(config) or "."
    given = [_server(server) for server in servers]
    text = first_config(known, certs, clouds or known.clouds, folder, given)
    if servers:
        if os.path.lexists(config):  # before connecting to any server
            raise there_already(config)
        _save_chains(root, folder, servers, given)
    write_output(config, text.encode(), [root], new=True)


def _save_chains(root: str, folder: str, servers: Sequence[str], given: Sequence[GivenServer]) -> None:
    from rootfs_trust.api.fetch import fetch

    os.makedirs(os.path.join(folder, _CHAINS), exist_ok=True)
    for server, table in zip(servers, given, strict=True):
        fetch(server, os.path.join(folder, table.chain), [root])


def first_config(
    known: RootfsFacts, certs: Sequence[str], clouds: Sequence[str], folder: str, servers: Sequence[GivenServer] = ()
) -> str:
    """Return the text of a rootfs-trust.toml in ``folder``. Raises InputError for a wrong certificate or cloud."""
    anchors = [_anchor(path, folder) for path in certs]
    text = _rendered(known, anchors, [_cloud(cloud) for cloud in clouds], servers)
    parse_config(text, FILE_NAME)  # check that install can read the result
    return text


def _clouds(view: View) -> Iterator[str]:
    """Return the clouds for which a settings file has more than the CA path, usually a URL."""
    main = main_file(view)
    document = {} if main is None else main.document
    for kind in CLOUDS:
        if lookup(document, key_as_written(document, f"{kind}.url")) is not None:
            yield kind
        profiles = lookup(document, key_as_written(document, f"{kind}.profiles"))
        yield from (f"{kind}@{name}" for name in profiles or () if isinstance(profiles, dict))
    yield from (table.replace(".profiles.", "@") for table in mapper_tables(view))


def _cloud(text: str) -> GivenCloud:
    tuple(cloud_settings(text, "/"))  # raises InputError for an unknown kind or a wrong profile
    kind, _, profile = text.partition("@")
    return GivenCloud(kind, profile.lower(), CLOUDS[kind])


def _server(server: str) -> GivenServer:
    from rootfs_trust.api.fetch import host_and_port

    host, _ = host_and_port(server)
    return GivenServer(host, f"{_CHAINS}/{safe_name(host)}.pem", host)


def _anchor(path: str, folder: str) -> GivenAnchor:
    found = _certificates_in(path)
    first = found[0].certificate
    relative = os.path.relpath(path, folder)
    if len(found) > 1:
        return GivenAnchor(relative, f"{len(found)} certificates", "see rootfs-trust list")
    until = f"{first.not_after.date()}" if first.not_after else "?"
    return GivenAnchor(relative, printable(first.subject.text), until, name_of_file(path), first.sha256)


def _certificates_in(path: str) -> list[FoundCertificate]:
    reading = read_inputs([path])
    readings = [certificates(file.path, file.data, utc_now()) for file in reading.files if file.wanted]
    problems = [*reading.problems, *(problem for each in readings for problem in each.problems)]
    found = [each for one in readings for each in one.found]
    if not problems and not found:
        problems.append(NO_CERTIFICATE(path, "contains no certificate", "name a file with a CA certificate"))
    refuse(InputError, problems)
    return found


def _rendered(
    known: RootfsFacts, anchors: Sequence[GivenAnchor], clouds: Sequence[GivenCloud], servers: Sequence[GivenServer]
) -> str:
    template = packaged_template("rootfs-trust.toml.j2", "rootfs-trust.toml is rendered from a template")
    return template.render(
        system=printable(known.system),
        layout=known.layout,
        anchors=known.anchors,
        given=anchors,
        clouds=clouds,
        servers=servers,
    )
