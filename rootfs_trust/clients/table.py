"""Where the TLS clients of a root filesystem look for certificates on every layout, and which variables change that.

What is compiled into the clients of one layout is in its record (``layouts/``). All commands that print what is
trusted, and docs/clients.md, use both.
"""

from __future__ import annotations

from typing import NamedTuple

from rootfs_trust.layouts import LAYOUTS
from rootfs_trust.layouts.layout import EVERY_FILE
from rootfs_trust.layouts.tools import JAVA_STORE, TrustExtract
from rootfs_trust.layouts.with_p11kit import ARCH, FEDORA, P11KITS, SUSE

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

_BY_LAYOUT = [layout.clients for layout in LAYOUTS.values()]
_EVERY_FILE = [path for each in _BY_LAYOUT if each.gnutls_way == EVERY_FILE for path in each.gnutls]

P11KIT_DIRECTORIES = tuple(
    each.path for layout in P11KITS if isinstance(layout.tool, TrustExtract) for each in layout.tool.directories
)
"""Hash directories that ``trust extract`` writes."""

HASH_DIRECTORIES = tuple(
    dict.fromkeys(
        (*GO_DIRECTORIES, *P11KIT_DIRECTORIES, *(path for each in _BY_LAYOUT for path in each.openssl_directory))
    )
)
"""Directories in which OpenSSL, or a program that uses it, looks up certificates by hash."""

DIRECTORIES = tuple(dict.fromkeys((*HASH_DIRECTORIES, *_EVERY_FILE)))
"""Directories in which some client reads every file, although no variable or setting names it."""

JAVA_STORES = (JAVA_STORE, *FEDORA.keystores, "/etc/pki/java/cacerts", *SUSE.keystores, *ARCH.keystores)
"""Keystores that distributions maintain, and to which their JDKs are linked."""


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
