"""The layouts: where each family of distributions keeps its trust store, and what its TLS clients read, as data.

Each layout is one constant in ``with_p11kit`` or ``without_p11kit``. ``detect`` finds the layout of a rootfs. Nothing
here writes: ``store`` plans the files of a layout. Does no I/O.
"""

from rootfs_trust.layouts.layout import COMMON_BUNDLES, Layout
from rootfs_trust.layouts.with_p11kit import P11KITS
from rootfs_trust.layouts.without_p11kit import DEBIANS, OTHERS

LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in (*DEBIANS, *P11KITS, *OTHERS)}
"""All layouts by name. docs/generate.py writes docs/layouts.md and docs/clients.md from them."""

_OF_LAYOUTS = [path for each in LAYOUTS.values() for path in (each.bundle, *each.clients.openssl_file)]

BUNDLES = tuple(dict.fromkeys((*COMMON_BUNDLES, *_OF_LAYOUTS)))
"""Paths of CA bundles for TLS on the known distributions."""
