"""The verbs as functions: what they answer, and what they raise."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from datetime import timedelta

import pytest

import rootfs_trust
from rootfs_trust.api import open_tree
from rootfs_trust.api.install import install
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.rehash import rehash
from rootfs_trust.cli.run import COMMANDS
from rootfs_trust.errors import ApplyError, ConflictError, InputError, MalformedError, Problem, RootfsTrustError
from rootfs_trust.rootfs.plan import Put
from tests.support.authority import NOW
from tests.support.hostile import ended_after


@pytest.fixture(autouse=True)
def empty_directory(tmp_path, monkeypatch):
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")


@pytest.fixture
def ca(authority, tmp_path) -> str:
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    return str(tmp_path / "ca.pem")


def test_the_outcome_says_what_was_done(debian, ca, authority):
    dry = install(debian.root, InstallOptions(certs=[ca], dry_run=True))
    assert (dry.changed, dry.dry_run, dry.layout) == (True, True, "debian")
    done = install(debian.root, InstallOptions(certs=[ca]))
    assert (done.changed, done.dry_run, done.actions) == (True, False, dry.actions)
    assert [(each.name, each.sha256) for each in done.anchors] == [("ca", authority.sha256)]
    assert any(isinstance(action, Put) and action.path.endswith("/ca.crt") for action in done.actions)
    again = install(debian.root, InstallOptions(certs=[ca]))
    assert (again.changed, again.actions) == (False, ())


def test_no_function_reads_a_config_of_the_current_directory(debian, ca, tmp_path):
    broken = "[store]\nlayuot = 1\n"
    (tmp_path / "cwd/rootfs-trust.toml").write_text(broken)
    install(debian.root, InstallOptions(certs=[ca]))
    rootfs_trust.plan(debian.root)
    rootfs_trust.check(debian.root)
    rootfs_trust.list_anchors(debian.root)
    rootfs_trust.sbom(debian.root)
    rootfs_trust.report(debian.root)
    rootfs_trust.verify(debian.root, ca)
    rootfs_trust.install_image(debian.root, str(tmp_path / "copy"), InstallOptions(certs=[ca]))
    rootfs_trust.remove(debian.root, ["ca"])


def test_options_have_defaults(debian):
    assert install(debian.root).anchors == ()


def test_the_time_is_the_callers_to_say(debian, ca, authority):
    end = authority.certificate.not_valid_after_utc
    assert install(debian.root, InstallOptions(certs=[ca], at=end)).changed
    with pytest.raises(InputError) as error:
        install(debian.root, InstallOptions(certs=[ca], at=end + timedelta(seconds=1)))
    assert [problem.id for problem in error.value.problems] == ["expired"]
    assert install(debian.root, InstallOptions(certs=[ca], at=NOW)).changed is False


def test_errors_carry_their_problems_and_the_status_of_the_contract(debian, ca):
    statuses = {InputError: 2, ConflictError: 3, ApplyError: 4, MalformedError: 2}
    assert {kind: kind.exit_status for kind in statuses} == statuses
    assert all(issubclass(kind, RootfsTrustError) for kind in statuses)
    debian.write("etc/ssl/certs/ca.pem", b"own")
    with pytest.raises(ConflictError, match=r"/etc/ssl/certs/ca\.pem: a file exists where") as error:
        install(debian.root, InstallOptions(certs=[ca]))
    assert [problem.path for problem in error.value.problems] == ["/etc/ssl/certs/ca.pem"]


def test_a_repeated_warning_is_reported_once(debian):
    with pytest.raises(InputError) as error:
        install(debian.root, InstallOptions(certs=["/none", "/none"]))
    assert len(error.value.problems) == 1


def test_a_file_that_differs_after_the_run_is_an_error(debian, ca, monkeypatch):
    monkeypatch.setattr("rootfs_trust.rootfs.apply.apply", lambda *_, **__: [])
    with pytest.raises(ApplyError, match="changed right after it was written"):
        install(debian.root, InstallOptions(certs=[ca]))


def test_an_unreadable_tree_after_the_run_is_an_error(debian, ca, monkeypatch):
    def look(*_: object, **__: object):
        raise InputError(Problem("unreadable", "/etc/ssl/certs", "cannot be read: Input/output error"))

    monkeypatch.setattr("rootfs_trust.api.apply_plan.make_plan", look)
    checked = "the result could not be checked: cannot be read: Input/output error; all changes are written"
    with pytest.raises(ApplyError, match=f"/etc/ssl/certs: {checked}"):
        install(debian.root, InstallOptions(certs=[ca]))


def test_rehash_of_one_directory_by_two_names_does_not_wait_for_itself(tmp_path, authority):
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs/a.pem").write_bytes(authority.pem)
    (tmp_path / "twin").symlink_to("certs")
    directories = [str(tmp_path / name) for name in ("certs", "twin", "certs/")]
    with ended_after(20):
        assert rehash(directories).changed
        assert not rehash(directories).changed


OTHER_NAMES = {"list": "list_anchors", "image": "install_image", "fleet": "Fleet"}
"""What a command is called in Python, where a built-in function or a room of the package has its name."""


def test_every_command_is_there():
    assert {OTHER_NAMES.get(command, command) for command in COMMANDS} <= {*rootfs_trust.__all__}


@pytest.mark.parametrize("name", rootfs_trust.__all__)
def test_every_name_is_what_it_says(name):
    found = getattr(rootfs_trust, name)
    assert callable(found) and found.__name__ == name and found.__doc__
    assert importlib.util.find_spec(f"rootfs_trust.{name}") is None, "a module of this name would hide it"


def test_there_is_no_other_name():
    with pytest.raises(AttributeError, match="has no attribute 'instal'"):
        rootfs_trust.instal  # noqa: B018


def test_the_package_alone_imports_nothing():
    program = "import sys; before = {*sys.modules}; import rootfs_trust; print(sorted({*sys.modules} - before))"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    new = {name.strip("'[]") for name in done.stdout.strip().split(", ")}
    assert {name for name in new if name.startswith("rootfs_trust")} == {"rootfs_trust"}
    assert not new & {"click", "cryptography", "jinja2", "cyclonedx", "OpenSSL"}


def test_the_verbs_that_look(debian, ca, tmp_path):
    outcome, provenance = rootfs_trust.install_with_provenance(debian.root, InstallOptions(certs=[ca]))
    assert outcome.changed and '"https://slsa.dev/provenance/v1"' in provenance
    with pytest.raises(InputError, match="a dry run installs nothing"):
        rootfs_trust.install_with_provenance(debian.root, InstallOptions(dry_run=True))
    page = rootfs_trust.render_report(rootfs_trust.report(debian.root, rootfs_trust.ReportOptions(at=NOW)), "md")
    assert "ca" in page
    assert '"specVersion": "1.6"' in rootfs_trust.sbom(debian.root)
    rootfs_trust.init(debian.root, str(tmp_path / "rootfs-trust.toml"), certs=[ca], clouds=["c8y"])
    assert rootfs_trust.install(debian.root, InstallOptions(config=str(tmp_path / "rootfs-trust.toml"))).changed
    with pytest.raises(ConflictError, match="already exists"):
        rootfs_trust.init(debian.root, str(tmp_path / "rootfs-trust.toml"))


def test_the_verbs_that_write_elsewhere(debian, ca, tmp_path):
    made = rootfs_trust.install_image(debian.root, str(tmp_path / "copy"), InstallOptions(certs=[ca]))
    assert made.changed and rootfs_trust.diff(debian.root, str(tmp_path / "copy")).added
    (tmp_path / "trust.toml").write_text('[[anchor]]\nfile = "ca.pem"\n')
    (tmp_path / "fleet.toml").write_text('[[target]]\nroot = "rootfs"\nconfig = "trust.toml"\n')
    options = rootfs_trust.FleetOptions(jobs=1, dry_run=True)
    (result,) = rootfs_trust.Fleet(str(tmp_path / "fleet.toml"), options).run()
    assert result.status == "changed"


def test_a_report_opens_its_tree_once(debian, ca, tmp_path, monkeypatch):
    """And says what check and diff say of it."""
    other = str(tmp_path / "other")
    rootfs_trust.install_image(debian.root, other, InstallOptions(certs=[ca]))
    check_options = rootfs_trust.CheckOptions(at=NOW)
    findings, difference = rootfs_trust.check(other, check_options), rootfs_trust.diff(debian.root, other)
    opened = []
    base = open_tree._base
    monkeypatch.setattr(open_tree, "_base", lambda path, *more: opened.append(path) or base(path, *more))
    made = rootfs_trust.report(other, rootfs_trust.ReportOptions(at=NOW, baseline=debian.root))
    assert opened == [other, debian.root]
    assert (made.findings, made.difference) == (findings, difference)


def test_certificates_are_given_as_bytes(debian, authority):
    done = install(debian.root, InstallOptions(certs=[authority.pem]))
    assert [each.sha256 for each in done.anchors] == [authority.sha256]
    assert not install(debian.root, InstallOptions(certs=[authority.der])).changed


def test_bytes_that_are_not_certificate_are_named_as_bytes(debian):
    with pytest.raises(InputError) as refused:
        install(debian.root, InstallOptions(certs=[b"nothing"]))
    assert [problem.path for problem in refused.value.problems] == ["<bytes>"]


@pytest.mark.parametrize("form", ["text", "tables"])
def test_a_config_is_given_as_an_object(debian, ca, authority, form):
    text = f'[[anchor]]\nfile = "{ca}"\nname = "edge"\n[store]\ndistrust = ["sha256:{"00" * 32}"]\n'
    config = rootfs_trust.parse_config(text if form == "text" else tomllib.loads(text))
    done = install(debian.root, InstallOptions(config=config))
    assert [each.name for each in done.anchors] == ["edge"]
    assert {each.id for each in rootfs_trust.check(debian.root, rootfs_trust.CheckOptions(config=config))} >= {
        "distrust-unmatched"
    }


def test_the_anchor_of_a_config_object_may_be_bytes(debian, authority):
    table = rootfs_trust.AnchorTable(authority.pem, name="edge")
    config = rootfs_trust.Config(anchors=(table,))
    assert [each.name for each in install(debian.root, InstallOptions(config=config)).anchors] == ["edge"]
    found = {each.certificate.sha256: each.origin for each in rootfs_trust.list_anchors(debian.root, config=config)}
    assert found[authority.sha256] == "rootfs-trust"


def test_a_mistake_in_the_tables_of_a_config_is_named_by_its_key():
    with pytest.raises(InputError, match=r"anchor\[0\].fil"):
        rootfs_trust.parse_config({"anchor": [{"fil": "x.pem"}]})


def test_the_clock_is_not_read_where_the_caller_gives_the_time(debian, ca, monkeypatch):
    def no_clock() -> None:
        raise AssertionError("the clock was read")

    for name, module in list(sys.modules.items()):
        if name.startswith("rootfs_trust.") and hasattr(module, "utc_now"):
            monkeypatch.setattr(module, "utc_now", no_clock)
    install(debian.root, InstallOptions(certs=[ca], at=NOW))
    rootfs_trust.check(debian.root, rootfs_trust.CheckOptions(at=NOW))
    rootfs_trust.list_anchors(debian.root, at=NOW)
    rootfs_trust.sbom(debian.root, at=NOW)
    rootfs_trust.report(debian.root, rootfs_trust.ReportOptions(at=NOW))
    rootfs_trust.verify(debian.root, ca, at=NOW)
    rootfs_trust.diff(debian.root, debian.root)
