"""Cache the result of a function for trees with equal content. Does no I/O itself.

Many images of a fleet have the same trust store. This module records what a function reads from a tree as facts:
directory entries, links, and the SHA-256 of files. If another tree has the same environment and all facts are true for
it, the result is the same and nothing has to be parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Generic, TypeVar

from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.pass_through import PassThroughView
from rootfs_trust.rootfs.resolve import way
from rootfs_trust.rootfs.view import File, Node, Symlink, View, join, parent

_Result = TypeVar("_Result")

_Fact = tuple[str, str, tuple[tuple[str, bool], ...]]
"""A question about a tree: a method of View, a path, and the other arguments."""

_MOST = 64
"""Maximum number of cached trees; each has some thousand facts."""

_FIRST = ("names", "kind", "node")
"""The order in which facts are checked: first listings, which give the types of all their entries; last files, which
are the most expensive.
"""


@dataclass(frozen=True, slots=True)
class _Known(Generic[_Result]):
    """A cached result, and the environment and facts of the trees for which it is valid."""

    environment: Mapping[str, str]
    facts: Mapping[_Fact, Hashable]
    result: _Result

    def holds(self, view: View, found: dict[_Fact, Hashable]) -> bool:
        """Return whether every fact is true in ``view``. ``found`` caches the facts of ``view``."""
        return all(_is_unchanged(view, fact, expected, found) for fact, expected in self.facts.items())


class CachedResult(Generic[_Result]):
    """Caches the results of ``function``, which must depend only on a view."""

    def __init__(self, function: Callable[[View], _Result]) -> None:
        self.function = function
        self._known: list[_Known[_Result]] = []

    def __call__(self, view: View) -> _Result:
        """Return the result for the tree ``view``."""
        found: dict[_Fact, Hashable] = {}
        for known in self._known:
            if known.environment == view.environment and known.holds(view, found):
                return known.result
        if len(self._known) >= _MOST:
            return self.function(view)
        asking = Asking(view)
        result, facts = self.function(asking), asking.facts
        ordered = {fact: facts[fact] for fact in sorted(facts, key=_order) if not _is_implied(fact, facts)}
        self._known.append(_Known(dict(view.environment), ordered, result))
        return result


def _is_unchanged(view: View, fact: _Fact, expected: Hashable, found: dict[_Fact, Hashable]) -> bool:
    if fact not in found:
        found[fact] = _fingerprint(_answer(view, fact))
    return found[fact] == expected


def _is_implied(fact: _Fact, facts: Mapping[_Fact, Hashable]) -> bool:
    """Return whether the fact is a type, and another fact is the whole entry, which includes its type."""
    entry = facts.get(("node", *fact[1:])) if fact[0] == "kind" else None
    return isinstance(entry, tuple) and entry[0] is not InputError


def _order(fact: _Fact) -> tuple[int, str]:
    return _FIRST.index(fact[0]) if fact[0] in _FIRST else len(_FIRST), fact[1]


class Asking(PassThroughView):
    """The tree ``view``, which records the ``facts`` on which its answers depend."""

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._asked: dict[_Fact, Any] = {}
        self.facts: dict[_Fact, Hashable] = {}

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        """Implements :meth:`View.node`."""
        answer: Node | None = self._ask("node", path, follow=follow)
        return answer

    def kind(self, path: str, *, follow: bool = True) -> type[Node] | None:
        """Implements :meth:`View.kind`."""
        answer: type[Node] | None = self._ask("kind", path, follow=follow)
        return answer

    def names(self, path: str) -> list[str]:
        """Implements :meth:`View.names`."""
        answer: list[str] = self._ask("names", path)
        return answer

    def real_path(self, path: str) -> str | None:
        """Implements :meth:`View.real_path`."""
        answer: str | None = self._ask("real_path", path)
        return answer

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """Implements :meth:`View.extended_attributes`."""
        answer: Mapping[str, bytes] = self._ask("extended_attributes", path)
        return answer

    def mounted(self, path: str) -> bool:
        """Implements :meth:`View.mounted`."""
        answer: bool = self._ask("mounted", path)
        return answer

    def modified(self, path: str) -> int | None:
        """Implements :meth:`View.modified`."""
        answer: int | None = self._ask("modified", path)
        return answer

    def _ask(self, method: str, path: str, **how: bool) -> Any:
        question = (method, path, tuple(how.items()))
        answer = _answer(self._view, question)
        if question not in self._asked:
            self._asked[question] = None
            self._note(question, answer)
        if isinstance(answer, InputError):
            raise answer
        return answer

    def _note(self, question: _Fact, answer: Any) -> None:
        """Record the facts that ``answer`` depends on. An unreadable path is a fact, too."""
        with suppress(InputError):
            for fact in self._facts_of(*question):
                self.facts.setdefault(fact, _fingerprint(_answer(self._view, fact)))
            return
        self.facts[question] = _fingerprint(answer)

    def _facts_of(self, method: str, path: str, how: tuple[tuple[str, bool], ...]) -> Iterator[_Fact]:
        """Record the links and types on the path to ``path``, and the question about its real path."""
        if dict(how).get("follow", method not in ("extended_attributes", "mounted")):
            real = self._end(path)
        else:
            folder = self._end(parent(path))
            real = None if folder is None else join(folder, path.rpartition("/")[2])
        if real is not None and method == "kind":
            yield _kind(real)
        elif real is not None and method != "real_path":
            yield method, real, (("follow", False),) if method == "node" else ()

    def _end(self, path: str) -> str | None:
        """Return the real path of ``path``. Every entry on the path becomes a fact."""
        return next(reversed(way(path, self._entry)), None)

    def _entry(self, place: str) -> Symlink | type[Node] | None:
        kind = self._view.kind(place, follow=False)
        self.facts.setdefault(_kind(place), _fingerprint(kind))
        if kind is not Symlink:
            return kind
        link = self._view.node(place)
        self.facts.setdefault(("node", place, (("follow", False),)), _fingerprint(link))
        return link if isinstance(link, Symlink) else kind


def _kind(place: str) -> _Fact:
    return "kind", place, (("follow", False),)


def _answer(view: View, question: _Fact) -> Any:
    """Return the answer, or raise the InputError that was recorded."""
    method, path, how = question
    try:
        return getattr(view, method)(path, **dict(how))
    except InputError as error:
        return error


def _fingerprint(answer: Any) -> Hashable:
    """Return a key that is equal for equal answers. File contents and lists of names become their SHA-256."""
    if isinstance(answer, File):
        return (
            File,
            sha256(answer.content, usedforsecurity=False).digest(),
            answer.owner,
            answer.mode,
        )
    if isinstance(answer, list):
        return sha256("\0".join(answer).encode("utf-8", "surrogateescape"), usedforsecurity=False).digest()
    if isinstance(answer, Mapping):
        return tuple(sorted(answer.items()))
    if isinstance(answer, InputError):
        return InputError, answer.problems
    return type(answer), answer
