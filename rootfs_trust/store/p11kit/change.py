"""What a request changes in the sources: anchors come and go, and what is shipped is put on the blocklist. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from rootfs_trust.errors import Trouble
from rootfs_trust.rootfs.nodes import Absent, File, join
from rootfs_trust.store.anchor import Anchor, safe_name
from rootfs_trust.store.local import DIGEST, LocalFolder, holders, not_found
from rootfs_trust.store.p11kit.entries import Entry
from rootfs_trust.store.p11kit.found import Found, entry_label, file_names, held_for, keeps_trust, names_of
from rootfs_trust.store.p11kit.parts import parts_of
from rootfs_trust.store.request import Answer, Request
from rootfs_trust.x509 import Certificate, encode


@dataclass(slots=True)
class Changes:
    """The files that a run writes or takes away, by path."""

    anchors: dict[str, File | Absent] = field(default_factory=dict)
    blocklist: dict[str, File | Absent] = field(default_factory=dict)

    def before(self, present: Collection[str]) -> dict[str, File | Absent]:
        """What is written before the outputs, so that the device's own tool can complete a run that was cut short:
        distrust, and new anchors.
        """
        return self.blocklist | {path: node for path, node in self.anchors.items() if path not in present}

    def after(self, present: Collection[str]) -> dict[str, File | Absent]:
        """What takes the place of sources: until the outputs are written, the old ones account for them."""
        return {path: node for path, node in self.anchors.items() if path in present}


def change(found: Found, request: Request, answer: Answer) -> Changes:
    """The changes that ``request`` asks for."""
    local = LocalFolder(found.anchors, _own_path, found.local(), found.others(), (), held_for)
    blocklist = _Blocklist(found, answer)
    if request.adopt:
        local.adopt()
    for wanted in request.remove:
        _remove(found, local, blocklist, wanted, answer)
    for sha256 in sorted(request.distrust):
        _take_copies(found, local, blocklist, sha256)
    if request.only:
        _keep_only(found, local, blocklist, request)
    for anchor in request.anchors:
        opponent = blocklist.opponent(anchor.certificate)
        if opponent:
            answer.conflicts.append(_distrusts(anchor, opponent))
        else:
            local.add(anchor, only=request.only)
    answer.installed += local.installed
    answer.removed += local.removed
    answer.conflicts += local.conflicts
    answer.warnings += local.warnings
    return Changes(local.changed, blocklist.changed)


def _own_path(path: str) -> str:
    """No two files of a token rival each other: p11-kit numbers names that come twice."""
    return path


# -- taking away -------------------------------------------------------------------------------------------


def _remove(found: Found, local: LocalFolder, blocklist: _Blocklist, wanted: str, answer: Answer) -> None:
    if wanted.startswith(DIGEST):
        sha256 = wanted.removeprefix(DIGEST)
        if not _take_copies(found, local, blocklist, sha256) and not blocklist.holds(sha256):
            answer.troubles.append(not_found(wanted, ()))
        return
    paths = [path for path in local.sources if wanted in file_names(path)]
    for path in paths:
        _warn_of_copies(found, local, path, answer)
        local.remove(path)
    shipped = [] if paths else [each for each in found.shipped() if wanted in _own_names(found, each)]
    for entry in shipped:
        blocklist.add(entry)
    if not paths and not shipped and not blocklist.holds_name(wanted):
        answer.troubles.append(not_found(wanted, _all_names(found, local)))


def _own_names(found: Found, entry: Entry) -> set[str]:
    """The entry's names; that of its file only where the file holds nothing else."""
    alone = sum(each.path == entry.path for each in found.shipped()) == 1
    return set(names_of(entry)) if alone else {entry_label(entry), safe_name(entry_label(entry))}


def _all_names(found: Found, local: LocalFolder) -> list[str]:
    names = [name for path in local.sources for name in file_names(path)]
    return [*names, *(safe_name(entry_label(each)) for each in found.shipped())]


def _take_copies(found: Found, local: LocalFolder, blocklist: _Blocklist, sha256: str) -> bool:
    """Every copy of the certificate; whether there was any."""
    entries = [each for each in found.shipped() if each.certificate and each.certificate.sha256 == sha256]
    for entry in entries:
        blocklist.add(entry)
    sources = list(holders(sha256, local.sources.values()))
    for source in sources:
        _take_out(found, local, blocklist, source.path, sha256)
    return bool(entries or sources)


def _take_out(found: Found, local: LocalFolder, blocklist: _Blocklist, path: str, sha256: str) -> None:
    """One certificate out of a file; where others stay in it with more than plain trust, it is distrusted instead."""
    source = local.sources[path]
    if len({each.sha256 for each in source.certificates}) > 1 and keeps_trust(source):
        for entry in found.entries:
            if entry.path == path and entry.certificate and entry.certificate.sha256 == sha256:
                blocklist.add(entry)
    else:
        local.remove(path, sha256)


def _keep_only(found: Found, local: LocalFolder, blocklist: _Blocklist, request: Request) -> None:
    """``base = "none"``: nothing is trusted but the anchors asked for."""
    wanted = [anchor.certificate for anchor in request.anchors]
    kept = {each.sha256 for each in wanted}
    blocklist.release(wanted)
    for path, source in list(local.sources.items()):
        for sha256 in sorted({each.sha256 for each in source.certificates} - kept):
            if path in local.sources:
                _take_out(found, local, blocklist, path, sha256)
    for entry in found.shipped():
        if entry.certificate and entry.certificate.sha256 not in kept:
            blocklist.add(entry)


def _warn_of_copies(found: Found, local: LocalFolder, path: str, answer: Answer) -> None:
    for certificate in local.sources[path].certificates:
        for copy in holders(certificate.sha256, found.others()):
            message = f"is trusted still: the distribution ships {path} too"
            hint = f"remove {DIGEST}{certificate.sha256} takes every copy"
            answer.warnings.append(Trouble("still-trusted", copy.path, message, hint))


# -- the blocklist -----------------------------------------------------------------------------------------


class _Blocklist:
    """The folder of distrusted certificates, and every other file that distrusts one."""

    def __init__(self, found: Found, answer: Answer) -> None:
        self._folder = found.blocklist
        self._answer = answer
        self._distrusted = [each for each in found.entries if each.distrusted]
        self._held = {each.certificate.sha256 for each in self._distrusted if each.certificate}
        self._taken = {file.path for file in found.files[0]}
        self._spared: list[Certificate] = []
        self.changed: dict[str, File | Absent] = {}

    def holds(self, sha256: str) -> bool:
        """Whether the certificate is distrusted already."""
        return sha256 in self._held

    def holds_name(self, name: str) -> bool:
        """Whether a distrusted certificate is called so."""
        return any(name in names_of(each) for each in self._distrusted)

    def opponent(self, certificate: Certificate) -> Entry | None:
        """What distrusts the certificate: p11-kit goes by its key, or by issuer and serial number."""
        return next((each for each in self._distrusted if _meets(each, certificate)), None)

    def add(self, entry: Entry) -> None:
        """Distrust a certificate. One that shares its key with an anchor asked for cannot be: both would go."""
        certificate = entry.certificate
        if certificate is None or self.holds(certificate.sha256):
            return
        if any(_meets(entry, each) for each in self._spared):
            self._answer.warnings.append(_shares_key(entry))
            return
        path = self._free_path(entry, certificate)
        self._taken.add(path)
        self._held.add(certificate.sha256)
        self.changed[path] = File(encode(certificate.der))
        self._distrusted.append(Entry(path, certificate, distrusted=True, issuer=entry.issuer, key=entry.key))
        self._answer.removed.append(Anchor(safe_name(entry_label(entry)), certificate, entry.path))

    def release(self, certificates: list[Certificate]) -> None:
        """Take off the blocklist what distrusts any of ``certificates``, as far as the folder is the owner's."""
        self._spared = certificates
        for path in {each.path for each in self._distrusted if each.path.startswith(f"{self._folder}/")}:
            held = [each for each in self._distrusted if each.path == path]
            kept = [each for each in held if not any(_meets(each, wanted) for wanted in certificates)]
            if len(kept) < len(held):
                self._rewrite(path, kept)
                self._distrusted = [each for each in self._distrusted if each.path != path or each in kept]
                self._held = {each.certificate.sha256 for each in self._distrusted if each.certificate}

    def _rewrite(self, path: str, kept: Iterable[Entry]) -> None:
        data = b"".join(encode(each.certificate.der) for each in kept if each.certificate)
        self.changed[path] = File(data) if data else Absent()

    def _free_path(self, entry: Entry, certificate: Certificate) -> str:
        """A name by the label; with the digest where another file has that name."""
        name = safe_name(entry_label(entry))
        path = join(self._folder, f"{name}.crt")
        return join(self._folder, f"{name}-{certificate.sha256[:8]}.crt") if path in self._taken else path


def _meets(entry: Entry, certificate: Certificate) -> bool:
    parts = parts_of(certificate.der)
    same_serial = bool(entry.serial) and (entry.issuer, entry.serial) == (parts.issuer, parts.serial)
    return entry.key == parts.key or same_serial


def _distrusts(anchor: Anchor, entry: Entry) -> Trouble:
    return Trouble(
        "conflict",
        entry.path,
        f"distrusts the certificate of {anchor.where}, or another one with the same key",
        "to trust it, take that file away",
    )


def _shares_key(entry: Entry) -> Trouble:
    return Trouble(
        "still-trusted",
        entry.path,
        f"{entry_label(entry)} has the same key as an anchor that is asked for, and stays trusted",
        "p11-kit distrusts by key: on the blocklist it would take that anchor with it",
    )
