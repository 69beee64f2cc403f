"""Trust stores that p11-kit maintains: on Fedora and its derivatives, SUSE and Arch.

The modules read what p11-kit's trust module reads (``p11_kit_file``, ``pem``, ``parser``, ``token``), select
certificates as ``trust extract`` does (``output_selection``), write what it writes (``formats``, ``outputs``), and know
the paths of each distribution (``layout``). Written from the behaviour of p11-kit 0.26.4 and tested against the real
tool; docstrings name its files and functions.
"""
