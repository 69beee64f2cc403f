"""What is wrong around a run: the disk, the limits, the streams, the clock, and signals.

Each item gives a Setup; the input is sane. A run that fails must leave what the next plain run completes.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import struct
from datetime import UTC, datetime
from random import Random

from tests.hostile.corpus import condition
from tests.hostile.hands import Hands
from tests.hostile.process import Setup
from tests.hostile.world import World

_libc = ctypes.CDLL(None, use_errno=True)
_GET_FLAGS, _SET_FLAGS = 0x80086601, 0x40086602
_IMMUTABLE, _APPEND_ONLY = 0x10, 0x20
_NOBODY = 65534


def _commands(world: World, random: Random) -> tuple[str, ...]:
    ca = f"{world.given}/ca.pem"
    return random.choice(
        (
            ("install", "--root", world.root, "--cert", ca, "--cloud", "c8y"),
            ("install", "--root", world.root, "--cert", ca, "--format", "json"),
            ("install", "--root", world.root, "--cert", ca, "--provenance", f"{world.out}/p.json"),
            ("remove", "--root", world.root, world.base.names[0]),
            ("rehash", f"{world.root}/etc/ssl/certs"),
            ("image", world.root, f"{world.out}/copy", "--cert", ca),
            ("report", "--root", world.root, "-o", f"{world.out}/page.html"),
            ("sbom", "--root", world.root, "-o", f"{world.out}/x.json"),
            ("check", "--root", world.root, "--format", "json"),
            ("verify", "--root", world.root, "--chain", f"{world.given}/chain.pem"),
            ("list", "--root", world.root),
            ("diff", world.root, world.root),
            ("init", "--root", world.root, "--no-input", "--config", f"{world.out}/new.toml"),
        )
    )


@condition(rounds=8)
def signals(world: World, random: Random) -> Setup:
    return Setup(
        _commands(world, random), signal=random.choice((signal.SIGTERM, signal.SIGINT)), after=random.random() * 0.12
    )


@condition(rounds=8)
def few_descriptors(world: World, random: Random) -> Setup:
    return Setup(_commands(world, random), files=random.randint(3, 16))


@condition(rounds=8)
def little_memory(world: World, random: Random) -> Setup:
    return Setup(_commands(world, random), memory=random.randrange(0, 24 << 20, 1 << 16))


@condition(rounds=8)
def small_files_only(world: World, random: Random) -> Setup:
    return Setup(_commands(world, random), largest_file=random.choice((0, 1, 100, 700, 1500, 4096, 9000)))


@condition(rounds=6)
def full_disk(world: World, random: Random) -> Setup:
    """The tree and the results are on a file system of which little is left."""
    room = random.choice((0, 1, 2, 4, 8, 16))

    def before() -> None:
        _fill(world.root, room)
        _fill(world.out, room)

    def undo() -> None:
        for folder in (world.root, world.out):
            os.unlink(f"{folder}/.fill")

    words = _commands(world, random)
    if not _small_disk(world.root) or not _small_disk(world.out):
        return Setup(words)
    world.tree.close()
    world.tree = Hands(world.root)  # what is mounted there, not what is below
    world.build(world.base)
    return Setup(words, before=before, undo=undo)


def _small_disk(path: str) -> bool:
    return _libc.mount(b"none", os.fsencode(path), b"tmpfs", 0, b"size=3m") == 0


def _fill(folder: str, pages: int) -> None:
    free = os.statvfs(folder).f_bavail - pages
    with open(f"{folder}/.fill", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free) * 4096)


@condition(rounds=4)
def read_only_disk(world: World, random: Random) -> Setup:
    path = os.fsencode(world.root)

    def before() -> None:
        _libc.mount(path, path, None, 0x1000, None)
        _libc.mount(b"none", path, None, 0x1000 | 0x20 | 0x1, None)

    return Setup(_commands(world, random), before=before, undo=lambda: _libc.umount2(path, 2))


@condition(rounds=6)
def immutable_entries(world: World, random: Random) -> Setup:
    """Files and directories that even root cannot change until their flag is cleared."""
    paths = [path for path in world.base.paths if b"ssl" in path or b"pki" in path or b"ca-cert" in path]
    chosen = [os.fsencode(world.root) + b"/" + path for path in random.sample(paths, min(4, len(paths)))]
    flag = random.choice((_IMMUTABLE, _IMMUTABLE, _APPEND_ONLY))

    def flags(value: int) -> None:
        for path in chosen:
            try:
                fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError:
                continue
            try:
                fcntl.ioctl(fd, _SET_FLAGS, struct.pack("l", value))
            except OSError:
                pass  # this file system has no such flags
            finally:
                os.close(fd)

    return Setup(_commands(world, random), before=lambda: flags(flag), undo=lambda: flags(0))


@condition(rounds=4)
def closed_streams(world: World, random: Random) -> Setup:
    closed = random.sample((0, 1, 2), random.randint(1, 3))

    def inside() -> None:
        for fd in closed:
            os.close(fd)

    return Setup(_commands(world, random), inside=inside)


@condition(rounds=4)
def full_streams(world: World, random: Random) -> Setup:
    """What is printed cannot be."""
    full = random.sample((1, 2), random.randint(1, 2))

    def inside() -> None:
        for fd in full:
            os.dup2(os.open("/dev/full", os.O_WRONLY), fd)

    return Setup(_commands(world, random), inside=inside)


@condition(rounds=3)
def readers_that_went_away(world: World, random: Random) -> Setup:
    def inside() -> None:
        reading, writing = os.pipe()
        os.close(reading)
        os.dup2(writing, random.choice((1, 2)))

    return Setup(_commands(world, random), inside=inside)


@condition(rounds=4)
def odd_clocks(world: World, random: Random) -> Setup:
    now = random.choice(
        (
            datetime(1970, 1, 1, tzinfo=UTC),
            datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC),
            datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
            datetime.min.replace(tzinfo=UTC),
            datetime.max.replace(tzinfo=UTC),
        )
    )

    def inside() -> None:
        import sys

        from rootfs_trust.api import clock

        for module in list(sys.modules.values()):
            if getattr(module, "utc_now", None) is clock.utc_now and module is not clock:
                module.utc_now = lambda: now  # type: ignore[attr-defined]
        clock.utc_now = lambda: now

    return Setup(_commands(world, random), inside=inside)


@condition(rounds=5)
def odd_environments(world: World, random: Random) -> Setup:
    choices = (
        {
            "SOURCE_DATE_EPOCH": random.choice(
                ("0", "-1", "99999999999", "999999999999", "x", "1.5", "", "٣", "253402300800", "9" * 5000)
            )
        },
        {"LC_ALL": "tr_TR.UTF-8", "TZ": "/etc/passwd", "COLUMNS": random.choice(("0", "-5", "x", "9" * 30, "1"))},
        {"COLUMNS": "1", "NO_COLOR": "\x1b", "FORCE_COLOR": "1", "PAGER": "false"},
        {"HOME": "/nowhere", "TMPDIR": "/nowhere", "XDG_CACHE_HOME": "/dev/null", "PYTHONWARNINGS": "error"},
        {"SSL_CERT_FILE": "/dev/zero", "OPENSSL_CONF": "/dev/zero", "SSL_CERT_DIR": "\x1b"},
    )
    return Setup(_commands(world, random), environment=random.choice(choices))


@condition(rounds=3)
def without_proc(world: World, random: Random) -> Setup:
    """As in a bare chroot. A signed bundle must not be replaced unasked."""
    world.tree.attribute("etc/ssl/certs/ca-certificates.crt", "user.label", b"kept")

    def inside() -> None:
        if _libc.unshare(0x20000) == 0:
            _libc.mount(b"none", b"/proc", b"tmpfs", 0, None)

    return Setup(_commands(world, random), inside=inside)


@condition(rounds=2)
def a_current_directory_that_is_gone(world: World, random: Random) -> Setup:
    def inside() -> None:
        os.mkdir(f"{world.work}/gone")
        os.chdir(f"{world.work}/gone")
        os.rmdir(f"{world.work}/gone")

    return Setup(_commands(world, random), inside=inside)


@condition(rounds=2)
def few_processes(world: World, random: Random) -> Setup:
    """No thread and no process more can be started."""
    import resource

    _give_away(world)
    world.files.file("fleet.toml", b'[[target]]\nroot = "../in/rootfs"\nconfig = "sane.toml"\n')

    def inside() -> None:
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        _become_nobody()

    return Setup(("fleet", f"{world.given}/fleet.toml", "--jobs", "1"), inside=inside)


@condition(rounds=3)
def an_ordinary_user(world: World, random: Random) -> Setup:
    """Who may write to nothing, or to the tree only, in which others own some entries."""
    if random.random() < 0.6:
        _give_away(world, random)
    return Setup(_commands(world, random), inside=_become_nobody)


def _give_away(world: World, random: Random | None = None) -> None:
    """To a user without rights: everything, or most of it."""
    for top in (world.root, world.out, world.work, world.given):
        for folder, folders, files in os.walk(top):
            for name in (*folders, *files, "."):
                if os.geteuid() == 0 and (random is None or random.random() < 0.9):
                    os.chown(f"{folder}/{name}", _NOBODY, _NOBODY, follow_symlinks=False)


def _become_nobody() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
