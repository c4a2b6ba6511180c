"""Those who run an installation: migrate, seed, doctor, reset, the log, what machines ask."""

import contextlib
import json
import time

from conftest import Server, embedded_only, make_token, make_user, run


def test_seed_makes_the_example_places_once(folder):
    first = json.loads(run("seed", "--data", folder, "--tenant", "home", "--json").stdout)
    assert first["sites"] == 4 and first["devices"] >= 4 and first["rules"] >= 4
    again = json.loads(run("seed", "--data", folder, "--tenant", "home", "--json").stdout)
    assert again == {"sites": 0, "devices": 0, "rules": 0}


@embedded_only
def test_migrations_go_up_and_down_with_a_copy_first(folder):
    make_user(folder)
    assert "Nothing is pending." in run("migrate", "up", "--data", folder).stdout
    before = run("migrate", "status", "--data", folder).stdout
    assert json.loads(run("migrate", "down", "--data", folder, "--dry-run", "--json").stdout)[0]["state"] in ("pending", "applied")
    assert run("migrate", "status", "--data", folder).stdout == before
    down = json.loads(run("migrate", "down", "--data", folder, "--json").stdout)
    assert [line["state"] for line in down] == ["pending"]
    assert len(list((folder / "backups").glob("*.db"))) == 1
    dry = json.loads(run("migrate", "up", "--data", folder, "--dry-run", "--json").stdout)
    assert [line["number"] for line in dry] == [down[0]["number"]]
    status = json.loads(run("migrate", "status", "--data", folder, "--json").stdout)
    assert [line["number"] for line in status if line["state"] == "pending"] == [down[0]["number"]]
    run("migrate", "up", "--data", folder)
    assert "applied" in run("migrate", "status", "--data", folder).stdout


def test_units_outlive_the_table_that_held_them(folder):
    make_user(folder)
    token = make_token(folder)

    def units(server):
        status, page = server.call("GET", "/api/devices/boiler/latest", token=token)
        assert status == 200, page
        return {value["metric"]: value.get("unit") for value in page["items"]}

    with Server(folder) as server:
        assert server.call("POST", "/api/devices", {"code": "boiler", "name": "Boiler"}, token)[0] == 201
        for reading in ({"metric": "pressure", "value": 2, "unit": "bar"}, {"metric": "plain", "value": 1}):
            assert server.call("POST", "/api/devices/boiler/readings", reading, token)[0] == 201
        assert units(server) == {"pressure": "bar", "plain": None}
    down = json.loads(run("migrate", "down", "--data", folder, "--json", "--without-backup").stdout)
    assert [line["number"] for line in down] == [13]
    run("migrate", "up", "--data", folder, "--without-backup")
    with Server(folder) as server:
        assert units(server) == {"pressure": "bar", "plain": None}


@embedded_only
def test_reset_takes_the_typed_name_and_never_production(folder):
    make_user(folder)
    refused = run("reset", "--data", folder, "--confirm", "other", check=False)
    assert refused.returncode == 1 and "type the folder's name" in refused.stderr
    (folder / "vigil.yaml").write_text("environment: production\n")
    refused = run("reset", "--data", folder, "--confirm", folder.name, check=False)
    assert refused.returncode == 1 and "production" in refused.stderr
    (folder / "vigil.yaml").unlink()
    run("reset", "--data", folder, "--confirm", folder.name)
    assert not (folder / "vigil.db").exists() and (folder / "keys").exists()


def test_doctor_looks_with_and_without_a_server(folder):
    make_user(folder)
    (folder / "vigil.yaml").write_text("influx:\n  token: hunter2\n")
    report = run("doctor", "--data", folder)
    assert "PROBLEM" not in report.stdout and "hunter2" not in report.stdout + report.stderr
    assert "(set) (vigil.yaml)" in report.stdout
    with Server(folder):
        facts = json.loads(run("doctor", "--data", folder, "--json").stdout)["facts"]
        assert any(fact["name"] == "running" for fact in facts)
        assert {fact["state"] for fact in facts} <= {"ok", "warning"}
        busy = run("migrate", "status", "--data", folder, check=False)
        assert busy.returncode == 1 and "in use by another Vigil" in busy.stderr


def test_the_folder_is_its_owners_alone(folder):
    make_user(folder)
    with Server(folder):
        modes = {}
        for path in [folder, *folder.rglob("*")]:
            # A log that was sealed goes while we look.
            with contextlib.suppress(FileNotFoundError):
                modes[path] = path.stat().st_mode & 0o777
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}


def test_machines_ask_whether_it_works_and_what_it_counts(place):
    ready = place.ready()
    assert ready["status"] == "ready"
    assert {store["store"] for store in ready["stores"]} >= {"relational", "series"}
    place.call("POST", "/write", b"cpu,device=a load=1.5", place.token)
    status, text = place.call("GET", "/metrics")
    assert status == 200
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert values['vigil_store_up{store="series"}'] == "1"
    assert float(values["vigil_series"]) >= 1
    rule = {"name": "High", "metric": "cpu_load", "condition": "above", "threshold": 1, "severity": "high"}
    assert place.call("POST", "/api/rules", rule, place.token)[0] == 201
    place.call("POST", "/write", b"cpu,device=a load=2.5", place.token)
    text = place.call("GET", "/metrics")[1]
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert values['vigil_open_alerts{severity="high"}'] == "1"
    assert values["vigil_devices"] == "1" and "vigil_outbox_lag" in values
    assert float(values['vigil_http_request_seconds_count{method="POST",route="/write",status="204"}']) == 2


def test_the_log_can_be_searched(folder):
    make_user(folder)
    with Server(folder) as server:
        token = make_token(folder)
        deadline = time.monotonic() + 60
        while True:
            status, page = server.call("GET", "/api/logs?search=serving", token=token)
            assert status == 200
            if page["items"]:
                break
            assert time.monotonic() < deadline, "the line was not kept"
            time.sleep(0.1)
        assert page["items"][0]["message"] == "serving"
        assert page["items"][0]["metadata"]["port"] == str(server.port)
        assert server.call("GET", "/api/logs?level=loud", token=token)[0] == 400
        make_user(folder, tenant="other", name="bob")
        assert server.call("GET", "/api/logs", token=make_token(folder, "other", "bob"))[0] == 403
