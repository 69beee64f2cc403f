"""Parses one recipe with BitBake's own parser and runs tasks of it: ``bitbake_run.py BUILD RECIPE TASK...``.

Prints JSON: ``{"status": int, "messages": [[level, text]], "hashes": {task: hash}, "depends": {task: text}}``.
This is a separate process, because BitBake changes the interpreter it runs in. The bb package is that of bitbake-setup,
which leaves out the programs and the two servers, so their modules are empty here; neither parser nor tasks use them.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import types
import warnings

warnings.simplefilter("ignore")
for _name in ("hashserv", "hashserv.client", "prserv", "prserv.serv"):
    sys.modules[_name] = types.ModuleType(_name)

import bb  # noqa: E402
import bb.build  # noqa: E402
import bb.cookerdata  # noqa: E402
import bb.event  # noqa: E402
import bb.fetch2  # noqa: E402
import bb.parse  # noqa: E402
import bb.siggen  # noqa: E402


class Messages(logging.Handler):
    """Keeps what BitBake would show on its console."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.seen: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append((record.levelname, record.getMessage()))


def main(appends: list[str], build: str, recipe: str, *tasks: str) -> None:
    os.chdir(build)
    messages = Messages()
    logger = logging.getLogger("BitBake")
    logger.addHandler(messages)
    logger.setLevel(logging.INFO)
    answer: dict[str, object] = {"status": 0, "messages": messages.seen}
    try:
        d = parsed(recipe, appends)
        answer["hashes"] = hashes(d, recipe)
        answer["depends"] = {task: d.getVarFlag(task, "depends") for task in all_tasks(d)}
        for task in tasks:
            answer["status"] = answer["status"] or bb.build.exec_task(recipe, task, d)
    except (bb.BBHandledException, bb.data_smart.ExpansionError) as error:
        messages.seen.append(("ERROR", str(error)))
        answer["status"] = 1
    print(json.dumps(answer))


def parsed(recipe: str, appends: list[str]):
    """The data of ``recipe`` after the configuration of the build directory, its layers and the recipe itself."""
    parameters = bb.cookerdata.CookerConfiguration()
    parameters.env = dict(os.environ)
    builder = bb.cookerdata.CookerDataBuilder(parameters, True)
    builder.parseBaseConfiguration(worker=True)
    bb.parse.siggen = bb.siggen.init(builder.data)
    return builder.parseRecipe(recipe, appends, "core")


def all_tasks(d) -> list[str]:
    return d.getVar("__BBTASKS", False) or []


def hashes(d, recipe: str) -> dict[str, str]:
    """The recipe's part of a task's hash: its variables and functions, and the files that it names."""
    tasks, dependencies, lookup = bb.data.generate_dependencies(d, set())
    _, base = bb.data.generate_dependency_hash(tasks, dependencies, lookup, set(), recipe)
    found = {}
    for task in tasks:
        files = bb.fetch2.get_file_checksums(d.getVarFlag(task, "file-checksums") or "", d.getVar("PN"), [])
        found[task] = " ".join([base[f"{recipe}:{task}"], *(checksum for _, checksum in files)])
    return found


_OPTION = "--append="
main(
    [word.removeprefix(_OPTION) for word in sys.argv[1:] if word.startswith(_OPTION)],
    *(word for word in sys.argv[1:] if not word.startswith(_OPTION)),
)
