"""Writes the pages that are made from the code: docs/api.md, commands.md, layouts.md and findings.md.

Usage: python docs/generate.py [--check]     with --check: says whether the pages are as they would be written
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path

import click

import rootfs_trust
from rootfs_trust.audit.check import GROUPS, KINDS
from rootfs_trust.audit.findings import Kind
from rootfs_trust.cli.run import COMMANDS, commands
from rootfs_trust.store.all_layouts import LAYOUTS
from rootfs_trust.store.layout import Layout

DOCS = Path(__file__).parent

INTRODUCTION = """\
# Layouts

Where each family of distributions keeps its trust store, and what of it `install` reads and writes. The layout is found
from the rootfs itself, by what stands in it first, then by its os-release; `--layout NAME` names one. This page is made
from the constants in `rootfs_trust/store` by `docs/generate.py`.
"""

DEFECTS = """\
## Known defects of the devices' own tools, and what we do

For well-formed input the tree equals what the distribution's own tool writes. Where that tool has a defect, we do what
its users expect:

| tool | what it does | what we do |
| --- | --- | --- |
| update-ca-certificates | a file with new content keeps the hash link of its old one | the link follows the content |
| update-ca-certificates | with every CA disabled the old bundle stays | the bundle is empty |
| update-ca-certificates | `!` before a name with blanks or brackets leaves its link and its trust | both go |
| update-ca-certificates | a local file that was deleted leaves dangling links without `--fresh` | they go |
| update-ca-certificates | a private key or DER in a `.crt` file goes into the bundle | a conflict that names the file |
| update-ca-certificates | at the second `--fresh` a bundle of one CA is hashed too | it gets no link; theirs does no harm |
| update-ca-certificates of OE | with `--sysroot` the links have a double slash | they read as those made on the device |
| update-ca-certificates | `--fresh` removes every dangling link of the folder | those that are not ours stay |
| update-ca-certificates of OE | `--fresh` clears none of its own relative links | links whose source is gone go |
| Alpine's update-ca-certificates | a subfolder of the local folder gets a link and an empty line in the bundle | passed over |
| Alpine's update-ca-certificates | a line without its file makes a dangling link and an empty line in the bundle | a warning |
| openssl rehash | numbers depend on earlier links, and may leave a gap or lose a certificate | dense numbers in byte order |
| trust extract, Alpine | files are taken in the order of the folder on the disk | byte order of the names |
| trust extract | every entry of a Java keystore is dated anew | an entry that stays keeps its date |

## What a layout cannot do

- Fedora, SUSE, Arch: p11-kit has no way to refuse roots beforehand. `base = "none"` puts every root that is shipped now
  on the blocklist; one that a later package brings is trusted until rootfs-trust runs again.
- Fedora, SUSE, Arch: a certificate that is no CA, also one that signed itself, is in no output of trusted CAs, and so in
  none that TLS clients read. `install` says so (`no-output`); give a CA, or name the file to the clients.
- Debian, Yocto, Alpine, Buildroot, OpenWrt, bundle-only: the store knows no purposes, and whatever is in it is trusted
  for everything. An anchor that is not for servers is refused there (`purposes`).
"""


def layouts_page() -> str:
    """docs/layouts.md."""
    return "\n".join([INTRODUCTION, *map(_layout, LAYOUTS.values()), DEFECTS])


def _layout(layout: Layout) -> str:
    parts = [
        f"## {layout.name}\n\n{layout.title}. Holds for: {layout.releases}.\n",
        _list("Reads", layout.reads),
        _list("Writes, in this order", layout.writes),
        _list("Sources of these facts", layout.facts),
    ]
    return "\n".join(parts)


def _list(title: str, lines: tuple[str, ...]) -> str:
    return f"{title}:\n\n" + "".join(f"- {line}\n" for line in lines)


FINDINGS = """\
# Findings

Every finding of [check](check.md): its id, the levels that it may have (the usual one first), why it matters and to
whom, and how to mend it. This page is made from the constants in `rootfs_trust/audit` by `docs/generate.py`.
"""


def findings_page() -> str:
    """docs/findings.md."""
    groups = [(heading, group.KINDS) for heading, group in GROUPS.items()]
    rest = tuple(kind for kind in KINDS.values() if not any(kind in kinds for _, kinds in groups))
    return "\n".join([FINDINGS, *(_group(*group) for group in [*groups, ("The tree itself", rest)])])


def _group(heading: str, kinds: tuple[Kind, ...]) -> str:
    return "\n".join([f"## {heading}\n", *map(_kind, kinds)])


def _kind(kind: Kind) -> str:
    return f"### {kind.id}\n\n{kind.title} ({', '.join(kind.levels)}).\n\n{kind.why}\n\nMend: {kind.mend}.\n"


COMMANDS_INTRODUCTION = """\
# Commands

Every command with its options, as `--help` has them. This page is made from the commands by `docs/generate.py`. Exit
status: 0 done, or in order; 1 findings, or a difference (`check`, `verify`, `diff`, `fleet`); 2 wrong use, or input that
is refused (nothing was written); 3 something stands where we would write (nothing was written); 4 the disk or the target
failed underway.
"""


def commands_page() -> str:
    """docs/commands.md."""
    context = commands.make_context("rootfs-trust", [], resilient_parsing=True)
    return "\n".join([COMMANDS_INTRODUCTION, *(_command(context, name) for name in COMMANDS)])


def _command(context: click.Context, name: str) -> str:
    command = commands.get_command(context, name) or commands
    own = click.Context(command, info_name=name, parent=context)
    text, _, example = inspect.cleandoc(command.help or "").partition("\b\n")
    usage = " ".join([own.command_path, *command.collect_usage_pieces(own)])
    rows = [row for option in command.get_params(own) if (row := _option(option))]
    table = "| option | what it does |\n| --- | --- |\n" + "".join(rows)
    return f"## {name}\n\n```text\n{usage}\n```\n\n{text.strip()}\n\n{table}\n```text\n{example.rstrip()}\n```\n"


BAR = "\\|"
"""A bar inside a cell of a table."""


def _option(parameter: click.Parameter) -> str:
    if not isinstance(parameter, click.Option) or parameter.hidden:
        return ""
    names = ", ".join(f"`{name}`" for name in sorted(parameter.opts, key=len))
    value = "" if parameter.is_flag else f" `{(parameter.metavar or _choices(parameter)).replace('|', BAR)}`"
    return f"| {names}{value} | {parameter.help} |\n"


def _choices(option: click.Option) -> str:
    kind = option.type
    return "|".join(map(str, kind.choices)) if isinstance(kind, click.Choice) else kind.name.upper()


API_INTRODUCTION = """\
# Python API

Every command is a function, too. All names come from the package `rootfs_trust`; each is imported when it is first asked
for. This page is made from their docstrings by `docs/generate.py`.

```python
from rootfs_trust import InstallOptions, install

outcome = install("./rootfs", InstallOptions(certs=["my-ca.pem"], clouds=["c8y"]))
print(outcome.changed, [anchor.name for anchor in outcome.anchors])
```

Errors are `InputError`, `ConflictError` and `ApplyError` of `rootfs_trust.errors`, whose `exit_status` is 2, 3 or 4; each
has `troubles`, all that was wrong, with `id`, `path`, `message` and `hint`. Host paths, options and formats are those of
the [commands](commands.md).
"""


def api_page() -> str:
    """docs/api.md."""
    named = {name: getattr(rootfs_trust, name) for name in rootfs_trust.__all__}
    functions = {name: each for name, each in named.items() if inspect.isfunction(each)}
    classes = {name: each for name, each in named.items() if inspect.isclass(each)}
    return "\n".join(
        [
            API_INTRODUCTION,
            "## Functions\n",
            *(
                _documented(name, f"{name}({_parameters(each)}) -> {_result(each)}", each)
                for name, each in functions.items()
            ),
            "## Options and answers\n",
            *(_documented(name, _class(name, each), each) for name, each in classes.items()),
        ]
    )


def _documented(name: str, code: str, thing: object) -> str:
    text = re.sub(r":\w+:`(?:~[\w.]*\.)?([\w.]+)`", r"`\1`", inspect.getdoc(thing) or "").replace("``", "`")
    return f"### {name}\n\n```text\n{code}\n```\n\n{text}\n"


def _parameters(function: Callable[..., object]) -> str:
    words = []
    for each in inspect.signature(function).parameters.values():
        if each.kind is each.KEYWORD_ONLY and "*" not in words:
            words.append("*")
        default = each.default
        shown = f"{type(default).__name__}()" if dataclasses.is_dataclass(default) else repr(default)
        words.append(f"{each.name}: {each.annotation}" + ("" if default is each.empty else f" = {shown}"))
    return ", ".join(words)


def _result(function: Callable[..., object]) -> str:
    return str(inspect.signature(function).return_annotation)


def _class(name: str, kind: type) -> str:
    """Its fields, or what it is made with; and its public methods and properties."""
    if dataclasses.is_dataclass(kind):
        fields = [f"{each.name}: {each.type} = {each.default!r}" for each in dataclasses.fields(kind)]
    elif issubclass(kind, tuple):
        fields = [f"{each}: {_annotation(kind, each)}" for each in kind._fields]
    else:
        fields = []
    made = "" if fields else f"({_parameters(kind)})"
    own = {each: value for each, value in vars(kind).items() if not each.startswith("_")}
    also = [f"{each}: {_result(value.fget)}" for each, value in own.items() if isinstance(value, property)]
    also += [f"def {each}(self) -> {_result(value)}" for each, value in own.items() if inspect.isfunction(value)]
    return "\n".join([f"class {name}{made}:", *(f"    {line}" for line in [*fields, *also])])


def _annotation(kind: type, name: str) -> str:
    found = inspect.get_annotations(kind)[name]
    return getattr(found, "__forward_arg__", found)


PAGES = {
    "api.md": api_page,
    "commands.md": commands_page,
    "layouts.md": layouts_page,
    "findings.md": findings_page,
}


def main(words: list[str]) -> int:
    """Write the pages, or with ``--check`` compare them; 1 where one differs."""
    stale = [name for name, page in PAGES.items() if not _same(DOCS / name, page())]
    for name in stale:
        print(f"docs/{name} {'is not what the code says' if '--check' in words else 'written'}")
        if "--check" not in words:
            (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
    return int(bool(stale) and "--check" in words)


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
