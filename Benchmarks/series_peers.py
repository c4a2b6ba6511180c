"""The estate of SeriesBenchmark in VictoriaMetrics and DuckDB, and the same questions; prints `name value unit`."""
import csv
import json
import os
import sys
import time
import urllib.parse
import urllib.request

START = 1_700_000_000
WHOLE = ("energy", "pulses", "state")


def measure(name, body):
    """The best of five and the first, in milliseconds."""
    times, count = [], 0
    for _ in range(5):
        begin = time.perf_counter()
        count = body()
        times.append((time.perf_counter() - begin) * 1000)
    print(f"{name} {min(times):.2f} ms warm, {times[0]:.2f} ms first, {count} results", flush=True)


def folder_size(path):
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)


def victoria(path, folder, base):
    def ask(route, body=None):
        for attempt in range(50):
            try:
                return urllib.request.urlopen(urllib.request.Request(base + route, data=body), timeout=300).read()
            except ConnectionError:
                time.sleep(0.1)
            except urllib.error.URLError:
                time.sleep(0.1)
        raise SystemExit("the server does not answer")

    points, last, lines, spent = 0, 0, [], 0.0

    def send():
        nonlocal spent
        begin = time.perf_counter()
        ask("/write?precision=u", "".join(lines).encode())
        spent += time.perf_counter() - begin
        lines.clear()

    with open(path) as file:
        for row in csv.DictReader(file):
            device, at = row.pop("device"), row.pop("time")
            number = int(device[1:])
            fields = ",".join(f"{name}={value}{'i' if name in WHOLE else ''}" for name, value in row.items())
            kind = "boiler" if number % 3 == 0 else "meter"
            lines.append(f"estate,device={device},site=s{number % 50},kind={kind} {fields} {at}\n")
            points += len(row)
            last = max(last, int(at))
            if len(lines) == 20000:
                send()
    send()
    print(f"victoria-append {points / spent:.0f} points/s (HTTP, one sender)")
    ask("/internal/force_flush")
    ask("/internal/force_merge")
    sizes = [0]
    while len(sizes) < 5 or sizes[-1] != sizes[-4]:
        time.sleep(2)
        sizes.append(folder_size(folder))
    print(f"victoria-size {sizes[-1] / points:.4f} bytes/point")
    end = last // 1_000_000 + 1

    def question(name, text, start, end, step):
        arguments = urllib.parse.urlencode({"query": text, "start": start, "end": end, "step": step, "nocache": 1})

        def body():
            found = json.loads(ask("/api/v1/query_range?" + arguments))["data"]["result"]
            return sum(len(series["values"]) for series in found)

        measure("victoria-" + name, body)

    five = "estate_(temperature|pressure|humidity|voltage|flow)"
    question("one-1h-by-1min", 'avg_over_time(estate_temperature{device="d7"}[1m])', end - 3600, end, 60)
    question("eight-6h-by-5min", 'avg_over_time(estate_temperature{device=~"d[1-8]"}[5m])', end - 21600, end, 300)
    question("all-by-1h-one-metric", "avg_over_time(estate_temperature[1h])", START + 3600, end, 3600)
    question("all-by-1h-five-metrics", f'avg_over_time({{__name__=~"{five}"}}[1h])', START + 3600, end, 3600)
    question("mean-of-everything", f'avg_over_time({{__name__=~"estate_.*"}}[{end - START}s])', end, end, 60)


def duckdb(path, target):
    import duckdb as library

    connection = library.connect(target)
    connection.execute("SET threads = 2")
    begin = time.perf_counter()
    connection.execute(f"CREATE TABLE e AS SELECT * FROM read_csv('{path}')")
    connection.execute("CHECKPOINT")
    spent = time.perf_counter() - begin
    rows, last = connection.execute("SELECT count(*), max(time) FROM e").fetchone()
    fields = [name for name, *_ in connection.execute("DESCRIBE e").fetchall() if name not in ("device", "time")]
    print(f"duckdb-append {rows * len(fields) / spent:.0f} points/s (from CSV, {library.__version__})")
    print(f"duckdb-size {os.path.getsize(target) / (rows * len(fields)):.4f} bytes/point")

    def question(name, text):
        measure("duckdb-" + name, lambda: len(connection.execute(text).fetchall()))

    latest = ", ".join(f"arg_max({field}, time)" for field in fields)
    means = ", ".join(f"avg({field})" for field in fields)
    eight = ", ".join(f"'d{number}'" for number in range(1, 9))
    hour = 3_600_000_000
    question("latest-of-all", f"SELECT device, {latest} FROM e GROUP BY device")
    question("one-1h-by-1min",
             f"SELECT time // 60000000, avg(temperature) FROM e WHERE device = 'd7' AND time >= {last - hour} GROUP BY 1")
    question("eight-6h-by-5min",
             f"SELECT device, time // 300000000, avg(temperature) FROM e WHERE device IN ({eight}) "
             f"AND time >= {last - 6 * hour} GROUP BY 1, 2")
    question("all-by-1h-one-metric", f"SELECT device, time // {hour}, avg(temperature) FROM e GROUP BY 1, 2")
    question("all-by-1h-five-metrics",
             f"SELECT device, time // {hour}, avg(temperature), avg(pressure), avg(humidity), avg(voltage), avg(flow) "
             "FROM e GROUP BY 1, 2")
    question("mean-of-everything", f"SELECT device, {means} FROM e GROUP BY device")
    question("count-above", "SELECT count(*) FROM e WHERE temperature > 21")


if __name__ == "__main__":
    {"victoria": victoria, "duckdb": duckdb}[sys.argv[1]](*sys.argv[2:])
