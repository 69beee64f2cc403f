"""A view that looks at each entry once."""

from __future__ import annotations

from collections import Counter

import pytest

from rootfs_trust.errors import InputError, Problem
from rootfs_trust.rootfs import caching_view
from rootfs_trust.rootfs.caching_view import CachingView
from rootfs_trust.rootfs.view import File, Symlink
from tests.support.memory import MemoryTree


class Counting(MemoryTree):
    """Counts what is asked, and cannot read /etc/bad."""

    def __init__(self) -> None:
        super().__init__({"/etc/ca.pem": File(b"content"), "/etc/link": Symlink("ca.pem")})
        self.asked: Counter[str] = Counter()

    def node(self, path, *, follow=False):
        self.asked[f"node {path}"] += 1
        if path == "/etc/bad":
            raise InputError(Problem("unreadable", path, "cannot be read"))
        return super().node(path, follow=follow)

    def kind(self, path, *, follow=True):
        self.asked[f"kind {path}"] += 1
        return super().kind(path, follow=follow)

    def real_path(self, path):
        self.asked[f"real_path {path}"] += 1
        return super().real_path(path)


def seen(view: CachingView) -> tuple:
    return (
        view.node("/etc/link", follow=True),
        view.node("/etc/missing"),
        view.kind("/etc/ca.pem"),
        view.real_path("/etc/link"),
    )


def test_what_was_seen_is_not_looked_at_again():
    tree = Counting()
    view = CachingView(tree)
    assert seen(view) == (File(b"content"), None, File, "/etc/ca.pem")
    tree.asked.clear()
    assert seen(view) == (File(b"content"), None, File, "/etc/ca.pem")
    assert not tree.asked


def test_a_link_and_its_target_are_two_answers():
    view = CachingView(Counting())
    assert view.node("/etc/link") == Symlink("ca.pem")
    assert view.node("/etc/link", follow=True) == File(b"content")
    assert (view.kind("/etc/link", follow=False), view.kind("/etc/link")) == (Symlink, File)


def test_an_error_is_raised_each_time():
    view = CachingView(Counting())
    for _ in range(2):
        with pytest.raises(InputError):
            view.node("/etc/bad")


def test_contents_are_kept_up_to_a_limit(monkeypatch):
    monkeypatch.setattr(caching_view, "_ROOM", 10)
    tree = Counting()
    view = CachingView(tree)
    for path in ("/etc/ca.pem", "/etc/link") * 2:
        assert view.node(path, follow=True) == File(b"content")
    assert tree.asked["node /etc/link"] == 2
