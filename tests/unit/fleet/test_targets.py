"""fleet.toml: what it names, in which order; every mistake with its key and line."""

from __future__ import annotations

import errno
import os

import pytest

from rootfs_trust.errors import InputError
from rootfs_trust.fleet.targets import parse_targets


@pytest.fixture
def parse(tmp_path, monkeypatch):
    directory = tmp_path / "fleet"
    for name in ("out/b/rootfs", "out/a/rootfs", "out/ä/rootfs", "out/empty", "deep/er/est/rootfs", "images/layout"):
        (directory / name).mkdir(parents=True)
    for name in ("out/file", "images/two.tar", "images/one.tar", "images/notes.txt"):
        (directory / name).write_bytes(b"")
    (directory / "same").symlink_to("out/a/rootfs")
    monkeypatch.chdir(tmp_path)
    return lambda text: parse_targets(text, "fleet/fleet.toml")


def wrong(parse, text: str) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as raised:
        parse(text)
    assert all(each.id == "config" and each.hint for each in raised.value.problems)
    return [(each.path, each.message) for each in raised.value.problems]


def test_patterns_are_relative_to_the_file_and_sorted(parse, tmp_path):
    targets = parse('[[target]]\nroot = "out/*/rootfs"\nconfig = "../edge.toml"\n')
    assert [each.name for each in targets] == ["out/a/rootfs", "out/b/rootfs", "out/ä/rootfs"]
    assert [each.path for each in targets] == [str(tmp_path / "fleet" / each.name) for each in targets]
    assert {os.path.normpath(each.config) for each in targets} == {str(tmp_path / "edge.toml")}
    assert {each.dest for each in targets} == {None}


def test_tables_keep_their_order(parse):
    text = '[[target]]\nroot = "**/est/rootfs"\nconfig = "x"\n[[target]]\nroot = "out/a/rootfs"\nconfig = "y"\n'
    assert [(each.name, each.config[-1]) for each in parse(text)] == [
        ("deep/er/est/rootfs", "x"),
        ("out/a/rootfs", "y"),
    ]


def test_images_keep_their_names(parse, tmp_path):
    targets = parse('[[target]]\nimage = "images/*.tar"\ndest = "signed/"\nconfig = "e"\n')
    assert [(each.name, each.dest) for each in targets] == [
        (f"images/{name}.tar", str(tmp_path / f"fleet/signed/{name}.tar")) for name in ("one", "two")
    ]
    assert [each.output for each in targets] == [each.dest for each in targets]


def test_an_absolute_pattern_is_named_as_it_is(parse, tmp_path):
    (target,) = parse(f'[[target]]\nroot = "{tmp_path}/fleet/out/a/*"\nconfig = "e"\n')
    assert target.name == target.path == str(tmp_path / "fleet/out/a/rootfs")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", "", "target is missing: there is nothing to do"),
        ("target = 3\n", ":1", "target must be written as [[target]]"),
        ("targets = []\n", ":1", "unknown key targets"),
        ('[[target]]\nroot = "out/a/rootfs"\n', ":1", "target[0].config is missing"),
        ('[[target]]\nconfig = "e"\n', ":1", 'target[0] has to have either "root" or "image"'),
        ('[[target]]\nroot = "x"\nimage = "y"\nconfig = "e"\n', ":1", 'target[0] has to have either "root" or "image"'),
        (
            '[[target]]\nroot = "out/a/rootfs"\ndest = "d"\nconfig = "e"\n',
            ":1",
            'target[0] "image" and "dest" go together: roots are changed in place',
        ),
        (
            '[[target]]\nimage = "images/one.tar"\nconfig = "e"\n',
            ":1",
            'target[0] "image" and "dest" go together: roots are changed in place',
        ),
        ('[[target]]\nroot = 7\nconfig = "e"\n', ":2", "target[0].root must be a non-empty string"),
        ('[[target]]\nroot = "out/a/rootfs"\nconfg = "e"\n', ":3", "unknown key target[0].confg"),
        ('[[target]]\nroot = "none/*"\nconfig = "e"\n', ":2", "target[0].root none/* matches no directory"),
        ('[[target]]\nroot = "out/file"\nconfig = "e"\n', ":2", "target[0].root out/file matches no directory"),
        (
            '[[target]]\nimage = "none.tar"\ndest = "d"\nconfig = "e"\n',
            ":2",
            "target[0].image none.tar matches no file or directory",
        ),
        (
            '[[target]]\nroot = "out/*/rootfs"\nconfig = "e"\n[[target]]\nroot = "same"\nconfig = "e"\n',
            ":5",
            "target[1].root same writes where out/a/rootfs of target[0].root does",
        ),
        (
            '[[target]]\nimage = "images/one.*"\ndest = "d"\nconfig = "e"\n'
            '[[target]]\nimage = "images/../images/one.tar"\ndest = "x/../d"\nconfig = "e"\n',
            ":6",
            "target[1].image images/../images/one.tar writes where images/one.tar of target[0].image does",
        ),
        (
            "[[target]\n",
            "",
            "is not valid TOML: Expected ']]' at the end of an array declaration (at line 1, column 9)",
        ),
    ],
)
def test_mistakes(parse, text, line, message):
    assert (f"fleet/fleet.toml{line}", message) in wrong(parse, text)


def test_all_mistakes_at_once(parse):
    text = '[[target]]\nroot = "none/*"\nconfig = "e"\n\n[[target]]\nroot = "out/a/rootfs"\n\n[[target]]\ndest = "d"\n'
    assert [path for path, _ in wrong(parse, text)] == [f"fleet/fleet.toml:{line}" for line in (2, 5, 8)]


def test_ten_thousand_targets_and_the_line_of_the_last(parse):
    tables = "".join(
        f'[[target]]\nroot = "out/empty/../{"a" if n % 2 else "b"}/rootfs"\nconfig = "e"\n' for n in range(2)
    )
    many = "[[target]]\nroot = 'no/{}'\nconfig = 'e'\n"
    found = wrong(parse, tables + "".join(many.format(number) for number in range(10_000)))
    assert [path for path, _ in found] == [f"fleet/fleet.toml:{8 + 3 * number}" for number in range(10_000)]


def test_a_pattern_of_states_is_a_target_for_each_device(tmp_path, parse):
    for device in ("002", "001"):
        (tmp_path / f"fleet/states/{device}/etc").mkdir(parents=True)
    text = '[[target]]\nroot = "same"\nstate = "overlay:/etc=states/*/etc"\n'
    targets = parse_targets(text, "fleet/fleet.toml", writing=False)
    assert [each.name for each in targets] == [
        f"same with overlay:/etc=states/{device}/etc" for device in ("001", "002")
    ]
    assert targets[0].states == (f"overlay:/etc={tmp_path}/fleet/states/001/etc",)
    with pytest.raises(InputError, match="matches no directory"):
        parse_targets(text.replace("states", "none"), "fleet/fleet.toml", writing=False)


def test_a_target_whose_existence_cannot_be_found_out_is_an_error(tmp_path, parse, monkeypatch):
    """A failing disk: a target that is dropped is one that nobody changes or checks."""
    (tmp_path / "fleet/images").mkdir(parents=True, exist_ok=True)
    for name in ("a.tar", "b.tar"):
        (tmp_path / "fleet/images" / name).touch()
    real = os.stat

    def fail(path, *arguments, **options):
        if str(path).endswith("b.tar"):
            raise OSError(errno.EIO, "Input/output error")
        return real(path, *arguments, **options)

    monkeypatch.setattr("rootfs_trust.fleet.targets.os.stat", fail)
    text = '[[target]]\nimage = "images/*.tar"\n'
    with pytest.raises(InputError, match=r"b\.tar: cannot be read: Input/output error"):
        parse_targets(text, "fleet/fleet.toml", writing=False)
