"""Well-known paths of trust stores and their source files in root filesystems of all distributions.

The audit reads a tree by this table and not by the layout that wrote it, so a store at a wrong path does not count. The
paths that TLS clients read are in :mod:`rootfs_trust.clients.table`; the others belong to the distributions' tools.
"""

from __future__ import annotations

from rootfs_trust.clients import table
from rootfs_trust.layouts import layout

BUNDLES, HASH_DIRECTORIES, JAVA_STORES = layout.BUNDLES, table.HASH_DIRECTORIES, table.JAVA_STORES
"""The paths that TLS clients read, in the order in which they look for them."""

EMAIL_BUNDLES = (
    "/etc/pki/ca-trust/extracted/pem/email-ca-bundle.pem",
    "/etc/ca-certificates/extracted/email-ca-bundle.pem",
)

CODE_BUNDLES = (
    "/etc/pki/ca-trust/extracted/pem/objsign-ca-bundle.pem",
    "/etc/ca-certificates/extracted/objsign-ca-bundle.pem",
)

LOCAL_SOURCES = (
    "/usr/local/share/ca-certificates",
    "/etc/pki/ca-trust/source",
    "/etc/pki/trust",
    "/etc/ca-certificates/trust-source",
    "/usr/share/ca-certificates/local",
)
"""Directories with source files of the administrator, from which the distributions' tools generate the stores."""

SHIPPED_SOURCES = (
    "/usr/share/ca-certificates",
    "/usr/share/pki/ca-trust-source",
    "/usr/share/pki/trust",
)
"""Directories with source files of packages."""

CONF, LISTED = "/etc/ca-certificates.conf", "/usr/share/ca-certificates"
"""The list of certificates of Debian-like tools, and the directory of the listed files."""

DEBIAN_LOCAL = "/usr/local/share/ca-certificates"
"""The anchor source directory of Debian-like tools."""

BLOCKLISTS = ("blocklist", "blacklist")
"""Subdirectories of p11-kit source directories whose certificates are distrusted."""

P11KIT_DIRECTORIES = (
    "/etc/pki/ca-trust/extracted/pem/directory-hash",
    "/var/lib/ca-certificates/pem",
    "/var/lib/ca-certificates/openssl",
    "/etc/ca-certificates/extracted/cadir",
)
"""Hash directories whose certificate files ``trust extract`` writes, so no file in them was added by hand."""

P11KIT_SOURCES = (
    "/etc/pki/ca-trust/source",
    "/etc/pki/trust",
    "/etc/ca-certificates/trust-source",
    "/usr/share/pki/ca-trust-source",
    "/usr/share/pki/trust",
    "/usr/share/ca-certificates/trust-source",
)
"""The source directories that p11-kit reads."""
