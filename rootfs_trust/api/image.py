"""``image``: the job of ``install`` on container images and on tar files of root filesystems; no daemon, no root."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from rootfs_trust.api.carry_out import look_again, refuse
from rootfs_trust.api.decide import Decision, Job, decide, read_job
from rootfs_trust.api.image_folder import image_folder
from rootfs_trust.api.options import NO_OPTIONS, InstallOptions
from rootfs_trust.api.remove import bad_digests, plain_name
from rootfs_trust.errors import ConflictError, InputError, RootfsTrustError, Trouble
from rootfs_trust.image.archive import Rewriting
from rootfs_trust.image.changes import changes, layer
from rootfs_trust.image.destination import Destination, as_archive
from rootfs_trust.image.documents import diff_ids, new_environment, rfc3339, seconds
from rootfs_trust.image.host import read_file
from rootfs_trust.image.model import Change, Image, NewLayer
from rootfs_trust.image.source import ImageSource, RootfsArchive, open_source
from rootfs_trust.image.streams import packed
from rootfs_trust.image.tree import Layer, Tree
from rootfs_trust.outcome import ImageOutcome, OneImage, Outcome

_MOST_SHARED = 64
"""Layers that are remembered; each has the size of a bundle."""


def install_image(
    source: str, dest: str, options: InstallOptions = NO_OPTIONS, *, environment: bool = False
) -> ImageOutcome:
    """Write the image, archive or folder ``source`` to ``dest`` with anchors installed, and the settings that use them.

    ``environment`` sets in the config of an image what runtimes with a store of their own obey. Raises InputError,
    ConflictError (both: nothing was written) or ApplyError.
    """
    refuse(InputError, bad_digests(options.without))
    job = read_job(replace(options, without=tuple(map(plain_name, options.without))))
    return image_job(source, Destination(dest), job, environment=environment)


@dataclass(frozen=True, slots=True)
class Made:
    """What was decided for an image, and the layer that it got, if any."""

    layer: NewLayer | None
    outcome: Outcome


class SharedLayers:
    """What one job made for images, each layer once.

    An image on the very same layers gets what another got without a look. Any other is decided by itself, and where
    that comes to the same entries, as on a base of which other layers leave the store alone, it gets the same layer.
    """

    def __init__(self) -> None:
        self._made: OrderedDict[object, Made] = OrderedDict()
        self._layers: OrderedDict[str, NewLayer] = OrderedDict()

    def get(self, key: object) -> Made | None:
        """What was made for ``key``, if it is still known."""
        return self._made.get(key)

    def keep(self, key: object, made: Made) -> None:
        """Remember it, and forget the oldest of too many."""
        _keep(self._made, key, made)

    def layer(self, content: bytes) -> NewLayer:
        """The layer with this content, packed already where another image had it."""
        new = NewLayer(content)
        known = self._layers.get(new.diff_id)
        return known or _keep(self._layers, new.diff_id, new)


_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def _keep(known: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> _Value:
    known[key] = value
    if len(known) > _MOST_SHARED:
        known.popitem(last=False)
    return value


def image_job(
    source: str, dest: Destination, job: Job, *, environment: bool = False, shared: SharedLayers | None = None
) -> ImageOutcome:
    """:func:`install_image`, for a job whose files are read; ``shared`` is for many images. Raises the same errors."""
    _refuse_same(source, dest.path)
    found = open_source(source)
    if isinstance(found, ImageSource):
        return _Images(found, dest, job, environment, shared or SharedLayers()).run()
    if environment:
        hint = "write them into a file instead: [[render]] in docs/templates.md"
        raise InputError(Trouble("usage", source, "--env: a root filesystem has no config for variables", hint))
    if isinstance(found, RootfsArchive):
        return _image_archive(found, dest, job)
    return image_folder(found.path, dest, job)


def _refuse_same(source: str, dest: str) -> None:
    old, new = os.path.realpath(source), os.path.realpath(dest)
    if f"{new}/".startswith(f"{old}/"):
        message = "SOURCE and DEST are the same" if old == new else "DEST lies in SOURCE"
        raise InputError(Trouble("usage", dest, message, "name another DEST"))


def _look_again(tree: Tree, decision: Decision, content: bytes) -> None:
    """With the new layer over the tree, nothing may be left to do."""
    tree.lay(Layer("the new layer", lambda: iter((content,))))
    look_again(tree, decision.desired)


# -- images ----------------------------------------------------------------------------------------------


class _Images:
    """One run over every image of a source."""

    def __init__(
        self, source: ImageSource, dest: Destination, job: Job, environment: bool, shared: SharedLayers
    ) -> None:
        self._source = source
        self._dest = dest
        self._job = job
        self._environment = environment
        self._shared = shared
        self._many = len(list(source.images())) > 1
        self._outcomes: list[tuple[str, Outcome, bool]] = []

    def run(self) -> ImageOutcome:
        result = self._source.renewed(self._decide)
        if not self._outcomes:
            message = "holds no image that runs"
            raise InputError(Trouble("image", self._source.files.path, message, "is it an artefact of another kind?"))
        if not self._job.options.dry_run:
            if self._source.archive:
                self._dest.put_file(as_archive(result.parts, self._source.compression))
            else:
                self._dest.put_folder(result.parts)
        images = [
            OneImage(name, digest, changed, outcome)
            for (name, outcome, changed), digest in zip(self._outcomes, result.digests, strict=True)
        ]
        return ImageOutcome(result.digest, tuple(images), tuple(result.notes))

    def _decide(self, image: Image) -> Change:
        time = self._job.options.timestamp
        made_at = seconds(image.config.get("created")) if time is None else time
        key = tuple(diff_ids(image.config)), made_at
        variables: dict[str, str] = {}
        made = None if self._environment else self._shared.get(key)
        if made is None:
            made, variables = self._make(image, made_at)
            self._shared.keep(key, made)
        change = Change(made.layer, variables, None if time is None else rfc3339(time))
        self._outcomes.append((image.platform or image.name, made.outcome, not change.nothing))
        return change

    def _make(self, image: Image, made_at: int) -> tuple[Made, dict[str, str]]:
        try:
            tree = Tree(image.layers)
            decision = decide(tree, self._job)
        except (InputError, ConflictError) as error:
            raise self._named(error, image) from error
        variables, notes = self._variables(tree, decision, image)
        new = None
        if decision.plan.actions:
            new = self._shared.layer(layer(changes(tree, decision.plan.actions, made_at)))
            _look_again(tree, decision, new.content)
        return Made(new, decision.outcome(notes, dry_run=self._job.options.dry_run)), variables

    def _named(self, error: RootfsTrustError, image: Image) -> RootfsTrustError:
        """The error with the name of the image, where there is more than one."""
        if not self._many:
            return error
        return type(error)(*(replace(each, message=f"{each.message} [{image.name}]") for each in error.troubles))

    def _variables(self, tree: Tree, decision: Decision, image: Image) -> tuple[dict[str, str], list[Trouble]]:
        if not self._environment:
            return {}, []
        from rootfs_trust.api.render import trust_of

        wanted = trust_of(tree, decision.layout, decision.store, self._job.clouds).runtimes
        found = new_environment(image.config, wanted)
        message = "is set in the image already, to something else, and stays"
        notes = [Trouble("environment", name, message, "set it where the image is built") for name in found.kept]
        return found.set, notes


# -- tar files of root filesystems -----------------------------------------------------------------------


def _image_archive(source: RootfsArchive, dest: Destination, job: Job) -> ImageOutcome:
    decision = decide(source.tree, job)
    outcome = decision.outcome([], dry_run=job.options.dry_run)
    digest = None
    if not job.options.dry_run:
        state = hashlib.sha256(usedforsecurity=False)
        dest.put_file(_hashed(_archive(source, decision, job), state.update))
        digest = f"sha256:{state.hexdigest()}"
    return ImageOutcome(digest, (OneImage("", digest, outcome.changed, outcome),), ())


def _archive(source: RootfsArchive, decision: Decision, job: Job) -> Iterator[bytes]:
    if not decision.plan.actions:
        return read_file(source.path)
    time = job.options.timestamp
    found = changes(source.tree, decision.plan.actions, source.tree.newest if time is None else time)
    rewriting = Rewriting(source.layer, source.tree, found)
    _look_again(source.tree, decision, layer(found))
    return packed(rewriting.stream(), source.compression)


def _hashed(stream: Iterator[bytes], update: Callable[[bytes], object]) -> Iterator[bytes]:
    for piece in stream:
        update(piece)
        yield piece
