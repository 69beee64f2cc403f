"""The anchor source directory: its files, and the changes that a request makes to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from rootfs_trust.errors import ALREADY_INSTALLED, ALREADY_SHIPPED, CONFLICT, DISTRUSTED_YET_TRUSTED, Problem
from rootfs_trust.rootfs.view import Absent, File, join
from rootfs_trust.store.anchor import Anchor, name_of_subject
from rootfs_trust.store.purposes import Purposes, shown
from rootfs_trust.store.selection import DIGEST
from rootfs_trust.store.source_file import Source, source_of
from rootfs_trust.x509 import Certificate, encode

_SUFFIX = ".crt"


def _all_purposes(_source: Source, _certificate: Certificate) -> Purposes:
    """Return None, which means all purposes, for layouts whose source files cannot record purposes."""
    return None


@dataclass(slots=True)
class AnchorSources:
    """The source files of the anchor source directory, by path. ``changed`` has the files that a run writes or deletes.

    ``link_name`` maps a source's path to its name in the hash directory. No two sources may share that name: the
    distribution's own tool would swap them at each run. ``purposes_of`` returns the purposes for which a source trusts
    one of its certificates.
    """

    directory: str
    link_name: Callable[[str], str]
    sources: dict[str, Source]
    shipped: tuple[Source, ...]
    distrusted: tuple[Source, ...]
    purposes_of: Callable[[Source, Certificate], Purposes] = _all_purposes
    changed: dict[str, File | Absent] = field(default_factory=dict)
    installed: list[Anchor] = field(default_factory=list)
    removed: list[Anchor] = field(default_factory=list)
    conflicts: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    suffix: str = _SUFFIX
    """Suffix of source files."""
    _holding: dict[str, dict[str, None]] = field(default_factory=dict, init=False)
    """For the SHA-256 of each certificate, the paths of the ``sources`` that contain it."""
    _shipping: dict[str, list[Source]] = field(default_factory=dict, init=False)
    _distrusting: dict[str, list[Source]] = field(default_factory=dict, init=False)
    _linked: dict[str, dict[str, Source]] = field(default_factory=dict, init=False)
    """All sources by link name and then by path, so that checking a new name is one lookup."""
    _directories: Counter[str] = field(default_factory=Counter, init=False)
    """The parent directories of all sources, and the number of sources below each."""

    def __post_init__(self) -> None:
        for source in (*self.shipped, *self.distrusted, *self.sources.values()):
            self._index(source)
        for path, source in self.sources.items():
            self._index_certificates(path, source)
        self._shipping = _by_digest(self.shipped)
        self._distrusting = _by_digest(self.distrusted)

    def _index(self, source: Source) -> None:
        self._linked.setdefault(self.link_name(source.path), {}).setdefault(source.path, source)
        self._directories.update(_parent_directories(source.path))

    def _index_certificates(self, path: str, source: Source) -> None:
        for certificate in source.certificates:
            self._holding.setdefault(certificate.sha256, {})[path] = None

    def _forget(self, path: str) -> None:
        source = self.sources.pop(path)
        for certificate in source.certificates:
            self._holding[certificate.sha256].pop(path, None)
        self._linked[self.link_name(path)].pop(path, None)
        self._directories.subtract(_parent_directories(path))

    def _set(self, path: str, source: Source) -> None:
        if path in self.sources:
            self._forget(path)
        self.sources[path] = source
        self._index(source)
        self._index_certificates(path, source)

    def _holders(self, sha256: str) -> list[Source]:
        """Return the sources in this directory that contain the certificate."""
        return [self.sources[path] for path in self._holding.get(sha256, ())]

    def adopt(self) -> None:
        """Rewrite each malformed file as one clean file per certificate. The first certificate keeps the name."""
        for path, source in list(self.sources.items()):
            if source.clean or not source.certificates:
                continue
            first, *others = source.certificates
            self._write(path, source_of(path, first, self.purposes_of(source, first)))
            for each in others:
                self._write_separate_file(each, self.purposes_of(source, each))

    def _write_separate_file(self, certificate: Certificate, purposes: Purposes) -> None:
        """Write ``certificate`` to a new file, unless another source contains it."""
        if self._holders(certificate.sha256):
            return
        name = name_of_subject(certificate.subject, certificate.sha256)
        if self._path(name) in self.sources or self._name_conflict(self._path(name)):
            name = f"{name}-{certificate.sha256[:8]}"
        self._write(self._path(name), source_of(self._path(name), certificate, purposes))

    def add(self, anchor: Anchor, *, only: bool = False) -> None:
        """Add ``anchor`` to the directory, or record the conflict that prevents it.

        ``only`` is true if the store shall trust nothing else (``base = "none"``). Every shipped CA is then distrusted,
        so a distrusted or shipped copy of this certificate is neither a conflict nor worth a warning.
        """
        sha256 = anchor.certificate.sha256
        for source in () if only else self._distrusting.get(sha256, ()):
            message = f"is distrusted by the rootfs, and {anchor.where} is the same certificate"
            hint = f"to trust it again, remove the ! before {source.path.rpartition('/')[2]} in ca-certificates.conf"
            self.conflicts.append(CONFLICT(source.path, message, hint))
            return
        for source in self._holders(sha256):
            self._already_present(anchor, source)
            return
        for source in () if only else self._shipping.get(sha256, ()):
            message = f"the distribution ships this certificate as {source.path}"
            self.warnings.append(ALREADY_SHIPPED(anchor.where, message))
        self._place(self._with_unique_name(anchor))

    def remove(self, path: str, sha256: str | None = None) -> None:
        """Delete the source file, or with ``sha256`` only that certificate if the file contains others."""
        source = self.sources[path]
        self._forget(path)
        kept = [each for each in source.certificates if sha256 is not None and each.sha256 != sha256]
        gone = {each.sha256: each for each in source.certificates if each not in kept}
        self.removed += [Anchor(self.name_of(path), each, path) for each in gone.values()]
        if kept:
            data = b"".join(encode(each.der) for each in kept)
            self._set(path, Source(path, data, tuple(kept)))
            self.changed[path] = File(data)
        else:
            self.changed[path] = Absent()

    def keep_only(self, wanted: Collection[str]) -> None:
        """Remove every certificate whose SHA-256 is not in ``wanted``."""
        for path, source in list(self.sources.items()):
            # A file may contain a certificate twice, and no longer exists after its last one is removed.
            for sha256 in dict.fromkeys(each.sha256 for each in source.certificates):
                if sha256 not in wanted:
                    self.remove(path, sha256)

    def _already_present(self, anchor: Anchor, source: Source) -> None:
        if self.purposes_of(source, anchor.certificate) != anchor.purposes:
            self._with_other_purposes(anchor, source)
            return
        self.installed.append(anchor._replace(name=self.name_of(source.path), replace=False))
        if source.path != self._path(anchor.name):
            message = f"is already installed as {source.path}"
            self.warnings.append(ALREADY_INSTALLED(anchor.where, message, "it is not installed a second time"))

    def _with_other_purposes(self, anchor: Anchor, source: Source) -> None:
        """Handle an anchor that is already installed for other purposes, by the rules for a name that is already in
        use.
        """
        if source.path != self._path(anchor.name):
            hint = "delete that file, or give the same purposes"
        elif len(source.certificates) > 1:
            hint = "it holds several certificates: split it"
        elif not anchor.replace:
            hint = f"--replace {anchor.name} changes that"
        else:
            self._install(source.path, anchor)
            return
        wanted, current = shown(anchor.purposes), shown(self.purposes_of(source, anchor.certificate))
        message = f"trusts the certificate of {anchor.where} for {current}, not for {wanted} as requested"
        self.conflicts.append(CONFLICT(source.path, message, hint))

    def _with_unique_name(self, anchor: Anchor) -> Anchor:
        """Add a digest to the anchor's name if the distribution ships the same certificate under that name."""
        sha256 = anchor.certificate.sha256
        shipped = (*self._shipping.get(sha256, ()), *self._distrusting.get(sha256, ()))
        taken = {self.link_name(source.path) for source in shipped}
        if self.link_name(self._path(anchor.name)) not in taken:
            return anchor
        return anchor._replace(name=f"{anchor.name}-{anchor.certificate.sha256[:8]}")

    def _place(self, anchor: Anchor) -> None:
        path = self._path(anchor.name)
        old = self.sources.get(path)
        conflicting = self._name_conflict(path)
        if conflicting:
            hint = "give it another name"
        elif old and not anchor.replace:
            hint = f"--replace {anchor.name} replaces it"
        elif old and len(old.certificates) > 1:
            hint = "it holds several certificates; --adopt splits it first"
        else:
            self._install(path, anchor)
            return
        holder = conflicting or self.sources[path]
        present = ", ".join(each.sha256[:16] for each in holder.certificates) or "no certificate"
        message = f"the name {anchor.name} is in use (sha256 {present}...), and {anchor.where} is another certificate"
        self.conflicts.append(CONFLICT(holder.path, message, hint))

    def _install(self, path: str, anchor: Anchor) -> None:
        self._write(path, source_of(path, anchor.certificate, anchor.purposes))
        self.installed.append(anchor)

    def _name_conflict(self, path: str) -> Source | None:
        """Return the source that conflicts with ``path``: it has the same link name, or ``path`` is one of its parent
        directories.
        """
        for other, source in self._linked.get(self.link_name(path), {}).items():
            if other != path:
                return source
        if self._directories[path] > 0:
            all_sources = (*self.shipped, *self.distrusted, *self.sources.values())
            return next((each for each in all_sources if each.path.startswith(f"{path}/")), None)
        return None

    def _write(self, path: str, source: Source) -> None:
        self._set(path, source)
        self.changed[path] = File(source.data)

    def name_of(self, path: str) -> str:
        """Return the anchor name of a source file."""
        return path.rpartition("/")[2].removesuffix(self.suffix)

    def _path(self, name: str) -> str:
        return join(self.directory, name + self.suffix)


def _by_digest(sources: Iterable[Source]) -> dict[str, list[Source]]:
    found: dict[str, list[Source]] = {}
    for source in sources:
        for sha256 in dict.fromkeys(each.sha256 for each in source.certificates):
            found.setdefault(sha256, []).append(source)
    return found


def _parent_directories(path: str) -> list[str]:
    return [path[:end] for end, char in enumerate(path) if char == "/" and end]


def stem(path: str) -> str:
    """Return the anchor name of a ``.crt`` source file."""
    return path.rpartition("/")[2].removesuffix(_SUFFIX)


def sources_with(sha256: str, sources: Iterable[Source]) -> Iterator[Source]:
    """Yield the sources that contain the certificate."""
    return (source for source in sources if any(each.sha256 == sha256 for each in source.certificates))


def trusted_copies(removed: Source, others: Iterable[Source]) -> Iterator[Problem]:
    """Yield a warning for each copy among ``others`` of a certificate of the ``removed`` source. It stays trusted."""
    for certificate in removed.certificates:
        for copy in sources_with(certificate.sha256, others):
            message = f"is trusted still: it contains the same certificate as {removed.path}"
            hint = f"rootfs-trust remove {DIGEST}{certificate.sha256} removes every copy"
            yield DISTRUSTED_YET_TRUSTED(copy.path, message, hint)
