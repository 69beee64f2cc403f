"""The store of Debian and its kin, as ``update-ca-certificates --fresh`` writes it. Pure.

Sources are the trusted lines of ca-certificates.conf in their order, then the local folder's ``.crt`` files in
byte order. Each gets a ``.pem`` link in the hash directory and its bytes in the bundle; then comes ``openssl
rehash``. Where the tool has a known defect we do what its users expect; docs/layouts.md lists those places.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rootfs_trust.errors import Problem
from rootfs_trust.rootfs.view import Directory, File, View, as_bytes, read
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.anchor_sources import LocalFolder, stem
from rootfs_trust.store.cloud_roots import with_presets
from rootfs_trust.store.debian.ca_certificates_conf import DATABASE, DEBIAN_HEADER, with_distrusted, without_new_roots
from rootfs_trust.store.debian.sources import DebianSources, distrusted_names, find, held
from rootfs_trust.store.hash_links import hash_directory, links_into
from rootfs_trust.store.java_keystore import STORE, debian_java_store
from rootfs_trust.store.layout import Request, StorePlan
from rootfs_trust.store.selection import with_selections
from rootfs_trust.store.source_file import Source, judge_sources, missing_issuers, unsourced, without_purposes

_MANGLED = str.maketrans({" ": "_", ",": "_", "(": "=", ")": "="})


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianStore:
    """The layout of Debian's tool and of those that descend from it. Implements Layout."""

    name: str
    title: str
    releases: str
    facts: tuple[str, ...]
    ids: tuple[str, ...] = ()
    """IDs of os-release that are such a system; those of ID_LIKE count, too."""
    signs: tuple[str, ...] = ()
    """Paths that tell it from other systems with the same directory of shipped certificates."""
    local: str = "/usr/local/share/ca-certificates"
    shipped: str = "/usr/share/ca-certificates"
    conf: str = "/etc/ca-certificates.conf"
    conf_header: str = DEBIAN_HEADER
    bundle: str = "/etc/ssl/certs/ca-certificates.crt"
    hash_directory: str = "/etc/ssl/certs"
    flat: bool = False
    link_prefix: str = ""
    """How the names of links to sources begin."""
    relative: bool = False
    """Whether links to sources are relative, from the hash directory up to the root."""
    blank_lines: bool = False
    """Whether the bundle has a newline after every source, also where one ends with a newline."""
    java: bool = False
    """Whether there is ca-certificates-java, whose hook refreshes a Java store."""
    debconf: bool = False
    """Whether the package asks debconf if it may trust roots that a newer version brings."""
    conffile: bool = False
    """Whether the package manager keeps a list that was edited: roots of a newer package then never enter."""
    list_replaced: bool = False
    """Whether the package manager replaces a list that was edited: what it distrusts is then trusted again."""
    package_relative: bool = False
    """Whether the package brings relative links, where the tool makes absolute ones on the device."""

    def answer(self, view: View, request: Request) -> StorePlan:
        """The store that ``request`` makes of the rootfs ``view``."""
        answer = StorePlan()
        found = find(view, self)
        answer.warnings += found.warnings
        request = without_purposes(request, answer, self.name)
        request = with_presets(request, [*found.all, *found.unlisted.values()], answer)
        local = LocalFolder(
            self.local,
            self.link_name,
            dict(found.local),
            tuple(found.shipped.values()),
            tuple(found.distrusted.values()),
        )
        if request.adopt:
            local.adopt()
        request = with_selections(request, held(found), answer, self.name)
        names = distrusted_names(found, local, request, answer)
        for anchor in request.anchors:
            local.add(anchor, only=request.only)
        trusted = [found.shipped[name] for name in found.order if name not in names]
        sources = [*trusted, *(local.sources[path] for path in sorted(local.sources, key=as_bytes))]
        _tell(local, found, names, answer)
        _judge(view, self, found, sources, request, answer)
        conf = with_distrusted(found.conf, names) if names else found.conf
        if self.conffile and conf != found.conf and not request.only:
            answer.warnings.append(_kept(self.conf))
        if self.list_replaced and conf != found.conf:
            answer.warnings.append(_replaced(self.conf))
        _write(view, self, found, conf, local, sources, answer)
        if self.java:
            links = {self.link_name(source.path): source for source in sources}
            java, told = debian_java_store(view, links, request.created)
            answer.desired |= java
            answer.warnings += told
        if request.only and self.debconf:
            answer.desired[DATABASE] = File(without_new_roots(read(view, DATABASE) or b""))
        return answer

    @property
    def outputs(self) -> tuple[str, ...]:
        """See Layout."""
        return self.bundle, self.hash_directory

    @property
    def keystores(self) -> tuple[str, ...]:
        """See Layout."""
        return (STORE,) if self.java else ()

    @property
    def reads(self) -> tuple[str, ...]:
        """See Layout."""
        names = "any name, no subdirectories" if self.flat else "`*.crt`, with subdirectories and links"
        return (
            f"`{self.conf}`: lists trusted files in order; a `!` before a line distrusts the file",
            f"`{self.shipped}`: the files in that list",
            f"`{self.local}`: {names}, in byte order",
            f"`{self.hash_directory}`: foreign files, which keep their hash links",
        )

    @property
    def writes(self) -> tuple[str, ...]:
        """See Layout."""
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
        """The name of a source's link: its base name, blanks and commas as ``_``, round brackets as ``=``."""
        return f"{self.link_prefix}{_mangled(path)}.pem"

    def link_text(self, path: str) -> str:
        """What the link to the source ``path`` holds."""
        return self._relative(path) if self.relative else path

    def link_beginnings(self) -> tuple[str, ...]:
        """How the texts of links to sources begin."""
        roots = (f"{self.shipped}/", f"{self.local}/")
        return (*roots, *map(self._relative, roots)) if self.relative or self.package_relative else roots

    def _relative(self, path: str) -> str:
        return f"{'../' * self.hash_directory.count('/')}{path[1:]}"


@lru_cache(4096)
def _mangled(path: str) -> str:
    """The name in the link of a source; a run asks for each several times, and a fleet for the same ones."""
    return stem(path).translate(_MANGLED)


def _tell(local: LocalFolder, found: DebianSources, names: list[str], answer: StorePlan) -> None:
    answer.installed += local.installed
    answer.removed += local.removed
    for name in names:
        source = (found.shipped | found.unlisted)[name]
        answer.removed += (Anchor(stem(name), each, source.path) for each in source.certificates)
    answer.conflicts += local.conflicts
    answer.warnings += local.warnings


def _kept(conf: str) -> Problem:
    return Problem(
        "list-kept",
        conf,
        "is now a changed configuration file, so the package manager keeps it; new roots in a newer ca-certificates "
        "package will not be trusted automatically",
        "copy their lines from the new package's list when you update the package on the device",
    )


def _replaced(conf: str) -> Problem:
    message = (
        "is changed, but the next update of ca-certificates replaces it; distrusted certificates are then trusted again"
    )
    return Problem("package-restores", conf, message, "run rootfs-trust again after each update of the package")


# -- judging -----------------------------------------------------------------------------------------------


def _judge(
    view: View, layout: DebianStore, found: DebianSources, sources: list[Source], request: Request, answer: StorePlan
) -> None:
    judge_sources(sources, answer)
    if not request.drop_unsourced:
        answer.conflicts += unsourced(layout.bundle, read(view, layout.bundle), [*found.all, *sources])
    answer.warnings += missing_issuers(request.anchors, sources)


# -- writing -----------------------------------------------------------------------------------------------


def _write(
    view: View,
    layout: DebianStore,
    found: DebianSources,
    conf: bytes,
    local: LocalFolder,
    sources: list[Source],
    answer: StorePlan,
) -> None:
    desired = answer.desired
    desired[layout.local] = Directory()
    # The list first: what is distrusted stays so when the device's own tool completes a run that was cut short.
    if conf:
        desired[layout.conf] = File(conf)
    # New sources come before the bundle, so that any tool can complete a run that was cut short; one that
    # takes another's place comes after it, so that the same command still finds the old one accounted for.
    desired |= {path: node for path, node in local.changed.items() if path not in found.local}
    desired[layout.bundle] = File(bundle(sources, blank_lines=layout.blank_lines))
    desired |= {path: node for path, node in local.changed.items() if path in found.local}
    # Of two sources with one link name the last one wins, as with the shell's ln -sf.
    links = {layout.link_name(source.path): (layout.link_text(source.path), source) for source in sources}
    stale = links_into(view, layout.hash_directory, layout.link_beginnings())
    name = layout.bundle.rpartition("/")[2]
    desired |= hash_directory(view, layout.hash_directory, links, bundle=name, stale=stale)


def bundle(sources: list[Source], *, blank_lines: bool = False) -> bytes:
    """Every source's bytes in order, each closed by a newline: ``sed '$a\\'`` of update-ca-certificates."""
    return b"".join(
        source.data if source.data.endswith(b"\n") and not blank_lines else source.data + b"\n"
        for source in sources
        if source.data or blank_lines
    )
