"""Reads the files of a rootfs the way the clients do. Each file is read once, and parsed once for each kind of
parser.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from rootfs_trust.clients.client import ClientAnchor, FoundAnchors, without_duplicates
from rootfs_trust.clients.pem_readers import (
    Section,
    gnutls_sections,
    go_certificates,
    parsed,
    rust_sections,
)
from rootfs_trust.errors import InputError, MalformedError
from rootfs_trust.layouts.detect import find_layout
from rootfs_trust.layouts.layout import UNKNOWN, ClientPaths
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.error_collecting_view import ErrorCollectingView
from rootfs_trust.rootfs.listing import entries_below
from rootfs_trust.rootfs.view import Directory, File, Node, join, parent, read
from rootfs_trust.runtimes.find import StoreSearch, find_stores
from rootfs_trust.x509 import BadBlock, Block, Certificate, blocks
from rootfs_trust.x509.certificate import take_certificate
from rootfs_trust.x509.der import DerReader
from rootfs_trust.x509.parse_cache import cached
from rootfs_trust.x509.pem_objects import trusted_certificate

_PLAIN = ("CERTIFICATE", "X509 CERTIFICATE")
_TRUSTED = "TRUSTED CERTIFICATE"


class ParsedFile(NamedTuple):
    """The anchors and the first fault that a client finds in one file. The client decides whether anchors after a fault
    count.

    ``unparsed``: the PEM is valid, but its content is not a certificate.
    """

    anchors: tuple[ClientAnchor, ...]
    fault: str = ""
    unparsed: bool = False


def anchors_in(files: Iterable[ParsedFile | None]) -> tuple[ClientAnchor, ...]:
    """Return the anchors of several files without duplicates, each with the first file that contains it. A missing file
    is None.
    """
    return without_duplicates(anchor for file in files if file is not None for anchor in file.anchors)


def of_file(file: ParsedFile | None, path: str) -> FoundAnchors:
    """Return the anchors of a client that reads one file. From a file with a fault, the client loads nothing, and the
    result has the fault.
    """
    if file is None:
        return FoundAnchors((), path, (f"there is no {path}",))
    return FoundAnchors(file.anchors, path, (f"nothing of {path} is loaded: {file.fault}",) if file.fault else ())


def file_reader(device: Device) -> FileReader:
    """Return the only reader of a rootfs, for programs with the environment of the rootfs."""
    return device.once("file reader", lambda: FileReader(device))


class FileReader:
    """Reads the files of the rootfs of ``device`` as its clients do. Paths are those of the device.

    ``environment``: variables that are set for all programs of the rootfs. ``runtimes``: the stores of runtimes, if
    they were already searched.
    """

    def __init__(
        self,
        device: Device,
        environment: Mapping[str, str] | None = None,
        runtimes: StoreSearch | None = None,
    ) -> None:
        self.device = device
        self.view = device.view
        self.environment = device.environment if environment is None else environment
        self._done: dict[tuple[str, str], ParsedFile | None] = {}
        self._directories: dict[str, str] = {}
        self._real_paths: dict[str, str | None] = {}
        self._kinds: dict[str, type[Node] | None] = {}
        if runtimes is not None:
            device.once("runtimes", lambda: runtimes)

    def with_environment(self, environment: Mapping[str, str]) -> FileReader:
        """Return a reader of the same rootfs for programs with other variables. It shares all cached results."""
        other = FileReader(self.device, environment)
        other._done, other._directories = self._done, self._directories
        other._real_paths, other._kinds = self._real_paths, self._kinds
        return other

    @cached_property
    def defaults(self) -> ClientPaths:
        """The paths that are compiled into the clients of the rootfs's layout."""
        try:
            return find_layout(self.device).clients
        except InputError:
            return UNKNOWN

    def named(self, variable: str) -> str | None:
        """Return the value of an environment variable; None if it is not set or empty."""
        return self.environment.get(variable) or None

    def is_file(self, path: str) -> bool:
        """Return whether the path is a regular file, following links."""
        return self._kind(path) is File

    def is_directory(self, path: str) -> bool:
        """Return whether the path is a directory, following links."""
        return self._kind(path) is Directory

    def _kind(self, path: str) -> type[Node] | None:
        """Return the type of the entry at ``path``, following links. Cached, because all clients ask for the same
        files.
        """
        if path not in self._kinds:
            self._kinds[path] = self.view.kind(path)
        return self._kinds[path]

    def place(self, path: str) -> str:
        """Return the path of a file or link, with the links of its parent directories resolved."""
        folder = parent(path)
        if folder not in self._directories:
            self._directories[folder] = self.view.real_path(folder) or folder
        return join(self._directories[folder], path.rpartition("/")[2])

    def first_file(self, *paths: str) -> str | None:
        """Return the first of ``paths`` that is a file."""
        return next((path for path in paths if self.is_file(path)), None)

    def files_in(self, folder: str) -> list[str]:
        """Return the paths of the files of a directory, following links, without subdirectories."""
        paths = (join(folder, name) for name in self.view.names(folder))
        return [path for path in paths if self.is_file(path)]

    def files_below(self, folder: str) -> Iterator[str]:
        """Yield the paths of the files in a directory and its subdirectories, following links. A directory that
        contains itself is entered only once.
        """
        return (path for path, kind in entries_below(self.view, folder, follow=True) if kind is File)

    @property
    def runtimes(self) -> StoreSearch:
        """The stores of runtimes and applications anywhere in the rootfs."""
        view = self.view.strict if isinstance(self.view, ErrorCollectingView) else self.view
        return self.device.once("runtimes", lambda: find_stores(view))

    # -- by client -----------------------------------------------------------------------------------------

    def openssl_bundle(self, path: str) -> ParsedFile | None:
        """Parse like X509_load_cert_crl_file for a CAfile: one malformed block discards the whole file."""
        found = self._read("openssl-bundle", path)
        return ParsedFile((), found.fault) if found and found.fault else found

    def openssl_linked(self, path: str) -> ParsedFile | None:
        """Parse like X509_load_cert_file for the target of a hash link: everything before a malformed block counts."""
        return self._read("openssl-linked", path)

    def gnutls(self, path: str) -> ParsedFile | None:
        """Parse like gnutls_x509_trust_list_add_trust_file: one malformed block discards the whole file."""
        found = self._read("gnutls", path)
        return ParsedFile((), found.fault) if found and found.fault else found

    def go(self, path: str) -> ParsedFile | None:
        """Parse like CertPool.AppendCertsFromPEM."""
        return self._read("go", path)

    def rust(self, path: str, *, pemfile: bool = False) -> ParsedFile | None:
        """Parse like rustls-pki-types, or with ``pemfile`` like rustls-pemfile 1 of thin-edge.io 1.x."""
        return self._read("rust-1" if pemfile else "rust", path)

    def _read(self, how: str, path: str) -> ParsedFile | None:
        """Return the parsed file, or None if it does not exist. Anchors have the path as given, not the target of
        links.
        """
        if path not in self._real_paths:
            self._real_paths[path] = self.view.real_path(path)
        real = self._real_paths[path]
        if real is None:
            return None
        if (how, real) not in self._done:
            self._done[how, real] = self._taken(how, real)
        found = self._done[how, real]
        return found and found._replace(anchors=tuple(anchor._replace(path=path) for anchor in found.anchors))

    def _taken(self, how: str, real: str) -> ParsedFile | None:
        try:
            data = read(self.view, real)
        except InputError as error:
            return ParsedFile((), error.problems[0].message)
        return None if data is None else _parse(how, data)


@cached
def _parse(how: str, data: bytes) -> ParsedFile:
    """Parse a file as the client ``how`` does. The anchors have no path.

    Results are cached, because a run reads a tree before and after its changes, and most files stay.
    """
    match how:
        case "openssl-bundle":
            return _openssl(data, settings_behind_all=False)
        case "openssl-linked":
            return _openssl(data, settings_behind_all=True)
        case "gnutls":
            return _of_sections(gnutls_sections(data), all_parse=True)
        case "go":
            return ParsedFile(tuple(ClientAnchor(each, "") for each in go_certificates(data)))
        case _:
            return _of_sections(rust_sections(data, decodes_all=how == "rust-1"))


def _openssl(data: bytes, *, settings_behind_all: bool) -> ParsedFile:
    """Parse like PEM_read_bio_X509_AUX, which reads settings after every certificate, or like PEM_X509_INFO_read_bio,
    which reads them only after TRUSTED ones.
    """
    found: list[ClientAnchor] = []
    for block in blocks(data):
        if isinstance(block, BadBlock):
            return ParsedFile(tuple(found), f"the block of line {block.line} cannot be read: {block.reason}")
        if block.label not in (*_PLAIN, _TRUSTED):
            continue
        try:
            found.append(_anchor(block, settings_behind_all or block.label == _TRUSTED))
        except MalformedError as error:
            return ParsedFile(tuple(found), f"the certificate of line {block.line} cannot be read: {error.message}")
    return ParsedFile(tuple(found))


def _anchor(block: Block, with_settings: bool) -> ClientAnchor:
    certificate = _certificate(block.der, with_settings)
    return ClientAnchor(certificate, "", block.der[len(certificate.der) :] if with_settings else b"")


def _certificate(der: bytes, with_settings: bool) -> Certificate:
    return trusted_certificate(der) if with_settings else take_certificate(DerReader(der))


def _of_sections(sections: Iterator[Section], *, all_parse: bool = False) -> ParsedFile:
    """Return every certificate that can be parsed, and the first fault. With ``all_parse``, other DER is a fault."""
    found: list[ClientAnchor] = []
    fault, unparsed = "", False
    for section in sections:
        certificates = [] if section.fault else parsed(section.der)
        found += (ClientAnchor(each, "") for each in certificates)
        unparsed |= not (section.fault or certificates)
        if section.fault or (all_parse and unparsed):
            fault = fault or section.fault or "a certificate in it cannot be read"
    return ParsedFile(tuple(found), fault, unparsed)
