"""The questions of series_http.py in the languages of the servers, and what is answered."""
import http.client
import json
import math
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


def ask(server, targets, rounds):
    """Seconds of each round but the first, which is not counted, and what was answered in the last."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    took, texts = [], []
    for _ in range(rounds + 1):
        spent, texts = 0, []
        for target in targets:
            begun = time.perf_counter()
            connection.request("GET", target, headers=server.headers)
            answer = connection.getresponse()
            text = answer.read()
            spent += time.perf_counter() - begun
            if answer.status != 200:
                raise Refused(text[:300].decode(errors="replace"))
            texts.append(text)
        took.append(spent)
    return took[1:], texts


def answered(language, texts):
    """What all texts of an answer say together."""
    return Answer(*map(sum, zip(*map(language.read, texts))))
