"""Archives of ``docker save``: reads their images, and writes the archive with another layer in each.

Facts: moby's image/tarexport, go-containerregistry's pkg/v1/tarball. Since Docker 25 the archive is also an OCI layout.
That layout is then updated, and manifest.json with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.damage import broken
from rootfs_trust.image.image_tree import Layer
from rootfs_trust.image.json_documents import (
    MAX_DOCUMENT,
    MAX_IMAGES,
    Budget,
    Json,
    as_objects,
    as_texts,
    blob_path,
    diff_ids,
    digest_of,
    dumped,
    new_config,
    parse,
    parse_object,
    platform_of,
)
from rootfs_trust.image.model import Decide, Image, ImageFiles, ImageResult, NewLayer
from rootfs_trust.image.oci import UpdatedLayout
from rootfs_trust.image.streams import GZIP, Blob, SteadyBlob, checked, compression, in_memory, unpacked
from rootfs_trust.image.tar_stream import parts_of

MANIFEST = "manifest.json"
_NAMED = (MANIFEST, "repositories", "index.json", "oci-layout")
_HEX_DIGITS = 64


class Archive:
    """The images that ``manifest.json`` lists."""

    def __init__(self, files: ImageFiles) -> None:
        self._files = files
        self._known: dict[str, SteadyBlob] = {}
        self._held: set[tuple[str, str]] = set()
        """Names and digests of the layers that were already verified."""
        self._budget = Budget(files.path)

    def images(self) -> Iterator[Image]:
        """Yield every image, in order."""
        return map(self._image, self._items())

    def _items(self) -> list[Json]:
        where = self._where(MANIFEST)
        items = as_objects(parse(self._budget.read(self._file(MANIFEST), where), where), where)
        if len(items) > MAX_IMAGES:
            raise broken(where, f"has more than {MAX_IMAGES} images")
        return items

    def _image(self, item: Json) -> Image:
        config = self._config(item)
        layers = as_texts(item.get("Layers"), self._where(MANIFEST))
        wanted = diff_ids(config)
        if len(wanted) != len(layers):
            raise broken(self._where(MANIFEST), f"has {len(layers)} layers, and {len(wanted)} in the config")
        tags = as_texts(item.get("RepoTags"), self._where(MANIFEST))
        return Image(" ".join(tags) or platform_of(config), config, tuple(map(self._layer, layers, wanted)))

    def _config(self, item: Json) -> Json:
        name = str(item.get("Config"))
        content = self._budget.read(self._steady(name), self._where(name))
        word = name.rpartition("/")[2].removesuffix(".json")
        if len(word) == _HEX_DIGITS and digest_of(content) != f"sha256:{word}":
            raise broken(self._where(name), f"has the digest {digest_of(content)}, not the one in its name")
        return parse_object(content, self._where(name))

    def _layer(self, name: str, diff_id: str) -> Layer:
        blob = self._steady(name)
        try:
            blob_path(diff_id)
        except MalformedError as error:
            raise broken(self._where(str(name)), error.message) from error

        def read() -> Iterator[bytes]:
            yield from checked(unpacked(blob.start(0))[1], diff_id, "the layer")
            self._held.add((name, diff_id))

        return Layer(self._where(name), read)

    def _steady(self, name: str) -> SteadyBlob:
        """Return a file of an image, which must not change between two readings. Files of the archive format, such as
        manifest.json, are refused.
        """
        if name not in self._known:
            if self._plain(name) in _NAMED:
                raise broken(self._where(name), "is a file of the format, and cannot be part of an image")
            self._known[name] = SteadyBlob(self._file(name))
        return self._known[name]

    def _checked(self, image: Image, names: list[str]) -> Iterator[tuple[str, Blob]]:
        """Yield the layers of an image by name. Each is read once to verify its digest, unless already verified."""
        for name, diff_id, layer in zip(names, diff_ids(image.config), image.layers, strict=True):
            try:
                for _ in () if (name, diff_id) in self._held else layer.read():
                    pass
            except MalformedError as error:
                raise layer.broken(error) from error
            yield name, self._steady(name)

    def _file(self, name: str) -> Blob:
        blob = self._files.blob(self._plain(name))
        if blob is None:
            raise broken(self._where(name), "does not exist")
        return blob

    def _plain(self, name: str) -> str:
        try:
            return "/".join(parts_of(name))
        except MalformedError as error:
            raise broken(self._where(MANIFEST), error.message) from error

    def _where(self, name: str) -> str:
        return f"{self._files.path}:{name}"


class ArchiveRenewal(Archive):
    """The archive with the changes of ``decide`` applied to each image. Files for Docker before 1.10 are dropped."""

    def __init__(self, files: ImageFiles, decide: Decide) -> None:
        super().__init__(files)
        self._decide = decide
        self.result = ImageResult()
        self._done: dict[str, Json] = {}
        self._new: dict[str, bytes] = {}
        """Configs and layers that are written, by name."""

    def run(self) -> ImageResult:
        """Return the updated archive. Raises InputError."""
        items = [self._updated_item(item) for item in self._items()]
        for name, new in self._new.items():
            # An attacker who can predict the new layer may have given its name to another file.
            if name in self._known and self._known[name].read(len(new)) != new:
                raise broken(self._where(name), "has the name of a file of the new image, but other content")
            self.result.parts[name] = in_memory(new)
        content = dumped(items)
        digests = self.result.digests
        self.result.digest = digests[0] if len(digests) == 1 else digest_of(content)
        self.result.parts = {MANIFEST: in_memory(content), **self.result.parts}
        return self.result

    def _updated_item(self, item: Json) -> Json:
        name = str(item.get("Config"))
        if name not in self._done:
            try:
                self._done[name] = self._make(item)
            except MalformedError as error:
                raise broken(self._where(MANIFEST), error.message) from error
        return {**item, **self._done[name]}

    def _make(self, item: Json) -> Json:
        image = self._image(item)
        change = self._decide(image)
        layers = as_texts(item.get("Layers"), self._where(MANIFEST))
        self.result.parts.update(self._checked(image, layers))
        if change.nothing:
            content = self._steady(item["Config"]).read(MAX_DOCUMENT) or b""
            return self._with_config(content, str(item["Config"]), layers)
        diff_id = None
        if change.layer is not None:
            diff_id = change.layer.diff_id
            layers = [*layers, self._add_layer(change.layer, layers)]
        content = dumped(new_config(image.config, diff_id, change))
        return self._with_config(content, f"{digest_of(content).removeprefix('sha256:')}.json", layers)

    def _with_config(self, content: bytes, name: str, layers: list[str]) -> Json:
        self._new[name] = content
        self.result.digests.append(digest_of(content))
        return {"Config": name, "Layers": layers}

    def _add_layer(self, layer: NewLayer, layers: list[str]) -> str:
        """Add the layer, compressed like the topmost one, and return its file name."""
        kind = compression(next(self._file(layers[-1]).start(0), b"")) if layers else ""
        content = layer.packed(kind)
        name = f"{digest_of(content).removeprefix('sha256:')}.tar{'.gz' if kind == GZIP else ''}"
        self._new[name] = content
        return name


class BothRenewal(Archive):
    """An archive that is also an OCI layout."""

    def __init__(self, files: ImageFiles, decide: Decide) -> None:
        super().__init__(files)
        self._layout = UpdatedLayout(files, decide)

    def run(self) -> ImageResult:
        """Return the updated layout and its ``manifest.json``. Raises InputError."""
        result = self._layout.run()
        items = [self._updated_item(item, result) for item in self._items()]
        result.parts = {"oci-layout": result.parts["oci-layout"], MANIFEST: in_memory(dumped(items)), **result.parts}
        return result

    def _updated_item(self, item: Json, result: ImageResult) -> Json:
        new = self._layout.by_config.get(f"sha256:{str(item.get('Config')).rpartition('/')[2]}")
        layers = as_texts(item.get("Layers"), self._where(MANIFEST))
        if new is None or not result.parts.keys() >= set(layers):
            # The index may not list all of this image: verify it by its own digests.
            result.parts = {**dict(self._checked(self._image(item), layers)), **result.parts}
        if new is None:
            name = str(item.get("Config"))
            result.parts.setdefault(name, in_memory(self._steady(name).read(MAX_DOCUMENT) or b""))
            return item
        item = {**item, "Config": _blob(new.config)}
        if new.layer is not None:
            item["Layers"] = [*layers, _blob(str(new.layer["digest"]))]
            if isinstance(item.get("LayerSources"), dict):
                item["LayerSources"] = {**item["LayerSources"], str(new.diff_id): new.layer}
        return item


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"
