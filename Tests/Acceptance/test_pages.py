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
        expect(page.locator("#alert-list li")).to_have_count(1, timeout=5000)
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
        for path in ("/sites", "/sites/home", "/devices", "/alerts", "/rules", "/discovered", "/fields", "/jobs", "/audit", "/users", "/account"):
            assert page.goto(place.url + path).status == 200, path
        browser.close()
    assert faults == []
