"""Drives the built binary as its users do: a folder, a server, a token, real clients."""

import functools
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect

# What a page is to show, it shows in seconds where a browser and a server share two busy cores; who waits for what comes
# loses nothing by more patience.
expect.set_options(timeout=60_000)

# Where the tables are: embedded, or the PostgreSQL server of that version which Scripts/engines has started.
STORES = os.environ.get("VIGIL_TEST_STORES", "embedded")
BINARY = os.environ.get("VIGIL_BINARY", str(pathlib.Path(__file__).parents[2] / ".build/release/vigil"))
SHARED = pathlib.Path(os.environ.get("VIGIL_SHARED", pathlib.Path(__file__).parents[3] / "shared"))
PASSWORD = "correct horse battery"


def run(*arguments, stdin=None, check=True, environment=None):
    """Runs the command line and gives what it printed."""
    done = subprocess.run(
        [BINARY, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=120,
        env={**os.environ, **(environment or {})})
    if check:
        assert done.returncode == 0, done.stderr
    return done


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server on a folder; `with` ends it."""

    def __init__(self, folder, *flags):
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(folder.parent / "serve.log", "ab")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data", str(folder), "--port", str(self.port), *flags],
            stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 60
        while True:
            assert self.process.poll() is None, (folder.parent / "serve.log").read_text()
            try:
                urllib.request.urlopen(self.url + "/health", timeout=2).read()
                return
            except (urllib.error.URLError, ConnectionError):
                assert time.monotonic() < deadline, "the server did not come up"
                time.sleep(0.02)

    def stop(self, how=signal.SIGTERM):
        """Ends the server and says how many seconds it took."""
        begun = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(timeout=60)
        self.log.close()
        return time.monotonic() - begun

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def ready(self, status=200, says="", seconds=60):
        """Waits until /ready answers so, and gives its answer: just begun on a busy machine, a store may be late."""
        deadline = time.monotonic() + seconds
        while True:
            got, answer = self.call("GET", "/ready")
            if got == status and says in json.dumps(answer):
                return answer
            assert time.monotonic() < deadline, answer
            time.sleep(0.2)

    def call(self, method, path, body=None, token=None, headers=None, scheme="Token"):
        """Gives the status and the answer: JSON as a value, everything else as text."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if token:
            request.add_header("Authorization", f"{scheme} {token}")
        if data is not None:
            request.add_header("Content-Type", "application/json" if not isinstance(body, bytes) else "text/plain")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        text = answer.read().decode()
        isJSON = "json" in (answer.headers.get("Content-Type") or "")
        return answer.status, json.loads(text) if isJSON and text else text


def make_user(folder, tenant="acme", name="ann"):
    run("user", "create", "--data", folder, "--tenant", tenant, "--username", name, "--role", "admin",
        "--password-stdin", stdin=PASSWORD)


def make_token(folder, tenant="acme", name="ann"):
    return run("token", "create", "--data", folder, "--tenant", tenant, "--username", name, "--name", "test").stdout.strip()


def psql(version, *statements):
    """Runs statements on the server of that version as its administrator."""
    for statement in statements:
        subprocess.run(["psql", "-q", os.environ[f"VIGIL_TEST_POSTGRES{version}"], "-c", statement], check=True,
                       capture_output=True)


def environment_of(version, name, login):
    """What makes the program use that database as that login."""
    address = os.environ[f"VIGIL_TEST_POSTGRES{version}"].rsplit("@", 1)[1].split("/")[0]
    return {
        "DATABASE_ENGINE": "postgresql", "POSTGRES_HOST": address.split(":")[0], "POSTGRES_PORT": address.split(":")[1],
        "POSTGRES_DB": name, "POSTGRES_USER": login, "DB_PASSWORD": "plain", "VIGIL_POSTGRES_POOL": "8",
        "VIGIL_POSTGRES_TENANT_ROLE": login + "_tenant", "VIGIL_POSTGRES_SYSTEM_ROLE": login + "_system",
    }


def new_database(version, name):
    """An empty database; gives the environment that names it."""
    # A plain login with roles of its own: nothing here needs an administrator.
    psql(version, f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD 'plain'", f"CREATE DATABASE {name} OWNER {name}")
    return environment_of(version, name, name)


@functools.cache
def migrated_template(version):
    """The name of a database with Vigil's schema, made once by the program itself; the tests' are copies of it."""
    name = "acc_" + os.urandom(6).hex()
    with tempfile.TemporaryDirectory() as folder:
        run("migrate", "up", "--data", folder + "/data", environment=new_database(version, name))
    # Nobody may be in it while it is copied.
    psql(version, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
         f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    return name


def prepare_stores(folder):
    """Makes the stores of a folder that are not in it; gives what must be in the environment from now on."""
    if STORES == "embedded":
        return {}
    version = STORES.removeprefix("postgresql")
    template, name = migrated_template(version), "acc_" + os.urandom(6).hex()
    psql(version, f"CREATE DATABASE {name} OWNER {template} TEMPLATE {template}")
    variables = environment_of(version, name, template)
    os.environ.update(variables)
    return variables


embedded_only = pytest.mark.skipif(STORES != "embedded", reason="about the files of the embedded stores")


@pytest.fixture
def folder(tmp_path):
    variables = prepare_stores(tmp_path / "data")
    yield tmp_path / "data"
    for variable in variables:
        del os.environ[variable]


@pytest.fixture
def own_login(tmp_path):
    """A folder whose database has a login of its own, for tests that change it."""
    variables = new_database(STORES.removeprefix("postgresql"), "acc_" + os.urandom(6).hex())
    os.environ.update(variables)
    run("migrate", "up", "--data", tmp_path / "data")
    yield tmp_path / "data"
    for variable in variables:
        del os.environ[variable]


@pytest.fixture
def place(folder):
    """A folder with a user, a server on it, and a token."""
    make_user(folder)
    with Server(folder) as server:
        server.token = make_token(folder)
        yield server


@pytest.fixture
def machine():
    path = SHARED / "data/machine_temperature_system_failure.csv"
    if not path.exists():
        if "data" in os.environ.get("VIGIL_REQUIRE", ""):
            pytest.fail(f"required but absent: {path}")
        pytest.skip(f"absent: {path}")
    return path
