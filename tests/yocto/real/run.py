"""Builds an image with openembedded-core and BitBake themselves, and judges it. Takes about twenty minutes.

    python3 tests/yocto/real/run.py --oe-core DIR --bitbake DIR --seed rootfs.tar --work DIR

``--oe-core`` and ``--bitbake`` are checkouts that belong together: scarthgap and 2.8, wrynose and 2.18. ``--seed`` is a
Debian root filesystem with ca-certificates and openssl, as of
``mmdebstrap --variant=extract --include=ca-certificates,openssl bookworm rootfs.tar``. Run it as an ordinary user,
on Debian 12 with the packages that the Yocto manual names and pseudo, with network for pip alone.

The package manager is a stub, and packages are not built; docs/yocto.md says what is the releases' own.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]
TIMESTAMP = 1520598896
HOST_PACKAGES = ("build", "click", "hatchling", "installer", "jinja2")
TEDGE = (970, 971)
LATE = """\
late() {
    rm "${IMAGE_ROOTFS}"/etc/ssl/certs/*.0
}
ROOTFS_POSTUNINSTALL_COMMAND += "late"
"""


class Release:
    """A build directory of one release."""

    def __init__(self, oe_core: Path, bitbake: Path, seed: Path, work: Path) -> None:
        self.oe_core, self.bitbake_directory, self.seed, self.work = oe_core, bitbake, seed, work
        self.build = work / "build"
        layer_conf = (oe_core / "meta/conf/layer.conf").read_text()
        self.series = re.search(r'^LAYERSERIES_CORENAMES = "([a-z]+)', layer_conf, re.MULTILINE)[1]

    def sh(self, script: str, directory: Path, *, status: int = 0) -> str:
        """What a shell in a build environment says; ``status`` is what it has to end with, -1 any failure."""
        setup = f". {self.oe_core}/oe-init-build-env {directory} {self.bitbake_directory} >/dev/null"
        done = subprocess.run(
            ["bash", "-c", f"{setup} && cd {directory} && {script}"],
            env={
                "PATH": f"{self.work}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "LANG": "en_US.UTF-8",
                "HOME": str(self.work),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        with open(self.work / "log.txt", "a") as log:
            log.write(f"$ {script}\n{done.stdout}\n")
        if done.returncode != status and not (status == -1 and done.returncode):
            sys.exit(f"{script}: status {done.returncode}\n{done.stdout[-6000:]}")
        return done.stdout

    def tell(self, what: str, result: str, since: float) -> None:
        print(f"| {what} | {result} | {time.monotonic() - since:.0f} s |", flush=True)

    # -- directories -----------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Stubs, the host's Python packages in the release's versions, the build directory."""
        self.work.mkdir(parents=True)
        (self.work / "bin").mkdir()
        for name in ("opkg", "opkg-make-index"):
            (self.work / "bin" / name).write_text("#!/bin/sh\nexit 0\n")
            (self.work / "bin" / name).chmod(0o755)
        versions = [self._version(name) for name in HOST_PACKAGES]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", self.work / "site", *versions]
        subprocess.run(pip, check=True)
        # The class that installs wheels uses an option that openembedded-core adds to the installer.
        for patch in sorted((self.oe_core / "meta/recipes-devtools/python/python3-installer").glob("*.patch")):
            subprocess.run(["patch", "-s", "-p2", "-d", self.work / "site", "-i", patch], check=True)
        self._configure(self.build, (HERE / "local.conf").read_text())
        # The directory beside the build directory in which the documentation has the clone.
        (self.work / "rootfs-trust").symlink_to(REPOSITORY)

    def _version(self, name: str) -> str:
        (recipe,) = (self.oe_core / "meta/recipes-devtools/python").glob(f"python3-{name}_*.bb")
        return f"{name}=={recipe.stem.partition('_')[2]}"

    def _configure(self, directory: Path, local_conf: str) -> None:
        self.sh("true", directory)
        (directory / "conf/local.conf").write_text(local_conf)
        layers = directory / "conf/bblayers.conf"
        layers.write_text(f'BBPATH = "${{TOPDIR}}"\nBBFILES ?= ""\nBBLAYERS = "{self.oe_core}/meta"\n')

    def use_the_host(self) -> None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        (libraries,) = Path("/usr/lib").glob("*/pseudo")
        text = (HERE / "without-toolchain.conf").read_text()
        for name, value in {
            "PYTHON": os.path.realpath(sys.executable),
            "PYTHON_VERSION": version,
            "SITE_PACKAGES": self.work / "site",
            "SEED": self.seed,
            "PSEUDO_LIBDIR": libraries,
        }.items():
            text = text.replace(f"@{name}@", str(value))
        self.configure(text)
        self.sh(f"bitbake-layers add-layer {HERE}/meta-test", self.build)
        (self.build / "recipes/files").mkdir(parents=True)

    def configure(self, text: str) -> None:
        with open(self.build / "conf/local.conf", "a") as conf:
            conf.write(text)

    # -- certificates and the image --------------------------------------------------------------------------

    def new_ca(self, name: str) -> None:
        """A CA in the build directory's certs/my-ca.pem, and a server's certificate of it."""
        keys = self.work / name
        keys.mkdir()
        (self.build / "certs").mkdir(exist_ok=True)
        script = f"""
        new="openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout"
        $new ca.key -out ca.pem -subj '/CN={name}' -addext keyUsage=critical,keyCertSign
        $new server.key -out server.pem -subj /CN=c8y.example -CA ca.pem -CAkey ca.key \
            -addext basicConstraints=critical,CA:FALSE
        """
        subprocess.run(["sh", "-euc", script], cwd=keys, check=True, capture_output=True)
        shutil.copy(keys / "ca.pem", self.build / "certs/my-ca.pem")

    def image(self) -> Path:
        (tar,) = self.build.glob("tmp*/work/*/my-image/*/deploy-my-image-image-complete/my-image-*.rootfs.tar")
        return tar

    def build_image(self) -> tuple[int, int]:
        """The numbers of tasks, and of those that did not need to run."""
        said = self.sh("bitbake -c image_tar my-image", self.build)
        counts = re.search(r"Attempted (\d+) tasks of which (\d+) didn't need", said)
        return int(counts[1]), int(counts[2])

    def trusts(self, name: str) -> bool:
        """Whether openssl in the image, by its hash links alone, trusts the server of a CA."""
        root = self.work / "unpacked"
        script = f"""
        rm -rf {root}; mkdir -p {root}/tmp; tar -C {root} --no-same-owner --exclude=./dev -xf {self.image()}
        cp "{self.work}/{name}/server.pem" {root}/tmp/server.pem
        exec chroot {root} openssl verify -no-CAfile -CApath /etc/ssl/certs /tmp/server.pem
        """
        done = subprocess.run(
            ["unshare", "--map-root-user", "sh", "-euc", script], capture_output=True, text=True, check=False
        )
        return done.stdout == "/tmp/server.pem: OK\n"


def documented(language: str, containing: str) -> str:
    """The first code block of docs/yocto.md in ``language`` that contains the words."""
    page = (REPOSITORY / "docs/yocto.md").read_text()
    found = re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return next(text for text in found if containing in text)


def judge_image(release: Release) -> str:
    """Owners, modes and times in the tar file."""
    with tarfile.open(release.image()) as tar:
        members = {member.name: member for member in tar}
    settings, link = members["./etc/tedge/tedge.toml"], members["./etc/ssl/certs/my-ca.pem"]
    local, bundle = (
        members["./usr/local/share/ca-certificates/my-ca.crt"],
        members["./etc/ssl/certs/ca-certificates.crt"],
    )
    wrong = [
        member.name
        for member in (link, local, bundle)
        if (member.uid, member.gid) != (0, 0) or member.mode & 0o777 not in (0o644, 0o777)
    ]
    wrong += [] if (settings.uid, settings.gid, settings.mode) == (*TEDGE, 0o644) else [settings.name]
    wrong += [member.name for member in (settings, link, local, bundle) if member.mtime != TIMESTAMP]
    if wrong or link.linkname != "../../../usr/local/share/ca-certificates/my-ca.crt":
        sys.exit(f"wrong owner, mode, time or link: {wrong}, {link.linkname}")
    return f"{len(members)} entries; ours 0:0, tedge.toml {settings.uid}:{settings.gid}, all of {TIMESTAMP}"


def expect(condition: bool, what: str) -> None:
    if not condition:
        sys.exit(f"not so: {what}")


def check_image(release: Release) -> None:
    since = time.monotonic()
    tasks, _ = release.build_image()
    expect(release.trusts("First CA"), "openssl in the image trusts the server")
    release.tell("`bitbake -c image_tar my-image`, the tool built on the way", f"{tasks} tasks", since)
    release.tell("the tar file", judge_image(release), time.monotonic())
    release.tell("openssl in the image, chroot", "trusts a server of the CA", time.monotonic())


def check_hashes(release: Release) -> None:
    since = time.monotonic()
    tasks, cached = release.build_image()
    expect(tasks == cached, f"all {tasks} tasks are cached, not {cached}")
    release.tell("the same again", f"{cached} of {tasks} tasks did not need to run", since)
    since = time.monotonic()
    release.new_ca("Second CA")
    tasks, cached = release.build_image()
    expect(cached < tasks and release.trusts("Second CA") and not release.trusts("First CA"), "the new CA is in")
    release.tell(
        "another CA in the same file", f"{tasks - cached} of {tasks} tasks ran; the image trusts it alone", since
    )


def check_refusals(release: Release) -> None:
    since = time.monotonic()
    append = release.build / "recipes/my-image.bbappend"
    append.write_text('ROOTFS_TRUST_CLOUDS = "gcp"\n')
    said = release.sh("bitbake -c image_tar my-image", release.build, status=-1)
    expect("ROOTFS_TRUST_CLOUDS has the value 'gcp'" in said, "a bad value stops the parsing")
    release.tell('`ROOTFS_TRUST_CLOUDS = "gcp"`', "parsing ends with the hint", since)
    since = time.monotonic()
    append.write_text(LATE)
    said = release.sh("bitbake -c image_tar my-image", release.build, status=-1)
    expect("rootfs-trust check has found errors" in said and "do_image_qa" in said, "the check stops the build")
    append.unlink()
    release.tell("a later command that removes hash links", "`do_image_qa` fails", since)


def check_package(release: Release) -> None:
    since = time.monotonic()
    recipes = release.build / "recipes"
    (recipes / "my-cloud-ca_1.0.bb").write_text(documented("bitbake", "inherit rootfs_trust_anchor"))
    shutil.copy(release.build / "certs/my-ca.pem", recipes / "files/my-ca.pem")
    release.sh("bitbake -c install my-cloud-ca", release.build)
    (file,) = release.build.glob("tmp*/work/*/my-cloud-ca/1.0*/image/usr/local/share/ca-certificates/*")
    expect(file.name == "my-ca.crt", "the package holds the anchor")
    release.tell("`bitbake -c install my-cloud-ca`", "`my-ca.crt` in the package", since)


def check_layer(release: Release) -> None:
    since = time.monotonic()
    directory = release.work / "build-check-layer"
    release._configure(directory, (HERE / "local.conf").read_text())
    script = f"yocto-check-layer --no-auto-dependency -- {REPOSITORY}/recipes/meta-rootfs-trust"
    said = release.sh(script, directory)
    tests = re.search(r"Ran (\d+) tests", said)
    expect("FAIL" not in said, "every test of yocto-check-layer passes")
    release.tell("`yocto-check-layer`, complete", f"{tests[1]} tests, all passed", since)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("oe-core", "bitbake", "seed", "work"):
        parser.add_argument(f"--{name}", required=True, type=lambda text: Path(text).resolve())
    release = Release(**vars(parser.parse_args()))
    print(f"## {release.series}\n\n| what | result | time |\n| --- | --- | --- |", flush=True)
    release.prepare()
    release.sh(documented("sh", "add-layer"), release.build)
    release.use_the_host()
    release.configure(documented("bitbake", "ROOTFS_TRUST_CLOUDS"))
    release.new_ca("First CA")
    since = time.monotonic()
    parsed = re.search(r"Parsing of (\d+) .bb files complete .* (\d+) errors", release.sh("bitbake -p", release.build))
    release.tell("`bitbake -p`", f"{parsed[1]} recipes, {parsed[2]} errors", since)
    check_image(release)
    check_hashes(release)
    check_refusals(release)
    check_package(release)
    check_layer(release)


if __name__ == "__main__":
    main()
