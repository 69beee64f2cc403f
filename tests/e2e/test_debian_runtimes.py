"""``--runtimes`` against the runtimes that Debian packages: Mono, Elixir with castore, and Firefox ESR.

They run on this machine, with the files of a root filesystem in the place of this machine's. The states are those of
test_runtime_versions.py. Programs that read the system's store need no option: the plain ``install`` is tried.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rootfs_trust import InstallOptions, install, remove, verify
from tests.e2e.judges import CLIENTS, Built
from tests.e2e.registry_runtimes import Asked
from tests.e2e.runtime_trial import EXPECTED, Runtime, World, trial, version
from tests.support.authority import Authority
from tests.support.firefox import opens
from tests.support.inside import write_inside
from tests.support.overlay import words_merged
from tests.support.peers import PLAIN_ENVIRONMENT, peer

pytest.importorskip("OpenSSL")
pytestmark = pytest.mark.slow

CASTORE, DISTRIBUTION = "opt/release/lib/castore-1.0.5", "usr/share/firefox-esr/distribution"
ELIXIR = """
{:ok, _} = Application.ensure_all_started(:ssl)
[port] = System.argv()
options = [verify: :verify_peer, cacertfile: CAStore.file_path(), log_level: :none]
case :ssl.connect(~c"localhost", String.to_integer(port), options, 20_000) do
  {:ok, _} -> IO.puts("connected")
  {:error, {:tls_alert, {:unknown_ca, _}}} -> IO.puts("certificate") && System.halt(1)
end
"""


def _mono(tree: Path, _: Path) -> None:
    """Debian's package has a link to the machine store in /etc."""
    write_inside(tree, "usr/bin/mono", b"")
    (tree / "etc/mono/certstore").mkdir(parents=True)
    (tree / "usr/share/.mono").symlink_to("/etc/mono/certstore")


def _asks_mono(asked: Asked, _: Built) -> bool:
    """Both stores agree: the one for TLS, and the one that X509Store lists."""
    words = ("-out:Ask.exe", CLIENTS / "mono/Ask.cs")
    subprocess.run([peer("mcs"), *words], cwd=asked.tree.parent, env=PLAIN_ENVIRONMENT, check=True)
    program = asked.tree.parent / "Ask.exe"
    found = asked.merged(peer("mono"), program, asked.url)
    roots = subprocess.run(words_merged(asked.tree, peer("mono"), program), capture_output=True, text=True, check=True)
    assert ("CN=Private CA" in roots.stdout) is found
    return found


def _castore(tree: Path, _: Path) -> None:
    """The compiled module beside a bundle, as an Elixir release has it."""
    write_inside(tree, f"{CASTORE}/priv/cacerts.pem", b"## Bundle of CA root certificates\n" + Authority("Other").pem)
    (tree / CASTORE / "ebin").mkdir()
    words = ("-o", tree / CASTORE / "ebin", CLIENTS / "castore/castore.ex")
    subprocess.run([peer("elixirc"), *words], env=PLAIN_ENVIRONMENT, check=True)


def _asks_elixir(asked: Asked, _: Built) -> bool:
    path = asked.tree / CASTORE / "ebin"
    return asked.accepts(peer("elixir"), "-pa", path, "-e", ELIXIR, "--", str(asked.port))


def _firefox(tree: Path, _: Path) -> None:
    """As Debian's package has it: the directory ``distribution`` is below /usr/share."""
    write_inside(tree, "usr/lib/firefox-esr/firefox-esr", b"")
    (tree / "usr/lib/firefox-esr/distribution").symlink_to("../../share/firefox-esr/distribution")
    (tree / DISTRIBUTION).mkdir(parents=True)


def _asks_firefox(asked: Asked, _: Built) -> bool:
    directory = asked.tree.parent
    return opens(asked.url, directory / f"profile-{len(list(directory.iterdir()))}", *words_merged(asked.tree))


RUNTIMES = {
    "Mono": Runtime(_mono, _asks_mono, "mono", "mono-store"),
    "Elixir": Runtime(_castore, _asks_elixir, f"castore:/{CASTORE}/priv/cacerts.pem", "castore-store"),
    "Firefox ESR": Runtime(_firefox, _asks_firefox, "firefox", "browser-store"),
}
PROGRAMS = {
    "Mono": ("mono", "--version"),
    "Elixir": ("elixir", "-e", "IO.puts(System.version())"),
    "Firefox ESR": ("firefox-esr", "--version"),
}


@pytest.mark.parametrize("name", RUNTIMES)
def test_it_accepts_the_server_after_install_and_not_after_remove(
    name: str, world: World, built: Built, tree_cache: Path, record_property: Callable[[str, str], None]
):
    assert trial(RUNTIMES[name], world, built, tree_cache) == EXPECTED
    runtime = RUNTIMES[name].client.partition(":")[0]
    record_property("tried", f"{runtime}: {name} {version(*PROGRAMS[name])}")


def test_firefox_reads_the_changed_policies_beside_the_program_if_only_those_exist(world: World, built: Built):
    _firefox(world.tree.path, world.directory)
    policies = world.tree.write(f"{DISTRIBUTION}/policies.json", b'{"policies": {"DisableTelemetry": true}}')
    install(world.tree.root, InstallOptions(certs=world.certs, runtimes=("firefox",)))
    assert b"Install" in policies.read_bytes()
    assert not (world.tree.path / "etc/firefox").exists()
    assert _asks_firefox(Asked(world.tree.path, world.port), built)


PHP = "$body = file_get_contents($argv[1]); exit($body === 'hello' ? 0 : 1);"
PHP_CURL = "$ask = curl_init($argv[1]); $done = curl_exec($ask); echo curl_error($ask); exit($done ? 0 : 1);"
RUBY = "require 'open-uri'; puts URI.open(ARGV[0]).read"
ERLANG = """
{ok, _} = application:ensure_all_started(ssl), [Port] = init:get_plain_arguments(),
Options = [{verify, verify_peer}, {cacerts, public_key:cacerts_get()}, {log_level, none}],
case ssl:connect("localhost", list_to_integer(Port), Options, 20000) of
    {ok, _} -> halt(0);
    {error, {tls_alert, {unknown_ca, _}}} -> io:format("certificate~n"), halt(1)
end.
"""
OTP = 'io:format("OTP ~s", [erlang:system_info(otp_release)]), halt().'
SYSTEM = {
    "PHP": ("openssl-directory", lambda asked: ("php", "-r", PHP, asked.url), ("php", "--version")),
    "PHP's curl": ("openssl-bundle", lambda asked: ("php", "-r", PHP_CURL, asked.url), ("php", "--version")),
    "Ruby": ("openssl-directory", lambda asked: ("ruby", "-e", RUBY, asked.url), ("ruby", "--version")),
    "Erlang/OTP": (
        "openssl-bundle",
        lambda asked: ("erl", "-noshell", "-eval", ERLANG, "-extra", str(asked.port)),
        ("erl", "-noshell", "-eval", OTP),
    ),
    "git": ("gnutls", lambda asked: ("git", "ls-remote", asked.url), ("git", "--version")),
    "wget": ("gnutls", lambda asked: ("wget", "-nv", "-O-", asked.url), ("wget", "--version")),
    "curl": ("openssl-bundle", lambda asked: ("curl", "-sS", asked.url), ("curl", "--version")),
}
"""What ``verify`` calls the client, how it asks the server, and how it prints its version."""


@pytest.mark.parametrize("name", SYSTEM)
def test_a_program_with_the_systems_store_needs_no_option(
    name: str, world: World, record_property: Callable[[str, str], None]
):
    client, words, asks_version = SYSTEM[name]

    def seen() -> tuple[bool, bool]:
        """Whether the program accepts the server, and what ``verify`` says."""
        program, *more = words(Asked(world.tree.path, world.port))
        verdicts = verify(world.tree.root, str(world.directory / "chain.pem"), hostname="localhost", clients=[client])
        accepts = Asked(world.tree.path, world.port).accepts(peer(program), *more)
        return accepts, all(each.trusted for each in verdicts.verdicts)

    before = seen()
    install(world.tree.root, InstallOptions(certs=world.certs))
    assert not install(world.tree.root, InstallOptions(certs=world.certs)).changed
    after = seen()
    remove(world.tree.root, ["private-ca"])
    assert {"before": before, "after": after, "removed": seen()} == {
        "before": (False, False),
        "after": (True, True),
        "removed": (False, False),
    }
    record_property("tried", f"system: {name} {version(*asks_version, pattern=r'[0-9]+([.][0-9]+)*')}")
