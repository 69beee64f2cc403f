"""Match the names in a server's certificate with a host (RFC 9525, RFC 6125)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from rootfs_trust.audit.verify.verdict import Refusal, named
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.name import ADDRESS, DNS

_IN_HOST_NAMES = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_.")

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class ServerNames:
    """The DNS names and IP addresses of the subjectAltName, and the last common name of the subject."""

    dns: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    common_name: str | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names in the subjectAltName, as text."""
        return (*self.dns, *map(str, self.addresses))

    def include(self, host: str, *, common_name: bool) -> bool:
        """Return whether the names match ``host``. ``common_name``: also use the subject if there is no other name."""
        address = _address(host)
        if address is not None:
            return address in self.addresses
        names = self.dns
        if common_name and not self.dns and self.common_name:
            names = (self.common_name,)
        return any(matches(name, host) for name in names)


def names_of(certificate: Certificate) -> ServerNames:
    """Return the names of a certificate. A malformed subjectAltName has none."""
    names = certificate.alternative_names
    dns = tuple(each.value.decode("latin-1") for each in names if each.tag == DNS)
    addresses = tuple(ip_address(each.value) for each in names if each.tag == ADDRESS and len(each.value) in (4, 16))
    return ServerNames(dns, addresses, certificate.subject.common_name)


def matches(pattern: str, host: str, *, short: bool = False) -> bool:
    """Return whether a DNS name of a certificate matches ``host``. A ``*`` matches the whole first label.

    At least two more labels must follow it, or one if ``short``.
    """
    pattern, host = pattern.lower().rstrip("."), _ascii(host)
    if not pattern.startswith("*."):
        return bool(pattern) and pattern == host
    rest = pattern[2:]
    first, _, parent = host.partition(".")
    return ("." in rest or short) and bool(first) and parent == rest


def _ascii(host: str) -> str:
    host = host.lower().rstrip(".")
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return host


def is_host(text: str) -> bool:
    """Return whether ``text`` is an IP address or a host name (RFC 1123, 2.1, with underscores; RFC 3490)."""
    if is_address(text):
        return True
    try:
        name = text.rstrip(".").encode("idna")
    except UnicodeError:
        return False
    return bool(name) and set(name.lower()) <= _IN_HOST_NAMES


def is_address(host: str) -> bool:
    """Return whether ``host`` is an IP address."""
    return _address(host) is not None


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def no_alternative_name(server: Certificate) -> Refusal:
    """Return the refusal of clients that ignore the common name."""
    return Refusal(
        "host-name", f"{named(server)} has no subjectAltName, and this client ignores the names in the subject"
    )


def wrong_name(server: Certificate, host: str) -> Refusal:
    """Return the refusal of a certificate for other hosts."""
    names = names_of(server)
    listed = ", ".join(names.hosts or ((names.common_name,) if names.common_name else ())) or "no host at all"
    return Refusal("host-name", f"the server's certificate is for {listed}, not for {host}")
