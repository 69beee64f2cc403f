"""The clients of the table: each reaches the server of a case with the trust store of the device, or tells why not.

A client runs on this machine, the tree's trust store in the place of this machine's (tests/support/overlay.py).
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from tests.e2e.prepared import Target
from tests.support.overlay import BrokerOver, run_over
from tests.support.peers import peer, unavailable
from tests.support.servers import free_port
from tests.support.thin_edge import bridge_option

CLIENTS = Path(__file__).parent / "clients"
JAVA_STORE = "/etc/ssl/certs/java/cacerts"
_GO = {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GO111MODULE": "on", "GOWORK": "off"}
REQUEST = "GET / HTTP/1.0\r\n\r\n"


@dataclass(frozen=True)
class Seen:
    """Whether the client had its answer, and all that it said."""

    connected: bool
    said: str


class Built:
    """The clients that have to be built, kept in ``cache`` until their sources or their compiler change."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self._made: dict[str, Path] = {}

    def go(self) -> Path:
        return self._make("go", "go", "build", "-o", "{}/ask", ".") / "ask"

    def java(self) -> Path:
        return self._make("java", "javac", "-d", "{}", "Ask.java")

    def mbedtls(self) -> Path:
        libraries = ("-lmbedtls", "-lmbedx509", "-lmbedcrypto")
        return self._make("mbedtls", "gcc", "-O1", "-o", "{}/ask", "ask.c", *libraries) / "ask"

    def thin_edge(self) -> Path:
        return self._make("thin-edge", "cargo", "build", "--locked", "--quiet", "--target-dir", "{}") / "debug"

    def _make(self, name: str, program: str, *words: str) -> Path:
        """The directory that the sources in clients/``name`` were built into."""
        path = self.cache / f"client-{name}"
        if name in self._made:
            return path
        command = [peer(program), *(word.format(path) for word in words)]
        with self._locked(name):
            path.mkdir(exist_ok=True)
            # The caller's environment stays: it may say how the registry is reached. Each of them builds
            # nothing that is up to date.
            done = subprocess.run(
                command,
                cwd=CLIENTS / name,
                env={**os.environ, **_GO, "GOCACHE": str(self.cache / "go-build")},
                capture_output=True,
                text=True,
                timeout=540,
                check=False,
            )
        if done.returncode != 0:
            unavailable(f"{program} built no client: {(done.stderr or done.stdout).strip()[-1000:]}")
        self._made[name] = path
        return path

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with open(self.cache / f"client-{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@dataclass(frozen=True)
class Judge:
    """``trust`` is the tree that the client looks at: thin-edge.io's setting at the directory, or at the bundle.

    ``quick`` ones need no compiler and no broker.
    """

    name: str
    trust: str
    judge: Callable[[Target, str, Built], Seen]
    quick: bool = False

    def __call__(self, target: Target, built: Built) -> Seen:
        return self.judge(target, self.trust, built)


def _run(target: Target, trust: str, *words: str | Path, stdin: str = "") -> Seen:
    done = run_over(target.trees[trust], *_clock(target.at), *words, stdin=stdin)
    answered = re.search(r"^(hello|connected|- Handshake was completed)", done.stdout, re.MULTILINE)
    return Seen(answered is not None, done.stdout)


def _clock(at: datetime | None) -> tuple[str, ...]:
    """What sets the clock of a program. Go asks the kernel itself, so that its client takes the time as a variable."""
    if at is None:
        return ()
    seconds = int(at.timestamp())
    return (peer("faketime"), f"@{seconds}", "env", f"ASK_AT={seconds}")


def _openssl(target: Target, trust: str, _: Built) -> Seen:
    path = target.root_cert_path(trust)
    here = ("-CApath", path, "-no-CAfile") if trust == "directory" else ("-CAfile", path, "-no-CApath")
    server = ("-connect", f"{target.address}:{target.port}", *_openssl_name(target))
    words = (peer("openssl"), "s_client", *server, *here, "-no-CAstore", "-verify_return_error", "-quiet")
    return _run(target, trust, *words, stdin=REQUEST)


def _openssl_name(target: Target) -> tuple[str, ...]:
    if target.host == target.address:
        return "-noservername", "-verify_ip", target.host.strip("[]")
    return "-servername", target.host, "-verify_hostname", target.host


def _curl(target: Target, trust: str, _: Built) -> Seen:
    path, empty = target.root_cert_path(trust), target.directory("empty")
    here = ("--cacert", target.stranger, "--capath", path) if trust == "directory" else ("--cacert", path)
    more = () if trust == "directory" else ("--capath", empty)
    words = (peer("curl"), "-q", "--silent", "--show-error", "--max-time", "20", "--noproxy", "*", *here, *more)
    return _run(target, trust, *words, target.url)


def _gnutls(target: Target, trust: str, _: Built) -> Seen:
    path = target.root_cert_path(trust)
    # The address is given as a number: gnutls-cli finds no localhost where /etc/hosts is missing, as in a bare chroot.
    host = target.host.strip("[]")
    names = ("--sni-hostname", host, "--verify-hostname", host)
    words = (peer("gnutls-cli"), "--x509cafile", path, *names, "--port", str(target.port), target.address.strip("[]"))
    return _run(target, trust, *words, stdin=REQUEST)


def python_client(stack: str, trust: str | None = None) -> Callable[[Target, str, Built], Seen]:
    """Python with one of its TLS stacks, and the file or directory ``trust`` in place of the setting's."""

    def judge(target: Target, setting: str, _: Built) -> Seen:
        if not find_spec(stack.partition("-")[0]):
            unavailable(f"{stack} is not installed")
        path = trust or target.root_cert_path(setting)
        words = (sys.executable, "-I", CLIENTS / "ask.py", stack, path, str(target.port), target.host)
        return _run(target, setting, *words)

    return judge


def _go(trust: str | None = None) -> Callable[[Target, str, Built], Seen]:
    def judge(target: Target, setting: str, built: Built) -> Seen:
        path = trust or target.root_cert_path(setting)
        return _run(target, setting, built.go(), path, str(target.port), target.host)

    return judge


def _java(target: Target, trust: str, built: Built) -> Seen:
    options = (f"-Djavax.net.ssl.trustStore={JAVA_STORE}", "-XX:TieredStopAtLevel=1")
    return _run(target, trust, peer("java"), *options, "-cp", built.java(), "Ask", str(target.port), target.host)


def _mbedtls(target: Target, trust: str, built: Built) -> Seen:
    return _run(target, trust, built.mbedtls(), target.root_cert_path(trust), str(target.port), target.host.strip("[]"))


def node_client(extra: Path) -> Callable[[Target, str, Built], Seen]:
    """Node.js, which has no other anchors of the test than those in the file ``extra``."""

    def judge(target: Target, trust: str, _: Built) -> Seen:
        program = (
            f"require('https').get('{target.url}', answer => answer.pipe(process.stdout)).on('error', console.log)"
        )
        words = ("env", f"NODE_EXTRA_CA_CERTS={extra}", peer("node"), "-e", program)
        return _run(target, trust, *words)

    return judge


def _chromium(target: Target, trust: str, _: Built) -> Seen:
    """Headless Chromium opens the page. The managed policies of the tree take the place of this machine's."""
    home = target.directory("chromium")
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--no-proxy-server", f"--user-data-dir={home}")
    policies = ("sh", "-c", 'mount --bind "$1" /etc/chromium && shift && exec "$@"', "sh")
    program = ("env", f"HOME={home}", peer("chromium"), *options, "--dump-dom", target.url)
    done = run_over(target.trees[trust], *policies, target.trees[trust] / "etc/chromium", *program)
    return Seen(">hello<" in done.stdout, done.stdout)


def _thin_edge(generation: int, part: str) -> Callable[[Target, str, Built], Seen]:
    def judge(target: Target, trust: str, built: Built) -> Seen:
        program, path = built.thin_edge() / f"thin-edge-{generation}", target.root_cert_path(trust)
        return _run(target, trust, program, part, path, target.host, str(target.port))

    return judge


_numbers = itertools.count()


def _mosquitto(target: Target, trust: str, _: Built) -> Seen:
    """The device's broker, as the unprivileged user mosquitto, bridged to the cloud's."""
    tree, (cloud, port) = target.trees[trust], target.cloud
    name = f"device-{trust}-{next(_numbers)}"
    lines = (
        f"listener {free_port()} 127.0.0.1",
        "allow_anonymous true",
        f"connection {name}",
        f"address {target.host.strip('[]')}:{port}",
        bridge_option(tree),
        f"remote_clientid {name}",
        "restart_timeout 1",
        "topic # both 0",
    )
    with BrokerOver(tree, target.directory("device"), name, *lines, before=_clock(target.at)) as bridge:
        bridge.wait_for(f"Received SUBACK from local.{name}|certificate verify failed")
        return Seen(f" as {name} " in cloud.log, bridge.log)


def _both(name: str, judge: Callable[[Target, str, Built], Seen], *, quick: bool = False) -> list[Judge]:
    return [Judge(f"{name}, {trust}", trust, judge, quick) for trust in ("directory", "file")]


JUDGES = [
    *_both("mosquitto bridge", _mosquitto),
    *_both("thin-edge.io 1.4.1 built-in bridge", _thin_edge(1, "bridge")),
    *_both("thin-edge.io 2.0.1 built-in bridge", _thin_edge(2, "bridge")),
    *_both("thin-edge.io 1.4.1 HTTPS", _thin_edge(1, "https")),
    *_both("thin-edge.io 2.0.1 HTTPS", _thin_edge(2, "https")),
    *_both("openssl s_client", _openssl, quick=True),
    *_both("curl", _curl, quick=True),
    *_both("Python ssl to 3.12", python_client("ssl"), quick=True),
    *_both("Python ssl since 3.13", python_client("ssl-strict"), quick=True),
    Judge("gnutls-cli, file", "file", _gnutls, quick=True),
    Judge("Go, system", "directory", _go("system")),
    Judge("Go, file", "file", _go()),
    Judge("Java, JKS of the tree", "directory", _java),
    *_both("rtls (rustls)", python_client("rtls")),
    Judge("pyreqwest (rustls), system", "directory", python_client("pyreqwest", "system")),
]

CHROMIUM = Judge("Chromium, policy of the tree", "directory", _chromium)
MBEDTLS = Judge("Mbed TLS, file", "file", _mbedtls)


def named(name: str) -> Judge:
    """Return the client of the table with this name."""
    return next(each for each in JUDGES if each.name == name)
