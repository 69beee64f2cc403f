"""TLS servers on loopback and brokers that live in a tree: started, waited for, always ended."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.authority import Authority
from tests.support.peers import PLAIN_ENVIRONMENT, peer
from tests.support.trees import RealTree

PATIENCE = 20
"""Seconds after which something that should have happened will not happen any more."""


def free_port() -> int:
    """A port below those that the kernel gives away by itself, so that nobody gets it in the meantime."""
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


@contextlib.contextmanager
def https_server(server: Authority, directory: Path, listen: str = "127.0.0.1") -> Iterator[int]:
    """The port of an HTTPS server that shows the certificate of ``server`` and answers ``hello``."""
    pair = directory / "server-pair.pem"
    pair.write_bytes(server.pem + server.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # weak certificates are shown, too
    context.load_cert_chain(pair)

    class Hello(BaseHTTPRequestHandler):
        timeout = PATIENCE

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in listen else socket.AF_INET

        def get_request(self) -> tuple[ssl.SSLSocket, tuple[str, int]]:
            # The handshake comes with the first read, in the thread of the connection.
            plain, address = super().get_request()
            return context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address

        def handle_error(self, *_: object) -> None:
            """A client that does not trust us breaks the handshake off: what half of the tests want to see."""

    with Server((listen, 0), Hello) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield running.server_port
        finally:
            running.shutdown()
            thread.join()


class Broker:
    """A mosquitto of a tree, run in it with the configuration ``lines``; ended by leaving the context."""

    def __init__(self, tree: RealTree, name: str, *lines: str) -> None:
        self._tree = tree
        self._conf = f"/etc/mosquitto/{name}.conf"
        tree.write(
            self._conf[1:], "".join(f"{line}\n" for line in ("log_dest stderr", "log_type all", *lines)).encode()
        )
        self._log = tree.path / f"tmp/{name}.log"

    def __enter__(self) -> Broker:
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [peer("chroot"), self._tree.path, "mosquitto", "-c", self._conf],
                env=PLAIN_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: int) -> None:
        """Send a signal to the broker, which may be the child of the program that sets its clock."""
        pid = self._process.pid
        if self._process.poll() is None:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            for each in map(int, children or [pid]):
                os.kill(each, number)

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_for(self, pattern: str) -> str:
        """The first line of the log in which ``pattern`` is found."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = re.search(f"^.*{pattern}.*$", self.log, re.MULTILINE)
            if found:
                return found.group()
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"the broker never said {pattern!r}; its log:\n{self.log}")
