"""Environment variables for programs that read a bundle by name. They replace a program's roots, so they name the
system's bundle.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rootfs_trust.errors import ENVIRONMENT_FEW_ROOTS, Problem
from rootfs_trust.rootfs.view import read
from rootfs_trust.runtimes.find import CERTIFI
from rootfs_trust.runtimes.request import RuntimePlan, RuntimeRequest, RuntimeTree
from rootfs_trust.x509 import blocks

NAME = "environment"


class EnvironmentVariable(NamedTuple):
    """A variable, signs of a program that reads it, and its documentation."""

    variable: str
    source: str
    files: tuple[str, ...] = ()
    """Paths of programs."""
    store: str = ""
    """The end of the path of a bundle in a Python package."""


PROGRAMS = (
    EnvironmentVariable("SSL_CERT_FILE", "OpenSSL, X509_get_default_cert_file_env(3); Go, crypto/x509"),
    EnvironmentVariable("REQUESTS_CA_BUNDLE", "requests, SSL Cert Verification", store="/certifi/cacert.pem"),
    EnvironmentVariable("CURL_CA_BUNDLE", "curl(1), --cacert", ("/usr/bin/curl", "/usr/local/bin/curl")),
    EnvironmentVariable("GIT_SSL_CAINFO", "git-config(1), http.sslCAInfo", ("/usr/bin/git", "/usr/local/bin/git")),
    EnvironmentVariable("PIP_CERT", "pip, --cert", store="/pip/_vendor/certifi/cacert.pem"),
    EnvironmentVariable("AWS_CA_BUNDLE", "AWS SDKs and Tools Reference Guide, ca_bundle", store="/botocore/cacert.pem"),
    EnvironmentVariable(
        "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
        "gcloud, core/custom_ca_certs_file",
        ("/usr/bin/gcloud", "/usr/lib/google-cloud-sdk/bin/gcloud", "/opt/google-cloud-sdk/bin/gcloud"),
    ),
    EnvironmentVariable("HTTPLIB2_CA_CERTS", "httplib2, certs.py"),
    EnvironmentVariable("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "gRPC, doc/environment_variables.md"),
    EnvironmentVariable(
        "NIX_SSL_CERT_FILE", "Nix Reference Manual", ("/usr/bin/nix", "/nix/var/nix/profiles/default/bin/nix")
    ),
    EnvironmentVariable(
        "CARGO_HTTP_CAINFO",
        "The Cargo Book, http.cainfo",
        ("/usr/bin/cargo", "/usr/local/cargo/bin/cargo", "/root/.cargo/bin/cargo"),
    ),
    EnvironmentVariable("DENO_CERT", "Deno, environment variables", ("/usr/bin/deno", "/usr/local/bin/deno")),
)
"""Every variable that is set."""


def present(tree: RuntimeTree) -> bool:
    """Return whether the root filesystem has a program that reads one of the variables."""
    return any(True for _ in _found_programs(tree))


def plan(tree: RuntimeTree, request: RuntimeRequest) -> RuntimePlan:
    """Plan the variables; none if there are no anchors.

    With ``all_variables``, also those of programs that are not found, and also if the bundle has no public root.
    Without it, they are not set then: they would remove the public roots of programs that have the anchors in a
    separate store.
    """
    result = RuntimePlan()
    if not request.anchors or not request.bundle:
        return result
    result.warnings += _lost_roots(tree, request)
    if request.all_variables:
        result.variables = {program.variable: request.bundle for program in PROGRAMS}
    elif not result.warnings:
        result.variables = {program.variable: request.bundle for program in _found_programs(tree)}
    return result


def _found_programs(tree: RuntimeTree) -> Iterator[EnvironmentVariable]:
    stores = tree.search.paths(CERTIFI)
    for program in PROGRAMS:
        in_python = program.store and any(path.endswith(program.store) for path in stores)
        if in_python or any(tree.view.kind(path) for path in program.files):
            yield program


def _lost_roots(tree: RuntimeTree, request: RuntimeRequest) -> Iterator[Problem]:
    """Yield a warning if the bundle has only the anchors: the programs would no longer trust any public root."""
    count = len(blocks(read(tree.view, request.bundle) or b""))
    if count <= len(request.anchors):
        set_ = "are set anyway" if request.all_variables else "are not set"
        message = f"has no root but the installed ones; variables that would make programs trust only those {set_}"
        yield ENVIRONMENT_FEW_ROOTS(request.bundle, message)
