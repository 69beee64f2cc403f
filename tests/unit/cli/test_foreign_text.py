"""Root filesystems in which every text that can be set is hostile: no command prints or writes any of it raw."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import os
import tomllib
import unicodedata
from pathlib import Path

import pytest

from rootfs_trust.resources import resource
from rootfs_trust.store.jks import keystore
from tests.support.authority import Authority
from tests.support.images import LayoutDirectory, Tarball
from tests.support.layout_trees import FAMILIES, LayoutTree
from tests.unit.store.p11kit.sources import persist

TEXT = "=x\x1b[2J\x1b]0;t\x07\x9b1m\x7f\u202ea\u2066\u200f\u061c\u2028\u200b\ufeff\U000e0041\u3164\ufe0f<b>|`![a](b)"
"""Goes where any character goes. U+3164 and U+FE0F are invisible, though Unicode calls them a letter and a mark."""

NAME = f"{TEXT}\n\r\udcff"
"""Of a file, where bytes that are not UTF-8 and new lines go as well."""

ANCHORS = {family.name: family.local.lstrip("/") for family in FAMILIES}
SCRIPT = Path(resource("templates"), "report/page.js").read_text()
"""The only script of a page."""

INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u2800\u3164\ufe00\ufe0f\uffa0\U000e0100"


def raw(text: str) -> set[str]:
    """What a terminal, a browser or an editor takes for more than a visible character; a line may end."""
    hidden = {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")}
    return (hidden | {char for char in text if char in INVISIBLE}) - {"\n"}


CA = Authority(TEXT[:60], organization=TEXT[:60])
OTHER = Authority("Other CA", organization=TEXT[:60])
SERVER = Authority(TEXT[:60], ca=False, issuer=CA, names=("device.test",))


def hostile(path: Path, family) -> LayoutTree:
    tree = LayoutTree(path, family)
    release = (tree.path / "etc/os-release").read_bytes() if (tree.path / "etc/os-release").exists() else b""
    quoted = TEXT.replace("`", "")
    tree.write("etc/os-release", release + f'NAME="{quoted}"\nPRETTY_NAME="{quoted}"\nVERSION_ID="{quoted}"\n'.encode())
    local = ANCHORS[family.name]
    if local:
        for number, authority in enumerate((CA, OTHER)):
            tree.write(f"{local}/{number}{_file(NAME)}.crt", authority.pem)
        broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        tree.write(f"{local}/broken{_file(NAME)}.crt", broken)
        tree.link(f"{local}/link{_file(NAME)}.crt", f"/nowhere/{_file(NAME)}")
    if family.p11kit:
        label = "".join(f"%{octet:02x}" for octet in TEXT.encode())
        labelled = persist(f'label: "{label}"', "trusted: true", block=OTHER.der)
        tree.write(f"{os.path.dirname(local)}/x.p11-kit", labelled)
    else:
        tree.write("etc/ssl/certs/java/cacerts", keystore([(TEXT, CA.der), (f"debian:{TEXT}", OTHER.der)], 1))
    jdk = f"usr/lib/jvm/jdk{_file(NAME)}"
    tree.write(f"{jdk}/release", f'JAVA_VERSION="{TEXT}"\nIMPLEMENTOR="{TEXT}"\n'.encode())
    tree.write(f"{jdk}/lib/security/cacerts", keystore([(TEXT, OTHER.der)], 1))
    tree.write(f"usr/lib/python3/dist-packages/{_file(NAME)}/certifi/cacert.pem", OTHER.pem)
    tree.write("usr/lib/python3/dist-packages/certifi/cacert.pem", f"# {TEXT}\n".encode() + OTHER.pem)
    tree.write("var/lib/dpkg/status", f"Package: {TEXT}\nStatus: install ok installed\nVersion: {TEXT}\n\n".encode())
    quoted = json.dumps(TEXT).replace("\x7f", "\\u007f").replace("\\udb40\\udc41", "\\U000e0041")
    tree.write(
        "etc/tedge/tedge.toml",
        f'[device]\nid = {quoted}\n{quoted} = 1\n[c8y]\nurl = {quoted}\nroot_cert_path = "/x"\n'
        f"[c8y.profiles.{quoted}]\nroot_cert_path = {quoted}\n[az]\nroot_cert_path = {quoted}\n".encode(),
    )
    tree.write(f"etc/tedge/mappers/{_file(NAME)}/mapper.toml", f"url = {quoted}\nca_path = {quoted}\n".encode())
    tree.write("etc/mosquitto/mosquitto.conf", f"bridge_cafile /etc/{TEXT}\ninclude_dir /etc/{TEXT}\n".encode())
    tree.write("etc/environment", f"SSL_CERT_FILE=/etc/{TEXT}\nNODE_EXTRA_CA_CERTS=/etc/{TEXT}\n".encode())
    return tree


def _file(text: str) -> str:
    """As much of it as a file's name can have."""
    return os.fsdecode(os.fsencode(text.replace("/", ""))[-120:])


class _Page(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.scripts: list[str] = []

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts.append(data)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links |= {value for name, value in attrs if name in ("href", "src")}


@pytest.fixture
def shown(command):
    """Runs a command, and looks at all that it prints; messages begin as they should."""

    def run(*words, statuses=(0, 1, 2, 3)):
        result = command(*words)
        assert result.status in statuses, (words, result.err)
        assert raw(result.out.replace("\r\n", "\n") if "csv" in words else result.out) == set(), words
        assert raw(result.err) == set(), words
        lines = result.err.splitlines()
        assert words[0] == "fleet" or all(line.startswith("rootfs-trust: ") for line in lines), lines
        return result

    return run


@pytest.fixture(params=FAMILIES, ids=lambda family: family.name)
def tree(request, tmp_path):
    return hostile(tmp_path / "rootfs", request.param)


def test_what_only_reads(tree, tmp_path, shown):
    (chain := tmp_path / "chain.pem").write_bytes(SERVER.pem + CA.pem)
    plain = LayoutTree(tmp_path / "plain", tree.family)
    root, config = ("--root", tree.root), tmp_path / f"c{_file(NAME)}.toml"
    config.write_text(f"[[anchor]]\nfile = {json.dumps(str(chain))}\n")
    shown("list", *root)
    shown("list", *root, "-v")
    shown("list", *root, "--format", "json")
    rows = list(csv.reader(io.StringIO(shown("list", *root, "--format", "csv").out)))
    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@", "\t", "\uff1d"))]
    for more in ((), ("-v",), ("--format", "json"), ("--format", "sarif"), ("--config", config)):
        shown("check", *root, *more)
    for more in ((), ("-v",), ("--format", "json"), ("--hostname", TEXT), ("--client", TEXT)):
        shown("verify", *root, "--chain", chain, *more)
    for trees in ((plain.root, tree.root), (tree.root, plain.root)):
        for more in ((), ("-v",), ("--format", "json")):
            shown("diff", *trees, *more)
    for more in ((), ("--baseline", plain.root), ("--state", f"copy:/etc={tree.path / 'etc'}")):
        page = _Page()
        page.feed(shown("report", *root, "-o", "-", *more, "--format", "html").out)
        assert page.scripts == [SCRIPT]
        assert not page.tags & {"b", "img"} and {link[:1] for link in page.links} <= {"#"}
        text = shown("report", *root, "-o", "-", *more, "--format", "md").out
        assert "<b>" not in text and "](b)" not in text.replace("\\]\\(", "")
    for form in ("cyclonedx", "spdx"):
        json.loads(shown("sbom", *root, "--format", form).out)


def test_what_writes(tree, tmp_path, shown):
    (cert := tmp_path / f"new{_file(NAME)}.pem").write_bytes(OTHER.pem)
    root = ("--root", tree.root)
    for more in ((), ("--format", "json"), ("-v",)):
        for words in (("--dry-run",), ("--cloud", "c8y", "--dry-run"), ("--adopt", "--drop-unsourced")):
            shown("install", *root, "--cert", cert, *more, *words)
        shown("rehash", "/etc/ssl/certs", *root, *more)
        shown("remove", *root, NAME.replace("\n", ""), *more)
        shown("remove", *root, f"sha256:{OTHER.sha256}", *more)
        shown("image", tree.root, tmp_path / f"dest{_file(NAME)}", "--cert", cert, *more)
    (tmp_path / f"d{_file(NAME)}").mkdir()
    shown("rehash", tmp_path / f"d{_file(NAME)}")
    (written := tmp_path / "written.toml").unlink(missing_ok=True)
    shown("init", *root, "--cert", cert, "--config", written, "--no-input")
    if written.exists():
        assert raw(written.read_text()) == set() and tomllib.loads(written.read_text())


def test_configurations(tree, tmp_path, shown):
    quoted = json.dumps(TEXT).replace("\x7f", "\\u007f").replace("\\udb40\\udc41", "\\U000e0041")
    (tmp_path / "ca.pem").write_bytes(OTHER.pem)
    for text in (
        f"{quoted} = 1\n",
        f"[store]\nlayout = {quoted}\ndistrust = [{quoted}]\n",
        f'[[anchor]]\nfile = "ca.pem"\nname = {quoted}\n{quoted} = 2\n',
        f"[[anchor]]\nfile = {quoted}\nsha256 = {quoted}\n",
        f'[[anchor]]\nfile = "ca.pem"\nallow = [{quoted}]\npurposes = [{quoted}]\n',
        f"[[cloud]]\nkind = {quoted}\nprofile = {quoted}\n",
        f'[[cloud]]\nkind = "c8y"\nroot_cert_path = {quoted}\n',
        f"[[render]]\ntemplate = {quoted}\ndest = {quoted}\n",
        f"{TEXT}",
    ):
        (config := tmp_path / "config.toml").write_text(text)
        for more in ((), ("--format", "json")):
            shown("install", "--root", tree.root, "--config", config, "--dry-run", *more)
            shown("check", "--root", tree.root, "--config", config, *more)
    directory = tmp_path / _file(NAME)
    directory.mkdir()
    config.write_text('[[anchor]]\nfile = "ca.pem"\n')
    for text in (
        f"{quoted} = 1\n",
        f"[[target]]\nroot = {quoted}\nconfig = {quoted}\n",
        '[[target]]\nroot = "*"\nconfig = "config.toml"\n',
    ):
        (fleet := tmp_path / "fleet.toml").write_text(text)
        (tmp_path / "fleet.toml.done").write_text(f'{{"target": {json.dumps(TEXT)}}}\n{TEXT}\n')
        for more in ((), ("-v",), ("--format", "json")):
            shown("fleet", fleet, "--jobs", "1", "--dry-run", *more)


def test_an_image(tmp_path, shown):
    layer = (
        Tarball()
        .directory("etc")
        .file("etc/os-release", b"ID=debian\n")
        .directory("etc/ssl")
        .directory("etc/ssl/certs")
    )
    layer.file(f"etc/{_file(TEXT)}", b"x").file("etc/ssl/certs/ca-certificates.crt", CA.pem)
    directory = LayoutDirectory(tmp_path / "image")
    config = {"os": TEXT, "variant": TEXT, "author": TEXT, "config": {"Env": [f"{TEXT}={TEXT}"], "User": TEXT}}
    content = layer.end()
    images = [
        directory.image(
            content,
            architecture=f"{number}{TEXT}",
            config=config,
            annotations={"org.opencontainers.image.ref.name": TEXT},
            platform={"os": TEXT, "architecture": f"{number}{TEXT}"},
        )
        for number in range(2)
    ]
    directory.index(*images)
    for more in ((), ("-v",), ("--format", "json"), ("--env",)):
        shown(
            "image", directory.path, tmp_path / "dest", "--cert", _pem(tmp_path), "--dry-run", "--drop-unsourced", *more
        )
    for words in (("list", "--root"), ("check", "--root"), ("image", "--dry-run", tmp_path / "dest")):
        shown(*words, directory.path)


def _pem(directory: Path) -> Path:
    (file := directory / "other.pem").write_bytes(OTHER.pem)
    return file


@pytest.mark.parametrize("words", [(TEXT,), (f"--{TEXT}",), ("list", f"--{TEXT}"), ("list", "--root", NAME)])
def test_words_of_the_command_line(shown, words):
    assert shown(*words).status == 2
