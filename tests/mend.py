#!/usr/bin/python3
"""mend.py MEND: does Python's email package read the same before and after?

MEND (tests/tools/mend.c) mends each header below for a server that takes
ASCII only; one with SMTPUTF8 gets it as it is.  What a reader sees of it is
written beside it; the package must see that in the header as it was, and in
the mended one, with its new policy and with its old one.
"""
import email
import email.header
import email.policy
import email.utils
import re
import subprocess
import sys

LONG = 'lang und länger ' * 90
WORD = 'wort' * 300

# What is after the colon, and what a reader sees.
TEXTS = [
    ('Grüße', 'Grüße'),
    ('Grüße an alle', 'Grüße an alle'),
    ('an alle Grüße', 'an alle Grüße'),
    ('Grüße aus Köln', 'Grüße aus Köln'),
    ('Grüße Köln Süd', 'Grüße Köln Süd'),
    ('[Liste] Re: Grüße (war: "Köln")', '[Liste] Re: Grüße (war: "Köln")'),
    ('日本語のメール', '日本語のメール'),
    ('Привет, мир! Это тема письма, и она длиннее одной строки заголовка',
     'Привет, мир! Это тема письма, и она длиннее одной строки заголовка'),
    ('=?utf-8?Q?K=C3=B6ln?= grüßt', 'Köln grüßt'),
    ('grüßt =?utf-8?Q?K=C3=B6ln?=', 'grüßt Köln'),
    ('=?iso-8859-1?Q?K=F6ln?= grüßt =?utf-8?B?U8O8ZA==?= nicht',
     'Köln grüßt Süd nicht'),
    ('=?utf-8?Q?a?= =?utf-8?Q?b?= ü', 'ab ü'),
    ('100 € = 50 % ?', '100 € = 50 % ?'),
    ('=?= ü ?=', '=?= ü ?='),
    ('ü_=_ü', 'ü_=_ü'),
    ('😀 smile 😀 😀', '😀 smile 😀 😀'),
    (LONG.strip(), LONG.strip()),
    (WORD, WORD),
    ('a ' + WORD + ' b', 'a ' + WORD + ' b'),
    ('word ' * 300 + 'end', 'word ' * 300 + 'end'),
    ('ü' * 700, 'ü' * 700),
    ('=?utf-8?B?' + 'w7zDvMO8' * 150 + '?= x', 'ü' * 450 + ' x'),
    ('ü =?iso-8859-1?B?' + '/Pz8' * 300 + '?= ö',
     'ü ' + 'ü' * 900 + ' ö'),
    ('a =?Windows-1252?q?' + '=80_a' * 250 + '?= ö',
     'a ' + '€ a' * 250 + ' ö'),
    ('=?UTF-8?q?' + '=C3=BC_' * 150 + 'x?=', 'ü ' * 150 + 'x'),
]

# The same with the display names and addresses that a reader finds.
ADDRESSES = [
    ('Jürgen Müller <j@x.test>', [('Jürgen Müller', 'j@x.test')]),
    ('"Müller, Jürgen" <j@x.test>', [('Müller, Jürgen', 'j@x.test')]),
    ('"J. \\"Jo\\" Müller" <j@x.test>', [('J. "Jo" Müller', 'j@x.test')]),
    ('Jo Müller <j@x.test>', [('Jo Müller', 'j@x.test')]),
    ('Müller Jo <j@x.test>', [('Müller Jo', 'j@x.test')]),
    ('=?utf-8?Q?J=C3=B6?= Müller <j@x.test>', [('Jö Müller', 'j@x.test')]),
    ('Müller =?utf-8?Q?J=C3=B6?= <j@x.test>', [('Müller Jö', 'j@x.test')]),
    ('a@x.test,"Ü, b" <b@x.test>,Ö <c@x.test>',
     [('', 'a@x.test'), ('Ü, b', 'b@x.test'), ('Ö', 'c@x.test')]),
    ('山田太郎 <y@x.test>', [('山田太郎', 'y@x.test')]),
    ('"' + 'Ä b ' * 60 + 'c" <c@x.test>', [('Ä b ' * 60 + 'c', 'c@x.test')]),
    ('"' + 'a b ' * 300 + 'c" <c@x.test>', [('a b ' * 300 + 'c', 'c@x.test')]),
    ('"' + WORD + '" <c@x.test>', [(WORD, 'c@x.test')]),
    (','.join(f'a{i}@x.test' for i in range(200)),
     [('', f'a{i}@x.test') for i in range(200)]),
    ('Süd: Ü <a@x.test>, b@x.test;', [('Ü', 'a@x.test'), ('', 'b@x.test')]),
]

# The domains stand in ASCII afterwards.
DOMAINS = [
    ('Jo <j@bücher.example>', [('Jo', 'j@xn--bcher-kva.example')]),
    ('"Ü" <j@Bücher.Example>, b@x.test',
     [('Ü', 'j@xn--bcher-kva.example'), ('', 'b@x.test')]),
]

# The value of Content-Disposition, and the file's name.
FILENAMES = [
    ('attachment; filename="Grüße.txt"', 'Grüße.txt'),
    ('attachment; filename=Grüße.txt', 'Grüße.txt'),
    ('attachment; filename="Grüße aus Köln; 100%.txt"; size=3',
     'Grüße aus Köln; 100%.txt'),
    ('attachment; filename="' + '日本語' * 13 + '.txt"',
     '日本語' * 13 + '.txt'),
    ('attachment; filename="' + 'ab' * 600 + '.txt"', 'ab' * 600 + '.txt'),
    ('attachment; filename="ü \\"a\\".txt"', 'ü "a".txt'),
    ('attachment; size=3; filename=ü', 'ü'),
]


def text_new(message):
    return str(message['X'])


def text_old(message):
    field = re.sub(r'\n(?=[ \t])', '', str(message['X']))
    return str(email.header.make_header(email.header.decode_header(field)))


def tight(addresses):
    """Python before 3.13 shows the white space between two encoded words of
    a display name, which its old policy knows to leave out; and it leaves
    raw octets in names as they are."""
    return [(name.encode('utf-8', 'surrogateescape').decode().replace(' ', ''),
             address) for name, address in addresses]


def addresses_new(message):
    found = message['To'].addresses
    return tight((a.display_name, a.addr_spec) for a in found)


def addresses_old(message):
    def decoded(name):
        pieces = email.header.decode_header(name)
        return str(email.header.make_header(pieces))

    field = re.sub(r'\n(?=[ \t])', '', str(message['To']))
    # It knows no groups: their beginnings and ends are taken away.
    field = re.sub(r'^[^"<@,]*:(.*);$', r'\1', field)
    return [(decoded(name), address)
            for name, address in email.utils.getaddresses([field])]


def filename(message):
    return message.get_filename()


KINDS = [
    ('X: ', TEXTS, text_new, text_old, True),
    ('To: ', ADDRESSES, addresses_new, addresses_old, True),
    ('To: ', DOMAINS, addresses_new, addresses_old, False),
    ('Content-Disposition: ', FILENAMES, filename, filename, True),
]


def mend(header, *takes):
    done = subprocess.run([sys.argv[1], *takes], input=header, check=True,
                          stdout=subprocess.PIPE)
    for line in done.stdout.split(b'\n'):
        assert len(line) <= 998, line
    return done.stdout


def read(header, policy, look):
    return look(email.message_from_bytes(header + b'\n', policy=policy))


def main():
    count = failed = 0
    for name, rows, new, old, same_before in KINDS:
        for value, expected in rows:
            before = (name + value + '\n').encode()
            after = mend(before)
            assert before != after and after.isascii(), after
            if len(before) <= 999:
                assert mend(before, 'utf8') == before, before
            reads = [(after, email.policy.default, new),
                     (after, email.policy.compat32, old)]
            if same_before:
                reads.append((before, email.policy.default, new))
            for header, policy, look in reads:
                seen = read(header, policy, look)
                want = tight(expected) if look is addresses_new else expected
                count += 1
                if seen != want:
                    failed += 1
                    print(f'{header!r}\n got {seen!r}\n expected {want!r}')
    print(f'{count} read, {failed} differ')
    return failed > 0 or count < 100


if __name__ == '__main__':
    sys.exit(main())
