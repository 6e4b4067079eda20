"""Asks one name server for one address: `resolve.py SERVER NAME`. Prints it; exit 1 when there is none."""

import socket
import struct
import sys

server, name = sys.argv[1], sys.argv[2]
question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
asked = struct.pack(">6H", 0x6273, 0x0100, 1, 0, 0, 0) + question + struct.pack(">2H", 1, 1)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
    line.settimeout(2)
    try:
        line.sendto(asked, (server, 53))
        answer = line.recv(512)
    except OSError as trouble:
        sys.exit(f"{server} does not answer: {trouble}")
if answer[:2] != asked[:2] or struct.unpack(">H", answer[6:8])[0] == 0:
    sys.exit(f"{server} knows no address of {name}")
print(socket.inet_ntoa(answer[-4:]))
