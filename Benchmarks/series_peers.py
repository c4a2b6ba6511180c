"""The estate of SeriesBenchmark in VictoriaMetrics and DuckDB, and the same questions; prints `name value unit`.

series_peers.py victoria PROGRAM FOLDER            line protocol from standard input, its size after the merge, questions
series_peers.py victoria-cold PROGRAM FOLDER       each question to a server that has just begun, its files not in memory
series_peers.py duckdb CSV FILE | duckdb-cold FILE the same
"""
import http.client
import json
import os
import pathlib
import queue
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

START = 1_700_000_000
FIELDS = 10
HOUR = 3_600_000_000
FIVE = "estate_(temperature|pressure|humidity|voltage|flow)"


def measure(name, body):
    """The best of five and the first, in milliseconds."""
    times, count = [], 0
    for _ in range(5):
        begin = time.perf_counter()
        count = body()
        times.append((time.perf_counter() - begin) * 1000)
    print(f"{name} {min(times):.2f} ms warm, {times[0]:.2f} ms first, {count} results", flush=True)


def once(name, body):
    begin = time.perf_counter()
    count = body()
    print(f"{name} {(time.perf_counter() - begin) * 1000:.2f} ms cold, {count} results", flush=True)


def files(path):
    return [found for found in pathlib.Path(path).rglob("*") if found.is_file()]


def forget(paths):
    """Lets the system drop what it holds of files."""
    for path in paths:
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


class Victoria:
    def __init__(self, program, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder = folder
        begin = time.perf_counter()
        self.process = subprocess.Popen(
            [program, f"-httpListenAddr=127.0.0.1:{self.port}", f"-storageDataPath={folder}", "-retentionPeriod=100y",
             "-memory.allowedBytes=512MB", "-search.latencyOffset=0s", "-search.disableCache"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                self.ask("GET", "/health")
                break
            except ConnectionError:
                if self.process.poll() is not None:
                    raise SystemExit("victoria-metrics did not start")
                time.sleep(0.01)
        self.started = time.perf_counter() - begin

    def ask(self, method, route, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        connection.request(method, route, body)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{route}: {answer.status} {text[:200]}")
        return text

    def question(self, text, start, end, step):
        arguments = urllib.parse.urlencode({"query": text, "start": start, "end": end, "step": step, "nocache": 1})
        found = json.loads(self.ask("GET", "/api/v1/query_range?" + arguments))["data"]["result"]
        return sum(len(series["values"]) for series in found)

    def used(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self):
        return int(open(f"/proc/{self.process.pid}/statm").read().split()[1]) * 4096 >> 20

    def bytes(self):
        """Of the whole folder, but for the caches that it writes down when it ends."""
        return sum(path.stat().st_size for path in files(self.folder) if path.relative_to(self.folder).parts[0] != "cache")

    def merge(self, points):
        """Until all points are in one part for each month, as it says itself."""
        for _ in range(60):
            self.ask("GET", "/internal/force_flush")
            self.ask("GET", "/internal/force_merge")
            time.sleep(2)
            while b"vm_active_force_merges 0" not in self.ask("GET", "/metrics"):
                time.sleep(0.5)
            parts = [path for path in files(self.folder) if path.name == "metadata.json" and "data" in path.parts]
            rows = sum(json.loads(path.read_text())["RowsCount"] for path in parts)
            if rows == points and len(parts) == len({path.parent.parent for path in parts}):
                return
        raise SystemExit(f"the merge does not end: {len(parts)} parts with {rows} of {points} rows")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def questions(end):
    return [
        ("one-1h-by-1min", 'avg_over_time(estate_temperature{device="d7"}[1m])', end - 3600, end, 60),
        ("eight-6h-by-5min", 'avg_over_time(estate_temperature{device=~"d[1-8]"}[5m])', end - 21600, end, 300),
        ("all-by-1h-one-metric", "avg_over_time(estate_temperature[1h])", START + 3600, end, 3600),
        ("all-by-1h-five-metrics", f'avg_over_time({{__name__=~"{FIVE}"}}[1h])', START + 3600, end, 3600),
        ("mean-of-everything", f'avg_over_time({{__name__=~"estate_.*"}}[{end - START}s])', end, end, 60),
    ]


def fill(server, source, senders=2):
    """Sends what comes in pieces of whole lines; returns the count of lines and the last line."""
    waiting = queue.Queue(maxsize=4)
    failures = []

    def send():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
        while (piece := waiting.get()) is not None:
            connection.request("POST", "/write?precision=u", piece)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                failures.append(text[:200])

    threads = [threading.Thread(target=send) for _ in range(senders)]
    for thread in threads:
        thread.start()
    count, rest, last = 0, b"", b""
    while piece := source.read(2 << 20):
        piece = rest + piece
        cut = piece.rfind(b"\n") + 1
        piece, rest = piece[:cut], piece[cut:]
        count += piece.count(b"\n")
        last = piece[piece.rfind(b"\n", 0, cut - 1) + 1:] or last
        waiting.put(piece)
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.join()
    if failures or rest:
        raise SystemExit(f"refused: {failures[:1] or rest}")
    return count, last


def victoria(program, folder):
    server = Victoria(program, folder)
    try:
        begin = time.perf_counter()
        count, last = fill(server, sys.stdin.buffer)
        spent, points = time.perf_counter() - begin, count * FIELDS
        print(f"victoria-append {points / spent:.0f} points/s (HTTP, while the estate is made beside it)")
        print(f"victoria-append-used {points / server.used():.0f} points per processor second")
        server.merge(points)
        print(f"victoria-size {server.bytes() / points:.4f} bytes/point of {points}, merged, without its caches")
        parts = {}
        for path in files(folder):
            part = "/".join(path.relative_to(folder).parts[:2])
            parts[part] = parts.get(part, 0) + path.stat().st_size
        for part, size in sorted(parts.items(), key=lambda item: -item[1])[:5]:
            print(f"victoria-size-of {part} {size / points:.4f} bytes/point")
        print(f"victoria-resident {server.resident()} MB", flush=True)
        end = int(last.rsplit(b" ", 1)[1]) // 1_000_000 + 1
        pathlib.Path(folder + ".end").write_text(str(end))
        for name, *question in questions(end):
            measure("victoria-" + name, lambda: server.question(*question))
    finally:
        server.stop()


def victoria_cold(program, folder):
    end = int(pathlib.Path(folder + ".end").read_text())
    starts = []
    for name, *question in questions(end):
        forget(files(folder))
        server = Victoria(program, folder)
        starts.append(server.started)
        try:
            once("victoria-" + name, lambda: server.question(*question))
        finally:
            resident = server.resident()
            server.stop()
    print(f"victoria-start {sorted(starts)[len(starts) // 2]:.2f} s, cold; {resident} MB after the last question")


def duck_questions(last, fields):
    latest = ", ".join(f"arg_max({field}, time)" for field in fields)
    means = ", ".join(f"avg({field})" for field in fields)
    eight = ", ".join(f"'d{number}'" for number in range(1, 9))
    return [
        ("latest-of-all", f"SELECT device, {latest} FROM e GROUP BY device"),
        ("one-1h-by-1min",
         f"SELECT time // 60000000, avg(temperature) FROM e WHERE device = 'd7' AND time >= {last - HOUR} GROUP BY 1"),
        ("eight-6h-by-5min",
         f"SELECT device, time // 300000000, avg(temperature) FROM e WHERE device IN ({eight}) "
         f"AND time >= {last - 6 * HOUR} GROUP BY 1, 2"),
        ("all-by-1h-one-metric", f"SELECT device, time // {HOUR}, avg(temperature) FROM e GROUP BY 1, 2"),
        ("all-by-1h-five-metrics",
         f"SELECT device, time // {HOUR}, avg(temperature), avg(pressure), avg(humidity), avg(voltage), avg(flow) "
         "FROM e GROUP BY 1, 2"),
        ("mean-of-everything", f"SELECT device, {means} FROM e GROUP BY device"),
        ("count-above", "SELECT count(*) FROM e WHERE temperature > 21"),
    ]


def duck_open(target):
    import duckdb as library

    connection = library.connect(target)
    connection.execute("SET threads = 2")
    return connection, library.__version__


def duck_shape(connection):
    last = connection.execute("SELECT max(time) FROM e").fetchone()[0]
    fields = [name for name, *_ in connection.execute("DESCRIBE e").fetchall() if name not in ("device", "time")]
    return last, fields


def duckdb(path, target):
    connection, version = duck_open(target)
    begin = time.perf_counter()
    connection.execute(f"CREATE TABLE e AS SELECT * FROM read_csv('{path}')")
    connection.execute("CHECKPOINT")
    spent = time.perf_counter() - begin
    last, fields = duck_shape(connection)
    points = connection.execute("SELECT count(*) FROM e").fetchone()[0] * len(fields)
    print(f"duckdb-append {points / spent:.0f} points/s (from CSV, {version})")
    print(f"duckdb-size {os.path.getsize(target) / points:.4f} bytes/point of {points}")
    for name, text in duck_questions(last, fields):
        measure("duckdb-" + name, lambda: len(connection.execute(text).fetchall()))


def duckdb_cold(target):
    connection, _ = duck_open(target)
    asked = duck_questions(*duck_shape(connection))
    for name, text in asked:
        connection.close()
        forget([target])
        connection, _ = duck_open(target)
        once("duckdb-" + name, lambda: len(connection.execute(text).fetchall()))


if __name__ == "__main__":
    parts = {"victoria": victoria, "victoria-cold": victoria_cold, "duckdb": duckdb, "duckdb-cold": duckdb_cold}
    parts[sys.argv[1]](*sys.argv[2:])
