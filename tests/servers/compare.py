#!/usr/bin/python3
"""compare.py BOX FIRST BOX FIRST N [REGEX]...: how N messages differ.

Each BOX is a folder of tests/tools/sink, FIRST the number of its first
message that counts.  One line for each difference, none if there is none:
what the left one has, a bar, what the right one has.  Dates, Message-IDs and
the sizes that MAIL declares may differ, if each is well-formed; Received is
looked at by nobody, and neither is what matches a REGEX.
"""
import re
import sys
from itertools import zip_longest

MASKED = {
    'date': rb' \w{3},  ?\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}( \(\w+\))?',
    'message-id': rb' <[^<>@\s]+@[^<>@\s]+>',
}

# What an MTA may add.
ADDED = 'date', 'from', 'message-id', 'mime-version', 'to'


def fields(header):
    """(name, value) of each field, unfolded by nobody."""
    out = []
    for line in header.split(b'\r\n'):
        if line[:1] in b' \t' and out:
            out[-1][1] += b'\r\n' + line
        else:
            name, colon, value = line.partition(b':')
            out.append([name.decode('latin-1'), value if colon else None])
    return [(n, v) for n, v in out if n.lower() != 'received']


def read(box, number, masks):
    """Envelope, fields and body of one message."""
    with open(f'{box}/{number}.env', encoding='latin-1') as f:
        env = re.sub(r' SIZE=\d+', '', f.read()).splitlines()[1:]
    with open(f'{box}/{number}.msg', 'rb') as f:
        message = f.read()
    for mask in masks:
        message = re.sub(mask.encode(), b'*', message)
    header, _, body = message.partition(b'\r\n\r\n')
    return env, fields(header.removesuffix(b'\r\n')), body


def key(name):
    return name.lower().rstrip()


def masked(name, value):
    """What must differ, if it has its form."""
    form = MASKED.get(key(name))
    if form and value is not None and re.fullmatch(form, value):
        return b' *'
    return value


def blank(value):
    """Without its white space."""
    return re.sub(rb'\s+', b'', value or b'')


def text(value):
    return repr(value)[2:-1]


def compare_fields(left, right):
    left = [(n, masked(n, v)) for n, v in left]
    right = [(n, masked(n, v)) for n, v in right]
    names = list(dict.fromkeys(key(n) for n, _ in left + right))
    for name in names:
        a = [(n, v) for n, v in left if key(n) == name]
        b = [(n, v) for n, v in right if key(n) == name]
        if not a or not b:
            for n, v in a or b:
                print('field', *(['|'] if b else []), n + ':' + text(v),
                      *(['|'] if a else []))
            continue
        if [n for n, _ in a] != [n for n, _ in b]:
            print('name', a[0][0] + '|' + b[0][0])
        for (n, v), (_, w) in zip_longest(a, b, fillvalue=('', b'')):
            if v != w:
                print('value' if blank(v) != blank(w) else 'blanks',
                      n + ':' + text(v), '|' + text(w))
    both = {key(n) for n, _ in left} & {key(n) for n, _ in right}
    order = [[key(n) for n, _ in side if key(n) in both]
             for side in (left, right)]
    given = [[n for n in names if n not in ADDED] for names in order]
    if order[0] != order[1]:
        print('order of ' + ('what is added:' if given[0] == given[1]
                             else 'fields:'), *order[0], '|', *order[1])


def compare_envelopes(left, right):
    if left[0] != right[0]:
        print('envelope', left[0], '|', right[0])
    for line in sorted(set(left) - set(right) - {left[0]}):
        print('envelope', line, '|')
    for line in sorted(set(right) - set(left) - {right[0]}):
        print('envelope |', line)


def compare(left, right):
    compare_envelopes(left[0], right[0])
    compare_fields(left[1], right[1])
    if left[2] != right[2]:
        print('body', text(left[2]), '|', text(right[2]))


def main():
    boxes = (sys.argv[1], int(sys.argv[2])), (sys.argv[3], int(sys.argv[4]))
    count = int(sys.argv[5])
    # Several messages may come in any order.
    both = [sorted((read(box, first + i, sys.argv[6:]) for i in range(count)),
                   key=lambda m: (sorted(m[0]), m[2])) for box, first in boxes]
    for left, right in zip(*both):
        compare(left, right)


main()
