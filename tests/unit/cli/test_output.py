"""What is printed where: text and JSON, quiet and verbose, wrong use, times, odd names, a reader that goes away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import rootfs_trust
from rootfs_trust.cli import output
from rootfs_trust.errors import Problem
from tests.support import command as program
from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree
from tests.support.peers import PLAIN_ENVIRONMENT, unavailable

ENVIRONMENT = {"PYTHONPATH": str(Path(rootfs_trust.__file__).parents[1])}
PROGRAM = [sys.executable, "-m", "rootfs_trust"]


@pytest.fixture
def ca(authority, tmp_path) -> str:
    (tmp_path / "my-ca.pem").write_bytes(authority.pem)
    return str(tmp_path / "my-ca.pem")


@pytest.fixture
def text(command, debian):
    """``rootfs-trust install`` on the Debian tree, in text."""
    return lambda *words: command("install", "--root", debian.path, *words)


# -- text --------------------------------------------------------------------------------------------------


def test_results_go_to_standard_output_and_messages_to_standard_error(text, debian, ca):
    result = text("--cert", ca, "--cloud", "az")
    assert result.status == 0
    lines = result.out.splitlines()
    assert lines == [
        "  put        /usr/local/share/ca-certificates/my-ca.crt",
        "  put        /etc/ssl/certs/ca-certificates.crt",
        "  link       8 entries in /etc/ssl/certs",
        "  put        /etc/tedge/tedge.toml",
        f"11 changes in {debian.root} (layout debian).",
    ]
    assert [line.split(":")[:2] for line in result.err.splitlines()] == [["rootfs-trust", " warning"]]
    again = text("--cert", ca, "--cloud", "az")
    assert (again.out, again.err) == (f"Nothing to do: {debian.root} (layout debian) is up to date.\n", "")


def test_a_dry_run_says_that_nothing_was_written(text, debian, ca):
    result = text("--cert", ca, "--dry-run")
    assert result.out.splitlines()[-1] == (
        f"10 changes would be made in {debian.root} (layout debian); nothing was written."
    )
    assert text("--cert", ca).status == 0
    (debian.path / "etc/ssl/certs/my-ca.pem").unlink()
    assert text().out.splitlines() == [
        "  link       /etc/ssl/certs/my-ca.pem -> /usr/local/share/ca-certificates/my-ca.crt",
        f"1 change in {debian.root} (layout debian).",
    ]


def test_verbose_names_every_link(text, debian, ca):
    lines = text("--cert", ca, "-v").out.splitlines()
    links = [line for line in lines if line.startswith("  link")]
    assert len(links) == 8 and not any("entries in" in line for line in lines)
    assert "  link       /etc/ssl/certs/Alpha_Root.pem -> /usr/share/ca-certificates/mozilla/Alpha_Root.crt" in links


def test_quiet_prints_only_errors(text, ca, tmp_path):
    result = text("--cert", ca, "--cloud", "az", "-q")
    assert (result.status, result.out, result.err) == (0, "", "")
    wrong = text("--cert", tmp_path / "none", "-q")
    assert (wrong.status, wrong.out, len(wrong.err.splitlines())) == (2, "", 1)


def test_quiet_json_is_still_json(text, ca):
    result = text("--cert", ca, "--cloud", "az", "-q", "--format", "json")
    assert result.document["changed"] is True and result.err == ""
    assert len(result.document["warnings"]) == 1


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_only_for_a_terminal_that_wants_them(debian, environment, coloured):
    """A pseudo-terminal is the only thing that says it is one."""
    try:
        controller, terminal = os.openpty()
    except OSError:
        unavailable("there are no pseudo-terminals here")
    words = [*PROGRAM, "install", "--root", debian.root, "--cert", "/none"]
    env = {**ENVIRONMENT, "TERM": "xterm", **environment}
    run = subprocess.run(words, stderr=terminal, stdout=subprocess.DEVNULL, env=env, check=False)
    os.close(terminal)
    shown = os.read(controller, 4096)
    os.close(controller)
    assert run.returncode == 2
    assert (b"\x1b[31merror\x1b[0m" in shown) is coloured
    assert (b"\x1b" in shown) is coloured


def test_no_colours_in_a_file(command, tmp_path):
    assert "\x1b" not in command("install", "--root", tmp_path / "none").err


# -- odd names ---------------------------------------------------------------------------------------------

ODD = os.fsdecode(b"a\nb\x1b[2J\r\xff\xe2\x80\xae\xc2\x85z")
SHOWN = r"a\nb\x1b[2J\r\udcff\u202e\x85z"


def test_odd_names_in_the_root_and_in_the_tree_stay_on_their_lines(command, tmp_path, authority):
    tree = DebianTree(tmp_path / ODD)
    name, shown = ODD.replace("\n", ""), SHOWN.replace(r"\n", "")
    tree.write(f"usr/local/share/ca-certificates/{name}.crt", authority.pem.replace(b"\n", b"\r\n"))
    tree.write(f"etc/ssl/certs/{name}.crt", Authority("Odd").pem)
    result = command("install", "--root", tree.path, "-v")
    assert result.status == 0
    assert all(line.isprintable() for line in result.out.split("\n") + result.err.split("\n"))
    assert result.out.split("\n")[-2] == f"10 changes in {tmp_path}/{SHOWN} (layout debian)."
    assert result.err.startswith(f"rootfs-trust: warning: /usr/local/share/ca-certificates/{shown}.crt: ")
    assert f"  link       /etc/ssl/certs/{shown}.pem -> /usr/local/share/ca-certificates/{shown}.crt\n" in result.out
    assert f" -> {shown}.crt\n" in result.out
    again = command("install", "--root", tree.path, "--format", "json")
    assert (again.status, again.document["changed"]) == (0, False)
    assert again.document["warnings"][0]["path"] == f"/usr/local/share/ca-certificates/{name}.crt"
    assert again.out.isascii()


@pytest.mark.parametrize("directory", ["usr/local/share/ca-certificates", "etc/ssl/certs"])
def test_a_newline_in_a_name_of_the_tree_breaks_no_line(command, debian, authority, directory):
    debian.write(f"{directory}/a\nrootfs-trust: b.crt", authority.pem)
    result = command("install", "--root", debian.path, "-v")
    assert result.status == 0
    assert not [line for line in result.err.split("\n")[1:] if line]
    assert all(line.startswith("  ") or line.endswith(".") for line in result.out.split("\n") if line)
    assert command("install", "--root", debian.path, "--format", "json").document["changed"] is False


def test_odd_names_in_refusals_and_wrong_use(command, tmp_path):
    for words in (
        ("install", "--root", f"/none/{ODD}"),
        ("install", "--root", "/", "--format", ODD),
        (f"in{ODD}stall",),
        (f"--{ODD}",),
        ("install", "--root", "/none", "--at", ODD),
        ("install", "--root", "/none", "--config", f"/none/{ODD}"),
    ):
        result = command(*words)
        line, *rest = result.err.split("\n")
        assert (result.status, result.out, line.isprintable(), rest) == (2, "", True, [""])


# -- wrong use ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("install",), "--root"),
        (("install", "--root"), "--root"),
        (("install", "--root", "/none", "--layuot", "x"), 'unknown option "--layuot"; did you mean "--layout"?'),
        (("install", "--roto", "/none"), 'unknown option "--roto"; did you mean "--root"?'),
        (("install", "--root", "/none", "extra"), "extra"),
        (("install", "--root", "/none", "--at", "yesterday"), "'yesterday' is not a time"),
        (("install", "--root", "/none", "--at", "2027-13-01"), "is not a time"),
        (("install", "--root", "/none", "--at", "99999999999999999999"), "is not a time"),
        (("install", "--root", "/none", "--timestamp", ""), "is not a time"),
        (("instal",), 'did you mean "install"?'),
        (("zzz",), "install"),
        (("--zzz",), 'unknown option "--zzz"; see --help'),
        (("--verson",), 'unknown option "--verson"; did you mean "--version"?'),
    ],
)
def test_wrong_use_is_one_line_and_in_json_a_document(command, words, says):
    result = command(*words)
    (line,) = result.err.splitlines()
    assert (result.status, result.out) == (2, "")
    assert line.startswith("rootfs-trust: error: ") and says in line
    if words[0] == "install" and words[-1] != "--root":
        for form in (("--format", "json"), ("--format=json",)):
            result = command(*words, *form)
            assert (result.status, result.errors, result.err) == (2, [("usage", "")], "")
            assert says in result.document["errors"][0]["message"]


def test_no_words_give_the_help_and_status_2(command):
    result = command()
    assert (result.status, result.out) == (2, "")
    assert "Usage: rootfs-trust" in result.err and "install" in result.err


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("install", "--help"), ("install", "-h")])
def test_help_goes_to_standard_output_and_has_an_example(command, words):
    result = command(*words)
    assert (result.status, result.err) == (0, "")
    assert "rootfs-trust install --root ./rootfs --cert my-ca.pem --cloud c8y" in result.out


def test_help_of_install_names_every_option_of_the_contract(command):
    shown = command("install", "--help").out
    for option in ("root", "config", "cert", "cloud", "layout", "set", "set-at-run-time", "replace", "at", "timestamp"):
        assert f"--{option} " in shown
    for flag in ("adopt", "drop-unsourced", "will-be-signed", "dry-run", "format", "quiet", "verbose"):
        assert f"--{flag}" in shown


def test_the_version(command):
    assert command("--version").out == f"rootfs-trust, version {rootfs_trust.__version__}\n"


# -- times -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "epoch", "time"),
    [
        ((), "1500000000", 1_500_000_000),
        (("--timestamp", "1600000000"), "1500000000", 1_600_000_000),
        (("--timestamp", "2020-09-13T12:26:40Z"), None, 1_600_000_000),
        (("--timestamp", "2020-09-13T14:26:40+02:00"), None, 1_600_000_000),
        (("--timestamp", "2020-09-13"), None, 1_599_955_200),
        (("--timestamp", "0"), None, 0),
    ],
)
def test_all_that_is_written_gets_the_time_that_is_asked_for(text, debian, ca, monkeypatch, words, epoch, time):
    if epoch:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    old = debian.path / "usr/share/ca-certificates/mozilla/Alpha_Root.crt"
    os.utime(old, (7, 7))
    (debian.path / "usr/local/share/ca-certificates").rmdir()
    assert text("--cert", ca, "--cloud", "c8y", *words).status == 0
    for path in (
        "usr/local/share/ca-certificates",
        "usr/local/share/ca-certificates/my-ca.crt",
        "etc/ssl/certs/ca-certificates.crt",
        "etc/ssl/certs/my-ca.pem",
        "etc/tedge/tedge.toml",
        "etc/ssl/certs",
    ):
        assert (debian.path / path).lstat().st_mtime == time, path
    assert old.stat().st_mtime == 7


@pytest.mark.parametrize("epoch", ["yesterday", "-1", "1.5", "٣", "99999999999999999999999", "9223372036854775807"])
def test_an_epoch_that_makes_no_sense(command, debian, monkeypatch, epoch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    before = debian.snapshot()
    result = command("install", "--root", debian.path, "--format", "json")
    assert (result.status, result.errors) == (2, [("usage", "")])
    assert "SOURCE_DATE_EPOCH" in result.document["errors"][0]["message"]
    assert debian.snapshot() == before


def test_an_empty_epoch_is_none(command, debian, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "")
    assert command("install", "--root", debian.path).status == 0


# -- what goes wrong underway ------------------------------------------------------------------------------


def test_a_closed_pipe_is_not_an_error(debian, ca):
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run(
        [*PROGRAM, "install", "--root", debian.root, "--cert", ca, "-v"],
        stdout=write,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        check=False,
    )
    os.close(write)
    assert (run.returncode, run.stderr) == (0, b"")
    assert (debian.path / "etc/ssl/certs/my-ca.pem").is_symlink()


def test_an_interruption(command, debian, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("rootfs_trust.cli.install.install", interrupt)
    result = command("install", "--root", debian.path)
    assert result.status == 130
    assert result.err.strip() == "rootfs-trust: interrupted"


def test_an_unexpected_error_of_the_system(command, debian, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error", "/dev/x")

    monkeypatch.setattr("rootfs_trust.cli.install.install", fail)
    result = command("install", "--root", debian.path, "--format", "json")
    assert (result.status, result.errors) == (4, [("system", "/dev/x")])


def test_json_survives_bytes_that_are_not_text(capsys):
    output.echo_json({"path": "\udcff"})
    assert json.loads(capsys.readouterr().out) == {"path": "\udcff"}


def test_a_problem_without_path_or_hint():
    assert str(Problem("x", "", "message")) == "message"
    assert str(Problem("x", "/p", "message", "hint")) == "/p: message; hint"


@pytest.mark.parametrize("options", [(), ("--format", "json")])
def test_a_report_that_cannot_be_printed(tmp_path, options):
    """What is done is done, and said where it still can be."""
    tree = DebianTree(tmp_path / "rootfs")
    for words, told in ((("--dry-run",), b"nothing was written"), ((), b"all changes are written")):
        run = [sys.executable, "-m", "rootfs_trust", "install", "--root", tree.root, *options, *words]
        with open("/dev/full", "wb") as full:
            done = subprocess.run(run, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
        assert done.returncode == 4
        assert b"standard output: cannot be written: No space left on device; " + told in done.stderr
    assert (tree.path / "etc/ssl/certs/ca-certificates.crt").is_file()


def test_help_fits_a_narrow_terminal(tmp_path):
    done = program.rootfs_trust("check", "--help", environment={**PLAIN_ENVIRONMENT, "COLUMNS": "40"})
    lines = done.stdout.decode().partition("Options:")[2].splitlines()
    assert len(lines) > 20 and max(map(len, lines)) < 40


def test_help_of_install_has_groups_with_the_common_options_first(command):
    for name in ("install", "image"):
        sections = command(name, "--help").out.split("\n\n")
        titles = [section.partition(":\n")[0] for section in sections if section.partition(":\n")[2]][-5:]
        assert titles == ["Common options", "What to trust", "Where", "Settings of thin-edge.io", "Output"]
    text = command("install", "--help").out.partition("Common options:")[2]
    assert text.index("--root DIR") < text.index("--cert PATH") < text.index("--cloud c8y") < text.index("--config")


def test_install_ends_with_what_is_left_to_do(command, debian, authority, tmp_path):
    debian.write("usr/lib/python3/dist-packages/certifi/cacert.pem", Authority("Public").pem)
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    words = ("install", "--root", debian.root, "--cert", tmp_path / "ca.pem")
    assert command(*words).out.splitlines()[-1].startswith("Next: add --runtimes auto if ")
    assert "Next:" not in command(*words, "-q").out
    assert "Next:" not in command(*words, "--runtimes", "auto").out


def test_a_message_about_wrong_usage_has_no_full_stop_before_its_hint(command):
    result = command("install", "--rot", "x")
    assert (
        result.status == 2
        and result.err == 'rootfs-trust: error: unknown option "--rot"; did you mean "--root"?; see --help\n'
    )
    result = command("advise", "--config", "x")
    assert result.err == "rootfs-trust: error: Missing option '--until'; see --help\n"
