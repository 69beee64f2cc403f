"""Check how clients of the finished tree read the installed anchors: whether they ignore constraints, or cannot read an
anchor.
"""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.errors import CLIENT_CANNOT_READ, CONFLICT, FENCE_IGNORED, Problem, ProblemType
from rootfs_trust.inputs.constraints import WHERE_POSSIBLE
from rootfs_trust.rootfs.device import Device
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.x509.constrained import original_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rootfs_trust.audit.ignored_constraints import Gap


def seen_by_clients(finished: Device, installed: list[Anchor]) -> tuple[list[Problem], list[Problem]]:
    """Return the conflicts and the warnings about the anchors ``installed`` in ``finished``, the tree after the run."""
    if not installed:
        return [], []
    conflicts, warnings = _open_fences(finished, installed)
    return conflicts, [*warnings, *_unread(finished, installed)]


def _open_fences(finished: Device, installed: list[Anchor]) -> tuple[list[Problem], list[Problem]]:
    """Return a conflict for each constrained anchor whose constraints a client ignores, or a warning if its ``fence``
    allows that.
    """
    if not any(original_of(each.certificate) for each in installed):
        return [], []
    from rootfs_trust.audit.ignored_constraints import gaps

    found = list(gaps(finished, installed))
    conflicts = [_gap(CONFLICT, each) for each in found if not each.anchor.fence_where_possible]
    return conflicts, [_gap(FENCE_IGNORED, each) for each in found]


def _gap(kind: ProblemType, gap: Gap) -> Problem:
    hint = f'fence = "{WHERE_POSSIBLE}" at the [[anchor]] in rootfs-trust.toml installs it anyway'
    return kind(gap.path, f"{gap.message} ({gap.anchor.where}, client {gap.client})", hint)


def _unread(finished: Device, installed: list[Anchor]) -> Iterator[Problem]:
    """Yield a warning for each anchor that a client cannot read, except constrained anchors, which ``_open_fences``
    checks.
    """
    from rootfs_trust.audit.client_faults import blinds_somebody

    anchors = {each.certificate.sha256: each for each in installed if not original_of(each.certificate)}
    if not any(blinds_somebody(each.certificate) for each in anchors.values()):
        return
    from rootfs_trust.audit.unreadable_anchors import losses, of_anchors
    from rootfs_trust.clients.file_readers import file_reader

    for loss in of_anchors(losses(file_reader(finished)), anchors):
        if loss.certificate:
            where = anchors[loss.certificate.sha256].where
            message = f"{where}: {', '.join(loss.clients)}: {loss.reason}"
            hint = "have the CA issue a certificate that this client reads, or ship a version that reads this one"
            yield CLIENT_CANNOT_READ(loss.path, message, hint)
