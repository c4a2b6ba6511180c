"""Devices as their owners and programs meet them, on the built binary."""

import datetime
import json
import time


def alerts(place):
    return place.call("GET", "/api/alerts?limit=100", token=place.token)[1]["items"]


def test_a_smoke_detector_that_reports_by_lines_raises_its_alert(place):
    place.call("POST", "/api/devices", {"name": "Hall", "code": "hall", "handler": "smoke"}, place.token)
    assert place.call("POST", "/write", b"smoke,device=hall smoke=false", place.token)[0] == 204
    assert place.call("POST", "/write", b"smoke,device=hall smoke=true", place.token)[0] == 204
    assert [alert["title"] for alert in alerts(place)] == ["Smoke at Hall"]
    status, answer = place.call("POST", "/write", b'smoke,device=hall smoke="banana"', place.token)
    assert status == 400 and "smoke of hall must be true or false" in json.dumps(answer), answer


def test_a_restored_device_gets_its_readings_at_once(place):
    place.call("POST", "/api/devices", {"name": "R", "code": "r5", "handler": "smoke"}, place.token)
    device = place.call("GET", "/api/devices/r5", token=place.token)[1]["id"]
    assert place.call("DELETE", "/api/devices/r5", token=place.token)[0] == 204
    place.call("POST", "/api/devices/r5/readings", {"value": False}, place.token)
    assert place.call("POST", f"/api/devices/{device}/restore", token=place.token)[0] == 200
    place.call("POST", "/api/devices/r5/readings", {"value": True}, place.token)
    assert [alert["title"] for alert in alerts(place)] == ["Smoke at R"]
    assert len(place.call("GET", f"/api/devices/{device}/readings", token=place.token)[1]["items"]) == 1


def header_of(place, path):
    import urllib.request
    request = urllib.request.Request(place.url + path, headers={"Authorization": f"Token {place.token}"})
    return urllib.request.urlopen(request).headers["ETag"]


def test_the_tag_of_an_answer_guards_a_change(place):
    made = {
        "/api/sites": {"name": "S", "code": "s"}, "/api/profiles": {"name": "P", "code": "p"},
        "/api/devices": {"name": "D", "code": "d"},
    }
    for path, body in made.items():
        assert place.call("POST", path, body, place.token)[0] == 201
        thing = f"{path}/{body['code']}"
        tag = header_of(place, thing)
        assert place.call("PATCH", thing, {"name": "New"}, place.token, {"If-Match": tag})[0] == 200, thing
        assert place.call("PATCH", thing, {"name": "Newer"}, place.token, {"If-Match": tag})[0] == 409, thing
        assert place.call("GET", thing, token=place.token)[1]["name"] == "New"
        assert place.call("GET", thing, token=place.token, headers={"If-None-Match": header_of(place, thing)})[0] == 304
    # What was heard of a device since is no change of it by anybody, and is not hidden from who asks again.
    tag = header_of(place, "/api/devices/d")
    place.call("POST", "/api/devices/d/readings", {"metric": "x", "value": 1}, place.token)
    assert place.call("GET", "/api/devices/d", token=place.token, headers={"If-None-Match": tag})[0] == 200
    assert place.call("PATCH", "/api/devices/d", {"name": "Other"}, place.token, {"If-Match": tag})[0] == 200


def test_a_device_says_of_itself_what_people_may_only_read(place):
    for code in ("d", "other"):
        place.call("POST", "/api/devices", {"name": code, "code": code}, place.token)
    status, made = place.call("POST", "/api/devices/d/credentials", {"name": "own"}, place.token)
    assert status == 201, made
    own = made["token"]
    said = {"firmware": "1.2.3", "uptime": 12}
    assert place.call("PUT", "/api/devices/d/attributes/client", said, own, scheme="Bearer")[0] == 200
    items = place.call("GET", "/api/devices/d/attributes?scope=client", token=place.token)[1]["items"]
    assert {item["name"]: item["value"] for item in items} == said
    assert place.call("PUT", "/api/devices/d/attributes/client", said, place.token)[0] == 403
    assert place.call("PUT", "/api/devices/d/attributes/server", said, own, scheme="Bearer")[0] == 403
    assert place.call("PUT", "/api/devices/other/attributes/client", said, own, scheme="Bearer")[0] == 404
    assert place.call("PUT", "/api/devices/d/attributes/server", said, place.token)[0] == 200


def test_a_device_whose_clock_is_slow_is_heard_and_its_clock_is_told(place):
    place.call("POST", "/api/devices", {"name": "D", "code": "d", "expectedIntervalSeconds": 60}, place.token)
    slow = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=3)
    place.call("POST", "/api/devices/d/readings", {"metric": "x", "value": 1, "time": slow.isoformat()}, place.token)
    device = place.call("GET", "/api/devices/d", token=place.token)[1]
    assert device["connectionState"] == "online"
    assert 3 * 3600 <= device["clockSkewSeconds"] < 3 * 3600 + 60
    assert "clock is 3 h behind" in place.call("GET", "/devices/d", token=place.token)[1]


def test_a_rule_with_a_key_of_its_own_tells_once_while_its_alert_is_open(place):
    rule = {"name": "High", "metric": "p", "condition": "above", "threshold": 10, "dedupKey": "{ruleName}"}
    assert place.call("POST", "/api/rules", rule, place.token)[0] == 201
    for code in ("a", "b"):
        place.call("POST", "/api/devices", {"name": code, "code": code}, place.token)
        place.call("POST", f"/api/devices/{code}/readings", {"metric": "p", "value": 11}, place.token)
    assert len(alerts(place)) == 1
    place.call("POST", f"/api/alerts/{alerts(place)[0]['id']}/resolve", {}, place.token)
    place.call("POST", "/api/devices/b/readings", {"metric": "p", "value": 9}, place.token)
    time.sleep(0.01)  # Two readings of one millisecond would be one.
    place.call("POST", "/api/devices/b/readings", {"metric": "p", "value": 12}, place.token)
    states = [alert["state"] for alert in alerts(place)]
    assert len([state for state in states if state == "unacknowledged"]) == 1, states
