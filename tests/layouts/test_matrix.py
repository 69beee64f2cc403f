"""Every layout times every thing that is asked of a store: what is trusted afterwards, in every output.

After each, nothing is left to do: for the same command, for rehash, and for the program of the distribution that
would run next, where there is one to be had.

``rehash`` is run as the pure function that the command is made of, over the tree as the device sees it. The command
itself takes directories of the host: an absolute link of a target (Debian's to its sources) would lead it to the
host's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from rootfs_trust.api.check import check
from rootfs_trust.api.install import install
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.remove import remove
from rootfs_trust.audit.findings import NOTE
from rootfs_trust.errors import InputError
from rootfs_trust.layouts import LAYOUTS
from rootfs_trust.layouts.detect import find_layout
from rootfs_trust.outcome import Outcome
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.plan import make_plan
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.store import cloud_roots
from rootfs_trust.store.anchor import safe_name
from rootfs_trust.store.cloud_roots import PRESETS, PublicRoot
from rootfs_trust.store.hash_links import rehashed
from tests.layouts.own_peers import nothing_to_do
from tests.support.authority import Authority
from tests.support.layout_trees import ALPHA, BETA, FAMILIES, ODD, SHIPPED, Family, LayoutTree, shipped_authority
from tests.support.trust import held, held_by_directory, held_by_file

MINE, OTHER = Authority("My CA"), Authority("Other CA")


@dataclass(frozen=True)
class Case:
    """A tree, what was run on it, and the directory of the host's files."""

    tree: LayoutTree
    host: Path

    def file(self, authority: Authority, name: str) -> str:
        (self.host / f"{name}.pem").write_bytes(authority.pem)
        return str(self.host / f"{name}.pem")

    def config(self, text: str) -> str:
        (self.host / "rootfs-trust.toml").write_text(text)
        return str(self.host / "rootfs-trust.toml")

    def install(self, *authorities: tuple[Authority, str], config: str = "") -> Outcome:
        certs = [self.file(*each) for each in authorities]
        return install(self.tree.root, InstallOptions(certs, config=self.config(config) if config else None))

    def remove(self, *names: str) -> Outcome:
        return remove(self.tree.root, names)


Run = Callable[[Case], Outcome]
"""Does one thing to the tree, and can be repeated."""


@dataclass(frozen=True)
class Operation:
    """``runs`` are done in their order, the last one twice; ``trusted`` are the names that are trusted then.

    ``blocked`` are those of the shipped ones that are distrusted.
    """

    name: str
    runs: tuple[Run, ...]
    trusted: tuple[str, ...]

    @property
    def blocked(self) -> set[str]:
        return set(SHIPPED) - set(self.trusted)


def _rebuild(case: Case) -> Outcome:
    return case.install()


def _install(case: Case) -> Outcome:
    return case.install((MINE, "my-ca"))


def _shipped_name(case: Case, name: str) -> str:
    return case.tree.family.names[SHIPPED.index(name)]


def _distrust(case: Case) -> Outcome:
    digests = ", ".join(f'"sha256:{shipped_authority(each).sha256}"' for each in (BETA, ODD))
    return case.install((MINE, "my-ca"), config=f"[store]\ndistrust = [{digests}]\n")


def _only(case: Case) -> Outcome:
    return case.install((MINE, "my-ca"), (OTHER, "other"), config='[store]\nbase = "none"\n')


def _only_with_a_clouds_root(case: Case) -> Outcome:
    options = InstallOptions([case.file(MINE, "my-ca")], ["c8y"], case.config('[store]\nbase = "none"\n'))
    return install(case.tree.root, options)


OPERATIONS = (
    Operation("rebuild", (_rebuild,), SHIPPED),
    Operation("install", (_install,), (*SHIPPED, "My CA")),
    Operation(
        "remove-odd-name",
        (_install, lambda case: case.remove(_shipped_name(case, ODD))),
        (ALPHA, BETA, "My CA"),
    ),
    Operation(
        "remove-digest",
        (_install, lambda case: case.remove(f"sha256:{shipped_authority(ALPHA).sha256.upper()}")),
        (BETA, ODD, "My CA"),
    ),
    Operation("distrust", (_rebuild, _distrust), (ALPHA, "My CA")),
    Operation("base-none", (_install, _only), ("My CA", "Other CA")),
    Operation("base-none-cloud", (_only_with_a_clouds_root,), ("My CA", BETA)),
)


def digests(names: tuple[str, ...] | set[str]) -> set[str]:
    known = {"My CA": MINE, "Other CA": OTHER}
    return {(known.get(name) or shipped_authority(name)).sha256 for name in names}


@pytest.fixture(autouse=True)
def a_cloud_with_a_shipped_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real roots of clouds are no more to be made than their keys; c8y documents none, so it may have ours."""
    root = PublicRoot("Beta_Root", date(2020, 1, 1), shipped_authority(BETA).sha256)
    monkeypatch.setattr(cloud_roots, "PRESETS", {**PRESETS, "c8y": (root,)})


@pytest.fixture(params=FAMILIES, ids=lambda family: family.name)
def family(request: pytest.FixtureRequest) -> Family:
    return request.param


@pytest.fixture
def case(family: Family, tmp_path: Path) -> Case:
    (tmp_path / "host").mkdir()
    return Case(LayoutTree(tmp_path / "rootfs", family), tmp_path / "host")


@pytest.fixture(params=OPERATIONS, ids=lambda operation: operation.name)
def operation(request: pytest.FixtureRequest) -> Operation:
    return request.param


def test_every_layout_is_here() -> None:
    assert [family.name for family in FAMILIES] == list(LAYOUTS)


def test_the_tree_is_taken_for_what_it_is(case: Case) -> None:
    with RootDirectory(case.tree.root) as tree:
        assert find_layout(Device(tree)).name == case.tree.family.name


# -- what is trusted ---------------------------------------------------------------------------------------


def assert_trusted(tree: LayoutTree, names: tuple[str, ...], blocked: set[str]) -> None:
    """Every output holds what it should, each file that once, and nothing else."""
    family = tree.family
    with RootDirectory(tree.root) as root:
        for path in family.files:
            found = held_by_file(root, path)
            assert set(found.trusted) == digests(names), path
            assert len(found.trusted) == len(names), path
            assert set(found.distrusted) == (digests(blocked) if path in family.distrusting else set()), path
        for path in family.directories:
            found = held_by_directory(root, path)
            assert set(found.trusted) == digests(names), path
            assert set(found.distrusted) == (digests(blocked) if path in family.distrusting else set()), path


def holders(tree: LayoutTree, sha256: str) -> set[str]:
    """Every file of the tree that holds the certificate, save as a distrusted one."""
    files = (file for file in tree.path.rglob("*") if file.is_file() and not file.is_symlink())
    return {f"/{file.relative_to(tree.path)}" for file in files if sha256 in held(file.read_bytes()).trusted}


def test_who_is_trusted_and_a_second_run_writes_nothing(case: Case, operation: Operation) -> None:
    for run in operation.runs:
        done = run(case)
        assert done.layout == case.tree.family.name
        assert done.changed or (run is _rebuild and case.tree.family.name in ("photon", "bundle-only"))
    assert_trusted(case.tree, operation.trusted, operation.blocked)
    before = case.tree.snapshot()
    if operation.name.startswith("remove") and not case.tree.family.remembers:
        with pytest.raises(InputError):
            operation.runs[-1](case)
    else:
        assert operation.runs[-1](case).actions == ()
    assert install(case.tree.root).actions == (), "nor does a run that is asked for nothing"
    assert case.tree.snapshot() == before


def test_distrusted_certificates_stand_nowhere_but_in_their_sources(case: Case, operation: Operation) -> None:
    held = {name: holders(case.tree, shipped_authority(name).sha256) for name in SHIPPED}
    shipped = {name: {path for path in paths if path.startswith("/usr/share/")} for name, paths in held.items()}
    for run in operation.runs:
        run(case)
    for name in operation.blocked:
        left = holders(case.tree, shipped_authority(name).sha256)
        blocklist = {path for path in left if "/blocklist/" in path}
        if not case.tree.family.remembers:
            assert left == set()
        else:
            assert left - blocklist == shipped[name]
            assert len(blocklist) == int(case.tree.family.p11kit)


@pytest.mark.parametrize("named", [lambda: "my-ca", lambda: f"sha256:{MINE.sha256}"], ids=["by name", "by digest"])
def test_install_then_remove_is_install_without_certificates(
    case: Case, tmp_path: Path, named: Callable[[], str]
) -> None:
    plain = LayoutTree(tmp_path / "plain", case.tree.family)
    install(plain.root)
    _install(case)
    assert case.tree.contents() != plain.contents()
    name = "My_CA" if case.tree.family.name == "bundle-only" and named() == "my-ca" else named()
    done = case.remove(name)
    assert [each.sha256 for each in done.anchors] == [MINE.sha256]
    assert holders(case.tree, MINE.sha256) == set()
    assert case.tree.contents() == plain.contents()


def test_what_is_not_there_cannot_be_removed(case: Case) -> None:
    _install(case)
    before = case.tree.snapshot()
    near = case.tree.family.names[0]
    with pytest.raises(InputError) as refused:
        case.remove(f"{near}x", f"sha256:{OTHER.sha256}")
    assert [each.id for each in refused.value.problems] == ["not-found", "not-found"]
    assert safe_name(near) in safe_name(refused.value.problems[0].hint), "it lists names that are near"
    assert case.tree.snapshot() == before


def test_base_none_names_every_root_of_a_cloud_that_is_not_there(case: Case) -> None:
    before = case.tree.snapshot()
    options = InstallOptions(
        [case.file(MINE, "my-ca")], ["az", "aws"], case.config('[store]\nbase = "none"\n'), dry_run=False
    )
    with pytest.raises(InputError) as refused:
        install(case.tree.root, options)
    told = [each.message for each in refused.value.problems if each.id == "preset"]
    wanted = [root for cloud in ("az", "aws") for root in PRESETS[cloud]]
    assert len(told) == len(wanted) == 7
    assert all(any(root.name in text and root.sha256 in text for text in told) for root in wanted)
    assert case.tree.snapshot() == before


# -- nothing is left to do ---------------------------------------------------------------------------------


def test_rehash_has_nothing_to_do(case: Case, operation: Operation) -> None:
    for run in operation.runs:
        run(case)
    with RootDirectory(case.tree.root) as tree:
        for directory, styles in case.tree.family.hashed:
            links, _ = rehashed(tree, directory, styles)
            assert links, directory
            assert make_plan(tree, links).actions == ()


def test_the_layouts_own_program_has_nothing_to_do(
    case: Case, operation: Operation, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    for run in operation.runs:
        run(case)
    before = case.tree.contents()
    nothing_to_do(case.tree, request, tmp_path)
    assert case.tree.contents() == before
    assert [each for each in check(case.tree.root) if each.level != NOTE] == []
