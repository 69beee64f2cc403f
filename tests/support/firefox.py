"""Headless Firefox, driven by Marionette: JSON messages with their length before them, over a local connection."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.peers import PLAIN_ENVIRONMENT, peer

PATIENCE = 60
_TRIES = 3
"""Firefox imports the certificates of its policies while it starts, so a page is tried again before it counts."""

_PREFERENCES = """
user_pref("marionette.port", 0);
user_pref("network.proxy.type", 1);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 9);
"""
"""A port that is free, and a proxy that refuses: Firefox's own services are not asked. localhost has no proxy."""


def opens(url: str, profile: Path, *before: str) -> bool:
    """Whether Firefox opens a page of a local server. ``before`` is the command that starts the program."""
    with _session(profile, *before) as session:
        for _ in range(_TRIES):
            refused = session.error("WebDriver:Navigate", url=url)
            if refused is None:
                return "hello" in session.do("WebDriver:GetPageSource")["value"]
            assert refused == "insecure certificate", refused
            time.sleep(0.4)
    return False


class _Session:
    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._file = self._socket.makefile("rb")
        self._message()
        self.do("WebDriver:NewSession", capabilities={})

    def do(self, command: str, **parameters: object) -> dict[str, Any]:
        error, result = self._send(command, parameters)
        assert error is None, error
        return result

    def error(self, command: str, **parameters: object) -> str | None:
        """The id of the error, if there is one."""
        error, _ = self._send(command, parameters)
        return error and error["error"]

    def _send(self, command: str, parameters: dict[str, object]) -> tuple[Any, Any]:
        message = json.dumps([0, 1, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._message()
        return error, result

    def _message(self) -> Any:
        length = b"".join(iter(lambda: self._file.read(1), b":"))
        return json.loads(self._file.read(int(length)))

    def close(self) -> None:
        self.do("Marionette:Quit", flags=["eForceQuit"])
        self._file.close()
        self._socket.close()


@contextmanager
def _session(profile: Path, *before: str) -> Iterator[_Session]:
    profile.mkdir()
    (profile / "user.js").write_text(_PREFERENCES)
    words = (*before, peer("firefox-esr"), "--headless", "--marionette", "--no-remote", "--profile", str(profile))
    with open(profile / "log", "wb") as log:
        environment = PLAIN_ENVIRONMENT | {"HOME": str(profile)}
        process = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        session = _Session(_port(process, profile))
        yield session
        session.close()
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()


def _port(process: subprocess.Popen[bytes], profile: Path) -> int:
    """The port that Firefox writes into its profile when it listens."""
    file, deadline = profile / "MarionetteActivePort", time.monotonic() + PATIENCE
    while not (file.exists() and file.read_text().isdigit()):
        started = process.poll() is None and time.monotonic() < deadline
        assert started, f"Firefox does not listen: {(profile / 'log').read_text(errors='replace')[-2000:]}"
        time.sleep(0.05)
    return int(file.read_text())
