"""Inputs become anchors: read, pinned, judged, named, and each certificate once. All trouble is collected."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rootfs_trust.errors import Trouble
from rootfs_trust.inputs.certificates import Found, certificates
from rootfs_trust.inputs.config import AnchorTable
from rootfs_trust.inputs.files import InputFile, UsedFile, read_inputs, used
from rootfs_trust.inputs.policy import Policy, judge
from rootfs_trust.store.anchor import Anchor, name_of_file, name_of_subject, safe_name
from rootfs_trust.store.purposes import Purposes, shown


@dataclass(slots=True)
class Gathered:
    """The anchors to install, what the caller should be told, and what refuses the whole."""

    anchors: list[Anchor] = field(default_factory=list)
    roots: list[Anchor] = field(default_factory=list)
    """Certificates of ``[store] roots``: not installed, but there to be chosen from."""
    notes: list[Trouble] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    used: list[UsedFile] = field(default_factory=list)
    """The files that the certificates come from."""


def gather(
    paths: Iterable[str], tables: Iterable[AnchorTable], replace: Sequence[str], policy: Policy, at: datetime
) -> Gathered:
    """The anchors in the files and folders ``paths`` and in the ``[[anchor]]`` tables of a config."""
    gathered = Gathered()
    wanted = [AnchorTable(path) for path in paths] + list(tables)
    for table in wanted:
        _gather_one(gathered, table, policy, at)
    gathered.anchors = _each_once(gathered)
    _refuse_shared_names(gathered)
    gathered.anchors = [_replacing(anchor, replace) for anchor in gathered.anchors]
    gathered.troubles += _unknown_replacements(gathered.anchors, replace)
    return gathered


def gather_roots(gathered: Gathered, path: str, at: datetime) -> None:
    """Read the file ``path`` of ``[store] roots``."""
    reading = read_inputs([path])
    gathered.troubles += reading.troubles
    for file in reading.files:
        found = certificates(file.path, file.data, at)
        gathered.used.append(used("roots", file.path, file.data))
        gathered.troubles += found.troubles
        gathered.roots += (Anchor("", each.certificate, _where(each)) for each in found.found)


def _gather_one(gathered: Gathered, table: AnchorTable, policy: Policy, at: datetime) -> None:
    reading = read_inputs([table.file])
    gathered.notes += reading.notes
    gathered.troubles += [_in_config(trouble, table) for trouble in reading.troubles]
    for file in reading.files:
        _gather_file(gathered, file, table, policy, at)


def _gather_file(gathered: Gathered, file: InputFile, table: AnchorTable, policy: Policy, at: datetime) -> None:
    reading = certificates(file.path, file.data, at)
    if not file.wanted:
        # Passed over by its name; a private key in it is refused all the same.
        gathered.troubles += [trouble for trouble in reading.troubles if trouble.id == "private-key"]
        return
    gathered.used.append(used("anchor", file.path, file.data))
    gathered.troubles += reading.troubles
    gathered.notes += reading.notes
    gathered.troubles += _pin(reading.found, table)
    names = _names(reading.found)
    if table.name is not None and len(reading.found) > 1:
        gathered.troubles.append(_one_name_for_many(reading.found, table))
    for each, name in zip(reading.found, names, strict=True):
        judgement = judge(each.certificate, _where(each), policy, at, allow=table.allow)
        gathered.troubles += judgement.errors
        gathered.notes += judgement.warnings
        purposes = each.purposes if table.purposes is None else table.purposes
        gathered.troubles += _purposes_left_out(each, purposes, table)
        anchor = Anchor(table.name or name, each.certificate, _where(each), table.replace, purposes)
        gathered.anchors.append(anchor)


def _names(found: list[Found]) -> list[str]:
    """A name for each certificate of a file; those that would share one have their digest in it."""
    names = [_name(each) for each in found]
    several: dict[str, set[str]] = {}
    for each, name in zip(found, names, strict=True):
        several.setdefault(name, set()).add(each.certificate.sha256)
    return [
        f"{name}-{each.certificate.sha256[:8]}" if len(several[name]) > 1 else name
        for each, name in zip(found, names, strict=True)
    ]


def _name(found: Found) -> str:
    if found.label:
        return safe_name(found.label)
    if found.alone and found.path != "-":
        return name_of_file(found.path)
    return name_of_subject(found.certificate.subject, found.certificate.sha256)


def _where(found: Found) -> str:
    return found.path if found.line is None else f"{found.path}:{found.line}"


def _in_config(trouble: Trouble, table: AnchorTable) -> Trouble:
    """A file that a config names and that cannot be read: say where the config names it."""
    if not table.where:
        return trouble
    return Trouble(trouble.id, table.where, f"{table.key}.file {table.file} {trouble.message}", trouble.hint)


def _pin(found: list[Found], table: AnchorTable) -> list[Trouble]:
    return [
        Trouble(
            "pin",
            _where(each),
            f"has sha256 {each.certificate.sha256}, not the pinned {table.sha256}",
            "another certificate stands here than the config expects: find out why before you change the pin",
        )
        for each in found
        if table.sha256 is not None and each.certificate.sha256 != table.sha256
    ]


def _purposes_left_out(found: Found, wanted: Purposes, table: AnchorTable) -> list[Trouble]:
    """What OpenSSL's settings in the file keep the certificate from."""
    allowed = found.purposes
    if allowed is None or (wanted is not None and allowed and wanted <= allowed):
        return []
    if not allowed:
        message = "is a TRUSTED CERTIFICATE whose settings trust it for nothing that is known here"
    else:
        message = f"{table.key}.purposes says {shown(wanted)}, and the file's own settings say {shown(allowed)}"
    return [
        Trouble("purposes", _where(found), message, "give the plain certificate: openssl x509 -clrtrust -clrreject")
    ]


def _one_name_for_many(found: list[Found], table: AnchorTable) -> Trouble:
    return Trouble(
        "name",
        table.where,
        f"{table.key}.name is one name for {len(found)} certificates",
        "leave the name out, or split the file",
    )


def _each_once(gathered: Gathered) -> list[Anchor]:
    """The anchors without those whose certificate came before, which is told."""
    first: dict[str, Anchor] = {}
    for anchor in gathered.anchors:
        kept = first.setdefault(anchor.certificate.sha256, anchor)
        if kept.purposes != anchor.purposes:
            gathered.troubles.append(_two_minds(kept, anchor))
        elif kept is not anchor:
            gathered.notes.append(
                Trouble(
                    "duplicate",
                    anchor.where,
                    f"is the same certificate as {kept.where}",
                    f"it is installed once, as {kept.name}",
                )
            )
    return list(first.values())


def _two_minds(first: Anchor, second: Anchor) -> Trouble:
    message = f"is for {shown(second.purposes)}, and the same certificate at {first.where} for {shown(first.purposes)}"
    return Trouble("purposes", second.where, message, "give it once, or with the same purposes")


def _refuse_shared_names(gathered: Gathered) -> None:
    """Several certificates of one file may share a subject; two files must not share a name."""
    holders: dict[str, list[Anchor]] = {}
    for anchor in gathered.anchors:
        holders.setdefault(anchor.name, []).append(anchor)
    for name, anchors in holders.items():
        if len(anchors) > 1:
            places = " and ".join(anchor.where for anchor in anchors)
            gathered.troubles.append(
                Trouble(
                    "name",
                    anchors[0].where,
                    f"{places} would all be called {name}",
                    "rename the files, or give each a name in rootfs-trust.toml",
                )
            )


def _replacing(anchor: Anchor, replace: Sequence[str]) -> Anchor:
    if anchor.name not in replace:
        return anchor
    return dataclasses.replace(anchor, replace=True)


def _unknown_replacements(anchors: list[Anchor], replace: Sequence[str]) -> list[Trouble]:
    names = [anchor.name for anchor in anchors]
    return [
        Trouble(
            "replace",
            "",
            f"--replace {name}: none of the given certificates has this name",
            f"they are called {', '.join(names) or '(none given)'}",
        )
        for name in replace
        if name not in names
    ]
