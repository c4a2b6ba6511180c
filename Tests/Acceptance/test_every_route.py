"""Every route of the API, whatever is added: who may not, what is another tenant's, and whether answers are as described.

A route with a path parameter that has no example here fails: add one to `examples`.
"""

import os
import re
import urllib.parse

import jsonschema
import pytest
from conftest import Server, make_token, make_user, prepare_stores

# Parameters that name no object of a tenant.
WORDS = {"name": "device", "scope": "server"}
# Routes that answer for as long as one listens.
STREAMS = {"/api/live", "/api/live/events"}


class Estate:
    """A server with a tenant that has one of everything, and a stranger's tenant that has nothing."""

    def __init__(self, server, owner, stranger):
        self.server, self.owner, self.stranger = server, owner, stranger
        self.description = server.call("GET", "/openapi.json")[1]
        make = lambda path, body: self.made(path, body)
        site = make("/api/sites", {"code": "home", "name": "Home"})
        location = make("/api/locations", {"site": "home", "code": "cellar", "name": "Cellar", "kind": "room"})
        profile = make("/api/profiles", {"code": "probe", "name": "Probe"})
        device = make("/api/devices", {"code": "d1", "name": "D1", "site": "home", "location": "cellar"})
        rule = make("/api/rules", {"name": "Hot", "metric": "heat", "condition": "above", "threshold": 30})
        make("/api/readings", [{"device": "d1", "metric": "heat", "value": 31}])
        make("/api/readings", [{"device": "nobody", "metric": "heat", "value": 3}])
        alert = server.call("GET", "/api/alerts", token=owner)[1]["items"][0]
        retention = make("/api/retention/rules", {"subject": "reading", "metric": "heat", "hot": "forever"})
        user = make("/api/users", {"username": "bob", "password": "correct horse battery", "roles": ["viewer"]})
        make("/api/roles", {"code": "night", "name": "Night watch", "permissions": ["alert:read"]})
        token = make("/api/tokens", {"name": "spare"})
        signed = self.made("/api/auth/login", {"username": "bob", "password": "correct horse battery", "kind": "api"}, 200)
        session = server.call("GET", "/api/sessions", token=signed["accessToken"], scheme="Bearer")[1]["items"][0]
        panel = make("/api/panels", {"name": "Hall"})
        invitation = make("/api/invitations", {"roles": ["viewer"]})
        field = self.field()
        tenant = server.call("GET", "/api/tenants", token=owner)[1]["items"][0]
        self.examples = {
            "site": site["id"], "location": location["id"], "profile": profile["id"], "device": device["id"],
            "rule": rule["id"], "retentionRule": retention["id"], "alert": alert["id"], "user": user["id"], "role": "night",
            "token": token.get("id") or token["view"]["id"], "session": session["id"], "field": field["id"],
            "tenant": tenant["id"], "panel": panel["id"], "invitation": invitation["id"], "job": "0190a000-0000-7000-8000-000000000001",
        }

    def made(self, path, body, status=201):
        got, answer = self.server.call("POST", path, body, self.owner)
        assert got == status, (path, got, answer)
        return answer

    def field(self):
        import time

        deadline = time.monotonic() + 60
        while True:
            items = self.server.call("GET", "/api/fields", token=self.owner)[1]["items"]
            if items:
                return items[0]
            assert time.monotonic() < deadline, "no unknown field was catalogued"
            time.sleep(0.2)

    def operations(self):
        for path, methods in sorted(self.description["paths"].items()):
            for method, operation in sorted(methods.items()):
                if path not in STREAMS:
                    yield path, method.upper(), operation

    def address(self, path):
        """The path with examples, and whether they are somebody's objects."""
        objects = False
        for name in re.findall(r"{(\w+)}", path):
            if name in WORDS:
                value = WORDS[name]
            else:
                assert name in self.examples, f"{path}: no example for {name}"
                value, objects = self.examples[name], True
            path = path.replace("{" + name + "}", urllib.parse.quote(value, safe=""))
        return path, objects

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.description["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def sample(self, schema, name="", depth=0):
        """A small value that fits a schema."""
        schema = self.resolve(schema)
        if "enum" in schema:
            # A rule about silence needs nothing else.
            return "missing" if name == "condition" else schema["enum"][0]
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return self.sample(schema[choice][0], name, depth + 1)
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object" or "properties" in schema:
            needed = schema.get("required", [])
            return {key: self.sample(value, key, depth + 1) for key, value in schema.get("properties", {}).items()
                    if (key in needed or key == "note") and depth < 6}
        if kind == "array":
            return [self.sample(schema.get("items", {}), name, depth + 1)] if depth < 6 else []
        words = {"condition": "missing", "permissions": "alert:read", "code": "code"}
        samples = {"string": words.get(name, "correct horse"), "integer": 1, "number": 1.5, "boolean": True}
        return samples.get(kind, "x")

    def body(self, operation):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content and content["application/json"]["schema"]:
            return self.sample(content["application/json"]["schema"])
        if content:
            return b"" if "json" not in next(iter(content)) else {}
        return None


@pytest.fixture(scope="module")
def estate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("estate") / "data"
    variables = prepare_stores(folder)
    make_user(folder)
    make_user(folder, tenant="evil", name="eve")
    with Server(folder) as server:
        yield Estate(server, make_token(folder), make_token(folder, "evil", "eve"))
    for variable in variables:
        del os.environ[variable]


def test_nobody_gets_in_without_a_credential(estate):
    open_routes = set()
    for path, method, operation in estate.operations():
        address, _ = estate.address(path)
        status, _ = estate.server.call(method, address, estate.body(operation))
        if operation.get("security") == []:
            open_routes.add(path)
        else:
            assert status == 401, f"{method} {path} answered {status} to nobody"
    assert open_routes == {
        "/health", "/ready", "/metrics", "/openapi.json", "/ping", "/api/auth/login", "/api/auth/refresh",
        "/api/auth/password-reset", "/api/auth/password-reset/confirm", "/api/panels/enrol", "/api/invitations/accept"} & open_routes


def test_who_lacks_the_permission_is_told_so(estate):
    estate.made("/api/roles", {"code": "none", "name": "Nothing", "permissions": ["nothing:read"]})
    estate.made("/api/users", {"username": "zed", "password": "correct horse battery", "roles": ["none"]})
    token = make_token(estate.server.folder, name="zed")
    checked = 0
    for path, method, operation in estate.operations():
        if "x-permission" not in operation:
            continue
        address, _ = estate.address(path)
        status, answer = estate.server.call(method, address, estate.body(operation), token)
        assert status == 403, f"{method} {path} answered {status} without {operation['x-permission']}: {answer}"
        checked += 1
    assert checked > 50


def test_another_tenants_objects_are_not_there(estate):
    checked, faults = 0, []
    for path, method, operation in estate.operations():
        address, objects = estate.address(path)
        if not objects or "{job}" in path:
            continue
        status, answer = estate.server.call(method, address, estate.body(operation), estate.stranger)
        if status != 404:
            faults.append(f"{method} {path} answered {status} to a stranger: {answer}")
        checked += 1
    assert not faults, "\n".join(faults)
    assert checked > 30


def test_lists_of_a_stranger_are_empty_of_our_things(estate):
    ours = {value for value in estate.examples.values()}
    for path, method, operation in estate.operations():
        if method != "GET" or "{" in path:
            continue
        status, answer = estate.server.call("GET", path, token=estate.stranger)
        text = answer if isinstance(answer, str) else str(answer)
        assert not [value for value in ours if value in text], f"{path} shows a stranger our things"


def test_answers_are_as_described(estate):
    components = estate.description["components"]
    checked, faults = 0, []
    for path, method, operation in estate.operations():
        if method != "GET":
            continue
        address, _ = estate.address(path)
        status, answer = estate.server.call("GET", address, token=estate.owner)
        if status in (400, 404):
            # It needs a query, or there is none of it.
            schema = {"$ref": "#/components/schemas/Problem"} if isinstance(answer, dict) and "type" in answer else {}
        else:
            # The log belongs to no tenant where there are several.
            if status not in (200, 204) and path not in ("/api/logs", "/api/retention/archive"):
                faults.append(f"{path} answered {status}: {answer}")
                continue
            schema = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema")
        if not schema or status in (204, 403):
            continue
        try:
            jsonschema.Draft202012Validator({**schema, "components": components}).validate(answer)
        except jsonschema.ValidationError as error:
            faults.append(f"{path}: {error.message} at {list(error.absolute_path)}")
        checked += 1
    assert not faults, "\n".join(faults)
    assert checked > 25


def test_wrong_bodies_are_400_and_never_500(estate):
    for path, method, operation in estate.operations():
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            continue
        address, _ = estate.address(path)
        for body in (b"{", b"[]", b'"x"', b"null", b'{"\xff": 1}', b"{}"):
            status, answer = estate.server.call(
                method, address, body, estate.owner, {"Content-Type": "application/json"})
            assert status < 500, f"{method} {path} answered {status} to {body}: {answer}"


# Conventions that are not ours pass over what they do not know, as their originals do; so do probes.
LENIENT = re.compile(r"^/(write|ping|health|ready|metrics|api/v2/write|api/v1/.*)$")


def test_a_member_that_nobody_reads_is_refused_by_name(estate):
    checked, faults = 0, []
    for path, method, operation in estate.operations():
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if not schema:
            continue
        schema = estate.resolve(schema)
        if "properties" not in schema or "bodyOfAnyForm" in operation or path == "/api/ingest":
            continue
        address, _ = estate.address(path)
        known = sorted(schema["properties"], key=len)[-1]
        for wrong, hint in ((known + "x", known), ("zzzzqqqq", None)):
            body = {**(estate.sample(schema) or {}), wrong: 1}
            status, answer = estate.server.call(method, address, body, estate.owner)
            told = isinstance(answer, dict) and answer.get("errors") or []
            reason = f"is no field; did you mean {hint}?" if hint else "is no field"
            if status != 400 or not any(fault["field"] == wrong and fault["reason"].startswith(reason) for fault in told):
                faults.append(f"{method} {path} with {wrong}: {status} {answer}")
        checked += 1
    assert not faults, "\n".join(faults)
    assert checked > 30


def test_a_query_parameter_that_nobody_reads_is_refused_by_name(estate):
    checked, faults = 0, []
    for path, method, operation in estate.operations():
        address, _ = estate.address(path)
        names = [item["name"] for item in operation.get("parameters", []) if item["in"] == "query"]
        wrong = max(names, key=len) + "x" if names else "bogus"
        status, answer = estate.server.call(
            method, address + "?" + urllib.parse.urlencode({wrong: "1"}), estate.body(operation), estate.owner)
        if LENIENT.match(path):
            if isinstance(answer, dict) and "is no parameter" in str(answer):
                faults.append(f"{method} {path} refused what its original passes over: {answer}")
            continue
        told = isinstance(answer, dict) and answer.get("errors") or []
        if status != 400 or not any(fault["field"] == wrong and "is no parameter" in fault["reason"] for fault in told):
            faults.append(f"{method} {path}?{wrong}=1: {status} {answer}")
        elif names and max(names, key=len) not in str(told):
            faults.append(f"{method} {path}?{wrong}=1 does not say what was perhaps meant: {told}")
        checked += 1
    assert not faults, "\n".join(faults)
    assert checked > 100


def test_every_field_that_can_be_sent_is_described(estate):
    faults = set()

    def look(schema, where, seen):
        name = schema.get("$ref", "").rsplit("/", 1)[-1]
        if name and name in seen:
            return
        where = name or where
        schema = estate.resolve(schema)
        for key, value in schema.get("properties", {}).items():
            if not value.get("description"):
                faults.add(f"{where}.{key}")
            look(value, f"{where}.{key}", seen | {name})
        for part in [schema.get("items"), *schema.get("anyOf", []), *schema.get("oneOf", [])]:
            if isinstance(part, dict):
                look(part, where, seen | {name})

    for path, method, operation in estate.operations():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            look(content["schema"], path, set())
    assert not faults, "\n".join(sorted(faults))


EXTREMES = [1e300, -1e300, 9.25e18, 2**63, -(2**63), 2**64, 1e-320, -1, 0]
WORDS_OF_TIME = ["9999-12-31T23:59:59.999999Z", "0000-01-01T00:00:00Z", "-1", "1e300", "9223372036854775807", "NaN", "-Inf", "1e18y"]


def extreme(estate, schema, number, depth=0):
    """A value that fits a schema, with every number in it as large as can be, optional ones included."""
    schema = estate.resolve(schema)
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return extreme(estate, schema[choice][0], number, depth + 1)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" or "properties" in schema:
        return {key: extreme(estate, value, number, depth + 1) for key, value in schema.get("properties", {}).items()} if depth < 6 else {}
    if kind == "array":
        return [extreme(estate, schema.get("items", {}), number, depth + 1)] if depth < 6 else []
    return number if kind in ("integer", "number") else {"string": "above", "boolean": True}.get(kind, number)


def test_extreme_numbers_and_times_never_stop_the_server(estate):
    def attempt(method, path, body=None):
        status, answer = estate.server.call(method, path, body, estate.owner)
        assert status < 500, (method, path, body, answer)
        assert estate.server.process.poll() is None, (method, path, body)

    for path, method, operation in estate.operations():
        if method == "DELETE" or "backup" in path:
            continue
        address, _ = estate.address(path)
        names = [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"]
        for word in WORDS_OF_TIME if method == "GET" else []:
            for name in names:
                attempt(method, address + "?" + urllib.parse.urlencode({name: word}))
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        for number in EXTREMES if schema else []:
            attempt(method, address, extreme(estate, schema, number))
    for number in EXTREMES:
        for name in ("time", "timestamp", "value", "quality"):
            attempt("POST", "/api/devices/extreme/readings", {"value": {"x": 1}, name: number})
        for query in (f"topk({number}, x)", f"x[{number}s]", f"vector({number})", f"round(vector({number}), {number})",
                      f"x offset {number}s", f"x @ {number}", f"day_of_month(vector({number}))", f"limitk({number}, x)",
                      f"quantile({number}, x)", f"predict_linear(x[5m], {number})", f"label_replace(vector({number}), 'a', '$1', 'b', '')"):
            attempt("GET", "/api/v1/query?" + urllib.parse.urlencode({"query": query}))
            attempt("GET", "/api/v1/query_range?" + urllib.parse.urlencode(
                {"query": query, "start": number, "end": number, "step": number}))
    attempt("GET", "/health")
