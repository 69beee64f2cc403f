"""Jinja2's sandbox with limits on a template's output, its steps, and the size of values.

A single call cannot be interrupted. So each operation that can make a large value from a small one (a product, a format
with a width, ``center``, ``replace``) is estimated before it runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any

from jinja2 import StrictUndefined, nodes, pass_context
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

MAX_RENDERED = 1024 * 1024
"""Maximum size of a rendered file in bytes; no settings file is larger."""

MAX_STEPS = 1_000_000
"""Maximum number of steps: loop iterations, calls and filters. Large arguments count as one step for each 100
characters.
"""

_CHARACTERS_PER_STEP = 100

MAX_VALUE = 16 * MAX_RENDERED
"""Maximum number of characters in a single value, including nested lists."""

MAX_MADE = 4 * MAX_VALUE
"""Maximum number of characters that filters return and that are printed, in total. Output into blocks and macros
counts.
"""

_ITEM = 8
"""Number of characters that are added for each item of a list, in addition to its text."""

_NOT_REPRODUCIBLE = ("random", "pprint")
"""Filters whose result depends on more than their input."""

_NUMBER = re.compile("[0-9]+")
_OTHER_FILES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


class BoundedSandbox(SandboxedEnvironment):
    """A sandbox for one rendering, which counts steps. The results are settings, not markup: nothing is escaped."""

    intercepted_binops = frozenset(("*", "**", "+", "%"))

    def __init__(self, filters: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__(
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
        )
        kept = {name: each for name, each in {**self.filters, **filters}.items() if name not in _NOT_REPRODUCIBLE}
        self.filters = {name: self._bounded(name, each) for name, each in kept.items()}
        self.filters |= {"counted": self._counted, "printed": self._printed, "joined": self._joined}
        self.filters["scanned"] = self._scanned
        self.globals.pop("lipsum", None)  # random text
        self._steps = 0
        self._made = 0

    def rendered(self, text: str, names: Mapping[str, Any]) -> bytes:
        """Render ``text``. Raises TemplateError, also if a limit is exceeded, or what the template's code raises."""
        if len(text) > MAX_RENDERED:
            raise SecurityError(f"has more than {MAX_RENDERED} characters")
        template = self.parse(text)
        for statement in template.find_all(nodes.Stmt):
            if isinstance(statement, _OTHER_FILES):
                raise TemplateSyntaxError("other files cannot be included, imported or extended", statement.lineno)
        for loop in template.find_all(nodes.For):
            loop.iter = _filtered(loop.iter, "counted")
        for output in template.find_all(nodes.Output):
            output.nodes = [_filtered(_constant(each), "printed") for each in output.nodes]
        result = bytearray()
        for piece in self.from_string(_Bounding().visit(template)).generate(names):
            result += piece.encode()
            if len(result) > MAX_RENDERED:
                raise SecurityError(f"gives more than {MAX_RENDERED} bytes")
        return bytes(result)

    def call(self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Count a call in the template as a step. For methods of strings and lists, first estimate the size of the
        result.
        """
        method = getattr(__obj, "__wrapped__", __obj)  # the sandbox wraps str.format
        owner = getattr(method, "__self__", None)
        if isinstance(owner, str | bytes | list | tuple | dict):
            self._estimate(method.__name__, owner, [*args, *kwargs.values()])
        self._step()
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute a product, power, sum or format. Refuses a result that would be too large before computing it."""
        if operator == "%" and isinstance(left, str):
            self._estimate("format", left, [*right] if isinstance(right, tuple) else [right])
        elif operator == "+" and not isinstance(left, int | float):
            self._limit(_weight((left, right)), "+")
        elif operator in ("*", "**") and _product(operator, left, right) > MAX_RENDERED:
            raise SecurityError(f"{operator} gives more than {MAX_RENDERED} bytes")
        return super().call_binop(context, operator, left, right)

    def _bounded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the filter ``function``: estimate the size of its result before it runs, and count it as a step."""
        skipped = 1 if hasattr(function, "jinja_pass_arg") else 0

        @wraps(function)
        def bounded(*args: Any, **kwargs: Any) -> Any:
            self._step()
            given = list(args)
            if name == "join":
                given[skipped] = list(self._steps_over(given[skipped]))
            self._estimate(name, given[skipped], [*given[skipped + 1 :], *kwargs.values()])
            result = function(*given, **kwargs)
            self._make(len(result) if isinstance(result, str) else 0)
            return result

        return bounded

    def _estimate(self, name: str, value: Any, args: list[Any]) -> None:
        """Raise SecurityError if the filter or method ``name`` may make too large a result from ``value``."""
        numbers = [abs(each) for each in args if isinstance(each, int)]
        if name not in ("default", "d") and max(numbers, default=0) > MAX_RENDERED:
            raise SecurityError(f"{name} gets a number of more than {MAX_RENDERED}")
        size, times = _weight(value), 0
        most = max([*map(_weight, args), *numbers], default=0)
        if name in ("format", "format_map"):
            text = str(value)
            times = text.count("%") + text.count("{")
            size += sum(int(number[:9]) for number in _NUMBER.findall(text))
        elif name == "replace" and args and isinstance(args[0], str) and args[0]:
            times = str(value).count(args[0]) if isinstance(value, str) else 0
        elif name == "indent":
            times = str(value).count("\n") + 1 if isinstance(value, str) else 0
        elif name in ("replace", "join", "wordwrap", "expandtabs", "translate", "urlize", "batch", "tojson"):
            times = size + 1
        self._limit(size + times * most, name)

    def _limit(self, size: int, what: str) -> None:
        if size > MAX_VALUE:
            raise SecurityError(f"{what} may give more than {MAX_VALUE} characters")
        self._step(size)

    @pass_context
    def _counted(self, _context: Context, items: Iterable[Any]) -> Iterator[Any]:
        return self._steps_over(items)

    def _steps_over(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self._step()
            yield item

    @pass_context
    def _printed(self, _context: Context, value: Any) -> Any:
        size = _weight(value)
        self._limit(size, "printing")
        self._make(size)
        return value

    def _make(self, size: int) -> None:
        self._made += size
        if self._made > MAX_MADE:
            raise SecurityError(f"writes more than {MAX_MADE} characters, including those into blocks and macros")

    @pass_context
    def _scanned(self, _context: Context, value: Any) -> Any:
        self._step(_weight(value))
        return value

    @pass_context
    def _joined(self, _context: Context, values: list[Any]) -> str:
        self._limit(_weight(values), "~")
        return "".join(map(str, values))

    def _step(self, size: int = 0) -> None:
        self._steps += 1 + size // _CHARACTERS_PER_STEP
        if self._steps > MAX_STEPS:
            raise SecurityError(f"takes more than {MAX_STEPS} iterations and calls")


class _Bounding(NodeTransformer):
    """Replaces operators that can create or search large values by filters with limits: ``~``, comparisons, ``in``,
    slices.
    """

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - jinja2's name
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "joined")

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr = _filtered(node.expr, "scanned")
        for operand in node.ops:
            operand.expr = _filtered(operand.expr, "scanned")
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):
            node.node = _filtered(node.node, "scanned")
        return node


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _constant(node: nodes.Expr) -> nodes.Expr:
    return nodes.Const(node.data, lineno=node.lineno) if isinstance(node, nodes.TemplateData) else node


def _weight(value: Any) -> int:
    """Estimate the number of characters that ``value`` prints. Counting stops soon after MAX_VALUE."""
    weight, pending = 0, [value]
    while pending and weight <= MAX_VALUE:
        each = pending.pop()
        if isinstance(each, str | bytes | range):
            weight += len(each)
        elif isinstance(each, dict):
            pending += [part for item in each.items() for part in item]
        elif isinstance(each, list | tuple):
            pending += each
        weight += _ITEM
    return weight


def _product(operator: str, left: Any, right: Any) -> int:
    """Estimate the size of ``left operator right``: characters, items, or bits of a number."""
    if isinstance(left, int) and isinstance(right, int):
        return left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
    if isinstance(right, int):
        left, right = right, left
    return left * len(right) if isinstance(left, int) and isinstance(right, str | bytes | list | tuple) else 0
