"""A directory or an image that is not a root filesystem: the error names it by its path on the host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.images import Tarball

MESSAGE = "no known trust store layout detected; it has no os-release with an ID"


@pytest.fixture
def empty(tmp_path) -> Path:
    (tmp_path / "empty").mkdir(mode=0o755)
    return tmp_path / "empty"


@pytest.mark.parametrize("words", [("install",), ("install", "--dry-run"), ("remove", "x"), ("init",)])
def test_the_error_names_the_directory(command, empty, words):
    result = command(*words, "--root", empty)
    assert result.status == 2
    assert f"error: {empty}: {MESSAGE}" in result.err


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_the_error_of_image_names_the_source_and_not_its_copy(command, empty, words):
    result = command("image", empty, empty.parent / "new", *words)
    assert result.status == 2
    assert f"error: {empty}: {MESSAGE}" in result.err


def test_the_error_of_image_names_the_archive(command, tmp_path):
    source = tmp_path / "some.tar"
    source.write_bytes(Tarball().file("readme").end())
    for words in (("image", source, tmp_path / "new.tar"), ("init", "--root", source)):
        result = command(*words)
        assert result.status == 2
        assert f"error: {source}: {MESSAGE}" in result.err


def test_the_error_of_fleet_names_the_directory(command, empty):
    (empty.parent / "edge.toml").write_text("")
    (empty.parent / "fleet.toml").write_text('[[target]]\nroot = "empty"\nconfig = "edge.toml"\n')
    result = command("fleet", empty.parent / "fleet.toml")
    assert result.status == 1
    assert json.loads(result.out)["error"].startswith(f"{empty}: {MESSAGE}")
