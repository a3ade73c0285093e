"""The people and things that requests are about. Made by real requests when somebody needs them, so that what one request ends
or uses up, another still has."""

import base64
import hashlib
import hmac
import itertools
import json
import pathlib
import re
import struct
import time
from email import message_from_bytes, policy
from urllib.parse import parse_qs, urlsplit

import requests

PASSWORD = "correct horse battery"
NEW_PASSWORD = "another horse battery"
# A point of the curve, from RFC 8032: the edge looks whether a key is one.
PUBLIC_KEY = base64.urlsafe_b64encode(
    bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
).rstrip(b"=").decode()
# A picture of one pixel.
GIF = base64.b64decode("R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==")
# The beginning of another one, which is as much as the edge looks at.
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
# How long a letter may take on a busy computer, and how often it is looked for, in seconds.
PATIENCE = 60
LOOK_EVERY = 0.05


class World:
    """An edge with somebody who may do everything there."""

    def __init__(self, settings):
        self.url = settings["url"]
        self.mail = pathlib.Path(settings["mail"])
        # The key and the token of a super administrator, and a machine of theirs whose agent runs.
        self.key = settings["key"]
        self.token = settings["token"]
        self.machine = settings["machine"]
        # What must stay, by the names of parameters: the administrator, their organization, the machine.
        self.needed = settings["needed"]
        # Terminals that are open there.
        self.sessions = settings["sessions"]
        self.invited_to_terminals = None
        self.alerted = None
        self.http = requests.Session()
        self.numbers = itertools.count(1)

    def ask(self, method, path, body=None, token=None, **more):
        """The answer to a request that has to succeed."""
        headers = {"Authorization": f"Bearer {token or self.key}"}
        response = self.http.request(method, self.url + path, json=body, headers=headers, timeout=PATIENCE, **more)
        assert response.ok, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()

    def name(self, kind):
        """A name that nothing has."""
        return f"{kind}{next(self.numbers)}"

    def letter(self, to, pattern):
        """What the pattern finds in a letter to an address. Waits for it."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for file in sorted(self.mail.glob("*.eml")):
                letter = message_from_bytes(file.read_bytes(), policy=policy.default)
                text = letter.get_body(("plain",)).get_content() if letter["To"] and to in letter["To"] else ""
                found = re.search(pattern, text)
                if found:
                    return found.group(1)
            time.sleep(LOOK_EVERY)
        raise AssertionError(f"no letter to {to} with {pattern}")

    def person(self):
        """Somebody who administers an organization of their own, signed in."""
        name = self.name("person")
        email = f"{name}@example.com"
        made = self.ask("POST", "/api/signup", {"username": name, "email": email, "password": PASSWORD})
        return {"id": made["user"]["id"], "name": name, "email": email, "token": made["token"]}

    def with_second_factor(self):
        """The same, with an authenticator app."""
        person = self.person()
        secret = self.ask("POST", "/api/auth/mfa/enroll", token=person["token"])["secret"]
        self.ask("POST", "/api/auth/mfa/confirm", {"code": code(secret)}, token=person["token"])
        return person

    def needs_a_mailed_code(self):
        """The same, whose sign-in waits for a code that was mailed, and the code."""
        person = self.person()
        self.ask("PUT", "/api/organization", {"otp": "on"}, token=person["token"])
        waits = self.ask("POST", "/api/auth/login", {"email": person["email"], "password": PASSWORD})
        return waits, self.letter(person["email"], r"\b([0-9]{6})\b")

    def session_token(self):
        """What opens the organizations of somebody who signed in."""
        person = self.person()
        signed_in = self.ask("POST", "/api/auth/login", {"email": person["email"], "password": PASSWORD})
        return {"session_token": signed_in["session_token"], "tenant_id": signed_in["user"]["tenant_id"]}

    def attempt(self):
        """What a client asks for that takes the code of a provider itself."""
        callback = f"{self.url}/api/auth/oidc/microsoft/callback"
        return {"provider": "azure", "redirect_uri": callback, "state": "a-state"}

    def came_back(self):
        """What the provider sends somebody back with, and the cookie of their attempt."""
        start = self.http.get(
            f"{self.url}/v1/auth/oidc/authorize", params=self.attempt(), allow_redirects=False, timeout=PATIENCE
        )
        cookie = re.search(r"vsay_oidc_microsoft=[0-9a-f]+", start.headers["Set-Cookie"]).group()
        test = json.dumps({"claims": {"email": self.person()["email"]}})
        back = self.http.get(start.headers["Location"], params={"test": test}, allow_redirects=False, timeout=PATIENCE)
        said = parse_qs(urlsplit(back.headers["Location"]).query)
        return {"provider": "azure", "code": said["code"][0], "state": said["state"][0]}, cookie

    def forgetful(self):
        """The token of a link that sets a new password."""
        person = self.person()
        self.ask("POST", "/api/auth/forgot-password", {"email": person["email"]})
        return self.letter(person["email"], r"/reset-password/([0-9A-Za-z_-]+)")

    def unproven(self):
        """The token of a link that proves an address."""
        return self.letter(self.person()["email"], r"/verify-email/([0-9A-Za-z_-]+)")

    def invited(self):
        """Somebody who has not accepted yet."""
        name = self.name("guest")
        return self.ask("POST", "/api/users", {"username": name, "email": f"{name}@example.com"})

    def colleague(self, name=None):
        """Somebody in the organization of the administrator."""
        name = name or self.name("colleague")
        body = {"username": name, "email": f"{name}@example.com", "first_name": "Ann", "last_name": "Smith"}
        return self.ask("POST", "/api/users", body | {"password": PASSWORD})["user"]["id"]

    def signed_in(self, name):
        """The token of a colleague, with a password of their own."""
        token = self.ask("POST", "/api/login", {"email": f"{name}@example.com", "password": PASSWORD})["token"]
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        return self.ask("POST", "/api/auth/change-password", body, token=token)["token"]

    def session(self):
        """A terminal that is open, as long as there are such. The first stays, to be shared."""
        return self.sessions.pop() if len(self.sessions) > 2 else self.sessions[-1]

    def terminal(self):
        """A terminal that is open: those that requests have ended are passed over."""
        headers = {"Authorization": f"Bearer {self.key}"}
        while len(self.sessions) > 1:
            path = f"{self.url}/api/terminal/sessions/{self.sessions[0]}/shares"
            if self.http.get(path, headers=headers, timeout=PATIENCE).ok:
                break
            self.sessions.pop(0)
        return self.sessions[0]

    def guest(self):
        """The one with whom the administrator shares terminals."""
        if self.invited_to_terminals is None:
            name = self.name("guest")
            self.invited_to_terminals = {"id": self.colleague(name), "token": self.signed_in(name)}
        return self.invited_to_terminals

    def share(self):
        """The invitation of the guest to a terminal that is open."""
        path = f"/api/terminal/sessions/{self.terminal()}/shares"
        return self.ask("POST", path, {"user_id": self.guest()["id"]})["share"]["id"]

    def unshared(self):
        """A terminal that is open and shared with nobody: with so many it can be."""
        path = f"/api/terminal/sessions/{self.terminal()}/shares"
        for share in self.ask("GET", path)["shares"]:
            if share["link_id"] is None:
                self.ask("DELETE", f"{path}/{share['id']}")
        return self.terminal()

    def v1_session(self):
        """A session that waits for its client."""
        return self.ask("POST", "/v1/sessions", {"machine_id": self.machine["agent_id"]})["data"]["session_id"]

    def recording(self):
        """What is recorded of a terminal that is open."""
        return next(recording["id"] for recording in self.recordings() if recording["state"] == "recording")

    def ended_recording(self):
        """What was recorded of a terminal that is not open any more."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            ended = [recording for recording in self.recordings() if recording["state"] != "recording"]
            if ended:
                return ended[0]["id"]
            if len(self.sessions) > 1:
                self.ask("DELETE", f"/api/terminal/sessions/{self.sessions.pop()}")
            time.sleep(LOOK_EVERY)
        raise AssertionError("no recording ends")

    def over(self, job):
        """A job, once it has ended."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self.ask("GET", f"/api/jobs/{job}")["status"] != "running":
                return job
            time.sleep(LOOK_EVERY)
        raise AssertionError("the job does not end")

    def recordings(self):
        return self.ask("GET", f"/api/machines/{self.machine['agent_id']}/recordings")["recordings"]

    def log_key(self, command):
        """The row of a command that was sent, by its key."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            logs = self.ask("GET", f"/api/machines/{self.machine['agent_id']}/logs?source=api")["logs"]
            for log in logs:
                if log["command_id"] == command:
                    return str(log["key"])
            time.sleep(LOOK_EVERY)
        raise AssertionError("a command does not come into the log")

    def awaiting(self):
        """A command that waits for approval. The machine wants it for one program, which nothing else here runs."""
        agent = self.machine["agent_id"]
        self.ask("PUT", f"/api/machines/{agent}", {"command_policy": {"approval_required_commands": ["nproc"]}})
        sent = self.ask("POST", f"/api/machines/{agent}/command", {"command": "nproc", "wait": True})["command_id"]
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self.ask("GET", f"/api/commands/{sent}")["status"] == "awaiting_approval":
                return sent
            time.sleep(LOOK_EVERY)
        raise AssertionError("a command does not wait for approval")

    def recording_file(self):
        """The end of an address of a recording."""
        return self.ask("GET", f"/api/recordings/{self.recording()}/url")["url"].rsplit("/", 1)[1]

    def alert(self):
        """Something that a rule told of. It stays, whatever becomes of the rule."""
        if self.alerted is None:
            self.ask("POST", "/api/alerts/rules", {"name": self.name("rule"), "event": "failed_login", "count": 1})
            name = self.name("colleague")
            self.colleague(name)
            wrong = {"email": f"{name}@example.com", "password": "not this one"}
            self.http.post(f"{self.url}/api/login", json=wrong, timeout=PATIENCE)
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until and self.alerted is None:
                alerts = self.ask("GET", "/api/alerts?event=failed_login")["alerts"]
                self.alerted = alerts[0]["id"] if alerts else None
                time.sleep(LOOK_EVERY)
        return self.alerted

    def new_machine(self):
        """A machine that waits for its agent."""
        return self.ask("POST", "/api/machines", {"name": self.name("machine")})

    def group(self, **of):
        return self.ask("POST", "/api/groups", {"name": self.name("group")} | of)["group"]["id"]

    def role(self):
        return str(self.ask("POST", "/api/roles", {"name": self.name("role")})["id"])

    def organization(self):
        body = {"name": self.name("organization"), "display_name": "An organization"}
        return self.ask("POST", "/api/admin/organizations", body)["organization"]["id"]

    def avatar(self):
        picture = {"avatar": ("me.gif", GIF, "image/gif")}
        return self.ask("POST", "/api/profile/upload-avatar", files=picture)["avatar_url"].rsplit("/", 1)[1]

    def image(self):
        picture = {"file": ("a.png", PNG, "image/png")}
        return self.ask("POST", "/api/community/upload", files=picture)["url"].rsplit("/", 1)[1]

    def key_of(self, person):
        return self.ask("POST", "/api/api-keys", {"name": "a key"}, token=person["token"])["id"]


def code(secret):
    """What an authenticator app shows now (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def load(file):
    return World(json.loads(pathlib.Path(file).read_text()))
