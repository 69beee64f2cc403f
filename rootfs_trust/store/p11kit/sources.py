"""The sources of a p11-kit trust store in a rootfs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rootfs_trust import x509
from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.view import Absent, File, View, as_bytes, join, parent
from rootfs_trust.store.anchor import safe_name
from rootfs_trust.store.p11kit.entries import Place, StapledExtension, TokenEntry, parts_of, take_extension, usages
from rootfs_trust.store.p11kit.output_selection import subject_label
from rootfs_trust.store.p11kit.p11_kit_file import is_persist
from rootfs_trust.store.p11kit.parser import parse_file
from rootfs_trust.store.p11kit.token import PLACES, SourceFile, Token, files_of, token_of
from rootfs_trust.store.purposes import Purposes, purposes_of_oids
from rootfs_trust.store.source_file import Source, read_source
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.oids import EXTENDED_KEY_USAGE

_SUFFIXES = (".pem", ".crt", ".cer", ".der", ".p11-kit")


@dataclass(slots=True)
class FoundTokens:
    """The tokens (source directories) of the layout, the administrator's first. ``folder`` is the path of the first
    one.
    """

    directory: str
    files: list[list[SourceFile]]
    tokens: list[Token]

    @property
    def entries(self) -> list[TokenEntry]:
        """The entries of all tokens."""
        return [entry for token in self.tokens for entry in token.entries]

    @property
    def anchors(self) -> str:
        """The anchor source directory of the administrator."""
        return join(self.directory, "anchors")

    @property
    def blocklist(self) -> str:
        """The administrator's directory of distrusted certificates: ``blocklist``, unless only ``blacklist`` exists."""
        folders = {parent(file.path) for file in self.files[0] if file.place == "blocklist"}
        return next(iter(folders), "") if len(folders) == 1 else join(self.directory, "blocklist")

    def local(self) -> dict[str, Source]:
        """Return the files of the anchors directory by path. Files that are obviously not certificates are omitted."""
        held: dict[str, list[Certificate]] = {}
        for entry in self.tokens[0].entries:
            held.setdefault(entry.path, []).extend([entry.certificate] if entry.certificate else [])
        files = (file for file in self.files[0] if file.place == "anchors")
        sources = (_source_of(file, tuple(held.get(file.path, ()))) for file in files)
        return {source.path: source for source in sources if source}

    def others(self) -> tuple[Source, ...]:
        """Return the files outside the anchors directory, with the certificates that they make trusted."""
        paths: dict[str, list[Certificate]] = {}
        for entry in self.shipped():
            paths.setdefault(entry.path, []).extend([entry.certificate] if entry.certificate else [])
        return tuple(Source(path, b"", tuple(held)) for path, held in paths.items())

    def shipped(self) -> list[TokenEntry]:
        """Return the trusted certificates outside the anchors directory, which can only be distrusted."""
        local = f"{self.anchors}/"
        trusted = (each for each in self.entries if each.trusted and not each.distrusted and each.certificate)
        return [each for each in trusted if not each.path.startswith(local)]

    def changed(self, changes: Mapping[str, File | Absent]) -> list[Token]:
        """Return the tokens as they are after ``changes`` to the administrator's token."""
        if not changes:
            return self.tokens
        files = {file.path: file for file in self.files[0] if not isinstance(changes.get(file.path), Absent)}
        for path, node in changes.items():
            if isinstance(node, File):
                files[path] = SourceFile(path, node.content, _place_of(path))
        order = {join(self.directory, name): number for number, (name, _) in enumerate(PLACES)}
        in_order = sorted(files.values(), key=lambda file: (order.get(parent(file.path), 0), as_bytes(file.path)))
        return [token_of(in_order), *self.tokens[1:]]


def find(view: View, folders: Iterable[str]) -> FoundTokens:
    """Read the tokens at ``folders``."""
    folders = list(folders)
    files = [files_of(view, folder) for folder in folders]
    return FoundTokens(folders[0], files, [token_of(each) for each in files])


def names_of(entry: TokenEntry) -> Iterator[str]:
    """Yield the names of an entry: its label, the label as a file name, and the names of its file."""
    label = entry_label(entry)
    yield label
    yield safe_name(label)
    yield from file_names(entry.path)


def entry_label(entry: TokenEntry) -> str:
    """Return the label of the entry for messages, or its digest if it has no label."""
    if entry.certificate is None:
        return (entry.label or b"").decode("utf-8", "replace")
    label = entry.label if entry.label is not None else subject_label(entry.certificate)
    return label.decode("utf-8", "replace") or f"anchor-{entry.certificate.sha256[:8]}"


def file_names(path: str) -> Iterator[str]:
    """Yield the file's name, and the name without its suffix."""
    base = path.rpartition("/")[2]
    yield base
    for suffix in _SUFFIXES:
        if base.endswith(suffix):
            yield base.removesuffix(suffix)


def has_trust_attributes(source: Source) -> bool:
    """Return whether the file records trust settings, which plain PEM could not express."""
    return is_persist(source.data) or b"TRUSTED CERTIFICATE" in source.data


def source_purposes(source: Source, certificate: Certificate) -> Purposes:
    """Return the purposes for which a file of the anchors directory trusts one of its certificates. Other files are
    ignored.
    """
    objects = parse_file(source.path, source.data, "anchors")
    return purposes_of(certificate, (each for each in objects if isinstance(each, StapledExtension)))


def purposes_of(certificate: Certificate, stapled: Iterable[StapledExtension]) -> Purposes:
    """Return the purposes that the extensions stapled to the certificate's key allow; none if one is malformed."""
    key = parts_of(certificate.der).key
    try:
        value = dict(take_extension(each.der) for each in stapled if each.key == key).get(EXTENDED_KEY_USAGE)
        return None if value is None else purposes_of_oids(usages(value))
    except MalformedError:
        return frozenset()


def _place_of(path: str) -> Place:
    return dict(PLACES).get(parent(path).rpartition("/")[2], "")


def _source_of(file: SourceFile, certificates: tuple[Certificate, ...]) -> Source | None:
    """Check a file of the anchors directory. Return None if it contains no certificate and does not look like a
    certificate file.
    """
    judged = read_source(file.path, file.data)
    if x509.private_key_form(file.data):
        return judged
    if certificates:
        # p11-kit reads DER, several certificates, and text around them. Only a malformed block is worth a warning.
        broken = judged.fault if b"-----BEGIN " in file.data and not is_persist(file.data) else ""
        return Source(file.path, file.data, certificates, malformed=broken)
    if b"-----BEGIN " in file.data or file.path.endswith(_SUFFIXES):
        return Source(file.path, file.data, judged.certificates, fault="contains no certificate that p11-kit can read")
    return None
