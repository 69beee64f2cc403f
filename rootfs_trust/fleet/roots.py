"""One root filesystem of a fleet, in two steps, so that a batch of them shares each sync."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from hashlib import sha256

from rootfs_trust.api.carry_out import look_again
from rootfs_trust.api.decide import Decision, decide
from rootfs_trust.fleet.jobs import CHANGED, SKIPPED, UNCHANGED, Done, Result, Task
from rootfs_trust.fleet.policies import ordered
from rootfs_trust.rootfs.apply import Writer
from rootfs_trust.rootfs.door import Root
from rootfs_trust.rootfs.nodes import File, Symlink, View, join
from rootfs_trust.rootfs.stamps import Watched, stamp
from rootfs_trust.store.layout import Layout


class RootWork:
    """The task, begun by :meth:`stage` and ended by :meth:`publish`; ``result`` is None until it is known.

    With ``durable`` everything is synced file by file and another run's lock is waited for, as ``install`` does;
    without, the caller syncs after each step, and a tree that is locked is left alone.
    """

    def __init__(self, task: Task, *, durable: bool = False) -> None:
        self.task = task
        self.result: Result | None = None
        self.writes = False
        self._durable = durable
        self._stack = ExitStack()
        self._writer: Writer | None = None

    def close(self) -> None:
        """Let go of the tree: what is staged is taken away, and the lock."""
        self._writer = None
        self._stack.close()

    def stage(self) -> None:
        """Decide, and stage what has to be written. Raises InputError, ConflictError or ApplyError."""
        order = self.task.order
        self._tree = self._stack.enter_context(Root(self.task.path))
        if not self._locked():
            return
        done = self.task.done
        if done is not None and stamp(self._tree, done.places) == done.input:
            self.result = Result(self.task.name, SKIPPED, done.digest)
            return
        self._watched = Watched(self._tree)
        self._decision = decide(self._watched, ordered(order))
        if order.dry_run or not self._decision.plan.actions:
            self.result = self._told(CHANGED if self._decision.plan.actions else UNCHANGED)
        else:
            self._stage()

    def publish(self) -> None:
        """Put into place what is staged, and look again. Raises ApplyError."""
        if self._writer is not None:
            self._writer.publish()
            desired, written = self._decision.desired, list(_written(self._decision))
            self._tree.forget(*written)
            look_again(self._tree, {path: desired[path] for path in written if path in desired})
            self.result = self._told(CHANGED)

    def _stage(self) -> None:
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

    def _told(self, status: str) -> Result:
        """The result, with the state of the tree as it is now for the next run."""
        if self.task.order.dry_run and status == CHANGED:
            return Result(self.task.name, status, "")
        digest = store_digest(self._tree, self._decision.layout)
        if self.task.order.dry_run:
            return Result(self.task.name, status, digest)
        places = self._watched.places(_written(self._decision))
        done = Done(self.task.order.policy, stamp(self._tree, places), places, digest)
        return Result(self.task.name, status, digest, None, done)


def _written(decision: Decision) -> Iterable[str]:
    return (action.path for action in decision.plan.actions)


def store_digest(view: View, layout: Layout) -> str:
    """SHA-256 over the bundle and the entries of the hash directory: two trees with the same store have the same."""
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
