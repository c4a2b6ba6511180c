"""What only a server can do to us: pause, cut connections, run out of them, be newer than we are."""

import os
import signal
import subprocess
import time

import pytest
from conftest import BINARY, STORES, Server, free_port, make_token, make_user, run

pytestmark = pytest.mark.skipif(STORES == "embedded", reason="about a PostgreSQL server")


def administrator(statement, database=None):
    url = os.environ["VIGIL_TEST_POSTGRES" + STORES.removeprefix("postgresql")]
    if database:
        url = url.rsplit("/", 1)[0] + "/" + database
    return subprocess.run(["psql", "-qAt", url, "-c", statement], check=True, capture_output=True, text=True).stdout.strip()


def processes_of_server():
    """The processes of the server on our port, the first one first."""
    said = subprocess.run(
        ["ss", "-ltnpH", f"sport = :{os.environ['POSTGRES_PORT']}"], capture_output=True, text=True).stdout
    pids = [int(part.split(",")[0]) for part in said.split("pid=")[1:]]
    if not pids:
        pytest.skip("the server is not among the processes that we may see")
    children = subprocess.run(["pgrep", "-P", str(pids[0])], capture_output=True, text=True).stdout.split()
    return [pids[0], *map(int, children)]


def until(condition, seconds=40):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.2)


def test_a_paused_server_is_told_and_work_goes_on_without_a_restart(folder):
    make_user(folder)
    with Server(folder) as server:
        token = make_token(folder)
        assert server.call("POST", "/api/sites", {"code": "before", "name": "Before"}, token)[0] == 201
        paused = processes_of_server()
        for pid in paused:
            os.kill(pid, signal.SIGSTOP)
        try:
            until(lambda: server.call("GET", "/ready")[0] == 503)
            stores = {item["store"]: item["state"] for item in server.call("GET", "/ready")[1]["stores"]}
            assert stores["relational"] == "away" and stores["series"] == "ok"
            assert server.call("GET", "/health")[0] == 200
        finally:
            for pid in paused:
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass
        until(lambda: server.call("GET", "/ready")[0] == 200)
        until(lambda: server.call("POST", "/api/sites", {"code": "after", "name": "After"}, token)[0] in (201, 409))
        codes = {item["code"] for item in server.call("GET", "/api/sites", token=token)[1]["items"]}
        assert codes == {"before", "after"}


def test_cut_connections_are_made_again(folder):
    make_user(folder)
    with Server(folder) as server:
        token = make_token(folder)
        for index in range(3):
            administrator(
                f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{os.environ['POSTGRES_DB']}'")
            status, answer = server.call("POST", "/api/sites", {"code": f"s{index}", "name": "S"}, token)
            assert status == 201, answer
        assert server.call("GET", "/ready")[0] == 200


def test_a_schema_that_is_behind_or_ahead_is_refused_with_the_command(folder):
    make_user(folder)
    database = os.environ["POSTGRES_DB"]
    newest = administrator("SELECT max(number) FROM schema_migrations", database)
    administrator(f"UPDATE schema_migrations SET number = 9000 WHERE number = {newest}", database)
    done = subprocess.run([BINARY, "serve", "--data", str(folder), "--port", str(free_port())], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode != 0 and "newer" in done.stderr, done.stderr
    administrator(f"DELETE FROM schema_migrations WHERE number = 9000", database)
    done = subprocess.run([BINARY, "serve", "--data", str(folder), "--port", str(free_port())], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode != 0 and "vigil migrate up" in done.stderr, done.stderr


def test_a_wrong_password_is_said_without_the_password(folder, monkeypatch):
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    done = run("user", "list", "--data", folder, "--tenant", "acme", check=False)
    assert done.returncode != 0 and "hunter2" not in done.stdout + done.stderr
    assert "reason=authentication" in done.stderr, done.stderr


def test_a_full_server_is_told_and_waited_for(folder):
    make_user(folder)
    with Server(folder) as server:
        token = make_token(folder)
        database = os.environ["POSTGRES_DB"]
        administrator(f"ALTER DATABASE {database} CONNECTION LIMIT 0")
        administrator(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}'")
        until(lambda: server.call("GET", "/ready")[0] == 503)
        administrator(f"ALTER DATABASE {database} CONNECTION LIMIT -1")
        until(lambda: server.call("GET", "/ready")[0] == 200)
        assert server.call("POST", "/api/sites", {"code": "s", "name": "S"}, token)[0] == 201
