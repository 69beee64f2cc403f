"""What each package may import: most do no I/O and read no clock; none starts a process or opens a socket."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import rootfs_trust

PACKAGE = Path(rootfs_trust.__file__).parent
REPOSITORY = PACKAGE.parent

PURE = (
    "x509",
    "layouts",
    "store",
    "thin_edge",
    "toml_editor",
    "rendering",
    "audit",
    "clients",
    *(
        f"image/{name}.py"
        for name in (
            "tar_rewriting",
            "layer_entries",
            "cpio",
            "cpio_writing",
            "docker",
            "json_documents",
            "merged_tree",
            "model",
            "oci",
            "streams",
        )
    ),
    *(
        f"image/filesystems/{path.name}"
        for path in sorted((PACKAGE / "image/filesystems").glob("*.py"))
        if path.stem not in ("open", "programs", "protected_images", "repacking", "write_ext")  # which touch the host
    ),
    "image/tar_stream.py",
    "image/image_tree.py",
    "rootfs/view.py",
    "rootfs/plan.py",
    "rootfs/resolve.py",
    "rootfs/rpm_databases.py",
    "rootfs/device_state.py",
    "rootfs/state_layers.py",
    "errors.py",
    "outcome.py",
)
DISK_AND_CLOCK = {"os", "time", "pathlib", "io", "shutil", "tempfile", "glob", "locale", "platform", "random", "sys"}
NEVER = {"subprocess", "socket", "multiprocessing", "ssl", "urllib", "http", "ctypes", "pickle"}
CLOCK = {"now", "utcnow", "today", "localtime", "gmtime", "monotonic"}
COSTLY = {"cryptography", "jinja2", "OpenSSL"}
EXCEPT = {
    "api/fetch.py": {"socket", "time"},  # `verify --fetch`, the one door to the network
    "fleet/executors.py": {"multiprocessing"},  # worker processes: nothing else is started
    "image/filesystems/programs.py": {"subprocess"},  # mksquashfs and the like: the one door to programs
    "image/rename_exchange.py": {"ctypes"},  # renameat2(2), for which Python has no call
    "audit/verify/openssl_engine.py": {"os"},  # a file in memory, from which OpenSSL reads trust settings
}


def sources(*packages: str) -> list[Path]:
    found = [
        path
        for package in packages
        for path in ([PACKAGE / package] if package.endswith(".py") else (PACKAGE / package).rglob("*"))
    ]
    return [path for path in found if path.suffix == ".py"]


def imported(path: Path, *, top_level: bool = False) -> set[str]:
    """The first parts of the names of all modules that a file imports, or only of those that it imports at once."""
    tree = ast.parse(path.read_text())
    names = set()
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.add(str(node.module).partition(".")[0])
    return names


def called(path: Path) -> set[str]:
    """Names of all that a file calls, without what is before the last dot."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return {
        call.attr if isinstance(call, ast.Attribute) else call.id
        for call in calls
        if not isinstance(call, ast.Call) and isinstance(call, ast.Attribute | ast.Name)
    }


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_the_packages_are_where_they_are_looked_for():
    assert {"x509/pem.py", "store/anchor_sources.py", "thin_edge/configure.py", "rootfs/plan.py"} <= set(
        map(name_of, sources(*PURE))
    )
    assert "os" in imported(PACKAGE / "rootfs/root_directory.py")
    assert "now" in called(PACKAGE / "api/clock.py")


def test_a_pure_module_touches_no_disk_clock_or_environment():
    forbidden = CLOCK | {"open", "input", "print", "eval", "exec", "__import__"}
    paths = sources(*PURE)
    wrong = {name_of(path): imported(path) & DISK_AND_CLOCK - EXCEPT.get(name_of(path), set()) for path in paths}
    assert {name: names for name, names in wrong.items() if names} == {}
    wrong = {name_of(path): called(path) & forbidden for path in paths}
    assert {name: names for name, names in wrong.items() if names} == {}


def test_nothing_starts_a_process_or_opens_a_socket():
    wrong = {name_of(path): imported(path) & NEVER - EXCEPT.get(name_of(path), set()) for path in sources(".")}
    assert {name: names for name, names in wrong.items() if names} == {}


def test_what_costs_time_is_imported_by_the_function_that_needs_it():
    at_once = {name_of(path): imported(path, top_level=True) & COSTLY for path in sources(".")}
    # The sandbox is a class of Jinja2's; rendering/render.py imports it in the function that needs it.
    assert {name: names for name, names in at_once.items() if names} == {"rendering/sandbox.py": {"jinja2"}}


def test_only_one_module_reads_the_clock():
    own = {"api/clock.py", "api/fetch.py"}  # the second one measures how long a server takes to answer
    wrong = {name_of(path): called(path) & CLOCK for path in sources(".") if name_of(path) not in own}
    assert {name: names for name, names in wrong.items() if names} == {}


def test_imports_run_one_way():
    run = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(REPOSITORY)},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout
