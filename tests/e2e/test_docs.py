"""The how-tos and the tutorial do what they say, run as they are printed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from rootfs_trust.cli.run import commands
from tests.support.authority import Authority
from tests.support.axe import axe_source
from tests.support.browser import browser
from tests.support.command import REPOSITORY
from tests.support.docs_blocks import SampleDirectory, blocks
from tests.support.filesystem_images import partitioned, squashfs
from tests.support.peers import PLAIN_ENVIRONMENT, needs_root, peer, unavailable
from tests.support.web import serving

HOW_TO = "docs/how-to.md"
RESULT_IS_THERE = """new Promise(done => {
  const look = () => document.querySelector("#search-results li a") ? done(true) : setTimeout(look, 100);
  look();
})"""


def sections(name: str) -> dict[str, str]:
    """The ``sh`` blocks below each heading of a page, joined."""
    text = (REPOSITORY / name).read_text()
    parts = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)[1:]
    found = {
        title: re.findall(r"^```sh\n(.*?)^```\n", body, re.MULTILINE | re.DOTALL)
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    }
    return {title: "".join(scripts) for title, scripts in found.items() if scripts}


@pytest.fixture
def sample(tmp_path) -> SampleDirectory:
    """What the page speaks of: a rootfs, the last release's, a CA, its successors, and a server's chain."""
    sample = SampleDirectory(tmp_path)
    mine, here = Authority("My CA"), sample.path
    (here / "renewed").mkdir()
    (here / "old-etc-tedge").mkdir()
    for name, content in (
        ("my-ca.pem", mine.pem),
        ("my-ca-2027.pem", Authority("My CA 2027").pem),
        ("renewed/my-ca.pem", Authority("My CA", key=mine.key).pem),
        ("chain.pem", mine.server("cloud.example").pem),
    ):
        (here / name).write_bytes(content)
    shutil.copytree(here / "rootfs", here / "last-release/rootfs", symlinks=True)
    return sample


def make_firmware(directory: Path) -> None:
    """A disk image as devices with A/B updates have it: boot files, two root filesystems, of which one has the CA."""
    copy = directory / "copy"
    shutil.copytree(directory / "rootfs", copy, symlinks=True)
    parts = []
    for number, root in enumerate(("rootfs", "copy")):
        if root == "copy":
            (copy / "usr/local/share/ca-certificates").mkdir(parents=True, exist_ok=True)
            shutil.copy(directory / "my-ca.pem", copy / "usr/local/share/ca-certificates/my-ca.crt")
            with (copy / "etc/ssl/certs/ca-certificates.crt").open("ab") as bundle:
                bundle.write((directory / "my-ca.pem").read_bytes())
        squashfs("xz")(directory / root, directory / f"part-{number}")
        parts.append((directory / f"part-{number}").read_bytes())
    partitioned(directory / "firmware.img", "gpt", [b"boot files", *parts])


@pytest.mark.parametrize("title", sections(HOW_TO))
def test_a_how_to(sample, title):
    if title == "Settings on a volume":
        shutil.copytree(sample.path / "rootfs/etc", sample.path / "old-etc-tedge", symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(sample.path / "old-etc-tedge/ssl")
    if title == "What does this firmware trust?":
        make_firmware(sample.path)
    done = sample.run(sections(HOW_TO)[title])
    assert done.returncode == 0, (done.stdout, done.stderr)
    errors = [line for line in done.stderr.splitlines() if "error" in line]
    if title == "What does this firmware trust?":
        assert "has 2 partitions with a root filesystem: #2: squashfs, #3: squashfs" in errors.pop()
    assert not errors


def test_what_the_how_to_writes_into_the_config_is_right(sample):
    snippets = [block.text for block in blocks(HOW_TO) if block.language == "toml"]
    assert len(snippets) == 2
    for snippet in snippets:
        (sample.path / "rootfs-trust.toml").write_text(snippet)
        assert sample.run("rootfs-trust install --root ./rootfs").returncode == 0


@pytest.mark.slow
def test_the_site_and_the_man_pages_are_built_without_a_warning(tmp_path):
    peer("help2man")
    copy = tmp_path / "rootfs-trust"
    shutil.copytree(REPOSITORY, copy, symlinks=True, ignore=shutil.ignore_patterns(".*", "__pycache__", "build"))
    assert run_in(copy, "sh docs/build.sh") == 0, (tmp_path / "log").read_text()
    assert "toctree-l1" in (copy / "build/docs/index.html").read_text()
    assert_the_site_is_usable(copy / "build/docs", tmp_path)
    assert_a_broken_link_is_found(copy)
    for page in sorted((copy / "build/man").iterdir()):
        done = subprocess.run(
            [peer("mandoc"), "-T", "lint", "-W", "error", page], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
        shown = shown_by_mandoc(page)
        assert "thinedge" not in " ".join(shown)
        assert set(examples(page.stem.removeprefix("rootfs-trust").removeprefix("-"))) <= set(shown), page.name


def assert_the_site_is_usable(site: Path, directory: Path) -> None:
    """Look at two pages in a browser: axe-core finds nothing, code can be copied, and a phone shows all of it."""
    axe = axe_source(directory)
    with serving(site) as url, browser(directory / "profile") as tab:
        for name in ("index.html", "getting-started.html"):
            for dark in (False, True):
                tab.open(f"{url}/{name}", width=390, dark=dark)
                assert tab.violations(axe) == [], name
                assert tab.complaints == []
            assert tab.run("document.querySelectorAll('button.copybtn').length") >= 4
            assert tab.run("document.documentElement.scrollWidth") <= 390
        tab.open(f"{url}/search.html?q=keystore")
        assert tab.run(RESULT_IS_THERE)


def assert_a_broken_link_is_found(copy: Path) -> None:
    """Links to a page and to a heading that do not exist are named."""
    page = copy / "build/docs/index.html"
    page.write_text(page.read_text().replace("</body>", '<a href="none.html">x</a><a href="ci.html#none">y</a></body>'))
    words = [sys.executable, copy / "docs/check_links.py", copy / "build/docs"]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "index.html: ci.html#none\nindex.html: none.html\n")


def shown_by_mandoc(page: Path) -> list[str]:
    """The lines that a reader sees; bold print is a letter, a step back, and the letter again."""
    words = [peer("mandoc"), "-T", "ascii", "-O", "width=120", page]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return [line.strip() for line in re.sub(".\\x08", "", done.stdout).splitlines()]


def examples(name: str) -> list[str]:
    """The commands below "Examples:" of a command's help; without a name, of the whole."""
    command = import_module(f"rootfs_trust.cli.{name}").command if name else commands
    found = [line.strip() for line in (command.help or "").partition("Example")[2].splitlines()[1:] if line.strip()]
    assert found and all(line.startswith("rootfs-trust ") for line in found)
    return found


@pytest.mark.slow
def test_the_tutorial(tmp_path):
    """In a copy of the repository, with nothing but what the page installs."""
    needs_root()
    if not (REPOSITORY / ".git").exists():
        unavailable("this directory is not a clone")
    copy = tmp_path / "rootfs-trust"
    words = [peer("git"), "clone", "--quiet", REPOSITORY, copy]
    subprocess.run(words, check=True, env=PLAIN_ENVIRONMENT | {"GIT_CONFIG_GLOBAL": "/dev/null"})
    for title, script in sections("docs/tutorial.md").items():
        assert run_in(copy, script) == 0, title
    assert "hello" not in (copy / "build/tutorial/broker.log").read_text()
    shutil.rmtree(copy / "build")


def run_in(directory: Path, script: str) -> int:
    """Run a script as a person does who has a terminal of this machine: with its environment."""
    with open(directory.parent / "log", "ab") as log:
        done = subprocess.run(
            ["sh", "-eu", "-c", script], cwd=directory, stdout=log, stderr=log, timeout=900, check=False
        )
    return done.returncode
