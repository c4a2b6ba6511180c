"""The main job, from a sensor to a person, on the built binary."""

import gzip
import json
import signal
import subprocess

from conftest import BINARY, PASSWORD, Server, make_token, make_user, run

COLD = {
    "name": "cold", "metric": "temperature", "condition": "below", "threshold": 60, "unit": "degF",
    "holdSeconds": 1800, "severity": "high", "type": "malfunction",
}


def import_machine(folder, path):
    return run(
        "import", "csv", path, "--data", folder, "--tenant", "acme", "--device", "machine", "--metric", "temperature",
        "--unit", "degF", "--time-column", "timestamp", "--value-column", "value", "--evaluate").stdout


def open_alerts(server):
    status, page = server.call("GET", "/api/alerts?limit=100", token=server.token)
    assert status == 200
    return page["items"]


def test_history_raises_the_alerts_that_were_true(place, machine):
    status, _ = place.call("POST", "/api/rules", COLD, place.token)
    assert status == 201
    said = import_machine(place.folder, machine)
    assert "22,695 rows read, 22,683 stored, 12 replaced" in said
    times = sorted(alert["eventTime"] for alert in open_alerts(place))
    assert len(times) == 14
    assert times[0] == "2013-12-05T18:00:00Z"
    assert times[-1] == "2014-02-07T14:15:00Z"
    assert "0 stored, 22,695 replaced" in import_machine(place.folder, machine)
    assert len(open_alerts(place)) == 14


def test_the_import_works_without_a_server_too(folder, machine):
    make_user(folder)
    assert "22,695 rows read, 22,683 stored, 12 replaced" in import_machine(folder, machine)


def test_the_influx_client_writes_and_promql_reads(place):
    from influxdb_client import InfluxDBClient, Point
    from influxdb_client.client.write_api import SYNCHRONOUS

    with InfluxDBClient(url=place.url, token=place.token, org="acme") as client:
        writer = client.write_api(write_options=SYNCHRONOUS)
        writer.write(bucket="readings", record=Point("boiler").tag("device", "b1").field("pressure", 12.5))
    status, answer = place.call("GET", "/api/v1/query?query=boiler_pressure", token=place.token, scheme="Bearer")
    assert status == 200 and answer["status"] == "success"
    assert [series["value"][1] for series in answer["data"]["result"]] == ["12.5"]


def test_line_protocol_keeps_the_good_lines_and_names_the_bad_ones(place):
    status, _ = place.call("POST", f"/write?db=x&u=any&p={place.token}", b"cpu,device=a load=1.5")
    assert status == 204
    status, answer = place.call(
        "POST", "/api/v2/write?org=o&bucket=b", b"cpu,device=a load=2\nnonsense\n", place.token)
    assert status == 400 and "line 2" in answer["message"]
    status, answer = place.call("POST", "/api/v2/write", b"cpu,tenant=other load=2", place.token)
    assert status == 400
    body = gzip.compress(b"cpu,device=a load=3")
    status, _ = place.call("POST", "/api/v2/write", body, place.token, {"Content-Encoding": "gzip"})
    assert status == 204


def test_a_gzip_bomb_and_a_huge_body_are_refused(place):
    bomb = gzip.compress(b"0" * (200 << 20))
    status, _ = place.call("POST", "/api/v2/write", bomb, place.token, {"Content-Encoding": "gzip"})
    assert status == 413
    status, _ = place.call("POST", "/api/devices", b"x" * (2 << 20), place.token, {"Content-Type": "application/json"})
    assert status == 413
    assert place.call("GET", "/health")[0] == 200


def test_readings_come_back_as_sent(place):
    status, _ = place.call("POST", "/api/devices", {"code": "d1", "name": "Door", "profile": "door_contact"}, place.token)
    assert status == 201
    sent = {"time": "2026-01-05T10:00:00Z", "value": {"state": "open"}, "reading_type": "contact_state"}
    assert place.call("POST", "/api/devices/d1/readings", sent, place.token)[0] == 201
    status, page = place.call("GET", "/api/devices/d1/readings", token=place.token)
    assert status == 200
    reading = page["items"][0]
    assert reading["value"]["value"]["state"] == "open"
    assert reading["readingType"] == "contact_state" and reading["time"] == "2026-01-05T10:00:00Z"
    status, problem = place.call("POST", "/api/devices/d1/readings", {"value": {"state": "ajar"}}, place.token)
    assert status == 400 and problem["status"] == 400


def test_an_alert_is_acknowledged_and_stays_so_after_a_restart(folder):
    make_user(folder)
    with Server(folder) as server:
        token = make_token(folder)
        server.call("POST", "/api/rules", {
            "name": "high", "metric": "boiler_pressure", "condition": "above", "threshold": 20,
            "severity": "critical"}, token)
        server.call("POST", "/api/v2/write", b"boiler,device=b1 pressure=21", token)
        status, page = server.call("GET", "/api/alerts?closure=open", token=token)
        alert = page["items"][0]
        assert alert["severity"] == "critical" and not alert["acknowledged"]
        status, view = server.call("POST", f"/api/alerts/{alert['id']}/acknowledge", {"note": "seen"}, token)
        assert status == 200 and view["acknowledged"]
        status, again = server.call("POST", f"/api/alerts/{alert['id']}/acknowledge", {}, token)
        assert status == 200 and again["version"] == view["version"]
    with Server(folder) as server:
        status, after = server.call("GET", f"/api/alerts/{alert['id']}", token=token)
        assert status == 200 and after["acknowledged"]
        status, journal = server.call("GET", f"/api/alerts/{alert['id']}/journal", token=token)
        assert any(entry.get("note") == "seen" for entry in journal["items"])


def test_what_was_acknowledged_survives_kill_9(folder):
    make_user(folder)
    server = Server(folder)
    token = make_token(folder)
    acknowledged = 0
    for number in range(200):
        line = f"cpu,device=a load={number} {1_700_000_000 + number}".encode()
        if server.call("POST", "/api/v2/write?precision=s", line, token)[0] == 204:
            acknowledged += 1
    server.stop(signal.SIGKILL)
    assert acknowledged == 200
    with Server(folder) as server:
        status, answer = server.call(
            "GET", "/api/v1/query?query=count_over_time(cpu_load[1h])&time=1700000200", token=token)
        assert status == 200
        assert answer["data"]["result"][0]["value"][1] == "200"


def test_another_tenants_things_do_not_exist(place):
    make_user(place.folder, "other", "olga")
    foreign = make_token(place.folder, "other", "olga")
    status, device = place.call("POST", "/api/devices", {"code": "mine", "name": "Mine"}, place.token)
    status, site = place.call("POST", "/api/sites", {"code": "home", "name": "Home"}, place.token)
    status, rule = place.call("POST", "/api/rules", COLD, place.token)
    for path in (
        f"/api/devices/{device['id']}", f"/api/devices/{device['id']}/readings", f"/api/devices/{device['id']}/latest",
        f"/api/devices/{device['id']}/attributes", f"/api/sites/{site['id']}", f"/api/sites/{site['id']}/map",
        f"/api/rules/{rule['id']}", "/api/users/ann",
    ):
        assert place.call("GET", path, token=foreign)[0] == 404, path
    assert place.call("DELETE", f"/api/devices/{device['id']}", token=foreign)[0] == 404
    assert place.call("DELETE", f"/api/rules/{rule['id']}", token=foreign)[0] == 404
    assert place.call("GET", "/api/devices", token=foreign)[1]["items"] == []


def test_wrong_passwords_are_slowed_down_and_the_right_one_is_not_locked_out_elsewhere(place):
    answers = [
        place.call("POST", "/api/auth/login", {"username": "ann", "password": f"wrong {number}"})[0]
        for number in range(8)
    ]
    assert answers[0] == 401 and 429 in answers
    assert place.call("GET", "/api/auth/me", token=place.token)[0] == 200


def test_a_second_server_on_the_folder_is_refused_by_name(place):
    second = run("serve", "--data", place.folder, "--port", "0", check=False)
    assert second.returncode != 0
    assert "in use by another Vigil" in second.stderr + second.stdout


def test_the_server_stops_within_two_seconds(folder):
    make_user(folder)
    assert Server(folder).stop(signal.SIGINT) < 2


def test_the_api_describes_itself(place):
    status, description = place.call("GET", "/openapi.json", token=place.token)
    assert status == 200 and description["openapi"].startswith("3.1")
    assert "/api/devices/{device}/readings" in description["paths"]


def test_a_wrong_setting_stops_the_start(folder):
    done = subprocess.run([BINARY, "serve", "--data", str(folder), "--port", "many"], capture_output=True, text=True)
    assert done.returncode != 0 and "port" in done.stderr


def test_json_is_printed_when_asked(folder):
    said = run("user", "create", "--data", folder, "--tenant", "t", "--username", "u", "--password-stdin", "--json",
               stdin=PASSWORD).stdout
    assert json.loads(said)["username"] == "u"


def test_a_busy_port_is_said_at_once(place, tmp_path):
    done = subprocess.run(
        [BINARY, "serve", "--data", str(tmp_path / "other"), "--port", str(place.port)], capture_output=True, text=True,
        timeout=20)
    assert done.returncode == 1
    assert f"port {place.port}" in done.stderr and "in use" in done.stderr, done.stderr


def test_json_discovers_by_the_name_in_the_address_and_keeps_every_reading(place):
    sent = [{"value": {"state": "open"}}, {"value": {"state": "closed"}}]
    status, receipt = place.call("POST", "/api/devices/hall-door/readings", sent, place.token)
    assert status == 201 and receipt["accepted"] == 2
    found = place.call("GET", "/api/discovered", token=place.token)[1]["items"]
    assert len(found) == 1 and "hall-door" in json.dumps(found)
    items = place.call("GET", "/api/devices/hall-door/readings", token=place.token)[1]["items"]
    assert sorted(item["values"]["state"] for item in items) == ["closed", "open"]
    device = place.call("GET", f"/api/devices/{found[0]['id']}", token=place.token)[1]
    assert device["isDiscovered"] and place.call("GET", "/api/devices/hall-door", token=place.token)[1]["id"] == device["id"]
    assert "Nobody has claimed it yet" in place.call("GET", f"/devices/{found[0]['id']}", token=place.token)[1]
    assert place.call("PATCH", f"/api/devices/{found[0]['id']}", {"name": "x"}, place.token)[0] == 404
    status, claimed = place.call("POST", f"/api/discovered/{found[0]['id']}/claim", {}, place.token)
    assert status == 200 and claimed["name"] == "hall-door" and claimed["id"] == found[0]["id"]
    assert len(place.call("GET", "/api/devices/hall-door/readings", token=place.token)[1]["items"]) == 2
    assert place.call("GET", "/api/discovered", token=place.token)[1]["items"] == []
    assert place.call("POST", f"/api/discovered/{found[0]['id']}/claim", {}, place.token)[0] == 409
    unknown = "0190a000-0000-7000-8000-000000000001"
    assert place.call("POST", f"/api/devices/{unknown}/readings", sent, place.token)[0] == 404


def test_a_site_lists_its_devices_and_a_step_its_own_note(place):
    place.call("POST", "/api/sites", {"code": "home", "name": "Home"}, place.token)
    place.call("POST", "/api/devices", {"code": "b1", "name": "The boiler", "site": "home", "handler": "numeric"}, place.token)
    page = place.call("GET", "/sites/home", token=place.token)[1]
    assert 'href="/devices/b1"' in page
    rule = {"name": "High", "metric": "pressure", "condition": "above", "threshold": 10}
    place.call("POST", "/api/rules", rule, place.token)
    place.call("POST", "/api/devices/b1/readings", {"metric": "pressure", "value": 11}, place.token)
    alert = place.call("GET", "/api/alerts", token=place.token)[1]["items"][0]
    assert "  " not in alert["message"] and " ," not in alert["message"], alert["message"]
    place.call("POST", f"/api/alerts/{alert['id']}/acknowledge", {"note": "seen by me"}, place.token)
    assert place.call("GET", f"/alerts/{alert['id']}", token=place.token)[1].count("seen by me") == 1
    status, problem = place.call("POST", "/api/devices", {"name": "X", "handler": "foo"}, place.token)
    assert status == 400 and "door_contact" in json.dumps(problem)
