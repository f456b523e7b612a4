"""Places off the machine, on this one: storage with object lock and a time stamping authority, as they answer."""

import hmac
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, quote, urlsplit

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@contextmanager
def serving(answer: Callable) -> Iterator[str]:
    """Run a server on this machine that hands each request to ``answer(handler, body)``. Yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

        do_PUT = do_GET = do_POST = handle_any

        def log_message(self, *args) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


class Storage:
    """A bucket with object lock. Refuses what is not signed with the secret, not locked, or there already."""

    def __init__(self, key_id: str, secret: str) -> None:
        self.key_id, self.secret = key_id, secret
        self.objects: dict[str, bytes] = {}
        self.locks: list[tuple[str, datetime]] = []
        self.puts = 0
        self.is_down = False

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        headers, path = handler.headers, urlsplit(handler.path).path
        if self.is_down:
            return reply(handler, 503, b"<Error><Code>SlowDown</Code></Error>")
        if not self._is_signed(handler, body):
            return reply(handler, 403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        if handler.command == "GET":
            return reply(handler, 200, self.objects[path], x_amz_version_id="v1")
        self.puts += 1
        if headers["If-None-Match"] == "*" and path in self.objects:
            return reply(handler, 412, b"<Error><Code>PreconditionFailed</Code></Error>")
        checksum = b64encode(sha256(body).digest()).decode()
        if headers["x-amz-checksum-sha256"] != checksum or not headers["x-amz-object-lock-mode"]:
            return reply(handler, 400, b"<Error><Code>InvalidRequest</Code></Error>")
        until = datetime.fromisoformat(headers["x-amz-object-lock-retain-until-date"].replace("Z", "+00:00"))
        self.locks.append((headers["x-amz-object-lock-mode"], until))
        self.objects[path] = body
        return reply(handler, 200, x_amz_version_id="v1")

    def _is_signed(self, handler: BaseHTTPRequestHandler, body: bytes) -> bool:
        """Compute the signature anew, as Amazon's description of version 4 says."""
        headers, url = handler.headers, urlsplit(handler.path)
        scheme, _, rest = headers["Authorization"].partition(" ")
        told = dict(part.strip().split("=", 1) for part in rest.split(","))
        key_id, day, region, service, _ = told["Credential"].split("/")
        signed = told["SignedHeaders"].split(";")
        payload = headers["x-amz-content-sha256"]
        if payload not in (sha256(body).hexdigest(), "UNSIGNED-PAYLOAD") or key_id != self.key_id:
            return False
        query = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(parse_qsl(url.query)))
        lines = [f"{name}:{' '.join(headers[name].split())}" for name in signed]
        canonical = "\n".join([handler.command, url.path, query, *lines, "", ";".join(signed), payload])
        scope = f"{day}/{region}/{service}/aws4_request"
        text = "\n".join([scheme, headers["x-amz-date"], scope, sha256(canonical.encode()).hexdigest()])
        key = f"AWS4{self.secret}".encode()
        for part in (day, region, service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), told["Signature"])


class Authority:
    """A time stamping authority with a root of its own, as RFC 3161 and its certificate profile ask for."""

    def __init__(self) -> None:
        self.root_key = rsa.generate_private_key(65537, 2048)
        self.key = rsa.generate_private_key(65537, 2048)
        self.root = self._certificate("Root", self.root_key, None)
        self.certificate = self._certificate("Time stamps", self.key, self.root)
        self.asked = 0
        self.lie: Callable[[dict], None] = lambda info: None

    def root_pem(self) -> bytes:
        return self.root.public_bytes(Encoding.PEM)

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        self.asked += 1
        if handler.headers["Content-Type"] != "application/timestamp-query":
            return reply(handler, 415)
        return reply(handler, 200, self.stamp(tsp.TimeStampReq.load(body)), Content_Type="application/timestamp-reply")

    def stamp(self, asked: tsp.TimeStampReq) -> bytes:
        info = {
            "version": "v1",
            "policy": "1.3.6.1.4.1.99999.1",
            "message_imprint": asked["message_imprint"],
            "serial_number": self.asked,
            "gen_time": datetime.now(UTC).replace(microsecond=0),
            "nonce": asked["nonce"].native,
        }
        self.lie(info)
        content = tsp.TSTInfo(info).dump()
        leaf = asn1_x509.Certificate.load(self.certificate.public_bytes(Encoding.DER))
        signed = cms.CMSAttributes([
            cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
            cms.CMSAttribute({"type": "message_digest", "values": [sha256(content).digest()]}),
            cms.CMSAttribute({"type": "signing_certificate_v2", "values": [self._names_its_certificate(leaf)]}),
        ])  # fmt: skip
        signer = {
            "version": "v1",
            "sid": {"issuer_and_serial_number": {"issuer": leaf.issuer, "serial_number": leaf.serial_number}},
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": signed,
            "signature_algorithm": {"algorithm": "sha256_rsa"},
            "signature": self.key.sign(signed.dump(), padding.PKCS1v15(), hashes.SHA256()),
        }
        token = {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(content)},
            "certificates": [leaf],
            "signer_infos": [signer],
        }
        response = {
            "status": {"status": "granted"},
            "time_stamp_token": {"content_type": "signed_data", "content": cms.SignedData(token)},
        }
        return tsp.TimeStampResp(response).dump()

    def _names_its_certificate(self, leaf: asn1_x509.Certificate) -> tsp.SigningCertificateV2:
        digest = sha256(leaf.dump()).digest()
        algorithm = algos.DigestAlgorithm({"algorithm": "sha256"})
        return tsp.SigningCertificateV2({"certs": [{"hash_algorithm": algorithm, "cert_hash": digest}]})

    def _certificate(self, name: str, key: rsa.RSAPrivateKey, issuer: x509.Certificate | None) -> x509.Certificate:
        subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        )
        if issuer:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(self.root_key, hashes.SHA256())
