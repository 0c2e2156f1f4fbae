#!/usr/bin/python3
"""tlspeer.py IP PORT CERT KEY [WORD=VALUE...]: SMTP behind Python's TLS.

Takes each message and forgets it.  Says "listening PORT" when it does.
    ca=FILE       wants a client certificate by that CA
    max=1.2       TLS no newer than that
    end=silent    closes without a word of TLS or SMTP after the message
    end=250       the same, after its 250
    clear=A,B     TLS by STARTTLS; in clear it offers A and B, behind it nothing
    ehlo=502      behind TLS it knows HELO only
"""
import socket
import ssl
import sys
import threading


def greet(raw, offers):
    """What is said in clear, until STARTTLS."""
    raw.sendall(b"220 peer.example.test\r\n")
    for line in raw.makefile("rb"):
        if line.upper().startswith(b"STARTTLS"):
            raw.sendall(b"220 go ahead\r\n")
            return
        raw.sendall(b"".join(b"250-%s\r\n" % s.encode() for s in offers))
        raw.sendall(b"250 STARTTLS\r\n")
    raise OSError("no STARTTLS")


def serve(raw, context, words):
    end = words.get("end")
    if "clear" in words:
        greet(raw, ["peer.example.test"] + words["clear"].split(","))
    conn = context.wrap_socket(raw, server_side=True)
    lines = conn.makefile("rb")

    def say(text):
        conn.sendall(text.encode() + b"\r\n")

    def close():
        # Not unwrap(): TLS is left without its end.
        socket.close(conn.detach())

    if "clear" not in words:
        say("220 peer.example.test")
    for line in lines:
        verb = line[:4].upper().strip()
        if verb == b"QUIT":
            say("221 bye")
            break
        if verb != b"DATA":
            unknown = verb == b"EHLO" and words.get("ehlo") == "502"
            say("502 no" if unknown else "250 ok")
            continue
        say("354 go on")
        while lines.readline() not in (b".\r\n", b""):
            pass
        if end == "silent":
            return close()
        say("250 taken")
        if end == "250":
            return close()
    conn.unwrap().close()


def attempt(*args):
    try:
        serve(*args)
    except (OSError, ValueError) as trouble:
        print(trouble, flush=True)


def main(ip, port, cert, key, *words):
    words = dict(word.split("=", 1) for word in words)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    if "ca" in words:
        context.load_verify_locations(words["ca"])
        context.verify_mode = ssl.CERT_REQUIRED
    if words.get("max") == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    listener = socket.create_server((ip, int(port)), family=family)
    print("listening", port, flush=True)
    while True:
        raw, _ = listener.accept()
        threading.Thread(
            target=attempt, args=(raw, context, words), daemon=True
        ).start()


main(*sys.argv[1:])
