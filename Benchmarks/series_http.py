#!/usr/bin/env python3
"""Line protocol in and questions out over HTTP, beside VictoriaMetrics and InfluxDB in the same run.

    series_http.py BINARY [--points N] [--devices D] [--lines L] [--rounds R] [--ingest-only] [--markdown FILE]

Peers are `$VIGIL_VICTORIA_METRICS` or the `victoria-metrics` of the path, and the `influxd` of the path when there is one. All get
the same bodies over the same number of connections from the same client, in turns; ours answers when its log is synced, with
handlers, catalogue, latest values and a rule on; InfluxDB syncs before it answers too, VictoriaMetrics later. All are asked for the
same, in PromQL at /api/v1 and in InfluxQL, with their answers' caches off, and an answer that differs from ours says so. What is
printed first are ratios; seconds depend on what else the machine does. Everything listens on 127.0.0.1, and is removed at the end.
"""
import argparse
import concurrent.futures
import http.client
import itertools
import json
import math
import multiprocessing
import os
import pathlib
import platform
import re
import shutil
import statistics
import sys
import tempfile
import time

from main_job import load
from series_questions import EIGHT, NAMES, ONE, InfluxQL, PromQL, Refused, answered, ask
from servers import InfluxDB, VictoriaMetrics, Vigil, cpu, resident

DEVICES, STEP = 500, 10  # --devices changes the first
FIELDS = 10
# A few rounds of a tenth of a millisecond tell how soon a server is awake again, and the kernel counts in hundredths of seconds.
SHORT_ROUNDS = 200
# As many as three servers have orders, so that none always comes behind the same other one.
TURNS = 6
END = int(time.time()) // 3600 * 3600


def bodies(points, lines):
    """A mixed estate: decimals with 0 to 3 places, counters, a state, a constant; ten fields a line, every ten seconds."""
    steps = points // FIELDS // DEVICES
    out, made = [], []
    for step in range(steps):
        moment = END - (steps - step) * STEP
        for device in range(DEVICES):
            mix = step * 7 + device * 13
            out.append(
                f"station,device=s{device},area=a{device % 7} flow={12 + mix % 311 / 100:.2f},"
                f"pressure={2 + mix % 71 / 1000:.3f},level={mix % 1000 / 10:.1f},total={100000 + step * 3 + device}i,"
                f"energy={5000 + step / 10:.1f},voltage={229 + mix % 30 / 10:.1f},current={mix % 160 / 10:.1f},"
                f"running={'true' if mix % 9 else 'false'},mode=3i,temperature={20 + mix % 40 / 10:.1f} {moment}")
            if len(out) == lines:
                made.append("\n".join(out).encode())
                out = []
    if out:
        made.append("\n".join(out).encode())
    return made, END - steps * STEP, END - STEP


def later(count, lines):
    """Bodies that go on where those of `bodies` end."""
    out, step = [], 0
    while len(out) < count:
        rows = []
        for row in range(lines):
            device = row % DEVICES
            mix = step * 7 + device * 13
            rows.append(f"station,device=s{device},area=a{device % 7} flow={12 + mix % 311 / 100:.2f},"
                        f"pressure={2 + mix % 71 / 1000:.3f},level={mix % 1000 / 10:.1f},total={200000 + step + device}i,"
                        f"energy={6000 + step / 10:.1f},voltage={229 + mix % 30 / 10:.1f},current={mix % 160 / 10:.1f},"
                        f"running={'true' if mix % 9 else 'false'},mode=3i,temperature={20 + mix % 40 / 10:.1f} "
                        f"{END + step}")
            step += device == DEVICES - 1
        out.append("\n".join(rows).encode())
    return out


def trickle(port, path, headers, bodies, interval):
    """Sends a body every so many seconds, in a process of its own: it must not take the asker's time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    begun = time.perf_counter()
    for number, body in enumerate(bodies):
        time.sleep(max(0, begun + number * interval - time.perf_counter()))
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status >= 300:
            sys.exit(f"refused while questions were asked: {answer.status}")


def p99(took):
    return sorted(took)[int(len(took) * 0.99)] * 1000


def beside_ingest(vigil, targets, rate, lines, table, seconds=10):
    """Of some questions the 99th percentile while nothing else happens, and while half of the ingest that was seen goes on."""
    interval = lines * FIELDS / (rate / 2)
    for name in (ONE, EIGHT):
        quiet, _ = ask(vigil, targets[name], 500)
        sender = multiprocessing.Process(target=trickle, args=(
            vigil.port, vigil.write, vigil.headers, later(int(seconds / interval), lines), interval))
        sender.start()
        busy = []
        while sender.is_alive():
            took, _ = ask(vigil, targets[name], 20)
            busy += took
        sender.join()
        if sender.exitcode:
            sys.exit("the sender beside the questions failed")
        table.add(f"{name}, p99 beside {rate / 2e6:.2f} M values/s", f"≤ {max(2 * p99(quiet), 10):.1f} ms",
                  [f"{p99(busy):.1f} ms; quiet {p99(quiet):.1f} ms"])


def counted(vigil, route):
    """How many requests of a route the server has answered, and how many of them in a millisecond."""
    text = vigil.call("GET", "/metrics")[1].decode()
    found = {"0.001": 0, "+Inf": 0}
    for line in text.splitlines():
        if line.startswith("vigil_http_request_seconds_bucket{") and f'route="{route}"' in line:
            bound = re.search(r'le="([^"]+)"', line).group(1)
            if bound in found:
                found[bound] += float(line.rsplit(" ", 1)[1])
    return found["+Inf"], found["0.001"]


def in_server(vigil, path, route, rounds=2000):
    """The share of requests that the server itself needs less than a millisecond for."""
    before = counted(vigil, route)
    connection = http.client.HTTPConnection("127.0.0.1", vigil.port, timeout=60)
    for _ in range(rounds):
        connection.request("GET", path, headers=vigil.headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"{path}: {answer.status} {text[:200]}")
    after = counted(vigil, route)
    return (after[1] - before[1]) / (after[0] - before[0])


def turns(servers):
    """Orders of the servers, by their places."""
    return itertools.islice(itertools.cycle(itertools.permutations(range(len(servers)))), TURNS)


def send(servers, bodies, connections):
    """Seconds, and seconds on a processor, that each server takes for the same bodies."""
    before = [cpu(server.process) for server in servers]
    spent = [0.0 for _ in servers]
    # In turns, so that what else the machine does hits all.
    for turn, order in enumerate(turns(servers)):
        part = bodies[len(bodies) * turn // TURNS:len(bodies) * (turn + 1) // TURNS]
        for place in order if part else []:
            spent[place] += load(servers[place].port, servers[place].write, servers[place].headers, part, connections)
    # The kernel counts in hundredths.
    return spent, [max(cpu(server.process) - already, 0.01) for server, already in zip(servers, before)]


def calm(servers, seconds=60):
    """Waits until nobody merges, compacts or cleans up what was taken: questions are not to be asked beside that."""
    for _ in range(seconds):
        before = sum(cpu(server.process) for server in servers)
        time.sleep(1)
        if sum(cpu(server.process) for server in servers) - before < 0.05:
            return


def question(servers, targets, languages, rounds):
    """Milliseconds of each server in each round, and what it answered: a text when it refused."""
    took, said = [[] for _ in servers], [None for _ in servers]
    for order in turns(servers):
        for place in order:
            try:
                more, texts = ask(servers[place], targets[place], -(-rounds // TURNS))
                said[place] = answered(languages[place], texts)
                took[place] += [each * 1000 for each in more]
            except Refused as problem:
                said[place] = str(problem)
    return took, said


def register(vigil):
    """Makes the devices, because discovering them is not what is measured; returns a site with twenty, and all of them."""
    status, text = vigil.call("POST", "/api/sites", {"code": "yard", "name": "Yard"})
    if status >= 300:
        sys.exit(f"a site was refused: {text[:200]}")
    site = json.loads(text)["id"]

    def make(numbers):
        connection = http.client.HTTPConnection("127.0.0.1", vigil.port, timeout=60)
        made = []
        for number in numbers:
            connection.request("POST", "/api/devices", json.dumps({"code": f"s{number}", "name": f"Station {number}",
                                                            **({"site": site} if number < 20 else {})}),
                               {**vigil.headers, "Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                sys.exit(f"a device was refused: {text[:200]}")
            made.append((number, json.loads(text)["id"]))
        return made

    # Side by side: twenty thousand take minutes one after the other.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        parts = pool.map(make, [range(start, DEVICES, 4) for start in range(4)])
        identifiers = [identifier for _, identifier in sorted(sum(parts, []))]
    return site, identifiers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--points", type=int, default=10_800_000)
    parser.add_argument("--devices", type=int, default=DEVICES, help="with ten series each")
    parser.add_argument("--ingest-only", action="store_true", help="asks nothing")
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--markdown")
    options = parser.parse_args()
    globals()["DEVICES"] = options.devices
    folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TMPDIR", "/var/tmp")))
    made, first, last = bodies(options.points, options.lines)
    if not VictoriaMetrics.program:
        sys.exit("victoria-metrics is not installed: set VIGIL_VICTORIA_METRICS")
    vigil = Vigil(options.binary, folder / "vigil")
    servers = [vigil, VictoriaMetrics(folder / "victoria")] + ([InfluxDB(folder / "influx")] if InfluxDB.program else [])
    table = Table(servers)
    try:
        vigil.start()
        site, identifiers = register(vigil)
        vigil.call("POST", "/api/rules", {"name": "hot", "metric": "station_temperature", "condition": "above", "threshold": 90})
        rate = take(servers, made, options, table)
        if options.ingest_only:
            return
        codes = [f"s{number}" for number in range(DEVICES)]
        languages = [PromQL("device_id", identifiers), PromQL("device", codes), InfluxQL()]
        targets = [language.targets(first, last, STEP) for language in languages]
        calm(servers)
        for name in NAMES:
            asked = [each[name] for each in targets]
            isShort = name in (ONE, EIGHT)
            before = [cpu(server.process) for server in servers]
            took, said = question(servers, asked, languages, options.rounds * (SHORT_ROUNDS if isShort else 1))
            used = [max(cpu(server.process) - already, 0.01) for server, already in zip(servers, before)]
            table.questions(name, took, said)
            if isShort:
                table.each("the same by processor time", [each * 1e6 / len(times) for each, times in zip(used, took)])
        beside_ingest(vigil, targets[0], rate, options.lines, table)
        for what, path, route in [
            ("a device's newest values", f"/api/devices/{identifiers[3]}/latest", "/api/devices/{device}/latest"),
            ("a site's newest values, 20 devices", f"/api/sites/{site}/latest", "/api/sites/{site}/latest"),
        ]:
            share = in_server(vigil, path, route)
            table.add(f"{what}: answered by the server within 1 ms", "≥ 99 %", [f"{share * 100:.1f} %"])
        table.add("resident memory after all of this", "", [f"{resident(server.process):.0f} MB" for server in servers])
        vigil.stop()
    finally:
        report(table, options)
        for server in servers:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def take(servers, made, options, table):
    """Sends all bodies to all servers; returns how many values a second ours takes once it knows the series."""
    first = -(-DEVICES // options.lines)
    new = DEVICES * FIELDS
    spent, used = send(servers, made[:first], options.connections)
    table.times(f"ingest of the first value of {new:,} series, {options.lines:,} lines a request", spent, "s")
    table.times("the same by processor time", used, "CPU s")
    values = sum(body.count(b"\n") + 1 for body in made[first:]) * FIELDS
    spent, used = send(servers, made[first:], options.connections)
    for server in servers:
        server.settle()
    table.rates(f"ingest of {values:,} values, {options.lines:,} lines a request",
                f"≥ {3 if DEVICES < 20_000 else 2} × VictoriaMetrics", values, spent, "M/s")
    table.rates("the same by processor time", "", values, used, "M per CPU second")
    table.add("resident memory", "", [f"{resident(server.process):.0f} MB" for server in servers])
    return values / spent[0]


class Table:
    """What was seen of each server, ours first, and how many times as fast ours is as each peer."""

    def __init__(self, servers):
        self.names = [server.name for server in servers]
        self.rows = []

    def add(self, what, goal, seen, ratios=()):
        lack = len(self.names) - len(seen)
        ratios = [*ratios] or [None] * (len(self.names) - 1)
        self.rows.append([what, *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios), goal, *seen, *[""] * lack])

    def times(self, what, spent, unit, goal=""):
        self.add(what, goal, [f"{each:.2f} {unit}" for each in spent], [each / spent[0] for each in spent[1:]])

    def each(self, what, microseconds):
        self.add(what, "", [f"{each:.0f} CPU µs" for each in microseconds], [each / microseconds[0] for each in microseconds[1:]])

    def rates(self, what, goal, values, spent, unit):
        self.add(what, goal, [f"{values / each / 1e6:.2f} {unit}" for each in spent], [each / spent[0] for each in spent[1:]])

    def questions(self, what, took, said):
        """Ratios are of those that answered the same as ours; what was answered is shown when not all did."""
        same = [not isinstance(answer, str) and not isinstance(said[0], str) and answer.agrees(said[0]) for answer in said]
        middle = [statistics.median(times) if times else math.inf for times in took]
        seen = [f"{each:.{2 if each < 10 else 1}f} ms" + ("" if all(same) else f" ({answer})")
                for each, answer in zip(middle, said)]
        self.add(what, "> 1 × each", seen, [each / middle[0] if fit else None for each, fit in zip(middle[1:], same[1:])])

    def markdown(self):
        _, *peers = self.names
        head = ["What", *(f"× {peer.split()[0]}" for peer in peers), "Goal", *self.names]
        return ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *self.rows]]


def report(table, options):
    lines = [f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, load {os.getloadavg()[0]:.1f}, "
             f"{time.strftime('%Y-%m-%d', time.gmtime())}; client and servers share the machine; "
             f"{options.connections} connections; median of {options.rounds} rounds in {TURNS} turns, {SHORT_ROUNDS} times as many of one "
             "series and of eight. × says how many times as "
             "fast as that peer Vigil is. What a question was answered is shown where it is not the same everywhere.", "",
             *table.markdown()]
    if not InfluxDB.program:
        lines += ["", "InfluxDB is left out: there is no `influxd` in the path."]
    print("\n".join(lines))
    if options.markdown:
        pathlib.Path(options.markdown).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
