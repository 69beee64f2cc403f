"""Trust taken away from Debian's store: local files go, shipped ones get a ``!``, and what stays trusted is told."""

from __future__ import annotations

from rootfs_trust.layouts.without_p11kit import DEBIAN
from rootfs_trust.rootfs.view import Absent
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.plan_store import plan_store
from rootfs_trust.store.store_plan import Request, StorePlan
from rootfs_trust.x509 import encode, parse_certificate
from tests.support.authority import Authority
from tests.support.memory import File, MemoryTree, Symlink

ONE, TWO, MINE = (parse_certificate(Authority(name).der) for name in ("One", "Two", "Mine"))
SHIPPED, CONF = "/usr/share/ca-certificates", "/etc/ca-certificates.conf"
ENTRIES = {
    CONF: File(b"x/one.crt\nx/two.crt\n!x/old.crt\n"),
    f"{SHIPPED}/x/one.crt": File(encode(ONE.der)),
    f"{SHIPPED}/x/two.crt": File(encode(TWO.der)),
    f"{SHIPPED}/x/old.crt": File(encode(MINE.der)),
    f"{SHIPPED}/x/new.crt": File(encode(TWO.der)),
}
COPY = f"{DEBIAN.local}/copy.crt"


def plan(more: dict[str, File] | None = None, **asked) -> StorePlan:
    return plan_store(DEBIAN, MemoryTree(ENTRIES | (more or {})), Request(**asked))


def listed(given: StorePlan) -> list[str]:
    node = given.desired.get(CONF, ENTRIES[CONF])
    assert isinstance(node, File)
    return node.content.decode().splitlines()


def test_a_local_file_goes_and_its_shipped_copy_is_reported() -> None:
    given = plan({COPY: File(encode(ONE.der) + encode(MINE.der))}, remove=("copy",))
    assert given.desired[COPY] == Absent()
    assert listed(given) == ["x/one.crt", "x/two.crt", "!x/old.crt"]
    told = [(each.id, each.path) for each in given.warnings if each.id == "distrusted-yet-trusted"]
    assert told == [("distrusted-yet-trusted", f"{SHIPPED}/x/one.crt")]
    warning = next(each for each in given.warnings if each.id == "distrusted-yet-trusted")
    assert COPY in warning.message
    assert f"sha256:{ONE.sha256}" in warning.hint


def test_every_copy_goes_by_its_digest() -> None:
    given = plan({COPY: File(encode(TWO.der))}, remove=(f"sha256:{TWO.sha256}",))
    assert given.desired[COPY] == Absent()
    assert listed(given) == ["x/one.crt", "!x/two.crt", "!x/old.crt", "!x/new.crt"]
    assert given.problems == []


def test_a_list_that_is_a_link_stays_one_until_it_changes() -> None:
    link = {CONF: Symlink(f"{SHIPPED}/list"), f"{SHIPPED}/list": ENTRIES[CONF]}
    assert CONF not in plan(link).desired
    assert listed(plan(link, remove=("one",))) == ["!x/one.crt", "x/two.crt", "!x/old.crt"]
    dangling = plan({CONF: Symlink("gone")})
    assert listed(dangling)[-1] == "x/two.crt", "a link to nothing is no list"


def test_a_name_with_and_without_its_directory() -> None:
    for name in ("one", "x/one.crt"):
        assert listed(plan(remove=(name,))) == ["!x/one.crt", "x/two.crt", "!x/old.crt"]
    for name in ("old", "x/old.crt"):
        assert plan(remove=(name,)).problems == []


def test_removing_an_unknown_name_is_an_error_and_distrusting_it_is_not() -> None:
    assert [each.id for each in plan(remove=("nothing",)).problems] == ["not-found"]
    assert "one" in plan(remove=("ona",)).problems[0].hint
    gone = "0" * 64
    assert [each.message for each in plan(remove=(f"sha256:{gone}",)).problems] == [f"no anchor is named sha256:{gone}"]
    assert plan(distrust=frozenset((gone,))).problems == []
    assert plan(remove=(f"sha256:{MINE.sha256}",)).problems == []


def test_several_ways_to_name_one_make_one_line() -> None:
    given = plan(remove=("one",), distrust=frozenset((ONE.sha256, TWO.sha256)))
    assert listed(given) == ["!x/one.crt", "!x/two.crt", "!x/old.crt", "!x/new.crt"]


def test_nothing_but_the_anchors() -> None:
    more = {COPY: File(encode(ONE.der) + encode(MINE.der)), f"{DEBIAN.local}/b.crt": File(encode(TWO.der))}
    given = plan(more, only=True, anchors=(Anchor("mine", MINE, "mine.pem"),), distrust=frozenset((ONE.sha256,)))
    assert given.desired[COPY] == File(encode(MINE.der))
    assert given.desired[f"{DEBIAN.local}/b.crt"] == Absent()
    assert listed(given) == ["!x/one.crt", "!x/two.crt", "!x/old.crt", "!x/new.crt"]
