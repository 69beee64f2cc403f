"""The local folder of anchors: what is in it, and what it becomes with the anchors that are asked for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from rootfs_trust.errors import Trouble
from rootfs_trust.rootfs.nodes import Absent, File, join
from rootfs_trust.store.anchor import Anchor, name_of_subject
from rootfs_trust.store.purposes import Purposes, shown
from rootfs_trust.store.source import Source, source_of
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
    sources may share one: the distribution's own tool would exchange them at each run. ``held_for`` says what
    a source trusts a certificate in it for.
    """

    folder: str
    link_name: Callable[[str], str]
    sources: dict[str, Source]
    shipped: tuple[Source, ...]
    distrusted: tuple[Source, ...]
    held_for: Callable[[Source, Certificate], Purposes] = _everything
    changed: dict[str, File | Absent] = field(default_factory=dict)
    installed: list[Anchor] = field(default_factory=list)
    removed: list[Anchor] = field(default_factory=list)
    conflicts: list[Trouble] = field(default_factory=list)
    warnings: list[Trouble] = field(default_factory=list)

    def adopt(self) -> None:
        """Rewrite each untidy file as clean ones: the first certificate keeps the name."""
        for path, source in list(self.sources.items()):
            if source.clean or not source.certificates:
                continue
            first, *others = source.certificates
            self._write(path, source_of(path, first, self.held_for(source, first)))
            for each in others:
                self._split_off(each, self.held_for(source, each))

    def _split_off(self, certificate: Certificate, purposes: Purposes) -> None:
        """Give ``certificate`` a file of its own, unless another one holds it."""
        if any(holders(certificate.sha256, self.sources.values())):
            return
        name = name_of_subject(certificate.subject, certificate.sha256)
        if self._path(name) in self.sources or self._rival(self._path(name)):
            name = f"{name}-{certificate.sha256[:8]}"
        self._write(self._path(name), source_of(self._path(name), certificate, purposes))

    def add(self, anchor: Anchor, *, only: bool = False) -> None:
        """Put ``anchor`` into the folder, or note the conflict that forbids it.

        ``only`` says that the store is to trust nothing but its anchors. Every shipped CA is distrusted there, so
        that it says nothing of this one.
        """
        sha256 = anchor.certificate.sha256
        for source in holders(sha256, () if only else self.distrusted):
            self.conflicts.append(_distrusted(anchor, source))
            return
        for source in holders(sha256, self.sources.values()):
            self._already_there(anchor, source)
            return
        for source in holders(sha256, () if only else self.shipped):
            self.warnings.append(_shipped(anchor, source))
        self._place(self._named_apart(anchor))

    def remove(self, path: str, sha256: str | None = None) -> None:
        """Take the file away; with ``sha256`` only that certificate, where the file holds others too."""
        source = self.sources.pop(path)
        kept = [each for each in source.certificates if sha256 is not None and each.sha256 != sha256]
        self.removed += [Anchor(stem(path), each, path) for each in source.certificates if each not in kept]
        if kept:
            data = b"".join(encode(each.der) for each in kept)
            self.sources[path] = Source(path, data, tuple(kept))
            self.changed[path] = File(data)
        else:
            self.changed[path] = Absent()

    def _already_there(self, anchor: Anchor, source: Source) -> None:
        if self.held_for(source, anchor.certificate) != anchor.purposes:
            self._with_other_purposes(anchor, source)
            return
        self.installed.append(replace(anchor, name=stem(source.path), replace=False))
        if source.path != self._path(anchor.name):
            self.warnings.append(
                Trouble(
                    "already-installed",
                    anchor.where,
                    f"is installed already, as {source.path}",
                    "it is left there, and not installed a second time",
                )
            )

    def _with_other_purposes(self, anchor: Anchor, source: Source) -> None:
        """The anchor is there and trusted for something else: as strict as for another certificate of its name."""
        held = self.held_for(source, anchor.certificate)
        if source.path != self._path(anchor.name):
            self.conflicts.append(_other_purposes(anchor, source, held, "take that file away, or name its purposes"))
        elif len(source.certificates) > 1:
            self.conflicts.append(_other_purposes(anchor, source, held, "it holds several certificates: split it"))
        elif not anchor.replace:
            self.conflicts.append(_other_purposes(anchor, source, held, f"--replace {anchor.name} changes that"))
        else:
            self._write(source.path, source_of(source.path, anchor.certificate, anchor.purposes))
            self.installed.append(anchor)

    def _named_apart(self, anchor: Anchor) -> Anchor:
        """The anchor under a name of its own, where the distribution ships the same certificate under its name."""
        shipped = holders(anchor.certificate.sha256, (*self.shipped, *self.distrusted))
        taken = {self.link_name(source.path) for source in shipped}
        if self.link_name(self._path(anchor.name)) not in taken:
            return anchor
        return replace(anchor, name=f"{anchor.name}-{anchor.certificate.sha256[:8]}")

    def _place(self, anchor: Anchor) -> None:
        path = self._path(anchor.name)
        old = self.sources.get(path)
        rival = self._rival(path)
        if rival:
            self.conflicts.append(_name_taken(anchor, rival, "give it another name"))
        elif old and not anchor.replace:
            self.conflicts.append(_name_taken(anchor, old, f"--replace {anchor.name} exchanges it"))
        elif old and len(old.certificates) > 1:
            self.conflicts.append(_name_taken(anchor, old, "it holds several certificates; --adopt splits it first"))
        else:
            self._write(path, source_of(path, anchor.certificate, anchor.purposes))
            self.installed.append(anchor)

    def _rival(self, path: str) -> Source | None:
        """Another source whose link would have the name that the link of ``path`` needs, or in a folder of its name."""
        wanted = self.link_name(path)
        for each in (*self.shipped, *self.distrusted, *self.sources.values()):
            if each.path.startswith(f"{path}/") or (each.path != path and self.link_name(each.path) == wanted):
                return each
        return None

    def _write(self, path: str, source: Source) -> None:
        self.sources[path] = source
        self.changed[path] = File(source.data)

    def _path(self, name: str) -> str:
        return join(self.folder, name + _SUFFIX)


def stem(path: str) -> str:
    """The name that a source file gives to its anchor."""
    return path.rpartition("/")[2].removesuffix(_SUFFIX)


def holders(sha256: str, sources: Iterable[Source]) -> Iterator[Source]:
    """The sources that hold the certificate."""
    return (source for source in sources if any(each.sha256 == sha256 for each in source.certificates))


def not_found(wanted: str, names: Iterable[str]) -> Trouble:
    """The trouble of an anchor that is asked for and that nothing is called, with ``names`` near to it."""
    from difflib import get_close_matches

    near = get_close_matches(wanted, list(names), 3)
    hint = f"near it: {', '.join(near)}" if near else "give the name of its file, or sha256:HEX"
    return Trouble("not-found", "", f"no anchor is called {wanted}", hint)


def _distrusted(anchor: Anchor, source: Source) -> Trouble:
    name = source.path.rpartition("/")[2]
    return Trouble(
        "conflict",
        source.path,
        f"{anchor.where} is this certificate, which the rootfs distrusts",
        f"to trust it again, take the ! off the line of {name} in ca-certificates.conf",
    )


def _shipped(anchor: Anchor, source: Source) -> Trouble:
    return Trouble(
        "already-shipped",
        anchor.where,
        f"the distribution ships this certificate as {source.path}",
        "it is installed all the same, so that it stays when the package drops it",
    )


def _name_taken(anchor: Anchor, holder: Source, hint: str) -> Trouble:
    held = ", ".join(each.sha256[:16] for each in holder.certificates) or "no certificate"
    return Trouble(
        "conflict",
        holder.path,
        f"the name {anchor.name} is taken (by sha256 {held}...) and {anchor.where} is another certificate",
        hint,
    )


def _other_purposes(anchor: Anchor, holder: Source, held: Purposes, hint: str) -> Trouble:
    message = (
        f"trusts the certificate of {anchor.where} for {shown(held)}, and it is to be for {shown(anchor.purposes)}"
    )
    return Trouble("conflict", holder.path, message, hint)
