#!/usr/bin/python3
"""bs.py CASE...: clients of sendmail -bs, and what is queued then.

Environment: SENDMAIL, the program under that name; SMTPSEND, the same under
its own; Q, the folder of its queue. Each case says what a client does; what it
heard is compared with what is in the queue, octet by octet.
"""
import email.message
import email.policy
import fcntl
import json
import os
import pty
import random
import re
import select
import signal
import smtplib
import socket
import subprocess
import sys
import termios
from concurrent.futures import ThreadPoolExecutor

DEADLINE = 60
SENDMAIL = os.environ['SENDMAIL']
Q = os.environ['Q']
RUN = os.environ.get('SLOW', '') == ''  # without sanitizers

HELLO = b'EHLO client.test\r\n'
ENVELOPE = b'MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n'
HEADER = (b'From: a@x.test\nTo: b@y.test\nDate: Fri, 21 Nov 1997 09:55:06'
          b' -0600\nMessage-ID: <1@x.test>\nSubject: dots\n')
BODY = b'.\r\n..\r\n.x\r\n\r\nlast.\r\n'
WIRE = (HEADER.replace(b'\n', b'\r\n') + b'\r\n' + BODY).replace(
    b'\n.', b'\n..')
WHOLE = HELLO + ENVELOPE + b'DATA\r\n' + WIRE + b'.\r\n'
RECEIVED = re.compile(
    rb'Received: from (\S+) \(([^()]*)\)\n\tby \S+ with (\w+) id'
    rb' ([0-9a-z]{15})(?:\n\tfor <([^>]*)>)?;\n\t\w{3}, \d+ \w{3} \d{4}'
    rb' \d\d:\d\d:\d\d [-+]\d{4}\n')


# ---- the queue ----

def names():
    """The ids of what is queued."""
    try:
        found = os.listdir(Q)
    except FileNotFoundError:
        return []
    assert not [n for n in found if n.endswith('.tmp')], found
    return sorted(n for n in found if re.fullmatch('[0-9a-z]{15}', n))


def entries():
    """What the queue says of each, and its message."""
    out = subprocess.run([os.environ['SMTPSEND'], '--queue-list', '--json'],
                         stdout=subprocess.PIPE, check=True).stdout
    found = [json.loads(line) for line in out.splitlines()]
    for e in found:
        with open(os.path.join(Q, e['id']), 'rb') as f:
            octets = f.read()
        at = octets.index(b'Received: from ')
        e['message'] = octets[at:at + e['size']]
    return sorted(found, key=lambda e: e['id'])


def clear():
    for name in names():
        os.unlink(os.path.join(Q, name))


def is_as_sent(entry, header=HEADER, body=BODY):
    """Its message is what was sent, behind a Received line; the line's
    parts."""
    got = RECEIVED.match(entry['message'])
    assert got, entry['message'][:300]
    rest = entry['message'][got.end():]
    assert rest == header + b'\n' + body, rest[:1000]
    assert got[4].decode() == entry['id'], (got[4], entry['id'])
    return got


# ---- a server ----

class Server:
    """SENDMAIL -bs at a socket pair, or at two pipes."""

    def __init__(self, *args, pipes=False, before=(), fd=None, **more):
        command = [*before, SENDMAIL, '-bs', *args]
        if pipes:
            self.child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, bufsize=0, **more)
            self.output, self.input = self.child.stdout, self.child.stdin
        else:
            ours, theirs = socket.socketpair() if fd is None else fd
            ours.settimeout(DEADLINE)
            self.ours = ours
            more.setdefault('stderr', subprocess.PIPE)
            self.child = subprocess.Popen(command, stdin=theirs,
                                          stdout=theirs, **more)
            theirs.close()
            self.output = ours.makefile('rb')
            self.input = None

    def send(self, octets):
        if self.input is not None:
            self.input.write(octets)
        else:
            self.ours.sendall(octets)

    def line(self):
        return self.output.readline()

    def reply(self, code):
        """The next reply, which has this code; its last line."""
        while True:
            line = self.line()
            assert line.startswith(code.encode()), (code, line)
            if line[3:4] != b'-':
                return line.decode()

    def ask(self, octets, *codes):
        self.send(octets)
        return [self.reply(code) for code in codes][-1]

    def hello(self):
        self.reply('220')
        self.ask(HELLO, '250')

    def hang_up(self):
        self.output.close()
        if self.input is not None:
            self.input.close()
        else:
            self.ours.close()

    def end(self):
        """What it still says; its exit code, and stderr."""
        if self.input is not None:
            self.input.close()
        else:
            try:
                self.ours.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        said = self.output.read()
        self.hang_up()
        return said, *self.wait()

    def wait(self):
        errors = self.child.stderr.read() if self.child.stderr else b''
        if self.child.stderr:
            self.child.stderr.close()
        return self.child.wait(DEADLINE), errors

    def ends(self, code, said=b'', errors=b''):
        got = self.end()
        assert got[1] == code and (
            got[0].startswith(said) if said else not got[0]), got
        assert errors in got[2] and (errors or not got[2]), got


def fed(octets, *args, **more):
    """All of it at once, and the end: what it said, code, stderr."""
    r = subprocess.run([SENDMAIL, '-bs', *args], input=octets, timeout=DEADLINE,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    return r.stdout, r.returncode, r.stderr


def queued(text):
    """The id in a reply, or in all of them."""
    return re.findall(r'Queued as ([0-9a-z]{15})', text)


# ---- clients that others wrote ----

class Piped(smtplib.SMTP):
    def __init__(self):
        self.server = Server()
        super().__init__('pipe', local_hostname='client.test')

    def _get_socket(self, host, port, timeout):
        return self.server.ours


def python():
    """Python's smtplib: plain, several, UTF-8, DSN."""
    smtp = Piped()
    body = HEADER.replace(b'\n', b'\r\n') + b'\r\n' + BODY
    assert smtp.sendmail('a@x.test', 'b@y.test', body) == {}
    smtp.sendmail('', ['b@y.test', 'c@y.test', 'b@Y.test'], body,
                  ['RET=HDRS', 'ENVID=e+2Bf'],
                  ['NOTIFY=DELAY,FAILURE', 'ORCPT=rfc822;d@y.test'])
    m = email.message.EmailMessage(policy=email.policy.SMTP)
    m['From'], m['To'], m['Subject'] = 'a@x.test', '\u00f6@y.test', '\u00fc'
    m.set_content('\u00e4\n', cte='8bit')
    assert smtp.send_message(m) == {}
    try:
        smtp.sendmail('a@x.test', 'b@y..test', body)
        raise AssertionError('taken')
    except smtplib.SMTPRecipientsRefused as e:
        assert e.recipients['b@y..test'][0] == 501, e
    assert smtp.quit()[0] == 221
    assert smtp.server.wait() == (0, b'')
    # They may be of one millisecond, in any order.
    two, one, three = sorted(entries(), key=lambda e: (
        e['sender'], e['recipients'][0]['address']))
    assert is_as_sent(one).groups()[0::2] == (
        b'client.test', b'ESMTP', b'b@y.test'), one
    assert (one['sender'], one['envid'], one['return']) == (
        'a@x.test', None, None), one
    assert is_as_sent(two)[5] is None, two
    assert (two['sender'], two['envid'], two['return']) == (
        '', 'e+f', 'hdrs'), two
    assert [(r['address'], r['notify'], r['orcpt'])
            for r in two['recipients']] == [
        (f'{who}@y.test', ['failure', 'delay'], 'rfc822;d@y.test')
        for who in 'bc'], two
    assert three['recipients'][0]['address'] == '\u00f6@y.test', three
    assert RECEIVED.match(three['message'])[3] == b'UTF8SMTP', three
    assert 'Subject: \u00fc\n'.encode() in three['message'], three


def symfony():
    """Symfony and Swiftmailer: two pipes, and a connection that is kept."""
    s = Server(pipes=True)
    s.reply('220')
    s.ask(b'EHLO [127.0.0.1]\r\n', '250')
    for _ in range(2):
        s.ask(b'MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n'
              b'RCPT TO:<c@y.test>\r\nDATA\r\n', '250', '250', '250', '354')
        s.send(WIRE)
        (entry,) = queued(s.ask(b'\r\n.\r\n', '250'))
        assert entry in names()
        s.ask(b'NOOP\r\n', '250')
        s.ask(b'RSET\r\n', '250')
    s.ask(b'QUIT\r\n', '221')
    s.ends(0)
    for e in entries():
        assert is_as_sent(e, body=BODY + b'\r\n')[1] == b'[127.0.0.1]'
        assert [r['address'] for r in e['recipients']] == [
            'b@y.test', 'c@y.test']
    assert len(names()) == 2


def alpine():
    """Alpine's command line, and what it says."""
    # And one that has no say in a dialogue.
    s = Server('-odb', '-oem', '-t', pipes=True)
    s.reply('220')
    s.ask(b'EHLO client.test\r\n', '250')
    s.ask(b'RSET\r\n', '250')
    s.ask(b'MAIL FROM:<a@x.test> BODY=8BITMIME\r\n', '250')
    s.ask(b'RCPT TO:<c@y.test>\r\n', '250')
    s.ask(b'DATA\r\n', '354')
    s.ask(WIRE + b'.\r\n', '250')
    s.ask(b'QUIT\r\n', '221')
    s.ends(0)
    (e,) = entries()
    is_as_sent(e)
    assert [r['address'] for r in e['recipients']] == ['c@y.test'], e


def chunks():
    """BDAT: lone dots, line ends and commands are octets like all others."""
    body = b'QUIT\r\n.\r\n\r\n.x\r\n'
    wire = HEADER.replace(b'\n', b'\r\n') + b'\r\n' + body
    s = Server()
    s.hello()
    for cut in 1, 30, len(wire) - 3, len(wire):
        s.ask(ENVELOPE + b'BDAT %d\r\n' % cut + wire[:cut]
              + b'BDAT %d LAST\r\n' % (len(wire) - cut) + wire[cut:],
              '250', '250', '250', '250')
    s.ask(ENVELOPE + b'BDAT 5\r\nabcdeRSET\r\n', '250', '250', '250', '250')
    s.ask(b'QUIT\r\n', '221')
    s.ends(0)
    assert len(names()) == 4
    for e in entries():
        is_as_sent(e, body=body)


def by_hand():
    """A file, LF alone, no domain of the client's, no EHLO, and errors at
    the end of it only."""
    with open('typed', 'wb') as f:
        f.write(b'HELO me\nMAIL FROM: a@x.test\nRCPT TO: b@y.test\nDATA\n'
                b'Subject: x\r\n\r\nhi\r\n.\r\n')
    with open('typed', 'rb') as f:
        r = subprocess.run([SENDMAIL, '-bs'], stdin=f, stdout=subprocess.PIPE,
                           timeout=DEADLINE, check=True)
    assert [line[:3] for line in r.stdout.splitlines()] == [
        b'220', b'250', b'250', b'250', b'354', b'250'], r.stdout
    (e,) = entries()
    assert RECEIVED.match(e['message'])[3] == b'SMTP', e


def msmtp():
    """msmtp, over TCP, with what Debian's asks for."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        client = subprocess.Popen(
            ['msmtp', '-C', '/dev/null', '--host=127.0.0.1',
             f'--port={listener.getsockname()[1]}', '-f', 'a@x.test', '-N',
             'failure', '-R', 'hdrs', '--set-from-header=off',
             '--set-date-header=off', '--', 'b@y.test'],
            stdin=subprocess.PIPE)
        client.stdin.write(HEADER + b'\n' + BODY.replace(b'\r\n', b'\n'))
        client.stdin.close()
        theirs = listener.accept()[0]
    s = subprocess.run([SENDMAIL, '-bs'], stdin=theirs, stdout=theirs,
                       timeout=DEADLINE)
    theirs.close()
    assert (client.wait(DEADLINE), s.returncode) == (0, 0)
    (e,) = entries()
    is_as_sent(e)
    assert (e['return'], e['recipients'][0]['notify']) == (
        'hdrs', ['failure']), e


# ---- clients that leave ----

def cut(n):
    """A client that ends behind n octets: what is wrong, or None."""
    said, code, errors = fed(WHOLE[:n])
    has_mail = n >= len(HELLO) + WHOLE[len(HELLO):].index(b'\n') + 1
    whole = n == len(WHOLE)
    ids = queued(said.decode())
    want = 75 if has_mail and not whole else 0
    if code == want and len(ids) == whole and (code == 75) == bool(errors):
        return None
    return n, said, code, errors


def cut_short():
    """The input ends behind each octet of a dialogue."""
    every = range(0, len(WHOLE) + 1, 1 if RUN else 7)
    with ThreadPoolExecutor(4) as pool:
        wrong = [w for w in pool.map(cut, {*every, len(WHOLE)}) if w]
    assert not wrong, wrong[:5]
    assert len(names()) == 1, names()


def hang_up(n):
    s = Server()
    s.send(WHOLE[:n])
    s.hang_up()
    code, errors = s.wait()
    return None if code in (0, 73, 75) else (n, code, errors)


def gone():
    """A client that reads nothing and closes: no half of a message."""
    every = range(0, len(WHOLE) + 1, 1 if RUN else 13)
    with ThreadPoolExecutor(4) as pool:
        wrong = [w for w in pool.map(hang_up, {*every, len(WHOLE)}) if w]
    assert not wrong, wrong[:5]
    for e in entries():
        is_as_sent(e)


def gone_at_the_end():
    """The reply cannot be written: the message stays queued."""
    s = Server()
    s.hello()
    s.ask(ENVELOPE + b'DATA\r\n', '250', '250', '354')
    s.send(WIRE + b'.\r\n')
    s.hang_up()
    code, errors = s.wait()
    assert code == 73 and b'cannot write replies' in errors, (code, errors)
    is_as_sent(*entries())


def quit_and_gone():
    """Who says QUIT need not listen any more."""
    s = Server()
    s.hello()
    s.ask(ENVELOPE + b'DATA\r\n', '250', '250', '354')
    s.ask(WIRE + b'.\r\n', '250')
    s.send(b'QUIT\r\n')
    s.hang_up()
    assert s.wait() == (0, b'')


def state(child):
    """The letter that ps(1) has for it."""
    with open(f'/proc/{child.pid}/stat', encoding='ascii') as f:
        return f.read().rpartition(') ')[2][0]


def deaf():
    """Replies that nobody reads: it waits; a signal ends that."""
    s = Server(pipes=True)
    s.hello()
    s.ask(ENVELOPE + b'DATA\r\n', '250', '250', '354')
    s.ask(WIRE + b'.\r\n', '250')
    os.set_blocking(s.input.fileno(), False)
    while True:
        sleeps = state(s.child) == 'S'
        # What sleeps, with more to read than a pipe has room for, waits for
        # its own to be read.
        if s.input.write(b'NOOP\r\n' * 500) is None and sleeps:
            break
    s.child.terminate()
    code = s.child.wait(DEADLINE)
    said = s.output.read()
    s.hang_up()
    s.wait()
    assert code == 75 and set(said.split(b'\r\n')[:-1]) == {
        b'250 2.0.0 Ok'}, (code, said[-100:])
    is_as_sent(*entries())


# ---- signals and deadlines ----

STAGES = [
    (HELLO, '250', 0), (b'MAIL FROM:<a@x.test>\r\n', '250', 0),
    (b'RCPT TO:<b@y.test>\r\n', '250', 0), (b'DATA\r\n', '354', 0),
    (WIRE, None, 0), (b'.\r\n', '250', 1),
    (ENVELOPE + b'BDAT 3\r\nabc', '250', 1),
]


def terminated(n, sig):
    """It got so many stages far, and then a signal; how many are queued?"""
    s = Server()
    s.reply('220')
    count = len(names())
    for octets, code, _ in STAGES[:n]:
        s.send(octets)
        for _ in range(3 if b'BDAT' in octets else 1 if code else 0):
            s.reply(code)
    s.child.send_signal(sig)
    assert s.reply('421').startswith('421 4.3.2 ')
    s.ends(75)
    return len(names()) - count


def signals():
    """A signal: 421, and nothing is queued that was not whole."""
    for n in range(len(STAGES) + 1):
        sig = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP][n % 3]
        want = STAGES[n - 1][2] if n else 0
        got = terminated(n, sig)
        assert got == want, (n, got)


def struck(what, *args):
    """A server one call of which is struck."""
    return Server(*args, before=['strace', '-qq', '-f', '-o', 'calls',
                                 '-e', f'trace={what.split(":")[0]}',
                                 '-e', f'inject={what}'])


def signal_in_the_end():
    """A signal while a message is being synced: it is queued, and told so."""
    fed(WHOLE)  # the folder is there from here on
    clear()
    for n in 1, 2:
        s = struck(f'fsync:signal=TERM:when={n}')
        s.hello()
        s.ask(ENVELOPE + b'DATA\r\n', '250', '250', '354')
        (entry,) = queued(s.ask(WIRE + b'.\r\n', '250'))
        s.reply('421')
        s.ends(75)
        assert names() == [entry], (names(), entry)
        clear()


def silence():
    """A client that says nothing for too long, at each wait.  One wait is
    for the configuration, and whoever is silent there is not the client."""
    for octets, least in (b'', 2), (WHOLE[:-3], 3), (WHOLE, 3):
        heard = 0
        for n in range(1, 12):
            s = struck(f'ppoll:retval=0:when={n}')
            s.send(octets)
            said, code, errors = s.end()
            if b'421 4.4.2 ' in said:
                heard += 1
                assert code == 75, (n, said, code, errors)
            assert len(queued(said.decode())) == len(names()), (n, said)
            clear()
        assert heard >= least, (octets, heard)


def configured(*lines):
    """A configuration for one case: what it was is there again behind it."""
    path = os.environ['HOME'] + '/.smtpsendrc'
    with open(path) as f:
        good = f.read()
    with open(path, 'w') as f:
        f.write(good + ''.join(line + '\n' for line in lines))
    return path, good


def dribbled(s, octet):
    """An octet as soon as the last one is taken, until something is heard."""
    readable = []
    while not readable:
        try:
            s.send(octet)
        except OSError:  # it hung up: what it said is there to be read
            pass
        readable = select.select([s.ours], [], [], 0.01)[0]
    return s.reply('421')


def dribbles():
    """Octets are no progress: a command, also one that is too long, and a
    block of a message have their time from their first wait on.  A message
    that comes in blocks has it for each."""
    path, good = configured('serve_timeout 0.5')
    before = [
        (b'', 1), (HELLO, 1), (HELLO + b'x' * 3000, 1),
        (HELLO + ENVELOPE, 3), (HELLO + ENVELOPE + b'DATA\r\n', 4),
        (WHOLE[:-3], 4), (HELLO + ENVELOPE + b'BDAT 99999 LAST\r\n', 3)]
    for octets, replies in before:
        s = Server()
        s.reply('220')
        s.send(octets)
        for n in range(replies if octets else 0):
            s.reply('354' if n == 3 else '250')
        heard = dribbled(s, b'N')
        assert heard.startswith('421 4.4.2 '), heard
        s.ends(75)
    assert names() == []
    with open(path, 'w') as f:
        f.write(good)


def unpaused(before, size, *until):
    """A client that never pauses, nor do those who read what it hears: files.
    They begin like that, and have so many octets.  Once something was said a
    signal comes; all that was said, and the exit code."""
    with open('in', 'wb') as f:
        f.write(before)
        f.truncate(size)
    with open('in', 'rb') as commands, open('out', 'wb') as replies:
        s = subprocess.Popen([SENDMAIL, '-bs'], stdin=commands, stdout=replies)
    with open('out', 'rb') as f:
        said = b''
        try:
            while until and s.poll() is None and until[0] not in said:
                said += f.read()
            if until:
                s.terminate()
            code = s.wait(DEADLINE)
        finally:
            s.kill()
        return (said + f.read()).decode(), code


def never_pauses():
    """A client that never pauses: it is told to stop all the same, and hears
    of each message that is queued."""
    path, good = configured('serve_timeout 0.5')
    # Not even the end of a command, nor of what it says behind our last word.
    said, code = unpaused(b'x', 10**12)
    assert code == 75 and said.splitlines()[-1].startswith('421 4.4.2 '), said
    with open(path, 'w') as f:
        f.write(good)
    many = HELLO + 20000 * WHOLE[len(HELLO):]
    for before, size, until in (
            (many, len(many), b'Queued as '),
            (HELLO + b'BDAT 1000000000000\r\n', 10**12, b'SIZE')):
        said, code = unpaused(before, size, until)
        assert code == 75 and said.splitlines()[-1].startswith(
            '421 4.3.2 '), said.splitlines()[-3:]
        assert sorted(queued(said)) == names()
        assert bool(names()) == (size == len(many))
        clear()


# ---- a person ----

def terminal():
    """At a terminal lines end in LF alone, as people type them."""
    ours, theirs = pty.openpty()
    attributes = termios.tcgetattr(theirs)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    s = subprocess.Popen([SENDMAIL, '-bs'], stdin=theirs, stdout=theirs,
                         stderr=theirs)
    os.close(theirs)
    with os.fdopen(ours, 'r+b', buffering=0) as tty:
        heard = b''

        def type_in(text, code):
            nonlocal heard
            tty.write(text)
            heard = b''
            while not re.search(rb'(?m)^%s .*\n' % code, heard):
                heard += tty.read(1000)
        type_in(b'', b'220')
        type_in(b'EHLO client.test\n', b'250')
        type_in(b'MAIL FROM:<a@x.test>\n', b'250')
        type_in(b'RCPT TO:<b@y.test>\n', b'250')
        type_in(b'DATA\n', b'354')
        type_in(HEADER + b'\n..\n..x\n\nlast.\n.\n', b'250')
        (entry,) = queued(heard.decode())
        type_in(b'QUIT\n', b'221')
        assert s.wait(DEADLINE) == 0
    (e,) = entries()
    assert e['id'] == entry
    is_as_sent(e, body=b'.\n.x\n\nlast.\n')


# ---- trouble of ours ----

def disk_is_full():
    """452, and the message stays the client's; then there is room."""
    s = Server()
    s.hello()
    ballast = os.environ['BALLAST']
    with open(ballast, 'wb', buffering=0) as f:
        try:
            while f.write(b'x' * 4096):
                pass
        except OSError:
            pass
    heard = s.ask(ENVELOPE + b'DATA\r\n' + WIRE + b'.\r\n', '250', '250',
                  '354', '452')
    assert heard.startswith('452 4.3.1 '), heard
    # As much as would go into a file of its own.
    s.ask(ENVELOPE + b'DATA\r\n', '250', '250', '354')
    s.send((b'x' * 70 + b'\r\n') * 20000)
    heard = s.ask(b'.\r\n', '452')
    assert heard.startswith('452 4.3.1 '), heard
    assert names() == []
    os.unlink(ballast)
    s.ask(ENVELOPE + b'DATA\r\n' + WIRE + b'.\r\n', '250', '250', '354',
          '250')
    s.ask(b'QUIT\r\n', '221')
    s.ends(0)
    is_as_sent(*entries())


def configuration():
    """A mistake there is ours: 451, until it is mended; accounts are chosen
    by each sender."""
    home = os.environ['HOME']
    with open(f'{home}/.smtpsendrc') as f:
        good = f.read()

    def write(text):
        with open(f'{home}/.smtpsendrc', 'w') as f:
            f.write(good + text)
    s = Server()
    s.hello()
    write('nonsense on\n')
    heard = s.ask(b'MAIL FROM:<a@x.test>\r\n', '451')
    assert heard.startswith('451 4.3.5 ') and 'nonsense' in heard, heard
    write('account one\nhost h1.test\nfrom a@x.test\naccount two\n'
          'host h2.test\nfrom c@x.test\ndsn_return full\n')
    for sender in b'c@x.test', b'a@x.test':
        s.ask(b'MAIL FROM:<%s>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n' % sender
              + WIRE + b'.\r\n', '250', '250', '354', '250')
    s.ask(b'QUIT\r\n', '221')
    s.ends(0)
    assert sorted((e['sender'], e['account'], e['return'])
                  for e in entries()) == [
        ('a@x.test', 'one', None), ('c@x.test', 'two', 'full')]


def messages():
    """What no message may be is refused for good."""
    s = Server()
    s.hello()
    hops = b'Received: from a by b; Fri, 21 Nov 1997 09:55:06 -0600\r\n' * 101
    for content, want in (b'Subject: x\r\n\r\n\0\r\n', '554 5.6.0 '), (
            hops + WIRE, '554 5.4.6 '):
        heard = s.ask(ENVELOPE + b'DATA\r\n' + content + b'.\r\n', '250',
                      '250', '354', '554')
        assert heard.startswith(want), heard
    s.ask(b'QUIT\r\n', '221')
    s.ends(0)
    assert names() == []


def local_names():
    """Bare names: aliases, users, nobody; and what is no name."""
    with open('/etc/aliases', 'w') as f:
        f.write('team: b@y.test, c@y.test\nbad: /some/file\n'
                'away: /dev/null\nmixed: b@y.test, nosuchuser\n')
    s = Server()
    s.hello()
    s.ask(b'MAIL FROM:<alice>\r\nRCPT TO:<Team>\r\n', '250', '250')
    for name, code, want in (
            (b'nosuchuser', '550', '550 5.1.1 '),
            (b'nosuchuser@localhost', '550', '550 5.1.1 '),
            (b'"|id"', '501', '501 5.1.3 '), (b'/tmp/x', '501', '501 5.1.3 '),
            (b':include:/etc/passwd', '501', '501 5.1.3 '),
            (b'bad', '451', '451 4.3.5 ')):
        heard = s.ask(b'RCPT TO:<%s>\r\n' % name, code)
        assert heard.startswith(want), (name, heard)
    s.ask(b'DATA\r\n' + WIRE + b'.\r\n', '354', '250')
    (e,) = entries()
    assert is_as_sent(e)[5] is None, e
    assert (e['sender'], [r['address'] for r in e['recipients']]) == (
        'alice@client.test', ['b@y.test', 'c@y.test']), e
    clear()
    heard = s.ask(b'MAIL FROM:<a@x.test>\r\nRCPT TO:<away>\r\nDATA\r\n'
                  + WIRE + b'.\r\n', '250', '250', '354', '250')
    assert 'Queued' not in heard and names() == [], heard
    # One of a list is nobody: a run of the queue reports that.
    s.ask(b'MAIL FROM:<a@x.test>\r\nRCPT TO:<mixed>\r\nDATA\r\nTo: mixed\r\n'
          b'\r\n.\r\n', '250', '250', '354', '250')
    s.ask(b'QUIT\r\n', '221')
    s.ends(0)
    (e,) = entries()
    assert [(r['address'], r['outcome'], r['enhanced'])
            for r in e['recipients']] == [
        ('b@y.test', 'pending', ''), ('nosuchuser', 'failed', '5.1.1')], e
    assert b'\nTo: mixed@client.test\n' in e['message'], e


def limits():
    """Size, recipients, errors."""
    s = Server()
    s.hello()
    heard = s.ask(b'MAIL FROM:<a@x.test> SIZE=536870913\r\n', '552')
    assert heard.startswith('552 5.3.4 '), heard
    s.ask(b'MAIL FROM:<a@x.test> SIZE=536870912\r\n', '250')
    n = 10000
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(s.send, b''.join(
            b'RCPT TO:<u%d@y.test>\r\n' % i for i in range(n + 1)))
        for _ in range(n):
            s.reply('250')
        assert s.reply('452').startswith('452 4.5.3 ')
        sent.result()
    s.ask(b'DATA\r\n' + WIRE + b'.\r\n', '354', '250')
    for _ in range(20):
        s.ask(b'NONSENSE\r\n', '500')
    s.send(b'NONSENSE\r\n' * 10)
    s.ends(75, b'421 4.7.0 ')
    (e,) = entries()
    assert len(e['recipients']) == n
    is_as_sent(e)


# ---- who is served ----

def accepted(where, client, **more):
    """A server at a connection, as inetd hands it over."""
    family = socket.AF_UNIX if isinstance(where, str) else (
        socket.AF_INET6 if ':' in where[0] else socket.AF_INET)
    with socket.socket(family) as listener:
        listener.bind(where)
        listener.listen()
        ours = socket.socket(family)
        if client is not None:
            ours.bind((client, 0))
        ours.connect(listener.getsockname())
        theirs = listener.accept()[0]
    return Server(fd=(ours, theirs), **more)


def peers():
    """Other machines are not served; this one's sockets are, also of inetd,
    where stderr is the client, too."""
    for where, client, who in (
            (('127.0.0.1', 0), '127.0.0.2', b'[127.0.0.2]'),
            (('::1', 0), '::1', b'[IPv6:::1]'),
            ('socket', None, b'root@localhost')):
        s = accepted(where, client, stderr=subprocess.STDOUT)
        s.hello()
        s.ask(ENVELOPE + b'DATA\r\n' + WIRE + b'.\r\n', '250', '250', '354',
              '250')
        s.ask(b'MAIL FROM:<a@x.test>\r\n', '250')
        s.ends(75)  # and nothing on what would be stderr
        (e,) = entries()
        assert is_as_sent(e)[2] == who, e
        clear()
    s = accepted(('10.9.9.9', 0), '10.9.9.9')
    assert s.reply('554').startswith('554 5.7.1 ')
    s.ask(b'EHLO x\r\nMAIL FROM:<a@x.test>\r\nQUIT\r\n', '503', '503', '221')
    s.ends(77)
    # One that nobody is connected to.
    r = subprocess.run([SENDMAIL, '-bs'], stdin=socket.socket(),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=DEADLINE)
    assert r.stdout.startswith(b'554 ') and r.returncode == 77, r
    assert names() == []


def at_once():
    """Over TCP no reply waits for the client's ACK of the one before."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs = listener.accept()[0]
    with theirs.dup() as same:
        s = Server(fd=(ours, theirs))
        s.hello()
        assert same.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    s.ask(b'QUIT\r\n', '221')
    s.ends(0)


def streams():
    """Without a stdin, or a stdout; what is printed is no reply."""
    r = subprocess.run(['sh', '-c', 'exec "$0" -bs <&-', SENDMAIL],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert r.returncode == 66 and b'cannot read commands' in r.stderr, r
    r = subprocess.run(['sh', '-c', 'exec "$0" -bs >&-', SENDMAIL],
                       input=WHOLE, stderr=subprocess.PIPE)
    assert r.returncode == 73 and b'cannot write replies' in r.stderr, r
    assert names() == []
    with open(os.environ['HOME'] + '/.smtpsendrc', 'a') as f:
        f.write('logfile -\n')
    said, code, _ = fed(WHOLE)
    assert code == 0 and all(re.match(rb'\d{3}[ -]', line)
                             for line in said.splitlines()), said


def errors_unread():
    """A caller that never reads stderr, and a log that cannot be written."""
    with open(os.environ['HOME'] + '/.smtpsendrc', 'a') as f:
        f.write('logfile /nonexistent/log\n')
    s = Server(pipes=True)
    fcntl.fcntl(s.child.stderr, fcntl.F_SETPIPE_SZ, 4096)
    s.hello()
    for _ in range(100):
        s.ask(ENVELOPE + b'DATA\r\n' + WIRE + b'.\r\n', '250', '250', '354',
              '250')
    s.ask(b'QUIT\r\n', '221')
    said, code, errors = s.end()
    assert code == 0 and b'/nonexistent/log' in errors, (said, code, errors)
    assert len(names()) == 100


# ---- noise ----

WORDS = [
    HELLO, HELLO, HELLO, b'HELO x\r\n', b'MAIL FROM:<a@x.test>\r\n',
    b'MAIL FROM:<a@x.test>\r\n', b'MAIL FROM:<> SIZE=9 BODY=8BITMIME\r\n',
    'MAIL FROM:<\u00f6@x.test> SMTPUTF8 RET=FULL ENVID=+41\r\n'.encode(),
    b'RCPT TO:<b@y.test>\r\n', b'RCPT TO:<b@y.test>\r\n',
    b'RCPT TO:<"b c"@y.test> NOTIFY=NEVER ORCPT=rfc822;x@y\r\n',
    b'RCPT TO:<root>\r\n', b'DATA\r\n', b'DATA\r\n', b'.\r\n', b'.\r\n',
    b'\r\n.\r\n', b'\r\n.\r\n', WIRE, WIRE, b'BDAT 10\r\n', b'BDAT 3 LAST\r\n',
    b'BDAT 0 LAST\r\n', b'BDAT x\r\n', b'RSET\r\n', b'NOOP\r\n', b'VRFY b\r\n',
    b'HELP\r\n', b'QUIT\r\n', b'\0', b'\r', b'\n', b'.', b' ' * 600,
    b'x' * 3000 + b'\r\n', b'From: <\xff>\r\n', b'\x80\xfe=?\r\n',
]


def words(r):
    """Words of SMTP and octets, in any order."""
    return b''.join(
        r.choice(WORDS) if r.random() < 0.9 else
        bytes(r.randrange(256) for _ in range(r.randrange(40)))
        for _ in range(r.randrange(4, 40)))


def damaged(r):
    """Two messages, and pieces that are lost, doubled or other ones."""
    octets = WHOLE + WHOLE[len(HELLO):]
    for _ in range(r.randrange(4)):
        at = r.randrange(len(octets))
        end = at + r.randrange(1, 20)
        octets = octets[:at] + r.choice(
            [b'', octets[at:end] * 2, r.choice(WORDS)]) + octets[end:]
    return octets


def noise(seed):
    r = random.Random(seed)
    octets = (words if seed % 2 else damaged)(r)
    said, code, errors = fed(octets)
    good = code in (0, 75) and b'Sanitizer' not in errors and \
        b'runtime error' not in errors and all(
            re.match(rb'[2345]\d\d[ -][ -~]*\r\n$', line)
            for line in said.splitlines(True))
    return (None if good else (seed, octets, said, code, errors),
            queued(said.decode('latin-1')))


def random_octets():
    """Nothing breaks it, and what it says is queued is."""
    seeds = range(int(os.environ.get('SEEDS', '200' if RUN else '60')))
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(noise, seeds))
    wrong = [w for w, _ in got if w]
    assert not wrong, wrong[:3]
    ids = sorted(i for _, some in got for i in some)
    assert len(ids) > len(seeds) // 4 and ids == names(), (
        len(ids), len(names()))
    assert {e['id'] for e in entries()} == set(ids)


def too_long(*_):
    raise TimeoutError('it takes too long')


def main():
    failed = False
    signal.signal(signal.SIGALRM, too_long)
    # What runs in the background of a shell ignores it, and so would servers.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in sys.argv[1:]:
        clear()
        signal.alarm(5 * DEADLINE)
        try:
            globals()[name]()
        except Exception as e:  # one that fails must not hide the others
            failed = True
            print(f'{name}: {type(e).__name__}: {e}')
    sys.exit(failed)


if __name__ == '__main__':
    main()
