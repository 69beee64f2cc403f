"""Read the user's inputs: certificate files, rootfs-trust.toml, root data and templates."""
