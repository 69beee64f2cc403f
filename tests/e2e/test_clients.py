"""Real clients as judges: each reaches the servers that it should reach with the trust of a prepared rootfs.

table.py says which those are; one test a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.cases import CASES
from tests.e2e.judges import JUDGES, Built, Judge
from tests.e2e.prepared import BUNDLE, Prepared
from tests.e2e.table import DOCUMENT, EXPECTED, REFUSALS, YES, cell, document, expected
from tests.support.overlay import run_over
from tests.support.trees import HASH_LINK

_JUDGES = [pytest.param(each, id=each.name, marks=() if each.quick else pytest.mark.slow) for each in JUDGES]


# Case by case, so that the processes of a parallel run share the work of making them ready.
@pytest.mark.parametrize("judge", _JUDGES)
@pytest.mark.parametrize("case", CASES)
def test_the_client_connects_or_refuses_as_the_table_says(
    judge: Judge, case: str, prepared: Callable[[str], Prepared], built: Built
) -> None:
    wanted = expected(judge.name, case)
    assert cell(judge(prepared(case), built), wanted) == wanted


def test_the_settings_are_what_the_table_says(prepared: Callable[[str], Prepared]) -> None:
    assert prepared("ca").root_cert_path("directory") == "/etc/ssl/certs"
    assert prepared("ca").root_cert_path("file") == BUNDLE


def test_nobody_is_trusted_who_is_not_installed() -> None:
    assert YES not in {row["stranger"] for row in EXPECTED.values()}


def test_every_cell_is_a_verdict_and_every_verdict_is_used() -> None:
    assert {word for row in EXPECTED.values() for word in row.values()} == {YES, *REFUSALS}


def test_the_table_in_the_docs_is_this_one() -> None:
    assert DOCUMENT.read_text() == document(), "run: python -m tests.e2e.table"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("client", "wanted"),
    [
        ("mosquitto bridge, directory", "verify"),
        ("openssl s_client, directory", "issuer"),
        ("curl, directory", "issuer"),
        ("thin-edge.io 1.4.1 built-in bridge, directory", YES),
        ("thin-edge.io 2.0.1 built-in bridge, directory", YES),
    ],
)
def test_who_needs_the_hash_links(client: str, wanted: str, without_links: Prepared, built: Built) -> None:
    """Without them OpenSSL's clients find nothing in the directory; so the table would show it if install made none."""
    judge = next(each for each in JUDGES if each.name == client)
    assert cell(judge(without_links, built), wanted) == wanted


SPOILT = {
    "nothing": (None, ""),
    "no-base64": ("!", "Unable to read certificates from c8y.root_cert_path"),
    "no-certificate": ("AAAA", "Valid reqwest client builder configuration"),
}
"""What is between the lines of a second file in the directory, and what HTTPS says of it."""


@pytest.mark.slow
@pytest.mark.parametrize("generation", [1, 2])
@pytest.mark.parametrize("part", ["bridge", "https"])
@pytest.mark.parametrize("spoilt", SPOILT)
def test_one_malformed_file_in_a_directory_of_its_own_drops_it_all_for_https_alone(
    prepared: Callable[[str], Prepared], built: Built, tmp_path: Path, generation: int, part: str, spoilt: str
) -> None:
    """Why every file that install writes is clean PEM: the directory holds the right CA, which the system does not."""
    server, device = prepared("ca"), prepared("stranger")
    base64, says = SPOILT[spoilt]
    directory = tmp_path / "own"
    directory.mkdir()
    (directory / "right.pem").write_bytes(server.installed[0])
    if base64:
        (directory / "spoilt.pem").write_text(f"-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
    words = (built.thin_edge() / f"thin-edge-{generation}", part, directory, "localhost", str(server.port))
    done = run_over(device.trees["directory"], *words)
    connects = part == "bridge" or base64 is None
    assert ("connected" in done.stdout) is connects, done.stdout
    assert connects or says in done.stdout


@pytest.fixture(scope="session")
def without_links(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """The private CA, its hash links taken away again."""
    with ExitStack() as stack:
        case = Prepared("ca", tmp_path_factory.mktemp("without-links"), stack)
        links = [
            link for link in (case.trees["directory"] / "etc/ssl/certs").iterdir() if HASH_LINK.fullmatch(link.name)
        ]
        assert links
        for link in links:
            link.unlink()
        yield case
