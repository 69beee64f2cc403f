"""Hostile configurations: rootfs-trust.toml, fleet.toml, its journal, templates. Each gives the whole command."""

from __future__ import annotations

import json
import os
from random import Random

from tests.hostile.corpus import config
from tests.hostile.mutations import BIDI, ESC, ODD_TEXTS, damaged
from tests.hostile.texts import CONFIG, hostile_json, hostile_toml
from tests.hostile.world import World

Words = list[str]

_OF_CONFIG = (
    ("install", "--root", "{root}", "--config", "{config}"),
    ("install", "--root", "{root}", "--config", "{config}", "--dry-run", "--format", "json"),
    ("check", "--root", "{root}", "--config", "{config}"),
    ("list", "--root", "{root}", "--config", "{config}"),
    ("report", "--root", "{root}", "--config", "{config}", "-o", "{out}/page.html"),
    ("sbom", "--root", "{root}", "--config", "{config}"),
    ("image", "{root}", "{out}/copy", "--config", "{config}"),
)


def _words(world: World, random: Random, text: bytes) -> Words:
    """A command that reads this rootfs-trust.toml."""
    world.files.file("hostile.toml", text)
    values = {"root": world.root, "config": f"{world.given}/hostile.toml", "out": world.out}
    return [word.format(**values) for word in random.choice(_OF_CONFIG)]


def _rendering(world: World, random: Random, template: bytes, dest: str = "/etc/t", **more: object) -> Words:
    world.files.file("t.j2", template)
    lines = [f"{key} = {json.dumps(value)}" for key, value in {"template": "t.j2", "dest": dest, **more}.items()]
    return _words(world, random, "\n".join(["[[render]]", *lines]).encode())


@config(rounds=10)
def settings_changed(world: World, random: Random) -> Words:
    world.files.file("t.j2", b"{{ a }}")
    return _words(world, random, hostile_toml(random, CONFIG))


@config(rounds=3)
def anchors_of_odd_files(world: World, random: Random) -> Words:
    """``file`` is a directory, a device, a link, the config itself, or thousands of the same."""
    world.files.link("link.pem", "link.pem")
    files = (
        "/dev/zero",
        "/dev/stdin",
        "/proc/self/mem",
        ".",
        "hostile.toml",
        "link.pem",
        "nowhere",
        "/proc/self/environ",
        "ca.pem",
        "\\u0000",
        "x" * 300,
    )
    lines = [
        f'[[anchor]]\nfile = "{random.choice(files)}"\nname = "n{number}"'
        for number in range(random.choice((1, 3, 3000)))
    ]
    return _words(world, random, "\n".join(lines).encode())


@config(rounds=3)
def names_of_anchors(world: World, random: Random) -> Words:
    name = random.choice(
        (
            *ODD_TEXTS,
            "ca-certificates",
            "ca-certificates.crt",
            ".rootfs-trust-0",
            "n" * 251,
            "n" * 256,
            "\u00fc\u0308",
            "CA",
            "a/../../b",
        )
    )
    return _words(
        world,
        random,
        f'[[anchor]]\nfile = "ca.pem"\nname = {json.dumps(name.encode("utf-8", "replace").decode())}\n'.encode(),
    )


@config(rounds=6)
def destinations(world: World, random: Random) -> Words:
    """``dest`` is what the store writes, below another one, a link out, or no path at all."""
    world.tree.link("etc/out", f"{world.outside}/folder")
    places = (
        *(
            "//etc/x",
            "/etc//x",
            "/etc/../x",
            "/",
            "",
            "etc/x",
            "/etc/out/x",
            "/.rootfs-trust-0",
            "/etc/ssl/certs/ca-certificates.crt",
            "/etc/ssl/certs/.rootfs-trust-0",
        ),
        *(
            "/etc/ssl/certs",
            "/usr/local/share/ca-certificates/ca.crt",
            "/etc/tedge/tedge.toml",
            "/etc/" + "n" * 256,
            "/" + "d/" * 2100 + "x",
            "/etc/\x1b[31m",
        ),
        *(
            "/etc/os-release/x",
            "/etc/ssl/certs/java/cacerts",
            "/proc/self/x",
            "/etc/t/../t",
            "/etc/ca-certificates.conf",
            "/etc/ssl/certs/ca.pem/x",
            "/etc/ssl/certs/00000000.0",
        ),
    )
    world.files.file("t.j2", b"text\n")
    tables = [
        f'[[render]]\ntemplate = "t.j2"\ndest = {json.dumps(random.choice(places))}\nreplace = true\n'
        for _ in range(random.choice((1, 2)))
    ]
    return _words(world, random, ('[[anchor]]\nfile = "ca.pem"\n' + "".join(tables)).encode())


@config(rounds=8)
def templates(world: World, random: Random) -> Words:
    """Loops without end, output without end, and doors out of the sandbox."""
    texts = (
        *(
            "{% for a in range(99999999) %}x{% endfor %}",
            "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        ),
        *(
            "{% for a in range(100000) %}{{ 'x' * 100000 }}{% endfor %}",
            "{{ 'x' * 1000000000 }}",
            "{{ 9 ** 9 ** 9 }}",
            "{{ (1 << 9999999999) }}",
        ),
        *(
            "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
            "{% include '/etc/passwd' %}",
            "{% include '../given/ca.pem' %}",
            "{% import 't.j2' as t %}",
        ),
        *(
            "{{ ''.__class__.__mro__[1].__subclasses__() }}",
            "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
            "{{ lipsum(n=100000) }}",
            "{{ self._TemplateReference__context }}",
        ),
        *(
            "{{ range(10**12) | list }}",
            "{{ '%99999999999d' | format(1) }}",
            "{{ 'a' | center(10**10) }}",
            "{{ ('x' * 100000) | wordwrap(1) | indent }}",
        ),
        *(
            "{{" * 50_000,
            "{% if true %}" * 5000,
            "{{ a" + ".b" * 50_000 + " }}",
            "{{ " + "(" * 5000 + " }}",
            "{% extends 't.j2' %}",
            "{{ {}[[]] }}",
            "{{ 1 / 0 }}",
            "{{ undefined.x }}",
        ),
        *(
            f"{ESC}{BIDI}",
            "\ud800",
            "{{ [[1] * 100000] * 100000 | sum(start=[]) }}",
            "{{ trust }}",
            "{% set x = namespace(a='x') %}{% for i in range(100) %}{% set x.a = x.a ~ x.a %}{% endfor %}",
        ),
        "-----BEGIN " + "PRIVATE KEY-----\nAAAA\n-----END " + "PRIVATE KEY-----\n",
        "{{ '-----BEGIN' }} EC PRIVATE KEY-----\nAAAA\n{{ '-----END' }} EC PRIVATE KEY-----\n",
    )
    return _rendering(world, random, random.choice(texts).encode("utf-8", "surrogatepass"))


@config(rounds=2)
def values_of_templates(world: World, random: Random) -> Words:
    mode = random.choice(("7777", "0", "-1", "0o644", "9" * 50, "\u0660\u0666\u0664\u0664"))
    values = f'a = {{a = 1, "{"k" * 500}" = [1, 2.5, nan, 1979-05-27, "\\u001b[31m"]}}'
    text = f'[[render]]\ntemplate = "t.j2"\ndest = "/etc/t"\nmode = "{mode}"\n[render.values]\n{values}\n'
    world.files.file("t.j2", b"{{ a }}{{ a.a }}{{ a | tojson }}")
    return _words(world, random, text.encode())


@config(rounds=3)
def stores_without_sense(world: World, random: Random) -> Words:
    store = random.choice(
        (
            f"distrust = [{', '.join(repr('sha256:' + '0' * 64) for _ in range(20_000))}]",
            'distrust = ["spki:zz", "file:/dev/zero", "CVE-x", "\\u001b[31m", ""]',
            'roots = "/dev/zero"',
            'roots = "mozilla:\\u202e"',
            'layout = "../../x"',
            'layout = "bundle-only"',
            'base = "none"',
            'layout = "fedora"\nbase = "none"',
        )
    )
    return _words(world, random, f'[store]\n{store}\n[[anchor]]\nfile = "ca.pem"\n'.encode())


@config()
def a_config_that_is_no_file(world: World, random: Random) -> Words:
    path = random.choice(("/dev/zero", "/dev/stdin", world.given, "/proc/self/mem", "/dev/full", ""))
    return ["install", "--root", world.root, "--config", path]


@config()
def the_config_of_the_current_directory(world: World, random: Random) -> Words:
    os.symlink(random.choice(("rootfs-trust.toml", "/dev/zero", "nowhere")), f"{world.work}/rootfs-trust.toml")
    return random.choice(
        (["check", "--root", world.root], ["install", "--root", world.root, "--cert", f"{world.given}/ca.pem"])
    )


# -- fleets ------------------------------------------------------------------------------------------------


def _fleet(world: World, random: Random, text: bytes, *more: str) -> Words:
    world.files.file("fleet.toml", text)
    return [
        "fleet",
        f"{world.given}/fleet.toml",
        "--jobs",
        "1",
        *more,
        *random.choice(((), ("--dry-run",), ("--fresh",))),
    ]


_TARGET = '[[target]]\nroot = "{root}"\nconfig = "sane.toml"\n'


@config(rounds=4)
def fleets_changed(world: World, random: Random) -> Words:
    document = {"target": [{"root": world.root, "config": "sane.toml"}, {"image": "a*", "dest": "b", "config": "c"}]}
    return _fleet(world, random, hostile_toml(random, document))


@config(rounds=3)
def one_target_by_two_names(world: World, random: Random) -> Words:
    world.files.link("again", world.root)
    names = (
        world.root,
        f"{world.root}/",
        f"{world.root}/../rootfs",
        "again",
        "../in/*",
        "../in/rootfs",
        f"{world.root}/usr/..",
        "again/.",
    )
    return _fleet(world, random, "".join(_TARGET.format(root=name) for name in random.sample(names, 2)).encode())


@config(rounds=2)
def patterns_of_targets(world: World, random: Random) -> Words:
    pattern = random.choice(
        (
            "/**",
            "**/**/**/**",
            "[",
            "[" * 5000,
            "/proc/*",
            "\\u0000",
            "*" * 3000,
            "/dev/*",
            "../**/rootfs",
            "\\u001b[31m*",
        )
    )
    if pattern in ("/**", "/proc/*", "/dev/*"):
        pattern = f"{world.root}{pattern}"  # nothing of this machine is a target
    return _fleet(world, random, _TARGET.format(root=pattern).encode(), "--dry-run")


@config(rounds=2)
def images_of_fleets(world: World, random: Random) -> Words:
    dest = random.choice(
        (world.out, f"{world.out}/x", f"{world.given}", "/dev/null", f"{world.root}/etc", "ca.pem", "\\u001b[31m")
    )
    image = random.choice(("sane.toml", "../in/rootfs", "*", "fleet.toml"))
    lines = f'[[target]]\nimage = "{image}"\ndest = "{dest}"\nconfig = "sane.toml"\n'
    return _fleet(world, random, lines.encode(), "--dry-run")


@config(rounds=5)
def journals_edited(world: World, random: Random) -> Words:
    place = [1, 2, "3", 4, None]
    record = {"target": world.root, "policy": "x", "input": "y", "places": [place], "digest": None, "output": ""}
    lines = [hostile_json(random, record) for _ in range(random.choice((1, 5, 200)))]
    lines += random.sample(
        [
            b"\0" * 5000,
            b"[" * 90_000,
            b'{"target":' + b"9" * 9000 + b"}",
            damaged(random, json.dumps(record).encode()),
            b"\xff\xfe",
            ESC.encode(),
        ],
        2,
    )
    world.files.file("fleet.toml.done", b"\n".join(lines))
    return _fleet(world, random, _TARGET.format(root=world.root).encode())


@config()
def journals_that_are_no_files(world: World, random: Random) -> Words:
    world.files.link("fleet.toml.done", random.choice(("fleet.toml.done", "/dev/full", "/proc/self/x", "nowhere/x")))
    return _fleet(world, random, _TARGET.format(root=world.root).encode())
