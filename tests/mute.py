#!/usr/bin/env python3
"""mute.py udp PORT | connect: somebody who never answers, on 127.0.0.1.

udp: takes datagrams, as a name server that is down behind a firewall would.
connect: a port whose queue is full, so that no attempt to connect is answered.
Says "listening PORT" once that is so, and stays until it is killed.
"""
import signal
import socket
import sys

held = []
if sys.argv[1] == "udp":
    held.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    held[0].bind(("127.0.0.1", int(sys.argv[2])))
else:
    held.append(socket.socket())
    held[0].bind(("127.0.0.1", 0))
    held[0].listen(0)
    for _ in range(4):
        held.append(socket.socket())
        held[-1].setblocking(False)
        held[-1].connect_ex(held[0].getsockname())
print("listening", held[0].getsockname()[1], flush=True)
signal.pause()
