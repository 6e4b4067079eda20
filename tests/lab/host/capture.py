"""Prints a line for every IP packet that arrives on these devices: `capture.py DEVICE...`.

`MILLISECONDS-SINCE-1970 DEVICE PROTOCOL SOURCE DESTINATION SOURCE-PORT DESTINATION-PORT`; the time is the kernel's.
It sees what arrives before any rule of the host does.
"""

import select
import socket
import struct
import sys

SO_TIMESTAMPNS = 35
ETH_P_IP = 0x0800
PACKET_OUTGOING = 4

lines = {}
for device in sys.argv[1:]:
    line = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    line.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    line.bind((device, ETH_P_IP))
    lines[line] = device
print("listening on", *sys.argv[1:], flush=True)
while True:
    for line in select.select(list(lines), [], [])[0]:
        packet, extra, _, (_, _, kind, *_) = line.recvmsg(128, 128)
        if kind == PACKET_OUTGOING or len(packet) < 20:
            continue
        seconds, nanoseconds = next(struct.unpack("qq", data) for _, what, data in extra if what == SO_TIMESTAMPNS)
        header = (packet[0] & 15) * 4
        source, destination = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
        ports = struct.unpack(">HH", packet[header : header + 4]) if packet[9] in (6, 17) and len(packet) >= header + 4 else (0, 0)
        print(seconds * 1000 + nanoseconds // 1_000_000, lines[line], packet[9], source, destination, *ports, flush=True)
