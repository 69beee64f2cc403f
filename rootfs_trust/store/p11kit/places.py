"""The folders that each family's p11-kit was built to read, the local one first; by the layout's name."""

TOKENS = {
    "fedora": ("/etc/pki/ca-trust/source", "/usr/share/pki/ca-trust-source"),
    "suse": ("/etc/pki/trust", "/usr/share/pki/trust"),
    "arch": ("/etc/ca-certificates/trust-source", "/usr/share/ca-certificates/trust-source"),
}
