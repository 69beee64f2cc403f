"""What is read of the host, on a file system that is none."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest
from pyfakefs.helpers import set_uid

from rootfs_trust.inputs import files
from rootfs_trust.inputs.files import InputFile, read_inputs


@pytest.fixture
def ordinary_user(fs):
    set_uid(1000)
    yield fs
    set_uid(0)


def ids(problems) -> list[tuple[str, str]]:
    return [(each.id, each.path) for each in problems]


def test_a_file_may_be_called_anything(fs):
    fs.create_file("/c/ca.conf", contents=b"x")
    reading = read_inputs(["/c/ca.conf"])
    assert reading.files == [InputFile("/c/ca.conf", b"x")]
    assert (reading.notes, reading.problems) == ([], [])


def test_a_directory_in_byte_order_and_not_below(fs):
    for name in ("b.pem", "B.pem", "a.CRT", "ä.der", ".hidden.pem", "below/c.pem"):
        fs.create_file(f"/c/{name}", contents=name.encode())
    reading = read_inputs(["/c"])
    assert [file.path for file in reading.files] == ["/c/B.pem", "/c/a.CRT", "/c/b.pem", "/c/ä.der"]
    assert ids(reading.notes) == [("skipped", "/c/below")]
    assert reading.problems == []


def test_what_is_skipped_is_still_read_for_keys(fs):
    fs.create_file("/c/a.pem", contents=b"a")
    fs.create_file("/c/README", contents=b"b")
    reading = read_inputs(["/c"])
    assert reading.files == [InputFile("/c/README", b"b", wanted=False), InputFile("/c/a.pem", b"a")]
    assert ids(reading.notes) == [("skipped", "/c/README")]


@pytest.mark.parametrize("suffix", ["pem", "crt", "cer", "der", "p7b", "p7c", "PEM"])
def test_the_suffixes_that_count(fs, suffix):
    fs.create_file(f"/c/a.{suffix}")
    assert [file.wanted for file in read_inputs(["/c"]).files] == [True]


@pytest.mark.parametrize("name", ["a.pem.bak", "pem", "a.key", "a.txt", "a.p12", "apem"])
def test_those_that_do_not(fs, name):
    fs.create_file(f"/c/{name}")
    reading = read_inputs(["/c"])
    assert [file.wanted for file in reading.files] == [False]
    assert ids(reading.problems) == [("no-certificate", "/c")]


def test_links_are_followed(fs):
    fs.create_file("/elsewhere", contents=b"x")
    fs.create_file("/folder/y.pem")
    fs.create_symlink("/c/a.pem", "/elsewhere")
    fs.create_symlink("/c/b.pem", "/folder")
    fs.create_symlink("/d", "/c")
    reading = read_inputs(["/d"])
    assert reading.files == [InputFile("/d/a.pem", b"x")]
    assert ids(reading.notes) == [("skipped", "/d/b.pem")]


def test_what_may_not_be_read(ordinary_user):
    fs = ordinary_user
    fs.create_file("/c/a.pem", st_mode=0o100000)
    fs.create_file("/c/a.key", st_mode=0o100000)
    fs.create_file("/c/b.pem")
    fs.create_dir("/closed")
    fs.chmod("/closed", 0)
    reading = read_inputs(["/c", "/closed", "/none"])
    assert [file.path for file in reading.files] == ["/c/b.pem"]
    assert ids(reading.notes) == [("skipped", "/c/a.key")]
    assert ids(reading.problems) == [("unreadable", "/c/a.pem"), ("unreadable", "/closed"), ("unreadable", "/none")]
    assert all(problem.hint for problem in reading.problems)


def test_a_file_that_is_too_large(fs, monkeypatch):
    monkeypatch.setattr(files, "MAX_INPUT", 10)
    fs.create_file("/c/a.pem", contents=b"x" * 10)
    fs.create_file("/c/b.pem", contents=b"x" * 11)
    fs.create_file("/c/image.tar", contents=b"x" * 50)
    reading = read_inputs(["/c"])
    assert ids(reading.problems) == [("too-large", "/c/b.pem")]
    assert ids(reading.notes) == [("skipped", "/c/image.tar")]
    assert [file.path for file in reading.files] == ["/c/a.pem", "/c/image.tar"]


def test_standard_input(fs, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x")))
    assert read_inputs(["-"]).files == [InputFile("-", b"x")]


def test_standard_input_that_never_ends_is_read_up_to_the_bound(fs, monkeypatch):
    asked = []

    class Endless:
        def read(self, size=-1):
            asked.append(size)
            return b"x" * size

    monkeypatch.setattr(files, "MAX_INPUT", 10)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Endless()))
    assert ids(read_inputs(["-"]).problems) == [("too-large", "-")]
    assert asked == [11]


def test_a_directory_whose_names_may_not_be_read(fs, monkeypatch):
    fs.create_file("/c/a.pem")

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.os, "listdir", refuse)
    reading = read_inputs(["/c"])
    assert (ids(reading.problems), reading.files) == ([("unreadable", "/c")], [])
