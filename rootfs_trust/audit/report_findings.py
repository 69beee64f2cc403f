"""The findings of a report, grouped so that one kind is one paragraph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rootfs_trust.audit.findings import NOTE, Finding, FindingType

_FEW = 3
"""Maximum number of findings of one kind that are shown without a fold."""


class FindingGroup(NamedTuple):
    """All findings of one kind and level."""

    kind: FindingType
    level: str
    findings: tuple[Finding, ...]

    @property
    def fix(self) -> str:
        """The fix that all findings have in common, or else the general fix of the kind."""
        fixes = {finding.fix for finding in self.findings}
        return fixes.pop() if len(fixes) == 1 else self.kind.fix

    @property
    def is_long(self) -> bool:
        """Whether the list of findings is folded."""
        return len(self.findings) > _FEW

    @property
    def is_note(self) -> bool:
        """Whether the level is ``note``."""
        return self.level == NOTE


def finding_groups(findings: Iterable[Finding]) -> tuple[FindingGroup, ...]:
    """Group ``findings`` by kind and level, in their order."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.level, finding.id), []).append(finding)
    return tuple(FindingGroup(found[0].kind, level, tuple(found)) for (level, _), found in groups.items())
