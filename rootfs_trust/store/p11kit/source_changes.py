"""Changes to p11-kit's source files for a request, and warnings about their effects.

Anchors are added and deleted; certificates that the distribution ships are put on the blocklist.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from rootfs_trust.errors import CONFLICT, DISTRUSTED_YET_TRUSTED, NO_OUTPUT, Problem
from rootfs_trust.rootfs.view import Absent, File, join
from rootfs_trust.store.anchor import Anchor, safe_name
from rootfs_trust.store.anchor_sources import AnchorSources, sources_with, trusted_copies
from rootfs_trust.store.p11kit.entries import StapledExtension, TokenEntry, parts_of
from rootfs_trust.store.p11kit.output_selection import Filter, is_authority, select
from rootfs_trust.store.p11kit.parser import plain_entry
from rootfs_trust.store.p11kit.sources import (
    FoundTokens,
    entry_label,
    file_names,
    has_trust_attributes,
    names_of,
    purposes_of,
    source_purposes,
)
from rootfs_trust.store.p11kit.token import Token
from rootfs_trust.store.purposes import Purposes, shown
from rootfs_trust.store.selection import DIGEST, Held, not_found
from rootfs_trust.store.store_plan import Request, StorePlan
from rootfs_trust.x509 import Certificate, encode
from rootfs_trust.x509.oids import SERVER_AUTH


@dataclass(slots=True)
class StoreChanges:
    """The files that a run writes or deletes, by path."""

    anchors: dict[str, File | Absent] = field(default_factory=dict)
    blocklist: dict[str, File | Absent] = field(default_factory=dict)

    def before(self, present: Collection[str]) -> dict[str, File | Absent]:
        """Return the changes that come before the outputs: distrust, new anchors and deletions.

        The device's own tool can then complete an interrupted run. Deletions are listed here because a plan carries
        them out last, in reverse order.
        """
        replaced = self.after(present)
        return self.blocklist | {path: node for path, node in self.anchors.items() if path not in replaced}

    def after(self, present: Collection[str]) -> dict[str, File | Absent]:
        """Return the source files to overwrite. Write them after the outputs, which contain the old certificates until
        then.
        """
        return {path: node for path, node in self.anchors.items() if path in present and isinstance(node, File)}


def change(found: FoundTokens, request: Request, plan: StorePlan) -> StoreChanges:
    """Return the changes to the sources that ``request`` makes."""
    local = AnchorSources(found.anchors, _path_itself, found.local(), found.others(), (), source_purposes)
    blocklist = _Blocklist(found, plan)
    if request.adopt:
        local.adopt()
    for wanted in request.remove:
        _remove(found, local, blocklist, wanted, plan)
    for sha256 in sorted(request.distrust):
        _remove_copies(found, local, blocklist, sha256)
    for certificate in request.block:
        blocklist.add(plain_entry("", certificate))
    if request.only:
        _keep_only(found, local, blocklist, request)
    for anchor in request.anchors:
        distrusting_entry = blocklist.distrusting_entry(anchor.certificate)
        if distrusting_entry:
            message = f"distrusts the certificate of {anchor.where}, or another one with the same key"
            plan.conflicts.append(CONFLICT(distrusting_entry.path, message, "to trust it, delete that file"))
        else:
            local.add(anchor, only=request.only)
    plan.installed += local.installed
    plan.removed += local.removed
    plan.conflicts += local.conflicts
    plan.warnings += local.warnings
    return StoreChanges(local.changed, blocklist.changed)


def held(found: FoundTokens) -> Held:
    """Return the certificates of the sources, from which selections choose. Certificates that TLS clients trust for
    servers count as shipped.
    """
    local = f"{found.anchors}/"
    trusted = [each for each in found.entries if each.trusted and not each.distrusted]
    served = {each.certificate.sha256 for each in select(found.tokens, Filter.ANCHORS, SERVER_AUTH)}
    shipped = [each.certificate for each in trusted if each.certificate and not each.path.startswith(local)]
    blocked = [each for each in found.entries if each not in trusted]
    names = [name for each in found.entries for name in names_of(each)]
    return Held(
        [each for each in shipped if each.sha256 in served],
        [each.certificate for each in trusted if each.certificate and each.path.startswith(local)],
        [
            *(each for each in shipped if each.sha256 not in served),
            *(each.certificate for each in blocked if each.certificate),
        ],
        [*names, *(name for path in found.local() for name in file_names(path))],
    )


def _path_itself(path: str) -> str:
    """Return ``path``: two files of a token never conflict, as p11-kit numbers duplicate names."""
    return path


# -- removing ---------------------------------------------------------------------------------------------


def _remove(found: FoundTokens, local: AnchorSources, blocklist: _Blocklist, wanted: str, plan: StorePlan) -> None:
    if wanted.startswith(DIGEST):
        sha256 = wanted.removeprefix(DIGEST)
        if not _remove_copies(found, local, blocklist, sha256) and not blocklist.holds(sha256):
            plan.problems.append(not_found(wanted, ()))
        return
    paths = [path for path in local.sources if wanted in file_names(path)]
    for path in paths:
        plan.warnings += trusted_copies(local.sources[path], found.others())
        local.remove(path)
    shipped = [] if paths else [each for each in found.shipped() if wanted in _unique_names(found, each)]
    for entry in shipped:
        blocklist.add(entry)
    if not paths and not shipped and not blocklist.holds_name(wanted):
        plan.problems.append(not_found(wanted, _all_names(found, local)))


def _unique_names(found: FoundTokens, entry: TokenEntry) -> set[str]:
    """Return the names of the entry. The name of its file counts only if the file contains nothing else."""
    alone = sum(each.path == entry.path for each in found.shipped()) == 1
    return set(names_of(entry)) if alone else {entry_label(entry), safe_name(entry_label(entry))}


def _all_names(found: FoundTokens, local: AnchorSources) -> list[str]:
    names = [name for path in local.sources for name in file_names(path)]
    return [*names, *(safe_name(entry_label(each)) for each in found.shipped())]


def _remove_copies(found: FoundTokens, local: AnchorSources, blocklist: _Blocklist, sha256: str) -> bool:
    """Delete or distrust every copy of the certificate. Returns whether there was any."""
    entries = [each for each in found.shipped() if each.certificate and each.certificate.sha256 == sha256]
    for entry in entries:
        blocklist.add(entry)
    sources = list(sources_with(sha256, local.sources.values()))
    for source in sources:
        _remove_from_file(found, local, blocklist, source.path, sha256)
    return bool(entries or sources)


def _remove_from_file(found: FoundTokens, local: AnchorSources, blocklist: _Blocklist, path: str, sha256: str) -> None:
    """Remove one certificate from a source file. If the file records trust settings for others, add the certificate to
    the blocklist instead.
    """
    source = local.sources[path]
    if len({each.sha256 for each in source.certificates}) > 1 and has_trust_attributes(source):
        for entry in found.entries:
            if entry.path == path and entry.certificate and entry.certificate.sha256 == sha256:
                blocklist.add(entry)
    else:
        local.remove(path, sha256)


def _keep_only(found: FoundTokens, local: AnchorSources, blocklist: _Blocklist, request: Request) -> None:
    """Carry out ``base = "none"``: trust nothing except the requested anchors."""
    wanted = [anchor.certificate for anchor in request.anchors]
    kept = {each.sha256 for each in wanted}
    blocklist.release(wanted)
    for path, source in list(local.sources.items()):
        for sha256 in sorted({each.sha256 for each in source.certificates} - kept):
            if path in local.sources:
                _remove_from_file(found, local, blocklist, path, sha256)
    for entry in found.shipped():
        if entry.certificate and entry.certificate.sha256 not in kept:
            blocklist.add(entry)


# -- the blocklist -----------------------------------------------------------------------------------------


class _Blocklist:
    """The files that distrust certificates: those in the administrator's blocklist directory, which a run may change,
    and all others.
    """

    def __init__(self, found: FoundTokens, plan: StorePlan) -> None:
        self._directory = found.blocklist
        self._answer = plan
        self._distrusted = [each for each in found.entries if each.distrusted]
        self._held = {each.certificate.sha256 for each in self._distrusted if each.certificate}
        self._taken = {file.path for file in found.files[0]}
        self._spared: list[Certificate] = []
        self.changed: dict[str, File | Absent] = {}

    def holds(self, sha256: str) -> bool:
        """Return whether the certificate is already distrusted."""
        return sha256 in self._held

    def holds_name(self, name: str) -> bool:
        """Return whether a distrusted certificate has this name."""
        return any(name in names_of(each) for each in self._distrusted)

    def distrusting_entry(self, certificate: Certificate) -> TokenEntry | None:
        """Return the entry that distrusts the certificate, by its key or by issuer and serial number."""
        return next((each for each in self._distrusted if _matches(each, certificate)), None)

    def add(self, entry: TokenEntry) -> None:
        """Distrust a certificate. If a requested anchor has the same key, warn instead: both would be distrusted."""
        certificate = entry.certificate
        if certificate is None or self.holds(certificate.sha256):
            return
        if any(_matches(entry, each) for each in self._spared):
            message = f"{entry_label(entry)} has the same key as a requested anchor, and stays trusted"
            hint = "p11-kit distrusts by key: its blocklist would distrust the requested anchor too"
            self._answer.warnings.append(DISTRUSTED_YET_TRUSTED(entry.path, message, hint))
            return
        path = self._free_path(entry, certificate)
        self._taken.add(path)
        self._held.add(certificate.sha256)
        self.changed[path] = File(encode(certificate.der))
        self._distrusted.append(TokenEntry(path, certificate, distrusted=True, issuer=entry.issuer, key=entry.key))
        self._answer.removed.append(Anchor(safe_name(entry_label(entry)), certificate, entry.path))

    def release(self, certificates: list[Certificate]) -> None:
        """Remove the administrator's blocklist entries that distrust any of ``certificates``."""
        self._spared = certificates
        for path in dict.fromkeys(
            each.path for each in self._distrusted if each.path.startswith(f"{self._directory}/")
        ):
            held = [each for each in self._distrusted if each.path == path]
            kept = [each for each in held if not any(_matches(each, wanted) for wanted in certificates)]
            if len(kept) < len(held):
                self._rewrite(path, kept)
                self._distrusted = [each for each in self._distrusted if each.path != path or each in kept]
                self._held = {each.certificate.sha256 for each in self._distrusted if each.certificate}

    def _rewrite(self, path: str, kept: Iterable[TokenEntry]) -> None:
        data = b"".join(encode(each.certificate.der) for each in kept if each.certificate)
        self.changed[path] = File(data) if data else Absent()

    def _free_path(self, entry: TokenEntry, certificate: Certificate) -> str:
        """Return a path named after the label, with the digest added if another file has that name."""
        name = safe_name(entry_label(entry))
        path = join(self._directory, f"{name}.crt")
        return join(self._directory, f"{name}-{certificate.sha256[:8]}.crt") if path in self._taken else path


def _matches(entry: TokenEntry, certificate: Certificate) -> bool:
    parts = parts_of(certificate.der)
    same_serial = bool(entry.serial) and (entry.issuer, entry.serial) == (parts.issuer, parts.serial)
    return entry.key == parts.key or same_serial


def ineffective_anchors(tokens: list[Token], anchors: Iterable[Anchor]) -> Iterator[Problem]:
    """Yield a warning for each anchor that is in no store file for CAs, or that the bundle for TLS does not contain."""
    served = {each.certificate.sha256 for each in select(tokens, Filter.ANCHORS, SERVER_AUTH)}
    authority: dict[str, bool] = {}
    for token in tokens:
        for entry in token.entries:
            if entry.certificate:
                authority[entry.certificate.sha256] = is_authority(token, entry)
    for anchor in anchors:
        sha256 = anchor.certificate.sha256
        if not authority.get(sha256, True):
            message = "is not a CA: p11-kit adds it to no bundle or keystore of CAs, so no TLS client trusts it"
            hint = "install the CA that signed it, or configure the clients to use the file"
            yield NO_OUTPUT(anchor.where, message, hint)
        elif sha256 in authority and sha256 not in served:
            message = "its purposes exclude servers: it is in no bundle that TLS clients read"
            for_ = anchor.purposes
            says = "its extended key usage excludes them" if for_ is None else f"it is for {shown(for_)}"
            yield NO_OUTPUT(anchor.where, message, says)


def shared_keys(token: Token, anchors: Iterable[Anchor]) -> Iterator[Problem]:
    """Yield a conflict for each anchor whose key is also in another file of the token, with different purposes.

    p11-kit staples purposes to a key, for every certificate with it (load_attached_extensions in trust/enumerate.c).
    One of the two certificates would be trusted for the purposes of the other.
    """
    paths: dict[bytes, dict[str, None]] = {}
    stapled: dict[str, list[StapledExtension]] = {}
    for entry in token.entries:
        paths.setdefault(entry.key, {})[entry.path] = None
    for each in token.stapled:
        paths.setdefault(each.key, {})[each.path] = None
        stapled.setdefault(each.path, []).append(each)
    purposes: dict[bytes, dict[Purposes, list[str]]] = {}  # grouped by key: thousands of certificates may share one
    for anchor in anchors:
        key = parts_of(anchor.certificate.der).key
        if key not in purposes:
            purposes[key] = {}
            for path in paths.get(key, ()):
                held = purposes_of(anchor.certificate, stapled.get(path, ()))
                purposes[key].setdefault(held, []).append(path)
        for held, files in purposes[key].items():
            for path in files if held != anchor.purposes else ():
                message = (
                    f"has the same key as {anchor.where} for {shown(held)}, but that is for {shown(anchor.purposes)}"
                )
                hint = "p11-kit records purposes by key: give both the same purposes, or delete that file"
                yield CONFLICT(path, message, hint)
