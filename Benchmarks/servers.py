"""Servers that benchmarks start on 127.0.0.1, Vigil and its peers, each with a folder of its own."""
import atexit
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

PASSWORD = "correct horse battery"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process, path="/health", seconds=30):
    """Returns when the port answers."""
    begun = time.perf_counter()
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", path)
            connection.getresponse().read()
            return
        except OSError:
            if process.poll() is not None or time.perf_counter() - begun > seconds:
                sys.exit(f"{process.args[0]} did not come up")
            time.sleep(0.002)


def cpu(process):
    """Seconds of processor time that the process has used, by users' code and by the kernel for it."""
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process):
    """Megabytes of memory."""
    for line in open(f"/proc/{process.pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024


class Server:
    """A process that takes line protocol in seconds at the path `write`, with `headers`; `name` is for tables."""

    name, write, headers, health = "", "/write?precision=s", {}, "/health"

    def __init__(self):
        self.port, self.process = free_port(), None
        atexit.register(self.kill)

    def launch(self, command, environment=None):
        """Seconds until it answers."""
        begun = time.perf_counter()
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.port, self.process, self.health)
        return time.perf_counter() - begun

    def call(self, method, path, body=None, kind="application/json", timeout=60):
        """Status and text of an answer; a body that is no text yet becomes JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        connection.request(method, path, body if isinstance(body, (bytes, type(None))) else json.dumps(body),
                           {**self.headers, "Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def settle(self):
        """Lets questions see all that was taken."""

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Vigil(Server):
    name = "Vigil"

    def __init__(self, binary, folder):
        super().__init__()
        self.binary, self.folder = binary, folder
        subprocess.run([binary, "user", "create", "--data", folder, "--tenant", "t", "--username", "ann", "--role",
                        "admin", "--password-stdin"], input=PASSWORD, text=True, check=True, capture_output=True)
        self.token = subprocess.run([binary, "token", "create", "--data", folder, "--tenant", "t", "--username", "ann",
                                     "--name", "bench"], text=True, check=True, capture_output=True).stdout.strip()
        self.headers = {"Authorization": "Token " + self.token}

    def start(self):
        # Limits on requests are for the open network; a benchmark is one caller.
        return self.launch([self.binary, "serve", "--data", self.folder, "--port", str(self.port)],
                           {**os.environ, "VIGIL_SERVER_RATE_PRINCIPAL": "1000000", "VIGIL_LOG_LEVEL": "warning"})


class VictoriaMetrics(Server):
    """`$VIGIL_VICTORIA_METRICS` or the `victoria-metrics` of the path, without caches of answers."""

    program = os.environ.get("VIGIL_VICTORIA_METRICS") or shutil.which("victoria-metrics")

    def __init__(self, folder, *options):
        super().__init__()
        self.name = f"VictoriaMetrics {self.version()}".strip()
        self.started = self.launch(
            [self.program, f"-httpListenAddr=127.0.0.1:{self.port}", f"-storageDataPath={folder}", "-retentionPeriod=100y",
             "-search.latencyOffset=0s", "-search.disableCache", *options])

    def version(self):
        """As it says itself; Debian's says nothing."""
        told = os.environ.get("VIGIL_VICTORIA_METRICS_VERSION")
        if told and "VIGIL_VICTORIA_METRICS" in os.environ:
            return told
        said = subprocess.run([self.program, "-version"], capture_output=True, text=True)
        if found := re.search(r"\d+\.\d+\.\d+", said.stdout + said.stderr):
            return found.group()
        if self.program != "/usr/bin/victoria-metrics":
            return ""
        said = subprocess.run(["dpkg-query", "-W", "-f=${Version}", "victoria-metrics"], capture_output=True, text=True)
        return re.split("[+-]", said.stdout)[0]

    def settle(self):
        self.call("GET", "/internal/force_flush", timeout=600)


class InfluxDB(Server):
    """The `influxd` of the path, version 1, as its package sets it up (what it takes is synced), without logs of requests."""

    program = shutil.which("influxd")
    write, health = "/write?db=bench&precision=s", "/ping"

    def __init__(self, folder):
        super().__init__()
        folder.mkdir()
        settings = folder / "influxdb.conf"
        settings.write_text(f"""
            reporting-disabled = true
            bind-address = "127.0.0.1:{free_port()}"
            [meta]
            dir = "{folder}/meta"
            [data]
            dir = "{folder}/data"
            wal-dir = "{folder}/wal"
            query-log-enabled = false
            [monitor]
            store-enabled = false
            [http]
            bind-address = "127.0.0.1:{self.port}"
            log-enabled = false
            [subscriber]
            enabled = false
            """)
        said = subprocess.run([self.program, "version"], capture_output=True, text=True).stdout
        found = re.search(r"\d+(\.\d+)+", said)
        self.name = f"InfluxDB {found.group() if found else ''}".strip()
        self.launch([self.program, "run", "-config", str(settings)])
        status, text = self.call("POST", "/query?q=CREATE%20DATABASE%20bench")
        if status >= 300:
            sys.exit(f"a database was refused: {text[:200]}")
