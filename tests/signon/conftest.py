"""An identity provider on this machine: it checks what it is asked, and signs what the test wants said."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client

CLIENT_ID, SECRET = "portal", "a secret of the client"
KEY, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


class Provider(ThreadingHTTPServer):
    """OpenID Connect as far as signing in needs it: discovery, keys, and a code for a token."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.speaks_for = self.issuer
        self.codes: dict[str, dict] = {}
        self.asked: list[str] = []
        self.key, self.alg = KEY, "ES256"

    def consent(self, location: str, **claims) -> str:
        """Return where the browser is sent back to after somebody has signed in. ``claims`` go over what is right."""
        asked = dict(parse_qsl(urlsplit(location).query))
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        now = int(time.time())
        right = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "account-1", "iat": now, "exp": now + 300}
        told = {**right, "nonce": asked["nonce"], **claims}
        code = f"code-{len(self.codes)}"
        self.codes[code] = {
            "challenge": asked["code_challenge"],
            "redirect_uri": asked["redirect_uri"],
            "claims": {name: value for name, value in told.items() if value is not None},
        }
        return f"{asked['redirect_uri']}?code={code}&state={asked['state']}"

    def jwks(self) -> dict:
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))
        return {"keys": [{**public, "kid": "one", "use": "sig", "alg": "ES256"}]}

    def token(self, asked: dict) -> dict | None:
        """Return the answer to a code, None for one that must not be taken."""
        told = self.codes.pop(asked.get("code"), None)
        verifier = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        right = told and (
            asked.get("client_secret") == SECRET
            and asked.get("redirect_uri") == told["redirect_uri"]
            and base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() == told["challenge"]
        )
        if not right:
            return None
        signed = jwt.encode(told["claims"], self.key, algorithm=self.alg, headers={"kid": "one"})
        return {"access_token": "unused", "token_type": "Bearer", "id_token": signed}


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.path == "/.well-known/openid-configuration":
            issuer = self.server.issuer
            self.say(
                {
                    "issuer": self.server.speaks_for,
                    "authorization_endpoint": f"{issuer}/authorize",
                    "token_endpoint": f"{issuer}/token",
                    "jwks_uri": f"{issuer}/keys",
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                }
            )
        elif self.path == "/keys":
            self.say(self.server.jwks())
        else:
            self.say({}, 404)

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        answer = self.server.token({name: values[0] for name, values in parse_qs(body).items()})
        self.say(answer or {"error": "invalid_grant"}, 200 if answer else 400)

    def say(self, told: dict, status: int = 200) -> None:
        raw = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *told) -> None:
        pass


@pytest.fixture
def provider(settings) -> Iterator[Provider]:
    server = Provider()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    settings.HTTPS = False
    settings.SIGNON_OIDC = {
        "entra": {"NAME": "Entra", "ISSUER": server.issuer, "CLIENT_ID": CLIENT_ID, "SECRET": SECRET}
    }
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def go_in(provider, db):
    """Sign in as the provider's account: return (browser, the portal's answer to the way back)."""

    def go(browser: Client | None = None, *, onward: str = "", **claims):
        browser = browser or Client()
        away = browser.get(f"/accounts/oidc/entra/login/{onward}")
        assert away.status_code == 302, away.content
        back = urlsplit(provider.consent(away["Location"], **claims))
        return browser, browser.get(f"{back.path}?{back.query}")

    return go
