"""What the server says of readings, of itself and of what it refused."""

import datetime
import http.client
import json
import os
import subprocess
import time
import urllib.parse

import pytest
from conftest import BINARY, PASSWORD, Server, embedded_only, free_port, make_token, make_user, run
from influxdb_client import InfluxDBClient


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def arrivals(server, device):
    status, page = server.call("GET", f"/api/devices/{device}/readings?limit=500", token=server.token)
    assert status == 200, page
    return {moment(item["time"]): item.get("arrival") and moment(item["arrival"]) for item in page["items"]}


def test_readings_of_lines_and_files_say_when_they_arrived(folder, tmp_path):
    make_user(folder)
    start = int(time.time()) - 3600
    with Server(folder) as server:
        server.token = make_token(folder)
        spans = []
        # The second batch fills the gaps of the first; the third is a year late.
        for times in ([start, start + 20], [start + 10, start + 30], [start - 31_536_000]):
            begun = time.time()
            lines = "\n".join(f"m,device=d v={index} {when}" for index, when in enumerate(times))
            assert server.call("POST", "/api/v2/write?precision=s", lines.encode(), server.token)[0] == 204
            spans.append((times, begun, time.time()))
            time.sleep(0.05)
        file = tmp_path / "f.csv"
        file.write_text("timestamp,value\n" + "".join(f"{start + n * 60},{n}\n" for n in range(200)))
        begun = time.time()
        run("import", "csv", file, "--data", folder, "--tenant", "acme", "--device", "c", "--metric", "m")
        imported = (begun, time.time())

        def check():
            seen = arrivals(server, "d")
            for times, low, high in spans:
                for when in times:
                    assert low - 0.01 <= seen[when] <= high + 0.01, (when - start, seen[when] - low)
            seen = arrivals(server, "c")
            assert len(seen) == 200
            assert all(imported[0] - 0.01 <= value <= imported[1] + 0.01 for value in seen.values())

        check()
        server.stop(9)
    with Server(folder) as server:
        server.token = make_token(folder)
        check()
    # A stop in good order seals what is open.
    with Server(folder) as server:
        server.token = make_token(folder)
        check()


def test_influxdbs_client_finds_us_in_good_health(place):
    with InfluxDBClient(url=place.url, token=place.token, org="o") as client:
        health = client.health()
        assert health.status == "pass" and health.name == "vigil", health
        assert client.ping()


def test_writers_are_refused_in_the_form_they_know(place):
    assert place.call("POST", "/write?db=x", b"m v=1") == (401, {"error": "Sign in, or send a token."})
    status, answer = place.call("POST", "/api/v2/write", b"m v=1")
    assert status == 401 and answer["code"] == "unauthorized"
    status, answer = place.call("POST", "/write?db=x", b"m v=1\nnonsense", place.token)
    assert status == 400 and answer["error"].startswith("partial write: 1 value kept, 1 line refused: line 2:")
    ahead = int(time.time()) + 10 * 86400
    status, answer = place.call("POST", f"/write?db=x&precision=s", f"m v=1 {ahead}".encode(), place.token)
    assert status == 400 and "taken as s, and may be at most 24 h ahead" in answer["error"]
    assert place.call("POST", "/api/v2/write?org=o&consistency=any", b"m v=1", place.token)[0] == 204


def test_what_is_wrong_is_told_with_what_is_allowed(place):
    rule = {"name": "r", "metric": "m", "condition": "above", "threshold": 1}
    status, answer = place.call("POST", "/api/rules", {**rule, "holdsec": 99}, place.token)
    assert status == 400 and answer["errors"] == [
        {"field": "holdsec", "reason": "is no field; did you mean holdSeconds?"}], answer
    status, answer = place.call("POST", "/api/rules", {**rule, "severity": "awful"}, place.token)
    assert status == 400 and "info, low, medium, high, critical" in answer["detail"]
    status, answer = place.call("GET", "/api/alerts?severity=awful", token=place.token)
    assert status == 400 and "info, low, medium, high, critical" in answer["detail"]
    status, answer = place.call("POST", "/api/sites", {"name": "Home", "code": "home", "latitude": 52.5}, place.token)
    assert status == 400 and answer["errors"][0]["field"] == "latitude"
    assert place.call("POST", "/api/sites", {"name": "Home", "code": "home"}, place.token)[0] == 201
    # What takes a value away is known as well.
    assert place.call("PATCH", "/api/sites/home", {"address": "Here 1"}, place.token)[1]["address"] == "Here 1"
    assert place.call("PATCH", "/api/sites/home", {"address": None}, place.token)[1].get("address") is None
    done = run("user", "create", "--data", place.folder, "--tenant", "acme", "--username", "x", "--role", "king",
               "--password-stdin", stdin=PASSWORD, check=False)
    assert done.returncode != 0 and "viewer" in done.stderr, done.stderr
    done = run("query", "--data", place.folder, "--tenant", "acme", "sum(", check=False)
    assert done.returncode != 0 and "parse error" in done.stderr, done.stderr


@pytest.mark.parametrize("is_running", [True, False])
def test_an_import_with_a_wrong_column_says_which_there_are(folder, tmp_path, is_running):
    make_user(folder)
    file = tmp_path / "large.csv"
    with open(file, "w") as out:
        out.write("timestamp,value\n")
        for n in range(300_000):
            out.write(f"{1_700_000_000 + n},{n}\n")

    def check():
        for flag in ("--time-column", "--value-column"):
            done = run("import", "csv", file, "--data", folder, "--tenant", "acme", "--device", "d", "--metric", "m",
                       flag, "zeit", check=False)
            assert done.returncode == 1
            assert "there is no zeit; it has timestamp, value" in done.stderr, done.stderr

    if is_running:
        with Server(folder):
            check()
    else:
        check()


def log_lines(server, text, count=1, seconds=60):
    deadline = time.monotonic() + seconds
    while True:
        items = server.call("GET", "/api/logs?limit=100", token=server.token)[1]["items"]
        found = [item for item in items if text in item["message"]]
        if len(found) >= count:
            return found
        assert time.monotonic() < deadline, items
        time.sleep(0.2)


def test_the_log_tells_of_refusals_and_is_not_flooded(place):
    for _ in range(50):
        assert place.call("POST", "/api/v2/write", b"nonsense", place.token)[0] == 400
    for _ in range(20):
        place.call("POST", "/api/auth/login", {"username": "ann", "password": "wrong", "kind": "api"})
    refused = log_lines(place, "readings were refused")
    assert len(refused) == 1 and refused[0]["metadata"]["path"] == "/api/v2/write"
    held = log_lines(place, "held up")
    assert len(held) == 1 and held[0]["metadata"]["code"] == "auth.locked"


@embedded_only
def test_a_full_disk_is_told_with_the_folders_name(tmp_path):
    folder = disk = tmp_path / "data"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "none", disk], capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        make_user(folder)
        with Server(folder) as server:
            server.token = make_token(folder)
            # Without a buffer: what one held back would fail once more when it is closed.
            with open(disk / "filler", "wb", buffering=0) as filler:
                try:
                    while True:
                        filler.write(os.urandom(65536))
                except OSError:
                    pass
            statuses = {server.call("POST", "/api/v2/write", f"m,device=d v={n}".encode(), server.token)[0] for n in range(40)}
            assert 503 in statuses
            # A sign-in writes a session: it says why there is none, and when to try again.
            for _ in range(10):
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
                connection.request(
                    "POST", "/api/auth/login", json.dumps({"username": "ann", "password": PASSWORD, "kind": "api"}),
                    {"Content-Type": "application/json"})
                answer = connection.getresponse()
                problem = json.loads(answer.read())
                assert (answer.status, answer.headers["Retry-After"], problem["code"]) == (503, "30", "store.full")
                assert problem["detail"] == "The disk is full: nothing is written until there is room."
                connection.request(
                    "POST", "/login", urllib.parse.urlencode({"username": "ann", "password": PASSWORD}),
                    {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html", "Origin": server.url})
                answer = connection.getresponse()
                assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
                assert "The disk is full" in answer.read().decode()
                connection.close()
            (disk / "filler").unlink()
            deadline = time.monotonic() + 60
            login = {"username": "ann", "password": PASSWORD, "kind": "api"}
            while server.call("POST", "/api/auth/login", login)[0] != 200:
                assert time.monotonic() < deadline, "nobody can sign in although there is room again"
                time.sleep(0.2)
        text = (tmp_path / "serve.log").read_text()
        assert "disk is full" in text and f"folder={folder}" in text, text
        # Whoever met it: once in half a minute.
        assert text.count("the disk is full") <= 2
    finally:
        subprocess.run(["umount", disk], check=True)


@embedded_only
def test_doctor_looks_at_the_same_with_and_without_a_server(folder):
    make_user(folder)

    def doctor(**environment):
        done = subprocess.run([BINARY, "doctor", "--data", str(folder), "--json"], capture_output=True, text=True,
                              env={**os.environ, **environment}, timeout=120)
        facts = json.loads(done.stdout)["facts"]
        return done.returncode, {(fact["area"], fact["name"]) for fact in facts}, facts

    _, closed, _ = doctor()
    with Server(folder):
        status, running, _ = doctor()
        assert status == 0 and closed - running <= {("relational", "pages")} - running, closed - running
        assert ("relational", "schema") in running
        for environment in ({"VIGIL_STORES_SERIES": "influxdb"}, {"INFLUX_URL": "http://127.0.0.1:1"}):
            status, _, facts = doctor(**environment)
            assert status != 0 and any(fact["state"] == "problem" and "series" in fact["name"] for fact in facts), facts
        keys = (folder / "keys").read_bytes()
        (folder / "keys").write_bytes(b"zz" + keys[2:])
        status, _, facts = doctor()
        assert status != 0 and any(fact["name"] == "keys" and "DAMAGE" in fact["value"] for fact in facts), facts
        (folder / "keys").write_bytes(keys)


def test_the_last_use_of_a_token_is_written_down(place):
    place.call("GET", "/api/devices", token=place.token)
    deadline = time.monotonic() + 90
    while True:
        items = place.call("GET", "/api/tokens", token=place.token)[1]["items"]
        if any(item.get("lastUsed") for item in items):
            return
        assert time.monotonic() < deadline, items
        time.sleep(1)


def test_sign_ins_under_ever_new_names_do_not_pile_up(place):
    from concurrent.futures import ThreadPoolExecutor

    def attempt(number):
        begun = time.monotonic()
        status, _ = place.call("POST", "/api/auth/login", {"username": f"n{number}", "password": "wrong", "kind": "api"})
        return status, time.monotonic() - begun

    attempt(-1)
    with ThreadPoolExecutor(40) as pool:
        results = list(pool.map(attempt, range(80)))
    assert {status for status, _ in results} <= {401, 429}
    # Two seconds in the line, and a hash, which takes seconds where nothing is optimised and the machine is busy.
    assert sum(status == 429 for status, _ in results) > 40
    assert max(seconds for _, seconds in results) < 30
    assert place.call("GET", "/health")[0] == 200
