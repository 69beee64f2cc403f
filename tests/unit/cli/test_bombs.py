"""Inputs made to take all time or memory: an error that says so, in a process with a gibibyte and a minute."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rootfs_trust.rendering.sandbox import MAX_RENDERED
from tests.support.command import REPOSITORY
from tests.support.peers import PLAIN_ENVIRONMENT

GIBIBYTE = 1024**3


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (GIBIBYTE, GIBIBYTE))
    resource.setrlimit(resource.RLIMIT_CPU, (30, 30))


def refused(*words: str | Path) -> str:
    """What a run says that has to be refused with status 2, within the limits."""
    done = subprocess.run(
        [sys.executable, "-m", "rootfs_trust", *map(str, words)],
        env={**PLAIN_ENVIRONMENT, "PYTHONPATH": str(REPOSITORY)},
        preexec_fn=_limited,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2, done
    assert "rootfs-trust: error: " in done.stderr and "Traceback" not in done.stderr
    return done.stderr


def _sparse(path: Path) -> Path:
    with open(path, "wb") as file:
        file.truncate(GIBIBYTE)
    return path


def _template(tmp_path: Path, text: str) -> Path:
    (tmp_path / "own.j2").write_text(text)
    config = tmp_path / "config.toml"
    config.write_text('[[render]]\ntemplate = "own.j2"\ndest = "/etc/x"\n')
    return config


def test_files_of_a_gibibyte(debian, tmp_path):
    big = _sparse(tmp_path / "big")
    assert "is larger than" in refused("install", "--root", debian.root, "--cert", big)
    assert "is larger than" in refused("install", "--root", debian.root, "--config", big)
    config = _template(tmp_path, "")
    _sparse(tmp_path / "own.j2")
    assert "is larger than" in refused("install", "--root", debian.root, "--config", config)


def test_very_many_certificates_in_a_file(debian, tmp_path, authority):
    file = tmp_path / "many.pem"
    file.write_bytes(authority.pem * 100_000)
    assert "is larger than" in refused("install", "--root", debian.root, "--cert", file)


@pytest.mark.parametrize("der", [b"\x30\x80" * 10_000, b"\x30\x80" * 10_000 + bytes(20_000), b"\xa0\x80" * 10_000])
def test_elements_nested_deep(debian, tmp_path, der):
    file = tmp_path / "deep.der"
    file.write_bytes(der if der[:1] == b"\x30" else b"\x30\x80" + der)
    refused("install", "--root", debian.root, "--cert", file)


TOML = {
    "a number of 5,000 digits": "a = " + "9" * 5000,
    "lists in lists": "a = " + "[" * 10_000,
    "a key of 50,000 parts": ".".join(["a"] * 50_000) + " = 1",
}


@pytest.mark.parametrize("text", TOML.values(), ids=TOML)
def test_toml(debian, tmp_path, authority, text):
    (tmp_path / "config.toml").write_text(text + "\n")
    assert "is not valid TOML" in refused("install", "--root", debian.root, "--config", tmp_path / "config.toml")
    debian.write("etc/tedge/tedge.toml", text.encode() + b"\n")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    words = ("install", "--root", debian.root, "--cert", tmp_path / "ca.pem", "--cloud", "c8y")
    assert "/etc/tedge/tedge.toml: is not valid TOML" in refused(*words)


def test_a_settings_file_that_is_too_large_or_too_deep_to_compare(debian, tmp_path, authority):
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    words = ("install", "--root", debian.root, "--cert", tmp_path / "ca.pem", "--cloud", "c8y")
    debian.write("etc/tedge/tedge.toml", b"# comment\n" * 30_000)
    assert "has more than 262144 characters" in refused(*words)
    keys = f"[{'.'.join(['a'] * 190)}]\n" + ".".join(["c"] * 190) + " = " + "[" * 300 + "]" * 300 + "\n"
    debian.write("etc/tedge/tedge.toml", keys.encode())
    done = subprocess.run(
        [sys.executable, "-m", "rootfs_trust", *map(str, words)], cwd=REPOSITORY, capture_output=True, check=False
    )
    assert done.returncode in (0, 2) and b"Traceback" not in done.stderr


def test_very_many_unknown_keys(debian, tmp_path):
    (tmp_path / "config.toml").write_text("".join(f"[a{number}]\n" for number in range(20_000)))
    told = refused("install", "--root", debian.root, "--config", tmp_path / "config.toml")
    assert 10 < len(told.splitlines()) < 100


TEMPLATES = {
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}": "takes more than",
    "{% for a in range(9999) %}{% for b in range(99) %}{{ 'x' * 99 }}{% endfor %}{% endfor %}": f"than {MAX_RENDERED}",
    "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(40) }}": "takes more than",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}": "nested too deep",
    "{{ " + "(" * 9999 + "1" + ")" * 9999 + " }}": "nested too deep",
    "{{ 10 ** 10 ** 9 }}{{ 'x' * 10 ** 10 }}": f"than {MAX_RENDERED}",
    "{{ (10 ** 9) ** (10 ** 9) }}": f"than {MAX_RENDERED}",
    "{{ [1] * 10 ** 10 }}": f"than {MAX_RENDERED}",
    "{{ 'x'.ljust(10 ** 10) }}": "ljust gets a number",
    "{{ 'x'|center(10 ** 9) }}": "center gets a number",
    "{{ range(10 ** 9)|list }}": "Range too big",
    "{{ '%999999999d' % 1 }}": "format may give more",
    "{{ '%999999999d'|format(1) }}": "format may give more",
    "{{ '{:{w}}'.format('x', w=10 ** 9) }}": "format gets a number",
    "{{ 'x'|indent(10 ** 9) }}": "indent gets a number",
    "{{ lipsum(10 ** 9) }}": "undefined",
    "{{ [1]|batch(10 ** 9, 1)|list }}": "batch gets a number",
    "{{ [1]|slice(10 ** 9)|list }}": "slice gets a number",
    "{% set x = 'x' * 10 ** 6 %}{{ x|replace('x', x) }}": "replace may give more",
    "{% set x = 'x' * 10 ** 6 %}{{ x.replace('x', x) }}": "replace may give more",
    "{% set x = 'x' * 10 ** 6 %}{{ ([x] * 9999)|join }}": "join may give more",
    "{% set x = 'x' * 10 ** 6 %}{{ [x] * 9999 }}": "printing may give more",
    "{% set x = 'x' * 10 ** 6 %}{{ x|list|map('replace', 'x', x)|join }}": "characters",
    "{% set x = 'x' * 10 ** 6 %}{% set y %}{% for a in range(999) %}{{ x }}{% endfor %}{% endset %}": "writes more",
    "{% set y %}{% for a in range(99999) %}" + "z" * 9999 + "{% endfor %}{% endset %}": "writes more",
    "{% set n = namespace(x='x') %}{% for a in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}": "~ may give more",
    "{% set n = namespace(x='x') %}{% for a in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}": "+ may give more",
    "{% for a in range(99999) %}{{ range(99999)|sum }}{% endfor %}": "takes more than",
    "{% for a in range(99999) %}{% if 0.5 in range(99999) %}{% endif %}{% endfor %}": "takes more than",
    "{% set x = 'x' * 10 ** 6 %}{% for a in range(99999) %}{% if x == x[:99999] %}{% endif %}{% endfor %}": "more than",
    "{% include 'own.j2' %}": "other files cannot be included",
    "{% import '../../../../etc/shadow' as x %}": "other files cannot be included",
    "{% extends '/etc/passwd' %}": "other files cannot be included",
    "{{ nothing }}": "'nothing' is undefined",
    "x" * 1024 * 1024 + "x": "has more than 1048576 characters",
}


@pytest.mark.parametrize(("text", "says"), TEMPLATES.items(), ids=range(len(TEMPLATES)))
def test_templates_that_loop_or_grow(debian, tmp_path, text, says):
    told = refused("install", "--root", debian.root, "--config", _template(tmp_path, text))
    assert says in told and len(told.splitlines()) == 1
    assert not (debian.path / "etc/x").exists()


def test_templates_that_are_not_plain_text(debian, tmp_path):
    config = _template(tmp_path, "")
    for make, says in (
        (os.mkfifo, "is not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
        (lambda path: path.mkdir(), "is not a regular file"),
        (lambda path: path.symlink_to("own.j2"), "cannot be read"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "it is not UTF-8 text"),
    ):
        shutil.rmtree(tmp_path / "own.j2") if (tmp_path / "own.j2").is_dir() else (tmp_path / "own.j2").unlink()
        make(tmp_path / "own.j2")
        told = refused("install", "--root", debian.root, "--config", config)
        assert says in told and len(told.splitlines()) == 1, told
