#!/usr/bin/python3
"""aio.py DIR [IP [PORT [PEM]]]: aiosmtpd, a receiver that somebody else wrote.

Stores the Nth message as it came, CRLF and all, in DIR/N.msg, and what it
was told of it as JSON in DIR/N.json.  Says "listening PORT" when it does.
With PEM (a key and its chain) it speaks TLS from the first octet.
Local parts with a meaning: tempfail (451 4.7.1 to RCPT), permfail (550
5.1.1), dropdata (the connection is cut after the data, without an answer).
Offers AUTH in clear: PLAIN and LOGIN for "alice" with the password "pencil",
and CRAM-MD5, which is always refused for its own sake.
"""
import asyncio
import itertools
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

REFUSALS = {
    "tempfail": "451 4.7.1 greylisted",
    "permfail": "550 5.1.1 no such user",
}


class Handler:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.numbers = itertools.count(1)

    async def auth_CRAM__MD5(self, server, args):
        refusal = "504 5.5.4 this mechanism is out of order"
        return AuthResult(success=False, handled=False, message=refusal)

    async def handle_RCPT(self, server, session, envelope, address, options):
        refusal = REFUSALS.get(address.split("@")[0])
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        number = next(self.numbers)
        facts = {
            "helo": session.host_name,
            "mail": envelope.mail_from,
            "options": envelope.mail_options,
            "rcpts": envelope.rcpt_tos,
            "auth": session.auth_data,
        }
        (self.folder / f"{number}.json").write_text(json.dumps(facts))
        (self.folder / f"{number}.msg").write_bytes(envelope.original_content)
        if any(r.startswith("dropdata@") for r in envelope.rcpt_tos):
            server.transport.abort()
        return "250 2.0.0 queued"


def authenticate(server, session, envelope, mechanism, login):
    good = login == LoginPassword(b"alice", b"pencil")
    return AuthResult(success=good, handled=False, auth_data=mechanism)


async def main(folder, ip="127.0.0.1", port="0", pem=None):
    handler = Handler(folder)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if pem else None
    if tls:
        tls.load_cert_chain(pem)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            handler,
            enable_SMTPUTF8=True,
            data_size_limit=1 << 20,
            hostname="aio.example.test",
            authenticator=authenticate,
            auth_require_tls=False,
        ),
        ip,
        int(port),
        ssl=tls,
    )
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
