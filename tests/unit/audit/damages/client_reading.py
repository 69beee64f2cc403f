"""Anchors that a client of the device cannot read."""

from __future__ import annotations

import base64

from tests.limbo.algorithms import ALGORITHMS, certificate
from tests.unit.audit.damages.damage import damage
from tests.unit.audit.good_tree import BUNDLE, GoodTree


@damage("client-cannot-read", "unsourced", "not-in-directory")
def an_anchor_has_a_key_of_a_new_kind(tree: GoodTree) -> None:
    key = ALGORITHMS["ML-DSA-44"]()
    der = certificate("New CA", key, "New CA", key, ca=True)
    body = base64.encodebytes(der)
    tree.append(BUNDLE, b"-----BEGIN CERTIFICATE-----\n%b-----END CERTIFICATE-----\n" % body)
