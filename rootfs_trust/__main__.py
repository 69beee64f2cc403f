"""Entry point of ``python -m rootfs_trust`` and of the console script."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line of this process, and exit.

    Python's exit status for a failure is 1, which is a verdict here. This function reports failures before or during
    the error handling of the command line (too little memory, Ctrl-C).
    """
    try:
        from rootfs_trust.cli.run import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        sys.stderr.write(f"rootfs-trust: error: cannot run: {type(error).__name__}: {str(error)!a}\n")
        sys.exit(4)


if __name__ == "__main__":
    main()
