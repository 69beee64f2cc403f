"""The verdicts of real engines on the cases: each is given files, and never a network."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path

from tests.limbo.cases import Case
from tests.limbo.gnutls import Gnutls
from tests.support.peers import PLAIN_ENVIRONMENT, peer, unavailable

ENGINES = Path(__file__).parent / "engines"
_GO = {"GOFLAGS": "-mod=mod", "GO111MODULE": "on", "GOWORK": "off"}

Verdict = tuple[bool, str]


def _openssl(cases: list[Case], directory: Path) -> dict[str, Verdict]:
    return {case.id: _openssl_verify(case, directory / str(number)) for number, case in enumerate(cases)}


def _openssl_verify(case: Case, files: Path) -> Verdict:
    words: list[str | Path] = [peer("openssl"), "verify", "-purpose", "sslserver", "-auth_level", "2"]
    words += ["-no-CApath", "-no-CAstore", "-attime", str(int(case.at.timestamp()))]
    words += ["-CAfile", files / "roots.pem"] if case.roots else ["-no-CAfile"]
    words += ["-untrusted", files / "others.pem"] if case.chain[1:] else []
    if case.host is not None:
        words += ["-verify_ip" if _is_address(case.host) else "-verify_hostname", case.host]
    done = _run(*words, files / "chain.pem")
    return done.returncode == 0, done.stdout + done.stderr


def _gnutls(cases: list[Case], _: Path) -> dict[str, Verdict]:
    library = Gnutls()
    return {case.id: library.verdict(case) for case in cases}


def _go(cases: list[Case], directory: Path) -> dict[str, Verdict]:
    """LIMBO_GO names another Go than this machine's, such as go1.27.3, which the go command then brings."""
    program = directory / "go-engine"
    environment = {**os.environ, **_GO, "GOTOOLCHAIN": os.environ.get("LIMBO_GO", "local")}
    words = [peer("go"), "build", "-o", str(program), "."]
    subprocess.run(words, cwd=ENGINES / "go", env=environment, check=True, timeout=300)
    return _told(cases, _run(program, directory))


def _java(cases: list[Case], directory: Path) -> dict[str, Verdict]:
    """LIMBO_JAVA names another ``java`` than this machine's; it needs no compiler."""
    classes = directory / "java-engine"
    words = [peer("javac"), "--release", "17", "-d", str(classes), str(ENGINES / "java" / "Engine.java")]
    subprocess.run(words, check=True, timeout=300)
    return _told(cases, _run(os.environ.get("LIMBO_JAVA") or peer("java"), "-cp", classes, "Engine", directory))


def _mbedtls(cases: list[Case], directory: Path) -> dict[str, Verdict]:
    program = directory / "mbedtls-engine"
    source = ENGINES / "mbedtls" / "main.c"
    done = _run(peer("gcc"), "-O1", "-o", program, source, "-lmbedx509", "-lmbedcrypto")
    if done.returncode:
        unavailable(f"Mbed TLS's headers are not installed: {done.stderr[:200]}")
    return _told(cases, _run(program, directory))


def _rustls(cases: list[Case], directory: Path) -> dict[str, Verdict]:
    target = Path(os.environ.get("CARGO_TARGET_DIR", directory / "target"))
    words = [peer("cargo"), "build", "--locked", "--quiet", "--target-dir", str(target)]
    subprocess.run(words, cwd=ENGINES / "rustls", check=True, timeout=900)
    return _told(cases, _run(target / "debug" / "engine", directory))


def _told(cases: list[Case], done: subprocess.CompletedProcess[str]) -> dict[str, Verdict]:
    """What a program said: a line a case, its number, yes or no, and the reason."""
    lines = (line.split(" ", 2) for line in done.stdout.splitlines())
    found = {cases[int(number)].id: (word == "yes", "".join(reason)) for number, word, *reason in lines}
    assert len(found) == len(cases), done.stderr
    return found


def _run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = list(map(str, words))
    return subprocess.run(
        command, env=PLAIN_ENVIRONMENT, capture_output=True, text=True, errors="replace", timeout=300, check=False
    )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


REAL: Mapping[str, Callable[[list[Case], Path], dict[str, Verdict]]] = {
    "openssl": _openssl,
    "gnutls": _gnutls,
    "go": _go,
    "rustls": _rustls,
    "java": _java,
    "mbedtls": _mbedtls,
}
"""By the names of `verify`'s engines."""
