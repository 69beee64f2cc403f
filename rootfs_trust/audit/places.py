"""Where root filesystems have their trust stores, whatever made them: what clients look for, not what we write.

A tree is read by this table and not by the layout that wrote it, so that a store in the wrong place is no store.
Sources: the defaults of OpenSSL, GnuTLS, Go's crypto/x509 (root_linux.go) and openssl-probe; the distributions' files.
"""

from __future__ import annotations

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/cert.pem",
    "/usr/lib/ssl/cert.pem",
    "/usr/lib/ssl-3/cert.pem",
)
"""Files of all anchors for TLS, in the order in which clients look for them."""

EMAIL_BUNDLES = (
    "/etc/pki/ca-trust/extracted/pem/email-ca-bundle.pem",
    "/etc/ca-certificates/extracted/email-ca-bundle.pem",
)

CODE_BUNDLES = (
    "/etc/pki/ca-trust/extracted/pem/objsign-ca-bundle.pem",
    "/etc/ca-certificates/extracted/objsign-ca-bundle.pem",
)

HASH_DIRECTORIES = (
    "/etc/ssl/certs",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted/pem/directory-hash",
    "/var/lib/ca-certificates/pem",
    "/etc/ca-certificates/extracted/cadir",
    "/usr/lib/ssl/certs",
    "/usr/lib/ssl-3/certs",
)
"""Folders that OpenSSL, or a program that uses it, is pointed at."""

JAVA_STORES = (
    "/etc/ssl/certs/java/cacerts",
    "/etc/pki/ca-trust/extracted/java/cacerts",
    "/etc/pki/java/cacerts",
    "/var/lib/ca-certificates/java-cacerts",
    "/etc/ca-certificates/extracted/java-cacerts.jks",
)

LOCAL_SOURCES = (
    "/usr/local/share/ca-certificates",
    "/etc/pki/ca-trust/source",
    "/etc/pki/trust",
    "/etc/ca-certificates/trust-source",
    "/usr/share/ca-certificates/local",
)
"""Folders whose anchors the device's owner has added; the distributions' tools make the stores from them."""

SHIPPED_SOURCES = (
    "/usr/share/ca-certificates",
    "/usr/share/pki/ca-trust-source",
    "/usr/share/pki/trust",
)
"""Folders whose anchors packages have brought."""

BLOCKLISTS = ("blocklist", "blacklist")
"""Subfolders of p11-kit's sources whose certificates are distrusted."""

P11KIT_SOURCES = (
    "/etc/pki/ca-trust/source",
    "/etc/pki/trust",
    "/etc/ca-certificates/trust-source",
    "/usr/share/pki/ca-trust-source",
    "/usr/share/pki/trust",
    "/usr/share/ca-certificates/trust-source",
)
"""Those of the folders above that p11-kit reads."""
