"""rootfs-trust.toml: every key does what it says, and every mistake is said with its key and its line."""

from __future__ import annotations

import os
import tomllib

import pytest

from tests.support.authority import Authority

STORE = 'layout = "debian"\n'


@pytest.fixture
def config(tmp_path):
    def write(text: str, name: str = "conf/trust.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
        return tmp_path / name

    return write


def test_every_key_at_work(install, config, authority, other_authority, debian, tmp_path):
    edge, old = Authority("c8y.edge", ca=False), authority
    file = config(
        f"""\
        [store]
        layout = "debian"
        base = "keep"

        [[anchor]]
        file = "certs/edge.pem"     # beside this file
        name = "c8y-edge"
        sha256 = "{":".join(edge.sha256[at : at + 2] for at in range(0, 64, 2)).upper()}"

        [[anchor]]
        file = "../ca.pem"
        replace = true
        allow = []

        [policy]
        min_rsa_bits = 3072
        min_days_left = 30
        require_ca = false
        strict = true
        forbid = []

        [[cloud]]
        kind = "c8y"
        profile = "Edge"
        root_cert_path = "/etc/ssl/certs/ca-certificates.crt"

        [[cloud]]
        kind = "aws"
        root_cert_path = "/mnt/certs"
        at_run_time = true
        """
    )
    (tmp_path / "conf/certs").mkdir()
    (tmp_path / "conf/certs/edge.pem").write_bytes(edge.pem)
    (tmp_path / "ca.pem").write_bytes(old.pem)
    assert install("--cert", tmp_path / "ca.pem").status == 0
    (tmp_path / "ca.pem").write_bytes(other_authority.pem)
    result = install("--config", file)
    assert result.status == 0
    assert result.anchors == {"c8y-edge": edge.sha256, "ca": other_authority.sha256}
    assert [id for id, _ in result.warnings] == ["not-a-ca", "thin-edge-setting", "no-tedge-user"]
    assert tomllib.loads(debian.read("etc/tedge/tedge.toml").decode()) == {
        "config": {"version": "2"},
        "c8y": {
            "profiles": {
                "edge": {
                    "root_cert_path": "/etc/ssl/certs/ca-certificates.crt",
                    "proxy": {"ca_path": "/etc/ssl/certs"},
                }
            }
        },
        "aws": {"root_cert_path": "/mnt/certs"},
    }


def test_the_config_of_the_current_directory_is_used_without_being_named(install, debian, authority, other_authority):
    with open("rootfs-trust.toml", "w") as file:
        file.write('[[anchor]]\nfile = "certs/ca.pem"\n')
    os.mkdir("certs")
    with open("certs/ca.pem", "wb") as file:
        file.write(authority.pem)
    with open("certs/more.pem", "wb") as file:
        file.write(other_authority.pem)
    result = install("--cert", "certs/more.pem")
    assert result.anchors == {"more": other_authority.sha256, "ca": authority.sha256}


def test_a_file_that_is_named_replaces_the_default(install, config, authority, tmp_path):
    with open("rootfs-trust.toml", "w") as file:
        file.write("this is not TOML")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/ca.pem").write_bytes(authority.pem)
    assert install("--config", config('[[anchor]]\nfile = "ca.pem"\n')).anchors == {"ca": authority.sha256}


def test_a_broken_one_in_the_current_directory_is_an_error(refused):
    with open("rootfs-trust.toml", "w") as file:
        file.write("[store]\nlayout = debian\n")
    result = refused()
    assert result.errors == [("config", "rootfs-trust.toml")]
    assert "line 2" in result.document["errors"][0]["message"]


def test_an_empty_one_is_as_good_as_none(install, config, debian):
    assert install("--config", config("")).status == 0
    assert install("--config", config("# nothing\n"), "--dry-run").document["changed"] is False


def test_the_layout_of_the_command_line_wins(install, refused, config):
    file = config('[store]\nlayout = "solaris"\n')
    assert [id for id, _ in refused("--config", file).errors] == ["layout"]
    assert install("--config", file, "--layout", "debian").status == 0


def test_an_anchor_that_the_same_file_distrusts(refused, config, authority, tmp_path):
    file = config(f'[store]\ndistrust = ["{authority.sha256}"]\n[[anchor]]\nfile = "ca.pem"\n')
    (tmp_path / "conf/ca.pem").write_bytes(authority.pem)
    assert refused("--config", file).errors == [("distrusted", f"{tmp_path / 'conf/ca.pem'}:1")]


def test_an_error_in_a_directory_of_certificates(install, refused, config, authority, tmp_path):
    file = config('[[anchor]]\nfile = "."\n')
    (tmp_path / "conf/a.pem").write_bytes(authority.pem)
    assert install("--config", file, "--dry-run").anchors == {"a": authority.sha256}
    (tmp_path / "conf/b.pem").write_bytes(b"")
    assert refused("--config", file).errors == [("no-certificate", f"{tmp_path}/conf/./b.pem")]


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        ('[[anchor]]\nname = "x"\n', 1, "anchor[0].file", "is missing"),
        ('[[anchor]]\nfile = "a"\n\n[[anchor]]\nfile = "b"\nnam = "x"\n', 6, "anchor[1].nam", 'did you mean "name"?'),
        ('[[anchor]]\nfile = "a"\n\n[[anchor]]\nfile = 7\n', 5, "anchor[1].file", "must be a non-empty string"),
        ('[[anchor]]\nfile = ""\n', 2, "anchor[0].file", "must be a non-empty string"),
        ('[[anchor]]\nfile = "a\\u0000b"\n', 2, "anchor[0].file", "must be a non-empty string"),
        ('[[anchor]]\nfile = "a"\nname = []\n', 3, "anchor[0].name", "a safe file name"),
        *(
            (f'[[anchor]]\nfile = "a"\nname = "{name}"\n', 3, "anchor[0].name", "a safe file name")
            for name in ("", "../x", "a b", ".hidden", "-rf", "a/b", "ä", "a\\nb", "x" * 201)
        ),
        ('[[anchor]]\nfile = "a"\nsha256 = "abc"\n', 3, "anchor[0].sha256", "64 hex digits"),
        ('[[anchor]]\nfile = "a"\nsha256 = 1\n', 3, "anchor[0].sha256", "64 hex digits"),
        ('[[anchor]]\nfile = "a"\nreplace = "yes"\n', 3, "anchor[0].replace", "true or false"),
        ('[[anchor]]\nfile = "a"\nreplace = 1\n', 3, "anchor[0].replace", "true or false"),
        ('[[anchor]]\nfile = "a"\nallow = "expired"\n', 3, "anchor[0].allow", "a list"),
        ('[[anchor]]\nfile = "a"\nallow = ["all"]\n', 3, "anchor[0].allow", '"expired"'),
        ('[anchor]\nfile = "a"\n', 1, "anchor", "[[anchor]]"),
        ("anchor = [1]\n", 1, "anchor[0]", "must be a table"),
        ('anchor = [{file = "a", fil = "b"}]\n', 1, "anchor[0].fil", 'did you mean "file"?'),
        ('[store]\nlayouts = "debian"\n', 2, "store.layouts", 'did you mean "layout"?'),
        ("[store]\nlayout = true\n", 2, "store.layout", "a non-empty string"),
        ('[store]\nbase = "all"\n', 2, "store.base", '"keep" or "none"'),
        ('[store]\ndistrust = "x"\n', 2, "store.distrust", "a list"),
        ('[store]\ndistrust = ["x"]\n', 2, "store.distrust", "neither an incident nor a root"),
        ('[store]\ndistrust = ["CVE-2026-11194"]\n', 2, "store.distrust", 'did you mean "CVE-2026-111943"'),
        ('[store]\ndistrust = ["sha256:x"]\n', 2, "store.distrust", "64 hex digits"),
        ('[store]\ndistrust = ["spki:1234"]\n', 2, "store.distrust", "64 hex digits"),
        ('[store]\ndistrust = ["file:none.pem"]\n', 2, "store.distrust", "No such file"),
        ('[store]\nprogram = "chrome"\n', 2, "store.program", '"mozilla"'),
        ('[policy]\nallow_only = ["CVE-2026-11194"]\n', 2, "policy.allow_only", "CVE-2026-111943"),
        ("store = 1\n", 1, "store", "must be a table"),
        ('[policy]\nmin_rsa_bits = "2048"\n', 2, "policy.min_rsa_bits", "whole number"),
        ("[policy]\nmin_rsa_bits = -1\n", 2, "policy.min_rsa_bits", "whole number"),
        ("[policy]\nmin_rsa_bits = true\n", 2, "policy.min_rsa_bits", "whole number"),
        ("[policy]\nmin_days_left = 1.5\n", 2, "policy.min_days_left", "whole number"),
        ('[policy]\nrequire_ca = "true"\n', 2, "policy.require_ca", "true or false"),
        ("[policy]\nstrict = 0\n", 2, "policy.strict", "true or false"),
        ("[policy]\nforbid = [1]\n", 2, "policy.forbid", "a non-empty string"),
        ("[policy]\n\nzzz = 1\n", 3, "policy.zzz", "min_rsa_bits"),
        ('[[cloud]]\nprofile = "x"\n', 1, "cloud[0].kind", "is missing"),
        ('[[cloud]]\nkind = "gcp"\n', 2, "cloud[0].kind", '"c8y" or "aws" or "az"'),
        ("[[cloud]]\nkind = []\n", 2, "cloud[0].kind", '"c8y" or "aws" or "az"'),
        ('[[cloud]]\nkind = "c8y"\nprofile = 1\n', 3, "cloud[0].profile", "a non-empty string"),
        ('[[cloud]]\nkind = "c8y"\nroot_cert_path = 1\n', 3, "cloud[0].root_cert_path", "a non-empty string"),
        ('[[cloud]]\nkind = "c8y"\nat_run_time = 1\n', 3, "cloud[0].at_run_time", "true or false"),
        ("\n\n[anchors]\n", 3, "anchors", 'did you mean "anchor"?'),
        ("zzz = 1\n", 1, "zzz", "store, anchor, policy, cloud"),
        ('"store"."lay out" = 1\n', 1, "store.lay out", 'did you mean "layout"?'),
    ],
)
def test_a_mistake_is_said_with_its_key_and_its_line(refused, config, text, line, key, says):
    file = config(text)
    result = refused("--config", file)
    assert result.errors == [("config", f"{file}:{line}")]
    (error,) = result.document["errors"]
    assert error["message"].startswith((f"{key} ", f"unknown key {key}"))
    assert says in f"{error['message']} {error['hint']}"


def test_all_errors_of_a_config_are_reported_at_once(refused, config):
    file = config('[stor]\n[policy]\nstrict = 1\n[[anchor]]\n[[cloud]]\nkind = "x"\n')
    lines = [path.rpartition(":")[2] for _, path in refused("--config", file).errors]
    assert sorted(lines) == ["1", "3", "4", "6"]


def test_a_file_that_is_missing_is_said_with_its_key_and_line(refused, config, authority, tmp_path):
    file = config('[[anchor]]\nfile = "a.pem"\n\n[[anchor]]\nname = "x"\nfile = "none.pem"\n')
    (tmp_path / "conf/a.pem").write_bytes(authority.pem)
    result = refused("--config", file)
    assert result.errors == [("unreadable", f"{file}:6")]
    message = result.document["errors"][0]["message"]
    assert message.startswith("anchor[1].file ") and "No such file" in message


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('[[cloud]]\nkind = "c8y"\nprofile = "a b"\n', 3, "a b"),
        (
            '[[cloud]]\nkind = "az"\n\n[[cloud]]\nkind = "c8y"\nroot_cert_path = "etc/ssl/certs"\n',
            6,
            "not an absolute path",
        ),
    ],
)
def test_a_cloud_that_makes_no_sense_is_said_with_its_key(refused, config, text, line, says):
    file = config(text)
    (error,) = refused("--config", file).document["errors"]
    assert error["path"].startswith(f"{file}:")
    assert error["message"].startswith("cloud[") and says in error["message"]


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"[store\n", "line 1"), (b"a = 1\na = 2\n", "line 2"), (b'a = "\xff"', "UTF-8"), (b"x = " + b"[" * 5000, "")],
)
def test_malformed_toml_is_refused(refused, tmp_path, data, says):
    (tmp_path / "trust.toml").write_bytes(data)
    result = refused("--config", tmp_path / "trust.toml")
    assert result.errors == [("config", str(tmp_path / "trust.toml"))]
    assert says in result.document["errors"][0]["message"]


@pytest.mark.parametrize("name", ["none.toml", "."])
def test_a_config_that_cannot_be_read(refused, tmp_path, name):
    assert refused("--config", tmp_path / name).errors == [("config", str(tmp_path / name))]


def test_roots_for_clouds_come_from_a_file_beside_the_config(refused, config, authority):
    # Without any root there would be no hash links, so that the setting of the cloud is refused, too.
    file = config('[store]\nbase = "none"\nroots = "bundle.pem"\n[[cloud]]\nkind = "az"\n')
    assert [each[0] for each in refused("--config", file).errors] == [
        "unreadable",
        "preset",
        "preset",
        "thin-edge-setting",
    ]
    (file.parent / "bundle.pem").write_bytes(authority.pem)
    assert [each[0] for each in refused("--config", file).errors] == ["preset", "preset", "thin-edge-setting"]
