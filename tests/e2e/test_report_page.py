"""The report in a real browser: nothing on the console, and nothing that axe-core finds wrong for screen readers."""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.command import install, rootfs_trust
from tests.support.debian_tree import DebianTree
from tests.support.peers import PLAIN_ENVIRONMENT, peer, unavailable

pytestmark = pytest.mark.slow

_RUN_AXE = """
window.addEventListener("load", () => axe.run().then(found => {
  const place = document.createElement("pre");
  place.id = "axe";
  place.textContent = JSON.stringify(found.violations.map(each => [each.impact, each.id, each.nodes[0].html]));
  document.body.appendChild(place);
}));
"""


def chromium(folder: Path, page: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A run of headless Chromium on a file, with a home of its own."""
    options = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={folder}/profile",
        "--enable-logging=stderr",
    ]
    return subprocess.run(
        [peer("chromium"), *options, *words, page.as_uri()],
        env={**PLAIN_ENVIRONMENT, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )


@pytest.fixture(scope="module")
def axe(tmp_path_factory) -> str:
    """The source of axe-core, from its package."""
    folder = tmp_path_factory.mktemp("axe")
    words = [peer("npm"), "pack", "--silent", "axe-core@4"]
    packed = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    if packed.returncode:
        unavailable(f"axe-core cannot be had: {packed.stderr}")
    subprocess.run(["tar", "-xzf", packed.stdout.split()[-1]], cwd=folder, check=True)
    return (folder / "package/axe.min.js").read_text().replace("</script", "<\\/script")


@pytest.fixture(params=["root filesystem", "fleet"])
def page(request, debian: DebianTree, tmp_path) -> Path:
    """The report of a Debian tree, or of a fleet of it, with findings of every level and servers.

    The name of a CA and that of a server hold markup.
    """
    mine = Authority("<script>throw 1</script>")
    (tmp_path / "ca.pem").write_bytes(mine.pem)
    install(debian.path, "--cert", tmp_path / "ca.pem", "--cloud", "c8y")
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


@pytest.mark.parametrize("scheme", ["1", "0"], ids=["light", "dark"])
def test_nothing_is_wrong_for_those_who_do_not_see(page, axe, tmp_path, scheme):
    text = page.read_text()
    audited = tmp_path / "audited.html"
    audited.write_text(text.replace("</body>", f"<script>{axe}</script><script>{_RUN_AXE}</script></body>"))
    words = (f"--blink-settings=preferredColorScheme={scheme}", "--virtual-time-budget=60000", "--dump-dom")
    dom = chromium(tmp_path, audited, *words).stdout
    (found,) = re.findall(r'<pre id="axe">(.*?)</pre>', dom, re.DOTALL)
    assert json.loads(html.unescape(found)) == []


def test_the_browser_has_nothing_to_say(page, tmp_path):
    done = chromium(tmp_path, page, f"--screenshot={tmp_path}/shot.png", "--window-size=400,800")
    assert (tmp_path / "shot.png").stat().st_size > 10_000
    assert "CONSOLE" not in done.stderr
