"""advise: the smallest set of anchors with which every [[server]] still connects, what each is for, and the proof."""

from __future__ import annotations

import tarfile
import tomllib
from itertools import combinations

import pytest

from rootfs_trust import advise
from tests.support import services
from tests.support.authority import DAY, NOW, Authority
from tests.support.root_data import cloud_root, concerned, incident, root, table, write
from tests.support.services import LATER, UNTIL, Service

pytestmark = pytest.mark.usefixtures("openssl_engine")

ALWAYS = ["openssl-directory", "openssl-bundle", "gnutls", "go", "rustls-native"]
DAY_OF_END = f"{UNTIL.date()}"


@pytest.fixture
def configured(tmp_path):
    """Writes a config with these servers, and anchors by name."""

    def write_config(servers, anchors, *more: str):
        (tmp_path / "roots").mkdir(exist_ok=True)
        for name, authority in anchors.items():
            (tmp_path / f"roots/{name}.pem").write_bytes(authority.pem)
        tables = [f'[[anchor]]\nfile = "roots/{name}.pem"\n' for name in anchors]
        return services.config(tmp_path, servers, *more, *tables)

    return write_config


@pytest.fixture
def trusting(debian, install, tmp_path):
    """Installs authorities into the Debian tree under their names."""

    def add(**authorities: Authority) -> None:
        (tmp_path / "trusted").mkdir()
        for name, authority in authorities.items():
            (tmp_path / f"trusted/{name}.pem").write_bytes(authority.pem)
        assert install("--cert", tmp_path / "trusted").status == 0

    return add


@pytest.fixture
def advised(command, debian):
    """``advise`` for the Debian tree, in JSON."""

    def run(config, *words, until=DAY_OF_END):
        return command(
            "advise", "--root", debian.path, "--config", config, "--until", until, "--format", "json", *words
        )

    return run


def names(result) -> list[str]:
    return sorted(each["name"] for each in result.document["anchors"])


def service(under: Authority, name: str = "mqtt.example.com", *also: Authority, end=LATER) -> Service:
    issuing = Authority(f"Issuing of {name}", issuer=under, not_after=end)
    return Service(name, (issuing.server(name, not_after=end), issuing, *also))


@pytest.mark.parametrize("seed", [1, 36])
def test_no_smaller_set_connects_and_no_anchor_can_be_left_out(configured, seed):
    """30 services under 8 roots: the verifier of the cryptography library judges all 256 sets."""
    under = services.roots()
    found = services.services(under, seed=seed)
    moments = services.moments(under)

    def connects(each, chosen) -> bool:
        return all(each.connects(chosen, at) for at in moments)

    smallest = next(
        size
        for size in range(len(under) + 1)
        if any(all(connects(each, some) for each in found) for some in combinations(under, size))
    )
    result = advise(configured(found, {f"root-{n}": each for n, each in enumerate(under)}), UNTIL.date(), at=NOW)
    assert result.holds and 1 < smallest < len(under)
    by_digest = {each.sha256: each for each in under}
    chosen = [by_digest[each.candidate.certificate.sha256] for each in result.advice.anchors]
    assert len(chosen) == smallest
    by_name = {each.name: each for each in found}
    for advised, anchor in zip(result.advice.anchors, chosen, strict=True):
        rest = [each for each in chosen if each is not anchor]
        assert advised.needs
        for need in advised.needs:
            assert list(need.clients) == ALWAYS
            assert not connects(by_name[need.server], rest)


def test_what_the_tree_trusts_is_a_candidate_and_the_config_is_written_and_proven(
    advised, trusting, configured, command, debian, tmp_path
):
    one, two, idle = Authority("Cloud CA"), Authority("Update CA"), Authority("Idle CA")
    trusting(cloud=one, updates=two, idle=idle)
    config = configured([service(one), service(two, "updates.example.com")], {}, "# our servers", "[policy]")
    result = advised(config, "-o", tmp_path / "least.toml")
    assert result.status == 0 and result.document["holds"]
    assert names(result) == ["cloud", "updates"]
    needed = {each["name"]: each["needed_for"] for each in result.document["anchors"]}
    (need,) = needed["updates"]
    assert need["server"] == "updates.example.com" and set(need["clients"]) > set(ALWAYS)
    text = (tmp_path / "least.toml").read_text()
    written = tomllib.loads(text)
    assert "# our servers" in text and "needed for updates.example.com" in text
    assert written["store"] == {"base": "none"} and len(written["server"]) == 2
    assert {(each["file"], each["sha256"]) for each in written["anchor"]} == {
        ("anchors/cloud.pem", one.sha256),
        ("anchors/updates.pem", two.sha256),
    }
    words = ("--root", debian.path, "--config", tmp_path / "least.toml", "--format", "json")
    assert command("install", *words).status == 0
    assert command("verify", *words).status == command("verify", *words, "--at", DAY_OF_END).status == 0
    assert {each["name"] for each in command("list", *words[:2], *words[-2:]).document["anchors"]} == {
        "cloud",
        "updates",
    }
    for kept in ("cloud", "updates"):
        other = written | {"anchor": [each for each in written["anchor"] if each["name"] != kept]}
        (tmp_path / "without.toml").write_text(_as_toml(other))
        command("install", "--root", debian.path, "--config", tmp_path / "without.toml")
        assert command("verify", *words).status == 1


def _as_toml(document) -> str:
    anchors = "".join(f'[[anchor]]\nfile = "{each["file"]}"\n' for each in document["anchor"])
    return f'[store]\nbase = "none"\n{anchors}'


def test_one_root_for_both_sides_of_a_cross_sign_is_enough(advised, trusting, configured):
    old, new = Authority("Old Root"), Authority("New Root")
    trusting(old=old, new=new)
    crossed = services.cross_signed(new, old)
    found = [service(old, "old.example.com"), service(new, "new.example.com", crossed)]
    assert names(advised(configured(found, {}))) == ["old"]


def test_a_root_that_ends_before_the_day_is_replaced_by_the_one_that_lasts(advised, trusting, configured):
    old, new = Authority("Old Root", not_after=NOW + 500 * DAY), Authority("New Root")
    trusting(old=old, new=new)
    found = [service(new, "new.example.com", services.cross_signed(new, old))]
    assert names(advised(configured(found, {}))) == ["new"]
    result = advised(configured([service(old, "old.example.com")], {}))
    assert result.status == 1 and not result.document["holds"] and result.document["written"] is None
    problems = {each["client"]: each["problem"] for each in result.document["verdicts"]}
    assert problems["openssl-bundle"] == problems["go"] == "server-ends"
    assert problems["rustls-native"] is None, "it does not mind an expired anchor"


def test_an_intermediate_that_is_not_sent_is_needed_with_its_root(advised, trusting, configured):
    """OpenSSL wants the root, too; Go is content with the intermediate."""
    root_ca = Authority("Root of all")
    between = Authority("Between", issuer=root_ca)
    trusting(root=root_ca, between=between)
    server = Service("mqtt.example.com", (between.server("mqtt.example.com", not_after=LATER),))
    result = advised(configured([server], {}))
    assert names(result) == ["between", "root"]
    needed = {each["name"]: each["needed_for"][0]["clients"] for each in result.document["anchors"]}
    assert "go" in needed["between"] and "go" not in needed["root"] and "openssl-bundle" in needed["root"]


def test_a_certificate_that_is_renewed_is_not_a_reason_against_an_anchor_that_lasts(advised, trusting, configured):
    lasting, short = Authority("Lasting CA"), Authority("Short CA", not_after=NOW + 300 * DAY)
    trusting(lasting=lasting, short=short)
    result = advised(configured([service(lasting, end=NOW + 90 * DAY)], {}))
    assert result.status == 0 and names(result) == ["lasting"]
    (note,) = (each for each in result.document["notes"] if each["id"] == "server-renewed")
    assert f"{(NOW + 90 * DAY).date()}" in note["message"]
    result = advised(configured([service(short, end=NOW + 90 * DAY)], {}))
    assert result.status == 1
    assert f"CN=Short CA ends on {(NOW + 300 * DAY).date()}" in result.document["verdicts"][0]["problem_reason"]


def test_a_server_that_must_be_refused_stays_refused(advised, trusting, configured, tmp_path):
    proxy, cloud = Authority("Inspection Proxy"), Authority("Cloud CA")
    trusting(proxy=proxy, cloud=cloud)
    both = service(cloud, "cloud.example.com", services.cross_signed(cloud, proxy))
    config = configured([both, service(proxy, "proxied.example.com")], {})
    config.write_text(f"{config.read_text()}refused = true\n")
    result = advised(config)
    assert result.status == 0 and names(result) == ["cloud"]


def test_a_root_that_would_trust_a_server_that_must_be_refused_is_not_advised(advised, trusting, configured):
    """Even if another server needs it: there is then no advice that holds."""
    trusting(proxy=(proxy := Authority("Inspection Proxy")))
    config = configured([service(proxy, "wanted.example.com"), service(proxy, "proxied.example.com")], {})
    config.write_text(f"{config.read_text()}refused = true\n")
    result = advised(config)
    assert result.status == 1 and names(result) == [] and not result.document["holds"]


def test_a_compromised_root_is_not_a_candidate(advised, trusting, configured, tmp_path):
    leaked, sound = Authority("Leaked Root"), Authority("Sound Root")
    trusting(leaked=leaked, sound=sound)
    data = write(tmp_path / "roots.json", table(incidents=(incident(concerned(leaked, "root")),)))
    either = service(sound, "mqtt.example.com", services.cross_signed(sound, leaked))
    assert names(advised(configured([either], {}), "--root-data", data)) == ["sound"]
    assert advised(configured([service(leaked)], {}), "--root-data", data).status == 1


def test_the_successor_that_the_root_data_announces_is_part_of_the_advice(advised, trusting, configured, tmp_path):
    old, new, third = Authority("Old G1", not_before=NOW - 12 * 365 * DAY), Authority("New G2"), Authority("Third G3")
    trusting(old=old, new=new)
    clouds = [cloud_root(old), cloud_root(new, "recommended"), cloud_root(third, "recommended")]
    data = write(tmp_path / "roots.json", table(root(old), root(new), root(third), cloud_roots=clouds))
    result = advised(configured([service(old)], {}), "--root-data", data)
    assert result.status == 0 and names(result) == ["new", "old"]
    assert {each["successor_of"] for each in result.document["anchors"]} == {None, "old"}
    (note,) = result.document["notes"]
    assert note["id"] == "root-ends" and "due to leave Mozilla's root program" in note["message"]
    assert third.sha256 in note["hint"]


def test_tables_of_the_config_that_are_needed_stay_as_they_are(advised, configured, tmp_path):
    one, two = Authority("Cloud CA"), Authority("Idle CA")
    lines = '[store]  # of edge devices\nlayout = "auto"\nbase = "keep"\n'
    config = configured([service(one)], {"cloud": one, "idle": two}, lines)
    assert advised(config, "-o", config).status == 0
    written = tomllib.loads(config.read_text())
    assert written["anchor"] == [{"file": "roots/cloud.pem"}]
    assert written["store"] == {"layout": "auto", "base": "none"} and "# of edge devices" in config.read_text()
    assert not (tmp_path / "anchors").exists()


def test_without_a_tree_the_clients_that_are_everywhere_and_the_named_ones_count(command, configured):
    one = Authority("Cloud CA")
    config = configured([service(one)], {"cloud": one})
    words = ("advise", "--config", config, "--until", DAY_OF_END)
    result = command(*words, "--format", "json")
    assert result.status == 0 and {each["client"] for each in result.document["verdicts"]} == set(ALWAYS)
    config.write_text(f'{config.read_text()}clients = ["java", "node", "thin-edge-https"]\n')
    result = command(*words, "--format", "json")
    assert {each["client"] for each in result.document["verdicts"]} == {"java", "node", "thin-edge-https"}
    assert "by the rules of the clients" in command(*words).out


def test_a_client_that_is_not_in_the_tree_is_not_a_success(advised, trusting, configured):
    one = Authority("Cloud CA")
    trusting(cloud=one)
    config = configured([service(one)], {})
    config.write_text(f'{config.read_text()}clients = ["java", "go"]\n')
    result = advised(config)
    assert result.status == 1 and result.document["servers"][0]["absent"] == ["java"]


def test_the_text_names_each_anchor_and_what_needs_it(command, debian, trusting, configured):
    one = Authority("Cloud CA")
    trusting(cloud=one)
    config = configured([service(one)], {})
    result = command("advise", "--root", debian.path, "--config", config, "--until", DAY_OF_END)
    lines = result.out.splitlines()
    assert lines[0] == f"1 anchor for 1 server until {DAY_OF_END}:"
    assert lines[1].strip().startswith(f"cloud, until {one.certificate.not_valid_after_utc.date()}, from /")
    assert lines[2].strip() == "needed for mqtt.example.com (every client)"
    assert lines[-1].startswith(f"Proven in {debian.path} as install would leave it")


@pytest.mark.parametrize(
    ("until", "output", "says"),
    [
        ("2020-01-01", None, "is not after"),
        ("soon", None, "is not a day"),
        (DAY_OF_END, "elsewhere/least.toml", "is not in the directory of"),
    ],
)
def test_wrong_use_is_one_error(command, configured, tmp_path, until, output, says):
    one = Authority("Cloud CA")
    config = configured([service(one)], {"cloud": one})
    (tmp_path / "elsewhere").mkdir()
    words = ["-o", tmp_path / output] if output else []
    result = command("advise", "--config", config, "--until", until, "--format", "json", *words)
    (error,) = result.document["errors"]
    assert result.status == 2 and says in error["message"]


def test_a_config_without_servers_is_wrong_use(command, tmp_path):
    (tmp_path / "empty.toml").write_text("")
    words = ("advise", "--config", tmp_path / "empty.toml", "--until", DAY_OF_END, "--format", "json")
    assert command(*words).errors == [("usage", str(tmp_path / "empty.toml"))]


def test_a_file_in_the_place_of_an_anchor_is_a_conflict(advised, trusting, configured, tmp_path):
    one = Authority("Cloud CA")
    trusting(cloud=one)
    config = configured([service(one)], {})
    (tmp_path / "anchors").mkdir()
    (tmp_path / "anchors/cloud.pem").write_text("mine")
    result = advised(config, "-o", tmp_path / "least.toml")
    assert result.status == 3 and (tmp_path / "anchors/cloud.pem").read_text() == "mine"
    assert not (tmp_path / "least.toml").exists()


@pytest.mark.parametrize("store", ['store.base = "keep"', 'store = { base = "keep" }'])
def test_a_store_without_a_header_is_edited_or_refused(advised, configured, tmp_path, store):
    one = Authority("Cloud CA")
    config = configured([service(one)], {"cloud": one}, store)
    result = advised(config, "-o", tmp_path / "least.toml")
    if result.status == 0:
        assert tomllib.loads((tmp_path / "least.toml").read_text())["store"] == {"base": "none"}
    else:
        assert result.errors == [("config", str(config))]


def test_nothing_is_written_into_the_root_filesystem(advised, debian, configured, tmp_path):
    one = Authority("Cloud CA")
    config = configured([service(one)], {"cloud": one})
    (debian.path / "anchors").symlink_to(tmp_path / "outside")
    before = debian.snapshot()
    assert advised(config, "-o", debian.path / "least.toml").errors == [("usage", str(debian.path / "least.toml"))]
    assert debian.snapshot() == before and not (tmp_path / "outside").exists()


def test_an_image_is_judged_as_a_directory_is(command, debian, trusting, configured, tmp_path):
    one = Authority("Cloud CA")
    trusting(cloud=one)
    with tarfile.open(tmp_path / "image.tar", "w") as archive:
        archive.add(debian.path, arcname=".")
    words = ("--config", configured([service(one)], {}), "--until", DAY_OF_END, "--format", "json")
    result = command("advise", "--root", tmp_path / "image.tar", *words)
    assert result.status == 0 and names(result) == ["cloud"]
