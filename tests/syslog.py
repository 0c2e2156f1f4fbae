#!/usr/bin/python3
"""syslog.py KIND OUT COMMAND...: run it where /dev/log is of that kind.

heard: OUT gets each datagram, a line each.  deaf: it is full, and nobody
reads it.  absent: there is none.  To be run by "unshare --mount", for /dev
becomes one of our own.
"""
import os
import socket
import subprocess
import sys
import threading

NODES = ['null', 'zero', 'random', 'urandom', 'tty']


def own_dev():
    os.makedirs('dev', exist_ok=True)
    subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', 'dev'], check=True)
    for node in NODES:
        with open(f'dev/{node}', 'wb'):
            pass
        subprocess.run(['mount', '--bind', f'/dev/{node}', f'dev/{node}'],
                       check=True)
    os.symlink('/proc/self/fd', 'dev/fd')
    subprocess.run(['mount', '--move', 'dev', '/dev'], check=True)


def hear(log, out):
    while True:
        got = log.recv(65536)
        if got == b'end':
            return
        out.write(got + b'\n')


def fill():
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.setblocking(False)
    sender.connect('/dev/log')
    try:
        while True:
            sender.send(b'full')
    except BlockingIOError:
        return sender


def main():
    kind, path, *command = sys.argv[1:]
    own_dev()
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if kind != 'absent':
        log.bind('/dev/log')
    if kind == 'heard':
        with open(path, 'wb') as out:
            reader = threading.Thread(target=hear, args=(log, out))
            reader.start()
            status = subprocess.run(command, check=False).returncode
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(
                b'end', '/dev/log')
            reader.join()
    else:
        full = fill() if kind == 'deaf' else None
        status = subprocess.run(command, check=False).returncode
        del full
    sys.exit(status)


main()
