"""The public roots that clouds document: a table with its sources, and a store that is chosen by it."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

from rootfs_trust.inputs.root_data import OPTIONAL, load_root_data
from rootfs_trust.store import cloud_roots
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.cloud_roots import PRESETS, PublicRoot, removal_date, with_presets
from rootfs_trust.store.source_file import Source, source_of
from rootfs_trust.store.store_plan import Request, StorePlan
from rootfs_trust.x509 import Certificate, parse_certificate, read_objects
from tests.support.authority import Authority
from tests.support.command import REPOSITORY
from tests.support.peers import unavailable

ROOTS = {root.name: root for roots in PRESETS.values() for root in roots}


# -- the table ---------------------------------------------------------------------------------------------


def test_each_cloud_has_the_roots_that_it_documents() -> None:
    assert {cloud: [root.name for root in roots] for cloud, roots in PRESETS.items()} == {
        "aws": [*(f"Amazon_Root_CA_{number}" for number in range(1, 5)), "Starfield_Services_Root_G2"],
        "az": ["DigiCert_Global_Root_G2", "Microsoft_RSA_Root_2017"],
    }


def test_digests_are_written_as_they_are_compared() -> None:
    assert all(re.fullmatch("[0-9a-f]{64}", root.sha256) for root in ROOTS.values())
    assert len({root.sha256 for root in ROOTS.values()}) == len(ROOTS)


@pytest.mark.parametrize("cloud", PRESETS)
def test_a_preset_has_the_roots_that_the_table_of_public_roots_has_for_the_cloud(cloud: str) -> None:
    """Both come from the cloud's documents. An optional root is for other connections than those of devices."""
    data = load_root_data()
    for_devices = {each.sha256 for each in data.cloud_roots if each.cloud == cloud and each.need != OPTIONAL}
    assert {root.sha256: root.created for root in PRESETS[cloud]} == {
        sha256: data.roots[sha256].not_before for sha256 in for_devices
    }


def test_the_table_of_public_roots_is_made_of_the_clouds_documents() -> None:
    clouds = tomllib.loads((REPOSITORY / "root_data/clouds.toml").read_text())["cloud"]
    assert [(each["cloud"], each["root"], each["need"], each["what"]) for each in clouds] == [
        (each.cloud, each.sha256[: len(table["root"])], each.need, each.what)
        for each, table in zip(load_root_data().cloud_roots, clouds, strict=True)
    ]


def shipped() -> dict[str, Certificate]:
    """The certificates of this machine's ca-certificates, by digest."""
    files = sorted(Path("/usr/share/ca-certificates/mozilla").glob("*.crt"))
    found = (certificate for file in files for _, certificate in read_objects(file.read_bytes()).certificates)
    return {certificate.sha256: certificate for certificate in found} or unavailable("no ca-certificates here")


@pytest.mark.integration
@pytest.mark.parametrize("root", ROOTS.values(), ids=ROOTS)
def test_each_digest_is_that_of_the_root_as_debian_ships_it(root: PublicRoot) -> None:
    certificate = shipped()[root.sha256]
    words = root.name.replace("Amazon_Root_CA", "Amazon Root CA").replace("_", " ").removesuffix(" 2017").split()
    assert all(word in certificate.subject.text for word in words if word not in ("RSA", "G2"))
    assert certificate.not_before is not None
    assert certificate.not_before.date() == root.created
    assert certificate.basic_constraints is not None and certificate.basic_constraints.ca


# -- when Mozilla removes them -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("created", "leaves"),
    [
        (date(1999, 1, 1), date(2025, 4, 15)),
        (date(2005, 12, 31), date(2025, 4, 15)),
        (date(2006, 1, 1), date(2026, 4, 15)),
        (date(2008, 1, 1), date(2027, 4, 15)),
        (date(2010, 1, 1), date(2028, 4, 15)),
        (date(2012, 1, 1), date(2029, 4, 15)),
        (date(2014, 4, 14), date(2029, 4, 15)),
        (date(2014, 4, 15), date(2029, 4, 15)),
        (date(2014, 4, 16), date(2029, 4, 16)),
        (date(2016, 2, 29), date(2031, 2, 28)),
        (date(2016, 2, 28), date(2031, 2, 28)),
        (date(2016, 3, 31), date(2031, 3, 31)),
    ],
)
def test_the_schedule(created: date, leaves: date) -> None:
    assert removal_date(created) == leaves


def test_the_first_of_them_leave_in_2027_and_2029() -> None:
    """Facts, section 9."""
    assert ROOTS["Starfield_Services_Root_G2"].leaves == date(2027, 4, 15)
    assert ROOTS["DigiCert_Global_Root_G2"].leaves == date(2029, 4, 15)
    assert min(root.leaves for root in ROOTS.values()) == date(2027, 4, 15)
    assert ROOTS["Amazon_Root_CA_1"].leaves == date(2030, 5, 26)
    assert ROOTS["Microsoft_RSA_Root_2017"].leaves == date(2034, 12, 18)


# -- choosing ----------------------------------------------------------------------------------------------

FIRST, SECOND, OTHER = Authority("First Public Root"), Authority("Second Public Root"), Authority("Other Root")


def certificate_of(authority: Authority) -> Certificate:
    return parse_certificate(authority.der)


def source(authority: Authority) -> Source:
    path = f"/usr/share/ca-certificates/{authority.certificate.serial_number}.crt"
    return source_of(path, certificate_of(authority))


@pytest.fixture(autouse=True)
def clouds(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (PublicRoot(name, date(2020, 1, 1), each.sha256) for name, each in (("1", FIRST), ("2", SECOND)))
    monkeypatch.setattr(cloud_roots, "PRESETS", {"aws": (first, second), "az": (second,)})


def chosen(request: Request, *sources: Source) -> tuple[list[str], StorePlan]:
    plan = StorePlan()
    return [each.name for each in with_presets(request, sources, plan).anchors], plan


ALL = [source(each) for each in (OTHER, SECOND, FIRST)]


def test_roots_are_found_by_digest_in_what_the_rootfs_holds() -> None:
    plan = StorePlan()
    found = with_presets(Request(only=True, presets=("aws",)), ALL, plan)
    assert [(each.name, each.certificate.sha256) for each in found.anchors] == [
        ("aws-1", FIRST.sha256),
        ("aws-2", SECOND.sha256),
    ]
    assert found.anchors[0].where == ALL[2].path
    assert plan == StorePlan()


def test_one_file_may_hold_them_all() -> None:
    bundle = Source("/etc/ssl/certs/ca-certificates.crt", b"", tuple(map(certificate_of, (OTHER, SECOND, FIRST))))
    assert chosen(Request(only=True, presets=("aws",)), bundle)[0] == ["aws-1", "aws-2"]


def test_a_base_that_is_kept_needs_none() -> None:
    assert chosen(Request(presets=("aws",)), *ALL) == ([], StorePlan())
    assert chosen(Request(presets=("aws",))) == ([], StorePlan())


def test_a_cloud_without_documented_roots_adds_none() -> None:
    assert chosen(Request(only=True, presets=("c8y",)), *ALL) == ([], StorePlan())
    assert chosen(Request(only=True), *ALL) == ([], StorePlan())


def test_anchors_that_are_given_come_first_and_are_not_chosen_again() -> None:
    given = Anchor("mine", certificate_of(FIRST), "mine.pem")
    names, plan = chosen(Request((given,), only=True, presets=("aws",)), source(SECOND))
    assert (names, plan) == (["mine", "aws-2"], StorePlan())


def test_two_clouds_with_one_root_in_common_are_in_order() -> None:
    names, plan = chosen(Request(only=True, presets=("az", "aws")), *ALL)
    assert (names[0], len(names), plan) == ("az-2", 3, StorePlan())


def test_roots_that_cannot_be_found_are_named_one_by_one() -> None:
    names, plan = chosen(Request(only=True, presets=("aws",)), source(OTHER))
    assert names == []
    first, second = plan.problems
    assert first.id == second.id == "preset"
    assert FIRST.sha256 in first.message and "aws" in first.message and "1" in first.message
    assert SECOND.sha256 in second.message
    assert "--cert" in first.hint


def test_one_that_is_missing_is_enough() -> None:
    plan = chosen(Request(only=True, presets=("aws",)), source(FIRST))[1]
    assert [SECOND.sha256 in each.message for each in plan.problems] == [True]


def test_a_root_may_come_from_a_file_that_is_given(monkeypatch, authority, tmp_path):
    root = PublicRoot("Given_Root", date(2020, 1, 1), authority.sha256)
    monkeypatch.setitem(cloud_roots.PRESETS, "aws", (root,))
    given = Anchor("", parse_certificate(authority.der), "bundle.pem:1")
    plan = StorePlan()
    request = with_presets(Request(only=True, presets=("aws",), roots=(given,)), [], plan)
    assert [(each.name, each.where) for each in request.anchors] == [("aws-Given_Root", "bundle.pem:1")]
    assert plan.problems == []
