"""Few descriptors, and no /proc: a run needs few of them, and loses nothing in silence."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rootfs_trust.rootfs.descriptor_calls import read_extended_attributes
from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree
from tests.support.peers import needs_mounts, peer


def limited(limit: int, *words: str) -> subprocess.CompletedProcess[bytes]:
    program = f"import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit})); "
    program += "sys.argv[0] = 'rootfs-trust'; from rootfs_trust.cli.run import main; main()"
    return subprocess.run([sys.executable, "-c", program, *words], capture_output=True, timeout=120, check=False)


def test_hundreds_of_source_directories_need_few_descriptors(tmp_path):
    tree = DebianTree(tmp_path / "rootfs")
    pem = Authority("In a folder").pem
    for number in range(700):
        tree.write(f"usr/local/share/ca-certificates/{number}/ca{number}.crt", pem)
    done = limited(100, "install", "--root", tree.root)
    assert done.returncode == 0, done.stderr.decode()[-500:]
    assert limited(100, "check", "--root", tree.root).returncode in (0, 1)


@pytest.mark.parametrize("limit", range(3, 40))
def test_without_descriptors_the_hint_is_the_limit(tmp_path, limit):
    """At some limit Python itself does not start; above it the run ends well or says what is missing."""
    tree = DebianTree(tmp_path / "rootfs")
    before = tree.snapshot()
    done = limited(limit, "install", "--root", tree.root)
    if b"rootfs-trust: error" in done.stderr:
        assert done.returncode in (2, 4) and tree.snapshot() == before
        assert b"a bug in rootfs-trust" not in done.stderr
        assert b"Too many open files" in done.stderr


def test_attributes_of_a_file_and_a_directory_without_proc(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    os.setxattr(tmp_path / "file", "user.note", b"x")
    os.setxattr(tmp_path, "user.note", b"y")
    (tmp_path / "link").symlink_to("file")
    directory = os.open(tmp_path, os.O_RDONLY)
    real = os.path.exists
    monkeypatch.setattr("rootfs_trust.rootfs.descriptor_calls.path_by_descriptor", lambda _, name: b"/no/proc/" + name)
    monkeypatch.setattr(os.path, "exists", lambda path: path != "/proc/self/fd" and real(path))
    assert read_extended_attributes(directory, b"file") == {"user.note": b"x"}
    assert read_extended_attributes(directory, b"") == {"user.note": b"y"}
    assert read_extended_attributes(directory, b"nothing") == {}
    with pytest.raises(OSError, match="/proc is not mounted"):
        read_extended_attributes(directory, b"link")
    os.close(directory)


def test_a_signed_bundle_without_proc_is_a_conflict(tmp_path):
    """In a mount namespace of its own, where /proc is taken away."""
    needs_mounts()
    unshare = peer("unshare")
    tree = DebianTree(tmp_path / "rootfs")
    bundle = tree.write("etc/ssl/certs/ca-certificates.crt", b"old\n")
    os.setxattr(bundle, "security.ima", b"\x03\x02signature")
    words = [sys.executable, "-m", "rootfs_trust", "install", "--root", tree.root, "--drop-unsourced"]
    script = 'umount -l /proc && exec "$@"'
    for shell in (["sh", "-c", 'exec "$@"', "sh"], [unshare, "-m", "sh", "-c", script, "sh"]):
        done = subprocess.run([*shell, *words], capture_output=True, timeout=60, check=False)
        assert done.returncode == 3 and b"signature" in done.stderr, done.stderr
        assert bundle.read_bytes() == b"old\n"
