"""What an anchor is trusted for: words and OpenSSL's settings, and stores that know no purposes."""

from __future__ import annotations

import pytest

from rootfs_trust.errors import MalformedError
from rootfs_trust.layouts import LAYOUTS
from rootfs_trust.rootfs.view import File
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.plan_store import plan_store
from rootfs_trust.store.purposes import pem_for, purposes, purposes_of_settings, shown
from rootfs_trust.store.store_plan import Request, StorePlan
from rootfs_trust.x509 import parse_certificate, read_objects
from tests.support.memory import MemoryTree
from tests.unit.store.p11kit.sources import CLIENT_AUTH, CODE_SIGNING, EMAIL, SERVER_AUTH, TIME_STAMPING, Root

ANY = "2.5.29.37.0"
ALL = (SERVER_AUTH, CLIENT_AUTH, EMAIL, CODE_SIGNING)
MINE = Root("My CA")
SETTINGS = [
    ((SERVER_AUTH,), None, {"server-auth"}),
    ((SERVER_AUTH, EMAIL), (EMAIL,), {"server-auth"}),
    (None, (SERVER_AUTH,), {"client-auth", "email", "code-signing"}),
    ((ANY,), (SERVER_AUTH, CODE_SIGNING), {"client-auth", "email"}),
    (ALL, (ANY,), set()),
    (None, (ANY,), set()),
    ((), None, set()),
    ((TIME_STAMPING,), None, set()),
    ((TIME_STAMPING, CODE_SIGNING), None, {"code-signing"}),
    ((ANY,), None, None),
    (ALL, (TIME_STAMPING,), None),
    (None, None, None),
]


@pytest.mark.parametrize(("trust", "reject", "words"), SETTINGS)
def test_openssls_settings(trust, reject, words) -> None:
    settings = settings_of(MINE.trusted(trust, reject, alias="an alias", key_id=b"0123"))
    assert purposes_of_settings(settings) == (None if words is None else frozenset(words))


def settings_of(pem: bytes) -> bytes:
    from rootfs_trust import x509

    block = x509.blocks(pem)[0]
    assert isinstance(block, x509.Block)
    return block.der.removeprefix(MINE.der)


def test_a_purpose_of_a_huge_oid_does_not_hide_the_others() -> None:
    long = f"1.3.6.1.{'.'.join(['99999'] * 60)}"
    assert purposes_of_settings(settings_of(MINE.trusted((long, EMAIL)))) == {"email"}


@pytest.mark.parametrize("settings", [b"", b"\x04\x00", b"\x30\x05\x30", b"\x30\x04\x30\x02\x05\x00"])
def test_text_that_is_not_settings(settings: bytes) -> None:
    with pytest.raises(MalformedError):
        purposes_of_settings(settings)


def test_all_the_words_are_everything() -> None:
    assert purposes(["email", "server-auth"]) == {"email", "server-auth"}
    assert purposes(["email", "server-auth", "code-signing", "client-auth"]) is None


def test_the_form_of_an_anchor() -> None:
    assert pem_for(MINE.der, None) == MINE.pem
    written = pem_for(MINE.der, frozenset(("email", "client-auth")))
    assert written == MINE.trusted((CLIENT_AUTH, EMAIL))  # in one order, whatever the set's
    assert [each.der for _, each in read_objects(written).certificates] == [MINE.der]


def test_for_people() -> None:
    assert shown(None) == "everything"
    assert shown(frozenset()) == "nothing"
    assert shown(frozenset(("email", "server-auth"))) == "server-auth and email"


# -- stores that know none ---------------------------------------------------------------------------------

UNDIVIDED = [layout for layout in LAYOUTS.values() if not layout.tokens]


def anchor(*words: str) -> Anchor:
    return Anchor("mine", parse_certificate(MINE.der), "mine.pem", purposes=purposes(words) if words else None)


def files(plan: StorePlan) -> dict[str, object]:
    return {path: node.content for path, node in plan.desired.items() if isinstance(node, File)}


@pytest.mark.parametrize("layout", UNDIVIDED, ids=lambda layout: layout.name)
def test_one_that_is_not_for_servers_is_refused(layout) -> None:
    for words in (("email",), ("client-auth", "code-signing")):
        plan = plan_store(layout, MemoryTree(), Request((anchor(*words),)))
        (problem,) = plan.problems
        assert (problem.id, problem.path) == ("purposes", "mine.pem")
        assert shown(frozenset(words)) in problem.message
        assert layout.name in problem.message
        assert "server-auth" in problem.hint


@pytest.mark.parametrize("layout", UNDIVIDED, ids=lambda layout: layout.name)
def test_one_that_is_for_servers_is_reported_and_plain(layout) -> None:
    plan = plan_store(layout, MemoryTree(), Request((anchor("server-auth", "email"),)))
    plain = plan_store(layout, MemoryTree(), Request((anchor(),)))
    assert (plan.problems, plan.conflicts) == ([], [])
    assert [(each.id, each.path) for each in plan.warnings] == [("purposes", "mine.pem")]
    assert plain.warnings == []
    assert files(plan) == files(plain)
    assert MINE.pem in files(plan).values()
    again = plan_store(layout, MemoryTree(plan.desired), Request((anchor("server-auth"),)))
    assert (again.problems, again.conflicts) == ([], [])
    assert files(plan) | files(again) == files(plain)
