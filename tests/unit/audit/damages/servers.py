"""Servers of rootfs-trust.toml that the clients of a tree do not trust as it says."""

from __future__ import annotations

from tests.support.authority import DAY, NOW, Authority
from tests.unit.audit.damages.damage import damage
from tests.unit.audit.good_tree import CA, GoodTree

SERVER = "[[server]]\nname = 'production'\nchain = 'chain.pem'\nhostname = 'mqtt.example.com'\n"
OTHER = Authority("Another CA")


def save_chain(tree: GoodTree, signer: Authority, **options) -> None:
    """Beside the configuration of the test."""
    (tree.path.parent / "chain.pem").write_bytes(signer.server("mqtt.example.com", **options).pem)


@damage("server-refused", config=SERVER)
def no_client_knows_the_cloud(tree: GoodTree) -> None:
    save_chain(tree, OTHER)


@damage("server-refused", config=f"{SERVER}clients = ['java']\n")
def the_client_of_the_server_is_not_there(tree: GoodTree) -> None:
    save_chain(tree, CA)


@damage("server-ends", config=f"{SERVER}until = {(NOW + 300 * DAY).date()}\n")
def the_server_ends_before_the_day(tree: GoodTree) -> None:
    save_chain(tree, CA, not_after=NOW + 200 * DAY)


@damage("server-trusted", config=f"{SERVER}refused = true\n")
def a_server_is_trusted_that_must_not_be(tree: GoodTree) -> None:
    save_chain(tree, CA)


@damage("server-needs-time", "younger-than-clock", config=SERVER)
def the_clock_of_the_image_is_older_than_the_server(tree: GoodTree) -> None:
    save_chain(tree, CA)
    tree.write("etc/fake-hwclock.data", b"2020-01-02 03:04:05\n")
