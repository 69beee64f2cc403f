"""Trust stores that p11-kit keeps: Fedora's and its kin's, SUSE's, Arch's.

Read what the trust module reads (``persist``, ``pem``, ``parser``, ``token``), choose as ``trust extract`` chooses
(``select``), write what it writes (``formats``, ``directory``), where each distribution has it (``layouts``).
Written from p11-kit 0.26.4's behaviour and held against the real tool; docstrings name its files and functions.
"""
