"""Letters by a real mail server: the links in them work, a server that is away loses none, and no password leaves in the clear."""

import os
import re
import ssl
import subprocess
import time
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from conftest import PASSWORD, Server, free_port, make_token, make_user, run

USER, SECRET = b"vigil", b"letters please"


class Box:
    """Keeps what was delivered."""

    def __init__(self):
        self.letters = []
        self.refuse = None

    async def handle_DATA(self, server, session, envelope):
        if self.refuse:
            return self.refuse
        self.letters.append((envelope, session))
        return "250 kept"

    def wait(self, count, seconds=60):
        deadline = time.monotonic() + seconds
        while len(self.letters) < count:
            assert time.monotonic() < deadline, f"{len(self.letters)} of {count} letters came"
            time.sleep(0.1)
        return self.letters[count - 1]


def text_of(envelope):
    letter = message_from_bytes(envelope.content, policy=policy.default)
    return letter, letter.get_content()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True)
    return folder


def post_office(box, certificate, port, kind="starttls"):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")

    def authenticate(server, session, envelope, mechanism, data):
        return AuthResult(success=(data.login, data.password) == (USER, SECRET))

    safe = {"starttls": {"tls_context": context, "require_starttls": True}, "tls": {"ssl_context": context}, "none": {}}[kind]
    signing = {} if kind == "none" else {
        "authenticator": authenticate, "auth_required": True, "auth_require_tls": kind == "starttls"}
    controller = Controller(box, hostname="127.0.0.1", port=port, server_hostname="localhost", **safe, **signing)
    controller.start()
    return controller


@pytest.fixture
def configured(folder, certificate):
    """A folder with a user, and a function that serves it with a mail server configured."""
    make_user(folder)
    names = []

    def serve(port, security="starttls", **more):
        variables = {
            "VIGIL_MAIL_SMTP_HOST": "localhost", "VIGIL_MAIL_SMTP_PORT": str(port), "VIGIL_MAIL_SMTP_SECURITY": security,
            "VIGIL_MAIL_FROM": "Vigil Wächter <vigil@example.org>", "VIGIL_SERVER_PUBLIC_URL": "https://vigil.example.org/", **more}
        if security != "none":
            variables |= {"VIGIL_MAIL_SMTP_USER": USER.decode(), "VIGIL_MAIL_SMTP_PASSWORD": SECRET.decode(),
                          "VIGIL_MAIL_SMTP_TRUST": str(certificate / "cert.pem")}
        names.extend(variables)
        os.environ.update(variables)
        server = Server(folder)
        server.token = make_token(folder)
        return server

    yield serve
    for name in names:
        os.environ.pop(name, None)


@pytest.mark.parametrize("kind", ["starttls", "tls"])
def test_a_reset_link_comes_by_letter_and_works(configured, certificate, kind):
    box, port = Box(), free_port()
    office = post_office(box, certificate, port, kind)
    try:
        with configured(port, kind) as server:
            assert server.call("PATCH", "/api/users/ann", {"email": "ann@example.org"}, server.token)[0] == 200
            assert server.call("POST", "/api/auth/password-reset", {"username": "ann"})[0] in (202, 204)
            envelope, session = box.wait(1)
            assert envelope.rcpt_tos == ["ann@example.org"] and envelope.mail_from == "vigil@example.org"
            assert session.authenticated and (kind == "tls" or session.ssl is not None)
            letter, text = text_of(envelope)
            assert letter["to"] == "ann@example.org" and "Wächter" in letter["from"]
            token = re.search(r"https://vigil\.example\.org/reset\?token=(\S+)", text).group(1)
            assert server.call("POST", "/api/auth/password-reset/confirm", {"token": token, "password": "a new one, long"})[0] == 204
            assert server.call("POST", "/api/auth/login", {"username": "ann", "password": "a new one, long", "kind": "api"})[0] == 200
            status, jobs = server.call("GET", "/api/jobs", token=server.token)
            assert status == 200 and token not in str(jobs)
        for path in (server.folder / "vigil.db",):
            if path.exists():
                assert token.encode() not in path.read_bytes(), "the link lies in the database"
    finally:
        office.stop()


def test_a_mail_server_that_is_away_delays_letters_and_loses_none(configured, certificate):
    port = free_port()
    with configured(port) as server:
        status, answer = server.call(
            "POST", "/api/invitations", {"roles": ["viewer"], "email": "bob@example.org"}, server.token)
        assert status == 201, answer
        log = server.folder.parent / "serve.log"
        deadline = time.monotonic() + 60
        while "a letter was not delivered" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
    box = Box()
    office = post_office(box, certificate, port)
    try:
        # Also over a restart of Vigil.
        with configured(port) as server:
            envelope, _ = box.wait(1)
            assert envelope.rcpt_tos == ["bob@example.org"]
            assert "https://vigil.example.org/join?token=" in text_of(envelope)[1]
            time.sleep(2)
            assert len(box.letters) == 1, "the letter came twice"
    finally:
        office.stop()


def test_what_a_server_refuses_for_good_is_told_once(configured, certificate):
    box, port = Box(), free_port()
    box.refuse = "550 not here"
    office = post_office(box, certificate, port, "none")
    try:
        with configured(port, "none") as server:
            server.call("POST", "/api/invitations", {"roles": ["viewer"], "email": "bob@example.org"}, server.token)
            log = server.folder.parent / "serve.log"
            deadline = time.monotonic() + 60
            while "code=550" not in log.read_text():
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            time.sleep(3)
            assert log.read_text().count("a letter was not delivered") == 1
            assert "bob@example.org" not in log.read_text()
    finally:
        office.stop()


def test_a_server_with_another_certificate_gets_no_password(configured, certificate, tmp_path):
    box, port = Box(), free_port()
    other = tmp_path / "other"
    other.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout",
         other / "key.pem", "-out", other / "cert.pem"], check=True, capture_output=True)
    office = post_office(box, other, port)
    try:
        with configured(port) as server:
            server.call("POST", "/api/invitations", {"roles": ["viewer"], "email": "bob@example.org"}, server.token)
            log = server.folder.parent / "serve.log"
            deadline = time.monotonic() + 60
            while "a letter was not delivered" not in log.read_text():
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            assert not box.letters
    finally:
        office.stop()


def test_a_password_is_not_sent_in_the_clear_to_another_machine(folder, monkeypatch):
    for name, value in {"HOST": "mail.example.org", "USER": "u", "PASSWORD": "hush", "SECURITY": "none"}.items():
        monkeypatch.setenv("VIGIL_MAIL_SMTP_" + name, value)
    monkeypatch.setenv("VIGIL_MAIL_FROM", "vigil@example.org")
    done = run("serve", "--data", folder, "--port", free_port(), check=False)
    assert done.returncode != 0 and "mail.smtp.security" in done.stderr and "hush" not in done.stderr
