"""The order in which p11-kit walks over a hash table of texts; it decides the order of purposes in some outputs.

Source: p11_dict_set and p11_dict_iterate in common/dict.c, p11_hash_murmur3 in common/hash.c: MurmurHash3 of 32
bits (public domain, Austin Appleby) with the seed 42, which mixes in the length of the tail only.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

_FIRST_BUCKETS = 9
_WORD = 0xFFFFFFFF


def hash_order(texts: Iterable[str]) -> list[str]:
    """``texts``, each once, as they come out of a table into which they were put in this order."""
    buckets: list[list[str]] = [[] for _ in range(_FIRST_BUCKETS)]
    held: set[str] = set()
    for text in texts:
        if text not in held:
            held.add(text)
            buckets[murmur3(text.encode()) % len(buckets)].append(text)
            if len(held) > len(buckets):
                buckets = _grown(buckets)
    return list(chain.from_iterable(buckets))


def _grown(old: list[list[str]]) -> list[list[str]]:
    buckets: list[list[str]] = [[] for _ in range(len(old) * 2 + 1)]
    for text in chain.from_iterable(old):
        buckets[murmur3(text.encode()) % len(buckets)].insert(0, text)
    return buckets


def murmur3(data: bytes) -> int:
    """p11_hash_murmur3 of one piece of data."""
    value, whole = 42, len(data) & ~3
    for at in range(0, whole, 4):
        value ^= _mixed(int.from_bytes(data[at : at + 4], "little"))
        value = (_rotated(value, 13) * 5 + 0xE6546B64) & _WORD
    tail = data[whole:]
    if tail:
        value ^= _mixed(int.from_bytes(tail, "little"))
    return _avalanche(value ^ len(tail))


def _mixed(word: int) -> int:
    return _rotated(word * 0xCC9E2D51 & _WORD, 15) * 0x1B873593 & _WORD


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & _WORD


def _avalanche(value: int) -> int:
    value = (value ^ value >> 16) * 0x85EBCA6B & _WORD
    value = (value ^ value >> 13) * 0xC2B2AE35 & _WORD
    return value ^ value >> 16
