#!/usr/bin/env python3
"""The main job under load: the built binary, real sockets, and peers in the same run.

    main_job.py BINARY [--seconds S] [--markdown FILE]

Peers are used when they are installed (`victoria-metrics`, `influxd`): each takes the same bodies of line protocol from
the same client. Everything listens on 127.0.0.1, and is ended and removed at the end.
"""
import argparse
import asyncio
import concurrent.futures
import http.client
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import statistics
import sys
import tempfile
import time

from servers import InfluxDB, VictoriaMetrics, Vigil, cpu, resident


def rendered(path, headers, body):
    """A request as it goes over the socket."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items()),
             f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def answer(connection, rest):
    """The status and body of one answer, and what was read beyond it."""
    while b"\r\n\r\n" not in rest:
        more = connection.recv(65536)
        if not more:
            sys.exit("the server closed the connection")
        rest += more
    head, rest = rest.split(b"\r\n\r\n", 1)
    status = int(head.split(b" ", 2)[1])
    found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    length = int(found.group(1)) if found else 0
    while len(rest) < length:
        rest += connection.recv(65536)
    return status, rest[:length], rest[length:]


def send(port, requests):
    """Sends rendered requests one after the other on one connection; gives the statuses that were no success.

    Plain sockets and no parsing of headers: the client has the same two cores as the server that it measures.
    """
    connection = socket.create_connection(("127.0.0.1", port), timeout=120)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    refused, rest = [], b""
    for request in requests:
        connection.sendall(request)
        status, text, rest = answer(connection, rest)
        if status >= 300:
            refused.append((status, text[:200]))
    connection.close()
    return refused


def load(port, path, headers, bodies, connections):
    """Seconds to send all bodies over some connections."""
    requests = [rendered(path, headers, body) for body in bodies]
    shares = [requests[index::connections] for index in range(connections)]
    begun = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(connections) as pool:
        refused = [item for part in pool.map(lambda share: send(port, share), shares) for item in part]
    if refused:
        sys.exit(f"refused: {refused[0]}")
    return time.perf_counter() - begun


def register(vigil, prefix, count):
    """Makes devices: discovering them is not what is measured, and only a thousand unknown ones may wait."""
    connection = http.client.HTTPConnection("127.0.0.1", vigil.port, timeout=60)
    for number in range(count):
        code = f"{prefix}{number}"
        connection.request("POST", "/api/devices", json.dumps({"code": code, "name": code}),
                           {"Authorization": "Token " + vigil.token, "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            sys.exit(f"a device was refused: {text[:200]}")


def json_bodies(count, size, devices):
    now = int(time.time() * 1000)
    for batch in range(count):
        yield json.dumps([
            {"device": f"d{(batch * size + index) % devices}", "metric": "temperature",
             "value": round(20 + (batch + index) % 97 / 10, 1), "time": now - (count - batch) * 1000 + index % 1000}
            for index in range(size)]).encode()


def line_bodies(count, lines, devices):
    """Ten fields a line: decimals, counters, a state, a constant."""
    start = int(time.time()) - count - 60
    for batch in range(count):
        out = []
        for index in range(lines):
            device = (batch * lines + index) % devices
            step = batch * 7 + index
            out.append(
                f"station,device=s{device} flow={12 + step % 311 / 100:.2f},pressure={2 + step % 71 / 1000:.3f},"
                f"level={step % 1000 / 10:.1f},total={100000 + batch * 3}i,energy={5000 + batch / 10:.1f},"
                f"voltage={229 + step % 30 / 10:.1f},current={step % 160 / 10:.1f},running={'true' if step % 9 else 'false'},"
                f"mode=3i,temperature={20 + step % 40 / 10:.1f} {start + batch}")
        yield "\n".join(out).encode()


def ingest_json(vigil, seconds, rows):
    size, wanted = 1000, 50_000
    register(vigil, "d", 1000)
    bodies = list(json_bodies(int(wanted * seconds / size), size, 1000))
    before = cpu(vigil.process)
    took = load(vigil.port, "/api/readings", {"Authorization": "Token " + vigil.token,
                                              "Content-Type": "application/json"}, bodies, 4)
    rate = len(bodies) * size / took
    spent = cpu(vigil.process) - before
    rows.append(("JSON readings in batches of 1,000, durable",
                 f"{rate:,.0f} readings/s; {len(bodies) * size / spent:,.0f} per CPU second of the server", "≥ 50,000/s",
                 rate >= wanted))


def ingest_lines(vigil, peers, rows):
    bodies = list(line_bodies(120, 1000, 500))
    register(vigil, "s", 500)
    points = len(bodies) * 1000 * 10
    took = load(vigil.port, vigil.write, vigil.headers, bodies, 2)
    ours = points / took
    rows.append(("line protocol, ten fields a line, durable, handlers and rules on", f"{ours:,.0f} values/s", "", None))
    for peer in peers:
        took = load(peer.port, peer.write, peer.headers, bodies, 2)
        theirs = points / took
        goal = 3 if isinstance(peer, VictoriaMetrics) else 1
        rows.append((f"the same to {peer.name}", f"{theirs:,.0f} values/s; ours is {ours / theirs:.2f} ×", f"≥ {goal} ×",
                     ours / theirs >= goal))


async def listen(vigil, count, rows):
    import websockets

    headers = {"Authorization": "Bearer " + vigil.token}

    async def one():
        # The server looks at the origin of browsers only.
        socket_ = await websockets.connect(f"ws://127.0.0.1:{vigil.port}/api/live", additional_headers=headers,
                                           open_timeout=60)
        await socket_.send(json.dumps({"type": "subscribe", "patterns": ["alert.*"]}))
        return socket_

    sockets = []
    begun = time.perf_counter()
    for start in range(0, count, 100):
        sockets += await asyncio.gather(*(one() for _ in range(min(100, count - start))))
    opened = time.perf_counter() - begun
    memory = resident(vigil.process)
    heard = 0

    async def wait(socket_):
        nonlocal heard
        while True:
            message = json.loads(await asyncio.wait_for(socket_.recv(), 30))
            if message["type"] == "alert.raised":
                heard += 1
                return

    waiting = asyncio.gather(*(wait(item) for item in sockets))
    await asyncio.sleep(0.5)
    begun = time.perf_counter()
    await asyncio.to_thread(vigil.call, "POST", "/api/readings", {"device": "wide", "metric": "alarm", "value": 5})
    await waiting
    took = time.perf_counter() - begun
    await asyncio.gather(*(item.close() for item in sockets))
    rows.append((f"{count:,} open live sockets", f"opened in {opened:.1f} s, {memory:.0f} MB resident; "
                 f"one alert reached {heard:,} of them in {took * 1000:.0f} ms", "2,000", heard == count))


async def alert_latency(vigil, seconds, rows, rate, prefix):
    import websockets

    size = 100
    register(vigil, prefix, int(seconds * 40))
    bodies = list(json_bodies(int(rate * seconds / size), size, 500))
    stopped = False

    def background():
        headers = {"Authorization": "Token " + vigil.token, "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", vigil.port, timeout=60)
        begun = time.perf_counter()
        for index, body in enumerate(bodies):
            if stopped:
                return
            delay = begun + index * size / rate - time.perf_counter()
            if delay > 0:
                time.sleep(delay)
            connection.request("POST", "/api/readings", body, headers)
            connection.getresponse().read()

    socket_ = await websockets.connect(f"ws://127.0.0.1:{vigil.port}/api/live",
                                       additional_headers={"Authorization": "Bearer " + vigil.token})
    await socket_.send(json.dumps({"type": "subscribe", "patterns": ["alert.*"]}))
    await asyncio.sleep(0.2)
    loader = asyncio.create_task(asyncio.to_thread(background))
    await asyncio.sleep(1)
    times = []
    connection = http.client.HTTPConnection("127.0.0.1", vigil.port, timeout=60)
    headers = {"Authorization": "Token " + vigil.token, "Content-Type": "application/json"}

    def report(device):
        connection.request("POST", "/api/readings", json.dumps({"device": device, "metric": "alarm", "value": 5}), headers)
        connection.getresponse().read()

    index = 0
    while not loader.done() and index < int(seconds * 40):
        device = f"{prefix}{index}"
        index += 1
        begun = time.perf_counter()
        posting = asyncio.create_task(asyncio.to_thread(report, device))
        while True:
            message = json.loads(await asyncio.wait_for(socket_.recv(), 30))
            if message["type"] == "alert.raised" and device in json.dumps(message["data"]):
                break
        times.append((time.perf_counter() - begun) * 1000)
        await posting
        await asyncio.sleep(0.02)
    await socket_.close()
    times.sort()
    p99 = times[int(len(times) * 0.99) - 1]
    rows.append((f"reading sent → alert on the socket, at {rate:,} readings/s ({len(times)} alerts)",
                 f"median {statistics.median(times):.1f} ms, p99 {p99:.1f} ms", "p99 < 50 ms", p99 < 50))


def start_peers(folder):
    """Those that are installed."""
    return [kind(folder / kind.__name__) for kind in (VictoriaMetrics, InfluxDB) if kind.program]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--markdown")
    options = parser.parse_args()
    rows = []
    folder = pathlib.Path(tempfile.mkdtemp())
    peers = start_peers(folder)
    vigil = Vigil(options.binary, folder / "vigil")
    try:
        vigil.start()
        vigil.stop()
        starts = []
        for _ in range(5):
            starts.append(vigil.start())
            vigil.stop()
        rows.append(("start until it serves, median of five", f"{statistics.median(starts) * 1000:.0f} ms", "< 500 ms",
                     statistics.median(starts) < 0.5))
        vigil.start()
        time.sleep(3)
        idle = resident(vigil.process)
        rows.append(("resident memory, idle", f"{idle:.0f} MB", "< 100 MB", idle < 100))
        vigil.call("POST", "/api/rules", {"name": "alarm", "metric": "alarm", "condition": "above", "threshold": 1})
        vigil.call("POST", "/api/rules", {"name": "hot", "metric": "temperature", "condition": "above", "threshold": 90})
        ingest_json(vigil, options.seconds, rows)
        asyncio.run(alert_latency(vigil, options.seconds, rows, 5_000, "l"))
        asyncio.run(alert_latency(vigil, options.seconds, rows, 20_000, "m"))
        asyncio.run(listen(vigil, 2000, rows))
        ingest_lines(vigil, peers, rows)
        rows.append(("resident memory after all of this", f"{resident(vigil.process):.0f} MB", "", None))
        vigil.stop()
    finally:
        for server in [vigil, *peers]:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)
    lines = [f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
             f"{time.strftime('%Y-%m-%d', time.gmtime())}; client and servers share the machine.", "",
             "| What | Seen | Goal | |", "|---|---|---|---|"]
    lines += [f"| {what} | {seen} | {goal} | {'' if met is None else 'met' if met else '**missed**'} |"
              for what, seen, goal, met in rows]
    print("\n".join(lines))
    if options.markdown:
        pathlib.Path(options.markdown).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
