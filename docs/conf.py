"""Sphinx: the pages of this folder as a site. `sh docs/build.sh` makes it below build/docs."""

from rootfs_trust import __version__

project = "rootfs-trust"
release = __version__
extensions = ["myst_parser", "sphinx_copybutton"]
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
myst_heading_anchors = 3
html_theme = "furo"
html_static_path = ["static"]
html_js_files = ["accessible.js"]
html_favicon = "static/icon.svg"
html_title = "rootfs-trust"
