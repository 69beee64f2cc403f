"""The trees on which two versions are compared, and the commands that run on each, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from tests.support.authority import NOW, Authority
from tests.support.debian_tree import DebianTree
from tests.support.images import LayoutDirectory, Tarball, docker_archive
from tests.support.layout_trees import ALPHA, FAMILIES, Family, LayoutTree, shipped_authority

AT = (NOW + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
MINE, OTHER, LEAF = Authority("My CA"), Authority("Other CA"), Authority("Self-signed Edge", ca=False)
RENEWED = MINE.renewed()
SERVER = Authority("mqtt.example.com", ca=False, issuer=MINE, names=("mqtt.example.com",))

CONFIG = f"""\
[store]
distrust = ["sha256:{shipped_authority(ALPHA).sha256}"]
[[anchor]]
file = "other.pem"
name = "configured"
[policy]
min_rsa_bits = 4096
[[cloud]]
kind = "c8y"
[[render]]
template = "page.in"
dest = "/etc/page.conf"
"""
FLEET = """\
[[target]]
root = "[or]*/"
config = "only.toml"
[[target]]
image = "docker.tar"
dest = "out/"
config = "only.toml"
"""
PAGE = "bundle {{ trust.bundle }}\ndirectory {{ trust.directory }}\n"
TEDGE = """\
# kept
[device]
type = "edge" # kept, too
[c8y]
url = "example.com"
"""


@dataclass(frozen=True)
class Scenario:
    """``build`` fills a directory; ``commands`` run in it, in this order. ``rootfs`` is the tree in it."""

    name: str
    build: Callable[[Path], None]
    commands: tuple[tuple[str, ...], ...]


def _words(*lines: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(line.split()) for line in lines)


_AUDIT = (
    "list --root {0} --format json --at {1}",
    "check --root {0} --format json --at {1}",
    "verify --root {0} --format json --at {1} --chain chain.pem --hostname mqtt.example.com",
    "sbom --root {0} --format cyclonedx",
    "sbom --root {0} --format spdx",
)


def _audit(root: str = "rootfs", *more: str) -> tuple[str, ...]:
    return tuple(line.format(root, AT) for line in (*_AUDIT, *more))


_ON_A_TREE = _words(
    *_audit("rootfs", "check --root {0} --at {1} -v"),
    f"install --root rootfs --at {AT} --cert mine.pem --format json --dry-run",
    f"install --root rootfs --at {AT} --cert mine.pem --format json",
    f"install --root rootfs --at {AT} --cert mine.pem",
    *_audit(
        "rootfs",
        "list --root {0} --at {1}",
        "list --root {0} --at {1} --format csv",
        "check --root {0} --at {1} -v",
        "check --root {0} --at {1} --format sarif",
        "report --root {0} --at {1} --format md -o report.md",
        "report --root {0} --at {1} --format html -o report.html --baseline other",
    ),
    "diff other rootfs --format json",
    f"install --root rootfs --at {AT} --cert folder -v",
    f"install --root rootfs --at {AT} --cloud c8y --set aws.root_cert_path=/etc/ssl/certs -v",
    f"install --root rootfs --at {AT} --cert renewed/mine.pem --format json",
    f"install --root rootfs --at {AT} --cert renewed/mine.pem --replace mine --format json",
    f"install --root rootfs --at {AT} --config job.toml --provenance provenance.json --format json",
    f"check --root rootfs --at {AT} --config job.toml --format json",
    f"install --root rootfs --at {AT} --config broken.toml --format json",
    f"install --root rootfs --at {AT} --cert key.pem --cert empty.pem --cert missing.pem --format json",
    "remove --root rootfs mine --format json",
    "remove --root rootfs nothing --format json",
    f"remove --root rootfs sha256:{OTHER.sha256} -v",
    *_audit(),
    f"install --root rootfs --at {AT} --config only.toml -v",
    f"list --root rootfs --at {AT} --format json",
    "rehash rootfs/etc/ssl/certs --old --format json",
    "rehash rootfs/etc/ssl/certs --compat",
    "rehash hashed --format json",
    "rehash hashed --compat",
    "init --root rootfs --config new.toml --no-input --cert mine.pem --cloud c8y",
)

_ON_IMAGES = _words(
    f"image layout done --at {AT} --cert mine.pem --cloud c8y --format json",
    f"image layout done-env --at {AT} --cert mine.pem --env",
    f"image docker.tar docker-done.tar --at {AT} --cert mine.pem -v",
    f"image docker.tar without.tar --at {AT} --without Alpha_Root --format json",
    f"image layout refused --at {AT} --cert key.pem --format json",
    *_audit("layout@linux/arm64"),
    *_audit("docker-done.tar"),
    "diff docker.tar docker-done.tar --format json",
    f"fleet fleet.toml --jobs 1 --at {AT} --journal fleet.journal",
    f"check --root rootfs --at {AT} --format json",
)


def _inputs(directory: Path) -> None:
    files = {
        "mine.pem": MINE.pem,
        "renewed/mine.pem": RENEWED.pem,
        "other.pem": OTHER.pem,
        "chain.pem": SERVER.pem + MINE.pem,
        "key.pem": MINE.pem + MINE.key_pem,
        "empty.pem": b"",
        "job.toml": CONFIG.encode(),
        "page.in": PAGE.encode(),
        "only.toml": b'[store]\nbase = "none"\n[[anchor]]\nfile = "mine.pem"\n',
        "broken.toml": b'[store]\nlayuot = "auto"\n[[anchor]]\nfile = 3\n',
        "fleet.toml": FLEET.encode(),
        "folder/crlf.crt": OTHER.pem.replace(b"\n", b"\r\n"),
        "folder/edge.der": LEAF.der,
        "folder/bundle.pem": MINE.pem + OTHER.pem + LEAF.pem,
        "hashed/a.pem": MINE.pem,
        "hashed/b.crt": b"text around\n" + RENEWED.pem,
        "hashed/c.pem": b"nothing",
    }
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    (directory / "hashed/00000000.0").symlink_to("gone.pem")
    DebianTree(directory / "other")


def _layout_tree(family: Family, directory: Path) -> None:
    _inputs(directory)
    tree = LayoutTree(directory / "rootfs", family)
    tree.write("etc/passwd", b"root:x:0:0::/:\ntedge:x:951:950::/:\nmosquitto:x:961:960::/:\n")
    tree.write("etc/tedge/tedge.toml", TEDGE.encode())


def _unconfigured(directory: Path) -> None:
    _inputs(directory)
    DebianTree(directory / "rootfs", configured=False)


def _images(family: Family, directory: Path) -> None:
    _layout_tree(family, directory)
    layer = Tarball().tree(directory / "rootfs").end()
    upper = Tarball().file("etc/ssl/certs/.wh.ca-certificates.crt").file("etc/motd", b"upper").end()
    layout = LayoutDirectory(directory / "layout")
    layout.index(layout.image(layer, upper), layout.image(layer, architecture="arm64", pack=""))
    (directory / "docker.tar").write_bytes(docker_archive({"layers": [layer, upper], "tags": ["golden:1"]}))


SCENARIOS = (
    *(Scenario(family.name, partial(_layout_tree, family), _ON_A_TREE) for family in FAMILIES),
    Scenario("unconfigured", _unconfigured, _ON_A_TREE),
    *(Scenario(f"{family.name}-images", partial(_images, family), _ON_IMAGES) for family in FAMILIES),
)
