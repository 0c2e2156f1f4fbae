#!/usr/bin/python3
"""cyrus.py DIR CADIR IP TLS: the mechanisms of Cyrus SASL behind a small server.

For SCRAM with channel binding (-PLUS): of the servers in Debian 12 none
offers it (Dovecot does from 2.4 on, Exim is built without GNU SASL, Postfix
never tells Cyrus about the channel).  So the few lines of SMTP here are ours,
and SCRAM itself and the channel's octets are those of libsasl2 and OpenSSL.

Listens on port 465 with TLS 1.2 or 1.3, as said, for "alice" with the
password "pencil".  Binds to tls-unique in 1.2 and to tls-exporter in 1.3.
$MECHANISMS is what it offers.  DIR/log tells of each attempt; messages are
thrown away.  Says "listening" when it does.
"""
import base64
import ctypes
import os
import pathlib
import socket
import sys
import threading

from OpenSSL import SSL

OK, CONTINUE = 0, 1
LIST_END, GETOPT = 0, 1  # callbacks
USERNAME, BINDING = 0, 21  # properties
CREATE = 1  # sasl_setpass()

MECHANISMS = os.environ.get(
    "MECHANISMS",
    "SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1",
)

GetOpt = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.POINTER(ctypes.c_char_p),
    ctypes.POINTER(ctypes.c_uint),
)


class Callback(ctypes.Structure):
    _fields_ = [
        ("id", ctypes.c_ulong),
        ("function", GetOpt),
        ("context", ctypes.c_void_p),
    ]


class Binding(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("critical", ctypes.c_int),
        ("length", ctypes.c_ulong),
        ("data", ctypes.c_char_p),
    ]


class Library:
    """libsasl2, with one user."""

    def __init__(self, folder):
        self.c = ctypes.CDLL("libsasl2.so.2")
        self.options = {
            b"auxprop_plugin": b"sasldb",
            b"sasldb_path": str(folder / "sasldb").encode(),
        }
        self.callbacks = (Callback * 2)(
            Callback(GETOPT, GetOpt(self.option), None),
            Callback(LIST_END, GetOpt(), None),
        )
        self.check(self.c.sasl_server_init(self.callbacks, b"cyrus"))
        conn = self.connection()
        self.check(
            self.c.sasl_setpass(conn, b"alice", b"pencil", 6, None, 0, CREATE)
        )

    def option(self, context, plugin, name, result, length):
        if name not in self.options:
            return -1
        result[0] = self.options[name]
        if length:
            length[0] = len(self.options[name])
        return OK

    def connection(self):
        conn = ctypes.c_void_p()
        self.check(
            self.c.sasl_server_new(
                b"smtp", b"cyrus.test", b"cyrus.test", None, None, None, 0,
                ctypes.byref(conn),
            )
        )
        return conn

    @staticmethod
    def check(status):
        if status != OK:
            raise RuntimeError(f"libsasl2: {status}")


class Exchange:
    """One AUTH command, bound to a channel."""

    def __init__(self, library, binding):
        self.c = library.c
        self.conn = library.connection()
        name, data = binding
        self.binding = Binding(name, 0, len(data), data)
        library.check(
            self.c.sasl_setprop(self.conn, BINDING, ctypes.byref(self.binding))
        )

    def step(self, mechanism, answer):
        """Status and challenge; the mechanism's name at the first step."""
        out, size = ctypes.c_void_p(), ctypes.c_uint()
        arguments = [answer, len(answer or b""), ctypes.byref(out),
                     ctypes.byref(size)]
        if mechanism:
            status = self.c.sasl_server_start(self.conn, mechanism, *arguments)
        else:
            status = self.c.sasl_server_step(self.conn, *arguments)
        return status, ctypes.string_at(out, size.value) if out else b""

    def end(self):
        self.c.sasl_dispose(ctypes.byref(self.conn))


class Session(threading.Thread):
    def __init__(self, sock, context, library, log):
        super().__init__(daemon=True)
        self.tls = SSL.Connection(context, sock)
        self.library, self.log, self.rest = library, log, b""

    def run(self):
        try:
            self.tls.set_accept_state()
            self.tls.do_handshake()
            self.say("220 cyrus.test ESMTP")
            while self.command(self.hear()):
                pass
            self.tls.shutdown()
        except (SSL.Error, OSError):
            pass  # the client has gone

    def say(self, line):
        self.tls.sendall(line.encode() + b"\r\n")

    def hear(self):
        while b"\n" not in self.rest:
            self.rest += self.tls.recv(4096)
        line, self.rest = self.rest.split(b"\n", 1)
        return line.rstrip(b"\r").decode()

    def command(self, line):
        verb, *words = line.split(" ")
        if verb == "EHLO":
            self.say("250-cyrus.test")
            self.say("250 AUTH " + MECHANISMS)
        elif verb == "AUTH":
            self.auth(*words)
        elif verb == "DATA":
            self.say("354 go on")
            while self.hear() != ".":
                pass
            self.say("250 2.0.0 thrown away")
        else:
            self.say("221 bye" if verb == "QUIT" else "250 ok")
        return verb != "QUIT"

    def channel(self):
        if self.tls.get_protocol_version_name() == "TLSv1.3":
            data = self.tls.export_keying_material(
                b"EXPORTER-Channel-Binding", 32, b""
            )
            return b"tls-exporter", data
        return b"tls-unique", self.tls.get_peer_finished()

    def auth(self, mechanism, first=None):
        name, data = self.channel()
        exchange = Exchange(self.library, (name, data))
        answer = None if first is None else base64.b64decode(first)
        status, challenge = exchange.step(mechanism.encode(), answer)
        # The first message tells in clear what it is bound to.
        header = answer
        while status == CONTINUE or (status == OK and challenge):
            self.say("334 " + base64.b64encode(challenge).decode())
            answer = base64.b64decode(self.hear())
            header = header or answer
            if status == OK:
                break  # this was but the answer to the last word
            status, challenge = exchange.step(None, answer)
        exchange.end()
        good = status == OK
        words = [mechanism, name.decode(), header.split(b",")[0].decode()]
        print(*words, "ok" if good else "refused", file=self.log, flush=True)
        self.say("235 2.7.0 welcome" if good else "535 5.7.8 no")


def main(folder, ca, ip, version):
    folder = pathlib.Path(folder)
    folder.mkdir()
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate_chain_file(ca + "/mx1.pem")
    context.use_privatekey_file(ca + "/mx1.key")
    version = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}[version]
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    library = Library(folder)
    with open(folder / "log", "w") as log:
        server = socket.create_server((ip, 465))
        print("listening", flush=True)
        while True:
            Session(server.accept()[0], context, library, log).start()


main(*sys.argv[1:])
