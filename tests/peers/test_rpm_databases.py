"""rpm makes a database, and the names and versions in it are those that rpm lists.

Debian's rpm is built without ndb, so only a database of sqlite is made here.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from rootfs_trust.rootfs.rpm_databases import rpm_packages
from tests.support.peers import PLAIN_ENVIRONMENT, peer

SPEC = """
Name: openssl-libs
Epoch: 1
Version: 3.5.1
Release: 4.fc43
Summary: A library
License: Apache-2.0
BuildArch: noarch
%description
A library.
%files
%package -n tedge
Summary: A gateway
Version: 2.0.1~rc1
Release: 1
%description -n tedge
A gateway.
%files -n tedge
"""


def run(program: str, *arguments: str, home: Path) -> str:
    environment = PLAIN_ENVIRONMENT | {"HOME": str(home)}
    done = subprocess.run([peer(program), *arguments], check=True, capture_output=True, text=True, env=environment)
    return done.stdout


def test_rpm_lists_the_same_packages(tmp_path):
    spec, database, top = tmp_path / "a.spec", tmp_path / "db", tmp_path / "top"
    spec.write_text(SPEC)
    run("rpmbuild", "-bb", "--define", f"_topdir {top}", str(spec), home=tmp_path)
    kind = ("--define", "_db_backend sqlite", "--dbpath", str(database))
    run("rpm", *kind, "--initdb", home=tmp_path)
    packages = [str(path) for path in top.rglob("*.rpm")]
    run("rpm", *kind, "-i", "--justdb", "--nodeps", "--force-debian", *packages, home=tmp_path)
    listed = run("rpm", *kind, "-qa", "--queryformat", "%{NAME} %{VERSION}-%{RELEASE}\n", home=tmp_path)
    ours = rpm_packages((database / "rpmdb.sqlite").read_bytes())
    assert sorted(f"{package} {version}" for package, version in ours) == sorted(listed.splitlines())
    assert len(packages) == 2
