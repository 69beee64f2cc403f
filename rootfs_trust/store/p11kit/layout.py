"""The store of a distribution that uses p11-kit, as the distribution's own script calls ``trust extract``.

Sources are the directories of p11-kit's trust module; see ``token``. An added anchor becomes ``NAME.crt`` in the
administrator's ``anchors`` directory; p11-kit reads every file there, whatever its name. A shipped anchor is distrusted
by a copy in the administrator's ``blocklist`` directory: p11-kit then distrusts its key, and its issuer and serial
number, in every output.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rootfs_trust.errors import BASE_NONE
from rootfs_trust.rootfs.view import Absent, Directory, Symlink, View, join, parent, read
from rootfs_trust.store.cloud_roots import with_presets
from rootfs_trust.store.layout import TOKENS, Request, StorePlan
from rootfs_trust.store.p11kit.formats import ExtractedDirectory
from rootfs_trust.store.p11kit.output_selection import Filter
from rootfs_trust.store.p11kit.outputs import (
    Desired,
    ExtractedBundle,
    ExtractedHashDirectory,
    Mirror,
    bundle_file,
    described,
    described_folder,
    described_mirror,
    folder_nodes,
    folder_of,
    foreign_files,
    has_hash_links,
    leftovers,
    mirror_nodes,
)
from rootfs_trust.store.p11kit.source_changes import change, held, ineffective_anchors, shared_keys
from rootfs_trust.store.p11kit.sources import find
from rootfs_trust.store.p11kit.token import Token
from rootfs_trust.store.selection import with_selections
from rootfs_trust.store.source_file import Source, missing_issuers, report_defects, unsourced
from rootfs_trust.x509.oids import CODE_SIGNING, EMAIL, SERVER_AUTH


@dataclass(frozen=True, slots=True, kw_only=True)
class P11KitStore:
    """The layout of one family of distributions. Implements Layout."""

    name: str
    title: str
    releases: str
    facts: tuple[str, ...]
    tokens: tuple[str, ...]
    """The source directories that p11-kit was built with, the administrator's first."""
    bundle: str
    hash_directory: str
    bundles: tuple[ExtractedBundle, ...]
    folders: tuple[ExtractedHashDirectory, ...]
    suffix: str = ".crt"
    mirror: Mirror | None = None
    """A second hash directory, with the same links as the last one in ``folders``."""
    links: tuple[tuple[str, str], ...] = ()
    """Links that the package ships, as path and target. Missing ones are created if their directory exists."""
    last_name: bool = False
    """If the subject has several common names, the last one is the label: p11-kit 0.26.0 and later."""

    @property
    def local(self) -> str:
        """The anchor source directory of the administrator."""
        return join(self.tokens[0], "anchors")

    @property
    def outputs(self) -> tuple[str, ...]:
        """The bundles and hash directories. A mirror that is written only if it already exists is left out."""
        mirror = (self.mirror.path,) if self.mirror and not self.mirror.as_found else ()
        return (*(each.path for each in self.bundles), *(each.path for each in self.folders), *mirror)

    @property
    def keystores(self) -> tuple[str, ...]:
        """The Java keystores among the bundles."""
        return tuple(each.path for each in self.bundles if each.format == "java")

    @property
    def reads(self) -> tuple[str, ...]:
        """The source directories, for docs/layouts.md."""
        return tuple(f"`{token}`: p11-kit source directory" for token in self.tokens)

    @property
    def writes(self) -> tuple[str, ...]:
        """The written files, for docs/layouts.md."""
        return (
            f"`{self.tokens[0]}/blocklist/NAME.crt` (0644), to distrust an anchor that the distribution ships",
            f"`{self.local}/NAME.crt` (0644), as TRUSTED CERTIFICATE if purposes are given",
            *map(described, self.bundles),
            *(line for folder in self.folders for line in described_folder(folder)),
            *(described_mirror(self.mirror) if self.mirror else ()),
            *(f"`{path}` -> `{text}`, if the directory exists and lacks it" for path, text in self.links),
        )

    def plan(self, view: View, request: Request) -> StorePlan:
        """Plan the store for ``request``. Implements :meth:`Layout.plan`."""
        plan = StorePlan()
        found = find(view, self.tokens)
        everything = [Source(each.path, b"", (each.certificate,)) for each in found.entries if each.certificate]
        request = with_presets(request, everything, plan)
        request = with_selections(request, held(found), plan, self.name, blocklist=True)
        changes = change(found, request, plan)
        tokens = found.changed({**changes.anchors, **changes.blocklist})
        report_defects((each for path, each in found.local().items() if path not in changes.anchors), plan)
        if not request.drop_unsourced:
            given = Source("", b"", tuple(anchor.certificate for anchor in request.anchors))
            plan.conflicts += unsourced(self.bundle, read(view, self.bundle), [*everything, given])
        plan.conflicts += shared_keys(tokens[0], plan.installed)
        self._report(tokens, request, plan)
        present = {file.path for file in found.files[0]}
        plan.desired |= {self.local: Directory(), **changes.before(present)}
        self._write_outputs(view, tokens, plan, request.created)
        plan.desired |= changes.after(present)
        return plan

    def _report(self, tokens: list[Token], request: Request, plan: StorePlan) -> None:
        certificates = [each.certificate for token in tokens for each in token.entries if each.trusted]
        sources = [Source("", b"", tuple(each for each in certificates if each))]
        plan.warnings += missing_issuers(request.anchors, sources)
        plan.warnings += ineffective_anchors(tokens, request.anchors)
        if request.only:
            message = (
                "lists every root that is shipped now; a later version of the distribution's package may add roots"
            )
            plan.warnings.append(BASE_NONE(join(self.tokens[0], "blocklist"), message))

    def _write_outputs(self, view: View, tokens: list[Token], plan: StorePlan, created: int | None) -> None:
        nodes: Desired = {}
        for bundle in self.bundles:
            nodes[bundle.path] = bundle_file(view, bundle, tokens, last_name=self.last_name, created=created)
        made = ExtractedDirectory()
        for folder in self.folders:
            made = folder_of(folder, tokens, last_name=self.last_name)
            nodes |= folder_nodes(folder, made)
        if self.mirror:
            nodes |= mirror_nodes(view, self.mirror, made)
        nodes |= dict(self._missing_links(view, _parent_directories(nodes)))
        for folder in self.folders:
            nodes |= dict.fromkeys(leftovers(view, folder.path, nodes), Absent())
            plan.warnings += foreign_files(view, folder.path, nodes)
        plan.desired |= nodes

    def _missing_links(self, view: View, made: set[str]) -> Iterator[tuple[str, Symlink]]:
        """Yield those of ``links`` that the run writes. ``made`` are the directories that the outputs create."""
        if self.mirror and self.mirror.as_found and has_hash_links(view, self.mirror):
            return  # newer releases no longer have these links
        for path, text in self.links:
            node = view.node(path)
            has_directory = parent(path) in made or view.kind(parent(path)) is Directory
            if node == Symlink(text) or (node is None and has_directory):
                yield path, Symlink(text)


def _parent_directories(nodes: Desired) -> set[str]:
    """Return the parent directories of all paths in ``nodes``."""
    folders: set[str] = set()
    for path in nodes:
        while (path := parent(path)) not in folders:
            folders.add(path)
    return folders


_FEDORA = "/etc/pki/ca-trust/extracted"
_SUSE = "/var/lib/ca-certificates"
_ARCH = "/etc/ca-certificates/extracted"

FEDORA = P11KitStore(
    name="fedora",
    title="Fedora, RHEL, CentOS Stream, Rocky, AlmaLinux, Amazon Linux, Azure Linux",
    releases="Fedora 38 to 44, RHEL 7 to 10 and derivatives, Amazon Linux 2 and 2023, Azure Linux 2 (Mariner) and 3",
    facts=(
        "update-ca-trust(8) of ca-certificates: its calls of trust extract, in their order",
        "p11-kit 0.26.4, trust/: formats, modes, names; compared with trust extract 0.24.1 byte by byte",
        "the p11-kit package is built with the paths /etc/pki/ca-trust/source:/usr/share/pki/ca-trust-source",
        "microsoft/azurelinux 8bc6caa8b9, SPECS/ca-certificates: update-ca-trust writes no directory-hash; outputs "
        "that the rootfs's own update-ca-trust does not name are not written",
    ),
    tokens=TOKENS["fedora"],
    bundle=f"{_FEDORA}/pem/tls-ca-bundle.pem",
    hash_directory=f"{_FEDORA}/pem/directory-hash",
    bundles=(
        ExtractedBundle(
            path=f"{_FEDORA}/openssl/ca-bundle.trust.crt", format="openssl", filter=Filter.CERTIFICATES, comment=True
        ),
        ExtractedBundle(path=f"{_FEDORA}/pem/tls-ca-bundle.pem", format="pem", purpose=SERVER_AUTH, comment=True),
        ExtractedBundle(path=f"{_FEDORA}/pem/email-ca-bundle.pem", format="pem", purpose=EMAIL, comment=True),
        ExtractedBundle(path=f"{_FEDORA}/pem/objsign-ca-bundle.pem", format="pem", purpose=CODE_SIGNING, comment=True),
        ExtractedBundle(path=f"{_FEDORA}/java/cacerts", format="java", purpose=SERVER_AUTH),
        ExtractedBundle(path=f"{_FEDORA}/edk2/cacerts.bin", format="edk2", purpose=SERVER_AUTH),
    ),
    folders=(
        ExtractedHashDirectory(
            path=f"{_FEDORA}/pem/directory-hash",
            purpose=SERVER_AUTH,
            extra=(("ca-certificates.crt", "../tls-ca-bundle.pem"), ("ca-bundle.crt", "../tls-ca-bundle.pem")),
        ),
    ),
    mirror=Mirror(
        path="/etc/pki/tls/certs", prefix="../../ca-trust/extracted/pem/directory-hash/", files=False, as_found=True
    ),
    links=(
        ("/etc/pki/tls/cert.pem", f"{_FEDORA}/pem/tls-ca-bundle.pem"),
        ("/etc/pki/tls/certs/ca-bundle.crt", f"{_FEDORA}/pem/tls-ca-bundle.pem"),
        ("/etc/pki/tls/certs/ca-bundle.trust.crt", f"{_FEDORA}/openssl/ca-bundle.trust.crt"),
        ("/etc/pki/java/cacerts", f"{_FEDORA}/java/cacerts"),
        ("/etc/ssl/certs", "/etc/pki/tls/certs"),
    ),
)

_SUSE_HEADER = b"""\
#
# automatically created by /usr/lib/ca-certificates/update.d/99certbundle.run. Do not edit!
#
# Use of this file is deprecated and should only be used as last
# resort by applications that do not support p11-kit or reading /etc/ssl/certs.
# You should avoid hardcoding any paths in applications anyways though. Use
# functions that know the operating system defaults instead:
#
# - openssl: SSL_CTX_set_default_verify_paths()
# - gnutls: gnutls_certificate_set_x509_system_trust(cred)
#
"""
"""The header that 99certbundle.run, a shell script, writes with `cat`; the mode is therefore 0644."""

SUSE = P11KitStore(
    name="suse",
    title="openSUSE, SUSE Linux Enterprise",
    releases="SLE 15 and 16, openSUSE Leap 15 and 16, Tumbleweed",
    facts=(
        "update-ca-certificates(8) of openSUSE's ca-certificates and its hooks 50java, 70openssl, 80etc_ssl, "
        "99certbundle: which output holds which purposes is in its README",
        "p11-kit 0.26.4, trust/: formats, modes, names; compared with trust extract 0.24.1 byte by byte",
        "the p11-kit package is built with the paths /etc/pki/trust:/usr/share/pki/trust",
    ),
    tokens=TOKENS["suse"],
    bundle=f"{_SUSE}/ca-bundle.pem",
    hash_directory=f"{_SUSE}/pem",
    bundles=(
        ExtractedBundle(path=f"{_SUSE}/java-cacerts", format="java", purpose=SERVER_AUTH),
        ExtractedBundle(
            path=f"{_SUSE}/ca-bundle.pem", format="pem", purpose=SERVER_AUTH, header=_SUSE_HEADER, mode=0o644
        ),
    ),
    folders=(
        ExtractedHashDirectory(path=f"{_SUSE}/openssl", trusted=True),
        ExtractedHashDirectory(path=f"{_SUSE}/pem", purpose=SERVER_AUTH),
    ),
    links=(
        ("/etc/ssl/certs", "../../var/lib/ca-certificates/pem"),
        ("/etc/ssl/ca-bundle.pem", "../../var/lib/ca-certificates/ca-bundle.pem"),
    ),
)

ARCH = P11KitStore(
    name="arch",
    title="Arch Linux and derivatives",
    releases="Arch Linux of 2024 to 2026",
    facts=(
        "update-ca-trust(8) of ca-certificates-utils, as read in eweOS's fork of it",
        "p11-kit 0.26.4, trust/: formats, modes, names; compared with trust extract 0.24.1 byte by byte",
        "the p11-kit package is built with the paths "
        "/etc/ca-certificates/trust-source:/usr/share/ca-certificates/trust-source",
    ),
    tokens=TOKENS["arch"],
    bundle=f"{_ARCH}/tls-ca-bundle.pem",
    hash_directory="/etc/ssl/certs",
    bundles=(
        ExtractedBundle(
            path=f"{_ARCH}/ca-bundle.trust.crt", format="openssl", filter=Filter.CERTIFICATES, comment=True
        ),
        ExtractedBundle(path=f"{_ARCH}/tls-ca-bundle.pem", format="pem", purpose=SERVER_AUTH, comment=True),
        ExtractedBundle(path=f"{_ARCH}/email-ca-bundle.pem", format="pem", purpose=EMAIL, comment=True),
        ExtractedBundle(path=f"{_ARCH}/objsign-ca-bundle.pem", format="pem", purpose=CODE_SIGNING, comment=True),
        ExtractedBundle(path=f"{_ARCH}/java-cacerts.jks", format="java", purpose=SERVER_AUTH),
        ExtractedBundle(path=f"{_ARCH}/edk2-cacerts.bin", format="edk2", purpose=SERVER_AUTH),
    ),
    folders=(ExtractedHashDirectory(path=f"{_ARCH}/cadir", purpose=SERVER_AUTH),),
    mirror=Mirror(path="/etc/ssl/certs", prefix="../../ca-certificates/extracted/cadir/", files=True),
    links=(
        ("/etc/ssl/cert.pem", "../ca-certificates/extracted/tls-ca-bundle.pem"),
        ("/etc/ssl/certs/ca-certificates.crt", "../../ca-certificates/extracted/tls-ca-bundle.pem"),
        ("/etc/ssl/certs/java/cacerts", "../../../ca-certificates/extracted/java-cacerts.jks"),
        ("/etc/ssl/certs/edk2/cacerts.bin", "../../../ca-certificates/extracted/edk2-cacerts.bin"),
    ),
    last_name=True,
)
