"""Mutants that do what the code does, or what no test of ours can see; each kind with its reason."""

from __future__ import annotations

import re

_KINDS = (
    (r"usedforsecurity", "is asked on hosts in FIPS mode only (tests/peers/test_fips.py)"),
    (r"(en|de)code\(.*\"(UTF-8|UTF-16-BE|UTF-32-BE|LATIN-1)\"", "the same codec"),
    (r"return hash\(None\)", "equal things have equal hashes all the same; sets are slower"),
    (r"(follow|follow_symlinks|trailing|signed|must|only|durable)=None", "as false as False"),
    (r"b\"mnt_id:\"\)\), \)", "every file of fdinfo has that line (proc_pid_fdinfo(5))"),
    (r"_next .*isinstance\(node, Symlink\)\) or True", "it is asked of links only"),
    (r"O_PATH & os.O_DIRECTORY", "only who may not read a folder is told apart, and the tests run as root"),
    (r"View\.(node|kind) ", "defaults of a protocol, which nobody calls"),
    (r"Reader\(b\"XXXX\"\)\.leave", "leave looks at the other reader"),
    (r"b\"XX\\0\\0XX\"", "any octets may stand behind an element that is read again"),
    (r"key_usage .*(\[1:4\]|n / 8)", "there are nine bits"),
    (r"moment .*<= b\"50\"", "two digits are no time"),
    (r"_has_label .*(begin >= 1|begin > 0)", "dashes stand before it, so that it is not the first"),
)
_REASONS = tuple((re.compile(pattern), reason) for pattern, reason in _KINDS)


def reason(function: str, old: str, new: str) -> str:
    """Why nothing tells ``new`` from ``old``; empty if it should."""
    said = f"{function} {old} => {new}"
    return next((why for pattern, why in _REASONS if pattern.search(said)), "")
