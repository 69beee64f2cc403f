"""The store of Debian and its derivatives, as ``update-ca-certificates --fresh`` writes it.

Sources are the trusted lines of ca-certificates.conf in their order, then the ``.crt`` files of the anchor source
directory in byte order. Each source gets a ``.pem`` link in the hash directory, and its bytes go into the bundle; then
``openssl rehash`` runs. Where the tool has a known defect, this module does what its users expect; docs/layouts.md
lists these cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rootfs_trust.errors import LIST_KEPT, PACKAGE_RESTORES
from rootfs_trust.rootfs.view import Directory, File, View, as_bytes, read
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.anchor_sources import AnchorSources, stem
from rootfs_trust.store.cloud_roots import with_presets
from rootfs_trust.store.debian.ca_certificates_conf import DATABASE, DEBIAN_HEADER, with_distrusted, without_new_roots
from rootfs_trust.store.debian.sources import DebianSources, distrusted_names, find, held
from rootfs_trust.store.hash_links import hash_directory, links_into
from rootfs_trust.store.layout import JAVA_HOOK, JAVA_STORE, Request, StorePlan
from rootfs_trust.store.selection import with_selections
from rootfs_trust.store.source_file import Source, missing_issuers, report_defects, unsourced, without_purposes

_MANGLED = str.maketrans({" ": "_", ",": "_", "(": "=", ")": "="})


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianStore:
    """The layout of Debian's tool and its derivatives. Implements Layout."""

    name: str
    title: str
    releases: str
    facts: tuple[str, ...]
    ids: tuple[str, ...] = ()
    """Values of ID and ID_LIKE in os-release that identify such a system."""
    signs: tuple[str, ...] = ()
    """Paths that distinguish this distribution from others with the same directory of shipped certificates."""
    local: str = "/usr/local/share/ca-certificates"
    suffix: str = ".crt"
    shipped: str = "/usr/share/ca-certificates"
    conf: str = "/etc/ca-certificates.conf"
    conf_header: str = DEBIAN_HEADER
    bundle: str = "/etc/ssl/certs/ca-certificates.crt"
    hash_directory: str = "/etc/ssl/certs"
    flat: bool = False
    link_prefix: str = ""
    """Prefix of the names of links to sources."""
    relative: bool = False
    """Whether links to sources are relative: from the hash directory up to the root."""
    blank_lines: bool = False
    """Whether the bundle has a newline after every source, even if the source ends with one."""
    java: bool = False
    """Whether the distribution has ca-certificates-java, whose hook updates a Java keystore."""
    debconf: bool = False
    """Whether the package asks debconf if it should trust the roots of newer versions."""
    conffile: bool = False
    """Whether the package manager keeps an edited list. If it does, the device never trusts roots that a newer package
    adds.
    """
    list_replaced: bool = False
    """Whether the package manager overwrites an edited list. If it does, the device trusts certificates again that the
    edited list distrusts.
    """
    package_relative: bool = False
    """Whether the package ships relative links, although the tool creates absolute ones on the device."""

    def plan(self, view: View, request: Request) -> StorePlan:
        """Plan the store for ``request``. Implements :meth:`Layout.plan`."""
        plan = StorePlan()
        found = find(view, self)
        plan.warnings += found.warnings
        request = without_purposes(request, plan, self.name)
        request = with_presets(request, [*found.existing, *found.unlisted.values()], plan)
        local = AnchorSources(
            self.local,
            self.link_name,
            dict(found.local),
            tuple(found.shipped.values()),
            tuple(found.distrusted.values()),
        )
        if request.adopt:
            local.adopt()
        request = with_selections(request, held(found), plan, self.name)
        names = distrusted_names(found, local, request, plan)
        for anchor in request.anchors:
            local.add(anchor, only=request.only)
        trusted = [found.shipped[name] for name in found.order if name not in names]
        sources = [*trusted, *(local.sources[path] for path in sorted(local.sources, key=as_bytes))]
        _report(local, found, names, plan)
        _check(view, self, found, sources, request, plan)
        conf = with_distrusted(found.conf, names) if names else found.conf
        if self.conffile and conf != found.conf and not request.only:
            message = (
                "is now a changed configuration file, so the package manager keeps it; new roots in a newer "
                "ca-certificates package will not be trusted automatically"
            )
            plan.warnings.append(LIST_KEPT(self.conf, message))
        if self.list_replaced and conf != found.conf:
            lost = "distrusted certificates are then trusted again"
            message = f"is changed, but the next update of ca-certificates replaces it; {lost}"
            plan.warnings.append(PACKAGE_RESTORES(self.conf, message))
        _write(view, self, found, conf, local, sources, plan)
        if self.java and (view.kind(JAVA_HOOK) or view.kind(JAVA_STORE, follow=False)):
            from rootfs_trust.store.java_keystore import debian_java_store

            links = {self.link_name(source.path): source for source in sources}
            java, java_warnings = debian_java_store(view, links, request.created)
            plan.desired |= java
            plan.warnings += java_warnings
        if request.only and self.debconf:
            plan.desired[DATABASE] = File(without_new_roots(read(view, DATABASE) or b""))
        return plan

    @property
    def outputs(self) -> tuple[str, ...]:
        """The bundle and the hash directory."""
        return self.bundle, self.hash_directory

    @property
    def keystores(self) -> tuple[str, ...]:
        """The keystore of ca-certificates-java, if the distribution has that package."""
        return (JAVA_STORE,) if self.java else ()

    @property
    def reads(self) -> tuple[str, ...]:
        """The source files, for docs/layouts.md."""
        names = "any name, no subdirectories" if self.flat else "`*.crt`, with subdirectories and links"
        return (
            f"`{self.conf}`: lists trusted files in order; a `!` before a line distrusts the file",
            f"`{self.shipped}`: the files in that list",
            f"`{self.local}`: {names}, in byte order",
            f"`{self.hash_directory}`: foreign files, which keep their hash links",
        )

    @property
    def writes(self) -> tuple[str, ...]:
        """The written files, for docs/layouts.md."""
        link = "relative" if self.relative else "absolute"
        lines = [
            f"`{self.conf}` (0644), if it is missing or a certificate is distrusted"
            f"{'; the package manager then keeps it' if self.conffile else ''}"
            f"{'; an update of the package replaces it' if self.list_replaced else ''}",
            f"`{self.local}/NAME.crt` (0644)",
            f"`{self.bundle}` (0644){', a blank line after each source' if self.blank_lines else ''}",
            f"`{self.hash_directory}/{self.link_prefix}NAME.pem`: {link} links to the source files",
            f"`{self.hash_directory}/HASH.N`: relative hash links, new style",
        ]
        if self.java:
            lines.append("`/etc/ssl/certs/java/cacerts`: JKS, if the rootfs has ca-certificates-java or the keystore")
        if self.debconf:
            lines.append(f'`{DATABASE}`: `ca-certificates/trust_new_crts` is `no`, with `base = "none"`')
        return tuple(lines)

    def link_name(self, path: str) -> str:
        """Return the name of a source's link: its base name, with blanks and commas as ``_`` and round brackets as
        ``=``.
        """
        return f"{self.link_prefix}{_mangled(path)}.pem"

    def link_text(self, path: str) -> str:
        """Return the target of the link to the source ``path``."""
        return self._relative(path) if self.relative else path

    def link_target_prefixes(self) -> tuple[str, ...]:
        """Return the prefixes of the targets of links to sources."""
        roots = (f"{self.shipped}/", f"{self.local}/")
        return (*roots, *map(self._relative, roots)) if self.relative or self.package_relative else roots

    def _relative(self, path: str) -> str:
        return f"{'../' * self.hash_directory.count('/')}{path[1:]}"


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
    view: View, layout: DebianStore, found: DebianSources, sources: list[Source], request: Request, plan: StorePlan
) -> None:
    report_defects(sources, plan)
    if not request.drop_unsourced:
        plan.conflicts += unsourced(layout.bundle, read(view, layout.bundle), [*found.existing, *sources])
    plan.warnings += missing_issuers(request.anchors, sources)


# -- writing -----------------------------------------------------------------------------------------------


def _write(
    view: View,
    layout: DebianStore,
    found: DebianSources,
    conf: bytes,
    local: AnchorSources,
    sources: list[Source],
    plan: StorePlan,
) -> None:
    desired = plan.desired
    desired[layout.local] = Directory()
    # The list comes first: if the device's own tool completes an interrupted run, distrusted anchors stay distrusted.
    if conf:
        desired[layout.conf] = File(conf)
    # New sources come before the bundle, so that any tool can complete an interrupted run. Changed sources come
    # after it: until then the old ones explain the certificates in the old bundle.
    desired |= {path: node for path, node in local.changed.items() if path not in found.local}
    desired[layout.bundle] = File(bundle(sources, blank_lines=layout.blank_lines))
    desired |= {path: node for path, node in local.changed.items() if path in found.local}
    # Of two sources with one link name the last one wins, as with the shell's ln -sf.
    links = {layout.link_name(source.path): (layout.link_text(source.path), source) for source in sources}
    stale = links_into(view, layout.hash_directory, layout.link_target_prefixes())
    name = layout.bundle.rpartition("/")[2]
    desired |= hash_directory(view, layout.hash_directory, links, bundle=name, stale=stale)


def bundle(sources: list[Source], *, blank_lines: bool = False) -> bytes:
    r"""Concatenate the sources in order, each ending with a newline: ``sed '$a\\'`` of update-ca-certificates."""
    return b"".join(
        source.data if source.data.endswith(b"\n") and not blank_lines else source.data + b"\n"
        for source in sources
        if source.data or blank_lines
    )
