"""Checks that depend on the version of the client's library: keys that it supports, and keys that it blocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from rootfs_trust.audit.verify.algorithms import unknown_issuer, unknown_server
from rootfs_trust.audit.verify.assumed_versions import Version
from rootfs_trust.audit.verify.blocked_keys import BLOCKING, blocks, is_blocked, why_blocked
from rootfs_trust.audit.verify.path_checks import Check
from rootfs_trust.audit.verify.paths import Path
from rootfs_trust.audit.verify.verdict import Refusal, named
from rootfs_trust.audit.verify.versions import Assumed
from rootfs_trust.clients.client import Client


class Asked:
    """The version of a client's library, looked up on first use. ``answer`` is None until then."""

    def __init__(self, look: Callable[[], Version]) -> None:
        self._look = look
        self.answer: Version | None = None

    def __call__(self) -> Version:
        """Return the version of the library. The first call looks it up."""
        if self.answer is None:
            self.answer = self._look()
        return self.answer


def known_issuers(engine: str, ask: Asked) -> Check:
    """Return a check that the client can verify the signature of every certificate except the anchor's."""

    def check(path: Path, _: datetime, __: str | None) -> Refusal | None:
        for below, above in zip(path.certificates, path.certificates[1:], strict=False):
            reason = unknown_issuer(engine, above, ask)
            if reason:
                return Refusal("algorithm", f"{named(above)} has signed {named(below)}: {reason}")
        return None

    return check


def known_server(engine: str, ask: Asked) -> Check:
    """Return a check that the client can complete a handshake with the server's key."""

    def check(path: Path, _: datetime, __: str | None) -> Refusal | None:
        server = path.server.certificate
        reason = unknown_server(engine, server, ask)
        return Refusal("algorithm", f"{named(server)}: {reason}") if reason else None

    return check


def no_blocked_key(product: str, ask: Asked) -> Check:
    """Return a check that no certificate has a key on the blocklist of the client's library."""

    def check(path: Path, _: datetime, __: str | None) -> Refusal | None:
        for certificate in path.certificates if product in BLOCKING else ():
            if is_blocked(certificate) and blocks(product, ask().newest):
                return Refusal("blocked", f"{named(certificate)} {why_blocked(product, ask())}")
        return None

    return check


def no_blocked_certificate(versions: Assumed) -> Check:
    """Return a check that no certificate except the anchor is in a JDK's blocked.certs (UntrustedCertificates)."""

    def check(path: Path, _: datetime, __: str | None) -> Refusal | None:
        blocked = versions.blocked_by_java
        for certificate in path.certificates[: 1 if path.pinned else -1] if blocked else ():
            if certificate.sha256 in blocked:
                return Refusal("blocked", f"{named(certificate)} is listed in {blocked[certificate.sha256]}")
        return None

    return check


class VersionChecks:
    """The checks of a client that depend on versions. After a check, ``note`` names the versions that mattered."""

    def __init__(self, client: Client, versions: Assumed) -> None:
        self._of_engine = Asked(partial(versions.of, client))
        self._of_python = Asked(versions.python)
        by_python = client.name.startswith("certifi")
        self.checks: tuple[Check, ...] = (
            known_issuers(client.engine, self._of_engine),
            known_server(client.engine, self._of_engine),
            no_blocked_key(*(("python", self._of_python) if by_python else (client.engine, self._of_engine))),
        )
        if client.engine == "java":
            self.checks += (no_blocked_certificate(versions),)

    @property
    def note(self) -> str:
        """A sentence with the versions that were found or assumed; empty if no version mattered."""
        return "; ".join(asked.answer.text for asked in (self._of_engine, self._of_python) if asked.answer)
