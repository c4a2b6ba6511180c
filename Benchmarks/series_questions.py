"""The questions of series_http.py in the languages of the servers, and what is answered."""
import http.client
import io
import json
import math
import re
import socket
import time
import typing
import urllib.parse


class Answer(typing.NamedTuple):
    """What must be the same wherever it is asked: how many series and points, and the sum of all values."""

    series: int
    points: int
    sum: float

    def __str__(self):
        return f"{self.series:,} series, {self.points:,} points, sum {self.sum:.6g}"

    def agrees(self, other):
        return self[:2] == other[:2] and math.isclose(self.sum, other.sum, rel_tol=1e-6)


LATEST, ONE, EIGHT, ALL, FIVE, MEAN = NAMES = [
    "last point of every series", "one series, 1 h by 1 min", "8 series, 6 h by 5 min", "all series of one metric by 1 h",
    "all series of five metrics by 1 h", "mean of one metric over everything",
]
FIVE_FIELDS = ["flow", "pressure", "level", "energy", "voltage"]


class PromQL:
    """The classes of the design at /api/v1; `label` is what a device is called by, `names` are its values."""

    def __init__(self, label, names):
        self.label, self.names = label, names

    def targets(self, first, last, step):
        """By name of the question, the targets that are asked for one after the other; readings come every `step` seconds."""
        hours = max(1, (last - first + step) // 3600)

        def now(query):
            return "/api/v1/query?" + urllib.parse.urlencode({"query": query, "time": last})

        def over(query, span, window):
            return "/api/v1/query_range?" + urllib.parse.urlencode(
                {"query": query, "start": last - span, "end": last, "step": window})

        one, eight = self.names[3], "|".join(self.names[:8])
        return {
            LATEST: [now('{__name__=~"station_.+"}')],
            ONE: [over(f'avg_over_time(station_flow{{{self.label}="{one}"}}[1m])', 3600, 60)],
            EIGHT: [over(f'avg_over_time(station_flow{{{self.label}=~"{eight}"}}[5m])', min(6, hours) * 3600, 300)],
            ALL: [over("avg_over_time(station_flow[1h])", hours * 3600, 3600)],
            # A range function takes the name away, and two series of one name are an error: so each metric is asked for.
            FIVE: [over(f"avg_over_time(station_{name}[1h])", hours * 3600, 3600) for name in FIVE_FIELDS],
            MEAN: [now(f"avg(avg_over_time(station_flow[{hours}h]))")],
        }

    def read(self, text):
        found = json.loads(text)["data"]["result"]
        values = [float(value) for series in found for _, value in series.get("values") or [series["value"]]]
        return Answer(len(found), len(values), math.fsum(values))


class InfluxQL:
    """The same as its users ask for it."""

    def targets(self, first, last, step):
        hours = max(1, (last - first + step) // 3600)

        def over(what, span, by="", where=""):
            # A window of PromQL holds its end and not its start, one of InfluxQL its start: readings are on whole steps, and
            # one step later both hold the same. The first window of PromQL ends where the range starts.
            since = last - span + step
            return "/query?" + urllib.parse.urlencode({
                "db": "bench", "epoch": "s",
                "q": f"SELECT {what} FROM station WHERE {where}time >= {since}s AND time < {last + step}s{by}"})

        def windows(what, span, window, by, where=""):
            return [over(what, span + window, f" GROUP BY {by}time({window}s) fill(none)", where)]

        eight = "|".join(f"s{number}" for number in range(8))
        return {
            # As far back as the others look for a last point.
            LATEST: [over("last(*)", 300, " GROUP BY device")],
            ONE: windows("mean(flow)", 3600, 60, "", "device='s3' AND "),
            EIGHT: windows("mean(flow)", min(6, hours) * 3600, 300, "device, ", f"device =~ /^({eight})$/ AND "),
            ALL: windows("mean(flow)", hours * 3600, 3600, "device, "),
            FIVE: windows(", ".join(f"mean({name})" for name in FIVE_FIELDS), hours * 3600, 3600, "device, "),
            MEAN: [over("mean(flow)", hours * 3600)],
        }

    def read(self, text):
        # Each column but the time is a series, as it is elsewhere.
        result = json.loads(text)["results"][0]
        if "error" in result:
            raise Refused(result["error"])
        columns = [[float(value) for value in column if value is not None]
                   for series in result.get("series", []) for column in list(zip(*series["values"]))[1:]]
        return Answer(sum(map(bool, columns)), sum(map(len, columns)), math.fsum(map(math.fsum, columns)))


class Refused(Exception):
    """A question that was not answered."""


class Client:
    """A connection that takes the time until the last byte of an answer came, and reads what it says behind that.

    The standard library's client spends longer on the fields of a head than a server on a short question, and more the
    more of them a server sends.
    """

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=300)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.fields = "".join(f"{name}: {value}\r\n" for name, value in server.headers.items())

    def get(self, target):
        """The seconds, the status and the body."""
        request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self.fields}\r\n".encode()
        parts, tail, left = [], b"", None
        begun = time.perf_counter()
        self.socket.sendall(request)
        while left is None or left > 0:
            part = self.socket.recv(1 << 20)
            if not part:
                raise Refused("the connection was closed")
            parts.append(part)
            if left:
                left -= len(part)
            elif left is None:
                head, found, body = (head_of(parts)).partition(b"\r\n\r\n")
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head) if found else None
                if length:
                    left = int(length[1]) - len(body)
                elif found:
                    # In chunks, of which the last is empty; JSON holds no line ends of this kind.
                    tail = (tail + part)[-5:]
                    left = 0 if tail == b"0\r\n\r\n" else None
        took = time.perf_counter() - begun
        answer = http.client.HTTPResponse(Bytes(b"".join(parts)))
        answer.begin()
        return took, answer.status, answer.read()


def head_of(parts):
    """The beginning of an answer, in which its head ends."""
    return parts[0] if b"\r\n\r\n" in parts[0] else b"".join(parts[:8])


class Bytes:
    """What the standard library reads an answer from."""

    def __init__(self, content):
        self.content = content

    def makefile(self, _):
        return io.BytesIO(self.content)


def ask(server, targets, rounds):
    """Seconds of each round but the first, which is not counted, and what was answered in the last."""
    client = Client(server)
    took, texts = [], []
    for _ in range(rounds + 1):
        spent, texts = 0, []
        for target in targets:
            seconds, status, text = client.get(target)
            spent += seconds
            if status != 200:
                raise Refused(text[:300].decode(errors="replace"))
            texts.append(text)
        took.append(spent)
    return took[1:], texts


def answered(language, texts):
    """What all texts of an answer say together."""
    return Answer(*map(sum, zip(*map(language.read, texts))))
