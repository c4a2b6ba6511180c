"""A proxy before PostgreSQL that can lose the answer to a COMMIT, go silent, or refuse."""

import os
import socket
import threading
import time


class CutProxy:
    """Hands bytes on between clients and a server, until it is told to cut.

    `lose_commit(marker)`: the answer to the COMMIT of the transaction that sends the marker reaches nobody, and until
    `heal()` nobody can connect; with `deliver=False` the COMMIT itself does not reach the server. `silence()`:
    connections stay, but nothing passes any more, until `heal()`.
    """

    def __init__(self, host, port):
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.marker, self.deliver = None, True
        self.refusing = self.silent = False
        self.lost = threading.Event()
        self.pairs = []
        threading.Thread(target=self.accept, daemon=True).start()

    def lose_commit(self, marker, deliver=True):
        self.lost.clear()
        self.marker, self.deliver = marker.encode(), deliver

    def silence(self):
        self.silent = True

    def heal(self):
        self.refusing = self.losing = self.silent = False

    def cut(self):
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()
        self.pairs = []

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            try:
                server = socket.create_connection(self.target)
            except OSError:
                client.close()
                continue
            self.pairs.append((client, server))
            threading.Thread(target=self.forward, args=(client, server), daemon=True).start()
            threading.Thread(target=self.back, args=(client, server), daemon=True).start()

    def back(self, client, server):
        try:
            while data := server.recv(1 << 16):
                while self.silent:
                    time.sleep(0.05)
                if self.refusing:
                    return
                client.sendall(data)
        except OSError:
            pass
        for end in (client, server):
            end.close()

    def forward(self, client, server):
        """Reads the client's messages, to know which of them is a COMMIT."""
        commits, rest, started, marked = set(), b"", False, False
        try:
            while data := client.recv(1 << 16):
                while self.silent:
                    time.sleep(0.05)
                rest += data
                marked = marked or (self.marker is not None and self.marker in data)
                sends_commit = False
                while True:
                    head = 1 if started else 0
                    if len(rest) < head + 4:
                        break
                    length = int.from_bytes(rest[head:head + 4], "big") + head
                    if len(rest) < length:
                        break
                    message, rest = rest[:length], rest[length:]
                    started = True
                    body = message[5:].split(b"\0")
                    if message[:1] == b"P" and body[1] == b"COMMIT":
                        commits.add(body[0])
                    if message[:1] == b"B" and body[1] in commits:
                        sends_commit = True
                if sends_commit and marked:
                    self.marker, self.refusing = None, True
                    if self.deliver:
                        server.sendall(data)
                        time.sleep(0.5)  # The server has it, and has answered; the answer stays here.
                    self.cut()
                    self.lost.set()
                    return
                server.sendall(data)
        except OSError:
            pass
        for end in (client, server):
            end.close()


def proxied(monkeypatch):
    """Puts a proxy before the server that the environment names."""
    proxy = CutProxy(os.environ["POSTGRES_HOST"], int(os.environ["POSTGRES_PORT"]))
    monkeypatch.setenv("POSTGRES_HOST", "127.0.0.1")
    monkeypatch.setenv("POSTGRES_PORT", str(proxy.port))
    # The proxy reads what passes.
    monkeypatch.setenv("PGSSLMODE", "disable")
    return proxy
