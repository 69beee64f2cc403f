"""Reports in a real browser: readable on a phone, on paper and by screen readers, and nothing on the console."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.screenshots import SCHEMES, WIDTHS, take
from tests.support.authority import Authority
from tests.support.axe import axe_source
from tests.support.browser import Page, browser
from tests.support.command import REPOSITORY, install, rootfs_trust
from tests.support.debian_tree import DebianTree
from tests.support.peers import peer

pytestmark = pytest.mark.slow

LONG = "Entrust.net_Premium_2048_Secure_Server_CA_and_a_name_that_has_no_place_to_break_" + "x" * 80


@pytest.fixture(scope="module")
def tab(tmp_path_factory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def axe(tmp_path_factory) -> str:
    return axe_source(tmp_path_factory.mktemp("axe"))


@pytest.fixture(params=["root filesystem", "fleet"])
def page(request, debian: DebianTree, tmp_path) -> Path:
    """The report of a Debian tree, or of a fleet of it, with findings of every level and servers.

    The name of a CA and that of a server hold markup; those of other CAs are long, or many.
    """
    mine = Authority("<script>throw 1</script>")
    (tmp_path / "cas").mkdir()
    for name, ca in (
        ("ca", mine),
        (LONG, Authority(LONG[:64])),
        *((f"ca-{n}", Authority(f"CA {n}")) for n in range(9)),
    ):
        (tmp_path / f"cas/{name}.pem").write_bytes(ca.pem)
    install(debian.path, "--cert", tmp_path / "cas", "--cloud", "c8y")
    debian.write("etc/ssl/certs/broken.pem", b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n")
    (tmp_path / "good.pem").write_bytes(mine.server("mqtt.example.com").pem)
    (tmp_path / "lost.pem").write_bytes(Authority("Unknown").server("mqtt.example.com").pem)
    tables = (f'[[server]]\nname = "<b>{name}</b>"\nchain = "{name}.pem"\n' for name in ("good", "lost"))
    (tmp_path / "servers.toml").write_text("".join(tables))
    (tmp_path / "fleet.toml").write_text(f'[[target]]\nroot = "{debian.path}"\nconfig = "servers.toml"\n' * 20)
    words = {
        "root filesystem": ("report", "--root", debian.path, "--config", tmp_path / "servers.toml", "-o"),
        "fleet": ("fleet", tmp_path / "fleet.toml", "--check", "--report"),
    }[request.param]
    done = rootfs_trust(*words, tmp_path / "trust.html")
    assert done.returncode == (request.param == "fleet"), done.stderr
    return tmp_path / "trust.html"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(page, axe, tab, dark):
    tab.open(page.as_uri(), width=390, dark=dark)
    tab.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert tab.violations(axe) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(page, tab, width):
    tab.open(page.as_uri(), width=width)
    tab.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert tab.wider_than_the_window() == []
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.complaints == []


def names(tab: Page) -> list[str]:
    script = (
        "[...document.querySelectorAll('#anchors-1 tbody tr:not([hidden])')].map(each => each.cells[0].dataset.key)"
    )
    return tab.run(script)


@pytest.mark.parametrize("page", ["root filesystem"], indirect=True)
def test_anchors_are_sorted_and_filtered(page, tab):
    tab.open(page.as_uri())
    assert len(names(tab)) == 11
    tab.run("document.querySelector('#anchors-1 th button').click()")
    rising = names(tab)
    assert rising == sorted(rising, key=str.lower)
    tab.run("document.querySelector('#anchors-1 th button').click()")
    assert names(tab) == rising[::-1]
    tab.run("""(() => { const words = document.querySelector('.filter input'); words.value = 'CA-3';
        words.dispatchEvent(new Event('input', {bubbles: true})); })()""")
    assert names(tab) == ["ca-3"]
    assert tab.run("document.querySelector('.filter output').value") == "1 of 11"


@pytest.mark.parametrize("page", ["root filesystem"], indirect=True)
def test_paper_shows_what_is_folded(page, tab, tmp_path):
    tab.open(page.as_uri())
    (tmp_path / "trust.pdf").write_bytes(tab.pdf())
    tab.open(page.as_uri(), media="print")
    hidden = "[...document.querySelectorAll('details > :not(summary)')].filter(each => !each.checkVisibility()).length"
    assert tab.run("document.querySelectorAll('details > :not(summary)').length") > 1
    assert tab.run(hidden) == 0
    assert (tmp_path / "trust.pdf").read_bytes().startswith(b"%PDF")


def test_the_screenshots_of_the_docs_can_be_taken_again(tmp_path):
    take(tmp_path)
    kept = {each.name for each in (REPOSITORY / "docs/screenshots").glob("*.webp")}
    made = {each.name: each.stat().st_size for each in tmp_path.iterdir()}
    assert made.keys() == kept == {f"report-{width}-{scheme}.webp" for width in WIDTHS for scheme in SCHEMES}
    assert all(10_000 < size < 150_000 for size in made.values()), made


def test_the_script_is_right_for_a_checker():
    subprocess.run([peer("node"), "--check", REPOSITORY / "templates/report/page.js"], check=True)
