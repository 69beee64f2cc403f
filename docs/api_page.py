"""docs/api.md: the functions and types of the package, with their docstrings."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable

import rootfs_trust

NONE = inspect.Parameter.empty
"""Where there is no default."""

API_INTRODUCTION = """\
# Python API

Every command is also a function. Import all names from the package `rootfs_trust`; its other modules may change without
notice. This page is generated from the docstrings by `docs/generate.py`.

```python
from rootfs_trust import InstallOptions, install

outcome = install("./rootfs", InstallOptions(certs=["my-ca.pem"], clouds=["c8y"]))
print(outcome.changed, [anchor.name for anchor in outcome.anchors])
```

The functions read no configuration file unless you name it. If you pass `at`, they do not read the clock.

A build script often has the certificate in memory. You can pass certificates as bytes, and the configuration as an object:

```python
from datetime import UTC, datetime

from rootfs_trust import CheckOptions, ConflictError, InputError, InstallOptions, check, install, parse_config

now = datetime(2026, 11, 27, tzinfo=UTC)
config = parse_config({"anchor": [{"file": "my-ca.pem", "name": "edge"}], "policy": {"require_ca": True}})
try:
    install("./rootfs", InstallOptions(certs=[open("proxy-ca.pem", "rb").read()], config=config, at=now, timestamp=0))
except (InputError, ConflictError) as error:
    for problem in error.problems:
        print(problem.id, problem.path, problem.message, problem.hint)
    raise SystemExit(error.exit_status)
errors = [finding for finding in check("./rootfs", CheckOptions(config=config, at=now)) if finding.level == "error"]
```

`InputError`, `ConflictError` and `ApplyError` have the `exit_status` 2, 3 and 4. Their `problems` are all the problems of
the run, each with `id`, `path`, `message` and `hint`. Host paths, options and formats are those of the
[commands](commands.md).
"""


def api_page() -> str:
    """docs/api.md."""
    named = {name: getattr(rootfs_trust, name) for name in rootfs_trust.__all__}
    functions = {name: each for name, each in named.items() if inspect.isfunction(each)}
    classes = {name: each for name, each in named.items() if inspect.isclass(each)}
    return "\n".join(
        [
            API_INTRODUCTION,
            "## Functions\n",
            *(
                _documented(name, f"{name}({_parameters(each)}) -> {_result(each)}", each)
                for name, each in functions.items()
            ),
            "## Types\n",
            *(_documented(name, _class(name, each), each) for name, each in classes.items()),
        ]
    )


def _documented(name: str, code: str, thing: object) -> str:
    text = re.sub(r":\w+:`(?:~[\w.]*\.)?([\w.]+)`", r"`\1`", inspect.getdoc(thing) or "").replace("``", "`")
    return f"### {name}\n\n```text\n{code}\n```\n\n{text}\n"


def _parameters(function: Callable[..., object]) -> str:
    words = []
    for each in inspect.signature(function).parameters.values():
        if each.kind is each.KEYWORD_ONLY and "*" not in words:
            words.append("*")
        words.append(f"{each.name}: {each.annotation}{_default(each.default, each.empty)}")
    return ", ".join(words)


def _result(function: Callable[..., object]) -> str:
    return str(inspect.signature(function).return_annotation)


def _class(name: str, kind: type) -> str:
    """Its fields, or what it is made with; and its public methods and properties."""
    fields = _fields(kind)
    made = "" if fields else f"({_parameters(kind)})"
    own = {each: value for each, value in vars(kind).items() if not each.startswith("_")}
    also = [f"{each}: {_result(value.fget)}" for each, value in own.items() if isinstance(value, property)]
    also += [f"def {each}(self) -> {_result(value)}" for each, value in own.items() if inspect.isfunction(value)]
    return "\n".join([f"class {name}{made}:", *(f"    {line}" for line in [*fields, *also])])


def _fields(kind: type) -> list[str]:
    """The fields of a data class or named tuple with their defaults; none for another class."""
    if dataclasses.is_dataclass(kind):
        return [f"{each.name}: {each.type}{_default_of_field(each)}" for each in dataclasses.fields(kind)]
    if not issubclass(kind, tuple):
        return []
    defaults = {each: _default(value, NONE) for each, value in kind._field_defaults.items()}
    if "mode" in defaults:
        defaults["mode"] = f" = {kind._field_defaults['mode']:#o}"  # as people write it
    return [f"{each}: {_annotation(kind, each)}{defaults.get(each, '')}" for each in kind._fields]


def _default_of_field(field: dataclasses.Field[object]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return f" = {field.default_factory.__name__}()"
    return _default(field.default, dataclasses.MISSING)


def _default(value: object, none: object) -> str:
    """The default as code; nothing if ``value`` is ``none``. A record shows only its type: all its fields have defaults."""
    if value is none:
        return ""
    is_record = dataclasses.is_dataclass(value) or hasattr(value, "_fields")
    return f" = {type(value).__name__}()" if is_record else f" = {value!r}"


def _annotation(kind: type, name: str) -> str:
    found = inspect.get_annotations(kind)[name]
    return getattr(found, "__forward_arg__", found)
