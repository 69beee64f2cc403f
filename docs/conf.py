"""Sphinx: the pages of this folder as a site. `sh docs/build.sh` makes it below build/docs."""

from rootfs_trust import __version__

project = "rootfs-trust"
release = __version__
extensions = ["myst_parser"]
exclude_patterns = ["generate.py"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "rootfs-trust"
