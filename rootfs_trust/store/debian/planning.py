"""The store of Debian and its derivatives, as ``update-ca-certificates --fresh`` writes it.

Sources are the trusted lines of ca-certificates.conf in their order, then the ``.crt`` files of the anchor source
directory in byte order. Each source gets a ``.pem`` link in the hash directory, and its bytes go into the bundle; then
``openssl rehash`` runs. Where the tool has a known defect, this module does what its users expect; docs/layouts.md
lists these cases.
"""

from __future__ import annotations

from functools import lru_cache, partial

from rootfs_trust.errors import LIST_KEPT, PACKAGE_RESTORES
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.layouts.tools import DEBCONF_DATABASE, JAVA_HOOK, JAVA_STORE, UpdateCaCertificates
from rootfs_trust.rootfs.view import Directory, File, Symlink, View, as_bytes, read
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.anchor_sources import AnchorSources, stem
from rootfs_trust.store.cloud_roots import with_presets
from rootfs_trust.store.debian.ca_certificates_conf import with_distrusted, without_new_roots
from rootfs_trust.store.debian.sources import DebianSources, distrusted_names, find, held
from rootfs_trust.store.hash_links import hash_directory, links_into
from rootfs_trust.store.selection import with_selections
from rootfs_trust.store.source_file import Source, missing_issuers, report_defects, unsourced, without_purposes
from rootfs_trust.store.store_plan import Request, StorePlan

_MANGLED = str.maketrans({" ": "_", ",": "_", "(": "=", ")": "="})


def plan_debian(layout: Layout, tool: UpdateCaCertificates, view: View, request: Request) -> StorePlan:
    """Plan the store for ``request``."""
    plan = StorePlan()
    found = find(view, layout, tool)
    plan.warnings += found.warnings
    request = without_purposes(request, plan, layout.name)
    request = with_presets(request, [*found.existing, *found.unlisted.values()], plan)
    local = AnchorSources(
        layout.local,
        partial(link_name, tool),
        dict(found.local),
        tuple(found.shipped.values()),
        tuple(found.distrusted.values()),
    )
    if request.adopt:
        local.adopt()
    request = with_selections(request, held(found), plan, layout.name)
    names = distrusted_names(found, local, request, plan)
    for anchor in request.anchors:
        local.add(anchor, only=request.only)
    trusted = [found.shipped[name] for name in found.order if name not in names]
    sources = [*trusted, *(local.sources[path] for path in sorted(local.sources, key=as_bytes))]
    _report(local, found, names, plan)
    _check(view, layout, found, sources, request, plan)
    conf = with_distrusted(found.conf, names) if names else found.conf
    if tool.conffile and conf != found.conf and not request.only:
        message = (
            "is now a changed configuration file, so the package manager keeps it; new roots in a newer "
            "ca-certificates package will not be trusted automatically"
        )
        plan.warnings.append(LIST_KEPT(tool.conf, message))
    if tool.list_replaced and conf != found.conf:
        lost = "distrusted certificates are then trusted again"
        message = f"is changed, but the next update of ca-certificates replaces it; {lost}"
        plan.warnings.append(PACKAGE_RESTORES(tool.conf, message))
    _write(view, layout, tool, found, conf, local, sources, plan)
    if tool.java and (view.kind(JAVA_HOOK) or view.kind(JAVA_STORE, follow=False)):
        from rootfs_trust.store.java_keystore import debian_java_store

        links = {link_name(tool, source.path): source for source in sources}
        java, java_warnings = debian_java_store(view, links, request.created)
        plan.desired |= java
        plan.warnings += java_warnings
    if request.only and tool.debconf:
        plan.desired[DEBCONF_DATABASE] = File(without_new_roots(read(view, DEBCONF_DATABASE) or b""))
    return plan


def link_name(tool: UpdateCaCertificates, path: str) -> str:
    """Return the name of a source's link: its base name, with blanks and commas as ``_`` and round brackets as
    ``=``.
    """
    return f"{tool.link_prefix}{_mangled(path)}.pem"


def link_text(layout: Layout, tool: UpdateCaCertificates, path: str) -> str:
    """Return the target of the link to the source ``path``."""
    return _relative(layout, path) if tool.relative else path


def link_target_prefixes(layout: Layout, tool: UpdateCaCertificates) -> tuple[str, ...]:
    """Return the prefixes of the targets of links to sources."""
    roots = (f"{tool.shipped}/", f"{layout.local}/")
    if not (tool.relative or tool.package_relative):
        return roots
    return (*roots, *(_relative(layout, root) for root in roots))


def _relative(layout: Layout, path: str) -> str:
    return f"{'../' * layout.hash_directory.count('/')}{path[1:]}"


@lru_cache(4096)
def _mangled(path: str) -> str:
    """Return the link name of a source file. Cached, because a run needs it several times, and a fleet has the same
    names.
    """
    return stem(path).translate(_MANGLED)


def _report(local: AnchorSources, found: DebianSources, names: list[str], plan: StorePlan) -> None:
    plan.installed += local.installed
    plan.removed += local.removed
    for name in names:
        source = (found.shipped | found.unlisted)[name]
        plan.removed += (Anchor(stem(name), each, source.path) for each in source.certificates)
    plan.conflicts += local.conflicts
    plan.warnings += local.warnings


# -- checking -----------------------------------------------------------------------------------------------


def _check(
    view: View, layout: Layout, found: DebianSources, sources: list[Source], request: Request, plan: StorePlan
) -> None:
    report_defects(sources, plan)
    if not request.drop_unsourced:
        plan.conflicts += unsourced(layout.bundle, read(view, layout.bundle), [*found.existing, *sources])
    plan.warnings += missing_issuers(request.anchors, sources)


# -- writing -----------------------------------------------------------------------------------------------


def _write(
    view: View,
    layout: Layout,
    tool: UpdateCaCertificates,
    found: DebianSources,
    conf: bytes,
    local: AnchorSources,
    sources: list[Source],
    plan: StorePlan,
) -> None:
    desired = plan.desired
    desired[layout.local] = Directory()
    # The list comes first: if the device's own tool completes an interrupted run, distrusted anchors stay distrusted.
    if conf and not _is_link_to(view, tool.conf, conf):
        desired[tool.conf] = File(conf)
    # New sources come before the bundle, so that any tool can complete an interrupted run. Changed sources come
    # after it: until then the old ones explain the certificates in the old bundle.
    desired |= {path: node for path, node in local.changed.items() if path not in found.local}
    desired[layout.bundle] = File(bundle(sources, blank_lines=tool.blank_lines))
    desired |= {path: node for path, node in local.changed.items() if path in found.local}
    # Of two sources with one link name the last one wins, as with the shell's ln -sf.
    links = {link_name(tool, source.path): (link_text(layout, tool, source.path), source) for source in sources}
    stale = links_into(view, layout.hash_directory, link_target_prefixes(layout, tool))
    name = layout.bundle.rpartition("/")[2]
    desired |= hash_directory(view, layout.hash_directory, links, bundle=name, stale=stale)


def _is_link_to(view: View, path: str, content: bytes) -> bool:
    """Return whether ``path`` is a link to a file with ``content``: Chimera Linux links its list to the package's."""
    return view.kind(path, follow=False) is Symlink and read(view, path) == content


def bundle(sources: list[Source], *, blank_lines: bool = False) -> bytes:
    r"""Concatenate the sources in order, each ending with a newline: ``sed '$a\\'`` of update-ca-certificates."""
    return b"".join(
        source.data if source.data.endswith(b"\n") and not blank_lines else source.data + b"\n"
        for source in sources
        if source.data or blank_lines
    )
