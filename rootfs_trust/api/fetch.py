"""Save the certificate chain that a server sends. No other module opens a connection."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rootfs_trust.api.output_file import write_output
from rootfs_trust.audit.verify.host_names import is_host
from rootfs_trust.audit.verify.openssl_engine import require
from rootfs_trust.errors import FETCH, InputError

if TYPE_CHECKING:
    from OpenSSL.SSL import Connection

PATIENCE = 20
"""Timeout in seconds for the connection, and again for the handshake."""

_HINT = "check host and port, and that the server speaks TLS there"


def fetch(server: str, file: str, trees: Iterable[str] = ()) -> int:
    """Save the certificates that ``HOST:PORT`` sends to a new ``file`` as PEM, and return their number.

    The server's own certificate is first. Nothing is verified. ``trees``: as for :func:`write_output`. Raises
    InputError, ConflictError if the file exists, or ApplyError if it cannot be written.
    """
    require()
    host, port = host_and_port(server)
    try:
        with socket.create_connection((host, port), timeout=PATIENCE) as plain:
            chain = _sent(plain, host)
    except OSError as error:
        raise InputError(FETCH(server, f"cannot be reached: {error}", _HINT)) from error
    write_output(file, b"".join(chain), trees, new=True)
    return len(chain)


def host_and_port(server: str) -> tuple[str, int]:
    """Parse ``HOST:PORT``. Raises InputError."""
    host, colon, port = server.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and is_host(host) and port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536):
        raise InputError(FETCH(server, "is not HOST:PORT", "for example mycloud.example.com:8883"))
    return host, int(port)


def _sent(plain: socket.socket, host: str) -> list[bytes]:
    """Return the certificates that the server sends, as PEM, in its order."""
    from OpenSSL import SSL
    from OpenSSL.crypto import FILETYPE_PEM, dump_certificate

    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_cipher_list(b"ALL:@SECLEVEL=0")  # accept weak certificates, because verify evaluates them
    connection = SSL.Connection(context, plain)
    if not host.replace(".", "").isdigit() and ":" not in host:
        connection.set_tlsext_host_name(host.encode("idna"))
    connection.set_connect_state()
    try:
        _shake_hands(connection, plain)
    except SSL.Error as error:
        raise OSError(f"no TLS handshake ({error.args[0] or 'it hung up'})") from error
    return [dump_certificate(FILETYPE_PEM, each) for each in connection.get_peer_cert_chain() or ()]


def _shake_hands(connection: Connection, plain: socket.socket) -> None:
    from OpenSSL import SSL

    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            connection.do_handshake()
        except SSL.WantReadError:
            select.select([plain], [], [], PATIENCE)
        except SSL.WantWriteError:
            select.select([], [plain], [], PATIENCE)
        else:
            return
    raise TimeoutError("no TLS handshake in time")
