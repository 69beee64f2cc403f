"""Record the files that a check reads from a target and its device states, and detect changes in them."""

from __future__ import annotations

from hashlib import sha256

from rootfs_trust.api.open_tree import host_path
from rootfs_trust.errors import InputError
from rootfs_trust.fleet.change_detection import StampedPlace, WatchedTree, stamp
from rootfs_trust.fleet.image_stamp import image_stamp
from rootfs_trust.fleet.messages import CheckEntry, CheckTask
from rootfs_trust.rootfs.device_state import parse_state
from rootfs_trust.rootfs.root_directory import RootDirectory

Places = tuple[tuple[StampedPlace, ...] | None, ...]


class Watcher:
    """Records what is read in the directories of one task. Call it with each of them, in the order of the task."""

    def __init__(self, task: CheckTask) -> None:
        self._task = task
        self._watched: list[WatchedTree] = []

    def __call__(self, root: RootDirectory) -> WatchedTree:
        """Return the tree ``root``, watched."""
        self._watched.append(WatchedTree(root))
        return self._watched[-1]

    def entry(self) -> CheckEntry:
        """Return the entry for the journal. Raises InputError for an unreadable directory."""
        places = tuple(each.places() for each in self._watched)
        is_image = len(places) == len(self._task.states)
        all_places = (None, *places) if is_image else places
        task = self._task
        return CheckEntry(task.order.policy, task.states, input_stamp(task, all_places), all_places)


def is_unchanged(task: CheckTask) -> bool:
    """Return whether the result of an earlier run still holds."""
    done = None if task.done is None else task.done.done
    if done is None or len(done.places) != len(task.states) + 1:
        return False
    try:
        return input_stamp(task, done.places) == done.input
    except InputError:  # the check reports it
        return False


def input_stamp(task: CheckTask, places: Places) -> str:
    """Return the SHA-256 of the metadata of ``places``. Raises InputError for an unreadable directory."""
    digest = sha256(usedforsecurity=False)
    folders = (task.path, *(parse_state(text).directory for text in task.states))
    for path, part in zip(folders, places, strict=True):
        digest.update(repr((path, image_stamp(host_path(path)) if part is None else _stamp(path, part))).encode())
    return digest.hexdigest()


def _stamp(path: str, places: tuple[StampedPlace, ...]) -> str:
    with RootDirectory(path) as root:
        return stamp(root, places)
