"""The local folder of anchors: what is in it, and what it becomes with the anchors that are asked for. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from rootfs_trust.errors import Problem
from rootfs_trust.rootfs.view import Absent, File, join
from rootfs_trust.store.anchor import Anchor, name_of_subject
from rootfs_trust.store.purposes import Purposes, shown
from rootfs_trust.store.source_file import Source, source_of
from rootfs_trust.text import did_you_mean
from rootfs_trust.x509 import Certificate, encode

DIGEST = "sha256:"
"""What stands before the digest by which every copy of a certificate is named."""

_SUFFIX = ".crt"


def _everything(_source: Source, _certificate: Certificate) -> Purposes:
    """What a file trusts a certificate for where files cannot say it."""
    return None


@dataclass(slots=True)
class LocalFolder:
    """The source files of the folder, by path; ``changed`` are those that a run writes.

    ``link_name`` is the layout's rule from a source's path to its name in the hash directory, where no two
    sources may share one: the distribution's own tool would exchange them at each run. ``purposes_of`` says what
    a source trusts a certificate in it for.
    """

    folder: str
    link_name: Callable[[str], str]
    sources: dict[str, Source]
    shipped: tuple[Source, ...]
    distrusted: tuple[Source, ...]
    purposes_of: Callable[[Source, Certificate], Purposes] = _everything
    changed: dict[str, File | Absent] = field(default_factory=dict)
    installed: list[Anchor] = field(default_factory=list)
    removed: list[Anchor] = field(default_factory=list)
    conflicts: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    suffix: str = _SUFFIX
    """How the names of source files end."""
    _holding: dict[str, dict[str, None]] = field(default_factory=dict, init=False)
    """The paths of ``sources`` that hold a certificate, by its SHA-256."""
    _shipping: dict[str, list[Source]] = field(default_factory=dict, init=False)
    _distrusting: dict[str, list[Source]] = field(default_factory=dict, init=False)
    _linked: dict[str, dict[str, Source]] = field(default_factory=dict, init=False)
    """All sources by the name of their link and their path, so that each new name is looked up and not searched for."""
    _folders: Counter[str] = field(default_factory=Counter, init=False)
    """The folders above all sources, and how many sources each has below it."""

    def __post_init__(self) -> None:
        for source in (*self.shipped, *self.distrusted, *self.sources.values()):
            self._note(source)
        for path, source in self.sources.items():
            self._note_certificates(path, source)
        self._shipping = _by_digest(self.shipped)
        self._distrusting = _by_digest(self.distrusted)

    def _note(self, source: Source) -> None:
        self._linked.setdefault(self.link_name(source.path), {}).setdefault(source.path, source)
        self._folders.update(_folders_above(source.path))

    def _note_certificates(self, path: str, source: Source) -> None:
        for certificate in source.certificates:
            self._holding.setdefault(certificate.sha256, {})[path] = None

    def _forget(self, path: str) -> None:
        source = self.sources.pop(path)
        for certificate in source.certificates:
            self._holding[certificate.sha256].pop(path, None)
        self._linked[self.link_name(path)].pop(path, None)
        self._folders.subtract(_folders_above(path))

    def _set(self, path: str, source: Source) -> None:
        if path in self.sources:
            self._forget(path)
        self.sources[path] = source
        self._note(source)
        self._note_certificates(path, source)

    def _holders(self, sha256: str) -> list[Source]:
        """The sources of the folder that hold the certificate."""
        return [self.sources[path] for path in self._holding.get(sha256, ())]

    def adopt(self) -> None:
        """Rewrite each untidy file as clean ones: the first certificate keeps the name."""
        for path, source in list(self.sources.items()):
            if source.clean or not source.certificates:
                continue
            first, *others = source.certificates
            self._write(path, source_of(path, first, self.purposes_of(source, first)))
            for each in others:
                self._write_separate_file(each, self.purposes_of(source, each))

    def _write_separate_file(self, certificate: Certificate, purposes: Purposes) -> None:
        """Give ``certificate`` a file of its own, unless another one holds it."""
        if self._holders(certificate.sha256):
            return
        name = name_of_subject(certificate.subject, certificate.sha256)
        if self._path(name) in self.sources or self._name_conflict(self._path(name)):
            name = f"{name}-{certificate.sha256[:8]}"
        self._write(self._path(name), source_of(self._path(name), certificate, purposes))

    def add(self, anchor: Anchor, *, only: bool = False) -> None:
        """Put ``anchor`` into the folder, or note the conflict that forbids it.

        ``only`` says that the store is to trust nothing but its anchors. Every shipped CA is distrusted there, so
        that it says nothing of this one.
        """
        sha256 = anchor.certificate.sha256
        for source in () if only else self._distrusting.get(sha256, ()):
            self.conflicts.append(_distrusted(anchor, source))
            return
        for source in self._holders(sha256):
            self._already_there(anchor, source)
            return
        for source in () if only else self._shipping.get(sha256, ()):
            self.warnings.append(_shipped(anchor, source))
        self._place(self._with_unique_name(anchor))

    def remove(self, path: str, sha256: str | None = None) -> None:
        """Take the file away; with ``sha256`` only that certificate, where the file holds others too."""
        source = self.sources[path]
        self._forget(path)
        kept = [each for each in source.certificates if sha256 is not None and each.sha256 != sha256]
        self.removed += [Anchor(self.name_of(path), each, path) for each in source.certificates if each not in kept]
        if kept:
            data = b"".join(encode(each.der) for each in kept)
            self._set(path, Source(path, data, tuple(kept)))
            self.changed[path] = File(data)
        else:
            self.changed[path] = Absent()

    def _already_there(self, anchor: Anchor, source: Source) -> None:
        if self.purposes_of(source, anchor.certificate) != anchor.purposes:
            self._with_other_purposes(anchor, source)
            return
        self.installed.append(replace(anchor, name=self.name_of(source.path), replace=False))
        if source.path != self._path(anchor.name):
            self.warnings.append(
                Problem(
                    "already-installed",
                    anchor.where,
                    f"is installed already, as {source.path}",
                    "it is left there, and not installed a second time",
                )
            )

    def _with_other_purposes(self, anchor: Anchor, source: Source) -> None:
        """The anchor is there and trusted for something else: as strict as for another certificate of its name."""
        held = self.purposes_of(source, anchor.certificate)
        if source.path != self._path(anchor.name):
            self.conflicts.append(_other_purposes(anchor, source, held, "take that file away, or name its purposes"))
        elif len(source.certificates) > 1:
            self.conflicts.append(_other_purposes(anchor, source, held, "it holds several certificates: split it"))
        elif not anchor.replace:
            self.conflicts.append(_other_purposes(anchor, source, held, f"--replace {anchor.name} changes that"))
        else:
            self._write(source.path, source_of(source.path, anchor.certificate, anchor.purposes))
            self.installed.append(anchor)

    def _with_unique_name(self, anchor: Anchor) -> Anchor:
        """The anchor under a name of its own, where the distribution ships the same certificate under its name."""
        sha256 = anchor.certificate.sha256
        shipped = (*self._shipping.get(sha256, ()), *self._distrusting.get(sha256, ()))
        taken = {self.link_name(source.path) for source in shipped}
        if self.link_name(self._path(anchor.name)) not in taken:
            return anchor
        return replace(anchor, name=f"{anchor.name}-{anchor.certificate.sha256[:8]}")

    def _place(self, anchor: Anchor) -> None:
        path = self._path(anchor.name)
        old = self.sources.get(path)
        rival = self._name_conflict(path)
        if rival:
            self.conflicts.append(_name_taken(anchor, rival, "give it another name"))
        elif old and not anchor.replace:
            self.conflicts.append(_name_taken(anchor, old, f"--replace {anchor.name} exchanges it"))
        elif old and len(old.certificates) > 1:
            self.conflicts.append(_name_taken(anchor, old, "it holds several certificates; --adopt splits it first"))
        else:
            self._write(path, source_of(path, anchor.certificate, anchor.purposes))
            self.installed.append(anchor)

    def _name_conflict(self, path: str) -> Source | None:
        """Another source whose link would have the name that the link of ``path`` needs, or in a folder of its name."""
        for other, source in self._linked.get(self.link_name(path), {}).items():
            if other != path:
                return source
        if self._folders[path] > 0:
            everything = (*self.shipped, *self.distrusted, *self.sources.values())
            return next((each for each in everything if each.path.startswith(f"{path}/")), None)
        return None

    def _write(self, path: str, source: Source) -> None:
        self._set(path, source)
        self.changed[path] = File(source.data)

    def name_of(self, path: str) -> str:
        """The name that a source file gives to its anchor."""
        return path.rpartition("/")[2].removesuffix(self.suffix)

    def _path(self, name: str) -> str:
        return join(self.folder, name + self.suffix)


def _by_digest(sources: Iterable[Source]) -> dict[str, list[Source]]:
    found: dict[str, list[Source]] = {}
    for source in sources:
        for sha256 in dict.fromkeys(each.sha256 for each in source.certificates):
            found.setdefault(sha256, []).append(source)
    return found


def _folders_above(path: str) -> list[str]:
    return [path[:end] for end, char in enumerate(path) if char == "/" and end]


def stem(path: str) -> str:
    """The name that a source file gives to its anchor."""
    return path.rpartition("/")[2].removesuffix(_SUFFIX)


def sources_with(sha256: str, sources: Iterable[Source]) -> Iterator[Source]:
    """The sources that hold the certificate."""
    return (source for source in sources if any(each.sha256 == sha256 for each in source.certificates))


def not_found(wanted: str, names: Iterable[str]) -> Problem:
    """The trouble of an anchor that is asked for and that nothing is called, with ``names`` near to it."""
    hint = did_you_mean(wanted, names, 3) or "give the name of its file, or sha256:HEX"
    return Problem("not-found", "", f"no anchor is called {wanted}", hint)


def _distrusted(anchor: Anchor, source: Source) -> Problem:
    name = source.path.rpartition("/")[2]
    return Problem(
        "conflict",
        source.path,
        f"{anchor.where} is this certificate, which the rootfs distrusts",
        f"to trust it again, take the ! off the line of {name} in ca-certificates.conf",
    )


def _shipped(anchor: Anchor, source: Source) -> Problem:
    return Problem(
        "already-shipped",
        anchor.where,
        f"the distribution ships this certificate as {source.path}",
        "it is installed all the same, so that it stays when the package drops it",
    )


def _name_taken(anchor: Anchor, holder: Source, hint: str) -> Problem:
    held = ", ".join(each.sha256[:16] for each in holder.certificates) or "no certificate"
    return Problem(
        "conflict",
        holder.path,
        f"the name {anchor.name} is taken (by sha256 {held}...) and {anchor.where} is another certificate",
        hint,
    )


def _other_purposes(anchor: Anchor, holder: Source, held: Purposes, hint: str) -> Problem:
    message = (
        f"trusts the certificate of {anchor.where} for {shown(held)}, and it is to be for {shown(anchor.purposes)}"
    )
    return Problem("conflict", holder.path, message, hint)
