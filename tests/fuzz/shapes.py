"""Valid documents, changed at random places: what a fuzzer's bytes seldom are by themselves.

Plain bytes end at the first error of the syntax. A change keeps the syntax and breaks what a field may hold.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import atheris

ODD = (None, True, -1, 0, 2**63, 1.5, "", "a", "/", "..", "sha256:", "a=b", [], {}, [[]], [{}], {"a": []})


def changed(data: atheris.FuzzedDataProvider, document: Any) -> Any:
    """A copy of ``document`` with up to eight changes."""
    document = copy.deepcopy(document)
    for _ in range(data.ConsumeIntInRange(0, 8)):
        places = list(_places(document))
        if places:
            _change(data, *places[data.ConsumeIntInRange(0, len(places) - 1)])
    return document


def _places(document: Any) -> Any:
    """Every (container, key) in it."""
    inside = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in list(inside):
        yield document, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _change(data: atheris.FuzzedDataProvider, container: Any, key: Any) -> None:
    what = data.ConsumeIntInRange(0, 4)
    if what == 0:
        del container[key]
    elif what == 1:
        container[key] = copy.deepcopy(ODD[data.ConsumeIntInRange(0, len(ODD) - 1)])
    elif what == 2:
        container[key] = data.ConsumeUnicodeNoSurrogates(data.ConsumeIntInRange(0, 80))
    elif what == 3:
        container[key] = [copy.deepcopy(container[key])] * data.ConsumeIntInRange(0, 3)
    elif isinstance(container, dict):
        container[data.ConsumeUnicodeNoSurrogates(12)] = container.pop(key)


def toml(document: dict[str, Any]) -> str:
    """The document as TOML: a header for each table and each array of tables at the top, the rest inline."""
    texts = [f"{_key(key)} = {_value(value)}" for key, value in document.items() if not _headed(value)]
    for key, value in document.items():
        if _headed(value):
            tables = value if isinstance(value, list) else [value]
            header = f"[[{_key(key)}]]" if isinstance(value, list) else f"[{_key(key)}]"
            for table in tables:
                texts += [header, *(f"{_key(inner)} = {_value(each)}" for inner, each in table.items())]
    return "\n".join(texts)


def _headed(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and value != [] and all(isinstance(e, dict) for e in value)
    )


def _key(key: str) -> str:
    return key if key.isascii() and key.isalnum() else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return '"none"' if value is None else json.dumps(value)
