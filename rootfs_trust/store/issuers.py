"""Which anchors cannot stand alone: a CA that is not self-signed needs its issuer for some clients. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rootfs_trust.errors import Trouble
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.source import Source


def missing_issuers(anchors: Iterable[Anchor], sources: Iterable[Source]) -> Iterator[Trouble]:
    """A warning for each of ``anchors`` that another CA signed which none of ``sources`` holds."""
    subjects = {each.subject.canonical for source in sources for each in source.certificates}
    for anchor in anchors:
        certificate = anchor.certificate
        if not certificate.self_issued and certificate.issuer.canonical not in subjects:
            yield Trouble(
                "issuer-missing",
                anchor.where,
                f"its issuer ({certificate.issuer.text}) is not in the "
                "store: curl, rustls and GnuTLS accept it as an anchor, mosquitto and most who use OpenSSL refuse it",
                "install the root that signed it too",
            )
