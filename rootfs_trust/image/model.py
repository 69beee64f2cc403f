"""The data model of images: the content of an image, a change, and the result of the change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from rootfs_trust.errors import Problem
from rootfs_trust.image.image_tree import Layer
from rootfs_trust.image.json_documents import Json, digest_of, environment_of, platform_of
from rootfs_trust.image.streams import Blob, packed


class ImageFiles(Protocol):
    """Files by name: a directory, or a tar archive that is not extracted."""

    @property
    def path(self) -> str:
        """The host path, for messages."""

    def blob(self, name: str) -> Blob | None:
        """Return the file of this name, or None if it does not exist. Raises InputError if it is not a regular file."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image for one platform. ``name`` is the platform, or else a text that distinguishes the image from others in
    the same file.
    """

    name: str
    config: Json
    layers: tuple[Layer, ...]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that its config sets. Raises InputError."""
        return environment_of(self.config)

    @property
    def platform(self) -> str:
        """The platform, such as ``linux/arm64/v8``."""
        return platform_of(self.config)


class NewLayer:
    """A layer for any number of images: the tar archive ``content``. It is compressed only once for each requested
    compression.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.diff_id = digest_of(content)
        self._packed: dict[str, bytes] = {}

    def packed(self, kind: str) -> bytes:
        """Return the compressed archive. ``kind`` is one of the compressions in image/streams.py."""
        if kind not in self._packed:
            self._packed[kind] = b"".join(packed((self.content,), kind))
        return self._packed[kind]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an image: a layer or none, variables, and the creation time."""

    layer: NewLayer | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    created: str | None = None
    unset: frozenset[str] = frozenset()

    @property
    def nothing(self) -> bool:
        """Whether the image stays unchanged."""
        return self.layer is None and not self.environment and not self.unset


Decide: TypeAlias = Callable[[Image], Change]


@dataclass(slots=True)
class ImageResult:
    """The files of the new image in the order of writing, its digest, the digest of each contained image, and notes."""

    digest: str = ""
    parts: dict[str, Blob] = field(default_factory=dict)
    digests: list[str] = field(default_factory=list)
    """The digests of the contained images, in the order in which they were changed."""
    notes: list[Problem] = field(default_factory=list)
