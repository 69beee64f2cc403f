"""With which clock a device starts, and what sets it then."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rootfs_trust.audit.first_boot import first_boot_clock, image_clock, time_sources
from rootfs_trust.rootfs.view import File
from tests.support.memory import MemoryTree

DEBIANS = b"6.1.0-26-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian 6.1.112-1 (2024-09-30)\0"
PLAIN = b"Linux version 6.6.51 (oe-user@oe-host) (gcc) #1 SMP PREEMPT Thu Sep 12 09:13:01 UTC 2024\n"


def tree(**files: bytes) -> MemoryTree:
    return MemoryTree({path: File(content) for path, content in files.items()})


CLOCKS = {
    "systemd": ({"/usr/lib/clock-epoch": b""}, datetime(1970, 1, 1)),
    "fake-hwclock": ({"/etc/fake-hwclock.data": b"2025-03-04 05:06:07\n"}, datetime(2025, 3, 4, 5, 6, 7)),
    "sysvinit of OE": ({"/etc/timestamp": b"20250304050607"}, datetime(2025, 3, 4, 5, 6, 7)),
    "Debian's kernel": ({"/boot/vmlinuz-6.1.0-26-amd64": b"MZ" + DEBIANS}, datetime(2024, 9, 30)),
    "a kernel": ({"/boot/Image-6.6.51": PLAIN}, datetime(2024, 9, 12, 9, 13, 1)),
    "the latest": (
        {"/etc/timestamp": b"20250304050607", "/etc/fake-hwclock.data": b"2026-01-01 00:00:00"},
        datetime(2026, 1, 1),
    ),
    "a kernel is the last resort": ({"/boot/Image": PLAIN, "/etc/timestamp": b"20200101000000"}, datetime(2020, 1, 1)),
}


@pytest.mark.parametrize(("files", "at"), CLOCKS.values(), ids=CLOCKS)
def test_the_clock_of_the_first_boot(files, at, monkeypatch):
    view = tree(**files)
    monkeypatch.setattr(MemoryTree, "modified", lambda self, path: 0 if path in self.entries else None)
    clock = first_boot_clock(view)
    assert clock is not None and clock.at == at.replace(tzinfo=UTC) and clock.path in files


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"/etc/timestamp": b"2025030405060"},
        {"/etc/timestamp": b"20251304050607"},
        {"/etc/fake-hwclock.data": b"\xff"},
        {"/boot/vmlinuz": b"#1 SMP Thu Foo 12 09:13:01 UTC 2024"},
        {"/boot/vmlinuz": b"#1 SMP (2024-19-30)"},
        {"/boot/initrd.img": PLAIN},
    ],
)
def test_a_tree_that_does_not_show_it(files):
    assert first_boot_clock(tree(**files)) is None


def test_a_kernel_is_not_read_for_the_anchors():
    assert image_clock(tree(**{"/boot/Image": PLAIN})) is None


SOURCES = {
    "timesyncd": ({"/usr/lib/systemd/systemd-timesyncd": b""}, [("systemd-timesyncd", False)]),
    "chrony": ({"/etc/chrony/chrony.conf": b"pool 2.debian.pool.ntp.org iburst\n"}, [("chrony", False)]),
    "chrony without configuration": ({"/usr/sbin/chronyd": b""}, [("chrony", False)]),
    "NTS": ({"/etc/chrony.conf": b"server time.cloudflare.com iburst nts\n"}, [("chrony", True)]),
    "NTS in another file": (
        {"/etc/chrony.conf": b"sourcedir /etc/chrony/sources.d\n", "/etc/chrony/sources.d/a.sources": b"pool x nts\n"},
        [("chrony", True)],
    ),
    "NTS and a server without": ({"/etc/chrony.conf": b"server a nts\nserver b\n"}, [("chrony", False)]),
    "a server that is called nts": ({"/etc/chrony.conf": b"server nts.example\n"}, [("chrony", False)]),
    "a comment": ({"/etc/chrony.conf": b"server a\n# server b nts\n"}, [("chrony", False)]),
    "NTS that ignores dates at first": (
        {"/etc/chrony.conf": b"server a nts\nnocerttimecheck 1\n"},
        [("chrony", False)],
    ),
    "ntpsec": ({"/etc/ntpsec/ntp.conf": b"server a nts\n"}, [("ntpsec", True)]),
    "htpdate": ({"/usr/sbin/htpdate": b""}, [("htpdate", True)]),
    "nothing": ({}, []),
}


@pytest.mark.parametrize(("files", "sources"), SOURCES.values(), ids=SOURCES)
def test_what_sets_the_clock(files, sources):
    assert [(each.name, each.needs_tls) for each in time_sources(tree(**files))] == sources
