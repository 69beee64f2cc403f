"""Archives of ``docker save``: the images in one, and the same archive with a layer more in each.

Facts: moby's image/tarexport, go-containerregistry's pkg/v1/tarball. Since Docker 25 the archive is an OCI layout,
too; then that is renewed, and manifest.json follows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.documents import (
    MAX_DOCUMENT,
    Json,
    as_objects,
    as_texts,
    broken,
    diff_ids,
    digest_of,
    dumped,
    new_config,
    parse,
    parse_object,
    platform_of,
)
from rootfs_trust.image.model import Decide, Files, Image, NewLayer, Result
from rootfs_trust.image.oci import Renewal
from rootfs_trust.image.streams import GZIP, Blob, checked, compression, in_memory, unpacked
from rootfs_trust.image.tar import parts_of
from rootfs_trust.image.tree import Layer

MANIFEST = "manifest.json"
_HEX_DIGITS = 64


class Archive:
    """The images that ``manifest.json`` lists."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def images(self) -> Iterator[Image]:
        """Every image, in order."""
        return map(self._image, self._items())

    def _items(self) -> list[Json]:
        return as_objects(parse(self._file(MANIFEST).read(MAX_DOCUMENT), self._where(MANIFEST)), self._where(MANIFEST))

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
        content = self._file(name).read(MAX_DOCUMENT)
        word = name.rpartition("/")[2].removesuffix(".json")
        if content is not None and len(word) == _HEX_DIGITS and digest_of(content) != f"sha256:{word}":
            raise broken(self._where(name), f"is not what its name says, but {digest_of(content)}")
        return parse_object(in_memory(content or b""), self._where(name))

    def _layer(self, name: str, diff_id: str) -> Layer:
        blob = self._file(name)
        return Layer(self._where(name), lambda: checked(unpacked(blob.start(0))[1], diff_id, "the layer"))

    def _file(self, name: str) -> Blob:
        try:
            blob = self._files.blob("/".join(parts_of(name)))
        except MalformedError as error:
            raise broken(self._where(MANIFEST), error.message) from error
        if blob is None:
            raise broken(self._where(name), "is not there")
        return blob

    def _where(self, name: str) -> str:
        return f"{self._files.path}:{name}"


class ArchiveRenewal(Archive):
    """An archive with what ``decide`` gives added to each image; files of Docker before 1.10 are left out."""

    def __init__(self, files: Files, decide: Decide) -> None:
        super().__init__(files)
        self._decide = decide
        self.result = Result()
        self._done: dict[str, Json] = {}

    def run(self) -> Result:
        """The whole archive anew. Raises InputError."""
        items = [self._renewed(item) for item in self._items()]
        content = dumped(items)
        digests = self.result.digests
        self.result.digest = digests[0] if len(digests) == 1 else digest_of(content)
        self.result.parts = {MANIFEST: in_memory(content), **self.result.parts}
        return self.result

    def _renewed(self, item: Json) -> Json:
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
        for name in layers:
            self.result.parts[name] = self._file(name)
        if change.nothing:
            content = self._file(item["Config"]).read(MAX_DOCUMENT) or b""
            return self._with_config(content, str(item["Config"]), layers)
        diff_id = None
        if change.layer is not None:
            diff_id = change.layer.diff_id
            layers = [*layers, self._add_layer(change.layer, layers)]
        content = dumped(new_config(image.config, diff_id, change.environment, change.created))
        return self._with_config(content, f"{digest_of(content).removeprefix('sha256:')}.json", layers)

    def _with_config(self, content: bytes, name: str, layers: list[str]) -> Json:
        self.result.parts[name] = in_memory(content)
        self.result.digests.append(digest_of(content))
        return {"Config": name, "Layers": layers}

    def _add_layer(self, layer: NewLayer, layers: list[str]) -> str:
        """The layer, packed as the topmost one is; the name of its file."""
        kind = compression(next(self._file(layers[-1]).start(0), b"")) if layers else ""
        content = layer.packed(kind)
        name = f"{digest_of(content).removeprefix('sha256:')}.tar{'.gz' if kind == GZIP else ''}"
        self.result.parts[name] = in_memory(content)
        return name


class BothRenewal(Archive):
    """An archive that is an OCI layout, too."""

    def __init__(self, files: Files, decide: Decide) -> None:
        super().__init__(files)
        self._layout = Renewal(files, decide)

    def run(self) -> Result:
        """The layout anew, and ``manifest.json`` after it. Raises InputError."""
        result = self._layout.run()
        items = [self._renewed(item, result) for item in self._items()]
        result.parts = {"oci-layout": result.parts["oci-layout"], MANIFEST: in_memory(dumped(items)), **result.parts}
        return result

    def _renewed(self, item: Json, result: Result) -> Json:
        new = self._layout.by_config.get(f"sha256:{str(item.get('Config')).rpartition('/')[2]}")
        layers = as_texts(item.get("Layers"), self._where(MANIFEST))
        for name in layers:
            result.parts.setdefault(name, self._file(name))
        if new is None:
            result.parts.setdefault(str(item.get("Config")), self._file(str(item.get("Config"))))
            return item
        item = {**item, "Config": _blob(new.config)}
        if new.layer is not None:
            item["Layers"] = [*layers, _blob(str(new.layer["digest"]))]
            if isinstance(item.get("LayerSources"), dict):
                item["LayerSources"] = {**item["LayerSources"], str(new.diff_id): new.layer}
        return item


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"
