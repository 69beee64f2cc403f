"""The store of a distribution that uses p11-kit, as the distribution's own script calls ``trust extract``.

Sources are the directories of p11-kit's trust module; see ``token``. An added anchor becomes ``NAME.crt`` in the
administrator's ``anchors`` directory; p11-kit reads every file there, whatever its name. A shipped anchor is distrusted
by a copy in the administrator's ``blocklist`` directory: p11-kit then distrusts its key, and its issuer and serial
number, in every output.
"""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.errors import BASE_NONE
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.layouts.tools import TrustExtract
from rootfs_trust.rootfs.view import Absent, Directory, Symlink, View, join, parent, read
from rootfs_trust.store.cloud_roots import with_presets
from rootfs_trust.store.p11kit.formats import ExtractedDirectory
from rootfs_trust.store.p11kit.outputs import (
    Desired,
    bundle_file,
    directory_nodes,
    extracted_directory,
    foreign_files,
    has_hash_links,
    leftovers,
    mirror_nodes,
)
from rootfs_trust.store.p11kit.source_changes import change, held, ineffective_anchors, shared_keys
from rootfs_trust.store.p11kit.sources import find
from rootfs_trust.store.p11kit.token import Token
from rootfs_trust.store.selection import with_selections
from rootfs_trust.store.source_file import Source, missing_issuers, report_defects, unsourced
from rootfs_trust.store.store_plan import Request, StorePlan


def plan_p11kit(layout: Layout, tool: TrustExtract, view: View, request: Request) -> StorePlan:
    """Plan the store for ``request``."""
    plan = StorePlan()
    found = find(view, tool.tokens)
    everything = [Source(each.path, b"", (each.certificate,)) for each in found.entries if each.certificate]
    request = with_presets(request, everything, plan)
    request = with_selections(request, held(found), plan, layout.name, blocklist=True)
    changes = change(found, request, plan)
    tokens = found.changed({**changes.anchors, **changes.blocklist})
    report_defects((each for path, each in found.local().items() if path not in changes.anchors), plan)
    if not request.drop_unsourced:
        given = Source("", b"", tuple(anchor.certificate for anchor in request.anchors))
        plan.conflicts += unsourced(layout.bundle, read(view, layout.bundle), [*everything, given])
    plan.conflicts += shared_keys(tokens[0], plan.installed)
    _report(tool, tokens, request, plan)
    present = {file.path for file in found.files[0]}
    plan.desired |= {layout.local: Directory(), **changes.before(present)}
    _write_outputs(view, layout, tool, tokens, plan, request.created)
    plan.desired |= changes.after(present)
    return plan


def _report(tool: TrustExtract, tokens: list[Token], request: Request, plan: StorePlan) -> None:
    certificates = [each.certificate for token in tokens for each in token.entries if each.trusted]
    sources = [Source("", b"", tuple(each for each in certificates if each))]
    plan.warnings += missing_issuers(request.anchors, sources)
    plan.warnings += ineffective_anchors(tokens, request.anchors)
    if request.only:
        message = "lists every root that is shipped now; a later version of the distribution's package may add roots"
        plan.warnings.append(BASE_NONE(join(tool.tokens[0], "blocklist"), message))


def _write_outputs(
    view: View, layout: Layout, tool: TrustExtract, tokens: list[Token], plan: StorePlan, created: int | None
) -> None:
    nodes: Desired = {}
    for bundle in tool.bundles:
        nodes[bundle.path] = bundle_file(view, bundle, tokens, last_name=tool.last_name, created=created)
    made = ExtractedDirectory()
    for folder in tool.directories:
        made = extracted_directory(folder, tokens, last_name=tool.last_name)
        nodes |= directory_nodes(folder, made)
    if tool.mirror:
        nodes |= mirror_nodes(view, tool.mirror, made)
    nodes |= dict(_missing_links(view, layout, tool, _parent_directories(nodes)))
    for folder in tool.directories:
        nodes |= dict.fromkeys(leftovers(view, folder.path, nodes), Absent())
        plan.warnings += foreign_files(view, folder.path, nodes)
    plan.desired |= nodes


def _missing_links(view: View, layout: Layout, tool: TrustExtract, made: set[str]) -> Iterator[tuple[str, Symlink]]:
    """Yield those of ``links`` that the run writes. ``made`` are the directories that the outputs create."""
    if tool.mirror and tool.mirror.as_found and has_hash_links(view, tool.mirror):
        return  # newer releases no longer have these links
    for path, text in layout.links:
        node = view.node(path)
        has_directory = parent(path) in made or view.kind(parent(path)) is Directory
        if node == Symlink(text) or (node is None and has_directory):
            yield path, Symlink(text)


def _parent_directories(nodes: Desired) -> set[str]:
    """Return the parent directories of all paths in ``nodes``."""
    folders: set[str] = set()
    for path in nodes:
        while (path := parent(path)) not in folders:
            folders.add(path)
    return folders
