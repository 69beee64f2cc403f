"""The one answer of debconf that matters here: whether certificates of a newer package are trusted by themselves.

ca-certificates asks ``ca-certificates/trust_new_crts`` at each upgrade; its default is yes. With ``no`` preset,
roots that a newer package brings stay out until somebody lists them (tried with 20230311 to 20250419).
Source: debian/ca-certificates.config of the package; debconf's file format: debconf-devel(7), config.dat.
"""

from __future__ import annotations

DATABASE = "/var/cache/debconf/config.dat"

_QUESTION = "ca-certificates/trust_new_crts"
_STANZA = f"""\
Name: {_QUESTION}
Template: {_QUESTION}
Value: no
Owners: ca-certificates
Flags: seen
"""


def without_new_roots(data: bytes) -> bytes:
    """debconf's database with the answer ``no`` to the question of new certificates; the rest stays as it is."""
    stanzas = [stanza for stanza in data.decode("utf-8", "surrogateescape").split("\n\n") if stanza.strip()]
    stanzas = [stanza.strip("\n") + "\n" for stanza in stanzas]
    others = [stanza for stanza in stanzas if f"Name: {_QUESTION}\n" not in stanza]
    if len(others) + 1 == len(stanzas) and _STANZA in stanzas:
        return data
    place = next((n for n, stanza in enumerate(stanzas) if f"Name: {_QUESTION}\n" in stanza), len(others))
    return "\n".join([*others[:place], _STANZA, *others[place:]]).encode("utf-8", "surrogateescape") + b"\n"
