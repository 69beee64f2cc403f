"""Every format of the real ``trust extract``, byte for byte, over every form of source that p11-kit reads.

The peer is Debian's p11-kit (0.24.1 in bookworm). It takes the files of a directory as readdir gives them, so the
same order is given to ours; that ours sorts them is for the unit tests. Two things that it does otherwise than
0.26.4 are set to its way: of several common names the first is the label, and nothing bounds a file's name.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootfs_trust.rootfs import root_directory
from rootfs_trust.store.jks import keystore
from rootfs_trust.store.p11kit import formats
from rootfs_trust.store.p11kit.formats import hash_directory
from rootfs_trust.store.p11kit.output_selection import Chosen, Filter, select
from rootfs_trust.store.p11kit.token import PLACES, SourceFile, Token, files_of, token_of
from rootfs_trust.x509.oids import CLIENT_AUTH, CODE_SIGNING, EMAIL, SERVER_AUTH
from tests.support.peers import needs_root, unavailable
from tests.unit.store.p11kit.peer import TrustTool
from tests.unit.store.p11kit.sources import Root, every_form

MOZILLA = Path("/usr/share/ca-certificates/mozilla")
PURPOSES = {
    "": "",
    "server-auth": SERVER_AUTH,
    "client-auth": CLIENT_AUTH,
    "email": EMAIL,
    "code-signing": CODE_SIGNING,
}
CREATED = 1_700_000_000


class Store:
    """Two tokens on disk: one of every form, and one of what Debian ships."""

    def __init__(self, directory: Path) -> None:
        self.paths = [directory / "local", directory / "shipped"]
        for name, content in every_form().items():
            file = self.paths[0] / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        (self.paths[1] / "anchors").mkdir(parents=True)
        for each in shipped_roots():
            shutil.copy(each, self.paths[1] / "anchors")
        self.tool = TrustTool(self.paths)
        self.tokens = [token_of(_in_readdir_order(path)) for path in self.paths]
        self.output = directory / "output"

    def extract(self, *options: str) -> Path:
        self.tool.extract(*options, str(self.output), SOURCE_DATE_EPOCH=str(CREATED))
        return self.output

    def chosen(self) -> list[Chosen]:
        return select(self.tokens, Filter.ANCHORS, SERVER_AUTH)


def shipped_roots() -> list[Path]:
    roots = [each for each in sorted(MOZILLA.glob("*.crt")) if each.is_file()]
    return roots or unavailable("Debian's ca-certificates is not installed")


def _in_readdir_order(path: Path) -> Iterator[SourceFile]:
    for name, place in PLACES[:3]:
        directory = path / name
        for file in os.listdir(directory) if directory.is_dir() else ():
            if (directory / file).is_file():
                yield SourceFile(str(directory / file), (directory / file).read_bytes(), place)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    needs_root()
    return Store(tmp_path_factory.mktemp("p11-kit"))


@pytest.fixture(autouse=True)
def clean(store: Store) -> Iterator[None]:
    yield
    if store.output.is_dir():
        shutil.rmtree(store.output)
    else:
        store.output.unlink(missing_ok=True)


def _calls() -> Iterator[tuple[str, Filter, str]]:
    for wanted in Filter:
        for purpose in PURPOSES:
            yield "openssl-bundle", wanted, purpose
            # The tool refuses plain PEM for anchors together with distrust, and puts in a purpose of its own.
            if wanted is not Filter.POLICY and (wanted is not Filter.ANCHORS or purpose):
                yield "pem-bundle", wanted, purpose


@pytest.mark.parametrize("comment", [True, False], ids=["comment", "plain"])
@pytest.mark.parametrize(("form", "wanted", "purpose"), list(_calls()))
def test_bundles(store: Store, form: str, wanted: Filter, purpose: str, comment: bool) -> None:
    options = [f"--format={form}", f"--filter={wanted}"]
    options += [f"--purpose={purpose}"] if purpose else []
    real = store.extract(*options, *(["--comment"] if comment else [])).read_bytes()
    write = formats.pem_bundle if form == "pem-bundle" else formats.openssl_bundle
    ours = write(select(store.tokens, wanted, PURPOSES[purpose]), comment=comment)
    assert ours.split(b"\n\n") == real.split(b"\n\n")
    assert real.count(b"-----BEGIN") > (2 if wanted is Filter.BLOCKLIST else 140)


@pytest.mark.parametrize(
    ("form", "block"),
    [("pem-directory-hash", formats.pem_of), ("openssl-directory", formats.trusted_pem_of)],
)
def test_directories(store: Store, form: str, block) -> None:
    directory = store.extract(f"--format={form}", "--filter=ca-anchors", "--purpose=server-auth")
    made = hash_directory(store.chosen(), block)
    files = {each.name: each.read_bytes() for each in directory.iterdir() if not each.is_symlink()}
    links = {each.name: os.readlink(each) for each in directory.iterdir() if each.is_symlink()}
    assert made.files == files
    assert made.links == links
    assert any(name.endswith(".1.pem") for name in files)
    assert any(name.endswith(".2") for name in links)
    assert directory.stat().st_mode & 0o777 == 0o555
    assert {each.stat().st_mode & 0o777 for each in directory.iterdir()} == {0o444}


def test_edk2(store: Store) -> None:
    real = store.extract("--format=edk2-cacerts", "--filter=ca-anchors", "--purpose=server-auth").read_bytes()
    assert formats.edk2_cacerts(store.chosen()) == real


def test_java(store: Store) -> None:
    real = store.extract("--format=java-cacerts", "--filter=ca-anchors", "--purpose=server-auth").read_bytes()
    assert keystore(formats.java_cacerts(store.chosen()), CREATED) == real


def test_what_openssl_refuses_is_left_out(tmp_path: Path) -> None:
    """p11-kit takes a certificate with a broken UTF8String in its name; OpenSSL then fails over the whole bundle."""
    der = Root("A Broken Name").der.replace(b"A Broken Name", b"A Broken \xffame")
    anchors = tmp_path / "token" / "anchors"
    anchors.mkdir(parents=True)
    (anchors / "broken.der").write_bytes(der)
    TrustTool([anchors.parent]).extract("--format=pem-bundle", "--purpose=server-auth", str(tmp_path / "bundle"))
    assert (tmp_path / "bundle").read_bytes().count(b"BEGIN") == 1
    assert select([token_of(_in_readdir_order(anchors.parent))], Filter.ANCHORS, SERVER_AUTH) == []
    shown = subprocess.run(["openssl", "x509", "-in", tmp_path / "bundle"], capture_output=True, check=False)
    assert shown.returncode != 0


def test_the_order_of_tokens_and_directories(tmp_path: Path) -> None:
    """With one file a directory nothing is left to readdir: the real order is that of ``files_of``."""
    names = ["own.pem", "anchors/anchor.pem", "blocklist/blocked.pem"]
    roots = shipped_roots()[: 2 * len(names)]
    for number, root in enumerate(roots):
        file = tmp_path / f"token-{number // len(names)}" / names[number % len(names)]
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root, file)
    tool = TrustTool([tmp_path / "token-0", tmp_path / "token-1"])
    tool.extract("--format=openssl-bundle", "--filter=certificates", str(tmp_path / "bundle"))
    with root_directory.RootDirectory(str(tmp_path)) as view:
        tokens: list[Token] = [token_of(files_of(view, f"/token-{number}")) for number in (0, 1)]
    ours = formats.openssl_bundle(select(tokens, Filter.CERTIFICATES))
    assert ours == (tmp_path / "bundle").read_bytes()
    assert ours.count(b"BEGIN") == len(roots)
