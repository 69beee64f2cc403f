"""Compare what two trees trust, and their thin-edge.io settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from rootfs_trust.audit.root_status import RootStatus
from rootfs_trust.audit.trusted_anchors import TrustedAnchor
from rootfs_trust.thin_edge.settings_in_force import FoundSetting
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.constrained import scope_of


class RenewedAnchor(NamedTuple):
    """A CA with the same name and key in both trees, but another certificate, usually with new dates."""

    before: TrustedAnchor
    after: TrustedAnchor


class SettingChange(NamedTuple):
    """A setting in which the trees differ. The value of a tree without the setting is None."""

    key: str
    before: str | None
    after: str | None


class Difference(NamedTuple):
    """The changes from the first tree to the second. Anchors are sorted by name."""

    added: tuple[TrustedAnchor, ...]
    removed: tuple[TrustedAnchor, ...]
    renewed: tuple[RenewedAnchor, ...]
    moved: tuple[RenewedAnchor, ...]
    """Certificates that both trees trust, but in other store files or by other clients."""
    settings: tuple[SettingChange, ...]
    reasons: Mapping[str, str] = {}
    """For each root in ``removed`` that the root data knows, by SHA-256: a clause that says why it was removed."""

    def __bool__(self) -> bool:
        """Return whether the trees differ."""
        return any(self[:-1])


def difference(
    before: Iterable[TrustedAnchor],
    after: Iterable[TrustedAnchor],
    settings_before: Iterable[FoundSetting],
    settings_after: Iterable[FoundSetting],
    status_of: Callable[[Certificate], RootStatus],
) -> Difference:
    """Compare two trees. ``status_of`` returns the status of a certificate in the root data."""
    old = {anchor.certificate.sha256: anchor for anchor in sorted(before, key=_order)}
    new = {anchor.certificate.sha256: anchor for anchor in sorted(after, key=_order)}
    added = [anchor for sha256, anchor in new.items() if sha256 not in old]
    removed = [anchor for sha256, anchor in old.items() if sha256 not in new]
    renewed = tuple(_renewals(removed, added))
    renewed_digests = {anchor.certificate.sha256 for pair in renewed for anchor in pair}
    both = (RenewedAnchor(old[sha256], new[sha256]) for sha256 in old if sha256 in new)
    gone = tuple(anchor for anchor in removed if anchor.certificate.sha256 not in renewed_digests)
    return Difference(
        tuple(anchor for anchor in added if anchor.certificate.sha256 not in renewed_digests),
        gone,
        renewed,
        tuple(pair for pair in both if _places(pair.before) != _places(pair.after)),
        tuple(_settings(settings_before, settings_after)),
        {each.certificate.sha256: reason for each in gone if (reason := status_of(each.certificate).reason)},
    )


def _places(anchor: TrustedAnchor) -> tuple[set[str], set[str]]:
    return set(anchor.outputs), set(anchor.clients)


def _renewals(removed: Iterable[TrustedAnchor], added: Iterable[TrustedAnchor]) -> Iterable[RenewedAnchor]:
    """Return pairs with the same subject and key. Each certificate is in at most one pair."""
    by_key: dict[tuple[bytes, bytes], list[TrustedAnchor]] = {}
    for anchor in removed:
        by_key.setdefault(_key(anchor.certificate), []).append(anchor)
    for anchor in added:
        same = by_key.get(_key(anchor.certificate))
        if same:
            yield RenewedAnchor(same.pop(0), anchor)


def _key(certificate: Certificate) -> tuple[bytes, bytes]:
    return certificate.subject.canonical, certificate.public_key


def _order(anchor: TrustedAnchor) -> tuple[str, str]:
    return anchor.name, anchor.certificate.sha256


def _settings(before: Iterable[FoundSetting], after: Iterable[FoundSetting]) -> Iterable[SettingChange]:
    old = {each.key: each.value for each in before}
    new = {each.key: each.value for each in after}
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            yield SettingChange(key, old.get(key), new.get(key))


def told(found: Difference, *, verbose: bool = False) -> Iterator[str]:
    """Yield a line for each difference: ``+`` added, ``-`` removed, ``~`` changed."""
    yield from (f"+ {_shown(anchor, verbose)}" for anchor in found.added)
    for anchor in found.removed:
        reason = found.reasons.get(anchor.certificate.sha256)
        yield f"- {_shown(anchor, verbose)}{f': {reason}' if reason else ''}"
    for pair in found.renewed:
        yield f"~ {_shown(pair.after, verbose)}, {_renewal(pair)}"
    for pair in found.moved:
        yield f"~ {pair.after.name}: {_changed_places(pair)}"
    yield from map(_setting_told, found.settings)


def _renewal(pair: RenewedAnchor) -> str:
    before, after = (scope_of(anchor.certificate) for anchor in pair)
    names = f"trusted {after}; was {before}" if before != after else ""
    same = names and pair.before.certificate.not_after == pair.after.certificate.not_after
    return names if same else ", ".join(filter(None, (names, f"renewed: was until {_until(pair.before)}")))


def _shown(anchor: TrustedAnchor, verbose: bool) -> str:
    text = f"{anchor.name} ({anchor.origin}, until {_until(anchor)}, sha256 {anchor.certificate.sha256[:16]})"
    return f"{text} {anchor.certificate.subject.text}" if verbose else text


def _until(anchor: TrustedAnchor) -> str:
    ends = anchor.certificate.not_after
    return f"{ends.date()}" if ends else "?"


def _changed_places(pair: RenewedAnchor) -> str:
    before, after = pair
    parts = []
    if set(before.outputs) != set(after.outputs):
        parts.append(f"in {_joined(after.outputs)}; was in {_joined(before.outputs)}")
    gained = [client for client in after.clients if client not in before.clients]
    lost = [client for client in before.clients if client not in after.clients]
    parts += [f"{_joined(gained)} trusts it now"] if gained else []
    parts += [f"{_joined(lost)} does not trust it any more"] if lost else []
    return "; ".join(parts)


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names) or "no store"


def _setting_told(change: SettingChange) -> str:
    if change.before is None:
        return f"+ {change.key} = {change.after}"
    if change.after is None:
        return f"- {change.key} = {change.before}"
    return f"~ {change.key} = {change.after}; was {change.before}"
