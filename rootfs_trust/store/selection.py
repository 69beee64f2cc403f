"""Certificates that an argument selects by digest, key, file or incident, and what of a store they come to.

``remove``, ``[store] distrust``, ``[policy] forbid`` and ``[policy] allow_only`` take the same arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rootfs_trust.errors import Problem
from rootfs_trust.text import did_you_mean
from rootfs_trust.x509 import Certificate

if TYPE_CHECKING:
    from rootfs_trust.store.layout import Request, StorePlan

_FEW = 3
"""Names that a warning about many roots lists."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the argument ``text`` selects. Digests are SHA-256 in lower-case hexadecimal."""

    text: str
    sha256: frozenset[str] = frozenset()
    """Of certificates."""
    spki: frozenset[str] = frozenset()
    """Of SubjectPublicKeyInfo: every certificate with such a key."""
    certificates: tuple[Certificate, ...] = ()
    """Selected certificates that are known in full, whether the store holds them or not."""
    required: bool = False
    """Whether it is an error that it selects nothing."""
    read: frozenset[str] = frozenset()
    """Of the selected certificates, those that some client of the tree reads, wherever."""

    def matches(self, certificate: Certificate) -> bool:
        """Whether ``certificate`` is selected."""
        return certificate.sha256 in self.sha256 or bool(self.spki and certificate.key_sha256 in self.spki)


def selected(selections: Iterable[Selection], certificate: Certificate) -> bool:
    """Whether any of ``selections`` selects ``certificate``."""
    return any(selection.matches(certificate) for selection in selections)


@dataclass(frozen=True, slots=True)
class RootProgram:
    """A root program: the roots that it trusts for TLS servers at some time, their names by SHA-256."""

    title: str
    """With the date of the list."""
    roots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Held:
    """What a store holds before a run changes it."""

    shipped: Sequence[Certificate]
    """Trusted, and shipped by the distribution."""
    local: Sequence[Certificate]
    """Trusted, and added by the administrator."""
    others: Sequence[Certificate]
    """Distrusted, or not trusted yet."""
    names: Sequence[str]
    """What anchors may be called."""

    @property
    def trusted(self) -> Iterator[Certificate]:
        """Every trusted certificate."""
        yield from self.shipped
        yield from self.local


def with_selections(
    request: Request, held: Held, answer: StorePlan, layout: str, *, blocklist: bool = False
) -> Request:
    """``request`` with digests in place of its selections, its program, and names that only the root data knows.

    A selection that selects nothing is a trouble of ``answer`` or a warning; so is an intermediate that the store
    cannot distrust. ``blocklist`` says that the store can distrust certificates that it does not hold: they are then
    in ``request.block``.
    """
    if not (request.selections or request.program or request.known):
        return request
    selections, names = _by_table(request, held, answer)
    everything = {each.sha256: each for each in (*held.trusted, *held.others)}
    digests: set[str] = set()
    block: dict[str, Certificate] = {}
    for selection in selections:
        found = {each.sha256 for each in everything.values() if selection.matches(each)}
        if blocklist:
            block |= {each.sha256: each for each in selection.certificates if each.sha256 not in everything}
        if not (found or selection.read or (blocklist and selection.certificates)):
            _nothing(selection, held, answer, layout)
        digests |= found | selection.read
    answer.selected |= digests
    digests |= request.distrust
    answer.outside |= _outside_program(request, held, answer)
    digests |= answer.outside
    answer.warnings += _still_accepted(selections, held, digests, layout, blocklist=blocklist)
    return replace(
        request, remove=names, distrust=frozenset(digests), selections=(), known=(), block=tuple(block.values())
    )


def _by_table(request: Request, held: Held, answer: StorePlan) -> tuple[list[Selection], tuple[str, ...]]:
    """The selections, and the names that are left for the layout: those that its anchors have."""
    selections, names = list(request.selections), []
    for name in request.remove:
        if name in held.names or name.startswith("sha256:"):
            names.append(name)
        elif name in request.named:
            selections.append(request.named[name])
        else:
            hint = did_you_mean(name, [*held.names, *request.known], 3)
            answer.problems.append(
                Problem("not-found", "", f"no anchor is called {name}", hint or "rootfs-trust list shows the names")
            )
    return selections, tuple(names)


def no_match(text: str) -> str:
    """What is wrong with an argument that selects nothing; more may follow."""
    return f"{text} matches no certificate of the rootfs"


def _nothing(selection: Selection, held: Held, answer: StorePlan, layout: str) -> None:
    """A selection of nothing: for an intermediate, name what can be taken out instead."""
    message = no_match(selection.text)
    issuers = [issuer for each in selection.certificates for issuer in _issuers(each, held.trusted)]
    if issuers:
        message += f", and the store of {layout} cannot distrust an intermediate that it does not hold"
        hint = _instead(issuers)
    else:
        hint = "rootfs-trust list shows what is there"
    if selection.required:
        answer.problems.append(Problem("not-found", "", message, hint))
    else:
        answer.warnings.append(Problem("distrust-unmatched", "", message, hint))


def _still_accepted(
    selections: Iterable[Selection], held: Held, gone: set[str], layout: str, *, blocklist: bool
) -> Iterator[Problem]:
    """Intermediates whose issuer stays trusted: clients that read the store itself go on accepting them."""
    kept = [each for each in held.trusted if each.sha256 not in gone]
    for selection in selections:
        for each in selection.certificates:
            issuers = [] if each.self_issued else list(_issuers(each, kept))
            if issuers:
                yield Problem(
                    "intermediate-accepted",
                    "",
                    f"{each.subject.text} (sha256 {each.sha256}) is an intermediate whose issuer stays trusted; "
                    + _limits(layout, blocklist=blocklist),
                    _instead(issuers),
                )


def _limits(layout: str, *, blocklist: bool) -> str:
    if blocklist:
        return "p11-kit's blocklist has it, which GnuTLS and NSS read; OpenSSL, Go, Java and rustls still accept it"
    return f"the store of {layout} cannot distrust it"


def _issuers(certificate: Certificate, among: Iterable[Certificate]) -> Iterator[Certificate]:
    """Certificates that may have signed ``certificate``, by name and key identifiers (RFC 5280, 4.2.1.1)."""
    wanted = certificate.authority_key_id
    for each in among:
        same_key = wanted is None or each.subject_key_id is None or each.subject_key_id == wanted
        if same_key and each.subject.canonical == certificate.issuer.canonical:
            yield each


def _instead(issuers: Iterable[Certificate]) -> str:
    names = dict.fromkeys(f"sha256:{each.sha256} ({each.subject.text})" for each in issuers)
    return f"its issuer can be taken out instead, with all that it signed: {', '.join(names)}"


def _outside_program(request: Request, held: Held, answer: StorePlan) -> set[str]:
    """What the distribution ships and the program does not trust; both differences are reported.

    One that the administrator has added, too, or whose key such an anchor or a root of the program has, stays.
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
        message = f"{_count(outside)} that the distribution ships: not in {program.title}: {_listed(names)}"
        answer.warnings.append(Problem("program-removed", "", message, "they are no longer trusted"))
    there = {each.sha256 for each in (*held.trusted, *held.others)}
    there |= {anchor.certificate.sha256 for anchor in request.anchors}
    missing = [name for sha256, name in program.roots.items() if sha256 not in there]
    if missing:
        message = f"{_count(missing)} of {program.title}: not in the rootfs: {_listed(missing)}"
        answer.warnings.append(Problem("program-missing", "", message, "a newer package of the distribution has them"))
    return set(outside)


def _count(things: Sequence[object] | Mapping[str, object]) -> str:
    return f"{len(things)} root{'' if len(things) == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _FEW
    return ", ".join(names[:_FEW]) + (f" and {more} others" if more > 0 else "")
