"""Throws mutated files at what reads p11-kit's sources, OCI layouts on disk and tar streams, beside the real programs.

As fuzz_parse.py, whose page says how it is set up, with the name of a target first:

PYTHONPATH=. /tmp/fuzz/bin/python tests/fuzz/fuzz_files.py p11kit|layout|tar -max_total_time=1200 CORPUS

p11kit  Of the bytes as they are, and of a valid source that they change: nothing is raised, and what our writers write
        of it is read as the same certificates. Each 60 files are given to the real ``trust extract``
        (p11-kit, as root), which has to write the same.
layout  A layout on disk whose documents, blobs and files the bytes change. ``image`` may refuse it, and then leaves
        nothing; else each blob that it wrote is what its name says, a second run changes nothing, and skopeo reads
        every hundredth result where it reads what it was made of.
tar     Of the bytes as they are, and of archives of every format that they change: what the reader accepts has the
        entries that the standard library finds, and every fiftieth the names that GNU tar lists.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["rootfs_trust"]):
    from rootfs_trust.api.image import install_image
    from rootfs_trust.api.options import InstallOptions
    from rootfs_trust.errors import MalformedError, RootfsTrustError
    from rootfs_trust.image import json_documents
    from rootfs_trust.image.tar_stream import members
    from rootfs_trust.rootfs.root_directory import RootDirectory
    from rootfs_trust.rootfs.view import as_bytes
    from rootfs_trust.store.p11kit import formats, p11_kit_file, parser, pem
    from rootfs_trust.store.p11kit.output_selection import Filter, select
    from rootfs_trust.store.p11kit.token import files_of, token_of
    from rootfs_trust.x509.certificate import take_certificate
    from rootfs_trust.x509.der import DerReader
    from rootfs_trust.x509.oids import SERVER_AUTH

from tests.fuzz import shapes
from tests.peers.test_p11kit_mutations import LONE_QUOTE, PIECES, damaged, readable
from tests.support.authority import Authority
from tests.support.debian_tree import snapshot
from tests.support.images import OCI, LayoutDirectory, Tarball, digest
from tests.unit.store.p11kit.peer import TrustTool
from tests.unit.store.p11kit.sources import every_form

SCRATCH = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
OUTPUTS = (
    ("openssl-bundle", Filter.CERTIFICATES, "", formats.openssl_bundle),
    ("pem-bundle", Filter.ANCHORS, SERVER_AUTH, formats.pem_bundle),
)

# -- p11-kit -----------------------------------------------------------------------------------------------

FORMS = sorted(every_form().items())
BATCH = 60
_asked: list[Path] = []


def p11kit(data: bytes) -> None:
    _read(data)
    provider = atheris.FuzzedDataProvider(data)
    name, source = FORMS[provider.ConsumeIntInRange(0, len(FORMS) - 1)]
    changed = bytearray(source)
    while provider.remaining_bytes() > 3 and len(changed) < 1 << 16:
        at = provider.ConsumeIntInRange(0, len(changed))
        piece = PIECES[provider.ConsumeIntInRange(0, len(PIECES) - 1)]
        gone = provider.ConsumeIntInRange(0, 9)
        changed[at : at + gone] = provider.ConsumeBytes(4) if provider.ConsumeBool() else piece
    _read(bytes(changed))
    _written_and_read(name, bytes(changed))
    _ask_later(name, bytes(changed))


def _read(data: bytes) -> None:
    for place in ("anchors", "blocklist", ""):
        parser.parse_file("a.p11-kit", data, place)  # type: ignore[arg-type]
    try:
        p11_kit_file.objects(data)
    except MalformedError:
        return


def _written_and_read(name: str, data: bytes) -> None:
    """Each format that we write is read as the certificates that were chosen for it, in their order."""
    for _, wanted, purpose, write in OUTPUTS:
        chosen = _chosen(SCRATCH / "one", {name: data}, wanted, purpose)
        read = [take_certificate(DerReader(each)).der for _, each in pem.blocks(write(chosen))]
        if read != [each.certificate.der for each in chosen]:
            raise AssertionError("what is written is read as something else")


def _chosen(directory: Path, files: dict[str, bytes], wanted: Filter, purpose: str) -> list[Any]:
    shutil.rmtree(directory, ignore_errors=True)
    for name, content in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)
    with RootDirectory(str(directory)) as view:
        return list(select([token_of(files_of(view, "/"))], wanted, purpose))


def _ask_later(name: str, data: bytes) -> None:
    """Keep the file for the real program, which takes as long for many as for one."""
    if LONE_QUOTE.search(data):
        return  # ends p11-kit before 0.26
    batch = SCRATCH / "batch"
    file = batch / str(len(_asked)) / name
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    _asked.append(file)
    if len(_asked) < BATCH:
        return
    numbers = range(len(_asked))
    with RootDirectory(str(batch)) as view:
        tokens = [token_of(files_of(view, f"/{number}")) for number in numbers]
    for form, wanted, purpose, write in OUTPUTS:
        output = SCRATCH / form
        options = [f"--purpose={purpose}"] if purpose else []
        tool = TrustTool(batch / str(number) for number in numbers)
        try:
            tool.extract(f"--format={form}", f"--filter={wanted}", *options, str(output))
        except AssertionError as error:
            if "Assertion `" not in str(error):
                raise
            break  # a file of the batch ends p11-kit itself, so there is no answer to compare with
        # The tool takes some certificates that OpenSSL, and so this package, refuses.
        real = [each for _, each in pem.blocks(output.read_bytes()) if readable(each)]
        ours = [each for _, each in pem.blocks(write(select(tokens, wanted, purpose)))]
        if ours != real:
            kept = tempfile.mkdtemp(prefix="p11kit-")
            shutil.copytree(batch, kept, dirs_exist_ok=True)
            raise AssertionError(f"trust extract --format={form} writes {len(real)}, we {len(ours)}: see {kept}")
    _asked.clear()
    shutil.rmtree(batch)


# -- OCI layouts -------------------------------------------------------------------------------------------

CA = Authority("Fuzzed In")
SHIPPED = Authority("Shipped")
LAYER = (
    Tarball()
    .directory("etc")
    .file("etc/os-release", b"ID=debian\n")
    .directory("var/lib/dpkg")
    .file("etc/ca-certificates.conf", b"a.crt\n")
    .file("usr/share/ca-certificates/a.crt", SHIPPED.pem)
    .directory("etc/ssl/certs")
    .end()
)
DOCUMENTS = {
    "config": {
        "os": "linux",
        "architecture": "amd64",
        "created": "2023-11-14T22:13:20Z",
        "config": {"Env": ["A=b"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(LAYER)]},
        "history": [{"created_by": "a"}],
    },
    "manifest": {"schemaVersion": 2, "mediaType": OCI["manifest"], "annotations": {"a": "b"}},
    "index": {"schemaVersion": 2, "annotations": {}},
    "described": {"platform": {"os": "linux", "architecture": "amd64"}},
    "layout": {"imageLayoutVersion": "1.0.0"},
}
_results = [0]


def layout(data: bytes) -> None:
    provider = atheris.FuzzedDataProvider(data)
    source, dest = SCRATCH / "layout", SCRATCH / "made"
    for path in (source, dest, SCRATCH / "again"):
        shutil.rmtree(path, ignore_errors=True)
    _build(source, shapes.changed(provider, DOCUMENTS), provider)
    (SCRATCH / "ca.pem").write_bytes(CA.pem)
    before = snapshot(source)
    options = InstallOptions(certs=(str(SCRATCH / "ca.pem"),), timestamp=1)
    try:
        install_image(str(source), str(dest), options)
    except RootfsTrustError:
        if dest.exists():
            raise AssertionError("refused, and something is written") from None
        return
    finally:
        if snapshot(source) != before:
            raise AssertionError("the source changed")
        left = [name for name in os.listdir(SCRATCH) if name.startswith(".")]
        if left:
            raise AssertionError(f"left behind: {left}")
    if (dest / "index.json").exists():  # else it was taken for a root filesystem
        _is_whole(dest)
        install_image(str(dest), str(SCRATCH / "again"), options)
        if {n: each[4] for n, each in snapshot(dest).items()} != {
            n: each[4] for n, each in snapshot(SCRATCH / "again").items()
        }:
            raise AssertionError("a second run changes something")
        _ask_programs(source, dest)


def _build(path: Path, shape: dict[str, Any], provider: atheris.FuzzedDataProvider) -> None:
    """The layout that the shape describes; then some of its files are exchanged."""
    directory = LayoutDirectory(path)
    document = shape.get("manifest")
    if isinstance(document, dict):
        parts = {
            "config": directory.put_json(shape.get("config"), OCI["config"]),
            "layers": [directory.put(LAYER, OCI["layer"])],
        }
        document = {**parts, **document}
    described = shape.get("described")
    first = directory.put_json(document, OCI["manifest"], **(described if isinstance(described, dict) else {}))
    index = shape.get("index")
    if isinstance(index, dict):
        index = {"manifests": [first, directory.put(b"more", "application/vnd.example")], **index}
    (path / "index.json").write_text(json.dumps(index))
    (path / "oci-layout").write_text(json.dumps(shape.get("layout")))
    for _ in range(provider.ConsumeIntInRange(0, 2)):
        _exchange(path, provider)


def _exchange(path: Path, provider: atheris.FuzzedDataProvider) -> None:
    """A file is cut off, has other bytes, is gone, a link, a FIFO or a directory."""
    files = sorted(each for each in path.rglob("*") if stat.S_ISREG(each.lstat().st_mode))
    if not files:
        return
    file = files[provider.ConsumeIntInRange(0, len(files) - 1)]
    content = file.read_bytes()
    way = provider.ConsumeIntInRange(0, 6)
    if way == 0:
        file.write_bytes(content[: provider.ConsumeIntInRange(0, len(content))])
    elif way == 1:
        file.write_bytes(damaged(content, random.Random(provider.ConsumeIntInRange(0, 1 << 16))))
    else:
        file.unlink()
        if way == 2:
            file.symlink_to(
                ("/etc/passwd", "index.json", file.name, "../../index.json")[provider.ConsumeIntInRange(0, 3)]
            )
        elif way == 3:
            os.mkfifo(file)
        elif way == 4:
            file.mkdir()


def _is_whole(path: Path) -> None:
    """Each blob is what its name says, and the index can be read."""
    for blob in (path / "blobs/sha256").iterdir():
        if blob.is_symlink() or hashlib.sha256(blob.read_bytes()).hexdigest() != blob.name:
            raise AssertionError(f"{blob.name} is something else")
    json_documents.parse((path / "index.json").read_bytes(), "index.json")


def _ask_programs(source: Path, dest: Path) -> None:
    """skopeo has to read each hundredth result, where it can read what it was made of."""
    _results[0] += 1
    if _results[0] % 100 or not shutil.which("skopeo"):
        return
    for program in (["skopeo", "inspect", "--raw", "oci:{}"], ["skopeo", "inspect", "--config", "oci:{}"]):
        answers = [
            subprocess.run([w.format(p) for w in program], capture_output=True, check=False, timeout=60)
            for p in (source, dest)
        ]
        if answers[0].returncode == 0 and answers[1].returncode != 0:
            raise AssertionError(f"{' '.join(program)} refuses it: {answers[1].stderr!r}")


# -- tar streams -------------------------------------------------------------------------------------------

_NAMES = ("a", "b/c", "n" * 150, "d" * 90 + "/" + "e" * 90, "\u00e4", "x/../y", "l" * 300)
_TYPES = (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE)
_KEYS = ("comment", "SCHILY.xattr.user.a", "path", "size", "uid", "mtime", "GNU.sparse.major", "linkpath")
_accepted = [0]


def tar(data: bytes) -> None:
    _compare(data)
    provider = atheris.FuzzedDataProvider(data)
    file = io.BytesIO()
    form = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)[provider.ConsumeIntInRange(0, 2)]
    with tarfile.open(fileobj=file, mode="w", format=form) as made:
        for _ in range(provider.ConsumeIntInRange(1, 4)):
            _add(made, provider)
    changed = bytearray(file.getvalue())
    while provider.remaining_bytes() > 3:
        at = provider.ConsumeIntInRange(0, len(changed) - 1)
        if provider.ConsumeBool():
            changed[at] = provider.ConsumeIntInRange(0, 255)
        else:
            gone = provider.ConsumeIntInRange(0, 3) * 512
            changed[at - at % 512 : at - at % 512 + gone] = b""
        if provider.ConsumeBool():
            _sum_again(changed, at - at % 512)
        if not changed:
            return
    _compare(bytes(changed))


def _add(made: tarfile.TarFile, provider: atheris.FuzzedDataProvider) -> None:
    info = tarfile.TarInfo(_NAMES[provider.ConsumeIntInRange(0, len(_NAMES) - 1)])
    info.type = _TYPES[provider.ConsumeIntInRange(0, len(_TYPES) - 1)]
    content = provider.ConsumeBytes(20) if info.type == tarfile.REGTYPE else b""
    info.size, info.uid = len(content), provider.ConsumeIntInRange(0, 1 << 20)
    info.linkname = _NAMES[provider.ConsumeIntInRange(0, len(_NAMES) - 1)]
    if provider.ConsumeBool():
        key = _KEYS[provider.ConsumeIntInRange(0, len(_KEYS) - 1)]
        info.pax_headers = {key: str(provider.ConsumeIntInRange(0, 3000))}
    with contextlib.suppress(ValueError):  # this format has no field for it
        made.addfile(info, io.BytesIO(content))


def _sum_again(archive: bytearray, at: int) -> None:
    """Make the checksum of the block right again, so that what was changed in it is looked at."""
    block = archive[at : at + 512]
    if block[257:262] == b"ustar":
        archive[at + 148 : at + 156] = b"%06o\0 " % (256 + sum(block[:148]) + sum(block[156:]))


def _entry(info: tarfile.TarInfo) -> tuple[object, ...]:
    return info.name, info.type, info.linkname, info.issparse() or info.size


def _compare(data: bytes) -> None:
    try:
        read = [(member.info, len(member.header)) for member in members(iter((data,)))]
    except MalformedError:
        return
    _accepted[0] += 1
    found = [info for info, _ in read]
    ours = [_entry(info) for info in found]
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:", encoding="utf-8", errors="surrogateescape") as library:
            theirs = [_entry(info) for info in library]
    except (tarfile.TarError, ValueError, OverflowError, IndexError, EOFError):
        return  # the standard library refuses more: numbers in its fields that it does not need
    # The standard library reads on in an extended header, behind the size that it states, to the next zero byte.
    whole = [slice(None) if length == 512 else slice(1, 2) for _, length in read]
    if len(ours) != len(theirs) or any(a[part] != b[part] for a, b, part in zip(ours, theirs, whole, strict=True)):
        raise AssertionError(f"we read {ours}, the standard library {theirs}")
    # Of a link or directory with a size GNU tar skips as much; Go's archive/tar, as container engines, does not. Of
    # several extended headers that say different things each program believes another one.
    plain = all(((info.isreg() and not info.issparse()) or not info.size) and length == 512 for info, length in read)
    if plain and _accepted[0] % 50 == 0:
        done = subprocess.run(
            ["tar", "-t", "--quoting-style=literal"], input=data, capture_output=True, check=False, timeout=60
        )
        names = [name.rstrip(b"/") for name in done.stdout.split(b"\n")[:-1]]
        wanted = [as_bytes(name).rstrip(b"/") for name, *_ in ours]
        if done.returncode == 0 and b"\n" not in b"".join(wanted) and names != wanted:
            raise AssertionError(f"we read {wanted}, GNU tar {names}")


TARGETS = {each.__name__: each for each in (p11kit, layout, tar)}

if __name__ == "__main__":
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    try:
        atheris.Fuzz()
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
