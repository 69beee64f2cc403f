"""Whatever the file looks like: the edited text means what it should, or it is refused."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootfs_trust.errors import InputError
from rootfs_trust.rendering.packaged_templates import as_toml
from rootfs_trust.toml_editor import inline_tables, insertion_points
from rootfs_trust.toml_editor.edit import edited, parse

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


def test_without_jinja2_the_package_is_named(monkeypatch):
    import sys

    from rootfs_trust.thin_edge.new_file import render

    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(InputError, match=r"have to be rendered, .* jinja2 .*python3-jinja2"):
        render({"az.root_cert_path": "/x"})


@pytest.mark.parametrize("wrong", ["{ a = 2 }", "{ c = 'd' } =", "{ a = [1], c = 'd' }"])
def test_an_edit_that_changes_the_meaning_is_refused(monkeypatch, wrong):
    """It means something else, it is no TOML, or it has lost the comment."""
    monkeypatch.setattr(insertion_points, "assigned", lambda *_: wrong)
    with pytest.raises(InputError, match=r"there is no place for b\.c"):
        edited("b = { a = [1 # x\n] }\n", "/x.toml", {}, "e", {"b.c": "d"})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\n[c8y]\nroot_cert_path = 5\n", "c8y.root_cert_path is not a string (line 3)"),
        ("\n[c8y]\n# x\nroot_cert_path = [\n'a',\n]\n", "c8y.root_cert_path is not a string (line 4)"),
        ("[c8y.root_cert_path]\n", "c8y.root_cert_path is not a string (line 1)"),
        ("[x]\n[[c8y]]\n", "c8y is not a table (line 2)"),
        ("c8y = 5\n", "c8y is not a table (line 1)"),
        ("[other]\n[c8y.root_cert_path.x]\n", "c8y.root_cert_path is not a string (line 2)"),
    ],
)
def test_a_wrong_type_is_named_with_its_line(text, says):
    with pytest.raises(InputError) as error:
        edited(text, "/x.toml", {}, "e", {"c8y.root_cert_path": "/e"})
    assert says in str(error.value)


def test_a_name_that_is_taken_is_refused():
    with pytest.raises(InputError, match=r"mqtt\.bind\.port already exists"):
        edited("[mqtt]\nport = 1\nbind.port = 2\n", "/x.toml", {"mqtt.port": "mqtt.bind.port"}, "mqtt.client_auth", {})


# -- where it goes -----------------------------------------------------------------------------------------

SET = {"c8y.root_cert_path": "/e", "c8y.proxy.ca_path": "/e"}
ROOT = 'root_cert_path = "/e"\n'
PROXY = '[c8y.proxy]\nca_path = "/e"\n'
PLACES = {
    "comments of the next table": (
        "[c8y]\nurl=1\n\n# about mqtt\n[mqtt]\n",
        f"[c8y]\nurl=1\n{ROOT}\n{PROXY}\n# about mqtt\n[mqtt]\n",
    ),
    "comments right above the next table": (
        "[c8y]\nurl=1\n# about mqtt\n[mqtt]\n",
        f"[c8y]\nurl=1\n{ROOT}\n{PROXY}\n# about mqtt\n[mqtt]\n",
    ),
    "comments of the table itself": (
        "[c8y]\nurl=1\n# url=2\n\n[mqtt]\n",
        f"[c8y]\nurl=1\n{ROOT}# url=2\n\n{PROXY}\n[mqtt]\n",
    ),
    "tables close together": ("[c8y]\nurl=1\n[mqtt]\n", f"[c8y]\nurl=1\n{ROOT}\n{PROXY}\n[mqtt]\n"),
    "an empty table": ("[c8y]\n\n[mqtt]\n", f"[c8y]\n{ROOT}\n{PROXY}\n[mqtt]\n"),
    "not a table": ("# mine\na=1\n", f"# mine\na=1\n\n[c8y]\n{ROOT}\n{PROXY}"),
    "an indented table": (
        "[mqtt]\n  [c8y]\n  url=1\n",
        f"[mqtt]\n  [c8y]\n  url=1\n  {ROOT}\n{PROXY}",
    ),
    "parts that stand apart": (
        "[c8y.proxy.bind]\nport=1\n[mqtt]\n[c8y]\nurl=1\n",
        f"[c8y.proxy.bind]\nport=1\n\n{PROXY}\n[mqtt]\n[c8y]\nurl=1\n{ROOT}",
    ),
    "dotted keys": (
        "c8y.url=1\n\n# x\na=2\n",
        f'c8y.url=1\nc8y.{ROOT}c8y.proxy.ca_path = "/e"\n\n# x\na=2\n',
    ),
    "dotted keys below a header": (
        "[c8y]\nproxy.bind.port=1\nurl=1 # x\n",
        f'[c8y]\nproxy.bind.port=1\nproxy.ca_path = "/e"\nurl=1 # x\n{ROOT}',
    ),
    "texts that look like headers": (
        "[c8y]\nurl='''\n[mqtt]\n# x'''\nx=[[\n# ]\n]]\n",
        f"[c8y]\nurl='''\n[mqtt]\n# x'''\nx=[[\n# ]\n]]\n{ROOT}\n{PROXY}",
    ),
    "said in another way": (f"[c8y]\nroot_cert_path='/e' #x\n{PROXY}", f"[c8y]\nroot_cert_path='/e' #x\n{PROXY}"),
}


@pytest.mark.parametrize("case", PLACES)
def test_where_a_new_key_goes(case):
    text, result = PLACES[case]
    assert edited(text, "/x", {}, "e", SET) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", ROOT),
        ("# mine\n", f"# mine\n\n{ROOT}"),
        ("# mine\n\n# its\n[device]\n", f"# mine\n\n{ROOT}\n# its\n[device]\n"),
        ("# its\n[device]\n", f"{ROOT}\n# its\n[device]\n"),
        ("a=1\n[device]\n", f"a=1\n{ROOT}[device]\n"),
    ],
)
def test_a_key_of_no_table_goes_above_the_first(text, result):
    assert edited(text, "/x", {}, "e", {"root_cert_path": "/e"}) == result


MOVES = {
    "in its place": ("[mqtt]\n# p\nport=1 # x\nz=1\n", "[mqtt]\n# p\nbind.port = 1  # x\nz=1\n"),
    "where the new table has a header": (
        "[mqtt.bind]\naddress=1\n\n# m\n[mqtt]\n# q\n\n# p\nport=1 # x\n",
        "[mqtt.bind]\naddress=1\n# p\nport = 1  # x\n\n# m\n[mqtt]\n# q\n\n",
    ),
    "with its header": (
        "# a\n[mqtt.client_auth] # h\n# c\ncert_file='c'\n",
        "# a\n[mqtt.client.auth] # h\n# c\ncert_file='c'\n",
    ),
    "out of a table that goes": (
        "[mqtt.client.auth]\nx=1\n# a\n[mqtt.client_auth] # h\n# c\ncert_file='c'\n# d\n",
        "[mqtt.client.auth]\nx=1\n# c\ncert_file = 'c'\n# a\n# h\n# d\n",
    ),
    "out of a table that stays": (
        "[mqtt.client_auth]\ncert_file='c'\nother=1\n",
        "[mqtt.client_auth]\nother=1\n\n[mqtt.client.auth]\ncert_file = 'c'\n",
    ),
    "inside an inline table": ("mqtt={port=1} # x\n", "mqtt={ bind.port = 1 } # x\n"),
    "out of an inline table": (
        "[mqtt]\nclient_auth={cert_file=true} # x\n[mqtt.client.auth]\n",
        "[mqtt]\n# x\n[mqtt.client.auth]\ncert_file = true\n",
    ),
    "into an inline table": (
        "[mqtt]\nbind={}\n# p\nport=1 # x\n",
        "[mqtt]\n# p\n# x\nbind={ port = 1 }\n",
    ),
}


@pytest.mark.parametrize("case", MOVES)
def test_where_a_renamed_key_goes(case):
    text, result = MOVES[case]
    renames = {old: new for old, new in RENAMES.items() if old in flat(tomllib.loads(text))}
    assert edited(text, "/x", renames, "mqtt.client_auth", {}) == result


def test_dotted_keys_inside_inline_tables():
    text = edited("c8y = { proxy.bind.port = 1 } # x\n", "/x", {}, "e", SET)
    assert text == 'c8y = { proxy.bind.port = 1, root_cert_path = "/e", proxy.ca_path = "/e" } # x\n'
    text = edited("mqtt={client_auth.cert_file=[{x=true}],port=0x1}\n", "/x", RENAMES, "mqtt.client_auth", {})
    assert text == "mqtt={ bind.port = 0x1, client.auth.cert_file = [{x=true}]}\n"


@pytest.mark.parametrize(
    ("value", "path", "result"),
    [
        ("5", "", "'n'"),
        ("{}", "a.b", "{ a.b = 'n' }"),
        ("{  }", "a", "{ a = 'n' }"),
        ("{a=1}", "a", "{a='n'}"),
        ("{a=1}", "b", "{a=1, b = 'n'}"),
        ('{ a = 1 , "b" . d =\t0x1 }', "b.d", "{ a = 1 , \"b\" . d =\t'n' }"),
        ("{ a = { b = [1, {c = 2}], d = ',}' } }", "a.d", "{ a = { b = [1, {c = 2}], d = 'n' } }"),
        ('{ a.b = { c = "\\"," }, e = "," }', "a.b.f", '{ a.b = { c = "\\",", f = \'n\' }, e = "," }'),
        ("{ a = [1, # x,\n 2], b = '''\n,''' }", "b", "{ a = [1, # x,\n 2], b = 'n' }"),
    ],
)
def test_what_is_not_edited_in_an_inline_table_keeps_its_spelling(value, path, result):
    assert inline_tables.assigned(value, tuple(path.split(".")) if path else (), "'n'") == result


@pytest.mark.parametrize(
    ("value", "path", "result", "taken"),
    [
        ("{a=1}", "a", "{}", "1"),
        ("{ a = 1, b = 2 }", "a", "{ b = 2 }", "1"),
        ("{ a = 1, b = 2 }", "b", "{ a = 1 }", "2"),
        ("{ a = {b.c = 'x', d = 2} }", "a.b.c", "{ a = { d = 2} }", "'x'"),
    ],
)
def test_what_is_removed_from_an_inline_table(value, path, result, taken):
    assert inline_tables.removed(value, tuple(path.split("."))) == (result, taken)


@pytest.mark.parametrize("value", ["5", "[{a = 1}]", "{}", "{ b = 1 }", "{ a = 5 }"])
def test_a_path_to_nothing(value):
    with pytest.raises(inline_tables.NoInlineTableError):
        inline_tables.removed(value, ("a", "b"))


@pytest.mark.parametrize("text", ["", 'a"b\\', "\x7f\x00\n\t", "ünï 🎈 \u2028"])
def test_a_quoted_text_reads_as_itself(text):
    assert tomllib.loads(f"a = {as_toml(text)}") == {"a": text}


def test_a_table_under_the_name_of_a_key_is_refused():
    with pytest.raises(InputError, match=r"there is no place for mqtt\.port \(line 2\)"):
        edited("[mqtt]\n[mqtt.port]\n", "/x", {"mqtt.port": "mqtt.bind.port"}, "mqtt.client_auth", {})


def test_parse_names_the_file_and_the_line():
    with pytest.raises(InputError, match=r"/x\.toml: is not valid TOML: .*line 2"):
        parse("a = 1\nb\n", "/x.toml")
