"""A newer ca-certificates over a store of ours: the package's own scripts, dpkg and debconf, in Debian's own tree.

What was decided stays decided: no distrusted root comes back, with ``base = "none"`` no new one comes in, and where
neither was asked for, the new package's roots are trusted as the distribution means them to be.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.store.cloud_roots import PRESETS
from tests.support.authority import Authority
from tests.support.command import install, rootfs_trust
from tests.support.trees import CONF, LOCAL, SHIPPED, STORE
from tests.support.trust import held, held_by_directory
from tests.support.upgrade_tree import (  # noqa: F401
    UpgradableTree,
    new_released_tree,
    newer_package,
    released_base,
)

pytestmark = pytest.mark.slow

BUNDLE = f"{STORE}/ca-certificates.crt"
NOTHING = "0 added, 0 removed; done."
STAYS, GOES = "ISRG_Root_X1", "SwissSign_Silver_CA_-_G2"
"""Roots that the newer package ships too, and that it ships no more."""

NewTree = Callable[[], UpgradableTree]


@pytest.fixture
def ca_file(authority: Authority, tmp_path: Path) -> Path:
    file = tmp_path / "my-ca.pem"
    file.write_bytes(authority.pem)
    return file


def shipped(tree: UpgradableTree) -> dict[str, str]:
    """SHA-256 of the shipped roots by their names."""
    return {file.stem: held(file.read_bytes()).trusted[0] for file in tree.shipped()}


def trusted(tree: UpgradableTree) -> set[str]:
    """Who is trusted, by bundle and directory alike; each has to stand in the bundle once."""
    bundle = held((tree.path / BUNDLE).read_bytes()).trusted
    with RootDirectory(str(tree.path)) as root:
        assert set(held_by_directory(root, f"/{STORE}").trusted) == set(bundle)
    assert len(bundle) == len(set(bundle))
    return set(bundle)


def listed(tree: UpgradableTree) -> list[str]:
    return [line for line in (tree.path / CONF).read_text().splitlines() if line and not line.startswith("#")]


def verifies(tree: UpgradableTree, server: Authority) -> bool:
    """Whether OpenSSL in the tree trusts the server, by the directory alone and by the bundle alone."""
    tree.write("tmp/server.pem", server.pem)
    ways = (("-no-CAfile", "-CApath", f"/{STORE}"), ("-no-CApath", "-CAfile", f"/{BUNDLE}"))
    results = [tree.run("openssl", "verify", *way, "/tmp/server.pem", check=False).returncode for way in ways]
    assert len(set(results)) == 1
    return results[0] == 0


def actions(tree: UpgradableTree, *words: str | Path) -> list[tuple[str, str]]:
    """What the same install does when it runs again."""
    done = json.loads(install(tree.path, *words, "--format", "json").stdout)
    return [(each["action"], each["path"]) for each in done["actions"]]


# -- trust that was taken away -----------------------------------------------------------------------------


def _remove(tree: UpgradableTree, ca_file: Path, digests: list[str]) -> tuple[str | Path, ...]:
    install(tree.path, "--cert", ca_file)
    done = rootfs_trust("remove", "--root", tree.path, STAYS, GOES)
    assert done.returncode == 0, done.stderr
    return ("--cert", ca_file)


def _distrust(tree: UpgradableTree, ca_file: Path, digests: list[str]) -> tuple[str | Path, ...]:
    config = ca_file.with_name("rootfs-trust.toml")
    names = ", ".join(f'"sha256:{each}"' for each in digests)
    config.write_text(f'[store]\ndistrust = [{names}]\n[[anchor]]\nfile = "{ca_file}"\n')
    install(tree.path, "--config", config)
    return ("--config", config)


@pytest.mark.parametrize("way", [_remove, _distrust], ids=["remove", "distrust"])
def test_distrusted_roots_stay_out_and_the_packages_new_ones_come_in(
    new_released_tree: NewTree,  # noqa: F811
    authority: Authority,
    ca_file: Path,
    way: Callable[[UpgradableTree, Path, list[str]], tuple[str | Path, ...]],
) -> None:
    tree = new_released_tree()
    old = shipped(tree)
    assert tree.verify() == []
    words = way(tree, ca_file, [old[STAYS], old[GOES]])
    assert tree.verify() == [], "the list and the store are no files of the package"
    assert trusted(tree) == (set(old.values()) - {old[STAYS], old[GOES]}) | {authority.sha256}

    tree.upgrade()
    new = shipped(tree)
    assert STAYS in new and GOES not in new
    assert len(set(new) - set(old)) >= 21
    assert trusted(tree) == (set(new.values()) - {old[STAYS]}) | {authority.sha256}
    assert old[GOES] not in trusted(tree)
    assert {f"!mozilla/{STAYS}.crt", f"!mozilla/{GOES}.crt"} <= set(listed(tree))
    assert verifies(tree, authority.server("device.example"))
    assert (tree.path / LOCAL / "my-ca.crt").read_bytes() == authority.pem

    store = tree.store()
    assert NOTHING in tree.update_ca_certificates()
    assert tree.store() == store
    assert actions(tree, *words) == []
    assert tree.verify() == []


# -- base = "none" -----------------------------------------------------------------------------------------


def _only(tree: UpgradableTree, ca_file: Path, more: str = "") -> tuple[str | Path, ...]:
    config = ca_file.with_name("rootfs-trust.toml")
    config.write_text(f'[store]\nbase = "none"\n{more}')
    install(tree.path, "--config", config)
    return ("--config", config)


def test_with_base_none_no_new_root_is_trusted(
    new_released_tree: NewTree,  # noqa: F811
    authority: Authority,
    ca_file: Path,
) -> None:
    """One CA alone, the hardest store for Debian's tool."""
    tree = new_released_tree()
    old = shipped(tree)
    words = _only(tree, ca_file, f'[[anchor]]\nfile = "{ca_file}"\n')
    assert trusted(tree) == {authority.sha256}
    assert all(line.startswith("!") for line in listed(tree))
    assert tree.verify() == []
    store = tree.store()

    tree.upgrade()
    new = shipped(tree)
    assert len(set(new) - set(old)) >= 21
    assert trusted(tree) == {authority.sha256}
    assert tree.store() == store
    assert {f"!mozilla/{name}.crt" for name in new} <= set(listed(tree)), "the new ones are listed, and not trusted"
    assert all(line.startswith("!") for line in listed(tree))
    assert "trust_new_crts: no" in tree.run("debconf-show", "ca-certificates").stdout
    assert verifies(tree, authority.server("device.example"))

    assert NOTHING in tree.update_ca_certificates()
    assert actions(tree, *words) == []
    assert tree.store() == store
    assert tree.verify() == []

    # That dpkg would tell a difference, were there one: the sum of this file is another one (5).
    root = tree.path / SHIPPED / "mozilla" / f"{STAYS}.crt"
    root.write_bytes(root.read_bytes() + b"\n")
    assert tree.verify() == [f"??5??????   /{SHIPPED}/mozilla/{STAYS}.crt"]


def test_with_base_none_a_clouds_documented_roots_outlast_the_package(
    new_released_tree: NewTree,  # noqa: F811
    ca_file: Path,
) -> None:
    """Azure's two roots, found in the rootfs by digest: they are anchors of the owner from then on."""
    tree = new_released_tree()
    words = _only(tree, ca_file, '[[cloud]]\nkind = "az"\n')
    roots = {root.sha256 for root in PRESETS["az"]}
    assert trusted(tree) == roots <= set(shipped(tree).values())
    store = tree.store()
    tree.upgrade()
    assert trusted(tree) == roots
    assert NOTHING in tree.update_ca_certificates()
    assert NOTHING.replace("0 added", "2 added") in tree.update_ca_certificates("--fresh")
    assert tree.store() == store
    assert actions(tree, *words) == []
    assert tree.verify() == []


# -- a store of one CA -------------------------------------------------------------------------------------


def test_the_quirk_of_a_store_of_one_ca_does_no_harm(
    new_released_tree: NewTree,  # noqa: F811
    authority: Authority,
    other_authority: Authority,
    ca_file: Path,
) -> None:
    """Facts, sections 1 (10) and 9: --fresh over a bundle of one CA links the bundle itself.

    Which of the two the link leads to makes no difference to OpenSSL. Ours puts it back; a plain run of Debian's
    tool leaves it as ours has it.
    """
    tree = new_released_tree()
    words = _only(tree, ca_file, f'[[anchor]]\nfile = "{ca_file}"\n')
    ours = tree.store()
    (link,) = tree.hash_links()
    assert tree.hash_links() == {link: "my-ca.pem"}
    for _ in range(2):
        tree.update_ca_certificates("--fresh")
        assert tree.hash_links() == {link: "ca-certificates.crt"}
        assert {**tree.store(), link: None} == {**ours, link: None}, "nothing else differs"
        assert trusted(tree) == {authority.sha256}
        assert verifies(tree, authority.server("device.example"))
        assert not verifies(tree, other_authority.server("elsewhere.example"))
    assert actions(tree, *words) == [("link", f"/{STORE}/{link}")]
    assert tree.store() == ours
    assert NOTHING in tree.update_ca_certificates()
    assert tree.store() == ours
