"""What is to be told of a request once the sources are as it wants them: effects that nobody would see. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rootfs_trust.errors import Trouble
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.p11kit.entries import SERVER_AUTH
from rootfs_trust.store.p11kit.found import purposes_of
from rootfs_trust.store.p11kit.parts import parts_of
from rootfs_trust.store.p11kit.select import Filter, is_authority, select
from rootfs_trust.store.p11kit.token import Token
from rootfs_trust.store.purposes import shown


def without_effect(tokens: list[Token], anchors: Iterable[Anchor]) -> Iterator[Trouble]:
    """Anchors that no output of CAs, or not the TLS bundle, will hold."""
    served = {each.certificate.sha256 for each in select(tokens, Filter.ANCHORS, SERVER_AUTH)}
    authority: dict[str, bool] = {}
    for token in tokens:
        for entry in token.entries:
            if entry.certificate:
                authority[entry.certificate.sha256] = is_authority(token, entry)
    for anchor in anchors:
        sha256 = anchor.certificate.sha256
        if not authority.get(sha256, True):
            message = (
                "is no CA: p11-kit leaves it out of every bundle and keystore of CAs, so that no TLS client sees it"
            )
            yield Trouble("no-output", anchor.where, message, "give the CA that signed it, or name the file to clients")
        elif sha256 in authority and sha256 not in served:
            yield _not_for_servers(anchor)


def _not_for_servers(anchor: Anchor) -> Trouble:
    message = "its purposes leave out servers: it is in no bundle that TLS clients read"
    says = "its extended key usage says so" if anchor.purposes is None else f"it is for {shown(anchor.purposes)}"
    return Trouble("no-output", anchor.where, message, says)


def shared_keys(token: Token, anchors: Iterable[Anchor]) -> Iterator[Trouble]:
    """Anchors whose key is in other files of their token for other purposes.

    p11-kit staples purposes to a key, for every certificate with it (load_attached_extensions in trust/enumerate.c):
    one of the two would be trusted for what the other is for.
    """
    for anchor in anchors:
        for path in _paths_with(token, parts_of(anchor.certificate.der).key):
            held = purposes_of(anchor.certificate, (each for each in token.stapled if each.path == path))
            if held != anchor.purposes:
                message = f"holds the key of {anchor.where} for {shown(held)}, and that is for {shown(anchor.purposes)}"
                hint = "p11-kit knows purposes by key: name the same for both, or take that file away"
                yield Trouble("conflict", path, message, hint)


def _paths_with(token: Token, key: bytes) -> list[str]:
    """The files of the token that have anything with the key, each once."""
    held = [*((each.path, each.key) for each in token.entries), *((each.path, each.key) for each in token.stapled)]
    return list(dict.fromkeys(path for path, its in held if its == key))
