"""Asks https://HOST:PORT/ with one of Python's TLS stacks, and prints the answer or why there is none.

ask.py ssl|ssl-strict|rtls|pyreqwest PATH PORT [HOST]: PATH is a file or a directory of CAs, or "system" for the store
of the system. "ssl" is a context with the flags of Python up to 3.12, "ssl-strict" one with those since 3.13.
"""

import socket
import sys
from datetime import timedelta
from pathlib import Path

REQUEST = b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"
PATIENCE = 20
ADDRESS = {"localhost": "127.0.0.1"}  # a bare chroot has no /etc/hosts


def by_module(module, trust: str, port: int, host: str, flags: int = 0) -> bytes:
    context = module.SSLContext(module.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(**{"capath" if Path(trust).is_dir() else "cafile": trust})
    if flags:
        context.verify_flags |= flags
    with (
        socket.create_connection((ADDRESS.get(host, host), port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        connection.sendall(REQUEST)
        answer = b""
        while more := connection.recv(4096):
            answer += more
        return answer


def by_pyreqwest(port: int, host: str) -> bytes:
    from pyreqwest.client import SyncClientBuilder

    with SyncClientBuilder().no_proxy().timeout(timedelta(seconds=PATIENCE)).build() as client:
        return client.get(f"https://{host}:{port}/").build().send().bytes().to_bytes()


def main(stack: str, trust: str, port: int, host: str = "localhost") -> bytes:
    if stack == "pyreqwest":
        return by_pyreqwest(port, host)
    if stack == "rtls":
        import rtls

        return by_module(rtls, trust, port, host)
    import ssl

    strict = ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return by_module(ssl, trust, port, host, strict if stack == "ssl-strict" else 0)


if __name__ == "__main__":
    try:
        print(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:]).decode())
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error!r}")
