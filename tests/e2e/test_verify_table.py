"""``verify`` gives the verdicts that the real clients give: each cell of the table, without any of the clients."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from rootfs_trust import verify
from rootfs_trust.audit.verify.verdict import Verdict
from tests.e2e.cases import CASES
from tests.e2e.judges import JUDGES
from tests.e2e.prepared import Prepared
from tests.e2e.table import YES, expected

pytest.importorskip("OpenSSL")

CLIENTS = {
    "mosquitto bridge": "thin-edge-mosquitto-bridge",
    "thin-edge.io 1.4.1 built-in bridge": "thin-edge-built-in-bridge",
    "thin-edge.io 2.0.1 built-in bridge": "thin-edge-built-in-bridge",
    "thin-edge.io 1.4.1 HTTPS": "thin-edge-https",
    "thin-edge.io 2.0.1 HTTPS": "thin-edge-https",
    "openssl s_client, directory": "openssl-directory",
    "openssl s_client, file": "openssl-bundle",
    "curl, directory": "openssl-directory",
    "curl, file": "openssl-bundle",
    "Python ssl to 3.12, directory": "openssl-directory",
    "Python ssl to 3.12, file": "openssl-bundle",
    "Python ssl since 3.13, directory": "openssl-directory",
    "Python ssl since 3.13, file": "openssl-bundle",
    "gnutls-cli": "gnutls",
    "Go": "go",
    "Java": "java",
    "rtls (rustls)": "rustls-native",
    "pyreqwest (rustls)": "rustls-native",
}
"""The client of ``verify`` that stands for a real one; docs/verify.md lists where it does not."""

PARTIAL = {(client, case) for client in ("curl", "Python ssl since 3.13") for case in ("alone", "pinned")}
"""These take any certificate of the store for an anchor, which plain OpenSSL does not; the reason says so."""

RTLS = {("rtls (rustls)", "alone")}
"""rtls plays Python's older ssl."""

IDS = {
    "issuer": ("issuer-missing", "distrusted"),
    "root": ("issuer-missing",),
    "ca": ("ca-names-server",),
    "expired": ("expired",),
    "early": ("not-yet-valid",),
    "name": ("host-name",),
    "names": ("constraints",),
    "weak": ("weak",),
    "purpose": ("purpose",),
    "reject": ("distrusted",),
}


@pytest.fixture(scope="session")
def verdict(prepared: Callable[[str], Prepared], tmp_path_factory: pytest.TempPathFactory):
    """The verdict of a client of ``verify`` for a case; ``second`` if the tree has thin-edge.io 2."""
    packages = tmp_path_factory.mktemp("dpkg")
    (packages / "status").write_text("Package: tedge\nStatus: install ok installed\nVersion: 2.0.1\n")

    @cache
    def verdicts(case: str, trust: str, second: bool) -> dict[str, Verdict]:
        states = [f"copy:/var/lib/dpkg={packages}"] if second else []
        made = prepared(case)
        found = verify(str(made.trees[trust]), str(made.chain), hostname="localhost", states=states)
        return {each.client: each for each in found.verdicts}

    return lambda client, case, trust, second: verdicts(case, trust, second)[client]


def client_of(judge: str) -> str:
    return CLIENTS.get(judge) or CLIENTS[judge.rpartition(", ")[0]]


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge.name)
@pytest.mark.parametrize("case", CASES)
def test_verify_says_what_the_client_does(judge, case: str, verdict: Callable[..., Verdict]) -> None:
    found = verdict(client_of(judge.name), case, judge.trust, "2.0.1" in judge.name)
    wanted = expected(judge.name, case)
    differs = (judge.name.rpartition(", ")[0], case)
    if differs in PARTIAL:
        assert not found.trusted
        assert "curl, and Python since 3.13, trust it anyway" in found.reason
    elif differs in RTLS:
        assert found.trusted
    else:
        assert found.trusted is (wanted == YES), found.reason
        assert wanted in (YES, "verify") or found.id in IDS[wanted], found.reason


def test_the_differences_are_in_the_docs() -> None:
    text = (Path(__file__).parents[2] / "docs" / "verify.md").read_text()
    assert "curl, and Python since 3.13" in text
    assert "rtls" in text
