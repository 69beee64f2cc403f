"""What the trust module knows: certificates with their trust, and extensions stapled to a key. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rootfs_trust.x509 import Certificate

Place = Literal["anchors", "blocklist", ""]
"""The folder of a token that a file stands in; empty is the token's own folder, which says nothing of trust."""

SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
EMAIL = "1.3.6.1.5.5.7.3.4"
KNOWN_PURPOSES = (
    SERVER_AUTH,
    CLIENT_AUTH,
    CODE_SIGNING,
    EMAIL,
    "1.3.6.1.5.5.7.3.5",  # IPsec end system, tunnel, user
    "1.3.6.1.5.5.7.3.6",
    "1.3.6.1.5.5.7.3.7",
    "1.3.6.1.5.5.7.3.8",  # time stamping
)
ANY_PURPOSE = "2.5.29.37.0"
NO_PURPOSE = "1.3.6.1.4.1.3319.6.10.16"
"""P11_OID_RESERVED_PURPOSE: keeps a list of no purposes from being empty, which RFC 5280 forbids."""

EXTENDED_KEY_USAGE = "2.5.29.37"
BASIC_CONSTRAINTS = "2.5.29.19"
SUBJECT_KEY_ID = "2.5.29.14"
OPENSSL_REJECT = "1.3.6.1.4.1.3319.6.10.1"
"""P11_OID_OPENSSL_REJECT: the purposes that a TRUSTED CERTIFICATE rejects."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A certificate as one file of the store has it, or what it says of one that it does not hold.

    ``label`` is what the file calls it, None if it leaves that to the subject. ``issuer``, ``serial`` and
    ``key`` are whole DER elements, empty where they are not known. ``distrust_after`` are the dates after which
    issued server and email certificates are not trusted; ``trust extract`` pays them no heed.
    """

    path: str
    certificate: Certificate | None
    label: bytes | None = None
    trusted: bool = False
    distrusted: bool = False
    category: int | None = None
    issuer: bytes = b""
    serial: bytes = b""
    key: bytes = b""
    server_distrust_after: bytes = b""
    email_distrust_after: bytes = b""
    mozilla: bool = False
    """Whether it is part of Mozilla's programme."""


@dataclass(frozen=True, slots=True)
class Stapled:
    """An extension that holds for every certificate with this ``key`` in the same token. ``der``: an Extension.

    ``oid`` is the element that the file names it by, which may be another than that in ``der``.
    """

    path: str
    key: bytes
    der: bytes
    oid: bytes = b""
