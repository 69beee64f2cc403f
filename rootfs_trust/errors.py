"""Errors and warnings: their data, the exceptions that carry them, and the catalogue of all ids.

A problem is data (:class:`Problem`), so that a command can collect many of them before it reports any. An exception
carries one or more problems and has the exit status of the command. docs/ids.md is generated from the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Problem(NamedTuple):
    """One problem: a stable ``id``, the ``path`` that it concerns, what is wrong, and how to fix it.

    ``argument`` is the argument that matches nothing, if that is the problem.
    """

    id: str
    path: str
    message: str
    hint: str = ""
    argument: str = ""

    def __str__(self) -> str:
        text = f"{self.path}: {self.message}" if self.path else self.message
        return f"{text}; {self.hint}" if self.hint else text


class ProblemType:
    """A kind of problem. Call it to describe a problem of this kind.

    ``id``      stable, as JSON output and docs/ids.md have it.
    ``levels``  possible levels, the most severe first.
    ``fix``     the hint, unless the problem has its own; empty if that depends on the problem.
    """

    __slots__ = ("fix", "id", "levels")  # every command creates the catalogue: a NamedTuple takes half as long again

    def __init__(self, id: str, levels: tuple[str, ...], fix: str = "") -> None:
        self.id, self.levels, self.fix = id, levels, fix

    def __call__(self, path: str, message: str, hint: str = "", argument: str = "") -> Problem:
        """Return a problem of this kind."""
        return Problem(self.id, path, message, hint or self.fix, argument)


class RootfsTrustError(Exception):
    """Base class of all errors of this package. Carries every problem that was found, in order."""

    exit_status = 2
    level = "error"

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


class InputError(RootfsTrustError):
    """Wrong use, or input that cannot be read or is refused. Nothing was written."""


class DamagedImageError(RootfsTrustError):
    """Malformed data was found in one place of an image. The rest of the image was not checked, and nothing was
    written.

    It is not an InputError, so code that tolerates unreadable files does not catch it. Callers of the API get an
    InputError instead.
    """


class ConflictError(RootfsTrustError):
    """The root filesystem has a file that rootfs-trust must not overwrite. Nothing was written."""

    exit_status = 3
    level = "conflict"


class ApplyError(RootfsTrustError):
    """The disk or the root filesystem failed during the run. The problems say what was written and what was not.

    ``causes`` are the problems without that part of the message, which is ``written``.
    """

    exit_status = 4
    level = "failure"

    def __init__(self, *causes: Problem, written: str = "") -> None:
        self.causes = causes
        super().__init__(
            *(each._replace(message=f"{each.message}; {written}") for each in causes) if written else causes
        )


class MalformedError(RootfsTrustError):
    """Bytes are malformed. The caller knows the file, and adds its path to the message."""

    def __init__(self, message: str) -> None:
        super().__init__(MALFORMED("", message))
        self.message = message


class PasswordError(MalformedError):
    """Bytes that the given password does not open. They may also be damaged."""


def refuse(error: type[RootfsTrustError], problems: Iterable[Problem]) -> None:
    """Raise ``error`` with each problem once, if there are any."""
    once = dict.fromkeys(problems)
    if once:
        raise error(*once)


# -- the catalogue ----------------------------------------------------------------------------------------------

_ERROR, _WARNING = (InputError.level,), ("warning",)
_CONFLICT, _FAILURE = (ConflictError.level,), (ApplyError.level,)

ALREADY_INSTALLED = ProblemType("already-installed", _WARNING)
"""The certificate is in the store under another name. (install)"""
ALREADY_SHIPPED = ProblemType(
    "already-shipped", _WARNING, "it is installed anyway, so that it stays when the package drops it"
)
"""The distribution ships the certificate; the installed copy outlives its package. (install)"""
APPLY = ProblemType("apply", _FAILURE, "fix the cause and run the same command again")
"""A write failed during the run; the message says what was and was not written."""
ARCHIVE = ProblemType("archive", _ERROR, "unpack it, and give the certificate files")
"""A zip archive of certificates is encrypted, damaged or too large. (install)"""
ATTESTATION = ProblemType("attestation", _WARNING, "attest the new image")
"""An attestation about an image does not apply to the changed image and is left out. (image)"""
BASE_NONE = ProblemType(
    "base-none", _WARNING, "p11-kit cannot distrust them in advance: run rootfs-trust again after each update"
)
"""On p11-kit layouts `base = "none"` distrusts what is shipped now, not what a later package brings."""
BROKEN_CERTDATA = ProblemType("broken-certdata", _ERROR, "download the file again")
"""certdata.txt cannot be read."""
BROKEN_CERTIFICATE = ProblemType("broken-certificate", _ERROR, "export it again from its origin")
"""A DER file is not a valid X.509 certificate."""
BROKEN_PKCS7 = ProblemType("broken-pkcs7", _ERROR, "convert it: openssl pkcs7 -print_certs -in FILE -out FILE.pem")
"""A PKCS#7 file is malformed or holds no certificate."""
CHAIN = ProblemType("chain", _ERROR)
"""The saved chain of a server cannot be used. (verify)"""
CLIENT = ProblemType("client", _ERROR)
"""No client has this name, or the root filesystem does not have the client."""
CLOCK = ProblemType("clock", _ERROR, "give the time: --at 2026-01-31")
"""The root filesystem does not show its clock at the first boot. (verify --at first-boot)"""
CLOUD = ProblemType("cloud", _ERROR)
"""`--cloud` or `[[cloud]]` names an unknown cloud, or a profile with an invalid name."""
COLLISION = ProblemType("collision", _ERROR, "choose another path")
"""Two outputs have the same path. ([[render]])"""
COMPILED_ROOTS = ProblemType(
    "compiled-roots",
    _WARNING,
    "set cacertfile in the ssl options of these programs, or compile certifi again with the changed cacerts.pem",
)
"""A module of Erlang's certifi contains roots that `--runtimes` cannot change. (install)"""
CONFIG = ProblemType("config", _ERROR)
"""rootfs-trust.toml or fleet.toml is wrong; the key and the line are given."""
CONFLICT = ProblemType("conflict", _CONFLICT)
"""Something in the root filesystem is where a file has to be written, or contradicts it."""
DASK = ProblemType("dask", _ERROR + _FAILURE)
"""The Dask cluster cannot be used. (fleet --dask)"""
DISTRUST_AFTER = ProblemType("distrust-after", _WARNING)
"""Mozilla trusts no certificate that this root issues after a date. (certdata.txt)"""
DISTRUSTED = ProblemType("distrusted", _ERROR, "delete one of the two")
"""The root filesystem distrusts the certificate."""
ENVIRONMENT = ProblemType("environment", _WARNING, "set it in the build of the image")
"""A variable of an image's configuration is kept, although a runtime needs another value. (image)"""
FENCE_IGNORED = ProblemType("fence-ignored", _WARNING)
"""A client ignores the name constraints of a constrained anchor. (install)"""
FETCH = ProblemType("fetch", _ERROR)
"""The server cannot be reached, or its chain cannot be saved. (verify --fetch, init --fetch)"""
HASH_DIRECTORY_APART = ProblemType("hash-directory-apart", _WARNING)
"""A hash directory of shipped roots that no tool maintains lacks the anchor. (install)"""
HOSTNAME = ProblemType("hostname", _ERROR, "use the host name or IP address that the device connects to")
"""The text is not a host name. (verify, init)"""
IMAGE = ProblemType("image", _ERROR)
"""The image or archive cannot be read or written."""
INTERMEDIATE_ACCEPTED = ProblemType("intermediate-accepted", _WARNING)
"""The distrusted certificate is an intermediate whose issuer stays trusted. (remove)"""
INTERNAL = ProblemType(
    "internal", _FAILURE, "this is a bug in rootfs-trust; run again with -v for a traceback, and report it"
)
"""An unexpected error, which is a bug in rootfs-trust. `-v` shows the traceback."""
JAVA_STORE_FORMAT = ProblemType("java-store-format", _WARNING)
"""A keystore has a format that cannot be written; it is left as it is. (install)"""
JAVA_STORE_FROZEN = ProblemType(
    "java-store-frozen", _WARNING, "set cacerts_updates=yes, or change the keystore with keytool on the device"
)
"""Debian's Java keystore is switched off (`cacerts_updates`); Java does not see the change."""
JOURNAL = ProblemType("journal", _ERROR, "choose another path with --journal")
"""The journal of a fleet cannot be read or belongs to other targets. (fleet --journal)"""
KEYSTORE = ProblemType("keystore", _ERROR, "export its certificates: keytool -list -rfc -keystore FILE > ca.pem")
"""A Java keystore cannot be read, or is of a type other than JKS and PKCS #12. (install)"""
LAYOUT = ProblemType("layout", _ERROR)
"""The root filesystem shows no known layout, or no layout has this name."""
LIBRARY = ProblemType("library", _FAILURE, "give the process more memory, or reinstall that package")
"""A library of the host cannot be loaded."""
LIST_KEPT = ProblemType(
    "list-kept", _WARNING, "copy their lines from the new package's list when you update the package on the device"
)
"""Debian's list of roots is edited, so that new roots of a later package stay out. (install, remove)"""
LOCK = ProblemType("lock", _ERROR, "nothing was written; without a lock, another run could write at the same time")
"""The root filesystem cannot be locked."""
MALFORMED = ProblemType("malformed", _ERROR)
"""A certificate cannot be read."""
MEMORY = ProblemType("memory", _FAILURE, "give the process more memory, or process fewer targets at once")
"""Out of memory."""
MISSING_PACKAGE = ProblemType("missing-package", _ERROR)
"""A Python package is missing; the extra that brings it is named."""
NAME = ProblemType("name", _ERROR)
"""The name of an anchor is unsafe or taken. (install)"""
NO_FILE = ProblemType("no-file", _WARNING, "rename it")
"""A link in a directory is dangling, and is skipped. (rehash)"""
NO_FOLDER = ProblemType("no-folder", _ERROR, "rehash needs directories")
"""The directory does not exist, or is not a directory. (rehash)"""
NO_OUTPUT = ProblemType("no-output", _WARNING)
"""No store file for TLS clients can hold the anchor, because of its purposes or its form. (install)"""
NO_TEDGE_USER = ProblemType("no-tedge-user", _WARNING, "chown it to tedge:tedge once the package has created the user")
"""The root filesystem has no user `tedge`; new settings belong to root. (install)"""
NOT_CONSTRAINED = ProblemType("not-constrained", _ERROR)
"""The anchor cannot be limited to the given names. ([[anchor]] permitted, --permit)"""
NOT_FOUND = ProblemType("not-found", _ERROR + _WARNING)
"""No anchor has this name or digest. (remove)"""
NOT_PEM = ProblemType("not-pem", _WARNING)
"""The file is PKCS #7, PKCS #12 or a DER CRL, and OpenSSL reads PEM only. (rehash)"""
OUTPUT = ProblemType("output", _ERROR + _FAILURE)
"""An output of the command cannot be written."""
OWNER = ProblemType("owner", _WARNING)
"""The owner of a file could not be kept or set."""
PACKAGE_RESTORES = ProblemType("package-restores", _WARNING, "run rootfs-trust again after each update of the package")
"""The next update of the distribution's package undoes the change. (install, remove)"""
PEM_NOT_CLEAN = ProblemType("pem-not-clean", _WARNING)
"""A source is not one clean PEM certificate; it is stored as the device's own tool does. (install)"""
PIN = ProblemType(
    "pin",
    _ERROR,
    "the file contains a different certificate than the config expects; find out why before you change the pin",
)
"""The file holds another certificate than the one that the configuration pins. (install)"""
PRESET = ProblemType("preset", _ERROR, "name a file that contains it: [store] roots in rootfs-trust.toml, or --cert")
"""A root that the cloud documents is not available for `base = "none"`. (install)"""
PROGRAM_MISSING = ProblemType("program-missing", _WARNING, "a newer package of the distribution has them")
"""The root program trusts roots that the distribution does not ship. ([store] program)"""
PROGRAM_REMOVED = ProblemType("program-removed", _WARNING, "they are no longer trusted")
"""Roots are removed because the root program does not trust them. ([store] program)"""
PURPOSES = ProblemType("purposes", _ERROR + _WARNING)
"""The store cannot record the purposes of the anchor, or they contradict each other. (install)"""
PYTHON = ProblemType("python", _FAILURE, "give the process more memory; if that does not help, use a newer Python")
"""The Python interpreter itself failed, for example because memory is short."""
REPLACE = ProblemType("replace", _ERROR)
"""`--replace` names no given certificate. (install)"""
REPLACED_YET_TRUSTED = ProblemType("replaced-yet-trusted", _WARNING)
"""A client still trusts a replaced certificate, because another file contains it. (install)"""
ROOT = ProblemType("root", _ERROR, "--root takes the directory that becomes the device's /")
"""`--root` is not a directory, or cannot be opened."""
ROOT_DATA = ProblemType("root-data", _ERROR)
"""The table of public roots cannot be read. (--root-data)"""
RUNTIME_MISSING = ProblemType("runtime-missing", _ERROR)
"""A runtime that is named is not in the root filesystem. (--runtimes)"""
SERVER_RENEWED = ProblemType("server-renewed", _WARNING, "save its chain again when it is renewed")
"""The server's own certificate ends before the day that is asked for, and its operator renews it."""
SKIPPED = ProblemType("skipped", _WARNING)
"""A file of a given directory is skipped. (install)"""
SPARSE = ProblemType("sparse", _ERROR, "store it whole: tar without -S")
"""A file of an archive is stored as a sparse file, and cannot be read."""
STATE = ProblemType("state", _ERROR)
"""`--state` is malformed."""
STRAY_FILE = ProblemType("stray-file", _WARNING, "move it elsewhere")
"""The device's own tool will delete this file at its next run. (install)"""
SYSTEM = ProblemType("system", _FAILURE)
"""The operating system refused an operation."""
TEMPLATE = ProblemType("template", _ERROR)
"""A template fails or is not found. ([[render]])"""
THIN_EDGE_ENVIRONMENT = ProblemType("thin-edge-environment", _WARNING, "delete this file, or use --settings-as env")
"""A setting cannot be given by an environment variable. (install --settings-as env)"""
THIN_EDGE_MAPPER = ProblemType("thin-edge-mapper", _WARNING, "check the name; a mapper needs more than this file")
"""A mapper of a user has no file. (install)"""
TOO_LARGE = ProblemType("too-large", _ERROR)
"""A file or directory is larger than what is read."""
TOOL_MISSING = ProblemType("tool-missing", _ERROR)
"""Writing an image needs a program of its format, which is not installed. (image)"""
UNKNOWN_SELECTION = ProblemType("unknown-selection", _ERROR)
"""A name is neither a digest nor an incident or root of the root data. (remove, [store] distrust)"""
URL = ProblemType("url", _ERROR, "download the file, compare its digest, and give its path")
"""A URL is given where a file is expected; no command but `verify --fetch` opens a connection."""
USAGE = ProblemType("usage", _ERROR)
"""The options contradict each other, or one is missing."""
VERIFY = ProblemType("verify", _ERROR, "pip install 'rootfs-trust[verify]'")
"""Verdicts need pyOpenSSL: the extra `verify`."""
ZSTD = ProblemType("zstd", _ERROR, "use Python 3.14, or install rootfs-trust[zstd]")
"""The archive is compressed by zstd, which needs an extra before Python 3.14."""

# The ids of findings of ``check``. docs/findings.md explains them.

CA_NAMES_SERVER = ProblemType(
    "ca-names-server", _WARNING, "have the server's certificate issued with CA:FALSE, or signed by this CA"
)
CLIENT_CANNOT_READ = ProblemType("client-cannot-read", _WARNING)
CONF_CRLF = ProblemType("conf-crlf", _WARNING)
CONF_LAST_LINE = ProblemType("conf-last-line", _WARNING, "add a newline at the end")
DANGLING_LINK = ProblemType("dangling-link", _WARNING, "remove it, or restore its file")
DER = ProblemType("der", _WARNING)
DISTRUST_UNMATCHED = ProblemType("distrust-unmatched", _WARNING)
DISTRUSTED_YET_TRUSTED = ProblemType("distrusted-yet-trusted", _WARNING)
DUPLICATE = ProblemType("duplicate", _WARNING)
ENVIRONMENT_FEW_ROOTS = ProblemType(
    "environment-few-roots", _WARNING, "install the distribution's ca-certificates into the root filesystem"
)
EXPIRED = ProblemType("expired", _ERROR + _WARNING)
EXPIRES_SOON = ProblemType("expires-soon", _ERROR + _WARNING, "renew it before the image ships")
FORBIDDEN = ProblemType("forbidden", _ERROR, "[policy] forbid in rootfs-trust.toml lists it")
IGNORED_SOURCE = ProblemType("ignored-source", _WARNING)
ISSUER_MISSING = ProblemType("issuer-missing", _WARNING, "also install the root that signed it")
JAVA_REFUSES = ProblemType("java-refuses", _WARNING)
NO_CERTIFICATE = ProblemType("no-certificate", _ERROR + _WARNING)
NOT_A_CA = ProblemType("not-a-ca", _ERROR + _WARNING)
NOT_AN_ANCHOR = ProblemType("not-an-anchor", _ERROR, "install the certificate of that CA")
NOT_YET_VALID = ProblemType("not-yet-valid", _WARNING, "devices whose clock is behind will refuse it")
PEM_MALFORMED = ProblemType("pem-malformed", _ERROR + _WARNING, "export it again from its origin")
PEM_OCTETS_BEHIND = ProblemType("pem-octets-behind", _WARNING, "rootfs-trust install writes only the certificate")
PEM_UNSEEN = ProblemType("pem-unseen", _WARNING)
PRIVATE_KEY = ProblemType("private-key", _ERROR + _WARNING)
PROXY_CA_PATH = ProblemType("proxy-ca-path", _WARNING)
ROOT_ENDS = ProblemType("root-ends", _WARNING)
SEVERAL_CERTIFICATES = ProblemType("several-certificates", _WARNING)
SOURCE_MISSING = ProblemType("source-missing", _WARNING, "delete the line, or restore the file")
THIN_EDGE_BOTH = ProblemType("thin-edge-both", _WARNING)
THIN_EDGE_NAME = ProblemType("thin-edge-name", _WARNING, "rename it")
THIN_EDGE_SETTING = ProblemType("thin-edge-setting", _ERROR + _WARNING)
THIN_EDGE_TOML = ProblemType("thin-edge-toml", _ERROR)
THIN_EDGE_UNREADABLE = ProblemType(
    "thin-edge-unreadable", _WARNING, "make it readable for all users (chmod a+rX); CA certificates are not secret"
)
UNREADABLE = ProblemType("unreadable", _ERROR + _FAILURE, "check the path and its permissions")
UNREADABLE_DATES = ProblemType("unreadable-dates", _ERROR, "no client accepts it, so have it issued again")
WEAK_KEY = ProblemType(
    "weak-key", _ERROR + _WARNING, "many clients refuse it, so have it issued again with a stronger key"
)
