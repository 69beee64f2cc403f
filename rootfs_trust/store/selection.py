"""Certificates that an argument selects by digest, key, file or incident, and the certificates of a store that match.

``remove``, ``[store] distrust``, ``[policy] forbid`` and ``[policy] allow_only`` take the same arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rootfs_trust.errors import (
    DISTRUST_UNMATCHED,
    INTERMEDIATE_ACCEPTED,
    NOT_FOUND,
    PROGRAM_MISSING,
    PROGRAM_REMOVED,
    Problem,
)
from rootfs_trust.text import did_you_mean
from rootfs_trust.x509 import Certificate

if TYPE_CHECKING:
    from rootfs_trust.store.store_plan import Request, StorePlan

DIGEST = "sha256:"
"""Prefix of an argument that selects every copy of a certificate by its digest."""

_FEW = 3
"""Number of names in a warning about many roots."""


class Selection(NamedTuple):
    """The certificates that the argument ``text`` selects. Digests are SHA-256 in lower-case hexadecimal."""

    text: str
    sha256: frozenset[str] = frozenset()
    """SHA-256 of the selected certificates."""
    spki: frozenset[str] = frozenset()
    """SHA-256 of SubjectPublicKeyInfo: every certificate with one of these keys is selected."""
    certificates: tuple[Certificate, ...] = ()
    """Selected certificates that are known in full, in the store or not."""
    required: bool = False
    """Whether it is an error if nothing is selected."""
    read: frozenset[str] = frozenset()
    """Digests of the selected certificates that some client of the rootfs reads, wherever they are."""

    def matches(self, certificate: Certificate) -> bool:
        """Return whether ``certificate`` is selected."""
        return certificate.sha256 in self.sha256 or bool(self.spki and certificate.key_sha256 in self.spki)


def selected(selections: Iterable[Selection], certificate: Certificate) -> bool:
    """Return whether any of ``selections`` selects ``certificate``."""
    return any(selection.matches(certificate) for selection in selections)


class RootProgram(NamedTuple):
    """The roots that a root program trusts for TLS servers at a certain time: their names by SHA-256."""

    title: str
    """The name, with the date of the list."""
    roots: Mapping[str, str]


class Held(NamedTuple):
    """The certificates of a store before a run changes it."""

    shipped: Sequence[Certificate]
    """Certificates that are trusted and shipped by the distribution."""
    local: Sequence[Certificate]
    """Certificates that are trusted and added by the administrator."""
    others: Sequence[Certificate]
    """Certificates that are distrusted, or not trusted yet."""
    names: Sequence[str]
    """The names of anchors."""

    @property
    def trusted(self) -> Iterator[Certificate]:
        """Every trusted certificate."""
        yield from self.shipped
        yield from self.local


def with_selections(request: Request, held: Held, plan: StorePlan, layout: str, *, blocklist: bool = False) -> Request:
    """Return ``request`` with digests in place of its selections, its root program, and names from the root data.

    A selection that matches nothing is an error or a warning in ``plan``; so is an intermediate that the store cannot
    distrust. With ``blocklist``, the store can distrust certificates that it does not contain: they are then in
    ``request.block``.
    """
    if not (request.selections or request.program or request.known):
        return request
    selections, names = _by_root_data(request, held, plan)
    present = {each.sha256: each for each in (*held.trusted, *held.others)}
    digests: set[str] = set()
    block: dict[str, Certificate] = {}
    for selection in selections:
        found = {each.sha256 for each in present.values() if selection.matches(each)}
        if blocklist:
            block |= {each.sha256: each for each in selection.certificates if each.sha256 not in present}
        if not (found or selection.read or (blocklist and selection.certificates)):
            _report_no_match(selection, held, plan, layout)
        digests |= found | selection.read
    plan.selected |= digests
    digests |= request.distrust
    plan.outside |= _outside_program(request, held, plan)
    digests |= plan.outside
    plan.warnings += _still_accepted(selections, held, digests, layout, blocklist=blocklist)
    blocked = tuple(block.values())
    return request._replace(remove=names, distrust=frozenset(digests), selections=(), known=(), block=blocked)


def _by_root_data(request: Request, held: Held, plan: StorePlan) -> tuple[list[Selection], tuple[str, ...]]:
    """Return the selections of those names that are in the root data, and the remaining names, which are names of
    anchors.
    """
    selections, names = list(request.selections), []
    for name in request.remove:
        if name in held.names or name.startswith(DIGEST):
            names.append(name)
        elif name in request.named:
            selections.append(request.named[name])
        else:
            plan.problems.append(not_found(name, (*held.names, *request.known)))
    return selections, tuple(names)


def not_found(name: str, names: Iterable[str]) -> Problem:
    """Return the error for an anchor name that does not exist, with similar ``names`` as its hint."""
    hint = did_you_mean(name, names, 3) or "rootfs-trust list shows all names and digests"
    return NOT_FOUND("", f"no anchor is named {name}", hint, name)


def _report_no_match(selection: Selection, held: Held, plan: StorePlan, layout: str) -> None:
    """Report a selection that matches nothing; for an intermediate, name what can be distrusted instead."""
    message = f"{selection.text} matches no certificate of the rootfs"
    issuers = [issuer for each in selection.certificates for issuer in _issuers(each, held.trusted)]
    if issuers:
        message += f", and the store of {layout} cannot distrust an intermediate that it does not contain"
        hint = _instead(issuers)
    else:
        hint = "rootfs-trust list shows all certificates"
    if selection.required:
        plan.problems.append(NOT_FOUND("", message, hint, selection.text))
    else:
        plan.warnings.append(DISTRUST_UNMATCHED("", message, hint))


def _still_accepted(
    selections: Iterable[Selection], held: Held, gone: set[str], layout: str, *, blocklist: bool
) -> Iterator[Problem]:
    """Yield a warning for each selected intermediate whose issuer stays trusted, because clients that read the store
    still accept it.
    """
    kept = [each for each in held.trusted if each.sha256 not in gone]
    for selection in selections:
        for each in selection.certificates:
            issuers = [] if each.self_issued else list(_issuers(each, kept))
            if issuers:
                yield INTERMEDIATE_ACCEPTED(
                    "",
                    f"{each.subject.text} (sha256 {each.sha256}) is an intermediate whose issuer stays trusted; "
                    + _limits(layout, blocklist=blocklist),
                    _instead(issuers),
                )


def _limits(layout: str, *, blocklist: bool) -> str:
    if blocklist:
        return "it is on p11-kit's blocklist, which GnuTLS and NSS read; OpenSSL, Go, Java and rustls still accept it"
    return f"the store of {layout} cannot distrust it"


def _issuers(certificate: Certificate, among: Iterable[Certificate]) -> Iterator[Certificate]:
    """Yield certificates that may have signed ``certificate``, by name and key identifiers (RFC 5280, 4.2.1.1)."""
    wanted = certificate.authority_key_id
    for each in among:
        same_key = wanted is None or each.subject_key_id is None or each.subject_key_id == wanted
        if same_key and each.subject.canonical == certificate.issuer.canonical:
            yield each


def _instead(issuers: Iterable[Certificate]) -> str:
    names = dict.fromkeys(f"sha256:{each.sha256} ({each.subject.text})" for each in issuers)
    return f"to distrust its issuer instead, with all that it signed, remove {', '.join(names)}"


def _outside_program(request: Request, held: Held, plan: StorePlan) -> set[str]:
    """Return the shipped certificates that the root program does not trust, and add warnings about differences.

    A certificate stays if the administrator has added it too, or if such an anchor or a root of the program has its
    key.
    """
    program = request.program
    if program is None:
        return set()
    wanted = [*held.local, *(anchor.certificate for anchor in request.anchors)]
    wanted += [each for each in held.shipped if each.sha256 in program.roots]
    keys = {each.key_sha256 for each in wanted}
    outside = {each.sha256: each for each in held.shipped if each.key_sha256 not in keys}
    if outside:
        names = [each.subject.common_name or each.subject.text for each in outside.values()]
        message = f"{_count(outside)} that the distribution ships: not in {program.title}: {_shortened_list(names)}"
        plan.warnings.append(PROGRAM_REMOVED("", message))
    present = {each.sha256 for each in (*held.trusted, *held.others)}
    present |= {anchor.certificate.sha256 for anchor in request.anchors}
    missing = [name for sha256, name in program.roots.items() if sha256 not in present]
    if missing:
        message = f"{_count(missing)} of {program.title}: not in the rootfs: {_shortened_list(missing)}"
        plan.warnings.append(PROGRAM_MISSING("", message))
    return set(outside)


def _count(things: Sequence[object] | Mapping[str, object]) -> str:
    return f"{len(things)} root{'' if len(things) == 1 else 's'}"


def _shortened_list(names: Sequence[str]) -> str:
    more = len(names) - _FEW
    return ", ".join(names[:_FEW]) + (f" and {more} others" if more > 0 else "")
