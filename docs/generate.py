"""Generate docs/algorithms.md, api.md, clients.md, commands.md, layouts.md, findings.md, ids.md, the client names in
docs/schema and the README's badges.

Usage: python docs/generate.py [--check]     with --check: only report whether the pages are up to date
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

from rootfs_trust.audit.check import GROUPS, KINDS
from rootfs_trust.audit.findings import FindingType
from rootfs_trust.clients.all_clients import TYPES
from rootfs_trust.clients.table import GO_DIRECTORIES, GO_FILES, JAVA_STORES, VARIABLES, Variable
from rootfs_trust.layouts import LAYOUTS
from rootfs_trust.layouts.layout import ClientPaths, Layout

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

# These are beside this file, which is not a module of a package.
from algorithms_page import algorithms_page  # noqa: E402
from api_page import api_page  # noqa: E402
from badges import badges  # noqa: E402
from commands_page import commands_page  # noqa: E402
from ids_page import ids_page  # noqa: E402

INTRODUCTION = """\
# Layouts

This page says where each family of distributions keeps its trust store, and which files `install` reads and writes. `install`
detects the layout from the files in the root filesystem, and then from os-release. `--layout NAME` selects one. This page is
generated from the constants in `rootfs_trust/layouts` by `docs/generate.py`.

A **p11-kit source directory** contains certificates in the directory itself, in `anchors/` (trusted), and in `blocklist/` or
`blacklist/` (distrusted). Files may be `.p11-kit`, DER, PEM or TRUSTED CERTIFICATE, with any name. They are read in byte order.
"""

DEFECTS = """\
## In every layout

- A system-wide Java keystore (`/etc/ssl/certs/java/cacerts`, `/etc/pki/java/cacerts`) is a store file if it exists, even if no
  tool of the distribution writes it. It stays JKS or PKCS #12. `install` adds entries named `rootfs-trust:NAME`, and `remove`
  deletes entries. Foreign entries are kept in their order. If it cannot be read, it is not changed, with a warning
  (`java-store-format`).
- A checksum that apko wrote for a store file (`/etc/ssl/certs/.ca-certificates.crt.sha256`,
  `/etc/ssl/certs/java/.cacerts.sha256`) is updated with the file. It is never created.

## Bugs in the distributions' tools

For well-formed input, `install` writes the same tree as the distribution's own tool. Some of these tools have bugs. There,
`install` does what users expect:

| tool | what it does | what `install` does |
| --- | --- | --- |
| update-ca-certificates | a file with new content keeps its old hash link | updates the link |
| update-ca-certificates | if every CA is disabled, the old bundle stays | empties the bundle |
| update-ca-certificates | `!` before a name with blanks or brackets leaves the link, so the CA stays trusted | removes the link and the CA |
| update-ca-certificates | without `--fresh`, deleting a local file leaves dangling links | removes the links |
| update-ca-certificates | a private key or DER in a `.crt` file goes into the bundle | reports a conflict that names the file |
| update-ca-certificates | the second `--fresh` creates a hash link for a bundle with one CA | creates no such link; the tool's link is harmless |
| update-ca-certificates of Slackware | c_rehash may create a hash link for the bundle, by its first certificate | links to the certificate's own file |
| update-ca-certificates of OE | with `--sysroot`, links contain a double slash | treats them like links made on the device |
| update-ca-certificates | `--fresh` removes every dangling link in the directory | keeps foreign ones |
| update-ca-certificates of OE | `--fresh` does not remove its own relative links | removes links whose source file is gone |
| Alpine's update-ca-certificates | a subdirectory in the anchor source directory gets a link, and an empty line in the bundle | ignores it |
| Alpine's update-ca-certificates | a line without its file creates a dangling link, and an empty line in the bundle | warns |
| openssl rehash | numbers depend on earlier links, and may leave a gap or lose a certificate | numbers links without gaps, in byte order |
| rehash_ca_certificates.sh of Photon OS | joins a file without a final newline with the next one, so both certificates are lost | writes a newline between them |
| trust extract, Alpine | files are read in the order of the directory on disk | reads them in byte order of the names |
| trust extract | every entry of a Java keystore gets a new date | keeps the date of an unchanged entry |

## Limitations

- Fedora, SUSE, Arch: p11-kit cannot refuse future roots. `base = "none"` puts every root that the distribution ships now on the
  blocklist. A root from a later package is trusted until rootfs-trust runs again.
- Fedora, SUSE, Arch: a certificate that is not a CA is in no store file of trusted CAs, even if it is self-signed. So no TLS
  client reads it, and `install` warns (`no-output`). Install a CA instead, or configure the clients to read the file.
- Gentoo: each update of the package replaces `/etc/ca-certificates.conf`, including the lines that distrust a CA. `remove`
  warns (`package-restores`).
- Bottlerocket and Talos generate their trust stores at boot, from settings. `install` refuses their root filesystems and
  names the setting. NixOS and Guix: a link into `/nix/store` or `/gnu/store` is a conflict that names the setting.
- Photon: a root that the distribution ships is distrusted by deleting its file. The next update of the package restores it;
  `remove` warns (`package-restores`).
- {without_purposes}: these layouts cannot record
  purposes, so every anchor is trusted for everything. `install` refuses an anchor that is not for servers (`purposes`).
"""


def layouts_page() -> str:
    """docs/layouts.md."""
    without_purposes = ", ".join(name for name, layout in LAYOUTS.items() if not layout.tokens)
    defects = DEFECTS.replace("{without_purposes}", without_purposes)
    return "\n".join([INTRODUCTION, *map(_layout, LAYOUTS.values()), defects])


def _layout(layout: Layout) -> str:
    parts = [
        f"## {layout.name}\n\n{layout.title}. Tested for: {layout.releases}.\n",
        _list("Reads", layout.reads),
        _list("Writes, in this order", layout.writes),
        _list("Sources", layout.facts),
    ]
    return "\n".join(parts)


def _list(title: str, lines: tuple[str, ...]) -> str:
    return f"{title}:\n\n" + "".join(f"- {line}\n" for line in lines)


CLIENTS = """\
# Clients: which files each TLS client reads

`list`, `diff`, `check`, `verify`, `report` and `sbom` use these tables. So do `remove` and `[store] distrust`, to make sure that
no client still trusts a removed certificate. This page is generated from `rootfs_trust/layouts` and
`rootfs_trust/clients` by `docs/generate.py`.

`list --client NAME` lists what one client of a root filesystem trusts. Some files and directories are read by no client of the
layout, but programs are often configured to read them. Each of them is a client named by its path:
`openssl-bundle:/etc/ssl/cert.pem`, `openssl-directory:/etc/pki/tls/certs`.
"""

BY_LAYOUT = """\
## By layout

If a cell has several paths, the client reads the first that exists. OpenSSL's directory is the first with hash links.

| layout | openssl-bundle | openssl-directory | gnutls | source |
| --- | --- | --- | --- | --- |
"""

ALIKE = """
The same on every layout:

| client | files | directories |
| --- | --- | --- |
"""

BY_VARIABLE = """
## By environment variable

The config of a container image sets variables for every program. `/etc/environment`, `profile.d`, `environment.d`,
`/etc/default`, systemd units, their drop-ins and environment files set variables for some programs. So rootfs-trust counts both
the file that such a variable names and the compiled-in one.

| variable | programs | effect | clients | source |
| --- | --- | --- | --- | --- |
"""


def clients_page() -> str:
    """docs/clients.md."""
    ways = [f"| `{each.name}` | {each.programs} | {each.how} | {each.source} |\n" for each in TYPES.values()]
    how = "## How each client reads\n\n| client | programs | reads | source |\n| --- | --- | --- | --- |\n"
    layouts = "".join(f"| {name} | {_row(layout.clients)} |\n" for name, layout in LAYOUTS.items())
    alike = f"| go | {_paths(GO_FILES)} | {_paths(GO_DIRECTORIES)} |\n| java | {_paths(JAVA_STORES)} | |\n"
    return "".join(
        [CLIENTS, "\n", how, *ways, "\n", BY_LAYOUT, layouts, ALIKE, alike, BY_VARIABLE, *map(_variable, VARIABLES)]
    )


def _row(row: ClientPaths) -> str:
    gnutls = f"{row.gnutls_way}: {_paths(row.gnutls)}"
    return " | ".join((_paths(row.openssl_file), _paths(row.openssl_directory), gnutls, row.source))


def _variable(variable: Variable) -> str:
    effect = "adds" if variable.adds else "replaces"
    clients = ", ".join(variable.clients) or "`openssl-bundle:PATH`"
    return f"| `{variable.name}` | {variable.programs} | {effect} | {clients} | {variable.source} |\n"


def _paths(paths: tuple[str, ...]) -> str:
    return ", ".join(f"`{path}`" for path in paths)


FINDINGS = """\
# Findings

This page lists every finding of [check](check.md): its id, its possible levels (the usual one first), why it matters and to
which programs, and how to fix it by hand. If a command of rootfs-trust fixes the finding on your tree, `check` prints that
command instead. This page is generated from the constants in `rootfs_trust/audit` by `docs/generate.py`.
"""


def findings_page() -> str:
    """docs/findings.md."""
    groups = [(heading, group.KINDS) for heading, group in GROUPS.items()]
    rest = tuple(kind for kind in KINDS.values() if not any(kind in kinds for _, kinds in groups))
    return "\n".join([FINDINGS, *(_group(*group) for group in [*groups, ("The tree", rest)])])


def _group(heading: str, kinds: tuple[FindingType, ...]) -> str:
    return "\n".join([f"## {heading}\n", *map(_kind, kinds)])


def _kind(kind: FindingType) -> str:
    return f"### {kind.id}\n\n{kind.title} ({', '.join(kind.levels)}).\n\n{kind.why}\n\nFix: {kind.fix}.\n"


def _with_clients(name: str) -> str:
    """A schema of docs/schema, with the names of all clients in its verdicts."""
    schema = json.loads((Path(__file__).parent / f"schema/{name}.schema.json").read_text(encoding="utf-8"))
    client = schema["properties"]["verdicts"]["items"]["properties"]["client"]
    client["anyOf"][0]["enum"] = list(TYPES)
    return json.dumps(schema, indent=2) + "\n"


PAGES = {
    "algorithms.md": algorithms_page,
    "api.md": api_page,
    "clients.md": clients_page,
    "commands.md": commands_page,
    "layouts.md": layouts_page,
    "findings.md": findings_page,
    "ids.md": ids_page,
    **{f"schema/{name}.schema.json": partial(_with_clients, name) for name in ("advise", "verify")},
    "badges.svg": badges,
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
