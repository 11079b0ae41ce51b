"""A relay on PyPI `aiosmtpd`, with DKIM signatures verified by PyPI `dkimpy`: neither was written by this project.

    target/peers/venv/bin/python tests/peers/smtp_sink.py FOLDER

It makes a certificate for `localhost` and a DKIM key in FOLDER, listens on a free port of 127.0.0.1 and asks for STARTTLS
and the log-in carillon / secret. Fates by the recipient's local part: unknown 550 5.1.1, busy 450 4.2.0, spam 550 5.7.1
after the content, lost closes after the content. It prints one JSON object a line and ends when its input ends.
"""

import asyncio
import base64
import json
import ssl
import subprocess
import sys
from pathlib import Path

import dkim
from aiosmtpd.smtp import SMTP, AuthResult


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


class Fates:
    def __init__(self, public_key):
        self.record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public_key)

    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.split("@")[0]
        if local == "unknown":
            return "550 5.1.1 no such mailbox"
        if local == "busy":
            return "450 4.2.0 greylisted"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        local = envelope.rcpt_tos[0].split("@")[0]
        if local == "spam":
            return "550 5.7.1 smells"
        if local == "lost":
            server.transport.abort()
            return "250 2.0.0 never heard"
        signed = dkim.verify(envelope.original_content, dnsfunc=lambda name, timeout=5: self.record)
        say("mail", sender=envelope.mail_from, to=envelope.rcpt_tos, signed=signed, encrypted=session.ssl is not None,
            content=envelope.original_content.decode("ascii"))
        return "250 2.0.0 taken"


def log_in(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"carillon", b"secret"))


async def main():
    folder = Path(sys.argv[1])
    certificate, secret, signing = folder / "certificate.pem", folder / "secret.pem", folder / "dkim.pem"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
            "-keyout", str(secret), "-out", str(certificate))
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(signing))
    public = openssl("pkey", "-in", str(signing), "-pubout", "-outform", "DER")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, secret)
    fates = Fates(public)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(fates, hostname="sink", tls_context=context, require_starttls=True, auth_required=True,
                     authenticator=log_in),
        "127.0.0.1", 0)
    say("listening", port=server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
