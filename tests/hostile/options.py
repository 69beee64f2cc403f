"""Hostile values of options and arguments. Each item gives the whole command line."""

from __future__ import annotations

from random import Random

from tests.hostile.corpus import options
from tests.hostile.mutations import BIDI, ESC, ODD_TEXTS
from tests.hostile.world import World

TEXTS = tuple(
    text for text in (*ODD_TEXTS, ESC, BIDI, "\udcff\udcfe", "a" * 100_000) if "\0" not in text and "\ud800" not in text
)
TIMES = (
    *(
        "0",
        "-1",
        "99999999999999999999",
        "9" * 6000,
        "253402300799",
        "253402300800",
        "0001-01-01",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-14:00",
    ),
    *(
        "0001-01-01T00:00:00+14:00",
        "2020-02-30",
        "now",
        "",
        "1e9",
        "\u0662\u0660\u0662\u0660-01-01",
        "2020-W01-1",
        "20200101T000000Z",
        "2020-01-01T00:00:00+99:99",
        "1970-01-01",
        "2106-02-07",
    ),
)


def _subject(world: World, random: Random) -> list[str]:
    return ["--root", random.choice((world.root, world.root, random.choice(TEXTS)))]


@options(rounds=8)
def times_given(world: World, random: Random) -> list[str]:
    time, root = random.choice(TIMES), world.root
    return random.choice(
        (
            ["install", "--root", root, "--cert", f"{world.given}/ca.pem", "--at", time],
            ["install", "--root", root, "--cert", f"{world.given}/ca.pem", "--timestamp", time],
            [
                "install",
                "--root",
                root,
                "--cert",
                f"{world.given}/ca.pem",
                "--timestamp",
                time,
                "--provenance",
                f"{world.out}/p.json",
            ],
            ["check", "--root", root, "--at", time],
            ["list", "--root", root, "--at", time, "--format", "json"],
            ["list", "--root", root, "--at", time],
            ["report", "--root", root, "--at", time, "-o", f"{world.out}/page.html"],
            ["sbom", "--root", root, "--timestamp", time],
            ["sbom", "--root", root, "--timestamp", time, "--format", "spdx"],
            ["verify", "--root", root, "--chain", f"{world.given}/chain.pem", "--at", time],
            ["image", root, f"{world.out}/copy", "--timestamp", time, "--cert", f"{world.given}/ca.pem"],
            ["remove", "--root", root, world.base.names[0], "--timestamp", time],
            ["fleet", f"{world.given}/nowhere.toml", "--at", time],
        )
    )


@options(rounds=8)
def texts_given(world: World, random: Random) -> list[str]:
    """Any option that takes a text."""
    text, ca = random.choice(TEXTS), f"{world.given}/ca.pem"
    installs = ["install", *_subject(world, random)]
    return random.choice(
        (
            [*installs, "--cert", text],
            [*installs, "--cert", ca, "--layout", text],
            [*installs, "--cert", ca, "--cloud", f"c8y@{text}"],
            [*installs, "--cert", ca, "--cloud", text],
            [*installs, "--set", f"c8y.root_cert_path={text}"],
            [*installs, "--set", f"{text}={text}"],
            [*installs, "--set-at-run-time", f"c8y.root_cert_path={text}"],
            [*installs, "--cert", ca, "--replace", text],
            [*installs, "--config", text],
            ["remove", "--root", world.root, text],
            ["remove", "--root", world.root, f"sha256:{text}"],
            ["rehash", text],
            ["rehash", world.root, text],
            ["list", *_subject(world, random), "--state", f"overlay:{text}={world.root}"],
            ["list", "--root", world.root, "--state", f"copy:/etc={text}"],
            ["check", "--root", world.root, "--state", f"ostree:{text}", "--format", "sarif"],
            ["check", "--root", world.root, "--select", text],
            ["check", "--root", world.root, "--ignore", text],
            ["diff", text, world.root],
            ["report", "--root", world.root, "-o", text],
            ["report", "--root", world.root, "-o", "-", "--baseline", text],
            ["sbom", "--root", text],
            ["init", "--root", world.root, "--cert", text, "--no-input"],
            ["init", "--root", world.root, "--cloud", text, "--no-input", "--config", f"{world.out}/new.toml"],
            ["image", text, f"{world.out}/made"],
            ["image", world.root, text],
            ["image", world.root, f"{world.out}/copy", "--without", text],
            ["fleet", text],
            [text],
            ["install", f"--{text}"],
        )
    )


@options(rounds=8)
def servers_given(world: World, random: Random) -> list[str]:
    names = (
        *TEXTS,
        "xn--",
        "xn--a" * 50,
        "*.example",
        "1.2.3.4.5",
        "::",
        "[::1%eth0]",
        "a" * 300,
        "ä.example",
        "a..b",
        ".",
        "0x7f.1",
        "\u0661.2.3.4",
        "mqtt.example.com.",
    )
    words = ["verify", "--root", world.root, "--chain", f"{world.given}/chain.pem", "--hostname", random.choice(names)]
    if random.random() < 0.4:
        words += ["--client", random.choice((*TEXTS, "go", "java", "mbedtls", "java:/x"))]
    return [*words, *random.choice(((), ("--format", "json"), ("-v",)))]


@options(rounds=3)
def servers_to_fetch(world: World, random: Random) -> list[str]:
    """No connection leaves the machine: a port at which nobody listens, or no address at all."""
    server = random.choice(
        (
            "127.0.0.1:1",
            "[::1]:1",
            "127.0.0.1:" + "9" * 5000,
            "127.0.0.1:\u0663",
            ":1",
            "a..b:1",
            "x" * 300 + ".invalid:1",
            "\x1b[31m:1",
            "",
        )
    )
    return ["verify", "--fetch", server, "--chain", f"{world.out}/chain.pem"]


@options(rounds=3)
def numbers_given(world: World, random: Random) -> list[str]:
    number = random.choice(("-1", "0", "101", "9" * 5000, "1e3", "", "\u0663", "0x10", "1_0"))
    return random.choice(
        (
            ["report", "--root", world.root, "-o", f"{world.out}/p.html", "--lifetime", number],
            ["fleet", f"{world.given}/sane.toml", "--jobs", number],
        )
    )


@options(rounds=4)
def outputs_in_odd_places(world: World, random: Random) -> list[str]:
    """An output that is a directory, a device, an input, or a link."""
    import os

    os.symlink("loop", f"{world.out}/loop")
    places = (
        "/dev/full",
        "/dev/stdout",
        world.out,
        f"{world.out}/loop",
        f"{world.out}/no/where",
        f"{world.out}/{'n' * 256}",
        "/proc/self/x",
        f"{world.out}/\x1b[31m.md",
        "",
    )
    place = random.choice(places)
    return random.choice(
        (
            ["report", "--root", world.root, "-o", place],
            ["sbom", "--root", world.root, "-o", place],
            ["install", "--root", world.root, "--cert", f"{world.given}/ca.pem", "--provenance", place],
            ["init", "--root", world.root, "--no-input", "--config", place],
            ["image", world.root, place, "--cert", f"{world.given}/ca.pem"],
        )
    )


@options(rounds=6)
def outputs_that_fall_into_the_tree(world: World, random: Random) -> list[str]:
    """Through links of the tree that lead out of it."""
    world.tree.link("usr/share/doc", f"{world.outside}/{random.choice(('folder', 'empty'))}")
    world.tree.link("usr/share/man", "../../" + "../" * 9 + world.outside[1:])
    world.tree.link("etc/page.html", f"{world.outside}/cert.pem")
    name = random.choice(
        (
            "usr/share/doc/page.html",
            "usr/share/doc/cert.pem",
            "usr/share/man/folder/x",
            "etc/page.html",
            "usr/share/man/new.md",
        )
    )
    place = f"{world.root}/{name}"
    ca = f"{world.given}/ca.pem"
    return random.choice(
        (
            ["report", "--root", world.root, "-o", place],
            ["sbom", "--root", world.root, "-o", place],
            ["install", "--root", world.root, "--cert", ca, "--provenance", place],
            ["init", "--root", world.root, "--no-input", "--config", place],
            ["image", f"{world.given}/sane.toml", place],
            ["report", "--root", world.sane_tree("other", "debian"), "--baseline", world.root, "-o", place],
        )
    )


@options(rounds=3)
def destinations_of_images(world: World, random: Random) -> list[str]:
    import os

    os.symlink("loop", f"{world.out}/link")
    os.mkfifo(f"{world.out}/fifo")
    name = random.choice(("link", "link/x", "fifo", "", "../in/rootfs/x", "../in/rootfs", "../in", "."))
    return ["image", world.root, f"{world.out}/{name}", "--cert", f"{world.given}/ca.pem"]


@options(rounds=2)
def directories_to_rehash(world: World, random: Random) -> list[str]:
    world.files.link("loop", "loop")
    places = ("loop", "nowhere", "ca.pem", "x" * 300, "x" * 5000, "", ".")
    return ["rehash", *(f"{world.given}/{random.choice(places)}" for _ in range(2)), "--dry-run"]
