"""Where the TLS clients of a root filesystem look for certificates, by layout.

A client reads the paths that are compiled into it, unless a variable or a setting names others. The paths that the
distribution's own tool writes are in the layouts (``store/``). All commands that print what is trusted, and
docs/clients.md, use this table.
"""

from __future__ import annotations

from typing import NamedTuple

from rootfs_trust.store.layout import BUNDLES

FILE, EVERY_FILE, P11KIT = "file", "every file", "p11-kit"
"""How GnuTLS reads a path: one file; each file of a directory, whatever its name; the sources of p11-kit in a directory
and its subdirectories."""


class Defaults(NamedTuple):
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


HASH_DIRECTORIES = (
    "/etc/ssl/certs",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted/pem/directory-hash",
    "/var/lib/ca-certificates/openssl",
    "/var/lib/ca-certificates/pem",
    "/etc/ca-certificates/extracted/cadir",
    "/usr/lib/ssl/certs",
    "/usr/lib/ssl-3/certs",
)
"""Directories in which OpenSSL, or a program that uses it, looks up certificates by hash."""

JAVA_STORES = (
    "/etc/ssl/certs/java/cacerts",
    "/etc/pki/ca-trust/extracted/java/cacerts",
    "/etc/pki/java/cacerts",
    "/var/lib/ca-certificates/java-cacerts",
    "/etc/ca-certificates/extracted/java-cacerts.jks",
)
"""Keystores that distributions maintain, and to which their JDKs are linked."""

GO_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
GO_DIRECTORIES = ("/etc/ssl/certs", "/etc/pki/tls/certs")
"""Go reads the first of the files, and every file of both directories (crypto/x509, root_linux.go)."""

_DEBIAN_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_OPENSSL_PROBE = "github.com/tiran/distro-truststore (default paths of OpenSSL in the distributions' images)"

UNKNOWN = Defaults(
    (
        "/usr/lib/ssl/cert.pem",
        "/usr/lib/ssl-3/cert.pem",
        "/etc/pki/tls/cert.pem",
        "/etc/ssl/cert.pem",
        *BUNDLES,
    ),
    (
        "/usr/lib/ssl/certs",
        "/usr/lib/ssl-3/certs",
        "/etc/pki/tls/certs",
        "/etc/ssl/certs",
        "/etc/pki/ca-trust/extracted/pem/directory-hash",
    ),
    FILE,
    (
        _DEBIAN_BUNDLE,
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/pki/tls/cert.pem",
        "/etc/ssl/cert.pem",
    ),
    "the first place that exists, in the order of the distributions' OPENSSLDIR; m4/hooks.m4 of GnuTLS",
)
"""The defaults for a root filesystem without a layout, or without the distribution's own files."""

DEFAULTS: dict[str, Defaults] = {
    "debian": Defaults(
        ("/usr/lib/ssl/cert.pem", _DEBIAN_BUNDLE),
        ("/usr/lib/ssl/certs", "/etc/ssl/certs"),
        FILE,
        (_DEBIAN_BUNDLE,),
        "debian/rules of openssl (OPENSSLDIR /usr/lib/ssl) and of gnutls28 (--with-default-trust-store-file)",
    ),
    "yocto": Defaults(
        ("/usr/lib/ssl-3/cert.pem", "/usr/lib/ssl/cert.pem", _DEBIAN_BUNDLE),
        ("/usr/lib/ssl-3/certs", "/usr/lib/ssl/certs", "/etc/ssl/certs"),
        FILE,
        (_DEBIAN_BUNDLE,),
        "openembedded-core: openssl_3.*.bb (OPENSSLDIR /usr/lib/ssl-3), gnutls (--with-default-trust-store-file)",
    ),
    "alpine": Defaults(
        ("/etc/ssl/cert.pem", _DEBIAN_BUNDLE),
        ("/etc/ssl/certs",),
        FILE,
        (_DEBIAN_BUNDLE, "/etc/ssl/cert.pem"),
        f"aports main/openssl (--openssldir=/etc/ssl); {_OPENSSL_PROBE}",
    ),
    "void": Defaults(
        ("/etc/ssl/cert.pem", _DEBIAN_BUNDLE),
        ("/etc/ssl/certs",),
        FILE,
        (_DEBIAN_BUNDLE,),
        "srcpkgs/openssl (--openssldir=/etc/ssl); m4/hooks.m4 of GnuTLS, which uses the first file of the build host",
    ),
    "gentoo": Defaults(
        ("/etc/ssl/cert.pem", _DEBIAN_BUNDLE),
        ("/etc/ssl/certs",),
        FILE,
        (_DEBIAN_BUNDLE,),
        "dev-libs/openssl (--openssldir=/etc/ssl), net-libs/gnutls (--with-default-trust-store-file)",
    ),
    "slackware": Defaults(
        ("/etc/ssl/cert.pem", _DEBIAN_BUNDLE),
        ("/etc/ssl/certs",),
        FILE,
        (_DEBIAN_BUNDLE,),
        "source/n/openssl (--openssldir=/etc/ssl); m4/hooks.m4 of GnuTLS, which uses the first file of the build host",
    ),
    "fedora": Defaults(
        (
            "/etc/pki/tls/cert.pem",
            "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
            "/etc/pki/tls/certs/ca-bundle.crt",
        ),
        ("/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted/pem/directory-hash"),
        P11KIT,
        ("/etc/pki/ca-trust/source", "/usr/share/pki/ca-trust-source"),
        f"gnutls.spec (--with-default-trust-store-pkcs11); {_OPENSSL_PROBE}",
    ),
    "suse": Defaults(
        ("/var/lib/ca-certificates/ca-bundle.pem", "/etc/ssl/ca-bundle.pem"),
        ("/var/lib/ca-certificates/openssl", "/etc/ssl/certs"),
        EVERY_FILE,
        ("/var/lib/ca-certificates/pem",),
        f"gnutls.spec (--with-default-trust-store-dir=/var/lib/ca-certificates/pem); {_OPENSSL_PROBE}",
    ),
    "arch": Defaults(
        ("/etc/ssl/cert.pem", _DEBIAN_BUNDLE, "/etc/ca-certificates/extracted/tls-ca-bundle.pem"),
        ("/etc/ssl/certs", "/etc/ca-certificates/extracted/cadir"),
        P11KIT,
        ("/etc/ca-certificates/trust-source", "/usr/share/ca-certificates/trust-source"),
        f"PKGBUILD of gnutls (--with-default-trust-store-pkcs11); {_OPENSSL_PROBE}",
    ),
    "buildroot": Defaults(
        ("/etc/ssl/cert.pem", _DEBIAN_BUNDLE),
        ("/etc/ssl/certs",),
        FILE,
        (_DEBIAN_BUNDLE,),
        "package/libopenssl (--openssldir=/etc/ssl), package/gnutls (--with-default-trust-store-file) of Buildroot",
    ),
    "photon": Defaults(
        ("/etc/ssl/cert.pem", "/etc/pki/tls/certs/ca-bundle.crt"),
        ("/etc/ssl/certs",),
        FILE,
        ("/etc/pki/tls/certs/ca-bundle.crt",),
        "openssl.spec (--openssldir=/etc/ssl), gnutls.spec (--with-default-trust-store-file), curl.spec of Photon OS",
    ),
    "openwrt": Defaults(
        ("/etc/ssl/cert.pem", _DEBIAN_BUNDLE),
        ("/etc/ssl/certs",),
        EVERY_FILE,
        ("/etc/ssl/certs",),
        f"packages feed, libs/gnutls (--with-default-trust-store-dir=/etc/ssl/certs/); {_OPENSSL_PROBE}",
    ),
    "bundle-only": UNKNOWN,
}
"""The compiled-in paths of each layout, by its name."""

DIRECTORIES = tuple(
    dict.fromkeys(
        (
            *GO_DIRECTORIES,
            *HASH_DIRECTORIES,
            *(path for row in DEFAULTS.values() if row.gnutls_way == EVERY_FILE for path in row.gnutls),
        )
    )
)
"""Directories in which some client reads every file, although no variable or setting names it."""


class Variable(NamedTuple):
    """An environment variable that makes clients read other files or directories."""

    name: str
    clients: tuple[str, ...]
    """The clients that obey it. If empty, only ``programs`` obey it."""
    adds: bool
    """Whether the client reads the file in addition to its compiled-in paths, rather than instead of them."""
    programs: str
    source: str


VARIABLES = (
    Variable(
        "SSL_CERT_FILE",
        ("openssl-bundle", "go", "rustls-native", "thin-edge-https", "node"),
        False,
        "OpenSSL, Go, rustls-native-certs",
        "X509_get_default_cert_file_env(3); crypto/x509; rustls-native-certs",
    ),
    Variable(
        "SSL_CERT_DIR",
        ("openssl-directory", "go", "rustls-native", "thin-edge-https", "node"),
        False,
        "OpenSSL, Go, rustls-native-certs",
        "X509_get_default_cert_dir_env(3); crypto/x509; rustls-native-certs",
    ),
    Variable("REQUESTS_CA_BUNDLE", ("certifi",), False, "Python's requests, pip", "requests: SSL Cert Verification"),
    Variable("CURL_CA_BUNDLE", ("certifi",), False, "curl, Python's requests", "curl(1); requests"),
    Variable("NODE_EXTRA_CA_CERTS", ("node",), True, "Node.js", "nodejs.org, CLI"),
    Variable("NODE_USE_SYSTEM_CA", ("node",), True, "Node.js", "nodejs.org, CLI"),
    Variable("NODE_OPTIONS", ("node",), True, "Node.js (--use-openssl-ca, --use-system-ca)", "nodejs.org, CLI"),
    Variable("JAVA_TOOL_OPTIONS", ("java",), False, "Java (-Djavax.net.ssl.trustStore)", "JSSE Reference Guide"),
    Variable("JDK_JAVA_OPTIONS", ("java",), False, "Java (-Djavax.net.ssl.trustStore)", "java(1)"),
    Variable("_JAVA_OPTIONS", ("java",), False, "Java (-Djavax.net.ssl.trustStore)", "HotSpot, arguments.cpp"),
    Variable("GIT_SSL_CAINFO", (), False, "git", "git-config(1), http.sslCAInfo"),
    Variable("PIP_CERT", (), False, "pip", "pip, --cert"),
    Variable("AWS_CA_BUNDLE", (), False, "AWS CLI, boto3", "AWS SDKs and Tools Reference Guide"),
    Variable("CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", (), False, "gcloud", "gcloud, core/custom_ca_certs_file"),
    Variable("HTTPLIB2_CA_CERTS", (), False, "httplib2", "httplib2/certs.py"),
    Variable("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", (), False, "gRPC", "grpc, doc/environment_variables.md"),
    Variable("NIX_SSL_CERT_FILE", (), False, "Nix", "Nix Reference Manual"),
    Variable("CARGO_HTTP_CAINFO", (), False, "cargo", "The Cargo Book, http.cainfo"),
    Variable("DENO_CERT", (), True, "Deno", "Deno, environment variables"),
)
"""All environment variables that are looked up in a rootfs."""
