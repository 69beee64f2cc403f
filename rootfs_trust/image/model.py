"""Images as data: what is read of one, what is to change in it, and what the result is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from rootfs_trust.errors import Problem
from rootfs_trust.image.image_tree import Layer
from rootfs_trust.image.json_documents import Json, digest_of, environment_of, platform_of
from rootfs_trust.image.streams import Blob, packed


class ImageFiles(Protocol):
    """Files by name: a folder, or a tar archive that is read where it is."""

    @property
    def path(self) -> str:
        """The host path, for messages."""

    def blob(self, name: str) -> Blob | None:
        """The file of this name, or None where there is none. Raises InputError for one that is no file."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image for one platform. ``name`` is the platform, or what tells it from the others of the same file."""

    name: str
    config: Json
    layers: tuple[Layer, ...]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that its configuration sets. Raises InputError."""
        return environment_of(self.config)

    @property
    def platform(self) -> str:
        """``linux/arm64/v8`` and the like."""
        return platform_of(self.config)


class NewLayer:
    """A layer for any number of images: the tar archive ``content``, packed once in each way that is asked for."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.diff_id = digest_of(content)
        self._packed: dict[str, bytes] = {}

    def packed(self, kind: str) -> bytes:
        """The archive, packed; ``kind`` is one of those of image/streams.py."""
        if kind not in self._packed:
            self._packed[kind] = b"".join(packed((self.content,), kind))
        return self._packed[kind]


@dataclass(frozen=True, slots=True)
class Change:
    """What an image gets: a layer or none, variables, and the time at which it was made.

    ``unset`` are names of variables that are deleted from its configuration.
    """

    layer: NewLayer | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    created: str | None = None
    unset: frozenset[str] = frozenset()

    @property
    def nothing(self) -> bool:
        """Whether the image stays as it is."""
        return self.layer is None and not self.environment and not self.unset


Decide: TypeAlias = Callable[[Image], Change]


@dataclass(slots=True)
class ImageResult:
    """The files of the new image in the order of writing, its digest, those of each image, and what is to be told."""

    digest: str = ""
    parts: dict[str, Blob] = field(default_factory=dict)
    digests: list[str] = field(default_factory=list)
    """Of each image, in the order in which they were decided."""
    notes: list[Problem] = field(default_factory=list)
