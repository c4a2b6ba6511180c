"""Bad bodies, bad disks, bad bits, on the built binary."""

import json
import os
import signal
import ssl
import subprocess
import time
import urllib.request

import pytest
from conftest import BINARY, Server, embedded_only, free_port, make_token, make_user, run

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))


def test_a_body_over_the_limit_is_413_and_the_server_goes_on(place):
    body = place.folder.parent / "body"
    body.write_bytes(b"cpu,device=a load=1.5\n" * 5_000_000)
    # The server answers before it has read all of it, which curl understands.
    said = subprocess.run(
        ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: Token {place.token}",
         "--data-binary", f"@{body}", place.url + "/write"], capture_output=True, text=True, timeout=60)
    assert said.stdout == "413", said
    assert place.call("POST", "/api/devices", b'{"name":"' + b"x" * 2_000_000 + b'"}', place.token,
                      {"Content-Type": "application/json"})[0] == 413
    assert place.call("GET", "/health")[0] == 200


def test_wrong_types_and_times_are_named(place):
    status, answer = place.call("POST", "/api/devices", {"name": 7}, place.token)
    assert status == 400 and "name" in json.dumps(answer)
    future = {"device": "a", "metric": "t", "value": 1, "time": "2999-01-01T00:00:00Z"}
    status, answer = place.call("POST", "/api/readings", [future, {"device": "a", "metric": "t", "value": 1}], place.token)
    assert status == 201 and answer["accepted"] == 1 and answer["refused"] == 1
    assert answer["refusals"][0]["line"] == 1 and answer["refusals"][0]["code"].startswith("time")
    for line in (b"_ __journal=1", b"__batch,device=a load=1"):
        status, answer = place.call("POST", "/api/v2/write", line, place.token)
        assert status == 400 and "reserved" in json.dumps(answer), answer
    status, answer = place.call("POST", "/api/v2/write", b"cpu,device=a,tenant=other load=1", place.token)
    assert status == 400 and "tenant" in json.dumps(answer)


@embedded_only
@pytest.mark.parametrize("name", ["vigil.db", "series/chunks-*.db", "series/*.vlog"])
def test_a_flipped_bit_is_damage_by_name(folder, name):
    make_user(folder)
    with Server(folder) as server:
        token = make_token(folder)
        lines = "\n".join(f"cpu,device=a load={index} {1_700_000_000 + index}" for index in range(5000))
        assert server.call("POST", "/write?precision=s", lines.encode(), token)[0] == 204
        # A server that ends well moves everything from the log to the chunks.
        server.stop(signal.SIGKILL if "vlog" in name else signal.SIGTERM)
    files = sorted(folder.glob(name), key=lambda path: path.stat().st_size)
    victim = files[-1]
    flip(victim, victim.stat().st_size // 2)
    report = run("doctor", "--data", folder, check=False)
    assert "Fatal error" not in report.stderr
    if report.returncode == 0:
        # Nothing lies there: the flipped byte was free space that no checksum covers.
        pytest.fail(report.stdout)
    assert "DAMAGE:" in report.stdout
    assert victim.name in report.stdout


@embedded_only
@pytest.mark.parametrize("name", ["catalogue.db", "catalogue-copy.db"])
@pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
def test_a_damaged_catalogue_is_made_anew(folder, name, how):
    make_user(folder)
    with Server(folder) as server:
        token = make_token(folder)
        lines = "\n".join(f"cpu,device=a{index % 7} load={index} {1_700_000_000 + index}" for index in range(700))
        assert server.call("POST", "/write?precision=s", lines.encode(), token)[0] == 204
        # A server that ends well moves everything from the log to the chunks.
        server.stop(signal.SIGTERM)
    victim = folder / "series" / name
    if how == "flipped":
        flip(victim, 4096 + 100)
    elif how == "cut":
        victim.write_bytes(victim.read_bytes()[:5000])
    else:
        victim.unlink()
    told = how != "gone" or name == "catalogue.db"
    with Server(folder) as server:
        answer = server.ready()
        assert (name in json.dumps(answer)) == told, answer
        count = server.call("GET", "/api/v1/query?query=sum(count_over_time(cpu_load[10y]))", token=token)[1]
        assert count["data"]["result"][0]["value"][1] == "700", count
        assert server.call("POST", "/write", b"cpu,device=a1 load=1,other=2", token)[0] == 204
        report = run("doctor", "--data", folder, check=False)
        assert ("made anew" in report.stdout) == told and "DAMAGE:" not in report.stdout, report.stdout
    assert (name in (folder.parent / "serve.log").read_text()) == told
    assert (folder / "series" / (name + ".damaged")).exists() == (how != "gone")


@embedded_only
def test_a_key_that_is_not_the_one_is_said_and_nothing_is_made_in_its_place(folder):
    make_user(folder)
    keys = (folder / "keys").read_text()
    (folder / "keys").write_text(("0" if keys[0] != "0" else "1") + keys[1:])
    for command in (["doctor"], ["serve", "--port", "0"], ["user", "list"]):
        done = run(*command, "--data", folder, check=False)
        assert done.returncode != 0 and "DAMAGE:" in done.stdout + done.stderr and "keys" in done.stdout + done.stderr, done
        assert keys[1:64] not in done.stdout + done.stderr
    (folder / "keys").unlink()
    done = run("serve", "--data", folder, "--port", "0", check=False)
    assert done.returncode != 0 and "key is gone" in done.stderr, done.stderr
    assert not (folder / "keys").exists()
    (folder / "keys").write_text(keys.split()[0] + "\n")  # As earlier versions wrote it.
    with Server(folder) as server:
        server.ready()


@embedded_only
def test_a_running_server_tells_of_damage(folder):
    make_user(folder)
    with Server(folder) as server:
        token = make_token(folder)
        for index in range(200):
            line = f"cpu,device=a load={index} {1_700_000_000 + index}"
            assert server.call("POST", "/write?precision=s", line.encode(), token)[0] == 204
        server.stop(signal.SIGKILL)
    log = sorted((folder / "series").glob("*.vlog"))[-1]
    flip(log, 4096 + 600)
    with Server(folder) as server:
        deadline = time.monotonic() + 60
        while "DAMAGE" not in (said := json.dumps(server.call("GET", "/ready")[1])):
            assert time.monotonic() < deadline, said
            time.sleep(0.2)
        assert log.name in said, said
        status, answer = server.call("POST", "/write", b"cpu,device=a load=1", token)
        assert status == 503 and "damaged" in json.dumps(answer), answer
        assert server.call("GET", "/api/v1/query?query=count(cpu_load)", token=token)[0] == 200
    assert "DAMAGE" in (folder.parent / "serve.log").read_text()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 24 MB that is gone afterwards."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", disk]).returncode != 0:
        pytest.skip("this machine lets nobody mount")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


@embedded_only
@needs_root
def test_a_full_disk_refuses_and_loses_nothing(small_disk):
    folder = small_disk / "data"
    make_user(folder)
    with Server(folder) as server:
        token = make_token(folder)
        ballast = small_disk / "ballast"
        room = os.statvfs(small_disk)
        ballast.write_bytes(b"\0" * max(0, room.f_bavail * room.f_frsize - 600_000))
        accepted, refused = [], None
        for index in range(400):
            lines = "\n".join(
                f'cpu,device=a text{field}="{os.urandom(60).hex()}",n{field}={index} {1_700_000_000 + index}'
                for field in range(20))
            status, answer = server.call("POST", "/write?precision=s", lines.encode(), token)
            if status == 204:
                accepted.append(index)
            else:
                refused = (status, answer)
                break
        assert refused and refused[0] in (503, 507), refused
        assert server.call("GET", "/health")[0] == 200
        ballast.unlink()
        deadline = time.monotonic() + 60
        while server.call("POST", "/write?precision=s", b"cpu,device=a after=1 1700001000", token)[0] != 204:
            assert time.monotonic() < deadline, "writing did not go on after there was room again"
            time.sleep(0.2)
    with Server(folder) as server:
        status, answer = server.call(
            "GET", "/api/v1/query?query=" + "count_over_time(cpu_n0[4000000000s])&time=1700002000", token=token)
        assert status == 200, answer
        assert [int(series["value"][1]) for series in answer["data"]["result"]] == [len(accepted)]


@embedded_only
@needs_root
def test_a_read_only_disk_is_said_at_the_start(small_disk):
    folder = small_disk / "data"
    make_user(folder)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = subprocess.run(
        [BINARY, "serve", "--data", str(folder), "--port", str(free_port())], capture_output=True, text=True, timeout=20)
    assert done.returncode != 0
    assert "read-only" in done.stderr.lower() or "takes no writes" in done.stderr, done.stderr


def test_the_server_speaks_tls(folder, tmp_path):
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True)
    make_user(folder)
    (folder / "vigil.yaml").write_text(f"server:\n  tls:\n    certificate: {certificate}\n    key: {key}\n")
    port = free_port()
    process = subprocess.Popen([BINARY, "serve", "--data", str(folder), "--port", str(port)], stderr=subprocess.DEVNULL)
    try:
        trust = ssl.create_default_context(cafile=certificate)
        deadline = time.monotonic() + 60
        while True:
            try:
                answer = urllib.request.urlopen(f"https://127.0.0.1:{port}/health", context=trust, timeout=2)
                break
            except OSError:
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.05)
        assert answer.status == 200
        assert "strict-transport-security" in {name.lower() for name in answer.headers}
    finally:
        process.terminate()
        process.wait(timeout=20)
