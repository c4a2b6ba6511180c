"""A person at a browser: signs in, sees an alert arrive, acknowledges it."""

from conftest import PASSWORD
from playwright.sync_api import expect, sync_playwright


def test_an_alert_arrives_on_the_open_page_and_is_acknowledged(place):
    place.call("POST", "/api/sites", {"code": "home", "name": "Home"}, place.token)
    place.call("POST", "/api/devices", {"code": "b1", "name": "Boiler", "site": "home", "handler": "numeric"}, place.token)
    place.call("POST", "/api/rules", {
        "name": "Pressure", "metric": "boiler_pressure", "condition": "above", "threshold": 20,
        "severity": "critical"}, place.token)
    place.call("POST", "/api/v2/write", b"boiler,device=b1 pressure=12", place.token)
    faults = []
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.goto(place.url + "/")
        assert "/login" in page.url
        page.fill("[name=username]", "ann")
        page.fill("[name=password]", PASSWORD)
        page.click("button.primary")
        expect(page.locator("h1")).to_have_text("Overview")
        expect(page.locator(".live")).to_have_text("live")
        expect(page.locator("#alert-list li")).to_have_count(0)
        place.call("POST", "/api/v2/write", b"boiler,device=b1 pressure=21.5", place.token)
        expect(page.locator("#alert-list li")).to_have_count(1)
        page.click("#alert-list [data-act=acknowledge]")
        page.fill("#note textarea", "on my way")
        page.click("#note button.primary")
        expect(page.locator("#alert-list li.acknowledged")).to_have_count(1)
        page.reload()
        expect(page.locator("#alert-list li.acknowledged")).to_have_count(1)
        page.goto(place.url + "/devices/b1")
        expect(page.locator("#chart[data-points]")).to_have_count(1)
        page.goto(place.url + "/rules")
        page.fill("[name=name]", "Out of band")
        page.select_option("[name=condition]", "outside")
        page.fill("[name=metric]", "boiler_pressure")
        page.fill("[name=low]", "2")
        page.fill("[name=high]", "19")
        page.click("button.primary")
        page.click("text=Out of band")
        page.fill("[name=high]", "15")
        page.uncheck("[name=enabled]")
        page.click("button.primary")
        expect(page.locator(".head")).to_contain_text("boiler_pressure outside 2 and 15")
        expect(page.locator(".head")).to_contain_text("off")
        page.goto(place.url + "/sites")
        expect(page.locator("tbody td.number")).to_have_text("1")
        for path in ("/sites", "/sites/home", "/devices", "/alerts", "/rules", "/discovered", "/fields", "/jobs", "/audit", "/users", "/account"):
            assert page.goto(place.url + path).status == 200, path
        browser.close()
    assert faults == []


def signed_in(player, place, **options):
    browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    page = browser.new_page(**options)
    page.goto(place.url + "/login")
    page.fill("[name=username]", "ann")
    page.fill("[name=password]", PASSWORD)
    page.click("button.primary")
    expect(page.locator("h1")).to_have_text("Overview")
    return browser, page


def test_an_address_that_is_not_there_is_a_page_for_people_and_json_for_programs(place):
    with sync_playwright() as player:
        browser, page = signed_in(player, place)
        answer = page.goto(place.url + "/nope/further")
        assert answer.status == 404 and answer.headers["content-type"].startswith("text/html")
        expect(page.locator("main")).to_contain_text("There is no page at this address.")
        expect(page.locator("nav a", has_text="Devices")).to_have_count(1)
        stranger = browser.new_page()
        assert stranger.goto(place.url + "/nope").status == 404
        expect(stranger.locator("main")).to_contain_text("There is no page at this address.")
        expect(stranger.locator("nav")).to_have_count(0)
        browser.close()
    status, problem = place.call("GET", "/nope", token=place.token)
    assert status == 404 and problem["code"] == "not_found"
    status, problem = place.call("GET", "/api/nope", token=place.token, headers={"Accept": "text/html"})
    assert status == 404 and problem["code"] == "not_found"


def test_an_alert_fits_a_phone_and_is_told_in_words(place):
    place.call("POST", "/api/devices", {"code": "b1", "name": "Boiler", "handler": "numeric"}, place.token)
    place.call("POST", "/api/rules", {
        "name": "Pressure", "metric": "boiler_pressure", "condition": "above", "threshold": 20, "unit": "bar"}, place.token)
    place.call("POST", "/api/devices/b1/readings", {"metric": "boiler_pressure", "value": 2150, "unit": "kPa"}, place.token)
    place.call("POST", "/api/devices/b1/readings", {"metric": "boiler_pressure", "value": 1500, "unit": "kPa"}, place.token)
    with sync_playwright() as player:
        browser, page = signed_in(player, place, viewport={"width": 375, "height": 740})
        page.click("#alert-list a")
        expect(page.locator(".journal li")).to_have_count(2)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        text = page.locator("main").inner_text()
        assert "returned to normal, not acknowledged" in text and "over since" in text and "_" not in text.replace("boiler_pressure", "")
        page.click("[data-act=acknowledge]")
        page.fill("#note textarea", "seen")
        page.click("#note button.primary")
        expect(page.locator(".head .mark.acknowledged")).to_have_count(1)
        browser.close()


def test_a_device_shows_units_and_says_when_there_is_nothing_to_draw(place):
    place.call("POST", "/api/devices", {"code": "t", "name": "Hall", "handler": "temperature"}, place.token)
    place.call("POST", "/api/devices", {"code": "text", "name": "Sign"}, place.token)
    for degrees in range(30):
        place.call("POST", "/api/devices/t/readings", {"value": {"temperature": 20 + degrees / 10, "unit": "C"}}, place.token)
    place.call("POST", "/api/devices/text/readings", {"value": {"says": "welcome"}}, place.token)
    with sync_playwright() as player:
        browser, page = signed_in(player, place)
        page.goto(place.url + "/devices/t")
        expect(page.locator("#chart")).to_have_attribute("aria-label", "Chart of temperature (°C)")
        expect(page.locator(".value [data-unit]").first).to_have_text("°C")
        expect(page.locator("tbody tr")).to_have_count(10)
        assert page.evaluate("document.documentElement.scrollHeight") < 2500
        page.goto(place.url + "/devices/text")
        expect(page.locator("main")).to_contain_text("Nothing that this device reports is a number")
        expect(page.locator("#chart")).to_be_hidden()
        browser.close()
