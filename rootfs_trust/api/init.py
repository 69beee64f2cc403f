"""``init``: a first rootfs-trust.toml, from what the rootfs holds and what the caller adds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rootfs_trust.agents.migration import lookup, spelled
from rootfs_trust.agents.settings import CLOUDS, cloud_settings
from rootfs_trust.api.clock import time_here
from rootfs_trust.api.sources import open_view
from rootfs_trust.audit.settings import main_file, mapper_tables
from rootfs_trust.audit.trust import Trust
from rootfs_trust.errors import ConflictError, InputError, Trouble
from rootfs_trust.inputs.certificates import Found, certificates
from rootfs_trust.inputs.config import FILE_NAME, parse_config
from rootfs_trust.inputs.files import read_inputs
from rootfs_trust.rootfs.nodes import View
from rootfs_trust.store.anchor import name_of_file
from rootfs_trust.store.detect import find_layout, os_release
from rootfs_trust.templating import shipped_template


@dataclass(frozen=True, slots=True)
class Known:
    """What the rootfs tells. ``clouds`` are those that its thin-edge.io is set up for: ``c8y``, ``c8y@NAME``."""

    system: str
    layout: str
    anchors: int
    clouds: tuple[str, ...]


class GivenAnchor(NamedTuple):
    """An ``[[anchor]]`` to write; without name and digest where the file or folder holds several certificates."""

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


def look(root: str) -> Known:
    """What the rootfs tells. Raises InputError."""
    with open_view(root) as view:
        release = os_release(view)
        system = release.get("PRETTY_NAME") or release.get("ID") or "a rootfs without os-release"
        return Known(system, find_layout(view).name, len(Trust(view).anchors), tuple(_clouds(view)))


def init(root: str, config: str = FILE_NAME, *, certs: Sequence[str] = (), clouds: Sequence[str] = ()) -> None:
    """Write a first rootfs-trust.toml to the host path ``config``, for the rootfs at ``root``; nothing is asked.

    ``certs`` and ``clouds`` are as for ``install``; without clouds it gets those that the rootfs is set up for. Raises
    InputError for a certificate or cloud that is none, ConflictError where ``config`` is there already.
    """
    write_config(look(root), config, certs, clouds)


def write_config(known: Known, config: str, certs: Sequence[str], clouds: Sequence[str]) -> None:
    """:func:`init`, for a rootfs that was looked at. Raises the same errors."""
    write_first(config, first_config(known, certs, clouds or known.clouds, os.path.dirname(config) or "."))


def first_config(known: Known, certs: Sequence[str], clouds: Sequence[str], folder: str) -> str:
    """The text of a rootfs-trust.toml in ``folder``. Raises InputError for a certificate or cloud that is none."""
    anchors = [_anchor(path, folder) for path in certs]
    text = _rendered(known, anchors, [_cloud(cloud) for cloud in clouds])
    parse_config(text, FILE_NAME)  # what is written is what install will read
    return text


def write_first(path: str, text: str) -> None:
    """Write the file, which must not be there yet. Raises ConflictError."""
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        hint = "edit it, or write another one with --config FILE"
        raise ConflictError(Trouble("conflict", path, "is there already", hint)) from error


def _clouds(view: View) -> Iterator[str]:
    """The clouds for which a settings file says more than the path of the CA: its address, most often."""
    main = main_file(view)
    document = {} if main is None else main.document
    for kind in CLOUDS:
        if lookup(document, spelled(document, f"{kind}.url")) is not None:
            yield kind
        profiles = lookup(document, spelled(document, f"{kind}.profiles"))
        yield from (f"{kind}@{name}" for name in profiles or () if isinstance(profiles, dict))
    yield from (table.replace(".profiles.", "@") for table in mapper_tables(view))


def _cloud(text: str) -> GivenCloud:
    tuple(cloud_settings(text, "/"))  # raises InputError for a kind or profile that is none
    kind, _, profile = text.partition("@")
    return GivenCloud(kind, profile.lower(), CLOUDS[kind])


def _anchor(path: str, folder: str) -> GivenAnchor:
    found = _found(path)
    first = found[0].certificate
    relative = os.path.relpath(path, folder)
    if len(found) > 1:
        return GivenAnchor(relative, f"{len(found)} certificates", "see rootfs-trust list")
    until = f"{first.not_after:%Y-%m-%d}" if first.not_after else "?"
    return GivenAnchor(relative, _on_one_line(first.subject.text), until, name_of_file(path), first.sha256)


def _found(path: str) -> list[Found]:
    reading = read_inputs([path])
    readings = [certificates(file.path, file.data, time_here()) for file in reading.files if file.wanted]
    troubles = [*reading.troubles, *(trouble for each in readings for trouble in each.troubles)]
    found = [each for one in readings for each in one.found]
    if not troubles and not found:
        troubles.append(Trouble("no-certificate", path, "holds no certificate", "give a CA certificate"))
    if troubles:
        raise InputError(*troubles)
    return found


def _on_one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _rendered(known: Known, anchors: Sequence[GivenAnchor], clouds: Sequence[GivenCloud]) -> str:
    template = shipped_template("rootfs-trust.toml.j2", "rootfs-trust.toml has to be rendered")
    return template.render(
        system=_on_one_line(known.system), layout=known.layout, anchors=known.anchors, given=anchors, clouds=clouds
    )
