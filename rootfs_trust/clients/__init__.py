"""The TLS clients of a device: which files each reads out of a tree, and by which rules. No client is run."""
