"""Programs of a real Debian tree, run over the trust store of a small tree as if both were one device.

The directories of the small tree that a trust store is made of are mounted over those of the real one, in a mount
namespace that ends with the program; the program runs under chroot, so that absolute links lead where the device's
would. It is entered by bind mounts, never by paths of the small tree, so that none of its links can lead outside.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.peers import PLAIN_ENVIRONMENT, needs_mounts, peer

_OVER = ("etc/ssl", "etc/ca-certificates.conf", "usr/share/ca-certificates", "usr/local/share/ca-certificates")
_RUN = """
root=$1; shift
while [ "$1" != -- ]; do mount --bind "$1" "$root/$2" || { echo "no mount" >&2; exit 99; }; shift 2; done
shift
exec chroot "$root" "$@"
"""
UPDATE, REHASH = "usr/sbin/update-ca-certificates", "usr/bin/c_rehash"


class Device:
    """``base`` is the unpacked real tree; ``over`` are files that replace those of the tree."""

    def __init__(self, base: Path, over: Mapping[str, Path] | None = None) -> None:
        needs_mounts()
        self._base = base
        self._over = dict(over or {})

    def run(self, tree: Path, *words: str) -> str:
        """What the program says on standard output; it has to succeed."""
        mounts = {name: tree / name for name in _OVER if (tree / name).exists()} | self._over
        done = subprocess.run(
            [
                *(peer("unshare"), "-m", "sh", "-c", _RUN, "sh", self._base),
                *(word for name, source in mounts.items() for word in (source, name)),
                *("--", *words),
            ],
            env=PLAIN_ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def as_oe_patches_it(script: str, *, sysroot: bool = False) -> str:
    """Debian's update-ca-certificates with the differences that OpenEmbedded's patches make.

    Facts, section 1: links from the hash directory up to the root by FSROOT, a fixed depth, SYSROOT taken off
    before; run-parts without options of Debian's. ``sysroot`` adds the option that Debian's has since 20250419.
    """
    up = 'echo ${CERT} | sed -e "s|^$SYSROOT||" -e "s|^/|$FSROOT|"'
    edits = {
        "verbose=0\n": "verbose=0\nFSROOT=../../../\n",
        '  if ! test -e "$PEM" ||': f'  DST="$({up})"\n  if ! test -e "$PEM" ||',
        '!= "$CERT" ]': '!= "$DST" ]',
        'ln -sf "$CERT"': 'ln -sf "$DST"',
        'run-parts "$VERBOSE_ARG" --test -- "$HOOKSDIR"': 'run-parts --test "$HOOKSDIR"',
    }
    if sysroot:
        prefixed = ("CERTSCONF", "CERTSDIR", "LOCALCERTSDIR", "ETCCERTSDIR", "HOOKSDIR")
        taken = "; ".join(f'{name}="$1/${name}"' for name in prefixed)
        edits["    --help|-h|*)"] = f'    --sysroot) shift; SYSROOT="$1"; {taken};;\n    --help|-h|*)'
    return _edited(script, edits)


def as_gentoo_patches_it(script: str) -> str:
    """Debian's update-ca-certificates as app-misc/ca-certificates has it, run on the device: without --sysroot.

    files/ca-certificates-20250419-root.patch puts two variables, empty there, around the path of each link's text.
    """
    return _edited(
        script,
        {
            "verbose=0\n": 'verbose=0\nSYSROOT=""\nRELPATH=""\n',
            'ln -sf "$CERT"': 'ln -sf "${RELPATH}${CERT#$SYSROOT}"',
        },
    )


def as_slackware_patches_it(script: str) -> str:
    """Debian's update-ca-certificates with update-ca-certificates.c_rehash.diff of Slackware."""
    return script.replace("openssl rehash", "c_rehash")


def as_upstream_has_it(script: str) -> str:
    """Debian's c_rehash without the links by the old hash, which upstream's makes only if asked to (facts, 3)."""
    return _edited(script, {"    link_hash($_[0], 'cert', '-subject_hash_old');\n": ""})


def _edited(script: str, edits: Mapping[str, str]) -> str:
    for old, new in edits.items():
        assert script.count(old) == 1, f"Debian's script has changed: {old}"
        script = script.replace(old, new)
    return script
