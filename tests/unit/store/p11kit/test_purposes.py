"""Anchors for some purposes in the p11-kit layouts, and the dates in their Java keystores; on trees in memory."""

from __future__ import annotations

import pytest

from rootfs_trust.layouts.with_p11kit import ARCH, FEDORA, SUSE
from rootfs_trust.rootfs.view import Absent
from rootfs_trust.store import jks
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.plan_store import plan_store
from rootfs_trust.store.purposes import purposes
from rootfs_trust.store.store_plan import Request, StorePlan
from rootfs_trust.x509 import parse_certificate
from tests.support.memory import File, MemoryTree
from tests.unit.store.p11kit.sources import (
    CLIENT_AUTH,
    CODE_SIGNING,
    EMAIL,
    SERVER_AUTH,
    TIME_STAMPING,
    Root,
    persist,
    stapled_usages,
)
from tests.unit.store.p11kit.test_layout import ANCHORS, SHIPPED, SOURCE, after, ids, plan, tree

MINE = Root("My CA")
PEM = "/etc/pki/ca-trust/extracted/pem"
BUNDLES = {
    "server-auth": f"{PEM}/tls-ca-bundle.pem",
    "email": f"{PEM}/email-ca-bundle.pem",
    "code-signing": f"{PEM}/objsign-ca-bundle.pem",
}
JAVA = "/etc/pki/ca-trust/extracted/java/cacerts"


def anchor(*words: str, root: Root = MINE, name: str = "mine", **more) -> Anchor:
    wanted = purposes(words) if words else None
    return Anchor(name, parse_certificate(root.der), f"{name}.pem", purposes=wanted, **more)


def holding(given: StorePlan, root: Root = MINE) -> set[str]:
    return {word for word, path in BUNDLES.items() if root.pem in given.desired[path].content}


def same_twice(view: MemoryTree, given: StorePlan, *anchors: Anchor) -> None:
    again = plan(after(view, given), anchors=anchors)
    assert again.conflicts == []
    assert after(after(view, given), again).entries == after(view, given).entries


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("server-auth",), []),
        (("server-auth", "code-signing"), []),
        (("email",), ["no-output"]),
        (("client-auth",), ["no-output"]),
        ((), []),
    ],
)
def test_only_the_outputs_of_its_purposes_hold_it(words: tuple[str, ...], told: list[str]) -> None:
    view, wanted = tree(), anchor(*words)
    given = plan(view, anchors=(wanted,))
    assert holding(given) == (set(words) or set(BUNDLES)) & set(BUNDLES)
    assert ids(given) == told
    assert given.installed == [wanted]
    same_twice(view, given, wanted)


def test_the_file_names_them_in_openssls_form() -> None:
    given = plan(tree(), anchors=(anchor("email", "client-auth"),))
    assert given.desired[f"{ANCHORS}/mine.crt"] == File(MINE.trusted((CLIENT_AUTH, EMAIL)))


def test_the_warning_says_whose_word_it_is() -> None:
    (told,) = plan(tree(), anchors=(anchor("email"),)).warnings
    assert "email" in told.hint
    (told,) = plan(tree(), anchors=(anchor(root=Root("Mail", usages=(EMAIL,))),)).warnings
    assert "extended key usage" in told.hint


@pytest.mark.parametrize(("before", "now"), [((), ("email",)), (("email",), ()), (("email",), ("server-auth",))])
def test_an_anchor_with_other_purposes_counts_as_another_certificate(
    before: tuple[str, ...], now: tuple[str, ...]
) -> None:
    view = tree()
    view = after(view, plan(view, anchors=(anchor(*before),)))
    given = plan(view, anchors=(anchor(*now),))
    assert [(each.id, each.path) for each in given.conflicts] == [("conflict", f"{ANCHORS}/mine.crt")]
    assert "--replace mine" in given.conflicts[0].hint
    assert f"{ANCHORS}/mine.crt" not in given.desired
    replaced = plan(view, anchors=(anchor(*now, replace=True),))
    assert replaced.conflicts == []
    fresh = plan(tree(), anchors=(anchor(*now),))
    assert replaced.desired[f"{ANCHORS}/mine.crt"] == fresh.desired[f"{ANCHORS}/mine.crt"]
    assert holding(replaced) == holding(fresh)
    same_twice(view, replaced, anchor(*now))


def test_under_another_name_they_are_a_conflict_that_replacing_does_not_solve() -> None:
    view = tree(**{"anchors/other.pem": MINE.pem})
    for wanted in (anchor("email"), anchor("email", replace=True)):
        given = plan(view, anchors=(wanted,))
        assert [each.path for each in given.conflicts] == [f"{ANCHORS}/other.pem"]
    view = tree(**{"anchors/other.pem": MINE.trusted((EMAIL,))})
    assert ids(plan(view, anchors=(anchor("email"),))) == ["already-installed", "no-output"]


def test_in_a_file_with_others_they_are_a_conflict() -> None:
    view = tree(**{"anchors/mine.crt": MINE.pem + Root("Beside it").pem})
    given = plan(view, anchors=(anchor("email", replace=True),))
    assert [each.path for each in given.conflicts] == [f"{ANCHORS}/mine.crt"]
    assert f"{ANCHORS}/mine.crt" not in given.desired


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (MINE.trusted((EMAIL, SERVER_AUTH), (SERVER_AUTH,), alias="an alias"), ("email",)),
        (MINE.trusted((EMAIL, TIME_STAMPING)), ("email",)),
        (persist("trusted: true", block=MINE.der) + stapled_usages(MINE, EMAIL), ("email",)),
        (MINE.trusted((SERVER_AUTH, CLIENT_AUTH, CODE_SIGNING, EMAIL)), ()),
        (MINE.trusted(("2.5.29.37.0",)), ()),
    ],
)
def test_the_same_purposes_in_another_form_stay_as_they_are(content: bytes, words: tuple[str, ...]) -> None:
    given = plan(tree(**{"anchors/mine.crt": content}), anchors=(anchor(*words),))
    assert given.conflicts == []
    assert f"{ANCHORS}/mine.crt" not in given.desired


def test_a_key_is_for_the_same_purposes_in_every_file() -> None:
    """p11-kit staples purposes to keys: a renewed CA would give its purposes to the old one, or take them over."""
    renewed = Root("My CA", key=MINE.key)
    for held, words in (
        (MINE.pem, ("email",)),
        (MINE.trusted((EMAIL,)), ()),
        (MINE.trusted((EMAIL,)), ("client-auth",)),
    ):
        given = plan(tree(**{"anchors/old.crt": held}), anchors=(anchor(*words, root=renewed),))
        assert [(each.id, each.path) for each in given.conflicts] == [("conflict", f"{ANCHORS}/old.crt")]
    for held, words in ((MINE.pem, ()), (MINE.trusted((EMAIL,)), ("email",))):
        assert plan(tree(**{"anchors/old.crt": held}), anchors=(anchor(*words, root=renewed),)).conflicts == []


def test_two_anchors_of_one_key_too() -> None:
    renewed = anchor("server-auth", root=Root("My CA", key=MINE.key), name="renewed")
    given = plan(tree(), anchors=(anchor("email"), renewed))
    assert {each.path for each in given.conflicts} == {f"{ANCHORS}/mine.crt", f"{ANCHORS}/renewed.crt"}
    assert plan(tree(), anchors=(anchor("server-auth"), renewed)).conflicts == []


def test_a_stapled_extension_alone_counts() -> None:
    view = tree(**{"extension.p11-kit": stapled_usages(MINE, SERVER_AUTH)})
    given = plan(view, anchors=(anchor("email"),))
    assert [each.path for each in given.conflicts] == [f"{SOURCE}/extension.p11-kit"]
    assert plan(view, anchors=(anchor("server-auth"),)).conflicts == []


def test_a_stapled_extension_that_is_none_leaves_nothing() -> None:
    broken = stapled_usages(MINE, EMAIL).replace(b'value: "%30', b'value: "%31')
    view = tree(**{"anchors/mine.crt": persist("trusted: true", block=MINE.der) + broken})
    for words in ((), ("email",)):
        given = plan(view, anchors=(anchor(*words),))
        assert [each.path for each in given.conflicts] == [f"{ANCHORS}/mine.crt"]
        assert "for nothing" in given.conflicts[0].message


def test_a_shipped_certificate_is_for_what_its_anchor_says() -> None:
    shipped = Root("Shipped")
    view = MemoryTree({SHIPPED: File(persist("trusted: true", block=shipped.der))})
    given = plan(view, anchors=(anchor("email", root=shipped),))
    assert holding(given, shipped) == {"email"}
    assert ids(given) == ["already-shipped", "no-output"]


def test_only_spares_purposes() -> None:
    view = tree(**{"anchors/mine.crt": MINE.trusted((SERVER_AUTH,))})
    given = plan(view, anchors=(anchor("server-auth"),), only=True)
    assert holding(given) == {"server-auth"}
    assert ids(given) == ["base-none"]


def test_adopting_keeps_purposes() -> None:
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    other = Root("Other CA")
    view = tree(**{"anchors/mine.crt": broken + MINE.trusted((EMAIL,)) + other.trusted((SERVER_AUTH,))})
    given = plan(view, adopt=True)
    assert given.desired[f"{ANCHORS}/mine.crt"] == File(MINE.trusted((EMAIL,)))
    assert given.desired[f"{ANCHORS}/Other_CA.crt"] == File(other.trusted((SERVER_AUTH,)))
    assert (holding(given), holding(given, other)) == ({"email"}, {"server-auth"})


# -- dates -------------------------------------------------------------------------------------------------


def dates(given: StorePlan) -> dict[str, int]:
    return {each.alias: each.created_ms for each in jks.read_keystore(given.desired[JAVA].content)}


def test_new_entries_have_the_date_of_the_request_and_others_keep_theirs() -> None:
    view = tree()
    first = plan(view, created=1000)
    assert dates(first) == {"alpha(1),root": 1_000_000, "betaroot": 1_000_000}
    view = after(view, first)
    assert plan(view, created=2000).desired[JAVA] == first.desired[JAVA]
    second = plan(view, anchors=(anchor(),), created=500)
    assert dates(second) == {"alpha(1),root": 1_000_000, "betaroot": 1_000_000, "myca": 500_000}
    # A replaced certificate is a new entry under the old alias; without a date new is as late as the latest.
    view = after(view, second)
    third = plan(view, anchors=(anchor(root=Root("My CA"), replace=True),))
    assert dates(third) == {"alpha(1),root": 1_000_000, "betaroot": 1_000_000, "myca": 1_000_000}


def test_a_date_of_zero_is_one() -> None:
    view = tree()
    view = after(view, plan(view, created=1000))
    assert dates(plan(view, anchors=(anchor(),), created=0))["myca"] == 0


def test_a_keystore_that_cannot_be_read_is_written_again() -> None:
    view = MemoryTree({**tree().entries, JAVA: File(b"no keystore")})
    assert set(dates(plan(view, created=7)).values()) == {7000}
    assert set(dates(plan(view)).values()) == {0}


@pytest.mark.parametrize("layout", [FEDORA, SUSE, ARCH], ids=lambda layout: layout.name)
def test_every_layout_dates_its_keystore(layout) -> None:
    (path,) = [each.path for each in layout.tool.bundles if each.format == "java"]
    given = plan_store(layout, MemoryTree(), Request((anchor()._replace(name="x"),), created=9))
    assert [each.created_ms for each in jks.read_keystore(given.desired[path].content)] == [9000]
    assert not any(node == Absent() for node in given.desired.values())
