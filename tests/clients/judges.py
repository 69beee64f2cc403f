"""The real clients: which of the ten CAs each trusts in a tree. Every answer comes from a process in a chroot of it."""

from __future__ import annotations

import ctypes as c
import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from cryptography.x509 import load_der_x509_certificate
from OpenSSL.crypto import X509, Error, X509Store, X509StoreContext, X509StoreContextError

from rootfs_trust.x509 import read_objects
from tests.clients.authorities import authorities, servers
from tests.support.peers import peer, unavailable
from tests.unit.store.p11kit.peer import TrustTool

_SOURCE = Path(__file__).parent / "go"
_RUST = Path(__file__).parent / "rust"
_PEM = 1
_PROFILE_LOW = 2

StorePlan = tuple[bool, ...]
"""Whether each CA is trusted."""


def in_chroot(root: Path, ask: Callable[[], StorePlan]) -> StorePlan:
    """What ``ask`` answers in a process whose root is the tree."""
    return tuple(json.loads(_written_in(root, lambda write: os.write(write, json.dumps(ask()).encode()))))


def _written_in(root: Path, act: Callable[[int], object]) -> str:
    """What ``act`` writes to its descriptor in a process whose root is the tree."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.chroot(root)
            os.chdir("/")
            act(write)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return said


# -- OpenSSL -------------------------------------------------------------------------------------------------------


def openssl(root: Path, file: str | None, directories: tuple[str, ...]) -> StorePlan:
    """X509_STORE_load_locations, and the chain of each server."""
    chains = [X509.from_cryptography(load_der_x509_certificate(server.der)) for server in servers()]
    return in_chroot(root, lambda: tuple(_verified(chain, file, directories) for chain in chains))


def _verified(server: X509, file: str | None, directories: tuple[str, ...]) -> bool:
    store = X509Store()
    try:
        if file is not None:
            store.load_locations(file)
        for directory in directories:
            store.load_locations(None, directory)
        X509StoreContext(store, server).verify_certificate()
    except (Error, X509StoreContextError):
        return False
    return True


# -- GnuTLS --------------------------------------------------------------------------------------------------------


class _Datum(c.Structure):
    _fields_ = (("data", c.c_char_p), ("size", c.c_uint))


class Gnutls:
    """The library of this machine."""

    def __init__(self) -> None:
        try:
            self._lib = c.CDLL("libgnutls.so.30")
        except OSError:
            unavailable("GnuTLS is not installed")
        self._servers = [self._certificate(server.pem) for server in servers()]

    def by_file(self, root: Path, path: str) -> StorePlan:
        """gnutls_x509_trust_list_add_trust_file."""
        return in_chroot(root, lambda: self._answer(self._lib.gnutls_x509_trust_list_add_trust_file, path))

    def by_directory(self, root: Path, path: str) -> StorePlan:
        """gnutls_x509_trust_list_add_trust_dir."""
        return in_chroot(root, lambda: self._answer(self._lib.gnutls_x509_trust_list_add_trust_dir, path))

    def _answer(self, load: Callable[..., int], path: str) -> StorePlan:
        trust = c.c_void_p()
        self._lib.gnutls_x509_trust_list_init(c.byref(trust), 0)
        load(trust, path.encode(), None, _PEM, 0, 0)
        return tuple(self._verified(trust, server) for server in self._servers)

    def _verified(self, trust: c.c_void_p, server: c.c_void_p) -> bool:
        chain, status = (c.c_void_p * 1)(server), c.c_uint()
        code = self._lib.gnutls_x509_trust_list_verify_crt2(
            trust, chain, 1, None, 0, _PROFILE_LOW << 24, c.byref(status), None
        )
        return bool(code == 0 and status.value == 0)

    def _certificate(self, pem: bytes) -> c.c_void_p:
        certificate, datum = c.c_void_p(), _Datum(pem, len(pem))
        self._lib.gnutls_x509_crt_init(c.byref(certificate))
        if self._lib.gnutls_x509_crt_import(certificate, c.byref(datum), _PEM) < 0:
            raise AssertionError("GnuTLS cannot read a server's certificate")
        return certificate


# -- Go ------------------------------------------------------------------------------------------------------------


class Go:
    """A program with Go's crypto/x509, linked statically so that it runs in any tree."""

    def __init__(self, cache: Path) -> None:
        self._program = cache / "trusts"
        environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOWORK": "off"}
        command = [peer("go"), "build", "-o", str(self._program), "."]
        done = subprocess.run(command, cwd=_SOURCE, env=environment, capture_output=True, timeout=540, check=False)
        if done.returncode != 0:
            unavailable(f"go built no client: {done.stderr.decode()[-500:]}")

    def __call__(self, root: Path) -> StorePlan:
        with tempfile.TemporaryFile() as chains:
            chains.write(b"".join(server.pem for server in servers()))
            chains.seek(0)
            said = _run_in(root, self._program, chains)
        assert len(said) == len(authorities()), said
        return tuple(digit == "1" for digit in said)


# -- rustls --------------------------------------------------------------------------------------------------------


class Rustls:
    """A program with rustls-native-certs, linked statically: CARGO_TARGET_DIR keeps the build."""

    def __init__(self, cache: Path) -> None:
        target, host = Path(os.environ.get("CARGO_TARGET_DIR", cache / "rust")), _host()
        environment = {**os.environ, "RUSTFLAGS": "-C target-feature=+crt-static"}
        # With --target, the flags are not those of build scripts.
        command = [peer("cargo"), "build", "--locked", "--quiet", "--target-dir", str(target), "--target", host]
        done = subprocess.run(command, cwd=_RUST, env=environment, capture_output=True, timeout=540, check=False)
        if done.returncode != 0:
            unavailable(f"cargo built no client: {done.stderr.decode()[-500:]}")
        self._program = target / host / "debug" / "trusts"

    def __call__(self, root: Path) -> StorePlan:
        with open(os.devnull) as nothing:
            *lines, end = _run_in(root, self._program, nothing).splitlines()
        assert end == "end", "the Rust program did not reach its end"
        digests = {hashlib.sha256(bytes.fromhex(line)).hexdigest() for line in lines}
        return tuple(authority.sha256 in digests for authority in authorities())


def _host() -> str:
    """The target for which this machine's compiler builds."""
    done = subprocess.run([peer("rustc"), "-vV"], capture_output=True, text=True, timeout=60, check=True)
    return next(line.removeprefix("host: ") for line in done.stdout.splitlines() if line.startswith("host: "))


def _run_in(root: Path, path: Path, stdin: IO[Any]) -> str:
    """What a static program of this machine prints with the tree as its root directory."""
    with open(path, "rb") as program:

        def execute(write: int) -> None:
            os.dup2(stdin.fileno(), 0)
            os.dup2(write, 1)
            os.execve(program.fileno(), [path.name], {"PATH": "/"})

        return _written_in(root, execute)


# -- Java ----------------------------------------------------------------------------------------------------------


class Java:
    """keytool, which loads a keystore as Java does. It is a program of this machine: links are followed before."""

    def __call__(self, store: Path) -> StorePlan:
        command = [peer("keytool"), "-list", "-rfc", "-keystore", str(store), "-storepass", "changeit"]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        return _held(done.stdout if done.returncode == 0 else b"")


# -- p11-kit -------------------------------------------------------------------------------------------------------


class P11Kit:
    """The trust module, which GnuTLS asks where it is built so: what ``trust extract`` gives for TLS servers."""

    def __init__(self, folder: Path) -> None:
        self._out = folder / "extracted.pem"

    def __call__(self, root: Path, folders: tuple[str, ...]) -> StorePlan:
        tool = TrustTool(root / path[1:] for path in folders)
        tool.extract("--format=pem-bundle", "--filter=ca-anchors", "--purpose=server-auth", str(self._out))
        return _held(self._out.read_bytes())


def _held(pem: bytes) -> StorePlan:
    digests = {each.sha256 for _, each in read_objects(pem).certificates}
    return tuple(authority.sha256 in digests for authority in authorities())
