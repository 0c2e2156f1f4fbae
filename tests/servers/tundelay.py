#!/usr/bin/python3
"""tundelay.py DELAY_MS [LOSS_PERCENT [JITTER_MS]]: a far host, in a world.

Whatever is sent to 10.9.0.2 (fd09::2) comes back DELAY_MS later to this very
host as if from there, so a server that listens on 10.9.0.1 is reached at
10.9.0.2 over a link whose round trip is twice the delay.  Swapping source and
destination leaves the checksums right.  Says "ready" when it is.
"""
import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    flags = IFF_TUN | IFF_NO_PI
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH14x", name.encode(), flags))
    for words in (
        f"addr add 10.9.0.1/24 dev {name}",
        f"addr add fd09::1/64 dev {name} nodad",
        f"link set {name} up mtu 1500 qlen 10000",
    ):
        subprocess.check_call(["ip", *words.split()])
    return fd


def mirrored(packet):
    start, size = (12, 4) if packet[0] >> 4 == 4 else (8, 16)
    source = packet[start : start + size]
    destination = packet[start + size : start + 2 * size]
    return packet[:start] + destination + source + packet[start + 2 * size :]


def main(delay, loss=0.0, jitter=0.0):
    fd = tun("far")
    random.seed(1)
    count = itertools.count()
    waiting = []
    print("ready", flush=True)
    while True:
        wait = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        if select.select([fd], [], [], wait)[0]:
            packet = os.read(fd, 65536)
            if random.random() * 100 >= loss:
                due = time.monotonic() + (delay + random.random() * jitter) / 1e3
                heapq.heappush(waiting, (due, next(count), mirrored(packet)))
        while waiting and waiting[0][0] <= time.monotonic():
            os.write(fd, heapq.heappop(waiting)[2])


main(*map(float, sys.argv[1:]))
