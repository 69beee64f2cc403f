"""Whatever the file looks like: the edited text means what it should, or it is refused."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootfs_trust.agents.toml_edit import edited, parse
from rootfs_trust.errors import InputError

WRITTEN = {"config.version": "2", "c8y.root_cert_path": "/e", "c8y.profiles.x.proxy.ca_path": "/e"}
RENAMES = {"mqtt.port": "mqtt.bind.port", "mqtt.client_auth.cert_file": "mqtt.client.auth.cert_file"}
LINES = [
    "[c8y]",
    "[c8y.proxy]",
    "[c8y.profiles.x]",
    "[c8y.profiles]",
    "[[c8y]]",
    "[mqtt]",
    "[mqtt.client_auth]",
    "[other]",
    "# a comment",
    "",
    'url = "x"',
    "port = 1  # one",
    'cert_file = "/c"',
    "proxy.bind.port = 8001",
    'c8y.url = "x"',
    "mqtt.bind.address = 1",
    "profiles = { x = { a = 1 } }",
    "c8y = 5",
    'root_cert_path = """\n/old"""',
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=9), st.sampled_from(["\n", "\r\n"]))
def test_any_file(lines, newline):
    text = newline.join(lines) + newline
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    renames = {old: new for old, new in RENAMES.items() if old in flat(before)}
    try:
        result = edited(text, "/x.toml", renames, "mqtt.client_auth", WRITTEN)
    except InputError as error:
        assert "cannot be edited safely" in str(error)
        return
    after = flat(tomllib.loads(result))
    kept = {key: value for key, value in flat(before).items() if key not in renames}
    moved = {new: flat(before)[old] for old, new in renames.items()}
    for key, value in {**kept, **moved, **WRITTEN}.items():
        if key not in WRITTEN or value == WRITTEN[key]:
            assert after[key] == value
    assert set(after) == {*kept, *moved, *WRITTEN}
    assert [line for line in result.splitlines() if line.startswith("#")] == ["# a comment"] * lines.count(
        "# a comment"
    )


def flat(table, prefix=""):
    found = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


@pytest.mark.parametrize("text", ["[mqtt]\n[mqtt.client_auth]\n", "x = 1\n"])
def test_the_emptied_table_goes_only_with_a_rename(text):
    assert "client_auth" not in text or "client_auth" in edited(text, "/x", {}, "mqtt.client_auth", {"a.b": "c"})


def test_without_tomlkit_the_package_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "tomlkit", None)
    with pytest.raises(InputError, match=r"/x\.toml: has to be edited, .* tomlkit .*python3-tomlkit") as error:
        edited("a = 1\n", "/x.toml", {}, "e", {"b": "c"})
    assert error.value.troubles[0].id == "missing-package"


def test_without_jinja2_the_package_is_named(monkeypatch):
    import sys

    from rootfs_trust.agents.template import render

    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(InputError, match=r"have to be rendered, .* jinja2 .*python3-jinja2"):
        render({"az.root_cert_path": "/x"})


def test_what_tomlkit_cannot_read_is_refused_not_raised(monkeypatch):
    import tomlkit
    from tomlkit.exceptions import ParseError

    def refuse(_):
        raise ParseError(1, 1)

    monkeypatch.setattr(tomlkit, "parse", refuse)
    with pytest.raises(InputError, match=r"/x\.toml: cannot be edited safely"):
        edited("a = 1\n", "/x.toml", {}, "e", {"b": "c"})


def test_an_edit_that_would_mean_something_else_is_refused(monkeypatch):
    import tomlkit

    monkeypatch.setattr(tomlkit, "dumps", lambda _: "a = 2\n")
    with pytest.raises(InputError, match="would not mean what it should"):
        edited("a = 1\n", "/x.toml", {}, "e", {"b": "c"})


def test_parse_names_the_file_and_the_line():
    with pytest.raises(InputError, match=r"/x\.toml: is not valid TOML: .*line 2"):
        parse("a = 1\nb\n", "/x.toml")
