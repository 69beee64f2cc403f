"""Renders any agent's settings from a Jinja2 template: a user's own, or one from ``templates/agents``.

A template can use ``trust.bundle`` and ``trust.directory`` (paths on the device; the directory is empty if the layout
has no hash links), ``anchors`` (each with name, subject, sha256, pem), ``clouds`` (the kinds), ``runtimes``
(environment variables of runtimes that ignore the system's store, and their values) and ``values`` (its own table in
the config).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rootfs_trust.errors import CONFLICT, TEMPLATE, InputError, Problem
from rootfs_trust.rootfs.view import File, Symlink, View


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """A ``[[render]]`` table: the template's text and name, the path of the result on the device, and its mode."""

    name: str
    text: str
    dest: str
    mode: int = 0o644
    values: Mapping[str, object] = field(default_factory=dict)
    replace: bool = False
    """Overwrite an existing file that differs."""


@dataclass(frozen=True, slots=True)
class TemplateTrust:
    """The variables of a template about the trust store. ``anchors`` are the anchors of this run."""

    bundle: str
    directory: str
    anchors: tuple[Mapping[str, str], ...]
    clouds: tuple[str, ...] = ()
    java: str = ""
    """The Java keystore; empty if there is none."""

    @property
    def runtimes(self) -> dict[str, str]:
        """Environment variables for pip, requests, curl's libraries, Node and Java, which have separate stores."""
        variables = dict.fromkeys(
            ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS"), self.bundle
        )
        return variables | ({"JAVA_TOOL_OPTIONS": f"-Djavax.net.ssl.trustStore={self.java}"} if self.java else {})


def rendered(
    view: View, requests: Iterable[RenderRequest], trust: TemplateTrust
) -> tuple[dict[str, File], list[Problem]]:
    """Return the files of ``requests``, and a conflict for each path that another file has.

    Raises InputError for a template that is malformed or uses names that do not exist.
    """
    files: dict[str, File] = {}
    conflicts: list[Problem] = []
    for request in requests:
        file = File(_result(request, trust), mode=request.mode)
        existing = view.node(request.dest)
        same = isinstance(existing, File) and existing.content == file.content
        if isinstance(existing, File | Symlink) and not same and not request.replace:
            what = "another file" if isinstance(existing, File) else "a link"
            hint = "replace = true in its [[render]] overwrites it"
            conflicts.append(CONFLICT(request.dest, f"is {what}, which {request.name} would overwrite", hint))
        files[request.dest] = file
    return files, conflicts


def _result(request: RenderRequest, trust: TemplateTrust) -> bytes:
    from jinja2 import TemplateError

    from rootfs_trust.rendering.sandbox import BoundedSandbox

    sandbox = BoundedSandbox({"base64": lambda text: base64.b64encode(text.encode()).decode()})
    names = {"trust": trust, "anchors": trust.anchors, "clouds": trust.clouds, "runtimes": trust.runtimes}
    try:
        return sandbox.rendered(request.text, {**names, "values": request.values})
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise _template_error(request, error, f"cannot be rendered: {getattr(error, 'message', error)}") from error
    except RecursionError as error:
        raise _template_error(request, error, "cannot be rendered: it is nested too deeply") from error
    except MemoryError as error:
        raise _template_error(request, error, "cannot be rendered: not enough memory") from error


def _template_error(request: RenderRequest, error: Exception, message: str) -> InputError:
    line = getattr(error, "lineno", None)
    where = f"{request.name}:{line}" if line else request.name
    return InputError(TEMPLATE(where, message, "docs/templates.md lists what a template may use"))
