"""The listener as hostile and clumsy clients meet it."""

import asyncio
import http.client
import json
import socket

import pytest
import websockets

from conftest import PASSWORD, Server, make_user


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
