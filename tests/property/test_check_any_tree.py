"""Whatever a tree contains, ``check`` answers with findings: no content, no name and no link makes it fail."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rootfs_trust.audit import well_known_paths
from rootfs_trust.audit.check import KINDS, CheckRequest, findings, inspect
from rootfs_trust.inputs.policy import Policy
from rootfs_trust.rootfs.view import Owner
from rootfs_trust.store.jks import keystore
from rootfs_trust.store.selection import Selection
from tests.support.authority import NOW, Authority, pkcs7_pem
from tests.support.memory import Directory, File, MemoryTree, Special, Symlink

ONE, TWO = Authority("One CA"), Authority("Two CA", not_after=NOW)
HASH = "/etc/ssl/certs/0123abcd.0"
PLACES = (
    *well_known_paths.BUNDLES,
    *well_known_paths.JAVA_STORES,
    HASH,
    "/etc/ssl/certs/one.pem",
    "/etc/ssl/certs/ABCDEF01.r00",
    "/etc/ssl/certs/n\nl.crt",
    "/etc/ca-certificates.conf",
    "/etc/pki/ca-trust/source/blocklist/one.crt",
    "/etc/pki/ca-trust/source/anchors/one.crt",
    "/usr/local/share/ca-certificates/one.crt",
    "/usr/local/share/ca-certificates/M\udcfcller.pem",
    "/usr/share/ca-certificates/mozilla/one.crt",
    "/usr/lib/python3.12/site-packages/certifi/cacert.pem",
    "/usr/lib/jvm/a/lib/security/cacerts",
    "/usr/bin/node",
    "/usr/lib/clock-epoch",
    "/etc/environment",
    "/etc/passwd",
    "/etc/group",
    "/etc/tedge/tedge.toml",
    "/etc/tedge/mappers/c8y/mapper.toml",
    "/etc/tedge/mappers/mine/mapper.toml",
    "/etc/rpm-postinsts/1-ca-certificates",
    "/var/lib/dpkg/status",
)
CONTENTS = (
    b"",
    ONE.pem,
    ONE.der,
    ONE.pem + TWO.pem,
    ONE.pem.rstrip() + TWO.pem,
    ONE.key_pem,
    ONE.pkcs12,
    pkcs7_pem(ONE, TWO),
    keystore([("one", ONE.der), ("two", b"no certificate")], 1),
    b"\xfe\xed\xfe\xed\x00\x00\x00\x02\xff\xff\xff\xff",
    b"mozilla/one.crt\n!mozilla/one.crt\r\n\n#",
    b'[config]\nversion = 2\n[c8y]\nroot_cert_path = ["x"]\n',
    b'config = 1\nc8y = "x"\n[mqtt.bridge]\nbuilt_in = 3\n',
    b'[c8y]\nurl = 1\nroot_cert_path = "/etc/ssl/certs"\nprofiles = 3\nproxy = 4\n[device]\nroot_cert_path = ".."\n',
    b"NODE_EXTRA_CA_CERTS=/etc/ssl/certs/one.pem\nNODE_EXTRA_CA_CERTS=\n",
    b"Package: ca-certificates\nStatus:\n\nPackage: tedge\nVersion: 2\n",
    b"tedge:x:951:950::/:\n\xff:" + b":" * 100,
)
MODES = st.sampled_from([0, 0o644, 0o600, 0o777, 0o4755])
DATA = st.one_of(
    st.sampled_from(CONTENTS),
    st.binary(max_size=60),
    st.sampled_from(CONTENTS).flatmap(
        lambda data: st.integers(0, len(data)).map(lambda end: data[:end] + b"\x00-----BEGIN " + data[end:])
    ),
)
NODES = st.one_of(
    st.builds(File, DATA, st.builds(Owner, st.integers(0, 2**32), st.just(0)), MODES),
    st.builds(Symlink, st.sampled_from([*PLACES, "/", "..", "", "one.pem", "/build/etc/passwd"])),
    st.builds(Directory, st.none(), MODES),
    st.just(Special("FIFO")),
)
POLICY = Policy(min_days_left=9000, require_ca=True, strict=True, forbid=(Selection("", frozenset((ONE.sha256,))),))


@settings(max_examples=300, deadline=None)
@given(entries=st.dictionaries(st.sampled_from(PLACES), NODES, max_size=12))
def test_any_tree_gives_findings(entries):
    # A file in place of a directory also replaces the entries of that directory.
    tree = MemoryTree({path: node for path, node in entries.items()})
    for finding in findings(inspect(tree, CheckRequest(POLICY, NOW))):
        assert KINDS[finding.id] is finding.kind
        assert finding.level in finding.kind.levels
        assert finding.path and finding.message and finding.fix
