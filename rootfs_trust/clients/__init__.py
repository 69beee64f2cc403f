"""The TLS clients of a device: the files that each client reads in a rootfs, and its way to parse them. No client is
run.
"""
