#!/usr/bin/python3
"""roundtrip.py send SENT PORT...: each message of tests/messages to each port
of 127.0.0.1; a line of SENT for each that was accepted.
roundtrip.py there SENT STORE: succeeds when all of them are in STORE.
roundtrip.py compare SENT STORE: what arrived says what was sent, as Python's
email package reads it: the fields, decoded, and the content of each leaf.

A message is known by its recipient, NAME.PORT@example.test.  Nothing is said
of a message that the corpus says cannot be sent to every server.
"""
import concurrent.futures
import email
import email.policy
import glob
import os
import re
import subprocess
import sys

MESSAGES = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../messages")
# Fields that servers add, take away, or that say how the rest is written.
PASSED_OVER = {"return-path", "bcc", "resent-bcc", "mime-version",
               "content-transfer-encoding"}
# Where others do not read what the RFCs have: Python a field without a name, a
# second line of an mbox, comments in a type and what should be quoted in it;
# Postfix a blank between "From" and its colon.
UNLIKE = {"header-empty-name", "mbox-from-twice", "mime-boundary-comments",
          "mime-boundary-unquoted", "header-space-before-colon", "mbox-field"}


def read(name):
    with open(name, "rb") as f:
        return f.read()


def names():
    found = glob.glob(os.path.join(MESSAGES, "*.eml"))
    return sorted(os.path.basename(f)[:-4] for f in found)


# --- sending --------------------------------------------------------------


def may_fail(name):
    return any(os.path.exists(os.path.join(MESSAGES, name + suffix))
               for suffix in (".err", ".7bit.err"))


def send(case):
    name, port = case
    with open(os.path.join(MESSAGES, name + ".eml"), "rb") as message:
        done = subprocess.run(
            [os.environ["SMTPSEND"], "-C", os.path.join(MESSAGES, "config"),
             "-f", "alice@client.test", "--host", "127.0.0.1:" + port,
             "%s.%s@example.test" % case], stdin=message, timeout=60,
            capture_output=True, text=True, check=False)
    if done.returncode == 65 and may_fail(name):
        return None, None
    if done.returncode != 0:
        return None, "%s.%s: %d %s" % (*case, done.returncode, done.stderr)
    return "%s.%s" % case, None


def send_all(sent, *ports):
    cases = [(name, port) for name in names() for port in ports]
    wrong = []
    with concurrent.futures.ThreadPoolExecutor(4) as pool, \
            open(sent, "w", encoding="ascii") as out:
        for case, error in pool.map(send, cases):
            if case:
                print(case, file=out)
            if error:
                wrong.append(error)
    return wrong


# --- what arrived ---------------------------------------------------------


def sent_cases(sent):
    return read(sent).decode("ascii").split()


def files(store):
    return glob.glob(os.path.join(store, "all/new/*"))


def there(sent, store):
    return [] if len(files(store)) >= len(sent_cases(sent)) else ["not yet"]


def arrived(store):
    """What the server put in front is cut off: up to its Received."""
    found = {}
    for name in files(store):
        text = read(name)
        to = re.search(rb"(?m)^X-Original-To: (.*)@", text).group(1).decode()
        front = re.search(rb"(?m)^Received: .*\n([ \t].*\n)*", text)
        found.setdefault(to, []).append(text[front.end():])
    return found


# --- what it says ---------------------------------------------------------


def fixed(text):
    """Raw octets over 127 are UTF-8 where they can be."""
    raw = text.encode("utf-8", "surrogateescape")
    return re.sub(r"\s+", " ", raw.decode("utf-8", "replace")).strip()


def host(name):
    labels = fixed(name or "").lower().split(".")
    return ".".join(x[4:].encode().decode("punycode")
                    if x.startswith("xn--") else x for x in labels)


def people(field):
    return [(fixed(g.display_name or ""),
             [(fixed(a.display_name or ""), fixed(a.username), host(a.domain))
              for a in g.addresses]) for g in field.groups]


def said(field):
    if hasattr(field, "groups"):
        return people(field)
    if hasattr(field, "params"):
        first = getattr(field, "content_type", None) or \
            getattr(field, "content_disposition", None)
        return first, {k.lower(): fixed(v) for k, v in field.params.items()
                       if k.lower() != "charset"}
    return fixed(str(field))


def fields(message):
    return [(name.lower(), said(field)) for name, field in message.items()
            if name.lower() not in PASSED_OVER]


def content(part):
    text = part.get_payload(decode=True)
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n")


def what_it_says(message, top=True):
    parts = [] if top else [fields(message)]
    if message.is_multipart():
        parts += [what_it_says(p, False) for p in message.get_payload()]
        text = [(t or "").strip() for t in (message.preamble,
                                            message.epilogue)]
        return message.get_content_type(), parts, text
    return message.get_content_type(), parts, content(message)


def parsed(text):
    return email.message_from_bytes(text, policy=email.policy.default)


def normal(text):
    """As Python reads it, too: no CR in a header, no first line of an mbox,
    no blank before a colon; a header does not begin with a folded line."""
    text = re.sub(rb"\AFrom .*\n", b"", text)
    if text[:1] in (b" ", b"\t"):
        return b"\n" + text
    header = re.match(rb"(.|\n)*?(\n\r?\n|\Z)", text).group()
    rest = text[len(header):]
    header = re.sub(rb"(?m)^([!-9;-~]+)[ \t]+:", rb"\1:", header)
    return re.sub(rb"\r(?!\n)", b" ", header) + rest


def completed(before, after):
    """Fields that only completion has added may be there."""
    had = {name for name, _ in before}
    nobody = ("to", [("undisclosed-recipients", [])])
    typed = [f for f in after if f[0] == "content-type" and
             f[1] == ("text/plain", {}) and "content-type" not in had]
    if nobody in after and nobody not in before:
        before = [f for f in before if f[0] != "to"] + [nobody]
    return sorted(map(repr, before + typed)), sorted(map(repr, after))


def differ(case, text):
    name = case.rpartition(".")[0]
    before = parsed(normal(read(os.path.join(MESSAGES, name + ".eml"))))
    after = parsed(text)
    old, new = completed(fields(before), fields(after))
    if old != new:
        return "%s: fields\n%s\n%s" % (case, old, new)
    old, new = what_it_says(before), what_it_says(after)
    if old != new:
        return "%s: content\n%s\n%s" % (case, old, new)
    return None


def compare(sent, store):
    found = arrived(store)
    cases = sent_cases(sent)
    wrong = ["%s: arrived %d times" % (case, len(found.get(case, [])))
             for case in cases if len(found.get(case, [])) != 1]
    for case in cases:
        if case.rpartition(".")[0] not in UNLIKE and case in found:
            wrong.append(differ(case, found[case][0]))
    return [w for w in wrong if w]


def main(what, *args):
    wrong = {"send": send_all, "there": there, "compare": compare}[what](*args)
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
