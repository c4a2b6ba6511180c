#!/usr/bin/env python3
"""Line protocol in and questions out over HTTP, beside VictoriaMetrics in the same run.

    series_http.py BINARY [--points N] [--devices D] [--lines L] [--rounds R] [--ingest-only] [--markdown FILE]

The peer is `$VIGIL_VICTORIA_METRICS` or the `victoria-metrics` of the path. Both get the same bodies over the same number of
connections from the same client, one after the other; ours answers when its log is synced, with handlers, catalogue, latest
values and a rule on. Both are asked the same questions at /api/v1, with their answers' caches off. What is printed first are
ratios; seconds depend on what else the machine does. Everything listens on 127.0.0.1, and is removed at the end.
"""
import argparse
import concurrent.futures
import http.client
import json
import multiprocessing
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

import main_job
from main_job import cpu, free_port, load, resident, wait_for

DEVICES, STEP = 500, 10  # --devices changes the first
FIELDS = 10
TURNS = 9
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


def questions(first, last, label, names):
    """Name, path, parameters: the classes of the design. `label` is what a device is called by, `names` are its values."""
    hours = max(1, (last - first + STEP) // 3600)
    eight = "|".join(names[:8])
    # A range function takes the name away, and two series of one name are an error: so each metric is asked for.
    five = [f"avg_over_time(station_{name}[1h])" for name in ("flow", "pressure", "level", "energy", "voltage")]

    def over(query, span, step):
        return "/api/v1/query_range", {"query": query, "start": last - span, "end": last, "step": step}

    return [
        ("last point of every series", "/api/v1/query", {"query": '{__name__=~"station_.+"}', "time": last}),
        ("one series, 1 h by 1 min", *over(f'avg_over_time(station_flow{{{label}="{names[3]}"}}[1m])', 3600, 60)),
        ("8 series, 6 h by 5 min", *over(f'avg_over_time(station_flow{{{label}=~"{eight}"}}[5m])', min(6, hours) * 3600, 300)),
        ("all series of one metric by 1 h", *over("avg_over_time(station_flow[1h])", hours * 3600, 3600)),
        ("all series of five metrics by 1 h", *over(five, hours * 3600, 3600)),
        ("mean of one metric over everything", "/api/v1/query",
         {"query": f"avg(avg_over_time(station_flow[{hours}h]))", "time": last}),
    ]


def ask(port, headers, path, parameters, rounds):
    """Seconds of each round, and the number of series in the answer; several queries are asked one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    queries = parameters["query"] if isinstance(parameters["query"], list) else [parameters["query"]]
    targets = [path + "?" + urllib.parse.urlencode({**parameters, "query": query}) for query in queries]
    took, series = [], 0
    for _ in range(rounds + 1):
        spent, series = 0, 0
        for target in targets:
            begun = time.perf_counter()
            connection.request("GET", target, headers=headers)
            answer = connection.getresponse()
            text = answer.read()
            spent += time.perf_counter() - begun
            if answer.status != 200:
                return None, text[:300].decode(errors="replace")
            series += len(json.loads(text)["data"]["result"])
        took.append(spent)
    return took[1:], series


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


def beside_ingest(vigil, headers, questions, rate, lines, seconds=10):
    """Of each question the 99th percentile while nothing else happens, and while half of the ingest that was seen goes on."""
    rows = []
    interval = lines * FIELDS / (rate / 2)
    for name, path, parameters in questions:
        quiet, _ = ask(vigil.port, headers, path, parameters, 500)
        sender = multiprocessing.Process(target=trickle, args=(
            vigil.port, "/write?precision=s", headers, later(int(seconds / interval), lines), interval))
        sender.start()
        busy = []
        while sender.is_alive():
            took, _ = ask(vigil.port, headers, path, parameters, 20)
            busy += took
        sender.join()
        if sender.exitcode:
            sys.exit("the sender beside the questions failed")
        goal = max(2 * p99(quiet), 10)
        rows.append((f"{name}, p99 beside {rate / 2e6:.2f} M values/s", goal / p99(busy), f"≥ 1 (≤ {goal:.1f} ms)",
                     f"{p99(busy):.1f} ms; quiet {p99(quiet):.1f} ms", ""))
    return rows


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


def in_server(vigil, headers, path, route, rounds=2000):
    """The share of requests that the server itself needs less than a millisecond for."""
    before = counted(vigil, route)
    connection = http.client.HTTPConnection("127.0.0.1", vigil.port, timeout=60)
    for _ in range(rounds):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"{path}: {answer.status} {text[:200]}")
    after = counted(vigil, route)
    return (after[1] - before[1]) / (after[0] - before[0])


class Peer:
    def __init__(self, folder):
        program = os.environ.get("VIGIL_VICTORIA_METRICS") or shutil.which("victoria-metrics")
        if not program:
            sys.exit("victoria-metrics is not installed: set VIGIL_VICTORIA_METRICS")
        self.port = free_port()
        self.log = open(folder / "peer.log", "w+")
        self.process = subprocess.Popen(
            [program, f"-httpListenAddr=127.0.0.1:{self.port}", f"-storageDataPath={folder}/peer",
             "-retentionPeriod=100y", "-search.latencyOffset=0s", "-search.disableCache"],
            stderr=self.log, stdout=self.log)
        wait_for(self.port, self.process)
        time.sleep(0.2)
        self.log.seek(0)
        found = re.search(r"victoria-metrics-\S*?(\d+\.\d+\.\d+)|version[^0-9]*(\d+\.\d+\.\d+)", self.log.read())
        said = next((part for part in (found.groups() if found else ()) if part), None)
        self.name = f"VictoriaMetrics {said or os.environ.get('VIGIL_VICTORIA_METRICS_VERSION', '')}".strip()

    def settle(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        connection.request("GET", "/internal/force_flush")
        connection.getresponse().read()


def send(servers, bodies, connections):
    """Seconds, and seconds on a processor, that each server takes for the same bodies."""
    before = [cpu(process) for process, _, _ in servers]
    spent = [0.0 for _ in servers]
    # In turns, so that what else the machine does hits both.
    turn = max(1, len(bodies) // TURNS)
    for start in range(0, len(bodies), turn):
        for place, (_, port, headers) in enumerate(servers):
            spent[place] += load(port, "/write?precision=s", headers, bodies[start:start + turn], connections)
    return spent, [cpu(process) - already for (process, _, _), already in zip(servers, before)]


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
                               {"Authorization": "Token " + vigil.token, "Content-Type": "application/json"})
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
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--markdown")
    options = parser.parse_args()
    globals()["DEVICES"] = options.devices
    rows = []
    folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TMPDIR", "/var/tmp")))
    made, first, last = bodies(options.points, options.lines)
    points = (last - first + STEP) // STEP * DEVICES * FIELDS
    peer = Peer(folder)
    vigil = main_job.Vigil(options.binary, folder / "vigil")
    try:
        vigil.start()
        site, identifiers = register(vigil)
        vigil.call("POST", "/api/rules", {"name": "hot", "metric": "station_temperature", "condition": "above", "threshold": 90})
        mine = {"Authorization": "Token " + vigil.token}
        servers = [(vigil.process, vigil.port, mine), (peer.process, peer.port, {})]
        first_bodies = -(-DEVICES // options.lines)
        spent, used = send(servers, made[:first_bodies], options.connections)
        new = DEVICES * FIELDS
        rows.append((f"ingest of the first value of {new:,} series, {options.lines:,} lines a request", spent[1] / spent[0], "",
                     f"{spent[0]:.2f} s", f"{spent[1]:.2f} s"))
        rows.append(("the same by processor time", used[1] / used[0], "", f"{used[0]:.2f} CPU s", f"{used[1]:.2f} CPU s"))
        spent, used = send(servers, made[first_bodies:], options.connections)
        points -= min(first_bodies * options.lines, points // FIELDS) * FIELDS
        peer.settle()
        rows.append((f"ingest of {points:,} values, {options.lines:,} lines a request", spent[1] / spent[0],
                     "≥ 3" if DEVICES < 20_000 else "≥ 2",
                     f"{points / spent[0] / 1e6:.2f} M/s", f"{points / spent[1] / 1e6:.2f} M/s"))
        rows.append(("the same by processor time", used[1] / used[0], "",
                     f"{points / used[0] / 1e6:.2f} M per CPU second", f"{points / used[1] / 1e6:.2f} M"))
        rows.append(("resident memory", None, "", f"{resident(vigil.process):.0f} MB", f"{resident(peer.process):.0f} MB"))
        if options.ingest_only:
            return
        here = questions(first, last, "device_id", identifiers)
        there = questions(first, last, "device", [f"s{number}" for number in range(DEVICES)])
        for (name, path, parameters), (_, _, same) in zip(here, there):
            ours, count = ask(vigil.port, mine, path, parameters, options.rounds)
            theirs, other = ask(peer.port, {}, path, same, options.rounds)
            if ours is None or theirs is None:
                rows.append((name, None, "> 1", count if ours is None else "", other if theirs is None else ""))
                continue
            left, right = statistics.median(ours) * 1000, statistics.median(theirs) * 1000
            rows.append((name, right / left, "> 1", f"{left:.1f} ms" + ("" if count == other else f" ({count} series)"),
                         f"{right:.1f} ms" + ("" if count == other else f" ({other} series)")))
        rows += beside_ingest(vigil, mine, [here[1], here[2]], points / spent[0], options.lines)
        for what, path, route in [
            ("a device's newest values", f"/api/devices/{identifiers[3]}/latest", "/api/devices/{device}/latest"),
            ("a site's newest values, 20 devices", f"/api/sites/{site}/latest", "/api/sites/{site}/latest"),
        ]:
            share = in_server(vigil, mine, path, route)
            rows.append((f"{what}: answered by the server within 1 ms", None, "≥ 99 %", f"{share * 100:.1f} %", ""))
        rows.append(("resident memory after all of this", None, "", f"{resident(vigil.process):.0f} MB",
                     f"{resident(peer.process):.0f} MB"))
        vigil.stop()
    finally:
        report(rows, peer.name, options)
        for process in [peer.process] + ([vigil.process] if vigil.process.poll() is None else []):
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def report(rows, peer, options):
    lines = [f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, load {os.getloadavg()[0]:.1f}, "
             f"{time.strftime('%Y-%m-%d', time.gmtime())}; client and servers share the machine; "
             f"{options.connections} connections; median of {options.rounds} rounds.", "",
             f"| What | Vigil is × as fast | Goal | Vigil | {peer} |", "|---|---|---|---|---|"]
    for what, ratio, goal, ours, theirs in rows:
        lines.append(f"| {what} | {'' if ratio is None else f'{ratio:.2f}'} | {goal} | {ours} | {theirs} |")
    print("\n".join(lines))
    if options.markdown:
        pathlib.Path(options.markdown).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
