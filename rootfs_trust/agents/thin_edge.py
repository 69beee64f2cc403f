"""thin-edge.io's tedge.toml: rendered where there is none, edited in place where there is one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rootfs_trust.agents import toml_edit
from rootfs_trust.agents.checks import check_settings
from rootfs_trust.agents.finished import Finished
from rootfs_trust.agents.migration import EMPTIED, VERSION, lookup, pending_renames
from rootfs_trust.agents.settings import Setting, last_of_each
from rootfs_trust.agents.template import render
from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.rootfs.nodes import Absent, Directory, File, Owner, Symlink, View, read

FOLDER = "/etc/tedge"
FILE = f"{FOLDER}/tedge.toml"


@dataclass(slots=True)
class AgentAnswer:
    """What should stand in the rootfs for the agent; any trouble refuses the run, any conflict forbids it."""

    desired: dict[str, File | Directory] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    conflicts: list[Trouble] = field(default_factory=list)
    warnings: list[Trouble] = field(default_factory=list)


def thin_edge(
    view: View, settings: Iterable[Setting], store: Mapping[str, File | Symlink | Directory | Absent]
) -> AgentAnswer:
    """The settings file that holds ``settings``; ``store`` is what the same run writes into the rootfs."""
    answer = AgentAnswer()
    chosen = last_of_each(settings)
    if not chosen:
        return answer
    path = view.real_path(FILE) if view.kind(FILE, follow=False) is Symlink else FILE
    if path is None:
        answer.conflicts.append(
            Trouble(
                "conflict",
                FILE,
                "is a link whose end is not in the rootfs",
                "the file lives on a volume: set it there, or make it in the image",
            )
        )
        return answer
    text = _text(view, path)
    document = {} if text is None else toml_edit.parse(text, FILE)
    _check_version(document)
    _check_renames(document)
    chosen = _giving_way(chosen, document, answer)
    built_in = lookup(document, "mqtt.bridge.built_in") is True
    answer.troubles, warnings = check_settings(chosen, Finished(view, store), built_in_bridge=built_in)
    answer.troubles += _unheard(view, chosen)
    answer.warnings += warnings
    _write(view, path, text, document, chosen, answer)
    return answer


def _unheard(view: View, chosen: list[Setting]) -> Iterator[Trouble]:
    """Settings that thin-edge.io 2.x would not hear: a mapper's own file wins over tedge.toml (load_from_path)."""
    for table in dict.fromkeys(setting.table for setting in chosen):
        file = f"{FOLDER}/mappers/{table.replace('.profiles.', '.')}/mapper.toml"
        if view.kind(file) is not None:
            message = f"is where thin-edge.io 2.x reads the settings of {table}; those of tedge.toml would be ignored"
            yield Trouble("thin-edge-2", file, message, "set root_cert_path there; this version edits tedge.toml alone")


def _write(
    view: View, path: str, text: str | None, document: dict[str, Any], chosen: list[Setting], answer: AgentAnswer
) -> None:
    values = {setting.key: setting.path for setting in chosen}
    renames = pending_renames(document)
    if lookup(document, "config.version") in (None, "1"):
        values = {"config.version": VERSION, **values}
    if text is None:
        owner = _tedge_owner(view, answer)
        answer.desired[FOLDER] = Directory(owner)
        answer.desired[path] = File(render(values).encode(), owner)
    elif renames or any(lookup(document, key) != value for key, value in values.items()):
        answer.desired[path] = File(toml_edit.edited(text, FILE, renames, EMPTIED, values).encode())


def _text(view: View, path: str) -> str | None:
    data = read(view, path)
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError as error:
        raise InputError(Trouble("toml", FILE, "is not UTF-8 text", "TOML files are")) from error


def _check_version(document: dict[str, Any]) -> None:
    version = lookup(document, "config.version")
    if version is not None and not isinstance(version, str):
        raise InputError(
            Trouble(
                "toml",
                FILE,
                f"config.version is {version!r}, and thin-edge.io takes a text there",
                f'write version = "{VERSION}"',
            )
        )


def _check_renames(document: dict[str, Any]) -> None:
    """thin-edge.io stops at a file that has a setting under its old and its new name; so do we."""
    both = [
        Trouble("toml", FILE, f"{old} and {new} are the old and the new name of one setting", "keep one of them")
        for old, new in pending_renames(document).items()
        if lookup(document, new) is not None
    ]
    if both:
        raise InputError(*both)


def _giving_way(chosen: list[Setting], document: dict[str, Any], answer: AgentAnswer) -> list[Setting]:
    """Without the implied ``proxy.ca_path`` where it would make the proxy demand client certificates."""
    kept = []
    for setting in chosen:
        table = setting.key.removesuffix(".ca_path")
        serves_tls = all(lookup(document, f"{table}.{name}") is not None for name in ("cert_path", "key_path"))
        if table.endswith(".proxy") and not setting.explicit and serves_tls:
            answer.warnings.append(
                Trouble(
                    "proxy-ca-path",
                    FILE,
                    f"{setting.key} is left alone: {table}.cert_path and key_path are set, and "
                    "with a CA path the proxy would demand client certificates",
                    f"--set {setting.key}=PATH writes it all the same",
                )
            )
        else:
            kept.append(setting)
    return kept


def _tedge_owner(view: View, answer: AgentAnswer) -> Owner | None:
    """The numeric ids of the rootfs's own ``tedge`` user; None, and told, where it has none."""
    for line in (read(view, "/etc/passwd") or b"").decode("utf-8", "replace").splitlines():
        name, *fields = line.split(":")
        if name == "tedge" and len(fields) > 2 and _is_id(fields[1]) and _is_id(fields[2]):
            return Owner(int(fields[1]), int(fields[2]))
    answer.warnings.append(
        Trouble(
            "no-tedge-user",
            FILE,
            "the rootfs has no tedge user yet, so the file gets the owner of other new files",
            "chown it to tedge:tedge once the package has made the user",
        )
    )
    return None


def _is_id(text: str) -> bool:
    """Whether ``text`` is the number of a user or group; the highest one means none (chown(2))."""
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 2**32 - 1
