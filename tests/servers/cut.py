#!/usr/bin/python3
"""cut.py IP PORT TO-IP TO-PORT server|client: a line that breaks.

Passes octets on in both directions.  The Nth connection is cut after N * STEP
octets of that side; none is, once a side has ended before.  Says "listening
PORT" when it does, and "cut N" or "whole N" for each connection.
"""
import select
import socket
import sys

STEP = 97


def carry(near, far, side, allowed):
    """True if the line broke."""
    ends = {near: far, far: near}
    cut_from = far if side == "server" else near
    while True:
        for end in select.select(list(ends), [], [])[0]:
            octets = end.recv(allowed if end is cut_from else 65536)
            if not octets:
                return False
            ends[end].sendall(octets)
            if end is cut_from:
                allowed -= len(octets)
                if allowed == 0:
                    return True


def main(ip, port, to_ip, to_port, side):
    listener = socket.create_server((ip, int(port)))
    print("listening", port, flush=True)
    number = 0
    while True:
        number += 1
        near, _ = listener.accept()
        with near, socket.create_connection((to_ip, int(to_port))) as far:
            try:
                broke = carry(near, far, side, number * STEP)
            except OSError:
                broke = False
        print("cut" if broke else "whole", number, flush=True)


main(*sys.argv[1:])
