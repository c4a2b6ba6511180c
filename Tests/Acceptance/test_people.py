"""Roles, what members see, tenants and their clients, on the built binary."""

from conftest import make_token


def add_user(place, name, roles):
    status, answer = place.call(
        "POST", "/api/users", {"username": name, "password": "correct horse battery", "roles": roles}, place.token)
    assert status == 201, answer
    return make_token(place.folder, name=name)


def test_a_role_of_ones_own_holds_at_once(place):
    role = {"code": "night", "name": "Night watch", "permissions": ["alert:read"]}
    assert place.call("POST", "/api/roles", role, place.token)[0] == 201
    assert place.call("POST", "/api/roles", role, place.token)[0] == 409
    token = add_user(place, "bob", ["night"])
    assert place.call("GET", "/api/alerts", token=token)[0] == 200
    assert place.call("GET", "/api/devices", token=token)[0] == 403
    role["permissions"] = ["alert:read", "device:read"]
    assert place.call("PUT", "/api/roles/night", role, place.token)[0] == 200
    assert place.call("GET", "/api/devices", token=token)[0] == 200
    assert place.call("DELETE", "/api/roles/night", token=place.token)[0] == 409
    assert place.call("PATCH", "/api/users/bob", {"roles": ["viewer"]}, place.token)[0] == 200
    assert place.call("DELETE", "/api/roles/night", token=place.token)[0] == 204
    assert place.call("PUT", "/api/roles/admin", role, place.token)[0] in (400, 404)


def test_nobody_gives_more_than_they_hold(place):
    place.call("POST", "/api/roles", {
        "code": "clerk", "name": "Clerk", "permissions": ["role:create", "user:create", "device:read"]}, place.token)
    token = add_user(place, "bob", ["clerk"])
    grab = {"code": "boss", "name": "Boss", "permissions": ["*:*"]}
    assert place.call("POST", "/api/roles", grab, token)[0] == 403
    assert place.call("POST", "/api/roles", {**grab, "permissions": ["device:read"]}, token)[0] == 201
    eve = {"username": "eve", "password": "correct horse battery", "roles": ["admin"]}
    assert place.call("POST", "/api/users", eve, token)[0] == 403


def test_a_member_sees_what_is_assigned_and_nothing_else(place):
    place.call("POST", "/api/sites", {"code": "home", "name": "Home"}, place.token)
    place.call("POST", "/api/sites", {"code": "shed", "name": "Shed"}, place.token)
    place.call("POST", "/api/locations", {"site": "home", "code": "cellar", "name": "Cellar", "kind": "room"}, place.token)
    for code, where in (("a", {"site": "home", "location": "cellar"}), ("b", {"site": "shed"})):
        assert place.call("POST", "/api/devices", {"code": code, "name": code, **where}, place.token)[0] == 201
    place.call("POST", "/api/rules", {"name": "Hot", "metric": "heat", "condition": "above", "threshold": 30}, place.token)
    place.call("POST", "/api/readings", [{"device": name, "metric": "heat", "value": 31} for name in "ab"], place.token)
    token = add_user(place, "bob", ["operator"])

    def seen():
        ask = lambda path: place.call("GET", path, token=token)
        devices = {item["code"] for item in ask("/api/devices")[1]["items"]}
        alerts = {item["deviceName"] for item in ask("/api/alerts")[1]["items"]}
        series = ask("/api/v1/query?query=heat")[1]["data"]["result"]
        statistics = ask("/api/alerts/statistics")[1]["total"]
        readings = {name: ask(f"/api/devices/{name}/readings")[0] for name in "ab"}
        return devices, alerts, len(series), statistics, readings

    assert seen() == ({"a", "b"}, {"a", "b"}, 2, 2, {"a": 200, "b": 200})
    wanted = {"seesAll": False, "devices": [], "locations": ["cellar"], "sites": []}
    assert place.call("PUT", "/api/users/bob/assignments", wanted, place.token) == (200, wanted)
    assert place.call("GET", "/api/users/bob/assignments", token=place.token) == (200, wanted)
    assert seen() == ({"a"}, {"a"}, 1, 1, {"a": 200, "b": 404})
    write = [{"device": "b", "metric": "heat", "value": 1}]
    status, answer = place.call("POST", "/api/readings", write, token)
    assert status == 400 and answer["code"] == "ingest.refused", answer
    wanted = {"seesAll": False, "devices": ["b"], "locations": [], "sites": []}
    assert place.call("PUT", "/api/users/bob/assignments", wanted, place.token)[0] == 200
    assert seen() == ({"b"}, {"b"}, 1, 1, {"a": 404, "b": 200})
    status, answer = place.call("PUT", "/api/users/bob/assignments", {**wanted, "devices": ["zzz"]}, place.token)
    assert status == 400 and "devices" in answer["detail"]


def test_a_provider_has_clients(place):
    assert place.call("POST", "/api/tenants", {"code": "client-1"}, place.token)[0] == 409
    assert place.call("PATCH", "/api/tenants/acme", {"kind": "provider"}, place.token)[0] == 200
    status, client = place.call("POST", "/api/tenants", {"code": "client-1", "name": "Client one"}, place.token)
    assert status == 201 and client["kind"] == "client"
    assert place.call("POST", "/api/tenants", {"code": "client-1"}, place.token)[0] == 409
    tenants = place.call("GET", "/api/tenants", token=place.token)[1]["items"]
    assert {item["code"]: item["isCurrent"] for item in tenants} == {"acme": True, "client-1": False}
    assert place.call("PATCH", "/api/tenants/client-1", {"isActive": False}, place.token)[1]["isActive"] is False
    assert place.call("PATCH", "/api/tenants/acme", {"isActive": False}, place.token)[0] == 409
