"""OCI image layouts: reads their images, and writes the layout with another layer in each. Nothing is executed."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass

from rootfs_trust.errors import ATTESTATION, IMAGE, InputError, MalformedError
from rootfs_trust.image.damage import broken
from rootfs_trust.image.image_tree import Layer
from rootfs_trust.image.json_documents import (
    CONFIGS,
    DOCKER_MANIFEST,
    INDEXES,
    MANIFESTS,
    MAX_IMAGES,
    Budget,
    Json,
    as_object,
    as_objects,
    blob_path,
    diff_ids,
    digest_of,
    dumped,
    layer_type,
    new_config,
    parse_object,
    platform_of,
)
from rootfs_trust.image.model import Change, Decide, Image, ImageFiles, ImageResult, NewLayer
from rootfs_trust.image.streams import Blob, checked, in_memory, unpacked

MAX_INDEX_DEPTH = 4
"""Maximum nesting of indexes; one in index.json is usual."""

_VERSION = "1.0.0"

_BASE = "org.opencontainers.image.base"
_NAME = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_ATTESTED = "vnd.docker.reference.digest"


@dataclass(frozen=True, slots=True)
class Renewed:
    """The replacement of an image: its manifest, its config, and the added layer."""

    manifest: Json
    config: str
    layer: Json | None
    diff_id: str | None


class OciLayout:
    """The OCI image layout in ``files``."""

    def __init__(self, files: ImageFiles) -> None:
        self._files = files
        self._seen = 0
        self._budget = Budget(files.path)

    # -- reading -----------------------------------------------------------------------------------------

    def images(self) -> Iterator[Image]:
        """Yield every image, in the order of the indexes."""
        index = parse_object(self._named_document("index.json"), self._where("index.json"))
        for descriptor in self._manifests(index, 0):
            manifest = self._document(descriptor)
            if is_image(manifest):
                yield self._image(descriptor, manifest)

    def _named_document(self, name: str) -> bytes:
        """Return the content of a file of the layout that is found by its name, not by a digest."""
        return self._budget.read(self._file(name), self._where(name))

    def _manifests(self, index: Json, depth: int) -> Iterator[Json]:
        for descriptor in self._descriptors(index, depth):
            if descriptor.get("mediaType") in INDEXES:
                yield from self._manifests(self._document(descriptor), depth + 1)
            elif descriptor.get("mediaType") in MANIFESTS:
                yield descriptor

    def _descriptors(self, index: Json, depth: int) -> list[Json]:
        if depth > MAX_INDEX_DEPTH:
            raise broken(self._files.path, f"has indexes that are nested more than {MAX_INDEX_DEPTH} levels deep")
        found = as_objects(index.get("manifests"), self._files.path)
        self._seen += len(found)
        if self._seen > MAX_IMAGES:
            raise broken(self._files.path, f"has more than {MAX_IMAGES} manifests")
        return found

    def _image(self, descriptor: Json, manifest: Json) -> Image:
        config = self._document(manifest["config"])
        layers = as_objects(manifest.get("layers"), self._files.path)
        wanted = diff_ids(config)
        if len(wanted) != len(layers):
            message = f"has {len(layers)} layers in a manifest and {len(wanted)} in its config"
            raise broken(self._where(str(descriptor["digest"])), message)
        name = platform_of(as_object(descriptor.get("platform") or config, self._files.path)) or str(
            descriptor["digest"]
        )
        return Image(name, config, tuple(map(self._layer, layers, wanted)))

    def _layer(self, descriptor: Json, diff_id: str) -> Layer:
        blob = self.blob(descriptor)
        digest = str(descriptor["digest"])
        self._path(diff_id)

        def read() -> Iterator[bytes]:
            _, stream = unpacked(checked(blob.start(0), digest, "the layer"))
            return checked(stream, diff_id, "the unpacked layer")

        return Layer(self._where(digest), read)

    def _document(self, descriptor: Json) -> Json:
        """Return the JSON object of a descriptor, with its digest verified."""
        blob = self.blob(descriptor)
        where = self._where(str(descriptor["digest"]))
        try:
            content = self._budget.read(blob.with_digest(str(descriptor["digest"])), where)
        except MalformedError as error:
            raise broken(where, error.message) from error
        return parse_object(content, where)

    def blob(self, descriptor: Json) -> Blob:
        """Return the blob of a descriptor, with the size that it states. Raises InputError."""
        digest = str(descriptor.get("digest"))
        blob = self._file(self._path(digest))
        if descriptor.get("size") != blob.size:
            raise broken(self._where(digest), f"has {blob.size} bytes, not {descriptor.get('size')}")
        if "data" in descriptor and not _has_digest(descriptor["data"], digest):
            raise broken(self._where(digest), "is also embedded in its descriptor, with other content")
        return blob

    def _path(self, digest: str) -> str:
        try:
            return blob_path(digest)
        except MalformedError as error:
            raise broken(self._files.path, error.message) from error

    def _file(self, name: str) -> Blob:
        blob = self._files.blob(name)
        if blob is None:
            hint = "copy the complete image, with every platform: skopeo copy --all"
            raise InputError(IMAGE(self._where(name), "does not exist", hint))
        return blob

    def _where(self, name: str) -> str:
        return f"{self._files.path}:{name}"


def is_image(manifest: Json) -> bool:
    """Return whether this is the manifest of an image that runs, not of another artifact."""
    config = as_object(manifest.get("config") or {}, "manifest")
    return config.get("mediaType") in CONFIGS and "artifactType" not in manifest


class UpdatedLayout(OciLayout):
    """A layout with the changes of ``decide`` applied to each image. Everything else stays."""

    def __init__(self, files: ImageFiles, decide: Decide) -> None:
        super().__init__(files)
        self._decide = decide
        self._done: dict[str, Renewed] = {}
        self.by_config: dict[str, Renewed] = {}
        """Images that changed, by the digest that their config had."""
        self.result = ImageResult()

    def run(self) -> ImageResult:
        """Return the updated layout. Raises InputError."""
        self._add("oci-layout", in_memory(self._version()))
        content = self._named_document("index.json")
        index = parse_object(content, self._where("index.json"))
        new = self._renewed_index(index, 0)
        content = content if new == index else dumped(new)
        self._add("index.json", in_memory(content))
        manifests = new["manifests"]
        self.result.digest = str(manifests[0]["digest"]) if len(manifests) == 1 else digest_of(content)
        return self.result

    def _version(self) -> bytes:
        """Return the oci-layout file. Raises InputError if its version is not supported."""
        content = self._named_document("oci-layout")
        where = self._where("oci-layout")
        if parse_object(content, where).get("imageLayoutVersion") != _VERSION:
            raise broken(where, f"does not have the layout version {_VERSION}")
        return content

    def _renewed_index(self, index: Json, depth: int) -> Json:
        descriptors = self._descriptors(index, depth)
        new: dict[int, Json | None] = {
            id(each): self._updated(each, depth) for each in descriptors if not _attested_digest(each)
        }
        new |= {id(each): self._renewed_statement(each) for each in descriptors if _attested_digest(each)}
        kept = (new[id(each)] for each in descriptors)
        return {**index, "manifests": [each for each in kept if each is not None]}

    def _renewed_statement(self, descriptor: Json) -> Json | None:
        """Return the attestation of an image. Return None if the image changed, because the attestation describes the
        old image.
        """
        subject = _attested_digest(descriptor)
        if subject in self._done and self._done[subject].manifest["digest"] != subject:
            message = f"is left out, because it attests {subject}, which changed"
            self.result.notes.append(ATTESTATION(str(descriptor.get("digest")), message))
            return None
        self._keep_all(self._document(descriptor))
        return self._keep(descriptor)

    def _updated(self, descriptor: Json, depth: int) -> Json:
        kind = descriptor.get("mediaType")
        if kind not in (*INDEXES, *MANIFESTS):
            return self._keep(descriptor)
        document = self._document(descriptor)
        if kind in INDEXES:
            new = self._renewed_index(document, depth + 1)
            return self._keep(descriptor) if new == document else self._add_blob(descriptor, dumped(new))
        if not is_image(document):
            self._keep_all(document)
            return self._keep(descriptor)
        new = self._renewed_image(descriptor, document).manifest
        return descriptor if new == _reference(descriptor) else {**_without_data(descriptor), **new}

    def _renewed_image(self, descriptor: Json, manifest: Json) -> Renewed:
        digest = str(descriptor["digest"])
        if digest not in self._done:
            try:
                self._done[digest] = self._make(descriptor, manifest)
            except MalformedError as error:
                raise broken(self._where(digest), error.message) from error
            self.result.digests.append(str(self._done[digest].manifest["digest"]))
        return self._done[digest]

    def _make(self, descriptor: Json, manifest: Json) -> Renewed:
        image = self._image(descriptor, manifest)
        manifest = {**manifest, "layers": as_objects(manifest.get("layers"), self._files.path)}
        change = self._decide(image)
        for layer in manifest["layers"]:
            self._keep(layer)
        if change.nothing:
            self._keep(manifest["config"])
            return Renewed(_reference(self._keep(descriptor)), str(manifest["config"]["digest"]), None, None)
        return self._changed_image(descriptor, manifest, image, change)

    def _changed_image(self, descriptor: Json, manifest: Json, image: Image, change: Change) -> Renewed:
        layer = self._add_layer(manifest, change.layer) if change.layer is not None else None
        diff_id = change.layer.diff_id if change.layer is not None else None
        config = self._add_blob(manifest["config"], dumped(new_config(image.config, diff_id, change)))
        new = {**manifest, "config": config, "layers": [*manifest["layers"], *([layer] if layer else [])]}
        if manifest.get("mediaType") != DOCKER_MANIFEST:
            new["annotations"] = _annotations(manifest, descriptor)
        renewed = Renewed(_reference(self._add_blob(descriptor, dumped(new))), str(config["digest"]), layer, diff_id)
        self.by_config[str(manifest["config"]["digest"])] = renewed
        return renewed

    def _add_layer(self, manifest: Json, layer: NewLayer) -> Json:
        media_type, kind = layer_type(manifest)
        return self._add_blob({"mediaType": media_type}, layer.packed(kind))

    # -- parts -------------------------------------------------------------------------------------------

    def _add_blob(self, descriptor: Json, content: bytes) -> Json:
        """Add a new blob, and return its descriptor."""
        digest = digest_of(content)
        self._add(blob_path(digest), in_memory(content))
        return {**_without_data(descriptor), "digest": digest, "size": len(content)}

    def _keep(self, descriptor: Json) -> Json:
        """Keep an old blob. Its digest is verified when it is copied."""
        blob, digest = self.blob(descriptor), str(descriptor["digest"])
        self._add(blob_path(digest), blob.with_digest(digest))
        return descriptor

    def _keep_all(self, manifest: Json) -> None:
        for descriptor in (manifest.get("config"), *as_objects(manifest.get("layers"), self._files.path)):
            self._keep(as_object(descriptor, self._files.path))

    def _add(self, name: str, blob: Blob) -> None:
        self.result.parts[name] = blob


def _has_digest(data: object, digest: str) -> bool:
    """Return whether ``data`` is base64 of bytes with this digest."""
    try:
        for _ in checked((b64decode(str(data), validate=True),), digest, "it"):
            pass
    except (ValueError, MalformedError):
        return False
    return True


def _attested_digest(descriptor: Json) -> str:
    """Return the digest of the image that a descriptor's manifest attests, or an empty string."""
    return str(as_object(descriptor.get("annotations") or {}, "annotations").get(_ATTESTED, ""))


def _without_data(descriptor: Json) -> Json:
    """Return a descriptor without the embedded copy of its content, which may change."""
    return {key: value for key, value in descriptor.items() if key != "data"}


def _reference(descriptor: Json) -> Json:
    return {key: descriptor[key] for key in ("digest", "size")}


def _annotations(manifest: Json, descriptor: Json) -> Json:
    """Return the annotations of the new manifest. As the base image, they name the source image: by its digest, and by
    its name unless that is only a tag.
    """
    old = as_object(manifest.get("annotations") or {}, "annotations")
    given = as_object(descriptor.get("annotations") or {}, "annotations")
    names = (str(given[key]) for key in _NAME if key in given)
    name = next((each for each in names if ":" in each or "/" in each), None)
    kept = {key: value for key, value in old.items() if not key.startswith(f"{_BASE}.")}
    return {**kept, f"{_BASE}.digest": str(descriptor["digest"]), **({f"{_BASE}.name": name} if name else {})}
