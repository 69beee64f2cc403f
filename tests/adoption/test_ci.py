"""The GitHub Action, the GitLab template and the pre-commit hooks: their steps are run from their files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.authority import Authority
from tests.support.command import PACKAGE, REPOSITORY, install, program_directory
from tests.support.debian_tree import DebianTree
from tests.support.peers import PLAIN_ENVIRONMENT, SYSTEM_PATH, peer

ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text())
GITLAB = yaml.safe_load((REPOSITORY / "recipes/gitlab/rootfs-trust.gitlab-ci.yml").read_text())[".rootfs-trust"]
HOOKS = {each["id"]: each for each in yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())}
CA = Authority("My CA")


@pytest.fixture
def place(tmp_path):
    """A checkout with a good tree, a bad one, a CA, and the command on PATH."""
    (tmp_path / "my-ca.pem").write_bytes(CA.pem)
    install(DebianTree(tmp_path / "good").root, "--cert", tmp_path / "my-ca.pem")
    DebianTree(tmp_path / "bad")
    program_directory(tmp_path / "bin")
    return tmp_path


def bash(script: str, place: Path, environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """Run a script as GitHub runs `shell: bash`; ``environment`` is all that it has."""
    command = [peer("bash"), "--noprofile", "--norc", *(options or ("-eo", "pipefail")), "-c", script]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=300, check=False)


class Runner:
    """Runs the steps of a composite action: expressions, outputs, `if` and the files of the runner."""

    def __init__(self, place: Path, **inputs: str) -> None:
        self.place = place
        defaults = {name: str(each.get("default", "")) for name, each in ACTION["inputs"].items()}
        self.context = {f"inputs.{name}": value for name, value in {**defaults, **inputs}.items()}
        self.files = {name: place / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
        for file in self.files.values():
            file.touch()

    def value(self, text: str) -> str:
        return re.sub(r"\$\{\{ *(.*?) *\}\}", lambda match: self.context[match[1]], text)

    def step(self, step: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        path = ":".join([*self.files["GITHUB_PATH"].read_text().split(), str(self.place / "bin"), SYSTEM_PATH])
        environment = {
            **PLAIN_ENVIRONMENT,
            "PATH": path,
            **{name: str(file) for name, file in self.files.items()},
            "GITHUB_ACTION_PATH": str(REPOSITORY),
            "RUNNER_TEMP": str(self.place / "temp"),
            **{name: self.value(value) for name, value in step.get("env", {}).items()},
            **{name: value for name, value in os.environ.items() if name.lower().startswith(("pip_", "ssl_", "http"))},
        }
        done = bash(step["run"], self.place, environment)
        for line in self.files["GITHUB_OUTPUT"].read_text().splitlines():
            name, _, value = line.partition("=")
            self.context[f"steps.{step.get('id')}.outputs.{name}"] = value
        return done

    def wanted(self, step: dict[str, Any]) -> bool:
        """Whether the step's `if`, an expression of GitHub, is true; Python reads ours once its words are replaced."""
        words = step.get("if", "true").replace("&&", "and").replace("true", "True", 1 if "if" not in step else 0)
        for name, value in self.context.items():
            words = words.replace(name, value if value.isdigit() else repr(value))
        return bool(eval(words))

    def run(self, *skipped: str) -> subprocess.CompletedProcess[str]:
        """Run all steps but those that are ``skipped``; the last one's result."""
        for step in ACTION["runs"]["steps"]:
            if step["name"] not in skipped and self.wanted(step):
                done = self.step(step)
                assert done.returncode == 0 or step["name"] == "Verdict", done.stderr
        return done


@pytest.mark.parametrize(("tree", "status"), [("good", 0), ("bad", 1)])
def test_the_action_writes_sarif_and_a_summary_and_ends_with_the_verdict(place, tree, status):
    runner = Runner(place, root=tree)
    assert runner.run("Install rootfs-trust").returncode == status
    log = json.loads((place / "rootfs-trust.sarif").read_text())
    assert bool(log["runs"][0]["results"]) == bool(status)
    assert runner.files["GITHUB_STEP_SUMMARY"].read_text().startswith(f"## What {tree} trusts")
    assert runner.context["steps.check.outputs.sarif"] == "rootfs-trust.sarif"


def test_the_action_takes_a_config_a_level_and_ids_to_ignore(place):
    (place / "rootfs-trust.toml").write_text("[policy]\nmin_rsa_bits = 2048\n")
    options = {"config": "rootfs-trust.toml", "fail-on": "error", "ignore": "no-store root-removed"}
    assert Runner(place, root="good", **options).run("Install rootfs-trust").returncode == 0
    assert Runner(place, root="bad", ignore="no-store").run("Install rootfs-trust").returncode == 0


def test_the_action_ends_with_2_for_a_tree_that_does_not_exist(place):
    runner = Runner(place, root="gone; exit 0")
    assert runner.run("Install rootfs-trust").returncode == 2
    assert runner.files["GITHUB_STEP_SUMMARY"].read_text() == ""


@pytest.mark.slow
def test_the_action_installs_the_tool_from_its_checkout(place):
    (place / "bin/rootfs-trust").unlink()
    assert Runner(place, root="good").run().returncode == 0


@pytest.mark.parametrize(("tree", "status"), [("good", 0), ("bad", 1), ("gone", 2)])
def test_the_gitlab_job_keeps_the_verdict_and_leaves_its_artifacts(place, tree, status):
    variables = {**GITLAB["variables"], "ROOTFS_TRUST_ROOT": tree}
    environment = {**PLAIN_ENVIRONMENT, "PATH": f"{place}/bin:{SYSTEM_PATH}", **variables}
    done = bash("\n".join(GITLAB["script"]), place, environment)
    assert done.returncode == status, done.stderr
    for name in GITLAB["artifacts"]["paths"]:
        assert (place / name).exists() == (status < 2)


def hook(place: Path, name: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *HOOKS[name]["entry"].replace("-", "_", 1).split(), *words]
    environment = {**PLAIN_ENVIRONMENT, "PYTHONPATH": PACKAGE}
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_hook_refuses_a_private_key_among_certificates(place):
    (place / "server.pem").write_bytes(CA.server("x.example").pem)
    (place / "both.pem").write_bytes(CA.pem + CA.key_pem)
    (place / "request.pem").write_text("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n")
    done = hook(place, "rootfs-trust-certificates", "my-ca.pem", "server.pem", "request.pem")
    assert (done.returncode, done.stdout) == (0, "3 inputs can be installed.\n")
    assert "request.pem: the file is a certificate request" in done.stderr
    done = hook(place, "rootfs-trust-certificates", "my-ca.pem", "both.pem")
    assert (done.returncode, done.stdout) == (2, "")
    assert "both.pem: the file contains a private key" in done.stderr
    assert re.search(HOOKS["rootfs-trust-certificates"]["files"], "certs/both.pem")


def test_a_hook_checks_a_configuration_and_what_it_names(place):
    config = place / "rootfs-trust.toml"
    config.write_text('[[anchor]]\nfile = "my-ca.pem"\n')
    assert hook(place, "rootfs-trust-config", "rootfs-trust.toml").returncode == 0
    config.write_text('[[anchor]]\nfile = "my-ca.pem"\nsha256 = "' + "0" * 64 + '"\n')
    done = hook(place, "rootfs-trust-config", "rootfs-trust.toml")
    assert done.returncode == 2
    assert "not the pinned" in done.stderr
    assert re.search(HOOKS["rootfs-trust-config"]["files"], "image/rootfs-trust.toml")


@pytest.mark.parametrize(("tree", "status"), [("good", 0), ("bad", 1)])
def test_a_hook_checks_a_tree(place, tree, status):
    assert hook(place, "rootfs-trust-tree", "--root", tree).returncode == status


def test_check_wants_a_tree_or_files(place):
    for words in ([], ["--root", "good", "my-ca.pem"]):
        done = hook(place, "rootfs-trust-tree", *words)
        assert done.returncode == 2
        assert "pass --root DIR, or the FILEs" in done.stderr


@pytest.mark.slow
def test_pre_commit_and_the_published_schemas_accept_the_files(place):
    """pre-commit reads the hooks; check-jsonschema has the schemas of GitHub and GitLab."""
    run = [sys.executable, "-m", "venv", str(place / "venv")]
    subprocess.run(run, check=True, timeout=120)
    tool = place / "venv/bin"
    subprocess.run([tool / "pip", "install", "-q", "pre-commit", "check-jsonschema"], check=True, timeout=300)
    checks = (
        ("pre-commit", "validate-manifest", REPOSITORY / ".pre-commit-hooks.yaml"),
        ("check-jsonschema", "--builtin-schema", "vendor.github-actions", REPOSITORY / "action.yml"),
        (
            *("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
            REPOSITORY / "recipes/gitlab/rootfs-trust.gitlab-ci.yml",
        ),
    )
    for program, *words in checks:
        done = subprocess.run([tool / program, *words], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
