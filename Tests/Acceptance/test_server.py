"""The listener as hostile and clumsy clients meet it."""

import asyncio
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
import urllib.parse

import pytest
import websockets

from conftest import BINARY, PASSWORD, Server, free_port, make_token, make_user


def raw(server, data, until=b"\r\n\r\n"):
    """Sends bytes and gives the beginning of the answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(data)
        answer = b""
        while until not in answer:
            piece = connection.recv(65536)
            if not piece:
                break
            answer += piece
        return answer


@pytest.mark.parametrize("data, status", [
    (b"GARBAGE\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", 431),
    (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (b"POST /write HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
    (b"POST /write HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
])
def test_what_is_no_fair_request_is_refused_and_the_server_goes_on(place, data, status):
    assert raw(place, data).startswith(b"HTTP/1.1 %d " % status)
    assert place.call("GET", "/health")[0] == 200


def test_two_hundred_fields_are_enough(place):
    fields = b"".join(b"X-%d: a\r\n" % number for number in range(300))
    answer = raw(place, b"GET /health HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
    assert answer.split(b" ")[1] in (b"400", b"431")


def test_more_connections_than_allowed_are_told_to_come_back(folder, monkeypatch):
    monkeypatch.setenv("VIGIL_SERVER_LIMITS_CONNECTIONS", "20")
    make_user(folder)
    with Server(folder) as server:
        held = []
        try:
            # Each has had an answer, so it is counted; a connection alone may still wait to be looked at.
            for _ in range(20):
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
                held.append(connection)
                connection.request("GET", "/health")
                assert connection.getresponse().read()
            answer = raw(server, b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 503 ") and b"retry-after" in answer.lower()
        finally:
            for connection in held:
                connection.close()


def sign_in(server):
    """The cookie of a browser's session."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request(
        "POST", "/login", body="username=ann&password=" + PASSWORD.replace(" ", "+"),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Origin": server.url})
    answer = connection.getresponse()
    cookie = answer.getheader("Set-Cookie")
    assert cookie, (answer.status, answer.read())
    return cookie.split(";")[0]


def test_a_page_of_another_site_may_not_listen_nor_act(place):
    cookie = sign_in(place)

    async def listen(**headers):
        address = place.url.replace("http", "ws") + "/api/live"
        async with websockets.connect(address, additional_headers=headers) as channel:
            await channel.send(json.dumps({"type": "subscribe", "patterns": ["*"]}))
            return json.loads(await asyncio.wait_for(channel.recv(), 10))["type"]

    assert asyncio.run(listen(Cookie=cookie, Origin=place.url)) == "subscribed"
    for headers in ({"Cookie": cookie, "Origin": "http://evil.example"}, {"Cookie": cookie}, {}):
        with pytest.raises(websockets.InvalidStatus) as refused:
            asyncio.run(listen(**headers))
        assert refused.value.response.status_code in (401, 403), headers
    body = {"name": "by another site", "code": "evil"}
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}):
        status, problem = place.call("POST", "/api/sites", body, headers={"Cookie": cookie, **headers})
        assert status == 403, (headers, problem)
    status, _ = place.call("POST", "/api/sites", body, headers={"Cookie": cookie, "Origin": place.url})
    assert status == 201


def test_a_proxy_is_believed_only_when_it_is_named(folder, monkeypatch):
    """Wrong passwords count against the client that a trusted proxy names, else against the proxy."""
    make_user(folder)

    def fail(server, client):
        return server.call("POST", "/api/auth/login", {"username": "ann", "password": "wrong wrong"},
                           headers={"X-Forwarded-For": client})[0]

    with Server(folder) as server:
        statuses = [fail(server, f"198.51.100.{number}") for number in range(8)]
        assert statuses[-1] == 429, "without a trusted proxy all are one address"


def test_pages_may_not_be_framed_and_load_nothing_foreign(place):
    connection = http.client.HTTPConnection("127.0.0.1", place.port)
    connection.request("GET", "/login")
    answer = connection.getresponse()
    policy = answer.getheader("Content-Security-Policy")
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "unsafe-inline" not in policy and "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.getheader("X-Content-Type-Options") == "nosniff"


def test_a_head_may_come_in_drops(place):
    """A slow, honest client is served."""
    with socket.create_connection(("127.0.0.1", place.port), timeout=10) as connection:
        for byte in b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


# Some megabytes, made of nothing: eleven thousand steps of thirty series.
LARGE = "/api/v1/query_range?" + urllib.parse.urlencode({
    "query": " or ".join(f'label_replace(vector({n}), "n", "{n}", "", "")' for n in range(30)),
    "start": 0, "end": 10_999, "step": 1})
# Three billion samples to sort: minutes of work.
ENDLESS = "/api/v1/query_range?" + urllib.parse.urlencode({
    "query": " + ".join(
        f"quantile_over_time(0.9, vector(time() * {7919 + 2 * n} % 1013)[2h:1s])" for n in range(40)),
    "start": 0, "end": 20_000, "step": 2})


def request(server, path, version="1.1", fields=""):
    return f"GET {path} HTTP/{version}\r\nHost: a\r\nAuthorization: Token {server.token}\r\n{fields}\r\n".encode()


def connect(server):
    """A client that takes little at a time."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", server.port))
    return connection


def body_of(connection, pause=0.0, ends=True):
    """The body of an answer: until the connection ends, or as long as the answer says."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(65536)
        assert piece, "it ended within the head"
        answer += piece
        if answer.startswith(b"HTTP/1.1 100 ") and b"\r\n\r\n" in answer:
            answer = answer.split(b"\r\n\r\n", 1)[1]
    head, body = answer.split(b"\r\n\r\n", 1)
    length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    time.sleep(pause)
    pieces, got = [body], len(body)
    while ends or got < length:
        piece = connection.recv(1 << 20 if ends else min(1 << 20, length - got))
        if not piece:
            break
        pieces.append(piece)
        got += len(piece)
    assert got == length, f"{got} of {length} bytes"
    return b"".join(pieces)


@pytest.fixture
def large(place):
    """What the large answer is, by a connection that goes on."""
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=60)
    connection.request("GET", LARGE, headers={"Authorization": f"Token {place.token}"})
    body = connection.getresponse().read()
    assert len(json.loads(body)["data"]["result"]) == 30 and len(body) > 3_000_000
    connection.close()
    return body


@pytest.mark.parametrize("version, fields", [
    ("1.1", "Connection: close\r\n"), ("1.1", "Connection: TE, Close\r\nTE: trailers\r\n"), ("1.0", ""),
    ("1.0", "Connection: keep-alive\r\n")])
def test_an_answer_is_whole_when_the_connection_ends_with_it(place, large, version, fields):
    with connect(place) as connection:
        connection.sendall(request(place, LARGE, version, fields))
        assert body_of(connection, pause=1) == large


def test_an_answer_is_whole_for_who_has_nothing_more_to_say(place, large):
    with connect(place) as connection:
        connection.sendall(request(place, LARGE))
        connection.shutdown(socket.SHUT_WR)
        assert body_of(connection, pause=1) == large


def test_no_answer_overtakes_the_one_before_it(place, large):
    for _ in range(20):
        with connect(place) as connection:
            connection.sendall(request(place, LARGE) + request(place, "/health"))
            connection.shutdown(socket.SHUT_WR)
            assert body_of(connection, ends=False) == large
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
            assert connection.recv(65536) == b""


def test_answers_keep_the_order_of_their_requests_whichever_way_they_take(place):
    """What is answered at once and what is not, in one segment; whoever has nothing more to say gets all of it."""
    quick, slow = "/api/v1/query?query=vector(1)", "/api/devices"
    form = "Content-Type: application/x-www-form-urlencoded\r\n"
    bodies = {"p": b"query=vector(1)", "b": b"query=vector(1)&pad=" + b"x" * 30_000, "e": b""}
    for shape in ("qsq", "qqqqqqq", "ssqqssqq", "qpqpsq", "pqqsqp", "bqpbbqsp", "peqpe"):
        requests, names = b"", []
        for number, kind in enumerate(shape * 3):
            names.append(f"{kind}-{number}")
            fields = f"X-Request-ID: {names[-1]}\r\n"
            if kind in bodies:
                fields += f"{form}Content-Length: {len(bodies[kind])}\r\n"
                path = quick if kind == "e" else "/api/v1/query"
                requests += request(place, path, fields=fields).replace(b"GET ", b"POST ", 1) + bodies[kind]
            else:
                requests += request(place, quick if kind == "q" else slow, fields=fields)
        with connect(place) as connection:
            connection.sendall(requests)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        assert answer.count(b"HTTP/1.1 200 ") == len(names)
        assert re.findall(rb"(?i)x-request-id: (\S+)", answer) == [name.encode() for name in names]


def test_a_small_body_may_come_in_drops_or_not_at_all(place):
    body = b"query=vector(41%2B1)"
    head = request(place, "/api/v1/query", fields=(
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"))
    head = head.replace(b"GET ", b"POST ", 1)
    with connect(place) as connection:
        for byte in head + body:
            connection.sendall(bytes([byte]))
        assert json.loads(body_of(connection, ends=False))["data"]["result"][0]["value"][1] == "42"
        # Who ends in the middle of it is told so, or the connection ends; the server goes on.
        connection.sendall(head + body[:7])
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
    assert place.call("GET", "/api/v1/query?query=vector(1)", token=place.token)[0] == 200


def test_what_is_no_request_behind_one_that_is_takes_no_answer_away(place):
    with connect(place) as connection:
        connection.sendall(request(place, "/api/v1/query?query=vector(1)") + b"\x00\x01 nonsense\r\n\r\n")
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200 ") and b'"resultType":"vector"' in answer


def test_a_refusal_that_comes_early_keeps_the_connection(place):
    """Who is told to close while it still sends may lose the answer; the rest of the body is thrown away instead."""
    lines = b"timestamp,value\n" + b"1700000000,1\n" * 400_000
    path = "/api/import/csv?device=d&metric=m&timeColumn=zeit"
    with connect(place) as connection:
        head = request(place, path, fields=f"Content-Length: {len(lines)}\r\nContent-Type: text/csv\r\n")
        connection.sendall(head.replace(b"GET ", b"POST ", 1) + lines[:300_000])
        answer = b""
        while b"there is no zeit" not in answer:
            piece = connection.recv(65536)
            assert piece, answer
            answer += piece
        assert answer.startswith(b"HTTP/1.1 400 ") and b"connection: close" not in answer.lower(), answer
        connection.sendall(lines[300_000:] + request(place, "/health"))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_client_of_http_1_0_gets_no_chunks(place):
    with connect(place) as connection:
        connection.sendall(request(place, "/api/live/events?pattern=*", "1.0"))
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.0 200 ") and b"chunked" not in answer.lower(), answer


def test_a_slow_reader_is_left_only_when_it_takes_nothing(place, large):
    """It takes longer than a standstill may last."""
    with connect(place) as connection:
        connection.sendall(request(place, LARGE, fields="Connection: close\r\n"))
        got, begun = [], time.monotonic()
        while piece := connection.recv(65536):
            got.append(piece)
            if time.monotonic() - begun < 40:
                time.sleep(0.5)
        assert b"".join(got).split(b"\r\n\r\n", 1)[1] == large


def test_an_answer_is_whole_over_tls(folder, tmp_path):
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    make_user(folder)
    token, port = make_token(folder), free_port()
    with open(tmp_path / "serve.log", "ab") as log:
        process = subprocess.Popen(
            [BINARY, "serve", "--data", str(folder), "--port", str(port)], stderr=log,
            env={**os.environ, "VIGIL_SERVER_TLS_CERTIFICATE": str(certificate), "VIGIL_SERVER_TLS_KEY": str(key)})
    try:
        deadline = time.monotonic() + 60
        while subprocess.run(["curl", "-sfo", "/dev/null", "--cacert", certificate, f"https://127.0.0.1:{port}/health"]
                             ).returncode:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.1)
        bodies = []
        for how in (["--http1.0"], ["-H", "Connection: close"], []):
            bodies.append(subprocess.run(
                ["curl", "-sSf", "--limit-rate", "2M", "--cacert", certificate, "-H", f"Authorization: Token {token}", *how,
                 f"https://127.0.0.1:{port}{LARGE}"], capture_output=True, check=True).stdout)
        assert len(bodies[0]) > 3_000_000 and bodies[0] == bodies[1] == bodies[2]
        trust = ssl.create_default_context(cafile=certificate)
        # Its TCP connection is ended on one side, without a word in TLS.
        with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
            with trust.wrap_socket(plain, server_hostname="localhost") as connection:
                fields = f"Host: a\r\nAuthorization: Token {token}\r\n\r\n"
                connection.sendall(f"GET {LARGE} HTTP/1.1\r\n{fields}".encode())
                socket.socket.shutdown(connection, socket.SHUT_WR)
                assert body_of(connection, pause=1, ends=False) == bodies[0]
    finally:
        process.terminate()
        process.wait(timeout=20)


def used(server):
    """The processor time of the server, in seconds."""
    fields = open(f"/proc/{server.process.pid}/stat").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_quiet(server, within):
    """Whether the server does nothing any more for half a second."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        before = used(server)
        time.sleep(0.5)
        if used(server) - before < 0.1:
            return True
    return False


@pytest.mark.parametrize("path", [ENDLESS, ENDLESS.replace("quantile_over_time%280.9%2C", "stddev_over_time%28")])
def test_the_work_of_a_query_ends_with_its_client(place, path):
    for _ in range(3):
        connection = connect(place)
        connection.sendall(request(place, path))
        time.sleep(1)
        connection.close()
    assert is_quiet(place, within=4)


def test_long_queries_keep_nobody_waiting(place):
    """More of them than the machine has processors."""
    held = [connect(place) for _ in range(6)]
    for connection in held:
        connection.sendall(request(place, ENDLESS))
    time.sleep(1)
    begun = time.monotonic()
    assert place.call("POST", "/api/v2/write", b"m,device=d v=1", place.token)[0] == 204
    assert time.monotonic() - begun < 5
    for connection in held:
        connection.close()
    assert is_quiet(place, within=6)


def test_a_query_takes_no_longer_than_its_sender_allows(place):
    for timeout in ("1", "500ms", "0"):
        begun = time.monotonic()
        status, answer = place.call("GET", f"{ENDLESS}&timeout={timeout}", token=place.token)
        assert (status, answer) == (503, {
            "status": "error", "errorType": "timeout", "error": "query timed out in expression evaluation"})
        assert time.monotonic() - begun < 4
    query = "/api/v1/query?query=vector(1)&timeout="
    assert place.call("GET", query + "soon", token=place.token)[1]["errorType"] == "bad_data"
    assert place.call("GET", query + "1h", token=place.token)[0] == 200


def test_the_server_stops_soon_while_queries_run(folder):
    make_user(folder)
    server = Server(folder)
    server.token = make_token(folder)
    held = [connect(server) for _ in range(6)]
    for connection in held:
        connection.sendall(request(server, ENDLESS))
    slow = connect(server)
    slow.sendall(request(server, LARGE))
    time.sleep(2)
    for number in range(20):
        assert server.call("POST", "/api/v2/write", b"m,device=d v=%d %d" % (number, 1_700_000_000 + number) + b"000000000",
                           server.token)[0] == 204
    assert server.stop(signal.SIGTERM) < 2.5
    for connection in [*held, slow]:
        connection.close()
    with Server(folder) as server:
        answer = server.call("GET", "/api/v1/query?query=m_v[1m]&time=1700000030", token=make_token(folder))
        assert len(answer[1]["data"]["result"][0]["values"]) == 20
