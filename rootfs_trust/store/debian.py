"""The store of Debian and its kin, as ``update-ca-certificates --fresh`` writes it. Pure.

Sources are the trusted lines of ca-certificates.conf in their order, then the local folder's ``.crt`` files in
byte order. Each gets a ``.pem`` link in the hash directory and its bytes in the bundle; then comes ``openssl
rehash``. Where the tool has a known defect we do what its users expect; docs/layouts.md lists those places.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rootfs_trust.errors import Trouble
from rootfs_trust.rootfs.nodes import Directory, File, View, byte_order, join, read
from rootfs_trust.store import conf
from rootfs_trust.store.hash_directory import hash_directory, links_into
from rootfs_trust.store.issuers import missing_issuers
from rootfs_trust.store.local import LocalFolder
from rootfs_trust.store.request import Answer, Request
from rootfs_trust.store.source import Source, fault_of, read_source
from rootfs_trust.store.unsourced import unsourced


_MANGLED = str.maketrans({" ": "_", ",": "_", "(": "=", ")": "="})


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianStore:
    """The layout of Debian's tool and of those that descend from it. Implements Layout."""

    name: str
    title: str
    releases: str
    facts: tuple[str, ...]
    local: str = "/usr/local/share/ca-certificates"
    shipped: str = "/usr/share/ca-certificates"
    """The folder of anchors that the distribution's package brings."""
    conf: str = "/etc/ca-certificates.conf"
    """The list of shipped anchors that are trusted, or with ``!`` not."""
    bundle: str = "/etc/ssl/certs/ca-certificates.crt"
    hash_directory: str = "/etc/ssl/certs"
    hooks: str = "/etc/ca-certificates/update.d"
    """The folder of programs that the distribution's own tool runs afterwards."""

    def answer(self, view: View, request: Request) -> Answer:
        """The store that ``request`` makes of the rootfs ``view``."""
        answer = Answer()
        found = _find(view, self, answer)
        local = _change(found, self, request, answer)
        sources = [*found.shipped, *(local.sources[path] for path in sorted(local.sources, key=byte_order))]
        _judge(sources, answer)
        if not request.drop_unsourced:
            known = [*found.shipped, *found.distrusted, *found.local.values(), *sources]
            answer.conflicts += unsourced(self.bundle, read(view, self.bundle), known)
        answer.warnings += missing_issuers(request.anchors, sources)
        _write(view, self, found, local, sources, answer)
        return answer


@dataclass(frozen=True, slots=True)
class _Found:
    """What the rootfs holds before the change."""

    conf: conf.Conf
    written_conf: bytes | None
    """The list that configuring the package would write, where it never was."""
    shipped: tuple[Source, ...]
    distrusted: tuple[Source, ...]
    local: dict[str, Source]


def _change(found: _Found, layout: DebianStore, request: Request, answer: Answer) -> LocalFolder:
    local = LocalFolder(layout.local, link_name, dict(found.local), found.shipped, found.distrusted)
    if request.adopt:
        local.adopt()
    for anchor in request.anchors:
        local.add(anchor)
    answer.installed += local.installed
    answer.conflicts += local.conflicts
    answer.warnings += local.warnings
    return local


# -- reading -----------------------------------------------------------------------------------------------


def _find(view: View, layout: DebianStore, answer: Answer) -> _Found:
    data = read(view, layout.conf)
    available = list(_certificate_files(view, layout.shipped, follow=False))
    written = None
    if data is None and available:
        data = written = conf.new_conf(path.removeprefix(f"{layout.shipped}/") for path in available)
    listed = conf.parse_conf(data or b"")
    answer.warnings += _conf_warnings(layout, listed)
    shipped = _read_listed(view, layout, listed.trusted, answer)
    distrusted = _read_listed(view, layout, sorted(listed.distrusted), Answer())
    local = {
        path: source
        for path in _certificate_files(view, layout.local, follow=True)
        if (source := _read_one(view, path))
    }
    return _Found(listed, written, tuple(shipped), tuple(distrusted), local)


def _conf_warnings(layout: DebianStore, listed: conf.Conf) -> Iterator[Trouble]:
    if listed.unterminated:
        yield Trouble(
            "conf-last-line",
            layout.conf,
            "the last line has no newline, so update-ca-certificates does not see it, and it is left out here too",
            "end the line",
        )


def _read_listed(
    view: View, layout: DebianStore, names: Iterator[str] | tuple[str, ...] | list[str], answer: Answer
) -> Iterator[Source]:
    for name in names:
        path = join(layout.shipped, name)
        source = _read_one(view, path)
        if source:
            yield source
        else:
            answer.warnings.append(
                Trouble(
                    "missing-source",
                    path,
                    f"is listed in {layout.conf}, but is not there",
                    "take the line out, or bring the file back",
                )
            )


def _read_one(view: View, path: str) -> Source | None:
    data = read(view, path)
    return None if data is None else read_source(path, data)


def _certificate_files(view: View, folder: str, *, follow: bool) -> list[str]:
    """``find [-L] FOLDER -type f -name '*.crt'`` in byte order. A folder that is reached twice is read once."""
    found: list[str] = []
    seen: set[str | None] = set()
    pending = [folder]
    while pending:
        here = pending.pop()
        real = view.real_path(here)
        if real in seen:
            continue
        seen.add(real)
        for name in view.names(here):
            path = join(here, name)
            kind = view.kind(path, follow=follow)
            if kind is Directory:
                pending.append(path)
            elif kind is File and name.endswith(".crt"):
                found.append(path)
    return sorted(found, key=byte_order)


# -- judging -----------------------------------------------------------------------------------------------


def _judge(sources: list[Source], answer: Answer) -> None:
    for source in sources:
        if source.fault:
            answer.conflicts.append(fault_of(source))
        elif source.untidy:
            answer.warnings.append(
                Trouble(
                    "untidy-source",
                    source.path,
                    f"{source.untidy}; taken as it is, as update-ca-certificates does",
                    "--adopt rewrites it clean",
                )
            )


# -- writing -----------------------------------------------------------------------------------------------


def _write(
    view: View, layout: DebianStore, found: _Found, local: LocalFolder, sources: list[Source], answer: Answer
) -> None:
    desired = answer.desired
    if found.written_conf is not None:
        desired[layout.conf] = File(found.written_conf)
    # New sources come before the bundle, so that any tool can complete a run that was cut short; one that
    # takes another's place comes after it, so that the same command still finds the old one accounted for.
    desired |= {path: file for path, file in local.changed.items() if path not in found.local}
    desired[layout.bundle] = File(bundle(sources))
    desired |= {path: file for path, file in local.changed.items() if path in found.local}
    # Of two sources with one link name the last one wins, as with the shell's ln -sf.
    links = {link_name(source.path): (source.path, source) for source in sources}
    stale = links_into(view, layout.hash_directory, (f"{layout.shipped}/", f"{layout.local}/"))
    desired |= hash_directory(view, layout.hash_directory, links, bundle=layout.bundle.rpartition("/")[2], stale=stale)


def bundle(sources: list[Source]) -> bytes:
    """Every source's bytes in order, each closed by a newline: ``sed '$a\\'`` of update-ca-certificates."""
    return b"".join(
        source.data if source.data.endswith(b"\n") else source.data + b"\n" for source in sources if source.data
    )


def link_name(path: str) -> str:
    """The name of a source's link: its base name, blanks and commas as ``_``, round brackets as ``=``."""
    return path.rpartition("/")[2].removesuffix(".crt").translate(_MANGLED) + ".pem"
