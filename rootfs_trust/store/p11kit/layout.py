"""The store of a distribution that keeps its trust with p11-kit, as its own script has ``trust extract`` write it.

Sources are the folders of p11-kit's trust module; see ``token``. An anchor that is added becomes ``NAME.crt`` in
the local ``anchors`` folder, where p11-kit looks at contents and not at names. One that the distribution ships
is distrusted by a copy in the local ``blocklist`` folder: p11-kit then distrusts its key, and its issuer and
serial number, in every output.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rootfs_trust.errors import Trouble
from rootfs_trust.rootfs.nodes import Absent, Directory, Symlink, View, join, parent, read
from rootfs_trust.store.issuers import missing_issuers
from rootfs_trust.store.p11kit.change import change
from rootfs_trust.store.p11kit.directory import HashDirectory
from rootfs_trust.store.p11kit.found import find
from rootfs_trust.store.p11kit.mirror import Mirror, described_mirror, has_hash_links, mirror_nodes
from rootfs_trust.store.p11kit.outputs import (
    Bundle,
    Desired,
    Folder,
    bundle_file,
    described,
    described_folder,
    folder_nodes,
    folder_of,
    leftovers,
    strangers,
)
from rootfs_trust.store.p11kit.token import Token
from rootfs_trust.store.p11kit.told import shared_keys, without_effect
from rootfs_trust.store.presets import with_presets
from rootfs_trust.store.request import Answer, Request
from rootfs_trust.store.source import Source, judge_sources
from rootfs_trust.store.unsourced import unsourced


@dataclass(frozen=True, slots=True, kw_only=True)
class P11KitStore:
    """The layout of one family of distributions. Implements Layout."""

    name: str
    title: str
    releases: str
    facts: tuple[str, ...]
    tokens: tuple[str, ...]
    """The folders that p11-kit was built to read, the local one first."""
    bundle: str
    hash_directory: str
    bundles: tuple[Bundle, ...]
    folders: tuple[Folder, ...]
    mirror: Mirror | None = None
    """A folder that repeats the links of the last of ``folders``."""
    links: tuple[tuple[str, str], ...] = ()
    """Links that the package brings, path and text: made where their folder is there and they are missing."""
    last_name: bool = False
    """Whether of several common names the last is the label: p11-kit 0.26.0 and later."""

    @property
    def local(self) -> str:
        """The folder of the anchors that the device's owner adds."""
        return join(self.tokens[0], "anchors")

    @property
    def reads(self) -> tuple[str, ...]:
        """See Layout."""
        forms = "`.p11-kit`, DER, PEM and TRUSTED CERTIFICATE, whatever the file's name, in byte order"
        places = "its own files, `anchors/` (trusted), `blocklist/` or `blacklist/` (distrusted)"
        return tuple(f"`{token}`: {places}; {forms}" for token in self.tokens)

    @property
    def writes(self) -> tuple[str, ...]:
        """See Layout."""
        return (
            f"`{self.tokens[0]}/blocklist/NAME.crt` (0644), where a shipped anchor is distrusted",
            f"`{self.local}/NAME.crt` (0644), as TRUSTED CERTIFICATE where its purposes are named",
            *map(described, self.bundles),
            *(line for folder in self.folders for line in described_folder(folder)),
            *(described_mirror(self.mirror) if self.mirror else ()),
            *(f"`{path}` -> `{text}`, where the package's folder lacks it" for path, text in self.links),
        )

    def answer(self, view: View, request: Request) -> Answer:
        """The store that ``request`` makes of the rootfs ``view``."""
        answer = Answer()
        found = find(view, self.tokens)
        everything = [Source(each.path, b"", (each.certificate,)) for each in found.entries if each.certificate]
        request = with_presets(request, everything, answer)
        changes = change(found, request, answer)
        tokens = found.changed({**changes.anchors, **changes.blocklist})
        judge_sources((each for path, each in found.local().items() if path not in changes.anchors), answer)
        if not request.drop_unsourced:
            answer.conflicts += unsourced(self.bundle, read(view, self.bundle), everything)
        answer.conflicts += shared_keys(tokens[0], answer.installed)
        self._tell(tokens, request, answer)
        present = {file.path for file in found.files[0]}
        answer.desired |= {self.local: Directory(), **changes.before(present)}
        self._write_outputs(view, tokens, answer, request.created)
        answer.desired |= changes.after(present)
        return answer

    def _tell(self, tokens: list[Token], request: Request, answer: Answer) -> None:
        certificates = [each.certificate for token in tokens for each in token.entries if each.trusted]
        sources = [Source("", b"", tuple(each for each in certificates if each))]
        answer.warnings += missing_issuers(request.anchors, sources)
        answer.warnings += without_effect(tokens, request.anchors)
        if request.only:
            answer.warnings.append(_does_not_last(self))

    def _write_outputs(self, view: View, tokens: list[Token], answer: Answer, created: int | None) -> None:
        nodes: Desired = {}
        for bundle in self.bundles:
            nodes[bundle.path] = bundle_file(view, bundle, tokens, last_name=self.last_name, created=created)
        made = HashDirectory()
        for folder in self.folders:
            made = folder_of(folder, tokens, last_name=self.last_name)
            nodes |= folder_nodes(folder, made)
        if self.mirror:
            nodes |= mirror_nodes(view, self.mirror, made)
        nodes |= dict(self._missing_links(view, _folders(nodes)))
        for folder in self.folders:
            nodes |= dict.fromkeys(leftovers(view, folder.path, nodes), Absent())
            answer.warnings += strangers(view, folder.path, nodes)
        answer.desired |= nodes

    def _missing_links(self, view: View, made: set[str]) -> Iterator[tuple[str, Symlink]]:
        """The links of ``links``; ``made`` are the folders that the outputs bring."""
        if self.mirror and self.mirror.as_found and has_hash_links(view, self.mirror):
            return  # a release that has left such links behind
        for path, text in self.links:
            node = view.node(path)
            there = parent(path) in made or view.kind(parent(path)) is Directory
            if node == Symlink(text) or (node is None and there):
                yield path, Symlink(text)


def _folders(nodes: Desired) -> set[str]:
    """Every folder that stands above a path of ``nodes``."""
    folders: set[str] = set()
    for path in nodes:
        while (path := parent(path)) not in folders:
            folders.add(path)
    return folders


def _does_not_last(layout: P11KitStore) -> Trouble:
    return Trouble(
        "base-none",
        join(layout.tokens[0], "blocklist"),
        "lists every root that is shipped now; a later version of the distribution's package may bring others",
        "p11-kit has no way to refuse them beforehand: run rootfs-trust again after each update",
    )
