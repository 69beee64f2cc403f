"""What one tree trusts and another does not, and the settings in which they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rootfs_trust.audit.settings import FoundSetting
from rootfs_trust.audit.trust import TrustedAnchor
from rootfs_trust.x509 import Certificate


class Renewal(NamedTuple):
    """A CA with the same name and key in both trees, and another certificate: new dates, most often."""

    before: TrustedAnchor
    after: TrustedAnchor


class SettingChange(NamedTuple):
    """A setting in which the trees differ; None where a tree does not have it."""

    key: str
    before: str | None
    after: str | None


class Difference(NamedTuple):
    """From the first tree to the second. Anchors are in the order of their names."""

    added: tuple[TrustedAnchor, ...]
    removed: tuple[TrustedAnchor, ...]
    renewed: tuple[Renewal, ...]
    moved: tuple[Renewal, ...]
    """The same certificate in other outputs: a client that found it does not any more, or the other way round."""
    settings: tuple[SettingChange, ...]

    def __bool__(self) -> bool:
        """Whether the trees differ at all."""
        return any(self)


def difference(
    before: Iterable[TrustedAnchor],
    after: Iterable[TrustedAnchor],
    settings_before: Iterable[FoundSetting],
    settings_after: Iterable[FoundSetting],
) -> Difference:
    """What has changed from one tree to the other."""
    old = {anchor.certificate.sha256: anchor for anchor in sorted(before, key=_order)}
    new = {anchor.certificate.sha256: anchor for anchor in sorted(after, key=_order)}
    added = [anchor for sha256, anchor in new.items() if sha256 not in old]
    removed = [anchor for sha256, anchor in old.items() if sha256 not in new]
    renewed = tuple(_renewals(removed, added))
    renewed_digests = {anchor.certificate.sha256 for pair in renewed for anchor in pair}
    both = (Renewal(old[sha256], new[sha256]) for sha256 in old if sha256 in new)
    return Difference(
        tuple(anchor for anchor in added if anchor.certificate.sha256 not in renewed_digests),
        tuple(anchor for anchor in removed if anchor.certificate.sha256 not in renewed_digests),
        renewed,
        tuple(pair for pair in both if set(pair.before.outputs) != set(pair.after.outputs)),
        tuple(_settings(settings_before, settings_after)),
    )


def _renewals(removed: Iterable[TrustedAnchor], added: Iterable[TrustedAnchor]) -> Iterable[Renewal]:
    """Pairs of the same subject and key, each certificate in one pair at most."""
    by_key: dict[tuple[bytes, bytes], list[TrustedAnchor]] = {}
    for anchor in removed:
        by_key.setdefault(_key(anchor.certificate), []).append(anchor)
    for anchor in added:
        same = by_key.get(_key(anchor.certificate))
        if same:
            yield Renewal(same.pop(0), anchor)


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
    """A line for each thing in which the trees differ: ``+`` added, ``-`` removed, ``~`` changed."""
    yield from (f"+ {_shown(anchor, verbose)}" for anchor in found.added)
    yield from (f"- {_shown(anchor, verbose)}" for anchor in found.removed)
    for pair in found.renewed:
        yield f"~ {_shown(pair.after, verbose)}, renewed: was until {_until(pair.before)}"
    for pair in found.moved:
        yield f"~ {pair.after.name}: in {_outputs(pair.after)}; was in {_outputs(pair.before)}"
    yield from map(_setting_told, found.settings)


def _shown(anchor: TrustedAnchor, verbose: bool) -> str:
    text = f"{anchor.name} ({anchor.origin}, until {_until(anchor)}, sha256 {anchor.certificate.sha256[:16]})"
    return f"{text} {anchor.certificate.subject.text}" if verbose else text


def _until(anchor: TrustedAnchor) -> str:
    ends = anchor.certificate.not_after
    return f"{ends:%Y-%m-%d}" if ends else "?"


def _outputs(anchor: TrustedAnchor) -> str:
    return ", ".join(anchor.outputs)


def _setting_told(change: SettingChange) -> str:
    if change.before is None:
        return f"+ {change.key} = {change.after}"
    if change.after is None:
        return f"- {change.key} = {change.before}"
    return f"~ {change.key} = {change.after}; was {change.before}"
