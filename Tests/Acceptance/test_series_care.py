"""What people take out of the store of readings, and what it keeps of what it saw, with the binary."""

import http.client
import json
import socket

from conftest import Server, make_token, make_user, run


def test_readings_go_out_and_away_and_come_back(folder):
    make_user(folder)
    with Server(folder) as server:
        token = make_token(folder)
        lines = b"boiler,device=b1 outlet_temp=60.0 1748779200000000000\n_,device=b1 pressure=2i 1748779200000000000\n"
        assert server.call("POST", "/api/v2/write", lines, token)[0] == 204
        assert server.call("POST", "/api/v2/write", b"_,device=b1 __journal=1i", token)[0] == 400
    everything = '{__name__=~".+"}'
    out = run("series", "export", everything, "--form", "line", "--data", folder)
    assert out.stderr == "" and len(out.stdout.splitlines()) == 2 and "boiler,device=" in out.stdout
    assert "_,device=" in out.stdout and " pressure=2i " in out.stdout
    asked = run("series", "delete", "--all", "--data", folder, stdin="nonsense\n", check=False)
    assert asked.returncode == 1 and "removes 2 readings of 2 series" in asked.stderr and "code" in asked.stderr
    run("retention", "add", "reading", "--legal-hold", "--metric", "pressure", "--reason", "case 17", "--data", folder)
    assert "case 17" in run("retention", "list", "--data", folder).stdout
    held = run("series", "delete", "--all", "--confirm", "acme", "--data", folder, check=False)
    assert held.returncode == 1 and "legal hold" in held.stderr
    rule = json.loads(run("retention", "list", "--json", "--data", folder).stdout)["items"][0]["id"]
    run("retention", "remove", rule, "--data", folder)
    done = run("series", "delete", "--all", "--confirm", "acme", "--data", folder)
    assert done.stdout.strip() == "2 readings of 2 series are gone."
    assert run("series", "export", everything, "--form", "line", "--data", folder).stdout == ""
    with Server(folder) as server:
        assert server.call("POST", "/api/v2/write", out.stdout.encode(), token)[0] == 204
        again = run("series", "export", everything, "--form", "line", "--data", folder).stdout
    assert sorted(again.splitlines()) == sorted(out.stdout.splitlines())
    wrong = run("series", "delete", '{a!~"x"}', "--yes", "--data", folder, check=False)
    assert wrong.returncode == 1 and "is not a series selector: " in wrong.stderr
    both = run("series", "delete", "pressure", "--all", "--data", folder, check=False)
    assert both.returncode != 0 and "--all" in both.stderr


def test_an_export_comes_whole_however_often_it_is_asked_for(folder):
    make_user(folder)
    with Server(folder) as server:
        token = make_token(folder)
        assert server.call("POST", "/api/v2/write", b"boiler,device=b1 outlet_temp=60.0", token)[0] == 204
        whole = run("series", "export", "boiler_outlet_temp", "--form", "csv", "--data", folder).stdout
        assert len(whole.splitlines()) == 2
        path = "/api/local/series/export?match=boiler_outlet_temp&form=csv&tenant=acme"
        connection = LocalConnection(folder)
        for _ in range(500):
            connection.request("GET", path)
            assert connection.getresponse().read().decode() == whole


class LocalConnection(http.client.HTTPConnection):
    """The socket beside a data folder, as the command line calls it."""

    def __init__(self, folder):
        super().__init__("localhost")
        self.path = str(folder / "vigil.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def test_the_catalogue_keeps_what_it_saw_just_before_a_stop(folder):
    make_user(folder)
    with Server(folder) as server:
        token = make_token(folder)
        for value in ["1.5", '"closed"']:
            assert server.call("POST", "/write", f"valve,device=v1 state={value}".encode(), token)[0] == 204
    with Server(folder) as server:
        fields = server.call("GET", "/api/fields", token=token)[1]["items"]
    assert [(field["name"], field["kind"], field["kinds"]) for field in fields] == [
        ("valve_state", "text", ["float", "text"])]
