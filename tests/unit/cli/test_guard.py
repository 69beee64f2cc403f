"""What nobody thought of: one line and status 4, never status 1, which is a verdict."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time

import pytest

from rootfs_trust.cli import run as cli
from tests.support.authority import Authority
from tests.support.command import PACKAGE
from tests.support.debian_tree import DebianTree
from tests.support.images import Tarball

MEBIBYTE = 1 << 20


@pytest.fixture
def broken(monkeypatch):
    """Makes ``list`` fail with the given exception, and gives its exit status."""

    def run(error, *words):
        def fail(*_arguments, **_options):
            raise error

        monkeypatch.setattr("rootfs_trust.cli.list.list_anchors", fail)
        monkeypatch.setattr(sys, "argv", ["rootfs-trust", "list", "--root", "/", *words])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code

    return run


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (KeyError("x"), "unexpected KeyError: 'x'"),
        (RecursionError("deep"), "unexpected RecursionError: deep"),
        (AssertionError(), "unexpected AssertionError"),
        (UnicodeEncodeError("utf-8", "\udc80", 0, 1, "no"), "unexpected UnicodeEncodeError"),
        (MemoryError(), "out of memory"),
        (SystemError("no exception"), "error: the Python interpreter failed: no exception; give the process"),
        (OSError(5, "Input/output error", "/x"), "/x: failed: Input/output error"),
        (ImportError("failed to map segment", name="_rust"), "error: _rust: cannot be loaded: failed to map segment"),
        (ImportError("no name x", name="rootfs_trust.text"), "unexpected ImportError"),
        (ModuleNotFoundError("No module named 'x'", name="x"), "unexpected ModuleNotFoundError"),
        (ZeroDivisionError("a\x1b[31mb\nc"), "a\\x1b[31mb\\nc"),
    ],
)
def test_an_unexpected_error_is_one_line_and_status_4(broken, capfd, error, word):
    assert broken(error) == 4
    out, err = capfd.readouterr()
    assert out == "" and word in err and len(err.splitlines()) == 1


def test_the_traceback_of_a_defect_is_shown_with_v(broken, capfd):
    assert broken(KeyError("x"), "-v") == 4
    assert "Traceback" in capfd.readouterr().err


def test_an_interrupt_is_status_130(broken, capfd):
    assert broken(KeyboardInterrupt()) == 130
    assert capfd.readouterr().err.endswith("rootfs-trust: interrupted\n")


def default_signals() -> None:
    """In the child: a job in the background inherits SIGINT and SIGHUP as ignored, and a command then ignores them."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_while_writing_sweeps_what_is_staged(tmp_path, number):
    """The process is stopped where its first staged file has just been made."""
    tree = DebianTree(tmp_path / "rootfs")
    before = tree.snapshot()
    program = f"""
import os, signal, sys
import rootfs_trust.rootfs.apply as apply
create = apply.Writer._create
def stop(folder, name):
    fd = create(folder, name)
    os.kill(os.getpid(), {number:d})
    return fd
apply.Writer._create = staticmethod(stop)
sys.argv = ["rootfs-trust", "install", "--root", {tree.root!r}]
from rootfs_trust.cli.run import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        timeout=60,
        check=False,
        preexec_fn=default_signals,
    )
    assert done.returncode == 128 + number, done.stderr.decode()
    assert done.stderr == b"rootfs-trust: interrupted\n"
    left = [name for name in tree.snapshot() if ".rootfs-trust" in name]
    assert left == [] and set(before) <= set(tree.snapshot())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_in_a_finalizer_ends_the_run(tmp_path, number):
    """Python drops what is raised there. The signal comes when a generator that is not exhausted closes its file."""
    DebianTree(tmp_path / "rootfs")
    (tmp_path / "a.tar").write_bytes(Tarball().tree(tmp_path / "rootfs", "").end())
    program = f"""
import os, sys, time
import rootfs_trust.image.host_files as host_files
close, closed = host_files.close, []
def stop(fd):
    close(fd)
    closed.append(fd)
    if len(closed) == 1:
        os.kill(os.getpid(), {number:d})
    elif len(closed) == 2:
        time.sleep(1)
host_files.close = stop
sys.argv = ["rootfs-trust", "image", "a.tar", "new.tar"]
from rootfs_trust.cli.run import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": PACKAGE, "PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=60,
        check=False,
        preexec_fn=default_signals,
    )
    assert (done.returncode, done.stderr) == (128 + number, b"rootfs-trust: interrupted\n")
    assert sorted(os.listdir(tmp_path)) == ["a.tar", "rootfs"]


def test_a_signal_while_waiting_for_the_lock_ends_the_run(tmp_path):
    import fcntl

    tree = DebianTree(tmp_path / "rootfs")
    held = os.open(tree.root, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    command = [sys.executable, "-m", "rootfs_trust", "install", "--root", tree.root]
    process = subprocess.Popen(command, preexec_fn=default_signals)  # noqa: PLW1509
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 128 + signal.SIGTERM
    os.close(held)


@pytest.mark.parametrize("words", [("check", "--format", "json"), ("list",), ("verify", "--chain")], ids=" ".join)
def test_too_little_memory_is_status_4_or_no_hindrance(tmp_path, words):
    """From where Python itself can start to where nothing is wanting."""
    tree = DebianTree(tmp_path / "rootfs")
    (chain := tmp_path / "chain.pem").write_bytes(Authority().server("device.test").pem)
    last = [str(chain)] if "--chain" in words else []
    command = [words[0], "--root", tree.root, "--at", "2030-01-01", *words[1:], *last]
    whole = _limited(command, 4096)
    statuses = {whole.returncode}
    for size in range(18, 90, 10):
        done = _limited(command, size)
        if done.stderr.startswith(b"Traceback") and b"rootfs_trust" not in done.stderr:
            continue  # Python itself cannot start
        assert done.returncode in (4, whole.returncode), (size, done.stderr.decode())
        assert (done.returncode == 4) or done.stdout == whole.stdout
        written = [line for line in done.stderr.splitlines() if not _BY_PYTHON.match(line)]
        assert all(line.startswith(b"rootfs-trust: ") for line in written), done.stderr.decode()
        reported = done.stdout.count(b'"errors": [') + done.stderr.count(b"rootfs-trust: error: ")
        assert reported == (done.returncode == 4), (done.stdout, done.stderr)
        statuses.add(done.returncode)
    assert 4 in statuses


_BY_PYTHON = re.compile(rb"Traceback \(|Exception ignored |MemoryError")
"""Lines that CPython writes from C if a finalizer fails because memory is short. Python code cannot prefix them."""


def _limited(words, mebibytes):
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (mebibytes * MEBIBYTE, mebibytes * MEBIBYTE))

    command = [sys.executable, "-m", "rootfs_trust", *words]
    environment = {"PYTHONPATH": PACKAGE, "PATH": os.environ["PATH"], "NO_COLOR": "1"}
    return subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False, preexec_fn=limit)


def test_an_error_before_the_command_line_is_loaded(tmp_path):
    program = """
import sys
sys.modules["click"] = None
from rootfs_trust.__main__ import main
main()
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env={"PYTHONPATH": PACKAGE}, capture_output=True, timeout=60, check=False)
    assert done.returncode == 4 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(b"rootfs-trust: error: cannot run: ModuleNotFoundError")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0, 0.1, 0.3])
def test_a_terminal_that_ends_a_whole_fleet(tmp_path, number, delay):
    """It signals all processes of the group, so workers get the signal too, while they start or work."""
    for name in ("a", "b", "c", "d"):
        DebianTree(tmp_path / name)
    (tmp_path / "ca.pem").write_bytes(Authority().pem)
    (tmp_path / "config.toml").write_text('[[anchor]]\nfile = "ca.pem"\n')
    (tmp_path / "fleet.toml").write_text('[[target]]\nroot = "?"\nconfig = "config.toml"\n')
    program = f"""
import os, sys, time
from concurrent.futures import wait
import rootfs_trust.fleet.schedule as schedule
def signalled(*words, **options):
    time.sleep({delay})
    os.killpg(0, {number:d})
    return wait(*words, **options)
if __name__ == "__main__":
    schedule.wait = signalled
    sys.argv = ["rootfs-trust", "fleet", "fleet.toml", "--jobs", "2"]
    from rootfs_trust.cli.run import main
    main()
"""
    (tmp_path / "program.py").write_text(program)
    command = [sys.executable, "program.py"]
    environment = {"PYTHONPATH": PACKAGE, "PATH": os.environ["PATH"]}
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
        start_new_session=True,
        preexec_fn=default_signals,
    )
    assert (done.returncode, done.stderr) == (128 + number, b"rootfs-trust: interrupted\n")
    assert not [path for path in tmp_path.rglob("*") if ".rootfs-trust-" in path.name]


def test_a_worker_that_is_terminated_while_it_starts_prints_nothing(tmp_path):
    program = """
import multiprocessing, os, signal, threading
from concurrent.futures.process import BrokenProcessPool
import rootfs_trust.fleet.executors as executors
def begin():
    threading.Thread.start = lambda self: os.kill(os.getpid(), signal.SIGTERM)
    executors._begin()
if __name__ == "__main__":
    pool = executors._Pool(1, mp_context=multiprocessing.get_context("spawn"), initializer=begin)
    try:
        pool.submit(int).result()
    except BrokenProcessPool:
        print("ended")
"""
    (tmp_path / "program.py").write_text(program)
    command = [sys.executable, "program.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": PACKAGE}, capture_output=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == (b"ended\n", b"")
