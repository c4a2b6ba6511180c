"""The estate of SeriesBenchmark in VictoriaMetrics, DuckDB and chdb, and the same questions; prints `name value unit`.

series_peers.py victoria PROGRAM FOLDER            line protocol from standard input, its size after the merge, questions
series_peers.py victoria-cold PROGRAM FOLDER       each question to a server that has just begun, its files not in memory
series_peers.py duckdb CSV FILE | duckdb-cold FILE the same in this process
series_peers.py chdb CSV FOLDER | chdb-cold FOLDER the same
"""
import functools
import http.client
import json
import multiprocessing
import os
import pathlib
import queue
import sys
import threading
import time
import urllib.parse

from servers import VictoriaMetrics, cpu, resident

START = 1_700_000_000
FIELDS = 10
INTEGERS = {"energy", "pulses", "state"}
HOUR = 3_600_000_000
FIVE = "estate_(temperature|pressure|humidity|voltage|flow)"


def measure(name, body):
    """The best of five and the first, in milliseconds."""
    times, count = [], 0
    for _ in range(5):
        begin = time.perf_counter()
        count = body()
        times.append((time.perf_counter() - begin) * 1000)
    print(f"{name} {min(times):.3f} ms warm, {times[0]:.3f} ms first, {count} results", flush=True)


def once(name, body):
    begin = time.perf_counter()
    count = body()
    print(f"{name} {(time.perf_counter() - begin) * 1000:.2f} ms cold, {count} results", flush=True)


def files(path):
    path = pathlib.Path(path)
    return [path] if path.is_file() else [found for found in path.rglob("*") if found.is_file()]


def forget(paths):
    """Lets the system drop what it holds of files."""
    for path in paths:
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


class Victoria(VictoriaMetrics):
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        super().__init__(folder, "-memory.allowedBytes=512MB")

    def ask(self, method, route, body=None):
        status, text = self.call(method, route, body, timeout=600)
        if status >= 300:
            raise SystemExit(f"{route}: {status} {text[:200]}")
        return text

    def question(self, text, start, end, step):
        arguments = urllib.parse.urlencode({"query": text, "start": start, "end": end, "step": step, "nocache": 1})
        found = json.loads(self.ask("GET", "/api/v1/query_range?" + arguments))["data"]["result"]
        return sum(len(series["values"]) for series in found)

    def bytes(self):
        """Of the whole folder, but for the caches that it writes down when it ends."""
        return sum(path.stat().st_size for path in files(self.folder) if path.relative_to(self.folder).parts[0] != "cache")

    def merge(self, points):
        """Until all points are in one part for each month, as it says itself."""
        for _ in range(60):
            self.settle()
            self.ask("GET", "/internal/force_merge")
            time.sleep(2)
            while b"vm_active_force_merges 0" not in self.ask("GET", "/metrics"):
                time.sleep(0.5)
            parts = [path for path in files(self.folder) if path.name == "metadata.json" and "data" in path.parts]
            rows = sum(json.loads(path.read_text())["RowsCount"] for path in parts)
            if rows == points and len(parts) == len({path.parent.parent for path in parts}):
                return
        raise SystemExit(f"the merge does not end: {len(parts)} parts with {rows} of {points} rows")


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
        print(f"victoria-append {points / spent:.0f} points/s ({server.name}, HTTP, while the estate is made beside it)")
        print(f"victoria-append-used {points / cpu(server.process):.0f} points per processor second")
        server.merge(points)
        print(f"victoria-size {server.bytes() / points:.4f} bytes/point of {points}, merged, without its caches")
        parts = {}
        for path in files(folder):
            part = "/".join(path.relative_to(folder).parts[:2])
            parts[part] = parts.get(part, 0) + path.stat().st_size
        for part, size in sorted(parts.items(), key=lambda item: -item[1])[:5]:
            print(f"victoria-size-of {part} {size / points:.4f} bytes/point")
        print(f"victoria-resident {resident(server.process):.0f} MB", flush=True)
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
            memory = resident(server.process)
            server.stop()
    print(f"victoria-start {sorted(starts)[len(starts) // 2]:.2f} s, cold; {memory:.0f} MB after the last question")


class DuckDB:
    """A table in a file."""

    title, window = "duckdb", "time // {}"

    def __init__(self, target):
        import duckdb

        self.target, self.version = target, duckdb.__version__
        self.connection = duckdb.connect(target)
        self.connection.execute("SET threads = 2")

    def fill(self, path):
        self.connection.execute(f"CREATE TABLE e AS SELECT * FROM read_csv('{path}')")
        self.connection.execute("CHECKPOINT")

    def merge(self):
        """A file has no parts."""

    def rows(self, text):
        return self.connection.execute(text).fetchall()

    def count(self, text):
        return len(self.rows(text))

    def bytes(self):
        return os.path.getsize(self.target)

    def close(self):
        self.connection.close()


class ClickHouse:
    """A table by series and time in a folder, in ClickHouse within this process."""

    title, window = "chdb", "intDiv(time, {})"

    def __init__(self, target):
        import chdb.session
        import pyarrow

        self.target, self.version = target, f"chdb {chdb.__version__}, ClickHouse {chdb.engine_version}"
        self.connection, self.read = chdb.session.Session(target), pyarrow.ipc.open_file
        # The second is for questions that group by what the table is ordered by: those by the hour then take half as long.
        self.connection.query("SET max_threads = 2, optimize_aggregation_in_order = 1")
        # The first answer in a format readies the library and not the table.
        self.rows("SELECT 1")

    def fill(self, path):
        # Of what its users choose for such columns, what takes the least here: decimals take three times the bytes with Gorilla
        # and ZSTD, nearly twice with ZSTD alone. Level 3 saves 2 %.
        with open(path) as file:
            fields = file.readline().strip().split(",")[2:]
        columns = ", ".join(f"{field} {self.column(field)}" for field in fields)
        self.connection.query(
            f"CREATE TABLE e (device LowCardinality(String), time Int64 CODEC(DoubleDelta, ZSTD(1)), {columns}) "
            "ENGINE = MergeTree ORDER BY (device, time)")
        self.connection.query(f"INSERT INTO e SELECT * FROM file('{path}', CSVWithNames)")

    def column(self, field):
        return "Int64 CODEC(DoubleDelta, ZSTD(1))" if field in INTEGERS else "Float64 CODEC(Delta, ZSTD(1))"

    def rows(self, text):
        return [tuple(row.values()) for row in self.table(text).to_pylist()]

    def count(self, text):
        return self.table(text).num_rows

    def table(self, text):
        return self.read(self.connection.query(text, "Arrow").bytes()).read_all()

    def merge(self):
        self.connection.query("OPTIMIZE TABLE e FINAL")

    def bytes(self):
        """Of the table, without the parts that were merged."""
        return self.rows("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'e'")[0][0]

    def close(self):
        self.connection.close()


def table_questions(store):
    last = store.rows("SELECT max(time) FROM e")[0][0]
    fields = [name for name, *_ in store.rows("DESCRIBE e") if name not in ("device", "time")]
    latest = ", ".join(f"argMax({field}, time)" for field in fields)
    means = ", ".join(f"avg({field})" for field in fields)
    eight = ", ".join(f"'d{number}'" for number in range(1, 9))
    minute, five, hour = (store.window.format(HOUR // part) for part in (60, 12, 1))
    return [
        ("latest-of-all", f"SELECT device, {latest} FROM e GROUP BY device"),
        ("one-1h-by-1min",
         f"SELECT {minute}, avg(temperature) FROM e WHERE device = 'd7' AND time >= {last - HOUR} GROUP BY 1"),
        ("eight-6h-by-5min",
         f"SELECT device, {five}, avg(temperature) FROM e WHERE device IN ({eight}) "
         f"AND time >= {last - 6 * HOUR} GROUP BY 1, 2"),
        ("all-by-1h-one-metric", f"SELECT device, {hour}, avg(temperature) FROM e GROUP BY 1, 2"),
        ("all-by-1h-five-metrics",
         f"SELECT device, {hour}, avg(temperature), avg(pressure), avg(humidity), avg(voltage), avg(flow) "
         "FROM e GROUP BY 1, 2"),
        ("mean-of-everything", f"SELECT device, {means} FROM e GROUP BY device"),
        ("count-above", "SELECT count(*) FROM e WHERE temperature > 21"),
    ]


def table(kind, path, target):
    store = kind(target)
    begin = time.perf_counter()
    store.fill(path)
    spent = time.perf_counter() - begin
    points = store.rows("SELECT count(*) FROM e")[0][0] * FIELDS
    print(f"{kind.title}-append {points / spent:.0f} points/s (from CSV, {store.version})")
    store.merge()
    print(f"{kind.title}-size {store.bytes() / points:.4f} bytes/point of {points}")
    for name, text in table_questions(store):
        measure(f"{kind.title}-{name}", lambda: store.count(text))
    store.close()


def table_cold(kind, target):
    store = kind(target)
    asked = table_questions(store)
    store.close()
    for name, text in asked:
        forget(files(target))
        # What a library keeps for its process is gone too.
        process = multiprocessing.get_context("spawn").Process(target=table_once, args=(kind, target, name, text))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(f"{kind.title} did not answer {name}")


def table_once(kind, target, name, text):
    store = kind(target)
    once(f"{kind.title}-{name}", lambda: store.count(text))
    store.close()


if __name__ == "__main__":
    parts = {"victoria": victoria, "victoria-cold": victoria_cold}
    for kind in (DuckDB, ClickHouse):
        parts[kind.title] = functools.partial(table, kind)
        parts[kind.title + "-cold"] = functools.partial(table_cold, kind)
    parts[sys.argv[1]](*sys.argv[2:])
