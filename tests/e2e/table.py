"""The table of client times case: what is expected, and docs/clients.md that prints it.

``python -m tests.e2e.table`` writes docs/clients.md anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tests.e2e.cases import CASES
from tests.e2e.judges import JUDGES, Seen

DOCUMENT = Path(__file__).parents[2] / "docs" / "clients.md"
YES = "yes"


@dataclass(frozen=True)
class Refusal:
    """``words`` are the clients' own, as a pattern; ``why`` is for people."""

    words: str
    why: str


REFUSALS = {
    "issuer": Refusal(
        "unable to get local issuer certificate|signed by unknown authority|issuer is unknown"
        "|unable to find valid certification path|invalid peer certificate: UnknownIssuer",
        "the client finds no way from the server's certificate to an installed one",
    ),
    "root": Refusal(
        "unable to get issuer certificate",
        "the client finds the intermediate and wants the self-signed root as well; install the root too",
    ),
    "ca": Refusal(
        "CaUsedAsEndEntity",
        "rustls takes no certificate with CA:TRUE for a server's; make the server's with CA:FALSE",
    ),
    "verify": Refusal("certificate verify failed", "mosquitto says no more than that; the reasons are OpenSSL's"),
}

# Written by hand after a look at what each client really said; in the order of CASES.
# fmt: off
EXPECTED = {
    #                                               ca  sent not-sent both alone  edge self-ca stranger
    "mosquitto bridge, folder":                   "yes  yes  verify   yes  verify yes  yes     verify",
    "mosquitto bridge, file":                     "yes  yes  verify   yes  verify yes  yes     verify",
    "thin-edge.io 1.4.1 built-in bridge, folder": "yes  yes  issuer   yes  yes    yes  ca      issuer",
    "thin-edge.io 1.4.1 built-in bridge, file":   "yes  yes  issuer   yes  yes    yes  ca      issuer",
    "thin-edge.io 2.0.1 built-in bridge, folder": "yes  yes  issuer   yes  yes    yes  ca      issuer",
    "thin-edge.io 2.0.1 built-in bridge, file":   "yes  yes  issuer   yes  yes    yes  ca      issuer",
    "thin-edge.io 1.4.1 HTTPS, folder":           "yes  yes  issuer   yes  yes    yes  ca      issuer",
    "thin-edge.io 1.4.1 HTTPS, file":             "yes  yes  issuer   yes  yes    yes  ca      issuer",
    "thin-edge.io 2.0.1 HTTPS, folder":           "yes  yes  issuer   yes  yes    yes  ca      issuer",
    "thin-edge.io 2.0.1 HTTPS, file":             "yes  yes  issuer   yes  yes    yes  ca      issuer",
    "openssl s_client, folder":                   "yes  yes  issuer   yes  root   yes  yes     issuer",
    "openssl s_client, file":                     "yes  yes  issuer   yes  root   yes  yes     issuer",
    "curl, folder":                               "yes  yes  issuer   yes  yes    yes  yes     issuer",
    "curl, file":                                 "yes  yes  issuer   yes  yes    yes  yes     issuer",
    "Python ssl to 3.12, folder":                 "yes  yes  issuer   yes  root   yes  yes     issuer",
    "Python ssl to 3.12, file":                   "yes  yes  issuer   yes  root   yes  yes     issuer",
    "Python ssl since 3.13, folder":              "yes  yes  issuer   yes  yes    yes  yes     issuer",
    "Python ssl since 3.13, file":                "yes  yes  issuer   yes  yes    yes  yes     issuer",
    "gnutls-cli, file":                           "yes  yes  issuer   yes  yes    yes  yes     issuer",
    "Go, system":                                 "yes  yes  issuer   yes  yes    yes  yes     issuer",
    "Go, file":                                   "yes  yes  issuer   yes  yes    yes  yes     issuer",
    "Java, JKS of the tree":                      "yes  yes  issuer   yes  yes    yes  yes     issuer",
    "rtls (rustls), folder":                      "yes  yes  issuer   yes  issuer yes  ca      issuer",
    "rtls (rustls), file":                        "yes  yes  issuer   yes  issuer yes  ca      issuer",
    "pyreqwest (rustls), system":                 "yes  yes  issuer   yes  yes    yes  ca      issuer",
}
# fmt: on


def expected(client: str, case: str) -> str:
    return EXPECTED[client].split()[list(CASES).index(case)]


def cell(seen: Seen, expectation: str) -> str:
    """What ``seen`` is in the terms of the table: as expected, if that fits, else whatever fits, or all of it."""
    if seen.connected:
        return YES
    fitting = [name for name, refusal in REFUSALS.items() if re.search(refusal.words, seen.said)]
    return expectation if expectation in fitting else " ".join(fitting) or f"refused, saying:\n{seen.said}"


_HEAD = """# Which client connects

Made by `python -m tests.e2e.table`; do not edit. Each cell is a test (`tests/e2e/test_clients.py`): a server on
loopback with a certificate made on the spot, a Debian tree prepared by `rootfs-trust install --cert ... --cloud c8y`,
and the client set up as the rendered settings say, `root_cert_path` at the folder `/etc/ssl/certs` or, by `--set`, at
the file `/etc/ssl/certs/ca-certificates.crt`. mosquitto's bridge is the real one, configured as `tedge connect` does.
thin-edge.io's other clients are played by a small program (`tests/e2e/clients/thin-edge`) that loads trust by their
rules, with the PEM parser of the versions that the releases lock. The built-in bridge is rustls itself; HTTPS is the
client of reqwest 0.11.23 and 0.12.15, made as the releases make it.
"""

_NOTES = """
- The self-signed certificate of Cumulocity Edge (no CA) works with every client here. GnuTLS notes on standard error
  that a certificate in its list is no CA. The same with CA:TRUE works with all but rustls, and so with mosquitto's
  bridge but not with thin-edge.io's built-in bridge nor its HTTPS.
- An intermediate without its root is enough for curl (since 7.68), GnuTLS, Go, Java, rustls and Python since 3.13;
  mosquitto, `openssl` and Python up to 3.12 want the root too. rtls plays Python's older `ssl` in this.
- A server that does not send its intermediate is refused by all, unless the intermediate is installed too.
"""


def document() -> str:
    """docs/clients.md"""
    lines = [_HEAD, f"| client | {' | '.join(str(number) for number in range(1, len(CASES) + 1))} |"]
    lines.append(f"| --- |{' --- |' * len(CASES)}")
    for cells, clients in groupby(EXPECTED, lambda client: (_plain(client), EXPECTED[client])):
        words = [word if word == YES else f"**no**: {word}" for word in cells[1].split()]
        trust = ", ".join(client.rpartition(", ")[2] for client in clients)
        lines.append(f"| {cells[0]}: {trust} | {' | '.join(words)} |")
    lines += ["", "The servers, and what is installed:", ""]
    lines += [f"{number}. {title}." for number, (title, _) in enumerate(CASES.values(), 1)]
    lines += ["", "Why a client refuses:", ""]
    lines += [f"- **{name}**: {refusal.why}." for name, refusal in REFUSALS.items()]
    return "\n".join(lines) + "\n" + _NOTES


def _plain(client: str) -> str:
    return client.rpartition(", ")[0]


assert list(EXPECTED) == [judge.name for judge in JUDGES], "a row for each client, in their order"

if __name__ == "__main__":
    DOCUMENT.write_text(document())
