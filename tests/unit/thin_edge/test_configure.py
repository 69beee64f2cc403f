"""thin-edge.io's settings: what is written, where, and what is refused. On a tree in memory."""

from __future__ import annotations

import tomllib
from itertools import product

import pytest

from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import Absent, Directory, File, Owner, Symlink
from rootfs_trust.store.store_plan import StorePlan
from rootfs_trust.thin_edge.configure import thin_edge
from rootfs_trust.thin_edge.key_renames import RENAMES
from rootfs_trust.thin_edge.trust_settings import KINDS, OF_USERS, cloud_settings, parse_setting
from tests.support.memory import MemoryTree

TOML = "/etc/tedge/tedge.toml"
CERTS = "/etc/ssl/certs"
STORE = {
    f"{CERTS}/ca-certificates.crt": File(b"bundle"),
    f"{CERTS}/ca.pem": Symlink("/usr/local/share/ca-certificates/ca.crt"),
    "/usr/local/share/ca-certificates/ca.crt": File(b"ca"),
    f"{CERTS}/0123abcd.0": Symlink("ca.pem"),
}
"""What a run is about to write."""
PASSWD = {"/etc/passwd": File(b"root:x:0:0::/:/bin/sh\ntedge:x:951:950::/home/tedge:/sbin/nologin\n")}


def ask(entries=None, *, clouds=(), settings=(), at_run_time=(), store=STORE) -> StorePlan:
    wanted = [each for cloud in clouds for each in cloud_settings(cloud, CERTS)]
    wanted += [parse_setting(text) for text in settings]
    wanted += [parse_setting(text, at_run_time=True) for text in at_run_time]
    return thin_edge(Device(MemoryTree({**PASSWD, **(entries or {})})), wanted, store)


def written(answer: StorePlan, path: str = TOML) -> str:
    assert (answer.problems, answer.conflicts) == ([], [])
    return answer.desired[path].content.decode()


def edit(text: str, **asked) -> str:
    return written(ask({TOML: File(text.encode())}, **asked))


def refusal(text: str | bytes, **asked) -> str:
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(InputError) as error:
        ask({TOML: File(data)}, **asked)
    (problem,) = error.value.problems
    assert (problem.id, problem.path, bool(problem.hint)) == ("thin-edge-toml", TOML, True)
    return problem.message


# -- a new file --------------------------------------------------------------------------------------------


def test_without_settings_nothing_is_written():
    for entries in ({}, {TOML: File(b"this is not TOML [")}):
        answer = ask(entries)
        assert (answer.desired, answer.problems, answer.warnings, answer.conflicts) == ({}, [], [], [])


@pytest.mark.parametrize(
    ("cloud", "table"),
    [
        ("c8y", {"c8y": {"root_cert_path": CERTS, "proxy": {"ca_path": CERTS}}}),
        ("aws", {"aws": {"root_cert_path": CERTS}}),
        ("az", {"az": {"root_cert_path": CERTS}}),
        ("c8y@Edge_1-x", {"c8y": {"profiles": {"edge_1-x": {"root_cert_path": CERTS, "proxy": {"ca_path": CERTS}}}}}),
        ("aws@2", {"aws": {"profiles": {"2": {"root_cert_path": CERTS}}}}),
    ],
)
def test_each_cloud(cloud, table):
    text = written(ask(clouds=[cloud]))
    assert tomllib.loads(text) == {"config": {"version": "2"}, **table}


def test_clouds_and_profiles_together():
    document = tomllib.loads(written(ask(clouds=["az@x", "c8y", "az", "c8y@edge", "aws"])))
    assert document == {
        "config": {"version": "2"},
        "c8y": {
            "root_cert_path": CERTS,
            "proxy": {"ca_path": CERTS},
            "profiles": {"edge": {"root_cert_path": CERTS, "proxy": {"ca_path": CERTS}}},
        },
        "az": {"root_cert_path": CERTS, "profiles": {"x": {"root_cert_path": CERTS}}},
        "aws": {"root_cert_path": CERTS},
    }


def test_the_comment_explains_the_double_meaning_of_the_proxys_path():
    text = written(ask(clouds=["c8y"]))
    comment = " ".join(line for line in text.splitlines() if line.startswith("#"))
    assert "demands client certificates" in comment and "root_cert_path" in comment
    assert all(len(line) <= 120 for line in text.splitlines())
    assert text.endswith("\n") and not text.endswith("\n\n")


def test_a_new_file_belongs_to_the_roots_own_tedge_user():
    answer = ask(clouds=["c8y"])
    owner = Owner(951, 950)
    assert answer.desired["/etc/tedge"] == Directory(owner)
    assert (answer.desired[TOML].owner, answer.desired[TOML].mode) == (owner, 0o644)
    assert answer.warnings == []


@pytest.mark.parametrize(
    "passwd",
    [
        None,
        b"",
        b"root:x:0:0::/:/bin/sh\n",
        b"xtedge:x:1:1::/:\n",
        b"tedge:x:951\n",
        b"tedge:x:one:950::/:\n",
        "tedge:x:²:950::/:\n".encode(),
        b"tedge:x:-1:950::/:\n",
        b"tedge:x:4294967295:950::/:\n",
        b"tedge:x:99999999999999999999:950::/:\n",
        b"tedge:x:951:" + b"9" * 5000 + b"::/:\n",
        b"\xff\xfe\n\n::::\n",
    ],
)
def test_a_missing_tedge_user_is_a_warning(passwd):
    answer = ask({"/etc/passwd": File(passwd) if passwd is not None else Directory()}, clouds=["az"])
    assert answer.desired[TOML].owner is None
    assert [(each.id, each.path) for each in answer.warnings] == [("no-tedge-user", TOML)]


# -- settings of the command line --------------------------------------------------------------------------

EXISTING = {"/data/hashed/0a1b2c3d.0": File(b""), "/data/plain/x": File(b""), "/data/file.pem": File(b"")}
PLACES = {"hashed": "/data/hashed", "folder": "/data/plain", "file": "/data/file.pem", "none": "/data/none"}
TAKES = {
    "c8y.root_cert_path": {"hashed", "file"},
    "aws.root_cert_path": {"hashed", "file"},
    "az.root_cert_path": {"hashed", "file"},
    "c8y.proxy.ca_path": {"hashed", "folder"},
    "http.ca_path": {"hashed", "folder"},
    "mqtt.client.auth.ca_file": {"file"},
    "mqtt.client.auth.ca_dir": {"hashed", "folder"},
    "mqtt.external.ca_path": {"hashed"},
}
SAYS = {
    "none": "will not be in",
    "file": "is a file",
    "hashed": "is a directory",
    "folder": ("has no hash", "is a directory"),
}


def test_every_setting_is_in_the_table():
    assert {*TAKES, OF_USERS} == set(KINDS)


@pytest.mark.parametrize(("key", "place"), list(product(TAKES, PLACES)))
def test_each_setting_accepts_the_same_kinds_of_path_as_thin_edge(key, place):
    path = PLACES[place]
    answer = ask(EXISTING, settings=[f"{key}={path}"])
    if place in TAKES[key]:
        value = tomllib.loads(written(answer))
        for part in key.split("."):
            value = value[part]
        assert value == path
        return
    (problem,) = answer.problems
    assert (problem.id, problem.path) == ("thin-edge-setting", "")
    assert problem.message.startswith(f"{key}: {path} ") and problem.hint
    says = SAYS[place] if isinstance(SAYS[place], tuple) else (SAYS[place],)
    assert any(each in problem.message for each in says)
    later = ask(EXISTING, at_run_time=[f"{key}={path}"])
    assert [(each.id, each.message) for each in later.warnings] == [("thin-edge-setting", problem.message)]
    assert path in written(later)


@pytest.mark.parametrize(
    ("version", "takes"), [("1.4.1", False), ("2.0.1", False), ("2.0.2", True), ("2.1.0~rc1", True)]
)
def test_a_newer_thin_edge_takes_a_file_for_the_external_listener(version, takes):
    status = f"Package: tedge\nStatus: install ok installed\nVersion: {version}\n\n".encode()
    entries = {**EXISTING, "/var/lib/dpkg/status": File(status)}
    answer = ask(entries, settings=["mqtt.external.ca_path=/data/file.pem"])
    assert bool(answer.problems) is not takes
    assert takes or "accepts here only after 2.0.1" in answer.problems[0].message


def test_a_setting_of_a_profile_takes_what_that_of_the_cloud_takes():
    good = tomllib.loads(written(ask(EXISTING, settings=["c8y.profiles.Edge.proxy.ca_path=/data/plain"])))
    assert good["c8y"] == {"profiles": {"edge": {"proxy": {"ca_path": "/data/plain"}}}}
    (problem,) = ask(EXISTING, settings=["az.profiles.x.root_cert_path=/data/plain"]).problems
    assert "no hash links" in problem.message


def test_rustls_needs_no_hash_links_where_the_bridge_is_built_in():
    def asked(built_in: str, key: str) -> list[str]:
        text = f'[config]\nversion = "2"\n[mqtt.bridge]\nbuilt_in = {built_in}\n'
        answer = ask({**EXISTING, TOML: File(text.encode())}, settings=[f"{key}=/data/plain"])
        return [problem.message for problem in answer.problems]

    assert asked("true", "c8y.root_cert_path") == []
    assert len(asked("false", "c8y.root_cert_path")) == 1
    assert len(asked('"true"', "c8y.root_cert_path")) == 1
    # It is mosquitto that reads this one, whatever the bridge is.
    assert len(asked("true", "mqtt.external.ca_path")) == 1


def test_dangling_hash_links_do_not_count():
    entries = {"/data/x/0a1b2c3d.0": Symlink("gone.pem"), "/data/x/notes.0": File(b""), "/data/x/0A1B2C3D.0": File(b"")}
    (problem,) = ask(entries, settings=["az.root_cert_path=/data/x"]).problems
    assert "no hash links" in problem.message
    assert ask({**entries, "/data/x/gone.pem": File(b"")}, settings=["az.root_cert_path=/data/x"]).problems == []


@pytest.mark.parametrize(
    ("path", "store", "fine"),
    [
        (f"{CERTS}/ca-certificates.crt", {}, True),
        (f"{CERTS}/ca.pem", {}, True),
        (f"{CERTS}/0123abcd.0", {}, True),
        (f"{CERTS}", {}, True),
        ("/usr/local/share/ca-certificates/ca.crt", {}, True),
        ("/usr/lib/ssl/certs", {"/usr/lib/ssl/certs": Symlink("/etc/ssl/certs")}, True),
        ("/etc/ssl", {}, False),
        (f"{CERTS}/gone.pem", {f"{CERTS}/gone.pem": Absent()}, False),
        (f"{CERTS}/nowhere.pem", {f"{CERTS}/nowhere.pem": Symlink("/none")}, False),
    ],
)
def test_settings_are_checked_against_the_planned_tree(path, store, fine):
    entries = {f"{CERTS}/gone.pem": File(b""), f"{CERTS}/nowhere.pem": File(b"")}
    answer = ask(entries, settings=[f"c8y.root_cert_path={path}"], store={**STORE, **store})
    assert (answer.problems == []) is fine


def test_hash_links_that_the_run_removes_do_not_count():
    entries = {f"{CERTS}/0123abcd.0": Symlink("x"), f"{CERTS}/x": File(b"")}
    store = {f"{CERTS}/0123abcd.0": Absent()}
    (problem,) = ask(entries, settings=[f"c8y.root_cert_path={CERTS}"], store=store).problems
    assert "no hash links" in problem.message


def test_a_directory_that_is_a_link_elsewhere():
    entries = {"/etc/ssl": Symlink("/data/ssl"), "/data/ssl/certs/x": File(b"")}
    assert written(ask(entries, clouds=["az"]))
    assert written(ask(entries, settings=["az.root_cert_path=/data/ssl/certs"]))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("c8y.root_cert_pth=/x", 'did you mean "c8y.root_cert_path"?'),
        ("c8y.profiles.edge.root_cert_pth=/x", 'did you mean "c8y.root_cert_path"?'),
        ("mqtt.external.ca_file=/x", 'did you mean "mqtt.external.ca_path"?'),
        ("zzz=/x", "settings: c8y.root_cert_path"),
        ("http.profiles.x.ca_path=/x", "not a trust setting"),
        ("c8y.profiles=/x", "not a trust setting"),
        ("c8y.profiles.root_cert_path=/x", "not a trust setting"),
        ("c8y.profiles..root_cert_path=/x", "is not a valid profile name"),
        ("c8y.profiles.--.root_cert_path=/x", "is not a valid profile name"),
        ("c8y.root_cert_path", "is not KEY=PATH"),
        ("c8y.root_cert_path=", "is not KEY=PATH"),
        ("=/x", "not a trust setting"),
        ("c8y.root_cert_path=x", "not an absolute path"),
        ("c8y.root_cert_path=/x\ny", "not an absolute path"),
        ("c8y.root_cert_path=/x\x7f", "not an absolute path"),
        ("c8y.root_cert_path=/x\udcff", "not an absolute path"),
    ],
)
@pytest.mark.parametrize("at_run_time", [False, True])
def test_a_setting_that_makes_no_sense(text, says, at_run_time):
    with pytest.raises(InputError) as error:
        parse_setting(text, at_run_time=at_run_time)
    (problem,) = error.value.problems
    assert says in str(problem) and problem.hint
    assert problem.id in ("thin-edge-setting", "cloud")


@pytest.mark.parametrize("cloud", ["", "gcp", "C8Y", "c8y@", "c8y@a b", "c8y@-", "c8y@é", "c8y@a.b", "@x", "azure"])
def test_a_cloud_that_makes_no_sense(cloud):
    with pytest.raises(InputError) as error:
        list(cloud_settings(cloud, CERTS))
    assert [problem.id for problem in error.value.problems] == ["cloud"]


def test_the_last_one_given_counts_and_an_explicit_one_before_all():
    asked = {"settings": ["c8y.root_cert_path=/data/file.pem", "c8y.proxy.ca_path=/none"]}
    answer = ask(EXISTING, clouds=["c8y"], **asked, at_run_time=["c8y.proxy.ca_path=/later"])
    assert tomllib.loads(written(answer))["c8y"] == {
        "root_cert_path": "/data/file.pem",
        "proxy": {"ca_path": "/later"},
    }


def test_explicit_settings_take_precedence_over_those_of_a_later_cloud():
    wanted = [parse_setting("az.root_cert_path=/data/file.pem"), *cloud_settings("az", CERTS)]
    answer = thin_edge(Device(MemoryTree({**PASSWD, **EXISTING})), wanted, STORE)
    assert tomllib.loads(written(answer))["az"] == {"root_cert_path": "/data/file.pem"}


def test_values_are_quoted():
    odd = '/data/a "b" \\ é'
    assert tomllib.loads(written(ask(at_run_time=[f"az.root_cert_path={odd}"])))["az"]["root_cert_path"] == odd
    edited = edit('[config]\nversion = "2"\n', at_run_time=[f"az.root_cert_path={odd}"])
    assert tomllib.loads(edited)["az"]["root_cert_path"] == odd


# -- a file that is there ----------------------------------------------------------------------------------

OWN = """\
# written by hand, with care
[device]   # this one
id = "x-1"
unknown_key = [ 1,2,
   3 ]  # kept

[c8y]
url = 'example.c8y.com'   # single quotes stay
root_cert_path = "/old"   # will change

[config]
version = "2"

[unknown.table]
a = 0x10
"""


def test_comments_order_and_unknown_keys_stay():
    answer = ask({TOML: File(OWN.encode())}, clouds=["c8y"])
    assert list(answer.desired) == [TOML]
    text = written(answer)
    expected = OWN.replace('"/old"', '"/etc/ssl/certs"')
    kept = [line for line in expected.splitlines() if line]
    assert [line for line in text.splitlines() if line in kept] == kept
    document = tomllib.loads(text)
    assert document["c8y"] == {
        "url": "example.c8y.com",
        "root_cert_path": CERTS,
        "proxy": {"ca_path": CERTS},
    }
    assert document["unknown"] == {"table": {"a": 16}}
    # Owner and mode of a file that is there are not ours to choose.
    assert answer.desired[TOML].owner is None and answer.warnings == []


def test_a_file_with_all_settings_is_unchanged():
    once = edit(OWN, clouds=["c8y", "az@x"])
    answer = ask({TOML: File(once.encode())}, clouds=["c8y", "az@x"])
    assert (answer.desired, answer.warnings) == ({}, [])


def test_line_ends_and_a_missing_last_one_stay():
    text = edit(OWN.replace("\n", "\r\n"), clouds=["c8y"])
    assert "\n" not in text.replace("\r\n", "")
    assert tomllib.loads(text)["c8y"]["proxy"] == {"ca_path": CERTS}
    mixed = "# a\r\n" + OWN
    assert edit(mixed, clouds=["c8y"]).startswith("# a\r\n# written by hand, with care\n")
    unfinished = edit('[config]\nversion = "2"\n[az]\nroot_cert_path = "/old"', clouds=["az"])
    assert unfinished == '[config]\nversion = "2"\n[az]\nroot_cert_path = "/etc/ssl/certs"'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        'c8y.root_cert_path = "/old"\n',
        'c8y = { root_cert_path = "/old" }\n',
        "[c8y]\nproxy = { bind.port = 8001 }\n",
        '[c8y.proxy.bind]\nport = 8001\n[c8y]\nurl = "x"\n',
        '[c8y.profiles.other]\nurl = "x"\n',
        "[c8y]\n[c8y.profiles]\n",
        '["c8y"]\n"root_cert_path" = """/old"""\n',
        "[mqtt]\n[c8y.smartrest]\ntemplates = []\n[mqtt.bind]\nport = 1\n",
    ],
)
def test_whatever_way_the_file_is_written(text):
    asked = {"clouds": ["c8y", "c8y@edge"]}
    before, after = tomllib.loads(text), tomllib.loads(edit(text, **asked))
    assert after.pop("config") == {"version": "2"}
    for table in (after["c8y"], after["c8y"]["profiles"]["edge"]):
        assert table.pop("root_cert_path") == CERTS
        assert table["proxy"].pop("ca_path") == CERTS
    c8y = before.setdefault("c8y", {})
    c8y.pop("root_cert_path", None)
    c8y.setdefault("proxy", {})
    c8y.setdefault("profiles", {}).setdefault("edge", {}).setdefault("proxy", {})
    assert after == before
    assert ask({TOML: File(edit(text, **asked).encode())}, **asked).desired == {}


@pytest.mark.parametrize(
    "text", ['c8y = "text"\n', "[[c8y]]\nurl = 1\n", "c8y = [1]\n", "[c8y]\nproxy = 7\n", "[c8y]\nprofiles = []\n"]
)
def test_a_shape_in_which_the_key_has_no_place(text):
    assert "cannot be edited safely" in refusal(text, clouds=["c8y@x", "c8y"])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"[c8y\n", "line 1"),
        (b"\n\na = \n", "line 3"),
        (b"a = 1\na = 2\n", "line 2"),
        (b'a = "\xff"\n', "UTF-8"),
        (b"a = " + b"[" * 3000, "not valid TOML"),
        (b"\xef\xbb\xbfa = 1\n", "line 1"),
    ],
)
def test_malformed_toml_is_refused(data, says):
    assert says in refusal(data, clouds=["az"])


# -- the version -------------------------------------------------------------------------------------------


def old_document() -> str:
    """Every key of version 1, each with its own value."""
    return "".join(f'{old} = "value {number}"\n' for number, old in enumerate(RENAMES))


def flat(table, prefix=""):
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


@pytest.mark.parametrize("version", ["", '[config]\nversion = "1"\n'])
def test_all_names_of_version_1_are_taken_to_version_2(version):
    text = edit(old_document() + 'run.lock_files = "stays"\n' + version, clouds=["az"])
    found = dict(flat(tomllib.loads(text)))
    assert found == {
        **{new: f"value {number}" for number, new in enumerate(RENAMES.values())},
        "run.lock_files": "stays",
        "config.version": "2",
        "az.root_cert_path": CERTS,
    }
    assert "client_auth" not in text
    assert ask({TOML: File(text.encode())}, clouds=["az"]).desired == {}


def test_the_table_of_renames_is_thin_edges():
    """facts/thin-edge.md, from tedge_config.rs of 1.4.1 and 2.0.1."""
    facts = """
        mqtt.port mqtt.bind.port, mqtt.bind_address mqtt.bind.address, mqtt.client_host mqtt.client.host,
        mqtt.client_port mqtt.client.port, mqtt.client_ca_file mqtt.client.auth.ca_file,
        mqtt.client_ca_path mqtt.client.auth.ca_dir, mqtt.client_auth.cert_file mqtt.client.auth.cert_file,
        mqtt.client_auth.key_file mqtt.client.auth.key_file, mqtt.external_port mqtt.external.bind.port,
        mqtt.external_bind_address mqtt.external.bind.address,
        mqtt.external_bind_interface mqtt.external.bind.interface, mqtt.external_capath mqtt.external.ca_path,
        mqtt.external_certfile mqtt.external.cert_file, mqtt.external_keyfile mqtt.external.key_file,
        az.mapper_timestamp az.mapper.timestamp, aws.mapper_timestamp aws.mapper.timestamp,
        http.port http.bind.port, http.bind_address http.bind.address,
        software.default_plugin_type software.plugin.default,
        firmware.child_update_timeout firmware.child.update.timeout,
        c8y.smartrest_templates c8y.smartrest.templates
    """
    assert dict(pair.split() for pair in facts.split(",")) == RENAMES


def test_a_table_with_headers_keeps_its_comments_when_it_is_taken_to_version_2():
    text = edit(
        '# mine\n[mqtt]\nport = 1883  # the broker\n\n[mqtt.client_auth]\ncert_file = "/c"\nother = 1\n', clouds=["az"]
    )
    assert text.startswith("# mine\n[mqtt]\n")
    document = tomllib.loads(text)
    assert document["mqtt"] == {
        "bind": {"port": 1883},
        "client": {"auth": {"cert_file": "/c"}},
        "client_auth": {"other": 1},
    }


def test_a_rename_whose_new_name_is_taken_is_refused_as_thin_edge_does():
    message = refusal("[mqtt]\nport = 1\nbind.port = 2\n", clouds=["az"])
    assert "mqtt.port" in message and "mqtt.bind.port" in message


@pytest.mark.parametrize("version", ["2", "3", "17"])
def test_a_newer_version_is_kept_and_nothing_renamed(version):
    text = edit(f'[mqtt]\nport = 7\n[config]\nversion = "{version}"\n', clouds=["az"])
    document = tomllib.loads(text)
    assert (document["config"], document["mqtt"]) == ({"version": version}, {"port": 7})


@pytest.mark.parametrize("value", ["2", "2.0", "true", '["2"]', "{}"])
def test_a_version_that_is_not_text_is_refused(value):
    assert "config.version" in refusal(f"[config]\nversion = {value}\n", clouds=["az"])


# -- the proxy's ca_path -----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["c8y", "c8y.profiles.edge"])
def test_an_implied_ca_path_gives_way_where_the_proxy_serves_tls(table):
    cloud = "c8y@edge" if "." in table else "c8y"
    text = f'[config]\nversion = "2"\n[{table}.proxy]\ncert_path = "/c"\nkey_path = "/k"\n'
    answer = ask({TOML: File(text.encode())}, clouds=[cloud])
    assert f'ca_path = "{CERTS}"' not in written(answer).replace("root_cert_path", "")
    (warning,) = answer.warnings
    assert (warning.id, warning.path) == ("proxy-ca-path", TOML)
    assert f"{table}.proxy.ca_path" in warning.message and "client certificates" in warning.message
    explicit = ask({TOML: File(text.encode())}, clouds=[cloud], settings=[f"{table}.proxy.ca_path={CERTS}"])
    assert explicit.warnings == []
    assert dict(flat(tomllib.loads(written(explicit))))[f"{table}.proxy.ca_path"] == CERTS


@pytest.mark.parametrize("only", ["cert_path", "key_path"])
def test_proxy_tls_needs_both_certificate_and_key(only):
    text = f'[config]\nversion = "2"\n[c8y.proxy]\n{only} = "/c"\n'
    document = tomllib.loads(edit(text, clouds=["c8y"]))
    assert document["c8y"]["proxy"] == {only: "/c", "ca_path": CERTS}


def test_a_profile_is_not_judged_by_another_ones_proxy():
    text = '[config]\nversion = "2"\n[c8y.proxy]\ncert_path = "/c"\nkey_path = "/k"\n'
    document = tomllib.loads(edit(text, clouds=["c8y@edge"]))
    assert document["c8y"]["profiles"]["edge"]["proxy"] == {"ca_path": CERTS}


# -- where the file stands ---------------------------------------------------------------------------------


def test_a_link_is_edited_at_its_end():
    entries = {TOML: Symlink("/data/tedge/tedge.toml"), "/data/tedge/tedge.toml": File(OWN.encode())}
    answer = ask(entries, clouds=["az"])
    assert list(answer.desired) == ["/data/tedge/tedge.toml"]
    assert CERTS in written(answer, "/data/tedge/tedge.toml")


def test_a_link_to_a_volume_is_a_conflict():
    answer = ask({TOML: Symlink("/data/tedge/tedge.toml")}, clouds=["az"])
    assert answer.desired == {}
    assert [(each.id, each.path) for each in answer.conflicts] == [("conflict", TOML)]
