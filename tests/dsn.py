#!/usr/bin/python3
"""dsn.py DSN: does Python's email package read in a report what it says?
dsn.py --report SENDER HOST: the same of HOST's report to SENDER on standard input,
whose fields are printed, a blank line between blocks.

DSN (tests/tools/dsn.c) makes reports; the package must find in each the three
parts of multipart/report (RFC 6522), no defect, and the fields that RFC 3464
requires, each once and with the value that the case names.
"""
import email
import email.policy
import email.utils
import re
import subprocess
import sys

ARRIVED = 'Sun, 22 Nov 2026 04:00:00 +0100'
TRIED = 'Sun, 22 Nov 2026 08:00:00 +0100'
UNTIL = 'Fri, 27 Nov 2026 04:00:00 +0100'
PLAIN = b'From: a@x.test\nMessage-ID: <1@x.test>\nSubject: s\n\nhi\n'
CRLF = PLAIN.replace(b'\n', b'\r\n')
HTML = (b'From: a@x.test\nMIME-Version: 1.0\n'
        b'Content-Type: multipart/alternative; boundary=b\n\n'
        b'--b\nContent-Type: text/plain\n\ntext\n--b--\n')
LONG = '550 5.7.1 ' + 'word ' * 90 + 'end'
INJECT = '550 no\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; x@z.test'
SENDER, RCPT = 'from=a@x.test', 'rcpt=b@y.test'
REFUSED = ['kind=reply', 'code=550', 'enhanced=5.1.1',
           'text=550 5.1.1 No such user', 'state=failed']

# Arguments, message, fields of each recipient, type of the last part.
CASES = [
    (['failed', SENDER, 'envid=QQ314159', RCPT, 'host=mx.y.test', *REFUSED],
     PLAIN,
     [{'Final-Recipient': 'rfc822; b@y.test', 'Action': 'failed',
       'Status': '5.1.1', 'Remote-MTA': 'dns; mx.y.test',
       'Diagnostic-Code': 'smtp; 550 5.1.1 No such user',
       'Last-Attempt-Date': TRIED}], 'text/rfc822-headers'),
    (['failed', SENDER, 'ret=full', RCPT, *REFUSED, 'rcpt=c@y.test',
      'orcpt=rfc822;list@x.test', 'kind=connect', 'state=deferred',
      'text=connection lost', 'doubt=1'], CRLF,
     [{'Final-Recipient': 'rfc822; b@y.test', 'Action': 'failed',
       'Status': '5.1.1', 'Diagnostic-Code': 'smtp; 550 5.1.1 No such user',
       'Last-Attempt-Date': TRIED},
      {'Original-Recipient': 'rfc822; list@x.test',
       'Final-Recipient': 'rfc822; c@y.test', 'Action': 'failed',
       'Status': '4.4.2', 'Diagnostic-Code': 'X-smtpsend; connection lost',
       'Last-Attempt-Date': TRIED}], 'message/rfc822'),
    (['failed', SENDER, 'ret=full', RCPT, *REFUSED], HTML,
     [{'Final-Recipient': 'rfc822; b@y.test', 'Action': 'failed',
       'Status': '5.1.1', 'Diagnostic-Code': 'smtp; 550 5.1.1 No such user',
       'Last-Attempt-Date': TRIED}], 'message/rfc822'),
    (['delayed', SENDER, RCPT, 'kind=reply', 'code=451', 'state=deferred',
      'host=203.0.113.5', 'text=451 Later'], PLAIN,
     [{'Final-Recipient': 'rfc822; b@y.test', 'Action': 'delayed',
       'Status': '4.0.0', 'Remote-MTA': 'dns; [203.0.113.5]',
       'Diagnostic-Code': 'smtp; 451 Later', 'Last-Attempt-Date': TRIED,
       'Will-Retry-Until': UNTIL}], 'text/rfc822-headers'),
    (['relayed', SENDER, RCPT, 'kind=reply', 'code=250', 'state=delivered',
      'host=mx.y.test', 'text=250 Ok'], PLAIN,
     [{'Final-Recipient': 'rfc822; b@y.test', 'Action': 'relayed',
       'Status': '2.0.0', 'Remote-MTA': 'dns; mx.y.test',
       'Diagnostic-Code': 'smtp; 250 Ok', 'Last-Attempt-Date': TRIED}],
     'text/rfc822-headers'),
    (['failed', SENDER, RCPT, 'kind=reply', 'code=550', 'state=failed',
      'enhanced=5.7.1', 'text=' + LONG], PLAIN,
     [{'Final-Recipient': 'rfc822; b@y.test', 'Action': 'failed',
       'Status': '5.7.1', 'Diagnostic-Code': 'smtp; ' + LONG,
       'Last-Attempt-Date': TRIED}], 'text/rfc822-headers'),
    (['failed', SENDER, RCPT, 'kind=reply', 'code=550', 'state=failed',
      'text=' + INJECT], PLAIN,
     [{'Final-Recipient': 'rfc822; b@y.test', 'Action': 'failed',
       'Status': '5.0.0', 'Diagnostic-Code': 'smtp; ' + INJECT.replace(
           '\r', '\\x0D').replace('\n', '\\x0A'),
       'Last-Attempt-Date': TRIED}], 'text/rfc822-headers'),
    (['failed', 'from=é@x.test', 'ret=full', 'rcpt=jörg@y.test', *REFUSED],
     'From: é@x.test\n\nhi\n'.encode(),
     [{'Final-Recipient': 'utf-8; jörg@y.test', 'Action': 'failed',
       'Status': '5.1.1', 'Diagnostic-Code': 'smtp; 550 5.1.1 No such user',
       'Last-Attempt-Date': TRIED}], 'message/global'),
    (['failed', SENDER, 'rcpt=jörg@y.test', *REFUSED],
     'From: a@x.test\nTo: jörg@y.test\n\nhi\n'.encode(),
     [{'Final-Recipient': 'utf-8; j\\x{F6}rg@y.test', 'Action': 'failed',
       'Status': '5.1.1', 'Diagnostic-Code': 'smtp; 550 5.1.1 No such user',
       'Last-Attempt-Date': TRIED}], 'message/global-headers'),
]


def blocks(part, raw):
    """The fields of message/delivery-status, block by block."""
    if part.get_content_type() == 'message/delivery-status':
        found = [b.items() for b in part.get_payload()]
    else:
        # The package takes this type for any message, and its header for
        # ASCII.
        assert part.get_content_type() == 'message/global-delivery-status'
        text = re.search(b'global-delivery-status\n.*?\n\n(.*?)\n--=_', raw,
                         re.DOTALL).group(1).decode()
        found = [email.message_from_string(b).items()
                 for b in text.split('\n\n')]
    for fields in found:
        names = [name for name, value in fields]
        assert len(set(names)) == len(names), names
    return [{name: re.sub(r'\n\s', ' ', value).strip()
             for name, value in fields} for fields in found]


def check_outside(report, sender, host):
    head = {name: str(report[name]) for name in report.keys()}
    assert head['From'] == f'Mail Delivery System <MAILER-DAEMON@{host}>'
    assert head['To'] == sender, head
    assert head['Auto-Submitted'] == 'auto-replied'
    assert head['MIME-Version'] == '1.0'
    assert len(head) == len(report.keys())
    assert report.get_content_type() == 'multipart/report'
    assert report.get_param('report-type') == 'delivery-status'
    assert email.utils.parsedate_to_datetime(head['Date'])


def check(args, message, want, last):
    raw = subprocess.run([sys.argv[1], *args], input=message, check=True,
                         capture_output=True).stdout
    for line in raw.split(b'\n'):
        assert len(line) <= 998, line
    report = email.message_from_bytes(
        raw, policy=email.policy.default.clone(utf8=True))
    check_outside(report, args[1][5:], 'relay.test')
    text, status, returned = report.get_payload()
    for part in report.walk():
        assert not part.defects, part.defects
    assert text.get_content_type() == 'text/plain'
    for arg in args:
        if arg.startswith('rcpt='):
            assert '<' + arg[5:] + '>' in text.get_content()
    whole, *each = blocks(status, raw)
    for arg in args:
        if arg.startswith('envid='):
            assert whole.pop('Original-Envelope-Id') == arg[6:]
    assert whole == {'Reporting-MTA': 'dns; relay.test',
                     'Arrival-Date': ARRIVED}, whole
    assert each == want, (each, want)
    assert returned.get_content_type() == last, returned.get_content_type()
    if last == 'message/rfc822':
        inner = returned.get_payload(0)
        assert inner.as_bytes() == message.replace(b'\r\n', b'\n'), inner
    elif last == 'text/rfc822-headers':
        assert returned.get_content() == message.decode().split(
            '\n\n')[0] + '\n'
    if b'<1@x.test>' in message:
        assert report['In-Reply-To'] == report['References'] == '<1@x.test>'


def show(raw, sender, host):
    report = email.message_from_bytes(raw, policy=email.policy.default)
    check_outside(report, sender, host)
    for part in report.walk():
        assert not part.defects, part.defects
    text, status, returned = report.get_payload()
    assert text.get_content_type() == 'text/plain'
    print('\n\n'.join('\n'.join(f'{name}: {value}'
                                 for name, value in block.items())
                      for block in blocks(status, raw)))
    print(f'\n{returned.get_content_type()}')


if sys.argv[1] == '--report':
    show(sys.stdin.buffer.read(), *sys.argv[2:])
else:
    for case in CASES:
        check(*case)
