"""The certificate sources of Debian and its derivatives, and how they are distrusted.

A certificate of the anchor source directory is deleted; a shipped one gets ``!`` before its line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rootfs_trust.errors import (
    CONF_CRLF,
    CONF_LAST_LINE,
    IGNORED_SOURCE,
    SOURCE_MISSING,
    Problem,
)
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.layouts.tools import UpdateCaCertificates
from rootfs_trust.rootfs.view import File, View, join, read
from rootfs_trust.store.anchor_sources import AnchorSources, sources_with, stem, trusted_copies
from rootfs_trust.store.debian import ca_certificates_conf
from rootfs_trust.store.selection import DIGEST, Held, not_found
from rootfs_trust.store.source_file import Source, certificate_files, read_source_at
from rootfs_trust.store.store_plan import Request, StorePlan


@dataclass(slots=True)
class DebianSources:
    """The sources before the run. Keys of shipped sources are their names in the list."""

    conf: bytes = b""
    """The list. If it is missing and anchors are shipped: the list that configuring the package writes."""
    shipped: dict[str, Source] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    """Names of the trusted shipped anchors in the order of the list. A name listed twice is in the bundle twice."""
    distrusted: dict[str, Source] = field(default_factory=dict)
    unlisted: dict[str, Source] = field(default_factory=dict)
    local: dict[str, Source] = field(default_factory=dict)
    """Sources of the anchor source directory, by path."""
    warnings: list[Problem] = field(default_factory=list)

    @property
    def existing(self) -> list[Source]:
        """Every source, trusted or not."""
        return [source for group in (self.shipped, self.distrusted, self.local) for source in group.values()]


def find(view: View, layout: Layout, tool: UpdateCaCertificates) -> DebianSources:
    """Read the list, the shipped anchors and the anchor source directory."""
    found = DebianSources()
    available = [path.removeprefix(f"{tool.shipped}/") for path in certificate_files(view, tool.shipped)]
    data = read(view, tool.conf)
    if data is None:
        data = ca_certificates_conf.new_conf(tool.conf_header, available) if available else b""
    found.conf = data
    _read_shipped(view, tool, available, found)
    for path in _local_files(view, layout, tool, found):
        found.local[path] = read_source_at(view, path)
    return found


def _read_shipped(view: View, tool: UpdateCaCertificates, available: Iterable[str], found: DebianSources) -> None:
    listed = ca_certificates_conf.parse_conf(found.conf)
    if listed.unterminated:
        message = "its last line has no newline, so update-ca-certificates and rootfs-trust ignore it"
        found.warnings.append(CONF_LAST_LINE(tool.conf, message))
    missing = []
    for name in listed.trusted:
        if view.kind(join(tool.shipped, name)) is File:
            found.shipped[name] = read_source_at(view, join(tool.shipped, name))
            found.order.append(name)
        else:
            missing.append(name)
    found.warnings += _missing_sources(view, tool, missing)
    for name in listed.distrusted:
        if view.kind(join(tool.shipped, name)) is File:
            found.distrusted[name] = read_source_at(view, join(tool.shipped, name))
    for name in available:
        if name not in found.shipped and name not in found.distrusted:
            found.unlisted[name] = read_source_at(view, join(tool.shipped, name))


def held(found: DebianSources) -> Held:
    """Return the certificates of the sources, from which selections choose."""
    sources = (*found.shipped.items(), *found.unlisted.items(), *found.distrusted.items())
    names = [name for path, _ in sources for name in (path, stem(path))]
    return Held(
        [each for source in found.shipped.values() for each in source.certificates],
        [each for source in found.local.values() for each in source.certificates],
        [
            each
            for group in (found.distrusted, found.unlisted)
            for source in group.values()
            for each in source.certificates
        ],
        [*names, *map(stem, found.local)],
    )


def _missing_sources(view: View, tool: UpdateCaCertificates, names: Iterable[str]) -> Iterator[Problem]:
    """Yield a warning for each listed name without a file. Names that are only wrong by a CR at the end share one."""
    crlf = {name for name in names if name.endswith("\r") and view.kind(join(tool.shipped, name[:-1])) is File}
    if crlf:
        message = f"has {len(crlf)} lines that end with CRLF, so update-ca-certificates does not find their files"
        hint = f"convert the line endings to LF: sed -i 's/\\r$//' {tool.conf.lstrip('/')}"
        yield CONF_CRLF(tool.conf, message, hint)
    for name in names:
        if name not in crlf:
            path, message = join(tool.shipped, name), f"is listed in {tool.conf}, but does not exist"
            yield SOURCE_MISSING(path, message)


def _local_files(view: View, layout: Layout, tool: UpdateCaCertificates, found: DebianSources) -> list[str]:
    paths = _all_files(view, layout.local) if tool.flat else certificate_files(view, layout.local, follow=True)
    for path in (path for path in paths if "\n" in path):
        found.warnings.append(IGNORED_SOURCE(path, "is ignored: its name contains a newline"))
    if not tool.flat:
        message = "does not end in .crt, so update-ca-certificates does not read it"
        ignored = (path for path in _all_files(view, layout.local) if not path.endswith(".crt"))
        found.warnings += (IGNORED_SOURCE(path, message, "rename it, or delete it") for path in ignored)
    return [path for path in paths if "\n" not in path and not _is_bundle(view, layout, path)]


def _is_bundle(view: View, layout: Layout, path: str) -> bool:
    """Return whether the source is the bundle, which is reached through links. As a source, the bundle would grow with
    each run.
    """
    return path.endswith(".crt") and _resolved_path(view, path) == _resolved_path(view, layout.bundle)


def _resolved_path(view: View, path: str) -> str:
    folder, _, name = path.rpartition("/")
    return view.real_path(path) or join(view.real_path(folder or "/") or folder, name)


def _all_files(view: View, folder: str) -> list[str]:
    paths = [join(folder, name) for name in view.names(folder) if not name.startswith(".")]
    return [path for path in paths if view.kind(path) is File]


def distrusted_names(found: DebianSources, local: AnchorSources, request: Request, plan: StorePlan) -> list[str]:
    """Remove anchors from ``local`` as requested, and return the shipped anchors that get a ``!``."""
    names: list[str] = []
    for wanted in request.remove:
        if wanted.startswith(DIGEST):
            names += _every_copy(found, local, wanted.removeprefix(DIGEST), plan, must=True)
        else:
            names += _names_to_distrust(found, local, wanted, plan)
    for sha256 in sorted(request.distrust):
        names += _every_copy(found, local, sha256, plan, must=False)
    if request.only:
        names += _distrust_everything_else(found, local, request)
    return list(dict.fromkeys(names))


def _names_to_distrust(found: DebianSources, local: AnchorSources, wanted: str, plan: StorePlan) -> list[str]:
    path = next((path for path in local.sources if stem(path) == wanted), None)
    if path is not None:
        plan.warnings += trusted_copies(local.sources[path], found.shipped.values())
        local.remove(path)
        return []
    names = [name for name in found.shipped if wanted in (name, stem(name))]
    if not names and not any(wanted in (name, stem(name)) for name in found.distrusted):
        known = (*local.sources, *found.shipped, *found.distrusted)
        plan.problems.append(not_found(wanted, map(stem, known)))
    return names


def _every_copy(found: DebianSources, local: AnchorSources, sha256: str, plan: StorePlan, *, must: bool) -> list[str]:
    """Remove every copy of the certificate, and return the names of shipped copies. With ``must``, a missing copy is an
    error.
    """
    paths = [source.path for source in sources_with(sha256, local.sources.values())]
    for path in paths:
        local.remove(path, sha256)
    names = [
        name
        for name, source in (found.shipped | found.unlisted).items()
        if any(each.sha256 == sha256 for each in source.certificates)
    ]
    if must and not paths and not names and not any(sources_with(sha256, found.distrusted.values())):
        plan.problems.append(not_found(f"{DIGEST}{sha256}", ()))
    return names


def _distrust_everything_else(found: DebianSources, local: AnchorSources, request: Request) -> list[str]:
    """``base = "none"``: return every shipped anchor, so that each gets a ``!``.

    An empty list would not work, because it makes each run of the tool use --fresh. An anchor that the distribution
    ships is trusted by its copy in the anchor source directory.
    """
    local.keep_only({anchor.certificate.sha256 for anchor in request.anchors})
    return [*found.shipped, *found.unlisted]
