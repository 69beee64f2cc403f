"""One root filesystem of a fleet, changed in two steps, so that a batch of them needs only two syncs."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from functools import cache
from hashlib import sha256

from rootfs_trust.api.apply_plan import verify_written
from rootfs_trust.api.open_tree import named_on_the_host
from rootfs_trust.api.planning import Decision, decide, layout_for
from rootfs_trust.errors import ConflictError, refuse
from rootfs_trust.fleet.change_detection import WatchedTree, stamp
from rootfs_trust.fleet.messages import CHANGED, SKIPPED, UNCHANGED, JournalEntry, TargetConfig, TargetResult, Task
from rootfs_trust.fleet.policies import load_job
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.rootfs.apply import Writer
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.result_cache import CachedResult
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import File, Symlink, View, join
from rootfs_trust.rootfs.writable import unwritable


class RootWork:
    """The task: call :meth:`stage`, then :meth:`publish`. ``result`` is None until the result is known.

    With ``durable``, every file is synced and the task waits for the lock of another run, as ``install`` does. Without
    it, the caller syncs after each step, and a locked tree is not changed.
    """

    def __init__(self, task: Task, *, durable: bool = False) -> None:
        self.task = task
        self.result: TargetResult | None = None
        self.writes = False
        self._durable = durable
        self._stack = ExitStack()
        self._writer: Writer | None = None

    def close(self) -> None:
        """Remove temporary files, and release the lock."""
        self._writer = None
        self._stack.close()

    def stage(self) -> None:
        """Plan the changes, and write temporary files. Raises InputError, ConflictError or ApplyError."""
        order = self.task.order
        self._tree = self._stack.enter_context(RootDirectory(self.task.path))
        if not self._locked():
            return
        done = self.task.done
        if done is not None and stamp(self._tree, done.places) == done.input:
            self.result = TargetResult(self.task.name, SKIPPED, done.digest)
            return
        self._watched = WatchedTree(self._tree)
        with named_on_the_host(self.task.path):
            self._lock_hash_directory()
            self._decision = _decide(order)(self._watched)
        if order.dry_run or not self._decision.plan.actions:
            self.result = self._with_state(CHANGED if self._decision.plan.actions else UNCHANGED)
        else:
            self._stage()

    def publish(self) -> None:
        """Rename the temporary files into place, and read the tree again. Raises ApplyError."""
        if self._writer is not None:
            self._writer.publish()
            desired, written = self._decision.desired, list(_written(self._decision))
            self._tree.forget(*written)
            verify_written(self._tree, {path: desired[path] for path in written if path in desired})
            self.result = self._with_state(CHANGED)

    def _stage(self) -> None:
        refuse(ConflictError, unwritable(self._tree, self._decision.plan))
        self.writes = True
        writer = Writer(
            self._tree,
            self._decision.plan,
            owner=self._tree.owner,
            timestamp=self.task.order.timestamp,
            durable=self._durable,
        )
        self._writer = self._stack.enter_context(writer)
        writer.stage()

    def _locked(self) -> bool:
        if not self._durable:
            return self._tree.try_lock()
        self._tree.lock()
        return True

    def _lock_hash_directory(self) -> None:
        """Lock the hash directory of the layout, before anything in it is read."""
        layout = layout_for(Device(self._watched), load_job(self.task.order))
        # Do not wait for a lock while other trees of the batch are open: the tree is done alone, later.
        self._tree.lock_hash_directory(layout.hash_directory, wait=self._durable)

    def _with_state(self, status: str) -> TargetResult:
        """Return the result, with the current state of the tree for the next run."""
        if self.task.order.dry_run and status == CHANGED:
            return TargetResult(self.task.name, status, "")
        digest = store_digest(self._tree, self._decision.layout)
        if self.task.order.dry_run:
            return TargetResult(self.task.name, status, digest)
        places = self._watched.places(_written(self._decision))
        done = JournalEntry(self.task.order.policy, stamp(self._tree, places), places, digest)
        return TargetResult(self.task.name, status, digest, None, done)


@cache
def _decide(order: TargetConfig) -> CachedResult[Decision]:
    """Return the function that plans the change of a tree. Trees with equal content share a decision."""
    job = load_job(order)
    return CachedResult(lambda view: decide(view, job))


def _written(decision: Decision) -> Iterable[str]:
    return (action.path for action in decision.plan.actions)


def store_digest(view: View, layout: Layout) -> str:
    """Return the SHA-256 of the bundle and of the entries of the hash directory. It is equal for equal stores."""
    digest = sha256(usedforsecurity=False)
    folder = layout.hash_directory
    paths = [layout.bundle, *(join(folder, name) for name in (view.names(folder) if folder else ()))]
    for path in paths:
        node = view.node(path, follow=path == layout.bundle)
        if isinstance(node, File):
            digest.update(repr((path, "file", sha256(node.content, usedforsecurity=False).digest())).encode())
        elif isinstance(node, Symlink):
            digest.update(repr((path, "link", node.points_to)).encode())
    return digest.hexdigest()
