"""What a plain run imports: in Yocto cryptography is a long native build."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

import rootfs_trust
from tests.support.authority import pkcs7_der
from tests.unit.test_imports import imported

PROGRAM = """
import json, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

BLOCKED = set(json.loads(sys.argv.pop(1)))
sys.meta_path.insert(0, Blocked())
from rootfs_trust.cli.run import main
try:
    main()
finally:
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""
COSTLY = {"cryptography", "jinja2"}
REPOSITORY = Path(__file__).parents[3]
NOT_FOR_USERS = ("docs", "mutation", "test")
MODULES = {
    "OpenSSL": "pyopenssl",
    "backports": "backports.zstd",
    "compression": "backports.zstd",  # Python 3.14 has it
    "cyclonedx": "cyclonedx_python_lib",
}
"""Packages whose modules have another name."""


def run(
    *words: object, blocked: tuple[str, ...] = (), environment: dict[str, str] | None = None, program: str = PROGRAM
):
    """Exit status, standard output, standard error but its last line, and the modules that were imported."""
    env = {"PYTHONPATH": str(Path(rootfs_trust.__file__).parents[1]), **(environment or {})}
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(blocked), *map(str, words)],
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )
    *errors, modules = done.stderr.splitlines()
    return done.returncode, done.stdout, errors, set(json.loads(modules))


@pytest.mark.parametrize("form", ["pem", "der"])
def test_plain_anchors_need_none_of_the_costly_packages(debian, authority, tmp_path, form):
    (tmp_path / "ca").write_bytes(getattr(authority, form))
    words = ("install", "--root", debian.path, "--cert", tmp_path / "ca")
    status, out, errors, modules = run(*words, blocked=(*COSTLY, *MODULES, "distributed", "spdx_python_model"))
    assert (status, errors) == (0, [])
    assert "ca.crt" in out and (debian.path / "etc/ssl/certs/ca.pem").is_symlink()
    assert modules & COSTLY == set()
    # Nor are they imported where they are to be had.
    status, _, _, modules = run(*words)
    assert (status, modules & COSTLY) == (0, set())
    assert modules & {"ssl", "subprocess", "socket", "http", "urllib"} == set()


NOT_FOR_A_PLAIN_INSTALL = (
    "audit.checks",
    "clients.all_clients",
    "image",
    "inputs.config_reader",
    "inputs.certificate_containers",
    "rendering",
    "rootfs.apply",
    "store.java_keystore",
    "store.p11kit.",
    "thin_edge",
    "toml_editor",
)
"""Modules of the package, or the first letters of their names, for settings, containers, images, other distributions,
reading commands and writing."""
MOST_MODULES = 100


def test_what_an_install_with_nothing_to_do_imports(debian, authority, tmp_path):
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    words = ("install", "--root", debian.path, "--cert", tmp_path / "ca.pem")
    assert run(*words)[0] == 0
    program = PROGRAM.replace('{name.partition(".")[0] for name in sys.modules}', "set(sys.modules)")
    status, out, _, modules = run(*words, program=program)
    ours = {name.removeprefix("rootfs_trust.") for name in modules if name.startswith("rootfs_trust.")}
    assert status == 0 and "Nothing to do" in out
    assert sorted(name for name in ours if name.startswith(NOT_FOR_A_PLAIN_INSTALL)) == []
    assert len(ours) <= MOST_MODULES
    assert modules & {"ipaddress", "tomllib", "traceback", "zipfile"} == set()


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("install", "--help")])
def test_help_imports_little(words):
    status, out, _, modules = run(*words, blocked=(*COSTLY,))
    assert (status, modules & COSTLY) == (0, set()) and "rootfs-trust" in out


def test_a_new_tedge_toml_needs_jinja2_alone(debian):
    status, _, _, modules = run("install", "--root", debian.path, "--cloud", "c8y", blocked=("cryptography",))
    assert (status, modules & COSTLY) == (0, {"jinja2"})
    # It says all that it should by now: no new file, no jinja2.
    status, _, errors, modules = run("install", "--root", debian.path, "--cloud", "c8y", blocked=(*COSTLY,))
    assert (status, errors, modules & COSTLY) == (0, [], set())


def test_an_edit_needs_no_package(debian):
    debian.write("etc/tedge/tedge.toml", b'[config]\nversion = "2"\n')
    status, _, errors, modules = run("install", "--root", debian.path, "--cloud", "c8y", blocked=(*COSTLY,))
    assert (status, errors, modules & COSTLY) == (0, [], set())
    assert b'root_cert_path = "/etc/ssl/certs"' in debian.read("etc/tedge/tedge.toml")


@pytest.mark.parametrize(
    ("package", "extra", "words"),
    [("jinja2", "settings", ("--cloud", "c8y")), ("cryptography", "pkcs7", ("--cert", "PKCS7"))],
)
def test_a_package_that_is_missing_is_named_with_its_extra(debian, authority, tmp_path, package, extra, words):
    (tmp_path / "ca.p7b").write_bytes(pkcs7_der(authority))
    words = [str(tmp_path / "ca.p7b") if word == "PKCS7" else word for word in words]
    before = debian.snapshot()
    status, out, errors, _ = run("install", "--root", debian.path, *words, blocked=(package,))
    assert (status, out, len(errors)) == (2, "", 1)
    assert package in errors[0] and f"install rootfs-trust[{extra}]" in errors[0]
    assert debian.snapshot() == before


def test_the_metadata_asks_for_click_alone_and_names_the_extras_of_the_yocto_recipe():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert [re.match(r"[\w-]+", each)[0] for each in project["dependencies"]] == ["click"]
    (recipe,) = REPOSITORY.glob("recipes/meta-rootfs-trust/recipes-devtools/rootfs-trust/rootfs-trust_*.bb")
    for name, package in re.findall(r'PACKAGECONFIG\[(\w+)\] = ",,,python3-(\w+)"', recipe.read_text()):
        assert any(each.lower().startswith(package) for each in project["optional-dependencies"][name])


def test_every_package_that_is_imported_is_a_dependency_or_in_an_extra():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = {name: each for name, each in project["optional-dependencies"].items() if name not in NOT_FOR_USERS}
    asked = [*project["dependencies"], *(each for names in extras.values() for each in names)]
    names = {re.match(r"[\w.-]+", each)[0].lower().replace("-", "_") for each in asked}
    foreign = {
        name
        for path in Path(rootfs_trust.__file__).parent.rglob("*.py")
        for name in imported(path)
        if name not in {*sys.stdlib_module_names, "rootfs_trust", "_typeshed"}
    }
    assert {MODULES.get(name, name.lower()) for name in foreign} <= names


def test_a_keystore_that_needs_a_package_is_named_with_its_extra(debian, authority, other_authority):
    store = pkcs12.serialize_java_truststore(
        [pkcs12.PKCS12Certificate(authority.certificate, b"ca")], BestAvailableEncryption(b"changeit")
    )
    debian.write("etc/ssl/certs/java/cacerts", store)
    status, out, errors, _ = run("list", "--root", debian.path, blocked=("cryptography",))
    assert (status, out, len(errors)) == (2, "", 1)
    assert "install rootfs-trust[pkcs7]" in errors[0]


def test_a_host_that_forbids_old_digests(debian, authority, tmp_path):
    """OpenSSL with fips=yes has no MD5 and, without the provider, no digest at all for security."""
    config = tmp_path / "openssl.cnf"
    config.write_text(
        "openssl_conf = main\n[main]\nalg_section = algorithms\n[algorithms]\ndefault_properties = fips=yes\n"
    )
    environment = {"OPENSSL_CONF": str(config)}
    probe = "import hashlib\ntry:\n hashlib.md5(b'')\nexcept ValueError:\n print('refused')"
    refused = subprocess.run([sys.executable, "-c", probe], env=environment, capture_output=True, text=True, check=True)
    if refused.stdout != "refused\n":
        pytest.skip("this Python's hashlib does not ask OpenSSL")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    words = ("install", "--root", debian.path, "--cert", tmp_path / "ca.pem")
    status, _, errors, _ = run(*words, environment=environment)
    assert (status, errors) == (0, [])
    before = debian.snapshot()
    assert run(*words)[0] == 0
    assert debian.snapshot() == before
