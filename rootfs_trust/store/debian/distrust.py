"""Takes trust away the way Debian does: a local file goes, a shipped one gets ``!`` before its line. Pure."""

from __future__ import annotations

from rootfs_trust.errors import Trouble
from rootfs_trust.store.debian.reading import Found
from rootfs_trust.store.local import DIGEST, LocalFolder, holders, not_found, stem
from rootfs_trust.store.request import Answer, Request
from rootfs_trust.store.source import Source


def distrusted_names(found: Found, local: LocalFolder, request: Request, answer: Answer) -> list[str]:
    """Take out of ``local`` what has to go, and name the shipped anchors that get a ``!``."""
    names: list[str] = []
    for wanted in request.remove:
        if wanted.startswith(DIGEST):
            names += _every_copy(found, local, wanted.removeprefix(DIGEST), answer, must=True)
        else:
            names += _by_name(found, local, wanted, answer)
    for sha256 in sorted(request.distrust):
        names += _every_copy(found, local, sha256, answer, must=False)
    if request.only:
        names += _all_but_anchors(found, local, request)
    return list(dict.fromkeys(names))


def _by_name(found: Found, local: LocalFolder, wanted: str, answer: Answer) -> list[str]:
    path = next((path for path in local.sources if stem(path) == wanted), None)
    if path is not None:
        _warn_of_copies(found, local.sources[path], answer)
        local.remove(path)
        return []
    names = [name for name in found.shipped if wanted in (name, stem(name))]
    if not names and not any(wanted in (name, stem(name)) for name in found.distrusted):
        known = (*local.sources, *found.shipped, *found.distrusted)
        answer.troubles.append(not_found(wanted, map(stem, known)))
    return names


def _every_copy(found: Found, local: LocalFolder, sha256: str, answer: Answer, *, must: bool) -> list[str]:
    """Every copy of the certificate; where it is nowhere, an error if the caller said it ``must`` be somewhere."""
    paths = [source.path for source in holders(sha256, local.sources.values())]
    for path in paths:
        local.remove(path, sha256)
    names = [
        name
        for name, source in (found.shipped | found.unlisted).items()
        if any(each.sha256 == sha256 for each in source.certificates)
    ]
    if must and not paths and not names and not any(holders(sha256, found.distrusted.values())):
        answer.troubles.append(not_found(f"{DIGEST}{sha256}", ()))
    return names


def _all_but_anchors(found: Found, local: LocalFolder, request: Request) -> list[str]:
    """``base = "none"``: a ``!`` for every shipped anchor, never an empty list, which forces --fresh each time.

    An anchor that the distribution ships is trusted by its copy in the local folder.
    """
    wanted = {anchor.certificate.sha256 for anchor in request.anchors}
    for path, source in list(local.sources.items()):
        for certificate in source.certificates:
            if certificate.sha256 not in wanted:
                local.remove(path, certificate.sha256)
    return [*found.shipped, *found.unlisted]


def _warn_of_copies(found: Found, removed: Source, answer: Answer) -> None:
    for certificate in removed.certificates:
        for copy in holders(certificate.sha256, found.shipped.values()):
            message = f"is trusted still: the distribution ships {removed.path} too"
            hint = f"remove {DIGEST}{certificate.sha256} takes every copy"
            answer.warnings.append(Trouble("still-trusted", copy.path, message, hint))
