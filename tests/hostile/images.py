"""Hostile images: OCI layouts as directories and archives, archives of ``docker save``, tars of root filesystems."""

from __future__ import annotations

import functools
import io
import json
import os
import stat
import tarfile
from random import Random
from typing import Any

from tests.hostile import layers
from tests.hostile.corpus import image
from tests.hostile.hands import Hands
from tests.hostile.mutations import BIDI, ESC, ODD_TEXTS
from tests.hostile.texts import hostile_json
from tests.hostile.world import World
from tests.support.images import DOCKER, INDEX, OCI, Tarball, digest

MANIFEST, CONFIG, LAYER = OCI["manifest"], OCI["config"], OCI["layer"]


class Parts:
    """The files of an OCI layout, by their names; the documents lead to each other by true digests."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}

    def put(self, content: bytes, kind: str, **more: Any) -> dict[str, Any]:
        self.files[f"blobs/sha256/{digest(content)[7:]}"] = content
        return {"mediaType": kind, "digest": digest(content), "size": len(content), **more}

    def put_json(self, document: Any, kind: str, **more: Any) -> dict[str, Any]:
        return self.put(document if isinstance(document, bytes) else json.dumps(document).encode(), kind, **more)

    def index(self, *manifests: Any) -> Parts:
        self.files["index.json"] = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).encode()
        return self

    def config(self, *contents: bytes, **more: Any) -> dict[str, Any]:
        about = {"created": "2023-11-14T22:13:20Z", "os": "linux", "architecture": "amd64", "config": {"Env": ["A=b"]}}
        return {
            **about,
            "rootfs": {"type": "layers", "diff_ids": [digest(each) for each in contents]},
            "history": [{}] * len(contents),
            **more,
        }

    def image(
        self, *contents: bytes, packing: str = "", config: Any = None, random: Random | None = None, **more: Any
    ) -> dict[str, Any]:
        """``packing``: of the last layer, by its name in layers.PACKINGS."""
        random = random or Random(0)
        blobs = [*contents[:-1], layers.packed(random, contents[-1], packing or "plain")]
        kinds = [LAYER] * (len(contents) - 1) + [
            LAYER + ("+zstd" if packing.startswith("zstd") else "+gzip" if packing else "")
        ]
        described = [self.put(blob, kind) for blob, kind in zip(blobs, kinds, strict=True)]
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.put_json(self.config(*contents) if config is None else config, CONFIG),
            "layers": described,
        }
        return self.put_json(document, MANIFEST, **more)

    def directory(self, world: World, name: str = "layout") -> str:
        hands = Hands(f"{world.given}/{name}")
        for path, content in self.files.items():
            hands.file(path, content)
        hands.close()
        return hands.path

    def archive(self, world: World, random: Random, packing: str = "plain") -> str:
        tar = Tarball()
        for path, content in self.files.items():
            tar.file(path, content)
        return _file(world, "layout.tar", layers.packed(random, tar.end(), packing))

    def either(self, world: World, random: Random) -> str:
        return self.directory(world) if random.random() < 0.6 else self.archive(world, random)


def _file(world: World, name: str, content: bytes) -> str:
    world.files.file(name, content)
    return f"{world.given}/{name}"


@functools.lru_cache(maxsize=40)
def _tar(family: str, installed: bool) -> bytes:
    from tests.hostile.world import bases

    return layers.tar_of(None, bases()[family, installed]).end()


def sane(world: World) -> bytes:
    return _tar(world.base.family, world.base.installed)


# -- layouts -----------------------------------------------------------------------------------------------


@image(rounds=6)
def links_in_a_layout(world: World, random: Random) -> str:
    """Any of its files or directories a link to the host, a FIFO, a device, or of no end."""
    parts = Parts()
    parts.index(parts.image(sane(world)))
    path = parts.directory(world)
    hands = Hands(path)
    blob = random.choice([name for name in parts.files if name.startswith("blobs")])
    for place in random.sample(("oci-layout", "index.json", "blobs/sha256", "blobs", blob, blob), random.randint(1, 2)):
        way = random.randrange(8)
        if way < 5:
            targets = ("document.json", "cert.pem", "text.conf", "key.pem", "folder")
            hands.link(
                place,
                random.choice((f"{world.outside}/{random.choice(targets)}", world.link_out(random, place.encode()))),
            )
        elif way == 5:
            hands.node(place, random.choice((stat.S_IFIFO, stat.S_IFSOCK)))
        elif way == 6:
            hands.node(place, stat.S_IFCHR, (1, 5))
        else:
            hands.file(place, b"{", size=1 << 40)
    hands.close()
    return path


@image(rounds=2)
def blobs_are_a_link_to_the_real_ones(world: World, random: Random) -> str:
    """All is correct, but outside of the layout."""
    parts = Parts()
    parts.index(parts.image(sane(world)))
    path = parts.directory(world)
    place = random.choice(("blobs/sha256", "blobs", "index.json", "oci-layout"))
    os.rename(f"{path}/{place}", f"{world.outside}/moved")
    os.symlink(f"{world.outside}/moved", f"{path}/{place}")
    return path


@image(rounds=3)
def artefacts_that_are_something_else(world: World, random: Random) -> str:
    """Blobs that no image uses: of another content than their digest, missing, or links."""
    parts = Parts()
    extra = parts.put(b"artefact", random.choice(("application/vnd.example", MANIFEST, INDEX)))
    about = parts.put_json(
        {"schemaVersion": 2, "config": parts.put(b"{}", "application/x"), "layers": [extra]}, MANIFEST, artifactType="x"
    )
    parts.index(parts.image(sane(world)), extra, about)
    name = f"blobs/sha256/{extra['digest'][7:]}"
    parts.files[name] = b"ARTEFACT"
    path = parts.directory(world)
    hands = Hands(path)
    if random.random() < 0.5:
        hands.link(name, f"{world.outside}/cert.pem")
    hands.close()
    return path


@image(rounds=10)
def documents_changed(world: World, random: Random) -> str:
    """One of the four documents with odd values at any place."""
    parts = Parts()
    layer = sane(world)
    described = parts.put(layer, LAYER)
    what = random.choice(("config", "manifest", "index", "layout", "nested"))
    config: Any = parts.config(layer)
    config = hostile_json(random, config) if what == "config" else config
    manifest: Any = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": parts.put_json(config, CONFIG),
        "layers": [described],
        "annotations": {"a": "b"},
    }
    manifest = hostile_json(random, manifest) if what == "manifest" else manifest
    first = parts.put_json(
        manifest, MANIFEST, platform={"os": "linux", "architecture": "arm64", "variant": "v8"}, annotations={"a": "b"}
    )
    nested: Any = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [first, first]}
    if what == "nested":
        first = parts.put_json(hostile_json(random, nested), INDEX)
    parts.index(first)
    if what == "index":
        parts.files["index.json"] = hostile_json(random, json.loads(parts.files["index.json"]))
    if what == "layout":
        parts.files["oci-layout"] = hostile_json(random, json.loads(parts.files["oci-layout"]))
    return parts.either(world, random)


@image(rounds=4)
def descriptors_that_lie(world: World, random: Random) -> str:
    """A size or digest that is another's, or leads out; a blob that is cut off or missing."""
    parts = Parts()
    first = parts.image(sane(world))
    name = random.choice([each for each in parts.files if each.startswith("blobs")])
    way = random.randrange(6)
    if way == 0:
        del parts.files[name]
    elif way == 1:
        parts.files[name] = parts.files[name][:-1]
    elif way == 2:
        parts.files[name] = parts.files[name][:-1] + b" "
    elif way == 3:
        first = {**first, "digest": random.choice(ODD_TEXTS)}
    elif way == 4:
        first = {**first, "size": random.choice((-1, 0, 2**63, 2**70, 1.5, "1", None, True))}
    else:
        first = {**first, "data": "AAAA", "urls": ["file:///etc/passwd"], "mediaType": random.choice(ODD_TEXTS)}
    return parts.index(first).either(world, random)


@image()
def indexes_that_multiply(world: World, random: Random) -> str:
    """Each lists the next one a hundred times."""
    parts = Parts()
    below = parts.image(sane(world))
    for _ in range(random.choice((3, 4, 30))):
        below = parts.put_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [below] * 100}, INDEX)
    return parts.index(*[below] * 3).either(world, random)


@image()
def an_index_that_contains_itself(world: World, random: Random) -> str:
    parts = Parts()
    claimed = "sha256:" + "a" * 64
    content = (
        json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": INDEX, "digest": claimed, "size": 300}]})
        .encode()
        .ljust(300)
    )
    parts.files[f"blobs/sha256/{'a' * 64}"] = content
    return parts.index({"mediaType": INDEX, "digest": claimed, "size": 300}).either(world, random)


@image()
def many_images(world: World, random: Random) -> str:
    parts = Parts()
    layer = sane(world)
    return parts.index(
        *(parts.image(layer, config=parts.config(layer, author=str(n))) for n in range(random.choice((150, 1100))))
    ).directory(world)


@image(rounds=2)
def texts_that_print_odd(world: World, random: Random) -> str:
    """Every text that an image has, with control and bidirectional characters."""
    parts = Parts()
    odd = random.choice((ESC, BIDI, "\x9b1m", "a\nb", "\u2028", "</script>", "\x00"))
    layer = sane(world)
    config = parts.config(
        layer,
        architecture=odd,
        os=odd,
        variant=odd,
        author=odd,
        config={"Env": [f"A={odd}", f"{odd}=b", odd, f"PATH={odd}"], "Labels": {odd: odd}},
        history=[{"created_by": odd}],
    )
    platform = {"os": odd, "architecture": odd, "variant": odd}
    names = {"org.opencontainers.image.ref.name": odd, "io.containerd.image.name": f"x/{odd}"}
    attested = {"vnd.docker.reference.digest": odd}
    first = parts.image(layer, config=config, platform=platform, annotations=names)
    second = parts.image(layer, platform=platform, annotations=attested)
    return parts.index(first, second).either(world, random)


@image(rounds=2)
def odd_variables(world: World, random: Random) -> str:
    parts = Parts()
    layer = sane(world)
    variables = [
        "SSL_CERT_FILE",
        "=x",
        "SSL_CERT_FILE=/" + "x" * 100_000,
        "JAVA_TOOL_OPTIONS=" + "-D" * 50_000,
        "A=\0",
        "\ud800=1",
        *["B=c"] * 5000,
    ]
    random.shuffle(variables)
    return parts.index(parts.image(layer, config=parts.config(layer, config={"Env": variables}))).either(world, random)


@image(rounds=10)
def layers_of_strangers(world: World, random: Random) -> str:
    """A hostile tar over a sane layer, or alone."""
    parts = Parts()
    top = layers.hostile_layer(world, random)
    contents = (sane(world), top) if random.random() < 0.8 else (top,)
    return parts.index(parts.image(*contents, packing=random.choice(("", "gzip", "zstd")))).either(world, random)


@image(rounds=10)
def packed_layers_of_strangers(world: World, random: Random) -> str:
    """A sane tar in a hostile compression."""
    parts = Parts()
    packing = random.choice(sorted(layers.PACKINGS))
    return parts.index(parts.image(sane(world), sane(world), packing=packing, random=random)).directory(world)


@image()
def many_layers(world: World, random: Random) -> str:
    parts = Parts()
    contents = [layers.entry(b"etc/%d" % number, b"0", b"x") + layers.END for number in range(600)]
    return parts.index(parts.image(sane(world), *contents)).directory(world)


@image()
def layout_archive_of_layout_archives(world: World, random: Random) -> str:
    parts = Parts()
    inner = parts.index(parts.image(sane(world))).archive(world, random)
    with open(inner, "rb") as file:
        content = file.read()
    outer = Parts()
    return outer.index(outer.image(content)).archive(world, random, random.choice(sorted(layers.PACKINGS)))


# -- docker save -------------------------------------------------------------------------------------------


def _docker(world: World) -> tuple[dict[str, bytes], Any]:
    """The files of an archive of ``docker save`` and its manifest.json."""
    layer = sane(world)
    config = json.dumps(Parts().config(layer)).encode()
    name, path = f"{digest(config)[7:]}.json", f"{digest(layer)[7:]}/layer.tar"
    return {name: config, path: layer}, [{"Config": name, "RepoTags": ["a:b"], "Layers": [path]}]


@image(rounds=6)
def docker_manifests(world: World, random: Random) -> str:
    files, manifest = _docker(world)
    tar = Tarball()
    for name, content in files.items():
        tar.file(
            name,
            hostile_json(random, json.loads(content)) if name.endswith(".json") and random.random() < 0.4 else content,
        )
    tar.file("manifest.json", hostile_json(random, manifest))
    tar.file("repositories", hostile_json(random, {"a": {"b": "c"}}))
    return _file(world, "docker.tar", layers.packed(random, tar.end(), random.choice(("plain", "gzip", "xz", "zstd"))))


@image(rounds=4)
def docker_archives_with_links(world: World, random: Random) -> str:
    """Layers are links in the archive, as old Dockers wrote them: to each other, in loops, out of it."""
    files, manifest = _docker(world)
    config, layer = files
    tar = Tarball()
    targets = (
        "../../../../etc/passwd",
        "/etc/passwd",
        f"{world.outside}/cert.pem",
        "a/layer.tar",
        "b/layer.tar",
        layer,
        f"../{layer}",
        "",
        "x" * 5000,
    )
    for name in ("a/layer.tar", "b/layer.tar", layer, config, "manifest.json")[: random.randint(2, 5)]:
        (tar.link if random.random() < 0.6 else tar.hard_link)(name, random.choice(targets))
    if random.random() < 0.6:
        tar.file(
            "manifest.json",
            json.dumps([{**manifest[0], "Layers": [random.choice(("a/layer.tar", "b/layer.tar", layer))]}]).encode(),
        )
    for name, content in files.items():
        if random.random() < 0.5:
            tar.file(name, content)
    return _file(world, "docker.tar", tar.end())


@image(rounds=3)
def docker_archives_of_both_kinds(world: World, random: Random) -> str:
    """manifest.json beside index.json, which disagree."""
    parts = Parts()
    parts.index(parts.image(sane(world)))
    files, manifest = _docker(world)
    manifest[0]["Layers"] = [random.choice((*parts.files, *files))]
    tar = Tarball()
    for name, content in {**parts.files, **(files if random.random() < 0.5 else {})}.items():
        tar.file(name, content)
    tar.file("manifest.json", json.dumps(random.choice((manifest, manifest * 3, []))).encode())
    return _file(world, "both.tar", tar.end())


@image()
def docker_schema_of_old(world: World, random: Random) -> str:
    parts = Parts()
    old = {
        "schemaVersion": 1,
        "name": ESC,
        "fsLayers": [{"blobSum": "sha256:x"}],
        "history": [{"v1Compatibility": "{"}],
    }
    first = parts.put_json(old, "application/vnd.docker.distribution.manifest.v1+prettyjws")
    return parts.index(first, {**parts.image(sane(world)), "mediaType": DOCKER["manifest"]}).either(world, random)


# -- archives of root filesystems --------------------------------------------------------------------------


@image(rounds=10)
def rootfs_archives(world: World, random: Random) -> str:
    """A tar of a root filesystem that ends with hostile entries."""
    content = sane(world)[:-1024].rstrip(b"\0")
    content += b"\0" * (-len(content) % 512) + layers.hostile_layer(world, random)
    return _file(
        world, "rootfs.tar", layers.packed(random, content, random.choice(("plain", "plain", "gzip", "xz", "zstd")))
    )


@image(rounds=10)
def rootfs_archives_packed(world: World, random: Random) -> str:
    return _file(world, "rootfs.tar", layers.packed(random, sane(world), random.choice(sorted(layers.PACKINGS))))


@image()
def what_is_no_image(world: World, random: Random) -> str:
    contents = (
        b"",
        b"\0" * 1024,
        b"\0" * (5 << 20),
        random.randbytes(4000),
        b"{}",
        b"PK\3\4" + b"\0" * 500,
        b"\x1f\x8b",
        b"hsqs" + b"\xff" * 200,
        b"\x7fELF",
        b"!<arch>\ndebian-binary   ",
    )
    return _file(world, random.choice(("x.tar", "x", "x.tar.gz")), random.choice(contents))


@image()
def special_files_as_images(world: World, random: Random) -> str:
    way = random.choice((stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR))
    world.files.node("special", way, (1, 5))
    return f"{world.given}/special"


@image()
def a_sparse_image(world: World, random: Random) -> str:
    world.files.file("sparse.tar", layers.header(b"a", b"0", 1 << 30), size=1 << 40)
    return f"{world.given}/sparse.tar"


@image(rounds=2)
def tars_by_python(world: World, random: Random) -> str:
    """Forms that other programs write: USTAR, GNU, PAX with odd owners and times."""
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=random.choice((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
    ) as tar:
        for entry in world.base.entries:
            info = tarfile.TarInfo(entry.path.decode())
            info.mode, info.uid, info.mtime = (
                entry.mode,
                random.choice((0, 1000, 2_000_000)),
                random.choice((0, 1_700_000_000, 2**33 - 1)),
            )
            info.size = len(entry.content) if entry.kind == stat.S_IFREG else 0
            info.type = {stat.S_IFREG: b"0", stat.S_IFDIR: b"5"}.get(entry.kind, b"2")
            info.linkname = entry.content.decode() if info.type == b"2" else ""
            tar.addfile(info, io.BytesIO(entry.content))
    return _file(world, "python.tar", buffer.getvalue())
