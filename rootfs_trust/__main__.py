"""``python -m rootfs_trust`` and the console script."""

from rootfs_trust.cli.run import main

if __name__ == "__main__":
    main()
