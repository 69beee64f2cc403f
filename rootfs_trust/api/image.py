"""``image``: run ``install`` on container images and on tar files of root filesystems."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from rootfs_trust.api.apply_plan import nothing_written, verify_written
from rootfs_trust.api.image_directory import image_directory
from rootfs_trust.api.image_filesystem import image_filesystem
from rootfs_trust.api.open_tree import named_on_the_host
from rootfs_trust.api.options import NO_OPTIONS, InstallOptions
from rootfs_trust.api.planning import Decision, Job, decide, read_job
from rootfs_trust.api.runtime_warnings import runtime_warnings
from rootfs_trust.errors import ENVIRONMENT, IMAGE, USAGE, ConflictError, InputError, Problem, RootfsTrustError
from rootfs_trust.image.cpio_writing import CpioRewriting
from rootfs_trust.image.destination import Destination, as_archive
from rootfs_trust.image.filesystems.open import FilesystemImage
from rootfs_trust.image.host_files import read_file
from rootfs_trust.image.image_tree import ImageTree, Layer
from rootfs_trust.image.json_documents import diff_ids, new_environment, seconds
from rootfs_trust.image.layer_entries import changes, layer
from rootfs_trust.image.model import Change, Image, NewLayer
from rootfs_trust.image.source import CpioArchive, ImageSource, RootfsArchive, Source, open_source
from rootfs_trust.image.streams import packed
from rootfs_trust.image.tar_rewriting import TarRewriter
from rootfs_trust.outcome import ImageOutcome, OneImage, Outcome
from rootfs_trust.times import from_seconds, rfc3339

_MOST_SHARED = 64
"""Maximum number of cached layers. Each has the size of a bundle."""


def install_image(
    source: str, dest: str, options: InstallOptions = NO_OPTIONS, *, environment: bool = False
) -> ImageOutcome:
    """Write the image, archive or directory ``source`` to ``dest``, with anchors and settings installed.

    If ``environment`` is true, also set variables in the config of a container image, for runtimes with a separate
    trust store. Raises InputError or ConflictError before anything is written, or ApplyError.
    """
    return image_job(source, Destination(dest), read_job(options), environment=environment)


@dataclass(frozen=True, slots=True)
class Made:
    """The decision for an image, and the layer to add to it, if any."""

    layer: NewLayer | None
    outcome: Outcome


class SharedLayers:
    """Cache of the layers that one job has made.

    An image with exactly the same layers and variables gets the same new layer without further checks. Any other image
    is planned on its own. If the plan has the same entries, the image also gets the same layer, for example if two
    images share a base and their other layers do not change the store.
    """

    def __init__(self) -> None:
        self._made: OrderedDict[object, Made] = OrderedDict()
        self._layers: OrderedDict[str, NewLayer] = OrderedDict()

    def get(self, key: object) -> Made | None:
        """Return the cached result for ``key``, or None."""
        return self._made.get(key)

    def keep(self, key: object, made: Made) -> None:
        """Cache ``made`` under ``key``. Evict the oldest entry if the cache is full."""
        _keep(self._made, key, made)

    def layer(self, content: bytes) -> NewLayer:
        """Return the layer with this content, compressed only once."""
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
    """Like :func:`install_image`, for a job whose files were already read. ``shared`` is a cache for many images."""
    _refuse_same(source, dest.path)
    found = open_source(source)
    if not job.options.dry_run:
        dest.refuse(folder=os.path.isdir(source))
    with named_on_the_host(source):
        return _of_its_kind(source, found, dest, job, environment, shared)


def _of_its_kind(
    source: str,
    found: Source,
    dest: Destination,
    job: Job,
    environment: bool,
    shared: SharedLayers | None,
) -> ImageOutcome:
    if isinstance(found, ImageSource):
        return _Images(found, dest, job, environment, shared or SharedLayers()).run()
    if environment:
        hint = "write them into a file instead: [[render]] in docs/templates.md"
        raise InputError(USAGE(source, "--env: a root filesystem has no image config", hint))
    if isinstance(found, RootfsArchive | CpioArchive):
        return _image_archive(found, dest, job)
    if isinstance(found, FilesystemImage):
        return image_filesystem(found, dest, job)
    return image_directory(found.path, dest, job)


def _refuse_same(source: str, dest: str) -> None:
    old, new = os.path.realpath(source), os.path.realpath(dest)
    outer = os.path.commonpath([old, new])
    if outer in (old, new):
        message = "DEST is inside SOURCE" if outer == old else "SOURCE is inside DEST"
        message = "SOURCE and DEST are the same" if old == new else message
        raise InputError(USAGE(dest, message, "choose another DEST"))


def _look_again(tree: ImageTree, decision: Decision, content: bytes, dest: str) -> None:
    """Check that nothing is left to do in the tree with the new layer."""
    tree.lay(Layer("the new layer", lambda: iter((content,))))
    with nothing_written(dest):
        verify_written(tree, decision.desired)


# -- images ----------------------------------------------------------------------------------------------


class _Images:
    """The changes of one run to every image of a source."""

    def __init__(
        self, source: ImageSource, dest: Destination, job: Job, environment: bool, shared: SharedLayers
    ) -> None:
        self._source = source
        self._dest = dest
        self._job = job
        self._environment = environment
        self._shared = shared
        self._many = len(list(islice(source.images(), 2))) > 1
        self._outcomes: list[tuple[str, Outcome, bool]] = []

    def run(self) -> ImageOutcome:
        result = self._source.renewed(self._decide)
        if not self._outcomes:
            message = "contains no runnable image"
            raise InputError(IMAGE(self._source.files.path, message, "is it another kind of artifact?"))
        if not self._job.options.dry_run:
            if self._source.archive:
                self._dest.put_file(as_archive(result.parts, self._source.compression))
            else:
                self._dest.put_directory(result.parts)
        images = [
            OneImage(name, digest, changed, outcome)
            for (name, outcome, changed), digest in zip(self._outcomes, result.digests, strict=True)
        ]
        return ImageOutcome(result.digest, tuple(images), tuple(result.notes))

    def _decide(self, image: Image) -> Change:
        time = self._job.options.timestamp
        made_at = seconds(image.config.get("created")) if time is None else time
        key = tuple(diff_ids(image.config)), tuple(sorted(image.environment.items())), made_at
        variables: dict[str, str] = {}
        unset: frozenset[str] = frozenset()
        removes = self._job.options.without or self._job.config.store.distrust
        with_variables = self._environment or self._job.runtimes or removes
        made = None if with_variables else self._shared.get(key)
        if made is None:
            made, variables, unset = self._make(image, made_at)
            self._shared.keep(key, made)
        change = Change(made.layer, variables, None if time is None else rfc3339(from_seconds(time)), unset)
        self._outcomes.append((image.platform or image.name, made.outcome, not change.nothing))
        return change

    def _make(self, image: Image, made_at: int) -> tuple[Made, dict[str, str], frozenset[str]]:
        try:
            tree = ImageTree(image.layers, environment=image.environment)
            decision = decide(tree, self._job, configured=image.environment)
        except (InputError, ConflictError) as error:
            raise self._with_image_name(error, image) from error
        variables, notes = self._variables(tree, decision, image)
        notes += runtime_warnings(tree, decision)
        new = None
        if decision.plan.actions:
            new = self._shared.layer(layer(changes(tree, decision.plan.actions, made_at)))
            _look_again(tree, decision, new.content, self._dest.path)
        outcome = decision.outcome(notes, dry_run=self._job.options.dry_run)
        return Made(new, outcome), variables, frozenset(decision.unset)

    def _with_image_name(self, error: RootfsTrustError, image: Image) -> RootfsTrustError:
        """Return the error with the name of the image, if there are several images."""
        if not self._many:
            return error
        return type(error)(*(each._replace(message=f"{each.message} [{image.name}]") for each in error.problems))

    def _variables(self, tree: ImageTree, decision: Decision, image: Image) -> tuple[dict[str, str], list[Problem]]:
        if not self._environment:
            return dict(decision.variables), []
        from rootfs_trust.api.render import trust_of

        wanted = trust_of(tree, decision.layout, decision.store, self._job.clouds).runtimes
        found = new_environment(image.config, wanted)
        message = "is already set in the image to another value, which is kept"
        notes = [ENVIRONMENT(name, message) for name in found.kept]
        return {**found.set, **decision.variables}, notes


# -- archives of root filesystems ------------------------------------------------------------------------


def _image_archive(source: RootfsArchive | CpioArchive, dest: Destination, job: Job) -> ImageOutcome:
    decision = decide(source.tree, job)
    outcome = decision.outcome(runtime_warnings(source.tree, decision), dry_run=job.options.dry_run)
    digest = None
    if not job.options.dry_run:
        digest = dest.put_file(_archive(source, decision, job, dest.path))
    return ImageOutcome(digest, (OneImage("", digest, outcome.changed, outcome),), ())


def _archive(source: RootfsArchive | CpioArchive, decision: Decision, job: Job, dest: str) -> Iterator[bytes]:
    if not decision.plan.actions:
        return read_file(source.path)
    time = job.options.timestamp
    found = changes(source.tree, decision.plan.actions, source.tree.newest if time is None else time)
    if isinstance(source, CpioArchive):
        stream = CpioRewriting(lambda: read_file(source.path), source.tree, found).stream()
    else:
        stream = packed(TarRewriter(source.layer, source.tree, found).stream(), source.compression)
    _look_again(source.tree, decision, layer(found), dest)
    return stream
