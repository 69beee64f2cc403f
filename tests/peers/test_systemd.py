"""systemd itself reads what we write for it: its test mode loads units and settings, starts nothing, and tells all."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from rootfs_trust.inputs.config import RenderTable
from rootfs_trust.inputs.templates import read_template
from rootfs_trust.rendering.render import RenderRequest, TemplateTrust, rendered
from rootfs_trust.thin_edge.service_environment import DROP_IN
from tests.support.authority import Authority
from tests.support.command import install
from tests.support.memory import MemoryTree
from tests.support.peers import PLAIN_ENVIRONMENT, needs_mounts, peer, unavailable

SYSTEMD = Path("/usr/lib/systemd/systemd")
UNITS = "/usr/lib/systemd/system"
# In test mode it takes its own settings from the place of its user's instance, the same parser's, and it does not run
# as root. What it says of units goes to standard output, complaints to standard error.
_RUN = f"""
mount --bind "$1{UNITS}" {UNITS} && mount -t tmpfs none /etc/systemd && mkdir /etc/systemd/user.conf.d || exit 99
cp -r "$1/settings/." /etc/systemd/user.conf.d || exit 99
shift
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
"""
_MODE = ("--test", "--system", "--unit=all.target", "--log-target=console", "--log-level=warning", "--no-pager")
_NOISE = "SYSTEMD_GETTY_AUTO"


class Tree:
    """A directory with the units of a device: some of thin-edge.io's, and one of another program."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "settings").mkdir(parents=True)
        (path / UNITS[1:]).mkdir(parents=True)
        services = ("tedge-agent.service", "tedge-mapper-c8y.service", "mosquitto.service")
        self.write(f"{UNITS}/all.target", f"[Unit]\nWants={' '.join(services)}\nDefaultDependencies=no\n")
        for name in services:
            self.write(f"{UNITS}/{name}", "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\n")

    def write(self, path: str, text: str) -> None:
        file = self.path / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def loaded(self) -> tuple[dict[str, list[str]], list[str]]:
        """What systemd makes of it: the environment of each service, and its complaints."""
        needs_mounts()
        if not SYSTEMD.exists():
            unavailable("systemd is not installed")
        words = [peer("unshare"), "-m", "sh", "-c", _RUN, "sh", str(self.path), str(SYSTEMD), *_MODE]
        done = subprocess.run(
            words,
            env={**PLAIN_ENVIRONMENT, "XDG_RUNTIME_DIR": "/run"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        parts = re.split(r"^\t?-> Unit (\S+):$", done.stdout, flags=re.MULTILINE)[1:]
        units = dict(zip(parts[::2], parts[1::2], strict=True))
        found = {name: re.findall(r"^\t+Environment: (.*)$", text, re.MULTILINE) for name, text in units.items()}
        return found, [line for line in done.stderr.splitlines() if _NOISE not in line]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "device")


ODD = """/data/a "b" \\ 100% $HOME %n 'é'"""


def test_the_variables_reach_the_services_of_thin_edge_and_no_other(tree: Tree, tmp_path: Path, authority: Authority):
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    install(
        tree.path,
        "--layout=debian",
        "--cert",
        tmp_path / "ca.pem",
        "--cloud=c8y",
        "--cloud=aws@Edge_1",
        "--settings-as=env",
    )
    variables = [
        "TEDGE_C8Y_ROOT_CERT_PATH=/etc/ssl/certs",
        "TEDGE_C8Y_PROXY_CA_PATH=/etc/ssl/certs",
        "TEDGE_AWS_PROFILES_EDGE_1_ROOT_CERT_PATH=/etc/ssl/certs",
    ]
    units, complaints = tree.loaded()
    assert complaints == []
    assert units["tedge-agent.service"] == units["tedge-mapper-c8y.service"] == variables
    assert units["mosquitto.service"] == []


def test_an_odd_path_arrives_as_it_is(tree: Tree):
    install(tree.path, "--layout=debian", f"--set-at-run-time=az.root_cert_path={ODD}", "--settings-as=env")
    units, complaints = tree.loaded()
    assert complaints == []
    assert units["tedge-agent.service"] == [f"TEDGE_AZ_ROOT_CERT_PATH={ODD}"]


def test_it_takes_no_variable_with_a_dash(tree: Tree):
    """Why a profile with one is refused."""
    tree.write(DROP_IN, '[Service]\nEnvironment="TEDGE_C8Y_PROFILES_A-B_ROOT_CERT_PATH=/x"\n')
    units, complaints = tree.loaded()
    assert units["tedge-agent.service"] == []
    assert "Invalid environment assignment, ignoring: TEDGE_C8Y_PROFILES_A-B" in complaints[0]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("", "", ""),
        ('"SSL_CERT_FILE', '"SSL-CERT-FILE', "Invalid environment assignment, ignoring: SSL-CERT-FILE"),
        ("DefaultEnvironment=", "DefaultEnvironments=", "Unknown key 'DefaultEnvironments' in section [Manager]"),
        ('.crt"\n', ".crt\n", "Invalid syntax, ignoring"),
    ],
)
def test_the_managers_settings_are_its_own(tree: Tree, old: str, new: str, says: str):
    """No complaint of ours, and one where it is spoilt: it does not tell what it took."""
    _, name, text = read_template(RenderTable("systemd-environment", "/x"))
    trust = TemplateTrust("/etc/ssl/certs/ca-certificates.crt", "", (), (), "/etc/ssl/certs/java/cacerts")
    files, _ = rendered(MemoryTree(), [RenderRequest(name, text, "/x")], trust)
    content = files["/x"].content.decode()
    assert content.count("\nDefaultEnvironment=") == 5
    tree.write("/settings/50-trust.conf", content.replace(old, new, 1) if old else content)
    _, complaints = tree.loaded()
    assert [says in each for each in complaints] == [True] * bool(says)
