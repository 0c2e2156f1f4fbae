"""parts.py FILE: a message as Python's email package reads it, as JSON.

Strict: a defect, a header line over 78 octets (but for one word), a raw 8-bit
header or a line over 998 is an error.  Used by tests/compose.bats.
"""
import email
import email.policy
import hashlib
import json
import sys

raw = open(sys.argv[1], "rb").read()
assert b"\0" not in raw
for line in raw.split(b"\r\n"):
    assert len(line) <= 998 and b"\n" not in line and b"\r" not in line, line
for line in raw.split(b"\r\n\r\n")[0].split(b"\r\n"):
    assert line.isascii() and line.strip(), line
    assert len(line) <= 78 or b" " not in line.strip(), line

message = email.message_from_bytes(raw, policy=email.policy.SMTP)


def part(m):
    assert not m.defects, m.defects
    for name, value in m.items():
        assert not value.defects, (name, value, value.defects)
    out = {
        "type": m.get_content_type(),
        "charset": m.get_content_charset(),
        "encoding": m["Content-Transfer-Encoding"],
        "disposition": m.get_content_disposition(),
        "filename": m.get_filename(),
    }
    if m.get_content_type() == "message/rfc822":
        inner = m.get_payload(0)
        out["subject"] = inner["Subject"]
        data = inner.as_bytes(policy=email.policy.SMTP)
    else:
        data = m.get_payload(decode=True)
    if m.get_content_maintype() == "text":
        charset = m.get_content_charset() or "us-ascii"
        out["text"] = data.decode(charset.replace("unknown-8bit", "latin-1"))
    out["sha256"] = hashlib.sha256(data).hexdigest()
    return out


def addresses(name):
    return [str(a) for f in message.get_all(name, []) for a in f.addresses]


print(json.dumps({
    "fields": message.keys(),
    "header": {k.lower(): str(v) for k, v in message.items()},
    "to": addresses("To"),
    "cc": addresses("Cc"),
    "groups": [g.display_name for g in message["Cc"].groups]
              if message["Cc"] else [],
    "names": [a.display_name for f in message.get_all("To", [])
              for a in f.addresses],
    "boundaries": message.get_boundary(),
    "parts": [part(p) for p in message.iter_parts()]
             if message.is_multipart() else [part(message)],
}, ensure_ascii=False))
