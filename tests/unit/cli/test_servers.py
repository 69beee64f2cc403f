"""[[server]]: what the image must trust, until when, and what no client may trust."""

from __future__ import annotations

import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from rootfs_trust.audit.verify import openssl_engine
from rootfs_trust.errors import InputError, Problem
from tests.support.authority import DAY, NOW, Authority
from tests.support.servers import https_server
from tests.unit.cli.test_sarif import SCHEMA, VALIDATOR

pytestmark = pytest.mark.usefixtures("openssl_engine")

ALWAYS = {"openssl-directory", "openssl-bundle", "gnutls", "go", "rustls-native"}
END = NOW + 200 * DAY


@pytest.fixture
def cloud(install, tmp_path) -> Authority:
    """A CA that the Debian tree trusts."""
    authority = Authority("Cloud CA")
    (tmp_path / "cloud.pem").write_bytes(authority.pem)
    install("--cert", tmp_path / "cloud.pem")
    return authority


@pytest.fixture
def config(tmp_path, cloud):
    """Writes a rootfs-trust.toml with one server, whose certificate a CA signs, and ``more`` keys."""

    def write(*more: str, signer: Authority = cloud, host: str = "mqtt.example.com"):
        (tmp_path / "chain.pem").write_bytes(signer.server("mqtt.example.com", not_after=END).pem)
        path = tmp_path / "rootfs-trust.toml"
        lines = ("[[server]]", 'name = "production"', 'chain = "chain.pem"', f'hostname = "{host}"', *more)
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture
def check(command, debian):
    """The findings about servers, as id and message."""

    def run(path, *words):
        result = command("check", "--root", debian.path, "--config", path, "--format", "json", *words)
        found = [(each["id"], each["message"]) for each in result.document["findings"] if each["id"][:7] == "server-"]
        assert bool(found) <= (result.status == 1)
        return found

    return run


def test_a_trusted_server_is_not_a_finding(check, config):
    assert check(config()) == []


def test_each_client_that_refuses_is_a_finding(check, config):
    found = check(config(signer=Authority("Unknown CA")))
    assert {(id_, message.split()[0]) for id_, message in found} >= {("server-refused", each) for each in ALWAYS}


def test_another_host_name_is_refused(check, config):
    assert {id_ for id_, _ in check(config(host="other.example.com"))} == {"server-refused"}


def test_only_the_named_clients_count(check, config):
    (found,) = check(config('clients = ["go"]', signer=Authority("Unknown CA")))
    assert found[1].startswith("go refuses the server production: ")


def test_a_client_that_is_not_in_the_tree_cannot_trust(check, config):
    ((id_, message),) = check(config('clients = ["java", "go"]'))
    assert id_ == "server-refused" and "java, which is not in the root filesystem" in message


def test_trust_that_ends_too_early_gives_the_day_and_the_reason(check, config):
    found = check(config(f"until = {(END + DAY).date()}"))
    assert {id_ for id_, _ in found} == {"server-ends"}
    assert all(f"only until {END.date()}: CN=mqtt.example.com has expired" in message for _, message in found)


@pytest.mark.parametrize(("days", "ids"), [(0, set()), (1, {"server-ends"})])
def test_until_is_the_begin_of_that_day(check, config, days, ids):
    assert {id_ for id_, _ in check(config(f"until = {(END + days * DAY).date()}"))} == ids


def test_a_server_that_must_be_refused(check, config):
    assert {id_ for id_, _ in check(config("refused = true"))} == {"server-trusted"}
    assert check(config("refused = true", signer=Authority("Unknown CA"))) == []


def test_without_pyopenssl_there_is_one_finding(check, config, monkeypatch):
    def missing() -> None:
        raise InputError(Problem("verify", "", "verify needs pyOpenSSL, which is not installed"))

    monkeypatch.setattr(openssl_engine, "require", missing)
    assert [id_ for id_, _ in check(config())] == ["server-unjudged"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('chain = "gone.pem"', "server[1].chain"),
        ('chain = "rootfs-trust.toml"', "no certificate was found"),
        ('chain = "chain.pem"\nuntil = 2020-01-01', "before"),
        ('chain = "chain.pem"\nuntil = "2031-01-01"', "without quotes"),
        ('chain = "chain.pem"\nclients = ["jave"]', "has an unknown client jave"),
        ('chain = "chain.pem"\nhostname = "https://x"', "is not a host name"),
        ('chain = "chain.pem"\nrefused = true\nuntil = 2090-01-01', "exclude each other"),
        ('chain = "chain.pem"\nport = 8883', "unknown key"),
    ],
)
def test_a_mistake_is_one_error_with_its_key_and_line(command, debian, config, line, said):
    path = config("[[server]]", 'name = "second"', line)
    result = command("check", "--root", debian.path, "--config", path, "--format", "json")
    assert result.status == 2
    (error,) = result.document["errors"]
    assert "server[1]" in error["message"]
    assert said in error["message"]
    assert error["path"].rpartition(":")[2] in ("7", "8", "9")


def test_a_name_is_given_once(command, debian, config):
    path = config("[[server]]", 'name = "production"', 'chain = "chain.pem"')
    (error,) = command("check", "--root", debian.path, "--config", path, "--format", "json").document["errors"]
    assert "is also the name of server[0]" in error["message"]


def test_verify_without_a_chain_judges_every_server(command, debian, config):
    path = config("[[server]]", 'name = "forbidden"', 'chain = "chain.pem"', "refused = true")
    result = command("verify", "--root", debian.path, "--config", path, "--format", "json")
    assert result.status == 1
    servers = {each["name"]: each for each in result.document["servers"]}
    assert servers["production"]["holds"] and not servers["forbidden"]["holds"]
    assert servers["production"]["trusted_until"] == END.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert servers["production"]["refused_by"] == []
    clients = {(each["server"], each["client"]) for each in result.document["verdicts"]}
    assert clients >= {(name, client) for name in servers for client in ALWAYS}


def test_verify_prints_a_line_for_each_client(command, debian, config):
    result = command("verify", "--root", debian.path, "--config", config())
    lines = result.out.splitlines()
    assert result.status == 0
    assert lines[0] == "production (must be trusted):"
    assert lines[-1] == "1 servers are as expected."
    assert {line.split()[0] for line in lines[1:-1]} >= ALWAYS


def test_verify_without_servers_and_chain_is_wrong_use(command, debian, tmp_path):
    (tmp_path / "empty.toml").write_text("")
    words = ("verify", "--root", debian.path, "--format", "json")
    assert command(*words).errors == [("usage", "")]
    assert command(*words, "--config", tmp_path / "empty.toml").errors == [("usage", str(tmp_path / "empty.toml"))]


def test_init_saves_the_chain_of_a_server_and_check_judges_it(command, debian, cloud, tmp_path, monkeypatch):
    with https_server(cloud.server("localhost"), tmp_path) as port:
        words = ("init", "--root", debian.path, "--no-input", "--fetch", f"localhost:{port}")
        assert command(*words).status == 0
    saved = tmp_path / "cwd/chains/localhost.pem"
    assert saved.read_bytes().count(b"BEGIN CERTIFICATE") == 1
    result = command("verify", "--root", debian.path, "--format", "json")
    assert (result.status, result.document["servers"][0]["hostname"]) == (0, "localhost")


@pytest.fixture
def clock(debian):
    """The image's clock is behind the server's certificate."""
    debian.write("etc/fake-hwclock.data", f"{NOW - 100 * DAY:%Y-%m-%d %H:%M:%S}\n".encode())


FIRST_DAY = f"{(NOW - 100 * DAY).date()}"


@pytest.mark.parametrize(
    ("conf", "level", "source"),
    [
        ("pool ntp.example iburst", "note", "chrony sets the clock without TLS (/etc/chrony/chrony.conf)"),
        ("server nts.example nts", "warning", "chrony needs TLS to set the clock (/etc/chrony/chrony.conf)"),
        ("", "note", "no program that sets the clock was found"),
    ],
)
def test_a_device_that_cannot_connect_before_it_has_the_time(command, debian, config, clock, conf, level, source):
    if conf:
        debian.write("etc/chrony/chrony.conf", f"{conf}\n".encode())
    words = ("--root", debian.path, "--config", config(), "--select", "server-needs-time", "--format", "json")
    (finding,) = command("check", *words).document["findings"]
    assert (finding["level"], finding["path"]) == (level, "/etc/fake-hwclock.data")
    assert "openssl-directory, " in finding["message"] and f"clock of the first boot, {FIRST_DAY}" in finding["message"]
    assert finding["message"].endswith(source)


def test_a_server_that_is_older_than_the_clock_can_be_reached_at_once(check, config, debian):
    debian.write("etc/fake-hwclock.data", f"{NOW:%Y-%m-%d %H:%M:%S}\n".encode())
    assert check(config()) == []


def test_verify_judges_at_the_clock_of_the_first_boot(command, debian, config, clock, tmp_path):
    config()
    words = ("verify", "--root", debian.path, "--chain", tmp_path / "chain.pem", "--format", "json")
    assert all(each["trusted"] for each in command(*words).document["verdicts"])
    document = command(*words, "--at", "first-boot").document
    assert document["at"].startswith(FIRST_DAY)
    assert not any(each["trusted"] for each in document["verdicts"])
    servers = command("verify", "--root", debian.path, "--config", config(), "--at", "first-boot")
    assert servers.status == 1


def test_verify_needs_an_image_that_shows_its_first_clock(command, debian, config, tmp_path):
    config()
    result = command("verify", "--root", debian.path, "--chain", tmp_path / "chain.pem", "--at", "first-boot")
    assert result.status == 2 and "does not show with which clock it starts" in result.err


def test_findings_name_the_server_and_the_client_in_json_and_sarif(command, debian, config):
    path = config('clients = ["java", "go"]', signer=Authority("Unknown CA"))
    words = ("check", "--root", debian.path, "--config", path, "--select", "server-refused", "--format")
    found = command(*words, "json").document["findings"]
    assert {(each["server"], each["client"]) for each in found} == {("production", "java"), ("production", "go")}
    (run,) = command(*words, "sarif").document["runs"]
    results = {each["properties"]["client"]: each for each in run["results"]}
    table = {"artifactLocation": {"uri": f"{path}"}, "region": {"startLine": 3}}
    assert results["go"]["relatedLocations"][0]["physicalLocation"] == table
    assert results["java"]["locations"] == [{"physicalLocation": table}], "it is the table that names it"
    assert results["go"]["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "etc/ssl/certs/ca-certificates.crt",
        "uriBaseId": "ROOTFS",
    }
    VALIDATOR.validate({"$schema": SCHEMA["id"], "version": "2.1.0", "runs": [run]})


def test_a_bill_of_materials_has_the_servers_as_services(command, debian, config):
    words = ("sbom", "--root", debian.path)
    without = command(*words).document
    path = config(f"until = {(END - DAY).date()}", 'clients = ["go"]')
    document = command(*words, "--config", path).document
    assert "services" not in without and without["serialNumber"] != document["serialNumber"]
    (service,) = document["services"]
    assert (service["name"], service["endpoints"]) == ("production", ["mqtt.example.com"])
    properties = {each["name"]: each["value"] for each in service["properties"]}
    assert properties["rootfs-trust:expected"] == "trusted" and properties["rootfs-trust:client"] == "go"
    assert properties["rootfs-trust:until"] == f"{(END - DAY).date()}"
    assert not list(JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document), all_errors=True) or ())


@pytest.mark.parametrize(
    ("line", "key", "number"),
    [
        ('chain = "gone.pem"', "server[1].chain", 7),
        ('chain = "key.pem"', "server[1].chain", 7),
        ('chain = "rootfs-trust.toml"', "server[1].chain", 7),
        ('chain = "chain.pem"\nuntil = 2020-01-01', "server[1].until", 8),
        ('chain = "chain.pem"\nclients = ["jave"]', "server[1].clients", 8),
        ('chain = "chain.pem"\nclients = "go"', "server[1].clients", 8),
        ("chain = 1", "server[1].chain", 7),
        ('name2 = "x"', "server[1].name2", 7),
    ],
)
@pytest.mark.parametrize("name", ["check", "verify", "report", "advise", "fleet"])
def test_each_command_refuses_a_mistake_once_with_its_key_and_line(
    command, debian, config, tmp_path, name, line, key, number
):
    (tmp_path / "key.pem").write_bytes(Authority("Own").key_pem)
    path = config("[[server]]", 'name = "second"', line)
    (tmp_path / "fleet.toml").write_text(f'[[target]]\nroot = "{debian.path}"\nconfig = "{path}"\n' * 3)
    words = {
        "fleet": ("fleet", tmp_path / "fleet.toml", "--check", "--format", "json"),
        "report": ("report", "--root", debian.path, "--config", path, "-o", "-"),
        "advise": ("advise", "--root", debian.path, "--config", path, "--until", "2090-01-01", "--format", "json"),
    }.get(name, (name, "--root", debian.path, "--config", path, "--format", "json"))
    result = command(*words)
    assert result.status == 2
    if name == "report":
        assert result.err.count("rootfs-trust: error: ") >= 1 and f"{path}:" in result.err and key in result.err
        return
    errors = [each for each in result.document["errors"] if key in each["message"]]
    assert len(errors) == 1 and errors[0]["hint"]
    assert int(errors[0]["path"].rpartition(":")[2]) == number
