"""The TLS clients of a device: which files each client reads in a rootfs, and how. No client is run."""
