"""Views that answer from another view answer everything, the environment of an image too."""

from __future__ import annotations

import pytest

from rootfs_trust.fleet.change_detection import WatchedTree
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.device_state import TreeWithDeviceState
from rootfs_trust.rootfs.error_collecting_view import ErrorCollectingView
from rootfs_trust.rootfs.pass_through import PassThroughView
from rootfs_trust.rootfs.planned_tree import PlannedTree
from rootfs_trust.rootfs.read_recorder import ReadRecorder
from rootfs_trust.rootfs.result_cache import Asking, CachedResult
from rootfs_trust.rootfs.view import View
from tests.support.memory import Directory, File, MemoryTree, Symlink

ENVIRONMENT = {"SSL_CERT_FILE": "/opt/ca.pem"}
TREE = MemoryTree({"/d/f": File(b"x"), "/d/link": Symlink("f")}, ENVIRONMENT)
WRAPPERS = (
    PassThroughView,
    ReadRecorder,
    ErrorCollectingView,
    WatchedTree,
    Asking,
    lambda view: PlannedTree(Device(view), {}),
    lambda view: TreeWithDeviceState(view, []),
)


@pytest.mark.parametrize("wrap", WRAPPERS)
def test_a_wrapper_has_the_environment_of_its_view(wrap) -> None:
    assert Device(wrap(TREE)).environment == ENVIRONMENT
    assert Device(wrap(MemoryTree())).environment == {}


@pytest.mark.parametrize("wrap", WRAPPERS)
def test_a_wrapper_passes_every_answer_on(wrap) -> None:
    view: View = wrap(TREE)
    assert view.node("/d/link") == Symlink("f")
    assert view.node("/d/link", follow=True) == File(b"x")
    assert (view.kind("/d"), view.kind("/d/link", follow=False)) == (Directory, Symlink)
    assert view.names("/d") == ["f", "link"]
    assert view.real_path("/d/link") == "/d/f"
    assert (view.extended_attributes("/d/f"), view.mounted("/d/f"), view.modified("/d/f")) == ({}, False, 0)


def test_a_result_is_not_used_for_a_tree_with_other_variables() -> None:
    remembered = CachedResult(lambda view: (view.kind("/d"), Device(view).environment.get("SSL_CERT_FILE")))
    trees = [MemoryTree(TREE.entries, {"SSL_CERT_FILE": path}) for path in ("/a", "/b", "/a")]
    assert [remembered(each) for each in trees] == [(Directory, "/a"), (Directory, "/b"), (Directory, "/a")]
