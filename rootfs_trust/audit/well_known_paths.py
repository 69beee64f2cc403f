"""Well-known paths of trust stores and their source files in root filesystems of all distributions.

The audit reads a tree by this table and not by the layout that wrote it, so a store at a wrong path does not count. The
paths that TLS clients read are in :mod:`rootfs_trust.clients.table`; the others belong to the distributions' tools.
"""

from __future__ import annotations

from rootfs_trust import layouts
from rootfs_trust.clients import table
from rootfs_trust.layouts.tools import TrustExtract, UpdateCaCertificates
from rootfs_trust.layouts.with_p11kit import P11KITS
from rootfs_trust.layouts.without_p11kit import BUILDROOT, DEBIAN
from rootfs_trust.x509.oids import CODE_SIGNING, EMAIL

BUNDLES, HASH_DIRECTORIES, JAVA_STORES = layouts.BUNDLES, table.HASH_DIRECTORIES, table.JAVA_STORES
"""The paths that TLS clients read, in the order in which they look for them."""

_P11KIT_BUNDLES = [
    bundle for layout in P11KITS if isinstance(layout.tool, TrustExtract) for bundle in layout.tool.bundles
]

EMAIL_BUNDLES = tuple(each.path for each in _P11KIT_BUNDLES if each.purpose == EMAIL)

CODE_BUNDLES = tuple(each.path for each in _P11KIT_BUNDLES if each.purpose == CODE_SIGNING)

CONF, LISTED = UpdateCaCertificates().conf, UpdateCaCertificates().shipped
"""The list of certificates of Debian-like tools, and the directory of the listed files."""

DEBIAN_LOCAL = DEBIAN.local
"""The anchor source directory of Debian-like tools."""

P11KIT_SOURCES = (*(layout.tokens[0] for layout in P11KITS), *(layout.tokens[1] for layout in P11KITS))
"""The source directories that p11-kit reads: those of administrators, then those of packages."""

LOCAL_SOURCES = (DEBIAN_LOCAL, *(layout.tokens[0] for layout in P11KITS), BUILDROOT.local)
"""Directories with source files of the administrator, from which the distributions' tools generate the stores."""

SHIPPED_SOURCES = (
    LISTED,
    *(layout.tokens[1] for layout in P11KITS if not layout.tokens[1].startswith(f"{LISTED}/")),
)
"""Directories with source files of packages, without those that are below another one."""

BLOCKLISTS = ("blocklist", "blacklist")
"""Subdirectories of p11-kit source directories whose certificates are distrusted."""

P11KIT_DIRECTORIES = table.P11KIT_DIRECTORIES
"""Hash directories whose certificate files ``trust extract`` writes, so no file in them was added by hand."""
