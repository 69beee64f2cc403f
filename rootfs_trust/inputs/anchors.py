"""Turn certificate files into anchors: check pins and policy, choose names, drop duplicates. Collects all problems."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rootfs_trust.errors import DUPLICATE, NAME, NOT_CONSTRAINED, PIN, PURPOSES, REPLACE, Problem
from rootfs_trust.inputs.certificates import FoundCertificate, certificates
from rootfs_trust.inputs.config import AnchorTable
from rootfs_trust.inputs.constraints import NO_FENCE, Fence, fenced
from rootfs_trust.inputs.files import GIVEN, InputFile, InputRecord, read_inputs, used
from rootfs_trust.inputs.policy import Policy, judge
from rootfs_trust.store.anchor import Anchor, name_of_file, name_of_subject, safe_name
from rootfs_trust.store.purposes import Purposes, shown
from rootfs_trust.x509.constrained import original_of


@dataclass(slots=True)
class InputAnchors:
    """The anchors to install, with warnings, and problems that refuse the whole run."""

    anchors: list[Anchor] = field(default_factory=list)
    roots: list[Anchor] = field(default_factory=list)
    """Certificates of ``[store] roots``: not installed themselves, but candidates for the roots of clouds."""
    notes: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    used: list[InputRecord] = field(default_factory=list)
    """The files that contain the certificates."""


def gather(
    certs: Iterable[str | bytes],
    tables: Iterable[AnchorTable],
    replace: Sequence[str],
    policy: Policy,
    at: datetime,
    fence: Fence = NO_FENCE,
) -> InputAnchors:
    """Read the anchors in ``certs`` (paths of files and directories, or bytes) and in the ``[[anchor]]`` tables.

    Anchors from ``certs`` are limited to the names of ``fence``.
    """
    gathered = InputAnchors()
    wanted = [AnchorTable(path, fence=fence, key="--permit") for path in certs] + list(tables)
    for table in wanted:
        _gather_one(gathered, table, policy, at)
    gathered.anchors = _without_duplicates(gathered)
    _refuse_shared_names(gathered)
    gathered.anchors = [_replacing(anchor, replace) for anchor in gathered.anchors]
    gathered.problems += _unknown_replacements(gathered.anchors, replace)
    return gathered


def gather_roots(gathered: InputAnchors, path: str, at: datetime) -> None:
    """Read the file ``path``, which ``[store] roots`` names, into ``gathered.roots``."""
    reading = read_inputs([path])
    gathered.problems += reading.problems
    for file in reading.files:
        found = certificates(file.path, file.data, at)
        gathered.used.append(used("roots", file.path, file.data))
        gathered.problems += found.problems
        gathered.roots += (Anchor("", each.certificate, _where(each)) for each in found.found)


def _gather_one(gathered: InputAnchors, table: AnchorTable, policy: Policy, at: datetime) -> None:
    reading = read_inputs([table.file])
    gathered.notes += reading.notes
    gathered.problems += [_in_config(problem, table) for problem in reading.problems]
    for file in reading.files:
        _gather_file(gathered, file, table, policy, at)


def _gather_file(gathered: InputAnchors, file: InputFile, table: AnchorTable, policy: Policy, at: datetime) -> None:
    reading = certificates(file.path, file.data, at)
    if not file.wanted:
        # The file is skipped because of its name, but a private key in it is still refused.
        gathered.problems += [problem for problem in reading.problems if problem.id == "private-key"]
        return
    gathered.used.append(used("anchor", file.path, file.data))
    gathered.problems += reading.problems
    gathered.notes += reading.notes
    gathered.problems += _pin(reading.found, table)
    names = _names(reading.found)
    if table.name is not None and len(reading.found) > 1:
        message = f"{table.key}.name is a single name for {len(reading.found)} certificates"
        gathered.problems.append(NAME(table.where, message, "delete the name, or split the file"))
    for each, name in zip(reading.found, names, strict=True):
        judgement = judge(each.certificate, _where(each), policy, at, allow=table.allow)
        gathered.problems += judgement.errors
        gathered.notes += judgement.warnings
        purposes = each.purposes if table.purposes is None else table.purposes
        gathered.problems += _purposes_left_out(each, purposes, table)
        plain = Anchor(table.name or name, each.certificate, _where(each), table.replace, purposes)
        anchor = fenced(plain, table.fence, table.key)
        if isinstance(anchor, Problem):
            gathered.problems.append(anchor)
        else:
            gathered.anchors.append(anchor)


def _names(found: list[FoundCertificate]) -> list[str]:
    """Return a name for each certificate of a file. Equal names get a part of the digest as suffix."""
    names = [_name(each) for each in found]
    several: dict[str, set[str]] = {}
    for each, name in zip(found, names, strict=True):
        several.setdefault(name, set()).add(each.certificate.sha256)
    return [
        f"{name}-{each.certificate.sha256[:8]}" if len(several[name]) > 1 else name
        for each, name in zip(found, names, strict=True)
    ]


def _name(found: FoundCertificate) -> str:
    if found.label:
        return safe_name(found.label)
    if found.alone and found.path not in ("-", GIVEN):
        return name_of_file(found.path)
    return name_of_subject(found.certificate.subject, found.certificate.sha256)


def _where(found: FoundCertificate) -> str:
    return found.path if found.line is None else f"{found.path}:{found.line}"


def _in_config(problem: Problem, table: AnchorTable) -> Problem:
    """Add to the problem of an unreadable file the place in the config that names the file."""
    if not table.where:
        return problem
    return problem._replace(path=table.where, message=f"{table.key}.file {problem.path} {problem.message}")


def _pin(found: list[FoundCertificate], table: AnchorTable) -> list[Problem]:
    return [
        PIN(_where(each), f"has sha256 {each.certificate.sha256}, not the pinned {table.sha256}")
        for each in found
        if table.sha256 is not None and each.certificate.sha256 != table.sha256
    ]


def _purposes_left_out(found: FoundCertificate, wanted: Purposes, table: AnchorTable) -> list[Problem]:
    """Return a problem if the trust settings in the file do not allow the requested purposes, or None."""
    allowed = found.purposes
    if allowed is None or (wanted is not None and allowed and wanted <= allowed):
        return []
    if not allowed:
        message = "is a TRUSTED CERTIFICATE whose settings allow no purpose that rootfs-trust supports"
    else:
        message = f"{table.key}.purposes says {shown(wanted)}, and the file's own settings say {shown(allowed)}"
    return [PURPOSES(_where(found), message, "use the plain certificate: openssl x509 -clrtrust -clrreject")]


def _without_duplicates(gathered: InputAnchors) -> list[Anchor]:
    """Return the anchors without duplicates, and add a warning for each duplicate."""
    first: dict[str, Anchor] = {}
    for anchor in gathered.anchors:
        kept = first.setdefault(original_of(anchor.certificate) or anchor.certificate.sha256, anchor)
        if kept.certificate != anchor.certificate:
            message = f"is the same certificate as {kept.where}, but limited to other names or not limited"
            hint = "a client would trust it for the names of both; name it only once"
            gathered.problems.append(NOT_CONSTRAINED(anchor.where, message, hint))
        elif kept.purposes != anchor.purposes:
            other = f"the same certificate at {kept.where} for {shown(kept.purposes)}"
            message = f"is for {shown(anchor.purposes)}, and {other}"
            gathered.problems.append(PURPOSES(anchor.where, message, "name it only once, or with the same purposes"))
        elif kept is not anchor:
            message = "given twice" if anchor.where == kept.where else f"same certificate as {kept.where}"
            gathered.notes.append(DUPLICATE(anchor.where, message, f"installed once, as {kept.name}"))
    return list(first.values())


def _refuse_shared_names(gathered: InputAnchors) -> None:
    """Add a problem for each name that several files would get. Certificates of one file may share a subject."""
    holders: dict[str, list[Anchor]] = {}
    for anchor in gathered.anchors:
        holders.setdefault(anchor.name, []).append(anchor)
    for name, anchors in holders.items():
        if len(anchors) > 1:
            message = f"{' and '.join(anchor.where for anchor in anchors)} would all get the name {name}"
            hint = "rename the files, or give each a name in rootfs-trust.toml"
            gathered.problems.append(NAME(anchors[0].where, message, hint))


def _replacing(anchor: Anchor, replace: Sequence[str]) -> Anchor:
    if anchor.name not in replace:
        return anchor
    return anchor._replace(replace=True)


def _unknown_replacements(anchors: list[Anchor], replace: Sequence[str]) -> list[Problem]:
    names = [anchor.name for anchor in anchors]
    hint = f"names: {', '.join(names) or '(none)'}"
    return [
        REPLACE("", f"--replace {name}: no certificate of this run has this name", hint)
        for name in replace
        if name not in names
    ]
