"""The variables of programs that read a bundle by name, as the documentation of each program spells them."""

from __future__ import annotations

import pytest

from rootfs_trust.runtimes import environment
from rootfs_trust.runtimes.request import RuntimeTree
from tests.support.memory import File, MemoryTree
from tests.unit.runtimes.table import BUNDLE, OURS, REQUEST, SITE, THEIRS

ROOTS = {BUNDLE: File(THEIRS.pem + OURS.pem)}
PROGRAMS = {
    "/usr/bin/curl": "CURL_CA_BUNDLE",
    "/usr/local/bin/curl": "CURL_CA_BUNDLE",
    "/usr/bin/git": "GIT_SSL_CAINFO",
    "/usr/local/bin/git": "GIT_SSL_CAINFO",
    f"{SITE}/certifi/cacert.pem": "REQUESTS_CA_BUNDLE",
    f"{SITE}/pip/_vendor/certifi/cacert.pem": "PIP_CERT",
    f"{SITE}/botocore/cacert.pem": "AWS_CA_BUNDLE",
    "/usr/bin/gcloud": "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "/usr/lib/google-cloud-sdk/bin/gcloud": "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "/opt/google-cloud-sdk/bin/gcloud": "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "/usr/bin/nix": "NIX_SSL_CERT_FILE",
    "/nix/var/nix/profiles/default/bin/nix": "NIX_SSL_CERT_FILE",
    "/usr/bin/cargo": "CARGO_HTTP_CAINFO",
    "/usr/local/cargo/bin/cargo": "CARGO_HTTP_CAINFO",
    "/root/.cargo/bin/cargo": "CARGO_HTTP_CAINFO",
    "/usr/bin/deno": "DENO_CERT",
    "/usr/local/bin/deno": "DENO_CERT",
}
NEVER_FOUND = {"SSL_CERT_FILE", "HTTPLIB2_CA_CERTS", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"}
"""Libraries, which no path shows."""


def variables(files, request=REQUEST):
    return environment.plan(RuntimeTree(MemoryTree({**ROOTS, **files}), {BUNDLE}), request).variables


@pytest.mark.parametrize("path", PROGRAMS)
def test_a_program_in_the_tree_gets_its_variable(path):
    found = variables({path: File(THEIRS.pem)}, REQUEST._replace(all_variables=False))
    assert found[PROGRAMS[path]] == BUNDLE
    # pip's copy of certifi is also a certifi.
    assert set(found) <= {PROGRAMS[path], "REQUESTS_CA_BUNDLE"}


def test_all_variables_are_those_of_every_program():
    assert variables({}) == dict.fromkeys({*PROGRAMS.values(), *NEVER_FOUND}, BUNDLE)


def test_a_tree_without_such_a_program_gets_no_variable():
    assert variables({}, REQUEST._replace(all_variables=False)) == {}
