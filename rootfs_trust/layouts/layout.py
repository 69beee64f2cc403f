"""The record of a layout: the trust store of one family of distributions, and the paths that its TLS clients read."""

from __future__ import annotations

from typing import NamedTuple

from rootfs_trust.layouts.tools import BuildrootHook, NoTool, RehashScript, TrustExtract, UpdateCaCertificates

FILE, EVERY_FILE, P11KIT = "file", "every file", "p11-kit"
"""How GnuTLS reads a path: one file; each file of a directory, whatever its name; the sources of p11-kit in a directory
and its subdirectories."""

COMMON_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
    "/etc/ssl/certs/ca-bundle.crt",
    "/etc/pki/tls/certs/ca-certificates.crt",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/cert.pem",
    "/usr/lib/ssl/cert.pem",
    "/usr/lib/ssl-3/cert.pem",
)
"""Paths of CA bundles for TLS, in the order in which they are looked for. The first one is the most common."""


class ClientPaths(NamedTuple):
    """The paths that are compiled into the libraries of one layout. If there are several, the first that exists is
    used.
    """

    openssl_file: tuple[str, ...]
    """X509_CERT_FILE of OpenSSL, then the bundle to which the distribution points programs."""
    openssl_directory: tuple[str, ...]
    """X509_CERT_DIR of OpenSSL, then the hash directory to which the distribution points programs."""
    gnutls_way: str
    """How GnuTLS reads its ``gnutls`` paths: FILE, EVERY_FILE or P11KIT."""
    gnutls: tuple[str, ...]
    source: str
    """The source of these facts."""


OPENSSL_PROBE = "github.com/tiran/distro-truststore (default paths of OpenSSL in the distributions' images)"

_OPENSSL_FILES = (
    "/usr/lib/ssl/cert.pem",
    "/usr/lib/ssl-3/cert.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/cert.pem",
)

UNKNOWN = ClientPaths(
    openssl_file=(*_OPENSSL_FILES, *(path for path in COMMON_BUNDLES if path not in _OPENSSL_FILES)),
    openssl_directory=(
        "/usr/lib/ssl/certs",
        "/usr/lib/ssl-3/certs",
        "/etc/pki/tls/certs",
        "/etc/ssl/certs",
        "/etc/pki/ca-trust/extracted/pem/directory-hash",
    ),
    gnutls_way=FILE,
    gnutls=(
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/pki/tls/cert.pem",
        "/etc/ssl/cert.pem",
    ),
    source="the first place that exists, in the order of the distributions' OPENSSLDIR; m4/hooks.m4 of GnuTLS",
)
"""The paths for a root filesystem without a layout, or without the distribution's own files."""

Tool = UpdateCaCertificates | TrustExtract | BuildrootHook | RehashScript | NoTool
"""The program that writes the store of a distribution. ``store/plan_store.py`` has the code for each."""


class Layout(NamedTuple):
    """A layout. Paths are those of the device."""

    name: str
    """The argument of ``--layout``."""
    title: str
    """The names of the distributions, for messages and documentation."""
    releases: str
    """The releases for which this layout was verified."""
    facts: tuple[str, ...]
    """The sources of the facts about this layout: repositories, commits and files."""
    tool: Tool
    """The distribution's own tool, and how it differs from others of its kind."""
    clients: ClientPaths
    """The paths that TLS clients read."""
    ids: tuple[str, ...] = ()
    """Values of ID and ID_LIKE in os-release that identify such a system."""
    signs: tuple[str, ...] = ()
    """Paths that distinguish this distribution from others with the same directory of shipped certificates."""
    local: str = "/usr/local/share/ca-certificates"
    """The anchor source directory of the administrator, or the bundle if there is none."""
    suffix: str = ".crt"
    """The suffix of the files that ``install`` writes to the anchor source directory."""
    bundle: str = "/etc/ssl/certs/ca-certificates.crt"
    """The bundle: the file of all anchors that most clients read."""
    hash_directory: str = "/etc/ssl/certs"
    """The directory with hash links, or empty if the layout has none."""
    links: tuple[tuple[str, str], ...] = ()
    """Links to store files that the distribution's packages contain, as path and target. The run creates missing ones
    if their directory exists.
    """
    optional_bundle: bool = False
    """Whether the bundle comes from an optional package and not from a tool."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Files and directories of certificates that every run writes. ``check`` reports missing ones."""
        more = self.tool.outputs if isinstance(self.tool, TrustExtract | NoTool) else ()
        paths = (*more, self.bundle, self.hash_directory)
        return tuple(path for path in dict.fromkeys(paths) if path)

    @property
    def tokens(self) -> tuple[str, ...]:
        """The source directories of p11-kit, the administrator's first; empty if the tool is another one."""
        return self.tool.tokens if isinstance(self.tool, TrustExtract) else ()

    @property
    def keystores(self) -> tuple[str, ...]:
        """Java keystores that the distribution's tool maintains."""
        return self.tool.keystores if isinstance(self.tool, TrustExtract | UpdateCaCertificates) else ()

    @property
    def reads(self) -> tuple[str, ...]:
        """The files that the tool reads, in order, one line each, for docs/layouts.md."""
        return self.tool.reads(self)

    @property
    def writes(self) -> tuple[str, ...]:
        """The files that the tool writes, in order, with links and modes, one line each, for docs/layouts.md."""
        return self.tool.writes(self)
