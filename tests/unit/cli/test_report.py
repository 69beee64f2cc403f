"""report: one page for people, and one for pull requests; names with markup in them stay text."""

from __future__ import annotations

import base64
import hashlib
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.authority import DAY, NOW, Authority

MARKUP = '<script>alert(1)</script>"&|`*_[x](y)'
MINE = Authority(MARKUP, not_after=NOW + 400 * DAY)


class Page(HTMLParser):
    """Every tag with its attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture
def made(command, debian, tmp_path):
    """The report of the Debian tree with the CA of odd name, as the text that was written."""
    (tmp_path / "ca.pem").write_bytes(MINE.pem)
    assert command("install", "--root", debian.path, "--cert", tmp_path / "ca.pem", "--cloud", "c8y").status == 0

    def run(*words: object, name: str = "trust.html") -> str:
        result = command("report", "--root", debian.path, "-o", tmp_path / name, *words)
        assert result.status == 0, result.err
        assert result.out == f"Wrote {tmp_path / name}.\n"
        return (tmp_path / name).read_text()

    return run


def test_the_page_is_self_contained(made):
    page = Page(made())
    assert not [tag for tag, _ in page.tags if tag in ("link", "img", "iframe", "object")]
    assert all(each["href"].startswith("#") for each in page.named("a"))
    targets = {each.get("id") for _, each in page.tags}
    assert {each["href"][1:] for each in page.named("a")} <= targets
    assert not any(word in made() for word in ("http://", "https://", "url(", "@import"))


def test_markup_in_a_name_stays_text(made):
    page = Page(made())
    assert page.named("script") == [{}], "the one of the page"
    assert MARKUP in page.text.replace("\\", "")


def test_the_policy_of_the_page_allows_its_own_script_and_nothing_else(made):
    text = made()
    script = text.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = (each["content"] for each in Page(text).named("meta") if "http-equiv" in each)
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def test_many_findings_of_a_kind_are_one_line_with_a_fold(made, debian):
    for number in range(5):
        debian.write(
            f"etc/ssl/certs/broken-{number}.pem", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
        )
    text = " ".join(made().split())
    assert text.count("<summary>5 findings <code>pem-malformed") == 1 and "(5 times)" in text
    assert all(f"broken-{number}.pem" in text for number in range(5))


def test_notes_are_folded_and_the_rest_is_not(made):
    before, _, notes = made().partition('<section aria-labelledby="findings">')[2].partition('<details class="fold">')
    assert 'class="finding note"' not in before and 'class="finding note"' in notes


def test_markup_in_a_value_stays_text_in_markdown(made, debian):
    debian.write("etc/tedge/tedge.toml", b"[c8y]\nroot_cert_path = '/<b>x|`y`_z_'\n")
    text = made(name="trust.md")
    assert "<b>" not in text and r"/&lt;b&gt;x\|\`y\`\_z\_" in text


def test_it_tells_of_anchors_clients_findings_and_settings(made):
    page = Page(made("--at", (NOW + DAY).isoformat(), "--lifetime", "5"))
    for text in ("4 anchors", "thin-edge-mosquitto-bridge", "c8y.root_cert_path", "Alpha_Root", MINE.sha256[:16]):
        assert text in page.text.replace("\n", " ") or text.split()[1] in page.text
    assert "ends within the image's lifetime" in page.text
    assert f"{MINE.certificate.not_valid_after_utc:%Y-%m-%d}" in page.text


def test_the_state_of_an_anchor_depends_on_the_lifetime(made):
    short = Page(made("--lifetime", "0")).text
    assert "ends within the image's lifetime" not in short and "outlasts the image" in short
    late = Page(made("--at", (NOW + 500 * DAY).isoformat())).text
    assert "expired" in late


def test_a_baseline(made, command, debian, tmp_path):
    other = tmp_path / "other"
    command("install", "--root", debian.path, "--format", "json")
    shutil.copytree(debian.path, other, symlinks=True)
    assert "No difference" in Page(made("--baseline", other)).text
    command("remove", "--root", other, "Beta_Root")
    assert "+ Beta_Root" in Page(made("--baseline", other)).text
    assert "+ Beta" in made("--baseline", other, name="trust.md").replace("\\", "")


def test_the_client_that_does_not_see_an_anchor_is_named(made, debian):
    (link,) = (path for path in (debian.path / "etc/ssl/certs").glob("*.0") if path.readlink().name == "ca.pem")
    link.unlink()
    page = Page(made())
    assert "hash-link-missing" in page.text
    seen = page.text.partition("What each TLS client sees")[2].partition("Anchors and how long")[0]
    assert [line for line in seen.split("\n") if line.endswith("ca")] == ["ca", "ca"], (
        "OpenSSL's and mosquitto's lookup"
    )


def test_standard_output_and_formats(command, debian):
    result = command("report", "--root", debian.path, "-o", "-", "--format", "md")
    assert result.out.startswith("## What ") and result.status == 0
    assert command("report", "--root", debian.path, "-o", "-").out.startswith("<!DOCTYPE html>")


def test_what_cannot_be_read_or_written(command, debian, tmp_path):
    assert command("report", "--root", tmp_path / "none", "-o", tmp_path / "x.html").status == 2
    result = command("report", "--root", debian.path, "-o", tmp_path / "none/x.html")
    assert result.status == 4 and f"{tmp_path / 'none/x.html'}: cannot be written" in result.err
    assert not (tmp_path / "x.html").exists()


def test_an_empty_tree_has_a_page_too(command, tmp_path):
    (tmp_path / "empty").mkdir()
    assert command("report", "--root", tmp_path / "empty", "-o", tmp_path / "x.html").status == 0
    assert "0" in Page((tmp_path / "x.html").read_text()).text and Path(tmp_path / "x.html").stat().st_size > 4000


@pytest.fixture
def servers(tmp_path, openssl_engine):
    """A config with a server that the tree trusts, one that it refuses, and one that must be refused."""
    cloud = MINE.server("mqtt.example.com", not_after=NOW + 90 * DAY)
    (tmp_path / "one.pem").write_bytes(cloud.pem)
    (tmp_path / "two.pem").write_bytes(Authority("Unknown").server("two.example.com").pem)
    tables = (
        f'name = "good"\nchain = "one.pem"\nhostname = "mqtt.example.com"\nuntil = {(NOW + 30 * DAY).date()}\n',
        'name = "<b>lost</b>"\nchain = "two.pem"\nclients = ["go", "java"]\n',
        'name = "proxied"\nchain = "one.pem"\nclients = ["go"]\nrefused = true\n',
    )
    (tmp_path / "servers.toml").write_text("".join(f"[[server]]\n{table}" for table in tables))
    return tmp_path / "servers.toml"


def test_servers_come_first_with_each_client_and_its_day(made, servers):
    page = Page(made("--config", servers))
    assert page.named("h2")[0]["id"] == "servers"
    assert page.named("a")[0]["href"] == "#servers" and not page.named("b")
    shown = page.text.partition("Servers: who connects")[2].partition("Findings")[0]
    assert shown.index("<b>lost</b>") < shown.index("proxied") < shown.index("good"), "what is wrong comes first"
    assert f"trusted until {(NOW + 90 * DAY).date()}" in shown and "which its operator renews" in shown
    assert "2 of 2 clients are not as expected" in shown and "not in the root filesystem" in shown
    assert "Must be refused: 1 of 1 clients are not as expected" in " ".join(shown.split())
    text = " ".join(page.text.split())
    assert "1 of 3 servers as expected" in text
    assert f"good connects until {(NOW + 90 * DAY).date()}" in text and "<b>lost</b> does not connect" in text


def test_servers_come_first_in_markdown(made, servers):
    text = made("--config", servers, name="trust.md")
    assert text.index("### Servers") < text.index("### Findings")
    assert (
        "**&lt;b&gt;lost&lt;/b&gt;** does not connect; it must be trusted: 2 of 2 clients are not as expected." in text
    )
    assert f"| trusted until {(NOW + 90 * DAY).date()} |" in text


def test_without_servers_the_page_has_no_such_section(made):
    assert "who connects" not in made() and "### Servers" not in made(name="trust.md")
