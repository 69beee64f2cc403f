"""Public roots that cloud services document, and Mozilla's schedule for removing roots.

With ``base = "none"`` these roots are the only public ones in the store.
Sources: AWS IoT Core developer guide, "Server authentication" (Amazon Root CA 1 to 4, Starfield Services G2);
Azure IoT Hub, "TLS support" (DigiCert Global Root G2, Microsoft RSA Root 2017). Cumulocity documents none: its
instances are signed by different public CAs. Mozilla's schedule: its wiki, CA/Root_CA_Lifecycles, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from rootfs_trust.errors import PRESET
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.source_file import Source
from rootfs_trust.store.store_plan import Request, StorePlan
from rootfs_trust.times import years_later

_SCHEDULE = (
    (date(2006, 1, 1), date(2025, 4, 15)),
    (date(2008, 1, 1), date(2026, 4, 15)),
    (date(2010, 1, 1), date(2027, 4, 15)),
    (date(2012, 1, 1), date(2028, 4, 15)),
    (date(2014, 4, 15), date(2029, 4, 15)),
)
"""Mozilla stops trusting keys made before the first date for web sites on the second date."""


class PublicRoot(NamedTuple):
    """A root of Mozilla's root program, as the distributions ship it."""

    name: str
    created: date
    """The date on which the key of the root was created, taken from notBefore."""
    sha256: str

    @property
    def leaves(self) -> date:
        """The date on which Mozilla is due to stop trusting the root for web sites."""
        return removal_date(self.created)


def removal_date(created: date) -> date:
    """Return the date on which Mozilla is due to stop trusting a root for web sites, by when its key was made."""
    for before, leaves in _SCHEDULE:
        if created < before:
            return leaves
    return years_later(created, 15)


PRESETS: Mapping[str, tuple[PublicRoot, ...]] = {
    "aws": (
        PublicRoot(
            "Amazon_Root_CA_1", date(2015, 5, 26), "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e"
        ),
        PublicRoot(
            "Amazon_Root_CA_2", date(2015, 5, 26), "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4"
        ),
        PublicRoot(
            "Amazon_Root_CA_3", date(2015, 5, 26), "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4"
        ),
        PublicRoot(
            "Amazon_Root_CA_4", date(2015, 5, 26), "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092"
        ),
        PublicRoot(
            "Starfield_Services_Root_G2",
            date(2009, 9, 1),
            "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
        ),
    ),
    "az": (
        PublicRoot(
            "DigiCert_Global_Root_G2",
            date(2013, 8, 1),
            "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f",
        ),
        PublicRoot(
            "Microsoft_RSA_Root_2017",
            date(2019, 12, 18),
            "c741f70f4b2a8d88bf2e71c14122ef53ef10eba0cfa5e64cfa20f418853073e0",
        ),
    ),
}


def with_presets(request: Request, sources: Iterable[Source], plan: StorePlan) -> Request:
    """Return ``request`` with the roots that its clouds document, if it asks for a store with ``base = "none"``.

    The roots are looked up by SHA-256 in ``sources``, the files of the rootfs, and in ``request.roots``. A root in
    neither is an error in ``answer``. Nothing is downloaded.
    """
    given = {anchor.certificate.sha256 for anchor in request.anchors}
    roots = [(cloud, root) for cloud in request.presets for root in PRESETS.get(cloud, ()) if root.sha256 not in given]
    if not (request.only and roots):
        return request
    held = {each.certificate.sha256: (each.where, each.certificate) for each in request.roots}
    held |= {each.sha256: (source.path, each) for source in sources for each in source.certificates}
    plan.problems += (
        PRESET("", f"{cloud} needs the root {root.name} (sha256 {root.sha256}), which the rootfs does not contain")
        for cloud, root in roots
        if root.sha256 not in held
    )
    found = [(cloud, root, *held[root.sha256]) for cloud, root in roots if root.sha256 in held]
    anchors = (Anchor(f"{cloud}-{root.name}", each, path) for cloud, root, path, each in found)
    return request._replace(anchors=(*request.anchors, *anchors))
