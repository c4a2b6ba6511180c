"""What only a server can do to us: pause, cut connections, run out of them, be newer than we are."""

import itertools
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import pytest
from conftest import BINARY, STORES, Server, free_port, make_token, make_user, new_database, run
from cut_proxy import proxied

ENGINES = str(pathlib.Path(__file__).parents[2] / "Scripts/engines")

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


def until(condition, seconds=90):
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
    # Neither does it move a schema that it does not know.
    done = run("migrate", "up", "--data", folder, "--without-backup", check=False)
    assert done.returncode != 0 and "newer" in done.stderr, done.stderr
    administrator(f"DELETE FROM schema_migrations WHERE number = 9000", database)
    done = subprocess.run([BINARY, "serve", "--data", str(folder), "--port", str(free_port())], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode != 0 and "vigil migrate up" in done.stderr, done.stderr


def relational(server):
    """How the tables' store is, and why."""
    return next(item for item in server.call("GET", "/ready")[1]["stores"] if item["store"] == "relational")


def test_a_wrong_password_is_said_without_the_password(own_login, monkeypatch):
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    done = run("user", "list", "--data", own_login, "--tenant", "acme", check=False)
    assert done.returncode != 0 and "hunter2" not in done.stdout + done.stderr
    assert "reason=authentication" in done.stderr, done.stderr


def test_a_password_that_is_changed_under_a_server_is_told_and_it_goes_on_when_it_is_right_again(own_login):
    make_user(own_login)
    database = os.environ["POSTGRES_DB"]
    with Server(own_login) as server:
        token = make_token(own_login)
        administrator(f"ALTER ROLE {database} PASSWORD 'hunter2'")
        administrator(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}'")
        until(lambda: server.call("GET", "/ready")[0] == 503)
        until(lambda: "reason=authentication" in (relational(server)["reason"] or ""))
        assert "hunter2" not in json.dumps(server.call("GET", "/ready")[1]) and "plain" not in relational(server)["reason"]
        administrator(f"ALTER ROLE {database} PASSWORD 'plain'")
        until(lambda: server.call("GET", "/ready")[0] == 200)
        assert server.call("POST", "/api/sites", {"code": "s", "name": "S"}, token)[0] == 201


def test_two_that_migrate_at_once_do_each_step_once_and_one_that_dies_harms_nobody(tmp_path, monkeypatch):
    for name, value in new_database(STORES.removeprefix("postgresql"), "mig_" + os.urandom(6).hex()).items():
        monkeypatch.setenv(name, value)
    # The copy is another test's matter, and a machine need not have a pg_dump as new as its server.
    command = [BINARY, "migrate", "up", "--without-backup", "--data"]

    def begin(name):
        return subprocess.Popen([*command, str(tmp_path / name)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    # One is killed wherever it is; what it had begun is undone by the server.
    dying = begin("dying")
    time.sleep(0.25)
    dying.kill()
    dying.communicate()
    both = [begin("one"), begin("other")]
    said = [process.communicate(timeout=90) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    numbers = administrator("SELECT number FROM schema_migrations ORDER BY 1", os.environ["POSTGRES_DB"]).split()
    assert len(numbers) == len(set(numbers)) > 5
    assert "Nothing is pending." in run("migrate", "up", "--data", tmp_path / "one").stdout
    make_user(tmp_path / "one")
    with Server(tmp_path / "one") as server:
        until(lambda: server.call("GET", "/ready")[0] == 200)


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


# -- The answer to a commit is lost --------------------------------------------------------------------------------


def sites(server, token):
    return {item["code"] for item in server.call("GET", "/api/sites", token=token)[1]["items"]}


@pytest.mark.parametrize("deliver", [True, False], ids=["it happened", "it did not happen"])
def test_a_lost_answer_to_a_commit_is_told_and_the_key_settles_it(folder, monkeypatch, deliver):
    make_user(folder)
    proxy = proxied(monkeypatch)
    with Server(folder) as server:
        token = make_token(folder)
        body, key = {"code": "lost-site", "name": "Lost"}, {"Idempotency-Key": "k1"}
        proxy.lose_commit("lost-site", deliver)
        status, problem = server.call("POST", "/api/sites", body, token, key)
        assert proxy.lost.is_set()
        assert status == 503 and problem["code"] == "store.uncertain", problem
        assert "Idempotency-Key" in problem["detail"]
        proxy.heal()
        until(lambda: server.call("GET", "/ready")[0] == 200)
        # Nothing else knows what became of it; the key does.
        status, answer = server.call("POST", "/api/sites", body, token, key)
        if deliver:
            assert status == 409 and answer["code"] == "idempotency.done", answer
        else:
            assert status == 201, answer
            assert server.call("POST", "/api/sites", body, token, key)[0] == 201
        assert sites(server, token) == {"lost-site"}


def test_a_lost_answer_is_found_again_when_the_server_comes_back_in_time(folder, monkeypatch):
    make_user(folder)
    proxy = proxied(monkeypatch)
    with Server(folder) as server:
        token = make_token(folder)
        proxy.lose_commit("found-site")
        healer = threading.Thread(target=lambda: (proxy.lost.wait(20), time.sleep(1), proxy.heal()))
        healer.start()
        status, answer = server.call("POST", "/api/sites", {"code": "found-site", "name": "Found"}, token)
        healer.join()
        assert status == 201, answer
        assert sites(server, token) == {"found-site"}


def test_half_open_connections_are_given_up_and_work_goes_on(folder, monkeypatch):
    make_user(folder)
    proxy = proxied(monkeypatch)
    with Server(folder) as server:
        token = make_token(folder)
        assert server.call("POST", "/api/sites", {"code": "before", "name": "Before"}, token)[0] == 201
        proxy.silence()
        until(lambda: server.call("GET", "/ready")[0] == 503)
        assert server.call("GET", "/health")[0] == 200
        # What was half-open stays so: the server behind it is reached by new connections only.
        proxy.pairs, half_open = [], proxy.pairs
        proxy.heal()
        for pair in half_open:
            for end in pair:
                end.close()
        until(lambda: server.call("GET", "/ready")[0] == 200)
        assert server.call("POST", "/api/sites", {"code": "after", "name": "After"}, token)[0] == 201


# -- Several nodes and servers -------------------------------------------------------------------------------------


def test_two_nodes_tell_each_other_at_once(folder, tmp_path, monkeypatch):
    from websockets.sync.client import connect

    monkeypatch.setenv("VIGIL_MASTER_KEY", "ab" * 32)
    make_user(folder)
    with Server(folder) as first, Server(tmp_path / "other") as second:
        token = make_token(folder)
        address = second.url.replace("http", "ws") + "/api/live"
        with connect(address, additional_headers={"Authorization": f"Token {token}"}) as socket:
            socket.send(json.dumps({"type": "subscribe", "patterns": ["*"]}))
            while json.loads(socket.recv(timeout=20))["type"] != "subscribed":
                pass
            waits = []
            for number in range(6):
                begun = time.monotonic()
                assert first.call("POST", "/api/sites", {"code": f"n{number}", "name": "N"}, token)[0] == 201
                while True:
                    # The oldest transaction of the whole server holds entries back, and tests before this one left some.
                    message = json.loads(socket.recv(timeout=60))
                    if message["type"].startswith("site."):
                        break
                waits.append(time.monotonic() - begun)
            # By asking now and then it would take half a second on average.
            assert sorted(waits)[len(waits) // 2] < 0.25, waits


class Pair:
    """A primary and a standby of their own, and a database with Vigil's schema on them."""

    def __init__(self, version, port, monkeypatch, folder):
        said = subprocess.run([ENGINES, "replicas", version, str(port), str(port + 1)], stdout=subprocess.PIPE,
                              text=True, check=True).stdout
        self.values = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        name = "pair_" + os.urandom(4).hex()
        primary, standby = self.values["PRIMARY"], self.values["STANDBY"]
        for statement in (f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD 'plain'", f"CREATE DATABASE {name} OWNER {name}"):
            self.sql(primary, statement)
        hosts = [url.rsplit("@", 1)[1].split("/")[0] for url in (primary, standby)]
        for variable in ("POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB", "POSTGRES_USER"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("VIGIL_POSTGRES_TENANT_ROLE", name + "_tenant")
        monkeypatch.setenv("VIGIL_POSTGRES_SYSTEM_ROLE", name + "_system")
        monkeypatch.setenv("DB_PASSWORD", "plain")
        monkeypatch.setenv("DATABASE_URL", f"postgresql://{name}@{hosts[0]},{hosts[1]}/{name}")
        monkeypatch.setenv("VIGIL_POSTGRES_REPLICA_URL", f"postgresql://{name}@{hosts[1]},{hosts[0]}/{name}")
        self.database = name
        run("migrate", "up", "--data", folder)

    def sql(self, url, statement, database=None):
        if database:
            url = url.rsplit("/", 1)[0] + "/" + database
        return subprocess.run(["psql", "-qAt", url, "-c", statement], check=True, capture_output=True, text=True).stdout.strip()

    def end(self):
        for name in ("PRIMARY_PID", "STANDBY_PID"):
            try:
                os.kill(int(self.values[name]), signal.SIGQUIT)
            except ProcessLookupError:
                pass


@pytest.fixture
def pair(tmp_path, monkeypatch):
    if "VIGIL_ENGINES_RUN" not in os.environ:
        pytest.skip("only beside engines of Scripts/engines run")
    prepare = Pair(STORES.removeprefix("postgresql"), 57_000 + (os.getpid() * 2) % 900, monkeypatch, tmp_path / "data")
    yield prepare
    prepare.end()


def test_the_primary_is_killed_under_load_and_nothing_acknowledged_is_lost(pair, tmp_path):
    folder = tmp_path / "data"
    make_user(folder)
    with Server(folder) as server:
        token = make_token(folder)
        acknowledged, strange, ended = [], [], threading.Event()

        def write(writer):
            for number in itertools.count():
                if ended.is_set():
                    return
                code = f"w{writer}-{number}"
                status, answer = server.call("POST", "/api/sites", {"code": code, "name": "W"}, token)
                if status == 201:
                    acknowledged.append(code)
                elif status != 503:
                    strange.append((status, answer))

        writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for writer in writers:
            writer.start()
        until(lambda: len(acknowledged) > 20)
        os.kill(int(pair.values["PRIMARY_PID"]), signal.SIGQUIT)
        until(lambda: server.call("GET", "/ready")[0] == 503)
        stores = {item["store"]: item["state"] for item in server.call("GET", "/ready")[1]["stores"]}
        assert stores["relational"] == "away", stores
        before = len(acknowledged)
        pair.sql(pair.values["STANDBY"], "SELECT pg_promote(true, 20)")
        pair.sql(pair.values["STANDBY"], "ALTER SYSTEM SET synchronous_standby_names = ''")
        pair.sql(pair.values["STANDBY"], "SELECT pg_reload_conf()")
        until(lambda: len(acknowledged) > before + 20)
        ended.set()
        for writer in writers:
            writer.join()
        until(lambda: server.call("GET", "/ready")[0] == 200)
        assert not strange, strange[:3]
        stored = set(pair.sql(pair.values["STANDBY"], "SELECT code FROM sites", pair.database).split())
        assert not set(acknowledged) - stored


def test_lists_are_read_from_the_standby_and_show_what_was_just_done(pair, tmp_path):
    folder = tmp_path / "data"
    make_user(folder)
    with Server(folder) as server:
        token = make_token(folder)

        def reads():
            return int(pair.sql(
                pair.values["STANDBY"], f"SELECT xact_commit FROM pg_stat_database WHERE datname = '{pair.database}'"))

        before = reads()
        for number in range(30):
            assert server.call("POST", "/api/sites", {"code": f"s{number}", "name": "S"}, token)[0] == 201
            entries = server.call("GET", "/api/audit?limit=1", token=token)[1]["items"]
            assert entries[0]["target"]["id"] if "target" in entries[0] else entries, entries
        until(lambda: reads() >= before + 30)
        assert "standby pool" in run("doctor", "--data", folder).stdout


# -- Care ----------------------------------------------------------------------------------------------------------


def test_the_doctor_of_a_plain_login_tells_limits_pool_settings_and_sizes(own_login):
    make_user(own_login)
    database = os.environ["POSTGRES_DB"]
    administrator(f"ALTER ROLE {database} CONNECTION LIMIT 20")
    with Server(own_login) as server:
        make_token(own_login)
        facts = {}
        for item in json.loads(run("doctor", "--data", own_login, "--json", check=False).stdout)["facts"]:
            facts.setdefault(item["name"], []).append(item)
        assert "at most 8" in facts["pool"][0]["value"] and "waiting" in facts["pool"][0]["value"]
        assert "opened again" in facts["pool"][0]["value"] and "had to wait" in facts["pool"][0]["value"]
        assert facts["engine"][0]["value"].startswith("PostgreSQL " + STORES.removeprefix("postgresql"))
        assert "plpgsql" in facts["extensions"][0]["value"] and "table users" in facts
        assert "for this machine" in facts["shared_buffers"][0]["value"]
        assert facts["connections of the login"][0]["state"] == "ok"
        # The warning comes when there is something to warn of.
        administrator(f"ALTER ROLE {database} CONNECTION LIMIT 2")
        facts = json.loads(run("doctor", "--data", own_login, "--json", check=False).stdout)["facts"]
        assert [item["state"] for item in facts if item["name"] == "connections of the login"] == ["warning"], facts
        administrator(f"ALTER ROLE {database} CONNECTION LIMIT -1")
        administrator("CREATE EXTENSION pg_stat_statements", database)
        assert server.call("GET", "/ready")[0] == 200
        facts = json.loads(run("doctor", "--data", own_login, "--json", check=False).stdout)["facts"]
        statements = [item["value"] for item in facts if item["name"] == "slow statement"]
        assert statements and not any("insufficient privilege" in text for text in statements), statements


def metrics(server, token):
    lines = [line.rsplit(" ", 1) for line in server.call("GET", "/metrics", token=token)[1].splitlines() if line[0] != "#"]
    return {name: float(value) for name, value in lines}


def test_the_pool_is_seen_in_the_metrics_while_the_server_is_away_too(folder):
    make_user(folder)
    database = os.environ["POSTGRES_DB"]
    with Server(folder) as server:
        token = make_token(folder)
        before = metrics(server, token)
        assert before['vigil_pool_maximum{pool="primary"}'] == 8
        assert before['vigil_pool_opened_total{pool="primary"}'] >= 1
        assert sum(before[f'vigil_pool_connections{{pool="primary",state="{state}"}}'] for state in ("idle", "busy")) >= 1
        for name in ("waiting", "waits_total", "wait_seconds_total", "timeouts_total"):
            assert before[f'vigil_pool_{name}{{pool="primary"}}'] >= 0
        administrator(f"ALTER DATABASE {database} CONNECTION LIMIT 0")
        administrator(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}'")
        until(lambda: server.call("GET", "/ready")[0] == 503)
        away = metrics(server, None)
        assert away['vigil_store_up{store="relational"}'] == 0
        assert away['vigil_pool_failures_total{pool="primary"}'] > before['vigil_pool_failures_total{pool="primary"}']
        administrator(f"ALTER DATABASE {database} CONNECTION LIMIT -1")
        until(lambda: server.call("GET", "/ready")[0] == 200)
        after = metrics(server, token)
        assert after['vigil_pool_lost_total{pool="primary"}'] >= 1
        assert after['vigil_pool_reconnects_total{pool="primary"}'] >= 1


def test_a_copy_before_a_migration_is_whole_or_not_there_and_says_what_to_do(folder, tmp_path):
    make_user(folder)
    run("migrate", "down", "--data", folder, "--without-backup")
    version = STORES.removeprefix("postgresql")
    shim = tmp_path / "pg_dump"
    shim.write_text("#!/bin/sh\n[ \"$1\" != --version ] || { echo 'pg_dump (PostgreSQL) 14.2'; exit; }\nexit 1\n")
    shim.chmod(0o755)
    os.environ["VIGIL_POSTGRES_PG_DUMP"] = str(shim)
    try:
        done = run("migrate", "up", "--data", folder, check=False)
    finally:
        del os.environ["VIGIL_POSTGRES_PG_DUMP"]
    assert done.returncode != 0 and "--without-backup" in done.stderr and "nothing was changed" in done.stderr, done.stderr
    done = run("migrate", "up", "--data", folder, check=False)
    copies = list((folder / "backups").glob("*"))
    if done.returncode == 0:
        assert [path.suffix for path in copies] == [".dump"] and copies[0].stat().st_size > 10_000
    else:
        # Only a client as new as the server can copy it.
        assert f"install the client of PostgreSQL {version}" in done.stderr, done.stderr
        assert "--without-backup" in done.stderr and copies == []
        run("migrate", "up", "--data", folder, "--without-backup")
    assert "Nothing is pending." in run("migrate", "up", "--data", folder).stdout


def test_an_expired_certificate_stops_the_start_and_a_good_one_does_not(pair, tmp_path, monkeypatch):
    folder = tmp_path / "data"
    tls = os.environ["VIGIL_TEST_POSTGRES_TLS"]
    address = pair.values["PRIMARY"].rsplit("@", 1)[1].split("/")[0]
    monkeypatch.delenv("VIGIL_POSTGRES_REPLICA_URL")
    monkeypatch.setenv(
        "DATABASE_URL",
        f"postgresql://{pair.database}@{address}/{pair.database}?sslmode=verify-full&sslrootcert={tls}/ca.crt")
    data = pair.sql(pair.values["PRIMARY"], "SHOW data_directory")

    def present(name):
        for statement in (f"ALTER SYSTEM SET ssl_cert_file = '{data}.tls/{name}.crt'",
                          f"ALTER SYSTEM SET ssl_key_file = '{data}.tls/{name}.key'", "SELECT pg_reload_conf()",
                          "SELECT pg_sleep(0.5)"):
            pair.sql(pair.values["PRIMARY"], statement)

    with Server(folder) as server:
        until(lambda: server.call("GET", "/ready")[0] == 200)
        # It expires while the server runs: what is connected stays so, what connects anew is refused and says why.
        present("expired")
        assert server.call("GET", "/ready")[0] == 200
        pair.sql(pair.values["PRIMARY"], "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                 f"WHERE datname = '{pair.database}'")
        until(lambda: server.call("GET", "/ready")[0] == 503)
        until(lambda: "reason=certificate" in (relational(server)["reason"] or ""))
        present("server")
        until(lambda: server.call("GET", "/ready")[0] == 200)
    present("expired")
    done = subprocess.run([BINARY, "serve", "--data", str(folder), "--port", str(free_port())], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode != 0 and "reason=certificate" in done.stderr, done.stderr
    # One that another authority signed is no better.
    present("server")
    good = os.environ["DATABASE_URL"]
    monkeypatch.setenv("DATABASE_URL", good.replace("/ca.crt", "/other.crt"))
    assert "reason=certificate" in run("user", "list", "--data", folder, "--tenant", "acme", check=False).stderr
