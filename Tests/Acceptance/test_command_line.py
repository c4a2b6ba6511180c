"""The commands for devices, rules, alerts, questions and backups, with and without a running server."""

import json
import shutil
import time

import pytest

from conftest import PASSWORD, STORES, Server, embedded_only, make_token, make_user, run


def printed(*arguments):
    return json.loads(run(*arguments, "--json").stdout)


def work(folder):
    """The same steps, whoever holds the folder."""
    assert "sensor-1 is there" in run("device", "add", "--data", folder, "--name", "Hall", "--code", "sensor-1").stdout
    assert "sensor-1" in run("device", "list", "--data", folder).stdout
    assert printed("device", "show", "sensor-1", "--data", folder)["name"] == "Hall"
    rule = printed("rules", "add", "--data", folder, "--name", "Too cold", "--metric", "temperature_value", "--below", "5")
    assert "Too cold" in run("rules", "list", "--data", folder).stdout
    return rule["id"]


def test_devices_and_rules_without_a_server(folder):
    make_user(folder)
    rule = work(folder)
    run("rules", "remove", rule, "--data", folder)
    assert "There are no rules." in run("rules", "list", "--data", folder).stdout
    assert printed("alerts", "list", "--data", folder)["items"] == []


def test_an_alert_is_seen_acknowledged_and_resolved_through_the_server(folder):
    make_user(folder)
    with Server(folder) as server:
        work(folder)
        token = make_token(folder)
        assert server.call("POST", "/write", b"temperature,device=sensor-1 value=-3", token)[0] == 204
        deadline = time.monotonic() + 60
        while not (alerts := printed("alerts", "list", "--data", folder)["items"]):
            assert time.monotonic() < deadline, "no alert was raised"
            time.sleep(0.1)
        alert = alerts[0]["id"]
        assert "acknowledged" in run("alerts", "ack", alert, "--note", "Window was open", "--data", folder).stdout
        assert printed("alerts", "resolve", alert, "--data", folder)["status"] == "resolved"
        assert "There are no open alerts." in run("alerts", "list", "--data", folder).stdout
        table = run("query", "temperature_value", "--data", folder).stdout
        assert "-3" in table and "device_id" in table


def test_mistakes_say_what_to_do_next(folder):
    refused = run("device", "list", "--data", folder, check=False)
    assert refused.returncode == 1 and "vigil user create" in refused.stderr
    make_user(folder)
    make_user(folder, tenant="other", name="bob")
    refused = run("device", "list", "--data", folder, check=False)
    assert refused.returncode == 1 and "--tenant" in refused.stderr and "acme" in refused.stderr
    refused = run("query", "sum(", "--tenant", "acme", "--data", folder, check=False)
    assert refused.returncode == 1 and refused.stderr.strip()


def test_a_mistyped_folder_is_named_and_not_made(folder, tmp_path):
    typo = tmp_path / "nowhere"
    for command in (["device", "list"], ["alerts", "list"], ["token", "create", "--username", "ann", "--name", "n"],
                    ["migrate", "status"], *([["migrate", "up"]] if STORES == "embedded" else []), ["backup", tmp_path / "copy"]):
        refused = run(*command, "--data", typo, check=False)
        assert refused.returncode == 1 and "nowhere" in refused.stderr and refused.stderr.startswith("vigil: "), command
        assert not typo.exists(), command


def test_errors_begin_alike_and_name_what_is_meant(folder, tmp_path):
    refused = run("health", check=False)
    assert refused.returncode == 64 and refused.stderr.startswith('vigil: "health" is no command')
    refused = run("user", "create", check=False)
    assert refused.returncode == 64 and refused.stderr.startswith("vigil: Missing expected argument")
    assert json.loads(run("version", "--json").stdout)["version"] == run("version").stdout.strip()
    for variable, value, said in [
        ("DATABASE_ENGINE", "oracle", 'stores.relational (from DATABASE_ENGINE) is "oracle"'),
        ("REDIS_URL", "redis://r", "(from REDIS_URL)"), ("INFLUX_URL", "http://i", "(from INFLUX_URL)"),
        ("VIGIL_SERVER_TLS_KEY", "k.pem", "server.tls.certificate (from default) must be set"),
    ]:
        refused = run("serve", "--data", folder, "--port", "0", check=False, environment={variable: value})
        assert refused.returncode == 1 and said in refused.stderr, refused.stderr
    (tmp_path / "text.pem").write_text("no key")
    for certificate, said in [("nope.pem", "server.tls.certificate: nope.pem cannot be read"),
                              (str(tmp_path / "text.pem"), "is no PEM file with a certificate")]:
        refused = run("serve", "--data", folder, "--port", "0", check=False, environment={
            "VIGIL_SERVER_TLS_CERTIFICATE": certificate, "VIGIL_SERVER_TLS_KEY": "k.pem"})
        assert refused.returncode == 1 and said in refused.stderr, refused.stderr


def test_one_tenant_need_not_be_named_and_rules_take_all_conditions(folder):
    make_user(folder)
    listed = run("user", "list", "--data", folder).stdout
    assert listed.startswith("USERNAME") and "ann" in listed and "admin" in listed
    assert run("token", "create", "--data", folder, "--username", "ann", "--name", "n").stdout.startswith("vt_")
    added = [["--metric", "m", "--outside", "2:8", "--unit", "bar", "--cooldown", "60", "--type", "environmental"],
             ["--metric", "m", "--between", "-2:-1.5", "--hold", "30"], ["--metric", "s", "--state", "open"], ["--missing"]]
    for number, words in enumerate(added):
        run("rules", "add", "--data", folder, "--name", f"r{number}", *words)
    rules = {item["rule"]["name"]: item["rule"] for item in printed("rules", "list", "--data", folder)["items"]}
    assert [rules[name]["condition"] for name in sorted(rules)] == ["outside", "between", "state", "missing"]
    assert rules["r0"]["cooldownSeconds"] == 60 and (rules["r1"]["low"], rules["r1"]["high"]) == (-2, -1.5)
    refused = run("rules", "add", "--data", folder, "--name", "r", "--metric", "m", "--between", "8", check=False)
    assert refused.returncode == 64 and "2:8" in refused.stderr


def test_a_file_with_bad_lines_keeps_the_good_ones_and_says_so(folder, tmp_path):
    make_user(folder)
    path = tmp_path / "f.csv"
    path.write_text('timestamp,value\n2026-01-01 00:00,1\nyesterday,2\n2099-01-01 00:00,3\n2026-01-01 00:05\n'
                    '2026-01-01 00:10,4\n2026-01-01 00:15,"5\n')
    plan = ["import", "csv", path, "--data", folder, "--device", "d", "--metric", "m"]
    refused = run(*plan, "--unit", "parsec", check=False)
    assert refused.returncode == 1 and "not a known unit" in refused.stderr
    partial = run(*plan, "--unit", "degC", check=False)
    assert partial.returncode == 1 and "2 stored" in partial.stdout and "4 refused" in partial.stdout
    for said in ("line 3: The time cannot be read", "line 4: The time is after", "line 5: The line is too short",
                 "line 7: ", "nothing after this was read"):
        assert said in partial.stderr, partial.stderr


def backed_up(folder, target):
    make_user(folder)
    with Server(folder) as server:
        token = make_token(folder)
        lines = "\n".join(f"m,device=d v={n} {1_700_000_000 + n}" for n in range(5_000)).encode()
        assert server.call("POST", "/write?precision=s", lines, token)[0] == 204
        report = printed("backup", target, "--data", folder)
        assert server.call("POST", "/write?precision=s", b"m,device=d v=1 1700006000", token)[0] == 204
    return report


@embedded_only
def test_a_backup_of_a_running_server_is_restored_whole(folder, tmp_path):
    target = tmp_path / "copy"
    report = backed_up(folder, target)
    assert report["keys"] is False and report["files"] >= 3
    names = {path.name for path in target.rglob("*")}
    assert "keys" not in names and "vigil.db" in names
    new = tmp_path / "new"
    assert "keys" in run("restore", target, "--data", new).stdout
    shutil.copy(folder / "keys", new / "keys")
    assert run("doctor", "--data", new).returncode == 0
    with Server(new) as server:
        answer = server.call(
            "GET", "/api/v1/query?query=count_over_time(m_v%5B2h%5D)&time=1700005000", token=make_token(new))[1]
        assert [pair["value"][1] for pair in answer["data"]["result"]] == ["5000"]
        body = {"tenant": "acme", "username": "ann", "password": PASSWORD}
        assert server.call("POST", "/api/auth/login", body)[0] in (200, 201)
    refused = run("restore", target, "--data", new, check=False)
    assert refused.returncode == 1 and "is not empty" in refused.stderr


@embedded_only
@pytest.mark.parametrize("victim", ["vigil.db", "series"])
def test_a_flipped_bit_in_a_backup_stops_the_restore(folder, tmp_path, victim):
    target = tmp_path / "copy"
    backed_up(folder, target)
    file = target / victim if victim == "vigil.db" else max((target / victim).iterdir(), key=lambda f: f.stat().st_size)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)
    refused = run("restore", target, "--data", tmp_path / "new", check=False)
    assert refused.returncode == 1 and "DAMAGE:" in refused.stderr and file.name in refused.stderr
    assert not (tmp_path / "new").exists()
