"""Secrets that templates render, and two things of a run that would be one file: refused, and nothing is written."""

from __future__ import annotations

import json
import os

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rootfs_trust.cli.run import main
from rootfs_trust.rootfs.plan import make_plan
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import Directory, File
from tests.support.authority import Authority

KEY = Authority("Secret").key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SECRET = KEY.splitlines()[1]
JWK = '{"kty": "oct", "k": "c2VjcmV0c2VjcmV0"}'


@pytest.fixture
def run(debian, authority, tmp_path, monkeypatch, capfd):
    """Run ``install`` with a config; the exit status, the errors, and whether nothing of the key was printed."""
    (tmp_path / "ca.pem").write_bytes(authority.pem)

    def run_(config: str) -> tuple[int, list[dict[str, str]]]:
        (tmp_path / "trust.toml").write_text(config)
        words = ["install", "--root", debian.root, "--config", str(tmp_path / "trust.toml"), "--format", "json"]
        monkeypatch.setattr("sys.argv", ["rootfs-trust", *words])
        before = debian.snapshot()
        with pytest.raises(SystemExit) as exit_:
            main()
        told = capfd.readouterr()
        assert SECRET not in told.out + told.err and "c2VjcmV0" not in told.out + told.err
        status = exit_.value.code or 0
        if status:
            assert debian.snapshot() == before
        return status, json.loads(told.out).get("errors", [])

    return run_


def _render(text: str, dest: str, tmp_path, more: str = "") -> str:
    (tmp_path / "own.j2").write_text(text)
    return (
        f'[[anchor]]\nfile = "ca.pem"\nname = "ca"\n[[render]]\ntemplate = "own.j2"\ndest = {json.dumps(dest)}\n{more}'
    )


HIDDEN = {
    "the template": (KEY, ""),
    "put together": ("{{ '-----BEGIN ' ~ 'PRIVATE KEY-----' }}\n{{ 'QUJD' * 20 }}\n", ""),
    "a value": ("{{ values.a }}{{ values.b }}", 'values = {a = "-----BEGIN EC PRIV", b = "ATE KEY-----"}\n'),
    "a JWK": (
        "{{ values.a }} {{ values.b }}",
        'values = {a = "{\\"kty\\": \\"oct\\",", b = "\\"k\\": \\"c2VjcmV0\\"}"}\n',
    ),
    "a whole value": ("{{ values.a }}", f"values = {{a = '''{JWK}'''}}\n"),
    "unprinted": ("{{ " + SECRET + " }}\n" + KEY, ""),
}


@pytest.mark.parametrize(("text", "more"), HIDDEN.values(), ids=HIDDEN)
def test_a_key_that_a_template_holds_or_renders(run, tmp_path, text, more):
    status, errors = run(_render(text, "/etc/agent/key", tmp_path, more))
    assert status == 2
    assert [each["id"] for each in errors] == ["private-key"]
    assert str(tmp_path) in errors[0]["path"]


DESTS = [
    "/etc//x",
    "//etc/x",
    "/etc/./x",
    "/etc/x/",
    "/etc/../x",
    "/",
    "/etc/.rootfs-trust-0",
    "/etc/.rootfs-trust-1/x",
    "/etc/" + "x" * 256,
    "/etc/" + "ä" * 128,
    "/x" * 2048,
    "/etc/a\nb",
    "/etc/\x1b[2J",
]


@pytest.mark.parametrize("dest", DESTS, ids=range(len(DESTS)))
def test_a_dest_that_is_not_a_plain_path(run, tmp_path, dest):
    status, errors = run(_render("x", dest, tmp_path))
    assert (status, [each["id"] for each in errors]) == (2, ["config"])
    assert "render[0].dest" in errors[0]["message"]


STORE = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/usr/local/share/ca-certificates/ca.crt",
    "/etc/ssl/certs/ca.pem",
    "/etc/ca-certificates.conf",
]


@pytest.mark.parametrize("dest", STORE)
@pytest.mark.parametrize("more", ["", "replace = true\n"])
def test_a_path_that_the_store_writes(run, tmp_path, dest, more):
    status, errors = run(_render("x", dest, tmp_path, more))
    assert status == 2
    assert errors[0]["path"].endswith("trust.toml:5")
    assert dest in errors[0]["message"] and "is also written by the trust store" in errors[0]["message"]


def test_a_path_of_the_settings_and_of_another_template(run, debian, tmp_path):
    debian.write("etc/tedge/tedge.toml", b"")
    status, errors = run(_render("x", "/etc/tedge/tedge.toml", tmp_path, 'replace = true\n[[cloud]]\nkind = "c8y"\n'))
    assert status == 2 and "thin-edge.io's settings" in errors[0]["message"]
    status, errors = run(_render("x", "/etc/x", tmp_path, '[[render]]\ntemplate = "own.j2"\ndest = "/etc/x"\n'))
    assert status == 2 and "render[1].dest /etc/x is also written by render[0] (own.j2)" in errors[0]["message"]


def test_a_dest_below_another(run, tmp_path):
    status, errors = run(_render("x", "/etc/x", tmp_path, '[[render]]\ntemplate = "own.j2"\ndest = "/etc/x/y/z"\n'))
    assert status == 3
    below = [each for each in errors if each["path"] == "/etc/x/y/z"]
    assert "would be below /etc/x, which this run writes as a file" in below[0]["message"]
    status, errors = run(_render("x", "/etc/ssl/certs/ca-certificates.crt/x", tmp_path))
    assert status == 3


def test_links_of_the_tree_that_lead_one_to_another(run, debian, tmp_path):
    os.symlink("ssl/certs", debian.path / "etc/alias")
    os.symlink("/etc/ssl/certs/ca-certificates.crt", debian.path / "etc/file")
    for more in ("", "replace = true\n"):
        status, errors = run(_render("x", "/etc/alias/ca-certificates.crt", tmp_path, more))
        assert status == 3
        assert any("/etc/ssl/certs/ca-certificates.crt" in each["message"] + each["path"] for each in errors)
        assert any("/etc/alias" in each["message"] + each["path"] for each in errors)
    status, errors = run(_render("x", "/etc/file", tmp_path))
    assert (status, [each["path"] for each in errors]) == (3, ["/etc/file"])


@pytest.mark.parametrize(
    "dest", ["/usr/local/share/ca-certificates/more.crt", "/etc/ssl/certs/more.pem", "/etc/alias/more.crt"]
)
def test_a_dest_that_would_be_a_source_or_get_a_hash_link(run, debian, tmp_path, dest):
    os.symlink("ssl/certs", debian.path / "etc/alias")
    text = Authority("Another").pem.decode()
    status, errors = run(_render(text, dest, tmp_path))
    assert status == 3
    assert errors[0]["path"] == dest
    assert "part of the trust store" in errors[0]["message"]
    assert run(_render(text, "/etc/agent/ca.pem", tmp_path))[0] == 0


def test_any_two_of_a_plan(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to("real")
    with RootDirectory(str(tmp_path)) as root:

        def conflicts(**nodes):
            plan = make_plan(root, {"/" + path.replace("_", "/"): node for path, node in nodes.items()})
            return [each.path for each in plan.conflicts]

        assert conflicts(real_x=File(b"1"), alias_x=File(b"2")) == ["/alias/x"]
        assert conflicts(real_x=File(b"1"), alias_x=File(b"1")) == []
        assert conflicts(alias_new_x=File(b"1"), real_new=File(b"2"))[0] in ("/alias/new/x", "/real/new")
        assert conflicts(a=File(b"1"), a_b_c=File(b"2"), a_b=Directory()) == ["/a/b/c", "/a/b"]
        assert conflicts(a=File(b"1"), ab=File(b"2"), A=File(b"3")) == []
        assert len(make_plan(root, {"/a//b": File(b""), "/" + "n" * 256: File(b""), "a": File(b"")}).conflicts) == 3
