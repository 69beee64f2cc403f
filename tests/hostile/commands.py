"""The command lines that a kind of items is run with: every command, in every format."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.hostile.world import ALPHA, World, shipped_authority

AT = "2026-11-01"


@dataclass(frozen=True)
class Command:
    """``words`` may name ``{root}``, ``{source}`` and what else :func:`filled` knows.

    ``writes``   what may change: "" nothing, "tree" the root filesystem, "out" the directory of results
    ``verdict``  whether exit status 1 is an answer
    ``follows``  whether links of the tree are followed on the host, as ``rehash`` does by its nature
    """

    name: str
    words: tuple[str, ...]
    writes: str = ""
    verdict: bool = False
    follows: bool = False

    @property
    def format(self) -> str:
        """What standard output has to be."""
        if self.words[0] == "fleet":
            return "lines"
        given = self.words[self.words.index("--format") + 1] if "--format" in self.words else "text"
        if self.words[0] == "sbom" and "-o" not in self.words:
            return "json"
        return "json" if given == "sarif" else given


def _command(words: str, writes: str = "", verdict: bool = False, follows: bool = False) -> Command:
    return Command(words.replace("{", "").replace("}", ""), tuple(words.split()), writes, verdict, follows)


_READERS = (
    _command("list --root {subject} --at {at}"),
    _command("list --root {subject} --format json"),
    _command("list --root {subject} --format csv"),
    _command("list --root {subject} -v"),
    _command("check --root {subject}", verdict=True),
    _command("check --root {subject} -v --config {config}", verdict=True),
    _command("check --root {subject} --format json --fail-on note --at {at}", verdict=True),
    _command("check --root {subject} --format sarif", verdict=True),
    _command("verify --root {subject} --chain {chain} --hostname mqtt.example.com", verdict=True),
    _command("verify --root {subject} --chain {chain} --format json", verdict=True),
    _command("diff {sane} {subject}", verdict=True),
    _command("diff {subject} {sane} --format json -v", verdict=True),
    _command("report --root {subject} -o {out}/page.html --baseline {sane}", writes="out"),
    _command("report --root {subject} -o {out}/page.md", writes="out"),
    _command("report --root {subject} -o - --format html"),
    _command("sbom --root {subject}"),
    _command("sbom --root {subject} --format spdx -o {out}/spdx.json", writes="out"),
)

TREE = (
    *_READERS,
    _command("list --root {sane} --state overlay:/etc={root}/etc"),
    _command("check --root {sane} --state overlay:/={root} --format json", verdict=True),
    _command("check --root {sane} --state copy:/etc/tedge={root}/etc/tedge", verdict=True),
    _command("report --root {sane} -o {out}/state.html --state ostree:{root}", writes="out"),
    _command("init --root {root} --config {out}/new.toml --no-input", writes="out"),
    _command("install --root {root} --cert {ca} --cloud c8y", writes="tree"),
    _command("install --root {root} --cert {ca} --cloud c8y --cloud aws --format json", writes="tree"),
    _command("install --root {root} --cert {ca} --cloud c8y --dry-run -v"),
    _command("install --root {root} --adopt --drop-unsourced", writes="tree"),
    _command("install --root {root} --config {config} --will-be-signed -v", writes="tree"),
    _command("install --root {root} --cert {ca} --provenance {out}/provenance.json --timestamp 1", writes="tree"),
    _command("remove --root {root} {name}", writes="tree"),
    _command("remove --root {root} sha256:{digest} --format json", writes="tree"),
    _command("remove --root {root} ca --dry-run -v"),
    _command("rehash {root}/{hashed}", writes="tree", follows=True),
    _command("rehash {root}/{hashed} {root}/{local} --compat --format json", writes="tree", follows=True),
    _command("rehash {root}/{hashed} --old --dry-run", follows=True),
    _command("image {root} {out}/copy --cert {ca}", writes="out"),
    _command("image {root} {out}/copy --cert {ca} --cloud c8y --format json", writes="out"),
    _command("image {root} {out}/copy --cert {ca} --dry-run"),
    _command("fleet {fleet} --jobs 1", writes="tree", verdict=True),
    _command("fleet {fleet} --jobs 1 --dry-run -v", verdict=True),
    _command("report --root {root} -o {root}/{place}", writes="tree"),
    _command("sbom --root {root} -o {root}/{place}", writes="tree"),
    _command("install --root {root} --cert {ca} --provenance {root}/{place}", writes="tree"),
)

IMAGE = (
    *_READERS,
    _command("image {source} {out}/made --cert {ca}", writes="out"),
    _command("image {source} {out}/made --cert {ca} --cloud c8y --format json", writes="out"),
    _command("image {source} {out}/made --cert {ca} --env -v", writes="out"),
    _command("image {source} {out}/made --cert {ca} --dry-run"),
    _command("image {source} {out}/made --without Alpha_Root --timestamp 1", writes="out"),
    _command("image {source} {out}/made --drop-unsourced", writes="out"),
    _command("install --root {source} --cert {ca}"),
    _command("remove --root {source} ca"),
    _command("init --root {source} --config {out}/new.toml --no-input", writes="out"),
    _command("fleet {fleet-image} --jobs 1", writes="out", verdict=True),
)

CERTIFICATE = (
    _command("install --root {root} --cert {files}", writes="tree"),
    _command("install --root {root} --cert {file} --format json", writes="tree"),
    _command("install --root {root} --cert - -v", writes="tree"),
    _command("install --root {root} --cert {file} --dry-run"),
    _command("verify --root {root} --chain {file}", verdict=True),
    _command("verify --root {root} --chain {file} --format json --hostname mqtt.example.com", verdict=True),
    _command("init --root {root} --config {out}/new.toml --cert {file} --no-input", writes="out"),
    _command("image {root} {out}/copy --cert {file}", writes="out"),
)

BY_KIND = {"tree": TREE, "image": IMAGE, "certificate": (*CERTIFICATE, *TREE)}


def filled(command: Command, world: World, random: Random) -> tuple[str, ...]:
    """The words with the world's paths in them."""
    values: dict[str, Callable[[], str]] = {
        "root": lambda: world.root,
        "source": lambda: world.source,
        "subject": lambda: world.source or world.root,
        "sane": lambda: world.sane_tree("sane", "debian"),
        "out": lambda: world.out,
        "ca": lambda: f"{world.given}/ca.pem",
        "chain": lambda: f"{world.given}/chain.pem",
        "config": lambda: f"{world.given}/sane.toml",
        "at": lambda: AT,
        "name": lambda: random.choice((*world.base.names, "ca")),
        "digest": lambda: shipped_authority(ALPHA).sha256,
        "hashed": lambda: random.choice(
            ("etc/ssl/certs", "usr/share/ca-certificates/mozilla", world.base.local.lstrip("/"))
        ),
        "local": lambda: world.base.local.lstrip("/"),
        "place": lambda: random.choice(
            ("usr/share/doc/x", "etc/ssl/x", "etc/ssl/certs/ca-certificates.crt", "new/x", "usr/x")
        ),
        "fleet": lambda: _fleet(world, '[[target]]\nroot = "../in/rootfs"\nconfig = "sane.toml"\n'),
        "fleet-image": lambda: _fleet(
            world, f'[[target]]\nimage = "{world.source}"\ndest = "{world.out}/fleet"\nconfig = "sane.toml"\n'
        ),
        "files": lambda: f"{world.given}/files",
        "file": lambda: _one_file(world, random),
    }
    found = []
    for word in command.words:
        text = word
        for key, value in values.items():
            if f"{{{key}}}" in word:
                text = text.replace(f"{{{key}}}", value())
        found.append(text)
    return tuple(found)


def _fleet(world: World, text: str) -> str:
    world.files.file("fleet.toml", text.encode())
    return f"{world.given}/fleet.toml"


def _one_file(world: World, random: Random) -> str:
    return f"{world.given}/files/{random.choice(sorted(os.listdir(f'{world.given}/files')))}"
