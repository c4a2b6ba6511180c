"""What nobody may do with the rights that they have: widen them, take an account over, learn who is there."""

import json
import threading
import urllib.parse

import pytest
from conftest import PASSWORD, make_token, make_user
from test_people import add_user
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


def role(place, code, *permissions):
    status, answer = place.call(
        "POST", "/api/roles", {"code": code, "name": code, "permissions": list(permissions)}, place.token)
    assert status == 201, answer


def login(place, name, password=PASSWORD, **more):
    return place.call("POST", "/api/auth/login", {"username": name, "password": password, **more})


def test_a_token_makes_no_token_that_can_do_more(place):
    narrow = place.call("POST", "/api/tokens", {"name": "n", "permissions": ["device:read"]}, place.token)[1]["token"]
    assert place.call("GET", "/api/users", token=narrow)[0] == 403
    assert place.call("POST", "/api/tokens", {"name": "w", "permissions": ["*:*"]}, narrow)[0] == 403
    status, wider = place.call("POST", "/api/tokens", {"name": "w"}, narrow)
    assert status == 201
    assert place.call("GET", "/api/devices", token=wider["token"])[0] == 200
    assert place.call("GET", "/api/users", token=wider["token"])[0] == 403
    # What a token made goes with it, and a narrow token ends nothing but itself.
    tokens = {item["name"]: item["id"] for item in place.call("GET", "/api/tokens", token=place.token)[1]["items"]}
    assert place.call("DELETE", "/api/tokens/" + tokens["test"], token=narrow)[0] in (403, 404)
    assert place.call("DELETE", "/api/tokens/" + tokens["n"], token=place.token)[0] == 204
    assert place.call("GET", "/api/devices", token=wider["token"])[0] == 401


def test_a_token_of_some_devices_makes_no_token_of_all(place):
    ids = {}
    for code in "ab":
        ids[code] = place.call("POST", "/api/devices", {"code": code, "name": code}, place.token)[1]["id"]
    one = place.call("POST", "/api/tokens", {"name": "one", "devices": [ids["a"]]}, place.token)[1]["token"]
    for body in ({"name": "x"}, {"name": "y", "devices": [ids["a"]]}):
        status, made = place.call("POST", "/api/tokens", body, one)
        assert status == 201, made
        codes = [item["code"] for item in place.call("GET", "/api/devices", token=made["token"])[1]["items"]]
        assert codes == ["a"]
    assert place.call("POST", "/api/tokens", {"name": "z", "devices": [ids["b"]]}, one)[0] in (400, 403)


def test_nobody_takes_over_an_account_by_its_address(place):
    role(place, "clerk", "user:read", "user:update", "assignment:update", "assignment:read")
    clerk = add_user(place, "bob", ["clerk"])
    add_user(place, "cleo", ["viewer"])
    status, answer = place.call("PATCH", "/api/users/ann", {"email": "bob@example.org"}, clerk)
    assert status == 403 and answer["code"] == "user.stronger", answer
    assert place.call("PATCH", "/api/users/ann", {"roles": []}, clerk)[0] == 403
    assert place.call("PATCH", "/api/users/ann", {"isActive": False}, clerk)[0] == 403
    # A viewer may see devices, which the clerk may not: also more than the clerk.
    assert place.call("PATCH", "/api/users/cleo", {"email": "bob@example.org"}, clerk)[0] == 403
    role(place, "tiny", "user:read")
    add_user(place, "dan", ["tiny"])
    assert place.call("PATCH", "/api/users/dan", {"email": "dan@example.org"}, clerk)[0] == 200
    assert place.call("PATCH", "/api/users/dan", {"email": "ann"}, clerk)[0] == 400
    for field, value in (("email", "no address"), ("firstName", "x" * 500), ("locale", "x" * 100), ("phone", "x" * 99)):
        assert place.call("PATCH", "/api/users/dan", {field: value}, place.token)[0] == 400, field
    assert place.call("PATCH", "/api/users/bob", {"email": "DAN@example.org"}, place.token)[0] == 409
    status, answer = place.call("POST", "/api/users", {
        "username": "dan@example.org", "password": PASSWORD, "roles": ["tiny"]}, place.token)
    assert status == 409, answer


def test_who_sees_a_part_shows_nobody_more(place):
    for code in ("home", "shed"):
        place.call("POST", "/api/sites", {"code": code, "name": code}, place.token)
        place.call("POST", "/api/devices", {"code": "d-" + code, "name": code, "site": code}, place.token)
    role(place, "warden", "device:read", "assignment:update", "assignment:read", "user:read")
    bob = add_user(place, "bob", ["warden"])
    add_user(place, "cleo", ["warden"])
    part = {"seesAll": False, "devices": ["d-home"], "locations": [], "sites": []}
    nothing = {"seesAll": False, "devices": [], "locations": [], "sites": []}
    assert place.call("PUT", "/api/users/bob/assignments", part, place.token)[0] == 200
    assert place.call("PUT", "/api/users/cleo/assignments", nothing, place.token)[0] == 200
    for wanted in ({"devices": ["d-shed"]}, {"sites": ["shed"]}, {"sites": ["home"]}, {"seesAll": True}):
        for who in ("bob", "cleo"):
            status, answer = place.call("PUT", f"/api/users/{who}/assignments", {**part, **wanted}, bob)
            assert status in (400, 403), (who, wanted, answer)
    assert place.call("PUT", "/api/users/cleo/assignments", part, bob)[0] == 200
    assert place.call("PUT", "/api/users/ann/assignments", nothing, bob)[0] == 403


def test_one_key_is_bound_to_the_whole_request_and_keeps_no_secret(place):
    headers = {"Idempotency-Key": "k1"}
    status, made = place.call("POST", "/api/tokens", {"name": "k"}, place.token, headers)
    assert status == 201
    status, again = place.call("POST", "/api/tokens", {"name": "k"}, place.token, headers)
    assert status == 409 and made["token"] not in json.dumps(again), again
    names = [item["name"] for item in place.call("GET", "/api/tokens", token=place.token)[1]["items"]]
    assert names.count("k") == 1
    status, site = place.call("POST", "/api/sites", {"code": "s", "name": "Sesame garden"}, place.token, headers)
    assert status == 201
    assert place.call("POST", "/api/sites", {"code": "s", "name": "Sesame garden"}, place.token, headers) == (201, site)
    for device in ("a", "b"):
        place.call("POST", "/api/devices", {"code": device, "name": device}, place.token)
    line = b"boiler pressure=1"
    first = place.call("POST", "/write?precision=s", line, place.token, headers)[0]
    assert first in (200, 204)
    status, answer = place.call("POST", "/write?precision=ms", line, place.token, headers)
    assert status in (400, 409), answer


def test_a_kept_answer_is_sealed(place):
    name = "Sesame garden of the seven"
    place.call("POST", "/api/sites", {"code": "s", "name": name}, place.token, {"Idempotency-Key": "k"})
    secret = place.call("POST", "/api/tokens", {"name": "k"}, place.token, {"Idempotency-Key": "j"})[1]["token"]
    kept = b"".join(path.read_bytes() for path in place.folder.glob("vigil.db*"))
    assert secret.encode() not in kept


class Listener:
    """A live socket in a thread of its own; `code` is what it was closed with."""

    def __init__(self, place, secret):
        self.socket = connect(
            place.url.replace("http", "ws") + "/api/live", additional_headers={"Authorization": "Bearer " + secret})
        self.socket.send(json.dumps({"type": "subscribe", "patterns": ["*"]}))
        assert json.loads(self.socket.recv(timeout=30))["type"] == "subscribed"

    def is_closed(self, seconds=30):
        try:
            while True:
                self.socket.recv(timeout=seconds)
        except ConnectionClosed:
            return True
        except TimeoutError:
            return False


def test_a_live_socket_hears_no_more_than_its_owner_may(place):
    role(place, "night", "alert:read", "device:read")
    add_user(place, "bob", ["night"])
    signed = login(place, "bob")[1]
    listener = Listener(place, signed["accessToken"])
    place.call("PATCH", "/api/users/bob", {"isActive": False}, place.token)
    assert listener.is_closed()


def test_the_sockets_of_a_suspended_client_close(place):
    place.call("PATCH", "/api/tenants/acme", {"kind": "provider"}, place.token)
    place.call("POST", "/api/tenants", {"code": "client-1"}, place.token)
    make_user(place.folder, tenant="client-1", name="cleo")
    listener = Listener(place, login(place, "cleo")[1]["accessToken"])
    token = Listener(place, make_token(place.folder, "client-1", "cleo"))
    assert place.call("PATCH", "/api/tenants/client-1", {"isActive": False}, place.token)[0] == 200
    assert listener.is_closed() and token.is_closed()


def test_a_forgotten_password_comes_back_by_a_link_that_works_once(place):
    place.call("PATCH", "/api/users/ann", {"email": "ann@example.org"}, place.token)
    spool = place.folder / "mail"

    def ask(name):
        return place.call("POST", "/api/auth/password-reset", {"username": name})

    def links():
        import re, time
        time.sleep(0.5)
        text = "".join(path.read_text() for path in sorted(spool.glob("*.eml")))
        return re.findall(r"vw_[A-Za-z0-9_-]{43}", text)

    assert ask("ann") == ask("nobody at all")
    assert ask("ann@example.org")[0] == 202
    secrets = links()
    assert len(secrets) == 2 and len(set(secrets)) == 2
    for path in spool.glob("*.eml"):
        assert path.stat().st_mode & 0o077 == 0
    for _ in range(6):
        assert ask("ann")[0] == 202
    assert len(links()) <= 3
    confirm = lambda secret: place.call(
        "POST", "/api/auth/password-reset/confirm", {"token": secret, "password": "another horse battery"})
    assert confirm("vw_" + "A" * 43)[0] == 400
    assert confirm(secrets[0])[0] == 204
    assert confirm(secrets[0])[0] == 400
    assert confirm(secrets[1])[0] == 400
    assert login(place, "ann", "another horse battery")[0] == 200
    log = (place.folder.parent / "serve.log").read_text()
    assert not any(secret in log for secret in secrets)


def test_asking_for_links_again_and_again_is_refused(place):
    statuses = {place.call("POST", "/api/auth/password-reset", {"username": f"nobody{n}"})[0] for n in range(40)}
    assert statuses == {202, 429}


def test_clients_are_changed_by_those_who_look_after_them(place):
    place.call("PATCH", "/api/tenants/acme", {"kind": "provider"}, place.token)
    for code in ("client-1", "client-2"):
        assert place.call("POST", "/api/tenants", {"code": code}, place.token)[0] == 201
    staff = add_user(place, "bob", ["provider"])
    wanted = {"seesAll": False, "devices": [], "locations": [], "sites": [], "clients": ["client-1"]}
    assert place.call("PUT", "/api/users/bob/assignments", wanted, place.token) == (200, wanted)
    codes = lambda token: {item["code"] for item in place.call("GET", "/api/tenants", token=token)[1]["items"]}
    assert codes(staff) == {"acme", "client-1"} and codes(place.token) == {"acme", "client-1", "client-2"}
    assert place.call("PATCH", "/api/tenants/client-1", {"name": "One"}, staff)[0] == 200
    assert place.call("PATCH", "/api/tenants/client-2", {"name": "Two"}, staff)[0] == 404
    version = {"If-Match": '"1"'}
    assert place.call("PATCH", "/api/tenants/client-1", {"name": "Uno"}, place.token, version)[0] == 409
    make_user(place.folder, tenant="client-1", name="cleo")
    client = make_token(place.folder, "client-1", "cleo")
    assert place.call("PATCH", "/api/tenants/client-1", {"kind": "provider"}, client)[0] == 409


def test_the_token_against_forged_requests_that_a_sign_in_answers_works(place):
    import urllib.request

    body = json.dumps({"username": "ann", "password": PASSWORD, "kind": "browser"}).encode()
    request = urllib.request.Request(
        place.url + "/api/auth/login", data=body, headers={"Content-Type": "application/json"}, method="POST")
    answer = urllib.request.urlopen(request)
    cookie = answer.headers["Set-Cookie"].split(";")[0]
    proof = json.loads(answer.read())["csrfToken"]
    site = {"code": "s", "name": "s"}
    assert place.call("POST", "/api/sites", site, headers={"Cookie": cookie})[0] == 403
    assert place.call("POST", "/api/sites", site, headers={"Cookie": cookie, "X-CSRF-Token": "x" * len(proof)})[0] == 403
    assert place.call("POST", "/api/sites", site, headers={"Cookie": cookie, "X-CSRF-Token": proof})[0] == 201


def test_users_of_a_client_without_an_administrator_can_be_changed(place):
    place.call("PATCH", "/api/tenants/acme", {"kind": "provider"}, place.token)
    place.call("POST", "/api/tenants", {"code": "client-1"}, place.token)
    status, signed = login(place, "ann", tenant="client-1")
    assert status == 200, signed
    access = signed["accessToken"]
    status, answer = place.call("POST", "/api/users", {
        "username": "cleo", "password": PASSWORD, "roles": ["viewer"]}, access, scheme="Bearer")
    assert status == 201, answer
    status, answer = place.call("PATCH", "/api/users/cleo", {"firstName": "Cleo"}, access, scheme="Bearer")
    assert status == 200, answer
    assert place.call("PATCH", "/api/users/ann", {"roles": ["viewer"]}, place.token)[0] == 409


@pytest.mark.parametrize("path", ["/api/devices", "/api/auth/me", "/api/users", "/openapi.json"])
def test_a_secret_in_the_address_is_taken_for_writing_only(place, path):
    query = urllib.parse.urlencode({"u": "ann", "p": place.token})
    assert place.call("POST", "/write?" + query, b"boiler pressure=1")[0] in (200, 204)
    assert place.call("GET", f"{path}?{query}")[0] == (200 if path == "/openapi.json" else 401)
