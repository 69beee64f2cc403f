"""The lines that messages about a config name."""

import pytest

from rootfs_trust.inputs.config import Config
from rootfs_trust.inputs.config_reader import parse_config
from rootfs_trust.inputs.selection_text import digest
from rootfs_trust.inputs.toml_schema import KeyLines

TEXT = """\
top = 1
[store]
layout = "debian"
[[anchor]]
"file" = "a"
[[ anchor ]]
name= "b"
 file ="c"
[policy.sub]
x = 1
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("top", 1),
        ("store", 2),
        ("store.layout", 3),
        ("store.base", 2),
        ("anchor[0].file", 5),
        ("anchor[1].name", 7),
        ("anchor[1].file", 8),
        ("anchor[1].allow", 6),
        ("anchor[2].file", None),
        ("policy.sub", None),
        ("none", None),
        ("none.x", None),
    ],
)
def test_lines(key, line):
    assert KeyLines(TEXT).line(key) == line


def test_keys_outside_of_tables_and_tables_written_inline():
    lines = KeyLines("store.layout = 1\n'store'.base = 2\nanchor = [\n  {file = 1},\n]\n[store.deep]\nlayout = 3\n")
    assert [lines.line(key) for key in ("store", "store.base", "anchor[0].file", "store.deep.layout")] == [1, 2, 3, 7]


def test_ten_thousand_tables_are_looked_up_in_one_pass():
    text = Passed("".join(f'[[anchor]]\nfile = "{number}"\n' for number in range(10_000)))
    config = parse_config(text, "x.toml")
    assert [anchor.where for anchor in config.anchors] == [f"x.toml:{2 * number}" for number in range(1, 10_001)]
    assert text.passes == 1


class Passed(str):
    """A text that counts how often its lines are gone through for places."""

    passes = 0

    def splitlines(self, keepends: bool = False) -> list[str]:
        self.passes += 1
        return super().splitlines(keepends)


def test_an_empty_file_has_the_defaults():
    config = parse_config("", "x.toml")
    assert (config.store, config.anchors, config.policy, config.clouds) == (
        Config().store,
        (),
        Config().policy,
        (),
    )
    assert (config.store.layout, config.store.base, config.policy.min_rsa_bits) == ("auto", "keep", 2048)


def test_a_digest_in_any_spelling():
    plain = "ab" * 32
    for text in (plain, plain.upper(), f"sha256:{plain}", ":".join(["AB"] * 32)):
        assert digest(text) == plain
    for wrong in (plain[1:], plain + "0", "xy" * 32, "", 5, None):
        with pytest.raises(ValueError, match="64 hex digits"):
            digest(wrong)
