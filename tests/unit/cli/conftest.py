"""The command line as a person meets it: arguments in; exit status, standard output and standard error out."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from rootfs_trust.cli.run import main
from tests.support.schemas import check_output


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    @property
    def errors(self) -> list[tuple[str, str]]:
        """Id and path of each refusal in JSON mode."""
        assert list(self.document) == ["errors"]
        for each in self.document["errors"]:
            assert set(each) >= {"id", "path", "message", "hint"}
        return [(each["id"], each["path"]) for each in self.document["errors"]]

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """Id and path of each warning in JSON mode."""
        return [(each["id"], each["path"]) for each in self.document["warnings"]]

    @property
    def actions(self) -> list[tuple[str, str]]:
        return [(each["action"], each["path"]) for each in self.document["actions"]]

    @property
    def anchors(self) -> dict[str, str]:
        return {each["name"]: each["sha256"] for each in self.document["anchors"]}


Command = Callable[..., Result]


@pytest.fixture
def command(monkeypatch, capfd, tmp_path) -> Command:
    """Runs ``rootfs-trust WORDS`` in this process, in an empty directory; ``stdin`` is what it can read."""
    empty = tmp_path / "cwd"
    empty.mkdir()
    monkeypatch.chdir(empty)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)

    def run(*words: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "argv", ["rootfs-trust", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        result = Result(exit_.value.code or 0, *capfd.readouterr())
        assert "a bug in rootfs-trust" not in result.out + result.err
        if "json" in words and result.out:
            check_output(str(words[0]), result.status, result.out)
        return result

    return run


@pytest.fixture
def install(command, debian) -> Command:
    """``rootfs-trust install --root`` the Debian tree, answering in JSON."""

    def run(*words: object, stdin: bytes = b"") -> Result:
        return command("install", "--root", debian.path, "--format", "json", *words, stdin=stdin)

    return run


@pytest.fixture
def refused(command, debian) -> Command:
    """The same for what must be refused: in text and in JSON, with nothing written; the answer is the JSON one."""

    def run(*words: object, status: int = 2, stdin: bytes = b"", secret: bytes = b"") -> Result:
        before = debian.snapshot()
        text = command("install", "--root", debian.path, *words, stdin=stdin)
        result = command("install", "--root", debian.path, "--format", "json", *words, stdin=stdin)
        assert debian.snapshot() == before
        assert (text.status, result.status) == (status, status)
        assert (text.out, result.err) == ("", "")
        lines = text.err.splitlines()
        assert [line.startswith("rootfs-trust: error: ") for line in lines] == [True] * len(result.errors)
        for line, error in zip(lines, result.document["errors"], strict=True):
            assert error["hint"], "an error says how to mend it"
            assert line.isprintable()
            assert not error["message"].isprintable() or error["message"] in line
            assert not error["hint"].isprintable() or error["hint"] in line
        assert_untold(secret, text, result)
        return result

    return run


def assert_untold(secret: bytes, *results: Result) -> None:
    """No line of the body of a PEM file, and no part of one, is in any output."""
    lines = secret.replace(b"\r", b"").split(b"\n")
    body = [line for line in lines if line and b"---" not in line and b":" not in line]
    pieces = {line[start : start + 16].decode() for line in body for start in range(0, max(len(line) - 15, 1), 8)}
    for result in results:
        assert not [piece for piece in pieces if len(piece) >= 8 and piece in result.out + result.err]
