"""Roles, what members see, tenants and their clients, on the built binary."""

import os
import re

from conftest import PASSWORD, Server, make_token, make_user, run
from playwright.sync_api import expect, sync_playwright


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


def test_who_sees_some_devices_makes_rules_of_those(place):
    for code in "ab":
        assert place.call("POST", "/api/devices", {"code": code, "name": code}, place.token)[0] == 201
    token = add_user(place, "mia", ["manager"])
    wanted = {"seesAll": False, "devices": ["a"], "locations": [], "sites": []}
    assert place.call("PUT", "/api/users/mia/assignments", wanted, place.token)[0] == 200
    rule = {"name": "Hot", "metric": "heat", "condition": "above", "threshold": 30}
    of_all = place.call("POST", "/api/rules", rule, place.token)[1]["id"]
    status, answer = place.call("POST", "/api/rules", rule, token)
    assert status == 403 and answer["code"] == "rule.reach", answer
    assert place.call("POST", "/api/rules", {**rule, "scope": {"devices": ["b"]}}, token)[0] == 400
    status, own = place.call("POST", "/api/rules", {**rule, "name": "Mine", "scope": {"devices": ["a"]}}, token)
    assert status == 201, own
    assert place.call("PUT", f"/api/rules/{own['id']}", {**rule, "name": "Mine"}, token)[0] == 403
    assert place.call("DELETE", f"/api/rules/{of_all}", token=token)[0] == 403
    assert place.call("DELETE", f"/api/rules/{own['id']}", token=token)[0] == 204


def test_one_address_keeps_nobody_else_from_signing_in(place):
    import http.client
    import json
    import threading

    def sign_in(name, password, source):
        connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=30, source_address=(source, 0))
        connection.request("POST", "/api/auth/login", json.dumps({"username": name, "password": password}),
                           {"Content-Type": "application/json"})
        return connection.getresponse().status

    over = threading.Event()

    def guess(thread):
        number = 0
        while not over.is_set():
            number += 1
            sign_in(f"nobody{thread}-{number}", "wrong", "127.0.0.1")

    guessers = [threading.Thread(target=guess, args=(number,)) for number in range(8)]
    for guesser in guessers:
        guesser.start()
    try:
        answers = [sign_in("ann", PASSWORD, "127.0.0.9") for _ in range(5)]
    finally:
        over.set()
        for guesser in guessers:
            guesser.join()
    # A machine that is busy may refuse one; before, none came through.
    assert answers.count(429) <= 2, answers
    assert any(status in (200, 201) for status in answers), answers


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


def test_a_panel_takes_PINs_and_a_name_alone(place):
    status, code = place.call("POST", "/api/panels", {"name": "Hall", "allowsUsername": True}, place.token)
    assert status == 201, code
    status, panel = place.call("POST", "/api/panels/enrol", {"code": code["code"]})
    assert status == 201 and panel["secret"].startswith("vp_"), panel
    assert place.call("POST", "/api/panels/enrol", {"code": code["code"]})[0] == 400
    for body, expected in (
            ({"username": "bob", "authMethod": "pin", "pin": "12345", "roles": ["viewer"]}, 400),
            ({"username": "bob", "authMethod": "pin", "pin": "4711", "roles": ["viewer"]}, 201),
            ({"username": "kid", "authMethod": "username", "roles": ["viewer"]}, 201),
            ({"username": "top", "authMethod": "username", "roles": ["admin"]}, 409)):
        assert place.call("POST", "/api/users", body, place.token)[0] == expected, body
    login = lambda **body: place.call("POST", "/api/auth/login", body)[0]
    assert login(username="bob", pin="4711") == 401
    assert login(username="bob", pin="4711", panel=panel["secret"]) == 200
    assert login(username="kid", panel=panel["secret"]) == 200
    assert login(username="kid") == 401
    assert place.call("DELETE", "/api/panels/" + panel["id"], token=place.token)[0] == 204
    assert login(username="kid", panel=panel["secret"]) == 401


def test_somebody_joins_a_second_tenant_and_goes_there(place):
    make_user(place.folder, tenant="other", name="olga")
    olga = make_token(place.folder, "other", "olga")
    status, invitation = place.call("POST", "/api/invitations", {"roles": ["viewer"]}, olga)
    assert status == 201, invitation
    access = place.call("POST", "/api/auth/login", {"username": "ann", "password": PASSWORD})[1]["accessToken"]
    ann = lambda method, path, body=None: place.call(method, path, body, access, scheme="Bearer")
    status, member = ann("POST", "/api/invitations/accept", {"token": invitation["token"]})
    assert status == 201 and member["roles"] == ["viewer"], member
    assert ann("POST", "/api/invitations/accept", {"token": invitation["token"]})[0] == 400
    assert {item["code"] for item in ann("GET", "/api/tenants")[1]["items"]} == {"acme", "other"}
    assert ann("POST", "/api/sites", {"code": "s", "name": "s"})[0] == 201
    status, account = ann("POST", "/api/auth/tenant", {"tenant": "other"})
    assert status == 200 and account["tenantCode"] == "other", account
    assert ann("GET", "/api/sites")[1]["items"] == []
    assert ann("POST", "/api/sites", {"code": "s", "name": "s"})[0] == 403
    # Who keeps the account decides on it; the others decide on the membership.
    assert place.call("PATCH", "/api/users/ann", {"email": "x@example.org"}, olga)[0] == 403
    assert place.call("DELETE", "/api/users/ann", token=olga)[0] == 204
    assert ann("GET", "/api/sites")[0] == 401


def test_somebody_new_joins_by_a_link(place):
    invitation = place.call("POST", "/api/invitations", {"roles": ["operator"], "email": "b@example.org"}, place.token)[1]
    assert invitation["token"] in (place.folder / "mail").glob("*.eml").__next__().read_text()
    body = {"token": invitation["token"], "username": "bob", "password": PASSWORD}
    status, bob = place.call("POST", "/api/invitations/accept", body)
    assert status == 201 and bob["roles"] == ["operator"] and bob["email"] == "b@example.org", bob
    assert place.call("POST", "/api/auth/login", {"username": "b@example.org", "password": PASSWORD})[0] == 200


def test_a_user_is_deleted_and_the_trail_stays(place):
    token = add_user(place, "bob", ["viewer"])
    user = place.call("GET", "/api/users/bob", token=place.token)[1]["id"]
    access = place.call("POST", "/api/auth/login", {"username": "bob", "password": PASSWORD})[1]["accessToken"]
    assert place.call("DELETE", "/api/users/bob", token=place.token)[0] == 204
    assert place.call("GET", "/api/devices", token=token)[0] == 401
    assert place.call("GET", "/api/devices", token=access, scheme="Bearer")[0] == 401
    assert place.call("GET", "/api/users/bob", token=place.token)[0] == 404
    trail = place.call("GET", "/api/audit?resource=user&limit=100", token=place.token)[1]["items"]
    assert {"create", "delete"} <= {item["action"] for item in trail if item["resourceID"] == user}
    add_user(place, "bob", ["viewer"])


def test_the_credentials_of_a_device(place):
    place.call("POST", "/api/devices", {"code": "b1", "name": "Boiler"}, place.token)
    path = "/api/devices/b1/credentials"
    status, made = place.call("POST", path, {"name": "first"}, place.token)
    assert status == 201, made
    write = lambda secret: place.call("POST", "/api/devices/b1/readings", [{"metric": "p", "value": 1}], secret)[0]
    assert write(made["token"]) in (200, 201, 202)
    status, turned = place.call("POST", f"{path}/{made['id']}/rotate", token=place.token)
    assert status == 201 and write(made["token"]) == 401 and write(turned["token"]) in (200, 201, 202)
    items = place.call("GET", path, token=place.token)[1]["items"]
    assert [item["name"] for item in items] == ["first"] and "token" not in items[0]
    assert place.call("DELETE", f"{path}/{turned['id']}", token=place.token)[0] == 204
    assert write(turned["token"]) == 401


def test_a_tenant_sends_no_more_than_it_may(folder):
    make_user(folder)
    with limited(folder) as server:
        token = make_token(folder)
        statuses = [server.call("POST", "/write", b"\n".join(b"m f=%d %d" % (n, n) for n in range(60)), token)
                    for _ in range(3)]
        assert [status for status, _ in statuses][0] in (200, 204)
        assert statuses[-1][0] == 429, statuses
        codes = {server.call("GET", "/api/devices", token=token)[0] for _ in range(60)}
        assert codes == {200, 429}


def limited(folder):
    os.environ.update({"VIGIL_SERVER_RATE_READINGS": "10", "VIGIL_SERVER_RATE_TENANT": "20"})
    try:
        return Server(folder)
    finally:
        for name in ("VIGIL_SERVER_RATE_READINGS", "VIGIL_SERVER_RATE_TENANT"):
            del os.environ[name]


def test_the_pages_of_people(place):
    add_user(place, "bob", ["viewer"])
    faults = []
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(place.url + "/login")
        page.fill("[name=username]", "ann")
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Overview")
        page.goto(place.url + "/roles")
        page.fill("form[data-call='POST /api/roles'] [name=code]", "night")
        page.fill("form[data-call='POST /api/roles'] [name=name]", "Night watch")
        page.fill("form[data-call='POST /api/roles'] [name=permissions]", "alert:read, device:read")
        page.click("text=Make role")
        expect(page.locator("h2", has_text="Night watch")).to_have_count(1)
        page.goto(place.url + "/users/bob")
        page.check("[name=roles][value=night]")
        page.uncheck("[name=roles][value=viewer]")
        with page.expect_response(lambda answer: answer.request.method == "PATCH") as answer:
            page.click("text=Save roles")
        assert answer.value.status == 200
        expect(page.locator("[name=roles][value=viewer]")).not_to_be_checked()
        assert place.call("GET", "/api/users/bob", token=place.token)[1]["roles"] == ["night"]
        page.uncheck("[name=seesAll]")
        with page.expect_response(lambda answer: answer.request.method == "PUT") as answer:
            page.click("text=Save what they see")
        assert answer.value.status == 200
        expect(page.locator("[name=seesAll]")).not_to_be_checked()
        assert place.call("GET", "/api/users/bob/assignments", token=place.token)[1]["seesAll"] is False
        # The page loads itself anew after saving; a load of our own ends that, so that there is something to measure.
        page.wait_for_load_state("networkidle")
        page.goto(place.url + "/users/bob", wait_until="load")
        wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1")
        assert not wide, "the page is wider than a phone"
        page.goto(place.url + "/panels")
        page.fill("form[data-call='POST /api/panels'] [name=name]", "Hall")
        page.click("text=Make panel")
        expect(page.locator("form[data-call='POST /api/panels'] .said")).to_have_text(re.compile("....-....-...."))
        code = page.locator("form[data-call='POST /api/panels'] .said").inner_text()
        panel = browser.new_context().new_page()
        panel.goto(place.url + "/panel")
        panel.fill("[name=code]", code)
        panel.keyboard.press("Enter")
        expect(panel.locator("[role=status]")).to_contain_text("panel now")
        draft = {"username": "pip", "authMethod": "pin", "pin": "4711", "roles": ["viewer"]}
        assert place.call("POST", "/api/users", draft, place.token)[0] == 201
        panel.goto(place.url + "/login")
        panel.fill("[name=username]", "pip")
        panel.fill("[name=password]", "4711")
        panel.keyboard.press("Enter")
        expect(panel.locator("h1")).to_have_text("Overview")
        browser.close()
    assert faults == []


def test_a_reset_link_names_the_port_on_which_the_server_runs(place, monkeypatch):
    def printed():
        done = run("user", "reset-link", "--data", place.folder, "--tenant", "acme", "--username", "ann")
        return done.stdout.strip().split("/reset?token=")

    address, token = printed()
    assert address == place.url
    password = "another correct horse"
    assert place.call("POST", "/api/auth/password-reset/confirm", {"token": token, "password": password})[0] == 204
    assert place.call("POST", "/api/auth/login", {"username": "ann", "password": password, "kind": "api"})[0] == 200
    place.stop()
    # Nobody listens: what is configured is all that is known.
    assert printed()[0] == "http://127.0.0.1:8080"
    monkeypatch.setenv("VIGIL_SERVER_PUBLIC_URL", "https://vigil.example.org")
    with Server(place.folder):
        assert printed()[0] == "https://vigil.example.org"
