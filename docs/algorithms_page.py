"""docs/algorithms.md: which keys each TLS client supports, from the tables of ``verify``."""

from __future__ import annotations

from rootfs_trust.audit.verify.algorithms import ISSUERS, SERVERS, KnownKeyType, Table
from rootfs_trust.audit.verify.assumed_versions import dotted

ALGORITHMS = """\
# Algorithms: which keys each TLS client supports

[`verify`](verify.md) uses these tables. A client refuses every key that they do not list, including keys with an unknown
algorithm. This page is generated from `rootfs_trust/audit/verify/algorithms.py` by `docs/generate.py`.

Rows without a source were tested with these versions; `tests/limbo/algorithms.json` has the verdict of each:

- OpenSSL 3.0.22 and 4.0.3, GnuTLS 3.7.9, Mbed TLS 2.28.3;
- Go 1.26.8 and 1.27.3, rustls 0.23 with ring and with aws-lc-rs (0.23.46);
- OpenJDK 17.0.15, 21.0.8 and 25.0.3.

Versions of rustls are those of rustls-webpki.

Key sizes are separate rules. OpenSSL at security level 2, rustls and Mbed TLS accept RSA keys from 2048 bits; GnuTLS and Java
from 1024. GnuTLS supports ML-DSA from 3.8.10 on if it was built with leancrypto, which is not the default (see its NEWS and
configure.ac). So the tables say no. Mbed TLS has no EdDSA (issues 3762 and 10653 of Mbed-TLS/mbedtls).
"""


def algorithms_page() -> str:
    """Which keys each TLS client takes, by version, from the tables by which `verify` judges."""
    parts = [
        ALGORITHMS,
        _algorithms("Keys that sign certificates", ISSUERS),
        _algorithms("Keys of servers, with which a TLS handshake succeeds", SERVERS),
        "## Sources of the versions\n\n| client | key | source |\n| --- | --- | --- |",
    ]
    sources = (
        f"| {client} | {row.kind} | {row.source} |"
        for table in (ISSUERS, SERVERS)
        for client, rows in table.items()
        for row in rows
        if row.source
    )
    return "\n".join([*parts, *dict.fromkeys(sources), ""])


def _algorithms(title: str, table: Table) -> str:
    table = {client: (*rows, *table[client.partition(" ")[0]]) for client, rows in table.items()}
    kinds = dict.fromkeys(row.kind for rows in table.values() for row in rows)
    lines = [f"## {title}\n", f"| key | {' | '.join(table)} |", f"| --- |{' --- |' * len(table)}"]
    for kind in kinds:
        cells = (next((_versions(row) for row in rows if row.kind == kind), "no") for rows in table.values())
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _versions(row: KnownKeyType) -> str:
    if row.since:
        return f"from {dotted(row.since)}"
    return f"before {dotted(row.before)}" if row.before else "yes"
