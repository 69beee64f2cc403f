"""The cases of C2SP's x509-limbo that ask what `verify` asks: would a TLS client trust this server?"""

from __future__ import annotations

import json
import lzma
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_SERVER_AUTH = ["serverAuth"]

SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "limbo" / "limbo.json.xz"
"""x509-limbo's own cases, BetterTLS's path building, and every twelfth of its name constraints."""

TIME = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """A chain, server first, and roots, all PEM; the host, or None; and the time."""

    id: str
    chain: tuple[str, ...]
    roots: tuple[str, ...]
    host: str | None
    at: datetime

    def write(self, directory: Path) -> None:
        """The case as files, for programs in other languages."""
        directory.mkdir(parents=True)
        (directory / "chain.pem").write_text("\n".join(self.chain))
        (directory / "others.pem").write_text("\n".join(self.chain[1:]))
        (directory / "roots.pem").write_text("\n".join(self.roots))
        (directory / "host").write_text(self.host or "")
        (directory / "time").write_text(str(int(self.at.timestamp())))


def read_cases(file: Path) -> list[Case]:
    """The cases of a limbo.json, plain or compressed by xz, in its order; those without a time are judged at TIME."""
    data = lzma.decompress(file.read_bytes()) if file.suffix == ".xz" else file.read_bytes()
    return [_case(each, TIME) for each in json.loads(data)["testcases"] if _fits(each)]


def _fits(case: dict) -> bool:
    """One server, one name, no CRL and nothing that a TLS client has no setting for."""
    peer = case["expected_peer_name"]
    return (
        case["validation_kind"] == "SERVER"
        and not case["crls"]
        and not case["key_usage"]
        and not case["signature_algorithms"]
        and case["max_chain_depth"] is None
        and case["extended_key_usage"] in ([], _SERVER_AUTH)
        and (peer is None or peer["kind"] in ("DNS", "IP"))
    )


def _case(case: dict, now: datetime) -> Case:
    peer, time = case["expected_peer_name"], case["validation_time"]
    return Case(
        case["id"],
        (case["peer_certificate"], *case["untrusted_intermediates"]),
        tuple(case["trusted_certs"]),
        peer["value"] if peer else None,
        datetime.fromisoformat(time).astimezone(UTC).replace(microsecond=0) if time else now,
    )
