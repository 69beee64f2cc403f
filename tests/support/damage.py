"""Ways to damage an image: cut it, change bits or numbers, or put a part of it in place of another."""

from __future__ import annotations

import functools
import struct
from random import Random

_NUMBERS = {"<I": (0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000), "<H": (0, 65535, 32768)}


@functools.lru_cache(maxsize=8)
def _used(content: bytes, step: int) -> list[int]:
    """Where there is something."""
    return [at for at in range(0, len(content) - 16, step) if any(content[at : at + step])]


def cut(random: Random, content: bytes) -> bytes:
    return content[: random.choice([random.randrange(len(content)), random.randrange(4096), len(content) - 1])]


def flipped(random: Random, content: bytes) -> bytes:
    """Bits changed where there is something, most of them near the beginning, where the tables are."""
    changed, places = bytearray(content), _used(content, 16)
    for _ in range(random.choice([1, 3, 30, 300])):
        at = random.choice(places[: random.choice([20, 200, len(places)])]) + random.randrange(16)
        changed[min(at, len(changed) - 1)] ^= 1 << random.randrange(8)
    return bytes(changed)


def made_up(random: Random, content: bytes) -> bytes:
    """Numbers that point far away, are negative, or as large as can be, in place of others."""
    changed, places = bytearray(content), _used(content, 4)
    for _ in range(random.choice([1, 2, 10])):
        at = random.choice(places[: random.choice([30, 300, len(places)])])
        form = random.choice(sorted(_NUMBERS))
        struct.pack_into(form, changed, at, random.choice(_NUMBERS[form]))
    return bytes(changed)


def pieced(random: Random, content: bytes) -> bytes:
    """A part of the image repeated in place of another."""
    size = random.choice([16, 512, 4096])
    source, target = (random.randrange(max(1, len(content) - size)) // 16 * 16 for _ in range(2))
    return content[:target] + content[source : source + size] + content[target + size :]


DAMAGE = (cut, flipped, made_up, pieced)
