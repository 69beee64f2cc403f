"""Cases: an item, a command and a seed. Each is tried in its own directory, and judged."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random

from tests.hostile import judge
from tests.hostile.commands import BY_KIND, Command, filled
from tests.hostile.corpus import ITEMS, Item
from tests.hostile.hands import Hands, snapshot
from tests.hostile.process import PLAIN, Ran, Setup, run
from tests.hostile.world import World

_STAGED = b".rootfs-trust"


@dataclass(frozen=True)
class Case:
    """``command`` is empty where the item itself gives the command line."""

    item: str
    command: str
    seed: int

    @property
    def kind(self) -> str:
        return ITEMS[self.item].kind


@dataclass(frozen=True)
class Tried:
    case: Case
    words: tuple[str, ...]
    status: int
    seconds: float
    wrong: list[str] = field(default_factory=list)


def cases(seed: int, rounds: int, only: list[str], commands: list[str], kinds: list[str]) -> Iterator[Case]:
    """``rounds`` 0 is a sample: each item with the seeds that it asks for, and with some of its commands in turn.

    Else every item with every command, that often.
    """
    turn = 0
    for item in ITEMS.values():
        if (only and item.name not in only) or (kinds and item.kind not in kinds):
            continue
        for number in range(rounds or item.rounds):
            names = [each.name for each in BY_KIND.get(item.kind, ())] or [""]
            if not rounds and not commands:
                few = 3 if len(names) > 1 else 1
                names = [names[(turn + 7 * step) % len(names)] for step in range(few)]
                turn += 1
            for name in names:
                if not commands or any(each in (name, name.split()[0] if name else "") for each in commands):
                    yield Case(item.name, name, seed + number)


def attempt(case: Case, folder: str) -> Tried:
    """Run the case in the empty directory; the directory keeps what the run left."""
    item = ITEMS[case.item]
    random = Random(zlib.crc32(f"{case.item} {case.seed}".encode()))
    world = World(folder)
    try:
        if item.kind in BY_KIND:
            return _of_input(item, case, world, random)
        return (
            _of_condition(item, case, world, random)
            if item.kind == "condition"
            else _of_words(item, case, world, random)
        )
    finally:
        world.close()


def _of_input(item: Item, case: Case, world: World, random: Random) -> Tried:
    command = next(each for each in BY_KIND[item.kind] if each.name == case.command)
    setup = PLAIN
    world.start(random, item.family)
    if item.kind == "tree":
        item.make(world, random)
    elif item.kind == "image":
        world.source = item.make(world, random)
    else:
        files = item.make(random)
        for name, content in files.items():
            with suppress(OSError):
                world.files.file(f"files/{name}", content)
        setup = replace(setup, stdin=random.choice(sorted(files.values())))
    return _judged(case, command, filled(command, world, random), setup, world)


def _of_words(item: Item, case: Case, world: World, random: Random) -> Tried:
    world.start(random, item.family)
    words = tuple(item.make(world, random))
    return _judged(case, _command_of(words), words, PLAIN, world)


def _of_condition(item: Item, case: Case, world: World, random: Random) -> Tried:
    world.start(random, item.family)
    setup = item.make(world, random)
    return _judged(case, _command_of(setup.words), setup.words, setup, world, condition=True)


def _command_of(words: tuple[str, ...]) -> Command:
    """What is known of a command line that an item made."""
    name = words[0] if words else ""
    dry = "--dry-run" in words
    writes = {"install": "tree", "remove": "tree", "rehash": "tree", "fleet": "tree"}.get(name, "out")
    in_tree = any("/in/rootfs/" in word for word in words) or "--provenance" in words
    return Command(
        name,
        words or ("",),
        "" if dry and not in_tree else ("tree" if in_tree else writes),
        name in ("check", "verify", "diff", "fleet"),
        name == "rehash",
    )


def _judged(
    case: Case, command: Command, words: tuple[str, ...], setup: Setup, world: World, condition: bool = False
) -> Tried:
    world.watch()
    before = snapshot(world.root)
    if setup.before:
        setup.before()
    try:
        ran = run(words, world.work, setup)
    finally:
        if setup.undo:
            setup.undo()
    wrong = world.touched(reading=not command.follows)
    if not world.canaries_hold():
        wrong.append("a canary has other bytes")
    after = snapshot(world.root)
    quiet = not condition or not {"few", "little"} & set(case.item.split("-"))
    wrong += _of_status(ran, command, condition, case) if condition else judge.of_output(ran, command)
    if not (command.follows or condition or world.shares):
        wrong += judge.leaks(ran, world.out, world.root)
    wrong += judge.pages(world.out)
    wrong += _of_tree(ran, command, before, after, world, case) if quiet or ran.status in (2, 3) else []
    if condition and command.writes == "tree" and case.item != "few-processes":
        wrong += _completed(words, world)
    if condition and words[0] == "image" and ran.status != 0:
        wrong += _image_completed(words, world)
    return Tried(case, words, ran.status, ran.seconds, wrong)


def _of_status(ran: Ran, command: Command, condition: bool, case: Case) -> list[str]:
    """Under a condition, streams may be closed: what is asked is the status, and no traceback."""
    found = [
        each
        for each in judge.of_output(ran, command)
        if not each.startswith(("standard output is not", "exit status")) and "without an error" not in each
    ]
    allowed = {0, 2, 3, 4, 130, 143, *((1,) if command.verdict else ())}
    if case.item == "signals":
        allowed |= {-2, -15}
        found = [each for each in found if not each.startswith("ended by signal")]
    if ran.status not in allowed and not (ran.status < 0 and found):
        found.append(f"exit status {ran.status}")
    return found


def _of_tree(ran: Ran, command: Command, before: dict, after: dict, world: World, case: Case) -> list[str]:
    found = []
    changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    if changed and command.writes != "tree":
        found.append(f"the tree changed: {changed[:3]}")
    elif changed and ran.status in (2, 3):
        found.append(f"status {ran.status} and the tree changed: {changed[:3]}")
    staged = [path for path in after.keys() - before.keys() if os.path.basename(path).startswith(_STAGED)]
    if staged and ran.status >= 0 and case.item != "immutable-entries":
        found.append(f"staged files are left: {staged[:3]}")
    left = [name for name in os.listdir(world.out) if name.startswith(".")]
    if left and ran.status >= 0 and case.item != "few-descriptors":  # the next run sweeps it
        found.append(f"left beside the result: {left[:3]}")
    made = [name for name in os.listdir(world.out) if name not in ("loop", "link", "fifo", ".fill")]
    if made and ran.status in (2, 3) and not left:
        found.append(f"status {ran.status} and written: {made[:3]}")
    return found


def _image_completed(words: tuple[str, ...], world: World) -> list[str]:
    """The next plain run writes the image and sweeps what is left of the failed one."""
    again = run(words, world.work)
    left = [name for name in os.listdir(world.out) if name.startswith(".")]
    return [f"the next run ends with {again.status} and leaves {left}"] if again.status or left else []


def _completed(words: tuple[str, ...], world: World) -> list[str]:
    """The next plain run leaves what one run on a fresh tree leaves; what is removed cannot be removed again."""
    again = run(words, world.work)
    done = snapshot(world.root, contents_only=True)
    hands = Hands(f"{world.directory}/fresh")
    world.build(world.base, hands)
    hands.close()
    fresh = run(tuple(word.replace(world.root, hands.path) for word in words), world.work)
    if again.status != fresh.status and (words[0], again.status) != ("remove", 2):
        return [f"the next run ends with {again.status}, on a fresh tree with {fresh.status}: {again.err[:200]!r}"]
    wanted = snapshot(hands.path, contents_only=True)
    differ = sorted(path for path in done.keys() | wanted.keys() if done.get(path) != wanted.get(path))
    return [f"the next run does not complete it: {differ[:3]}"] if differ else []
