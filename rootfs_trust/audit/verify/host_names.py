"""The names of a server's certificate, and whether one of them is the host's (RFC 9525, RFC 6125)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from rootfs_trust.audit.verify.verdict import Refusal, named
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.general_names import ADDRESS, DNS

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class ServerNames:
    """Of the subjectAltName: DNS names and IP addresses; and the last common name of the subject."""

    dns: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    common_name: str | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """All of the subjectAltName, as text."""
        return (*self.dns, *map(str, self.addresses))

    def include(self, host: str, *, common_name: bool) -> bool:
        """Whether ``host``, a name or an IP address, is named; ``common_name``: by the subject if by nothing else."""
        address = _address(host)
        if address is not None:
            return address in self.addresses
        names = self.dns
        if common_name and not self.dns and self.common_name:
            names = (self.common_name,)
        return any(matches(name, host) for name in names)


def names_of(certificate: Certificate) -> ServerNames:
    """The names of a certificate; a subjectAltName that makes no sense has none."""
    names = certificate.alternative_names
    dns = tuple(each.value.decode("latin-1") for each in names if each.tag == DNS)
    addresses = tuple(ip_address(each.value) for each in names if each.tag == ADDRESS and len(each.value) in (4, 16))
    return ServerNames(dns, addresses, certificate.subject.common_name)


def matches(pattern: str, host: str, *, short: bool = False) -> bool:
    """Whether a DNS name of a certificate is ``host``'s; a ``*`` stands for the whole first label.

    Two more labels have to follow it, unless ``short`` says that one will do.
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


def is_address(host: str) -> bool:
    """Whether a host is given by its IP address."""
    return _address(host) is not None


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def no_alternative_name(server: Certificate) -> Refusal:
    """For clients that take no name from the subject."""
    return Refusal("name", f"{named(server)} has no subjectAltName, and this client takes no name from the subject")


def wrong_name(server: Certificate, host: str) -> Refusal:
    """The certificate names other hosts."""
    names = names_of(server)
    listed = ", ".join(names.hosts or ((names.common_name,) if names.common_name else ())) or "no host at all"
    return Refusal("name", f"the server's certificate is for {listed}, not for {host}")
