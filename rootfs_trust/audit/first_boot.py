"""Find the time at which a device's clock starts at its first boot, and the programs that then set it.

A device without a battery-backed clock starts with the time of its image. Until a program has set the clock, it refuses
every certificate that is not valid yet at that time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.view import Directory, File, View, join, read
from rootfs_trust.times import from_seconds


class FirstClock(NamedTuple):
    """The time of the clock at the first boot, and the path that it was read from."""

    at: datetime
    path: str


class TimeSource(NamedTuple):
    """A program of the tree that sets the clock from the network; ``path`` is its configuration or itself."""

    name: str
    path: str
    needs_tls: bool
    """Whether it authenticates every server with TLS, so that it needs a correct clock itself."""


_MODIFIED = ("/usr/lib/clock-epoch", "/var/lib/systemd/timesync/clock")
"""Files to whose modification time systemd sets a clock that is behind (systemd(1), systemd-timesyncd(8))."""

_TEXTS = (
    ("/etc/timestamp", re.compile(rb"([0-9]{4})" + rb"([0-9]{2})" * 5)),
    ("/etc/fake-hwclock.data", re.compile(rb"([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})")),
)
"""Files with a time in UTC, to which bootmisc.sh of OE-core's sysvinit and fake-hwclock(8) set a clock that is behind.
"""

_KERNELS = re.compile(r"(vmlinuz|vmlinux|bzImage|zImage|Image|kernel)\b")
_BUILT = re.compile(
    rb"#[0-9]{1,6} [ -~]{0,80}?(?:\(([0-9]{4})-([0-9]{2})-([0-9]{2})\)"
    rb"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ 0-9][0-9]) "
    rb"([0-9]{2}):([0-9]{2}):([0-9]{2}) [A-Z]{1,5} ([0-9]{4}))"
)
"""The version string of the kernel (``uname -v``). It ends with the build time, on Debian with a date."""


_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


def image_clock(view: View) -> FirstClock | None:
    """Return the latest time to which a program of the image sets a clock that is behind, or None."""
    return max(_times(view), default=None)


def first_boot_clock(view: View) -> FirstClock | None:
    """Return :func:`image_clock`, or else the build time of the kernel, which is close to the build time of systemd,
    its last resort.
    """
    return image_clock(view) or max(_kernels(view), default=None)


def _times(view: View) -> Iterator[FirstClock]:
    for path in _MODIFIED:
        seconds = view.modified(path)
        if seconds is not None:
            yield FirstClock(from_seconds(seconds), path)
    for path, form in _TEXTS:
        found = form.fullmatch((read(view, path) or b"").strip())
        moment = _moment(*found.groups()) if found else None
        if moment:
            yield FirstClock(moment, path)


def _kernels(view: View) -> Iterator[FirstClock]:
    paths = [join("/boot", name) for name in view.names("/boot") if _KERNELS.match(name)]
    for path in (*paths, "/vmlinuz"):
        built = _BUILT.search(_content(view, path))
        moment = _build_time(built.groups()) if built else None
        if moment:
            yield FirstClock(moment, path)


def _build_time(found: tuple[bytes | None, ...]) -> datetime | None:
    day, (month, of_month, *clock, year) = found[:3], found[3:]
    if day[0]:
        return _moment(*day)
    if month not in _MONTHS:
        return None
    return _moment(year, b"%d" % (_MONTHS.index(month) + 1), of_month, *clock)


def _content(view: View, path: str) -> bytes:
    """Return the content of a file, or nothing if it is too large."""
    try:
        return read(view, path) or b""
    except InputError:
        return b""


def _moment(*numbers: bytes | None) -> datetime | None:
    """Return a time in UTC from year, month, day, hour, minute and second. The last three default to 0."""
    try:
        return datetime(*(int(each or 0) for each in numbers), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return None


# -- what sets the clock ---------------------------------------------------------------------------------------

_CHRONY = ("/etc/chrony.conf", "/etc/chrony/chrony.conf")
_CHRONY_DIRECTORIES = (
    ("/etc/chrony/conf.d", ".conf"),
    ("/etc/chrony/sources.d", ".sources"),
    ("/etc/chrony.d", ".conf"),
)
_NTPSEC = ("/etc/ntpsec/ntp.conf",)
_SERVER = re.compile(rb"^[ \t]*(?:server|pool|peer)[ \t]+(.*)$", re.MULTILINE | re.IGNORECASE)
_NTS = re.compile(rb"(?:^|[ \t])nts(?:[ \t]|$)", re.IGNORECASE)
_NO_TIME_CHECK = re.compile(rb"^[ \t]*nocerttimecheck[ \t]+[1-9]", re.MULTILINE | re.IGNORECASE)
"""chrony.conf(5): the number of clock updates during which NTS ignores the dates of certificates."""

_PROGRAMS = (
    ("systemd-timesyncd", False, ("/usr/lib/systemd/systemd-timesyncd", "/lib/systemd/systemd-timesyncd")),
    ("chrony", False, ("/usr/sbin/chronyd",)),
    ("ntpsec", False, ("/usr/sbin/ntpd",)),
    ("openntpd", False, ("/usr/sbin/openntpd",)),
    ("htpdate", True, ("/usr/sbin/htpdate", "/usr/bin/htpdate")),
    ("tlsdate", True, ("/usr/sbin/tlsdated", "/usr/bin/tlsdate")),
)
"""Programs, whether they use TLS by default, and their paths."""


def time_sources(view: View) -> tuple[TimeSource, ...]:
    """Return the programs of the tree that set the clock, by their files and configuration."""
    found = {name: TimeSource(name, path, tls) for name, tls, paths in _PROGRAMS for path in paths if _is(view, path)}
    for name, files in (("chrony", _chrony_files(view)), ("ntpsec", _NTPSEC)):
        texts = {path: read(view, path) or b"" for path in files if _is(view, path)}
        if texts:
            found[name] = TimeSource(name, next(iter(texts)), _nts_only(b"\n".join(texts.values())))
    return tuple(found.values())


def _chrony_files(view: View) -> Iterator[str]:
    yield from _CHRONY
    for directory, end in _CHRONY_DIRECTORIES:
        names = view.names(directory) if view.kind(directory) is Directory else ()
        yield from (join(directory, name) for name in names if name.endswith(end))


def _nts_only(text: bytes) -> bool:
    servers = _SERVER.findall(text)
    return bool(servers) and all(map(_NTS.search, servers)) and not _NO_TIME_CHECK.search(text)


def _is(view: View, path: str) -> bool:
    return view.kind(path) is File
