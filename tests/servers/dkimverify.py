#!/usr/bin/python3
"""dkimverify.py RECORDS < MESSAGE: dkimpy, a verifier that somebody else wrote.

RECORDS has lines of a zone file, as --dkim-keygen prints them.  Says of each
signature, from the top, "good" or "bad" and its tags a, c, d and s.
"""
import re
import sys

import dkim


def records(path):
    found = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            name, kind, text = line.partition(" IN TXT ")
            if kind:
                strings = re.findall(r'"([^"]*)"', text)
                assert all(len(s) <= 255 for s in strings)
                found[name.encode()] = "".join(strings).encode()
    return found


def main():
    known = records(sys.argv[1])
    message = sys.stdin.buffer.read()
    verifier = dkim.DKIM(message)
    names = [name.lower() for name, _ in verifier.headers]
    for index in range(names.count(b"dkim-signature")):
        verifier = dkim.DKIM(message, minkey=1024)
        try:
            good = verifier.verify(
                idx=index, dnsfunc=lambda name, timeout=5: known.get(name)
            )
        except dkim.DKIMException:
            good = False
        tags = {
            tag: value.decode()
            for tag, value in verifier.signature_fields.items()
        }
        print("good" if good else "bad", *(tags[t.encode()] for t in "acds"))


main()
