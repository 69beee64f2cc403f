"""The journal of ``fleet --check``: the results of the targets that a run has checked, and the time of the check.

A run that is continued prints these results again, for targets that have not changed since. Its lines are those of
:mod:`~rootfs_trust.fleet.journal`, which ignores them, as this module ignores the lines of a run that writes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rootfs_trust.audit.check import KINDS
from rootfs_trust.audit.findings import Expectation, Finding
from rootfs_trust.audit.who_trusts import Trusting
from rootfs_trust.fleet.change_detection import StampedPlace
from rootfs_trust.fleet.journal import JournalFile
from rootfs_trust.fleet.messages import CheckEntry, CheckResult, ServerState

_BEGAN, _ENDED, _CHECKED = "check began", "check ended", "checked"
_TEXTS = ("level", "path", "message", "fix", "line", "sha256", "name", "cause", "command")
"""The fields of a finding that the journal stores unchanged. Commands are not stored, because a fleet tries none."""


Key = tuple[str, tuple[str, ...], str]
"""What identifies a result: the name of the target, its device states, and the policy."""


class CheckJournal(JournalFile):
    """The journal at ``path``, locked for this run while it is open. Raises InputError."""

    def begin(self, at: datetime) -> None:
        """Record that a check at the time ``at`` begins or continues."""
        self.append([{_BEGAN: at.isoformat()}])

    def end(self) -> None:
        """Record that every target was checked."""
        self.append([{_ENDED: True}])

    def note(self, results: Iterable[CheckResult]) -> None:
        """Append the results that can be used again, and sync the journal."""
        self.append([_document(result, result.done) for result in results if result.done is not None])

    def unfinished(self) -> datetime | None:
        """Return the time of the last check if it did not end, or None."""
        at = None
        for _, record in self.records():
            if isinstance(began := record.get(_BEGAN), str):
                with contextlib.suppress(ValueError):
                    at = datetime.fromisoformat(began)
            elif _ENDED in record:
                at = None
        return None if at is None or at.tzinfo is None else at

    def positions(self) -> dict[Key, int]:
        """Return where the last result of each target is. Results stay on the disk."""
        return {_key(record): position for position, record in self.records() if _CHECKED in record}

    def result(self, position: int) -> CheckResult | None:
        """Return the result at ``position``, or None if it cannot be used."""
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            return _result(self.record(position))
        return None


def _key(record: dict[str, Any]) -> Key:
    states = record.get("states")
    names = tuple(map(str, states)) if isinstance(states, list) else ()
    return str(record[_CHECKED]), names, str(record.get("policy"))


def _document(result: CheckResult, done: CheckEntry) -> dict[str, Any]:
    return {
        _CHECKED: result.target,
        "status": result.status,
        "findings": [_finding_document(finding) for finding in result.findings],
        "servers": [{**state._asdict(), "until": state.until and state.until.isoformat()} for state in result.servers],
        "trusted_by": [trusting._asdict() for trusting in result.trusted_by],
        **done._asdict(),
    }


def _finding_document(finding: Finding) -> dict[str, Any]:
    texts = {name: getattr(finding, name) for name in _TEXTS}
    return {"id": finding.id, **texts, "expectation": finding.expectation}


def _result(record: dict[str, Any]) -> CheckResult:
    places = tuple(None if part is None else tuple(StampedPlace(*place) for place in part) for part in record["places"])
    return CheckResult(
        record[_CHECKED],
        record["status"],
        tuple(map(_finding, record["findings"])),
        tuple(map(_server, record["servers"])),
        tuple(Trusting(**each) for each in record["trusted_by"]),
        done=CheckEntry(record["policy"], tuple(record["states"]), record["input"], places),
    )


def _finding(record: dict[str, Any]) -> Finding:
    expectation = record.pop("expectation")
    found = None if expectation is None else Expectation(*expectation)
    return Finding(KINDS[record.pop("id")], **record, expectation=found)


def _server(record: dict[str, Any]) -> ServerState:
    until = record["until"] and datetime.fromisoformat(record["until"])
    return ServerState(record["name"], until, tuple(record["refused_by"]), record["refused"])
