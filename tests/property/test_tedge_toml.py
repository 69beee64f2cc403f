"""Any valid tedge.toml, any settings: the edited file means what it should, and keeps all that was not to change.

Every pair has its own number in its value, every comment one in its text, so that each can be found again.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, assume, event, given, seed, settings
from hypothesis import strategies as st

from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import File
from rootfs_trust.store.store_plan import StorePlan
from rootfs_trust.thin_edge.configure import thin_edge
from rootfs_trust.thin_edge.key_renames import EMPTIED, RENAMES
from rootfs_trust.thin_edge.trust_settings import CLOUDS, KINDS, OF_USERS, Setting, parse_setting
from rootfs_trust.toml_editor.edit import edited
from tests.support.memory import MemoryTree

FILE = "/etc/tedge/tedge.toml"
MAPPER = "/etc/tedge/mappers/thingsboard/mapper.toml"
TREE = {"/etc/passwd": File(b"tedge:x:951:950::/:/bin/false\n")}

# What leaves there may be, besides the settings and the names of version 1.
OTHERS = (
    "c8y.url", "c8y.proxy.bind.port", "c8y.proxy.cert_path", "c8y.proxy.key_path", "c8y.profiles.edge.url",
    "c8y.profiles.edge.proxy.bind.port", "c8y.unknown key.x", "az.url", "az.mapper.other", "aws.topics",
    "mqtt.bridge.built_in", "mqtt.client_auth.other", "mqtt.client.other", "mqtt.client.auth.other", "mqtt.bind.other",
    "mqtt.external.bind.other", "device.id", "device.type", "unknown", "unknown table.a.b", "é.ü", "software.plugin.x",
    "firmware.child.x", "http.other", "config.other", "run.lock_files", "logs.path",
)  # fmt: skip
PROFILES = ("edge", "a-b_1")
TARGETS = [key for key in KINDS if key != OF_USERS]
TARGETS += [f"{cloud}.profiles.{name}.root_cert_path" for cloud in CLOUDS for name in PROFILES]
TARGETS += [f"c8y.profiles.{name}.proxy.ca_path" for name in PROFILES]
PLACES = ("/etc/ssl/certs", "/data/ca.pem", '/odd "quoted" \\ é', "/a#b=[c]")
# The place of the number is @, that of a line end ¶.
TEXTS = ('"@"', "'@'", '"""@"""', '"""¶@ # no comment¶""x\\"""""', "'''@ ''¶[x]'''", '"\\u0041 # @ \\\\"', '"@ = [{"')
SCALARS = (*TEXTS, "7@", "7_1@", "1@.5", "-1e@", "0xa@")
VALUES = (
    *SCALARS, "[ @ ]", "[¶  @, # %¶  'x', # % ]¶]", "[[1, 2], [@]]", "[{ a = @, b = 'x' }, {}]", "[¶¶@¶,¶]", "nan",
    "inf", "true", "2020-01-01T00:00:00Z", "07:32:00",
)  # fmt: skip
VERSIONS = (*[None] * 8, '"1"', '"1"', '"2"', "'2'", '"3"', "2")
COMMENTS = ("# %", "#%", '## % [c8y] = "', "# %\troot_cert_path = '''", '#%é """ {', "# % \\")


@dataclass
class Written:
    """The text as it grows, and which lines are directly above which key."""

    chance: Random
    newline: str
    number: int = 100
    above: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    inside: set[str] = field(default_factory=set)
    """What is in inline tables."""

    def numbered(self, text: str) -> str:
        """With its own number for each place that wants one."""
        self.number += 1
        while "%" in text:
            self.number += 1
            text = text.replace("%", f"c{self.number}c", 1)
        return text.replace("@", str(self.number)).replace("¶", self.newline)

    def comment(self) -> str:
        return self.numbered(self.chance.choice(COMMENTS))

    def key(self, *parts: str) -> str:
        dot = self.chance.choice((".", ".", ".", " . ", ".\t"))
        return dot.join(self.chance.choice(_spellings(part)) for part in parts)

    def value(self, values: tuple[str, ...] = VALUES) -> str:
        return self.numbered(self.chance.choice(values))

    def line(self, text: str, *, path: str = "") -> str:
        """With what may stand above and behind."""
        chance = self.chance
        lines = [chance.choice((self.comment(), "", "  ", "\t")) for _ in range(chance.choice((0, 0, 1, 2)))]
        if path and lines and "#" in lines[-1]:
            self.above[lines[-1]] = path
        behind = chance.choice(("", "", " ", "  "))
        behind += self.comment() if chance.random() < 0.25 else ""
        lines = [line if not line.startswith("#") else chance.choice(("", " ")) + line for line in lines]
        lines.append(chance.choice(("", "", "", "  ", "\t")) + text + behind)
        return "".join(line + self.newline for line in lines)


def _spellings(part: str) -> list[str]:
    quoted = [f'"{part}"', f"'{part}'"]
    return [*[part] * 8, *quoted] if re.fullmatch("[A-Za-z0-9_-]+", part) else quoted


def tree_of(paths: list[str]) -> dict[str, Any]:
    """Nested tables; a leaf is the dotted path itself."""
    tree: dict[str, Any] = {}
    for path in paths:
        *tables, name = path.split(".")
        table = tree
        for part in tables:
            below = table.setdefault(part, {})
            table = below if isinstance(below, dict) else {}
        table.setdefault(name, path)
    return tree


def section(out: Written, path: tuple[str, ...], table: dict[str, Any], version: str | None) -> tuple[str, list[str]]:
    """The lines below the header of ``path``, and the sections of its tables that get separate headers."""
    lines: list[str] = []
    sections: list[str] = []

    def pairs(start: tuple[str, ...], table: dict[str, Any], dotted: bool) -> None:
        for name, below in table.items():
            whole = (*start, name)
            key = out.key(*whole[len(path) :])
            if not isinstance(below, dict):
                lines.append(out.line(f"{key} = {leaf(out, below, version)}", path=below))
                continue
            style = out.chance.choice(("header", "header", "header", "dotted", "dotted", "inline"))
            if style == "inline":
                lines.append(out.line(f"{key}={inline(out, below, version)}"))
            elif style == "dotted" or dotted:
                pairs(whole, below, True)
            else:
                sections.extend(with_header(out, whole, below, version))

    pairs(path, table, False)
    out.chance.shuffle(lines)
    return "".join(lines), sections


def with_header(out: Written, path: tuple[str, ...], table: dict[str, Any], version: str | None) -> list[str]:
    lines, sections = section(out, path, table, version)
    if lines or not sections or out.chance.random() < 0.2:
        sections.append(out.line(f"[{out.key(*path)}]") + lines)
    return sections


def inline(out: Written, table: dict[str, Any], version: str | None) -> str:
    def pairs(table: dict[str, Any], *start: str) -> list[str]:
        found = []
        for name, below in table.items():
            if isinstance(below, dict) and out.chance.random() < 0.2:
                found += pairs(below, *start, name)
            else:
                value = inline(out, below, version) if isinstance(below, dict) else leaf(out, below, version)
                out.inside.update([below] if isinstance(below, str) else [])
                found.append(f"{out.key(*start, name)} = {value}")
        return found

    space = out.chance.choice(("", " "))
    return "{" + space + f", {space}".join(pairs(table)) + space + "}"


def leaf(out: Written, path: str, version: str | None) -> str:
    if path == "config.version" and version is not None:
        value = version
    else:
        # Settings are texts, but for a few that are refused.
        value = out.value(TEXTS if path in TARGETS and out.chance.random() < 0.97 else VALUES)
    out.values[path] = value
    return value


@dataclass(frozen=True)
class Case:
    text: str
    asked: list[Setting]
    out: Written


@st.composite
def cases(draw: st.DrawFn) -> Case:
    chance = Random(draw(st.integers(0, 2**32)))
    newline = draw(st.sampled_from(("\n", "\r\n")))
    version = draw(st.sampled_from(VERSIONS))
    names = draw(st.sampled_from(((*RENAMES, *OTHERS), OTHERS, tuple(TARGETS), (*RENAMES, *OTHERS, *TARGETS))))
    paths = draw(st.lists(st.sampled_from(names), max_size=12, unique=True))
    paths += ["config.version"] * (version is not None)
    paths += draw(st.sampled_from(([], [], [], [], [], ["c8y"], ["az.profiles"], ["mqtt.client"], ["config"])))
    chance.shuffle(paths)
    out = Written(chance, newline)
    lines, sections = section(out, (), tree_of(paths), version)
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
        sections.append(out.line("[[plugin]]") + out.line(f"a = {out.value()}") + out.line("[ plugin . b ]"))
    chance.shuffle(sections)
    text = (
        lines
        + "".join(sections)
        + draw(st.sampled_from(("", "", newline, f"# end{newline}", f"{newline}# end{newline}")))
    )
    text = text.removesuffix(newline) if draw(st.integers(0, 3)) == 0 else text
    keys = draw(st.lists(st.sampled_from(TARGETS), min_size=1, max_size=4, unique=True))
    asked = [parse_setting(f"{key}={draw(st.sampled_from(PLACES))}", at_run_time=True) for key in keys]
    return Case(text, asked, out)


# -- what has to come of it --------------------------------------------------------------------------------


class RefusedError(Exception):
    """With the words that the refusal has to have."""


def wanted(text: str, asked: list[Setting]) -> dict[str, Any]:
    """The parse afterwards, by the contract. Raises RefusedError."""
    data = read(text)
    version = found(data, "config.version")
    if version is not None and not isinstance(version, str):
        raise RefusedError("config.version")
    old = [name for name in RENAMES if found(data, name) is not None] if version in (None, "1") else []
    if any(found(data, RENAMES[name]) is not None for name in old):
        raise RefusedError("the old and the new name of one setting")
    values: dict[str, Any] = {RENAMES[name]: take(data, name) for name in old}
    if old and found(data, EMPTIED) == {}:
        take(data, EMPTIED)
    for name, value in values.items():
        put(data, name, value)
    if version in (None, "1"):
        put(data, "config.version", "2")
    for each in asked:
        if not isinstance(found(data, each.key) or "", str):
            raise RefusedError(f"{each.key} is not a string")
        put(data, each.key, each.path)
    return data


def read(text: str) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=lambda written: (written,))


def found(data: dict[str, Any], path: str) -> Any:
    value: Any = data
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def take(data: dict[str, Any], path: str) -> Any:
    table, _, name = path.rpartition(".")
    return (found(data, table) if table else data).pop(name)


def put(data: dict[str, Any], path: str, value: Any) -> None:
    *tables, name = path.split(".")
    for part in tables:
        data = data.setdefault(part, {})
        if not isinstance(data, dict):
            raise RefusedError(f"{part} is not a table")
    data[name] = value


def answered(text: str, asked: list[Setting]) -> StorePlan:
    answer = thin_edge(Device(MemoryTree({**TREE, FILE: File(text.encode())})), asked, {}, generation="1")
    assert (answer.problems, answer.conflicts) == ([], [])
    return answer


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_any_file_any_settings(case: Case) -> None:
    text = case.text
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)
    try:
        expected = wanted(text, case.asked)
    except RefusedError as refused:
        event("refused")
        try:
            answered(text, case.asked)
        except InputError as error:
            assert str(refused) in str(error)
            assert [each.id for each in error.problems] == ["thin-edge-toml"] * len(error.problems)
            return
        raise AssertionError(f"not refused: {refused}") from None
    answer = answered(text, case.asked)
    if not answer.desired:
        assert read(text) == expected
        return
    result = answer.desired[FILE].content.decode()
    assert read(result) == expected
    hold(case, result)
    assert answered(result, case.asked).desired == {}
    assert edited(result, FILE, {}, EMPTIED, {each.key: each.path for each in case.asked}) == result


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(), st.sampled_from((*PLACES, "ca.pem", "../x")))
def test_any_file_of_a_mapper_of_the_user(case: Case, place: str) -> None:
    """It has no version and no renames; the file of any other program would do as well."""
    text = case.text
    try:
        expected = read(text)
    except tomllib.TOMLDecodeError:
        assume(False)
    asked = [parse_setting(f"thingsboard.device.root_cert_path={place}", at_run_time=True)]
    try:
        put(expected, "device.root_cert_path", place)
    except RefusedError:
        assume(False)
    result = of_mapper(text, asked)
    assert result is not None and read(result) == expected
    hold(replace(case, asked=asked), result)
    assert of_mapper(result, asked) is None


def of_mapper(text: str, asked: list[Setting]) -> str | None:
    answer = thin_edge(Device(MemoryTree({**TREE, MAPPER: File(text.encode())})), asked, {}, generation="2")
    assert (answer.problems, answer.conflicts) == ([], [])
    return answer.desired[MAPPER].content.decode() if answer.desired else None


def hold(case: Case, new: str) -> None:
    """What stays as it was."""
    old, newline = case.text, case.out.newline
    assert not Counter(numbers(old)) - Counter(numbers(new))
    assert new.endswith("\n") == (old.endswith("\n") or not old)
    if "\n" in old:
        assert new.count("\n") == new.count("\r\n") * (newline == "\r\n") or newline == "\n"
        assert "\r" not in new or newline == "\r\n"
    moved = {name for name in RENAMES if found(read(old), name) is not None and found(read(new), name) is None}
    directly_above(case, new, moved)
    other_lines(case, new, moved)


def numbers(text: str) -> list[str]:
    return re.findall("c([0-9]+)c", text)


def directly_above(case: Case, new: str, moved: set[str]) -> None:
    for comment, path in case.out.above.items():
        line, below = at(case.text, comment)
        again, now = at(new, comment)
        assert line == again
        name = (RENAMES[path] if path in moved else path).rpartition(".")[2]
        # Keys that go into one inline table leave their comments above it.
        assert now[0] == below[0] or name in now[0].partition("=")[0] or (path in moved and first_pair(now, "{"))


def at(text: str, comment: str) -> tuple[str, list[str]]:
    """The one line that is ``comment``, and those below it."""
    lines = text.splitlines()
    (number,) = [number for number, line in enumerate(lines) if line.strip(" ") == comment]
    return lines[number], lines[number + 1 :]


def first_pair(lines: list[str], mark: str) -> bool:
    return mark in next(line for line in lines if not line.lstrip().startswith("#"))


def other_lines(case: Case, new: str, moved: set[str]) -> None:
    """Lines that have no part in the edit are all there, as they were and, where none moved, in their order."""
    touched = {*moved, "config.version", *(each.key for each in case.asked)}
    # An inline table may be written again around the setting, all its lines with it.
    tables = {path.partition(".")[0] for path in touched}
    touched |= {path for path in case.out.inside if path.partition(".")[0] in tables}
    parts = {part.strip() for path in touched for part in case.out.values.get(path, "").splitlines()}
    odd = ("{", "}", "client_auth" if moved else "{", *filter(None, parts))
    lines = [line for line in case.text.splitlines() if line.strip() and not any(part in line for part in odd)]
    assert not Counter(lines) - Counter(new.splitlines())
    if not moved:
        rest = iter(new.splitlines())
        assert all(line in rest for line in lines)


# -- what the generator is worth ---------------------------------------------------------------------------


def test_the_generator_makes_every_kind_of_file() -> None:
    """Of a fixed lot most are valid, few are refused, and each way of writing a table is among them."""
    kinds: Counter[str] = Counter()

    @seed(1)
    @settings(max_examples=150, deadline=None, database=None, phases=[Phase.generate])
    @given(cases())
    def look(case: Case) -> None:
        kinds["all"] += 1
        try:
            data = read(case.text)
            wanted(case.text, case.asked)
        except (tomllib.TOMLDecodeError, RefusedError) as error:
            kinds[type(error).__name__] += 1
            return
        kinds["renames"] += any(found(data, name) is not None for name in RENAMES)
        for kind, pattern in KINDS_OF_TEXT.items():
            kinds[kind] += bool(re.search(pattern, case.text))

    look()
    assert kinds["TOMLDecodeError"] + kinds["RefusedError"] < kinds["all"] / 2
    assert all(kinds[kind] > 5 for kind in ("renames", "RefusedError", *KINDS_OF_TEXT)), kinds


KINDS_OF_TEXT = {
    "headers": r"(?m)^\s*\[\w",
    "dotted": r"(?m)^\s*\w+\s*\.\s*\w+[^=]*=",
    "inline": r"=\{",
    "comments": "# c[0-9]",
    "behind": r"= .*\d  ?#",
    "CRLF": "\r\n",
    "LF": "[^\r]\n",
    "unfinished": r"[^\n]\Z",
    "version 2": "version.?\\s*=\\s*[\"']2",
}
