"""The demo as a stranger meets it: nothing false, nothing silent, one user."""

import json
import re
import signal
import subprocess
import time
import urllib.request

from conftest import BINARY, embedded_only, free_port


class Demo:
    """`vigil demo` on a folder, with its user's token."""

    def __init__(self, folder):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [BINARY, "demo", "--data", str(folder), "--port", str(self.port)], stdout=subprocess.PIPE, text=True)
        said = "".join(self.process.stdout.readline() for _ in range(4))
        self.username = re.search(r"User name +(\S+)", said)[1]
        self.password = re.search(r"Password +(\S+)", said)[1]

    def sign_in(self, password):
        body = json.dumps({"username": self.username, "password": password}).encode()
        request = urllib.request.Request(
            self.url + "/api/auth/login", body, {"Content-Type": "application/json"}, method="POST")
        return json.loads(urllib.request.urlopen(request, timeout=30).read())

    def items(self, path):
        request = urllib.request.Request(self.url + path, headers={"Authorization": "Bearer " + self.token})
        return json.loads(urllib.request.urlopen(request, timeout=30).read())["items"]

    def __enter__(self):
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(self.url + "/health", timeout=2).read()
                break
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, "the demo did not come up"
                time.sleep(0.1)
        self.token = self.sign_in(self.password)["accessToken"]
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=20)


def heard(demo):
    """Waits until every device has reported."""
    deadline = time.monotonic() + 120
    while True:
        devices = demo.items("/api/devices?limit=100")
        if len(devices) == 9 and all(device["connectionState"] == "online" for device in devices):
            return devices
        assert time.monotonic() < deadline, [(d["code"], d["connectionState"]) for d in devices]
        time.sleep(0.5)


@embedded_only
def test_a_fresh_demo_raises_nothing_false_and_keeps_one_user(folder):
    with Demo(folder) as demo:
        heard(demo)
        # Long enough for the monitor to have looked at every device that the history touched.
        time.sleep(12)
        assert [a["title"] for a in demo.items("/api/alerts") if "offline" in a["title"]] == []
        latest = {value["metric"]: value.get("unit") for value in demo.items("/api/devices/boiler-1/latest")}
        assert latest["boiler_pressure"] == "bar" and latest["boiler_temperature"] == "degC"
        first = demo.password
    with Demo(folder) as demo:
        heard(demo)
        assert demo.username == "demo" and demo.password != first
        assert [user["username"] for user in demo.items("/api/users")] == ["demo"]
        assert len([t for t in demo.items("/api/tokens") if t["name"] == "simulators"]) == 1
        assert [a["title"] for a in demo.items("/api/alerts") if "offline" in a["title"]] == []
