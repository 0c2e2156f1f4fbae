#!/usr/bin/python3
"""client.py SERVER: does Python's smtplib get on with our SMTP server?

SERVER (tests/tools/server.c) speaks on a socket pair and writes to a file what
it took. Each case is a session: what smtplib is told to do, and the whole of
that file.
"""
import email.message
import email.policy
import smtplib
import socket
import subprocess
import sys
import tempfile

DEADLINE = 60


class Piped(smtplib.SMTP):
    """SMTP over one end of a socket pair; close() ends the server."""

    def __init__(self, program, name):
        self.ours, theirs = socket.socketpair()
        self.ours.settimeout(DEADLINE)
        self.server = subprocess.Popen([program, name], stdin=theirs,
                                       stdout=theirs)
        theirs.close()
        super().__init__('pipe', local_hostname='client.test')

    def _get_socket(self, host, port, timeout):
        return self.ours


def message(**fields):
    m = email.message.EmailMessage(policy=email.policy.SMTP)
    for name, value in fields.items():
        m[name.replace('_', '-')] = value
    return m


def plain(smtp):
    m = message(From='a@x.test', To='b@y.test', Subject='dots')
    m.set_content('.\n..\nlast.\n')
    assert smtp.send_message(m) == {}


def several(smtp):
    for n in range(3):
        smtp.sendmail('a@x.test', f'b{n}@y.test', f'm{n}\r\n')


def refused(smtp):
    bad = smtp.sendmail('a@x.test', ['b@y.test', 'perm@y.test', 'full@y.test'],
                        'm\r\n')
    assert bad == {'perm@y.test': (550, b'5.1.1 never'),
                   'full@y.test': (452, b'4.2.2 full')}, bad
    try:
        smtp.sendmail('a@x.test', ['perm1@y.test', 'temp@y.test'], 'm\r\n')
    except smtplib.SMTPRecipientsRefused as e:
        assert e.recipients['perm1@y.test'][0] == 550, e
        assert e.recipients['temp@y.test'][0] == 451, e
    else:
        raise AssertionError('nobody is there, and it was sent')


def too_big(smtp):
    for size in 99998, 100000:
        try:
            smtp.sendmail('a@x.test', 'b@y.test', 'x' * size + '\r\n')
            assert size == 99998
        except smtplib.SMTPSenderRefused as e:
            assert (size, e.smtp_code) == (100000, 552), e


def utf8(smtp):
    m = message(From='a@x.test', To='\u00f6@y.test', Subject='\u00fc')
    m.set_content('\u00e4\n', cte='8bit')
    assert smtp.send_message(m) == {}


def dsn(smtp):
    smtp.sendmail('', 'b@y.test', 'm\r\n', ['RET=HDRS', 'ENVID=e+2Bf'],
                  ['NOTIFY=DELAY', 'ORCPT=rfc822;c@y.test'])


def commands(smtp):
    assert smtp.ehlo()[0] == 250
    assert sorted(smtp.esmtp_features) == [
        '8bitmime', 'chunking', 'dsn', 'enhancedstatuscodes', 'pipelining',
        'size', 'smtputf8'], smtp.esmtp_features
    assert smtp.esmtp_features['size'] == '100000'
    assert smtp.noop()[0] == 250
    assert smtp.vrfy('b@y.test')[0] == 252
    assert smtp.expn('list')[0] == 502
    assert b'MAIL RCPT DATA' in smtp.help()
    assert smtp.docmd('MAIL', 'FROM:<a@x.test>')[0] == 250
    assert smtp.rset()[0] == 250
    assert smtp.docmd('DATA')[0] == 503
    assert smtp.docmd('BLA')[0] == 500
    assert smtp.helo()[0] == 250


def chunks(smtp):
    smtp.ehlo()
    smtp.mail('a@x.test')
    smtp.rcpt('b@y.test')
    smtp.send('BDAT 4\r\nm\r\n.BDAT 2 LAST\r\n\r\n')
    assert smtp.getreply()[0] == 250
    assert smtp.getreply() == (250, b'2.0.0 Queued as id1')


def told(sender, rcpt, content, words='ESMTP', wants=('', ''), size=None):
    n = len(content) if size is None else size
    return (f'mail <{sender}> {n}\nrcpt <{rcpt}>\nbegin client.test {words} '
            f'<{sender}>{wants[0]} <{rcpt}>{wants[1]}\n'
            f'end {{').encode() + content + b'}\n'


HEAD = b'Content-Transfer-Encoding: %s\r\nMIME-Version: 1.0\r\n\r\n'
TEXT = b'Content-Type: text/plain; charset="utf-8"\r\n' + HEAD
DOTS = (b'From: a@x.test\r\nTo: b@y.test\r\nSubject: dots\r\n' + TEXT % b'7bit'
        + b'.\r\n..\r\nlast.\r\n')
UTF8 = ('From: a@x.test\r\nTo: \u00f6@y.test\r\nSubject: \u00fc\r\n'.encode()
        + TEXT % b'8bit' + '\u00e4\r\n'.encode())
CASES = [
    (plain, told('a@x.test', 'b@y.test', DOTS)),
    (several, b''.join(told('a@x.test', f'b{n}@y.test', b'm%d\r\n' % n)
                       for n in range(3))),
    (refused,
     b'mail <a@x.test> 3\nrcpt <b@y.test>\nrcpt <perm@y.test>\n'
     b'rcpt <full@y.test>\nbegin client.test ESMTP <a@x.test> <b@y.test>\n'
     b'end {m\r\n}\nmail <a@x.test> 3\nrcpt <perm1@y.test>\n'
     b'rcpt <temp@y.test>\n'),
    (too_big, told('a@x.test', 'b@y.test', b'x' * 99998 + b'\r\n')),
    (utf8, told('a@x.test', '\u00f6@y.test', UTF8, 'UTF8SMTP')),
    (dsn, told('', 'b@y.test', b'm\r\n', wants=(' ret=2 envid=e+f',
               ' notify=8 orcpt=rfc822;c@y.test'))),
    (commands, b'mail <a@x.test> 0\n'),
    (chunks, told('a@x.test', 'b@y.test', b'm\r\n.\r\n', size=0)),
]


def main():
    failed = False
    for case, want in CASES:
        with tempfile.NamedTemporaryFile() as f:
            smtp = Piped(sys.argv[1], f.name)
            try:
                case(smtp)
                smtp.quit()
            finally:
                smtp.close()
                code = smtp.server.wait(DEADLINE)
            got = f.read()
        if code != 0 or got != want:
            failed = True
            print(f'{case.__name__}: exit {code}\n got {got[:2000]!r}\n'
                  f'want {want[:2000]!r}')
    sys.exit(failed)


if __name__ == '__main__':
    main()
