"""Jinja2's sandbox with bounds: on what a template gives, on its loops and calls, and on products.

This stops mistakes, such as a loop in a loop in a loop, in about a second. A template is its author's program all the
same: an expression can still ask for much memory at once, which ends as an error where memory is limited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

MAX_RENDERED = 1024 * 1024
"""Bytes; no settings file is larger."""

MAX_STEPS = 1_000_000
"""Turns of loops and calls."""


class BoundedSandbox(SandboxedEnvironment):
    """For one rendering: its steps are counted once. The results are settings, not markup: nothing is escaped."""

    intercepted_binops = frozenset(("*", "**"))

    def __init__(self, filters: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__(
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
        )
        self.filters |= {**filters, "counted": self._counted}
        self._steps = 0

    def rendered(self, text: str, names: Mapping[str, Any]) -> bytes:
        """What ``text`` gives. Raises TemplateError, also where it passes a bound, or what its code raises."""
        template = self.parse(text)
        for loop in template.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "counted", [], [], None, None, lineno=loop.lineno)
        result = bytearray()
        for piece in self.from_string(template).generate(names):
            result += piece.encode()
            if len(result) > MAX_RENDERED:
                raise SecurityError(f"gives more than {MAX_RENDERED} bytes")
        return bytes(result)

    def call(self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """A call in the template, which is a step."""
        self._step()
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """A product or power, refused before it is reckoned where it would be too large."""
        if _size(operator, left, right) > MAX_RENDERED:
            raise SecurityError(f"{operator} gives more than {MAX_RENDERED} bytes")
        return super().call_binop(context, operator, left, right)

    def _counted(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self._step()
            yield item

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise SecurityError(f"takes more than {MAX_STEPS} turns of loops and calls")


def _size(operator: str, left: Any, right: Any) -> int:
    """About how much ``left operator right`` takes: characters, items, or bits of a number."""
    if isinstance(left, int) and isinstance(right, int):
        return left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
    if isinstance(right, int):
        left, right = right, left
    return left * len(right) if isinstance(left, int) and hasattr(right, "__len__") else 0
