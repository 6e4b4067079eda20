"""The site's own time, by NTP: `ntp.py serve ADDRESS`, and `ntp.py ask ADDRESS`, which prints how far off we are.
It is off by more than two seconds, or nobody answers: exit 1.
"""

import socket
import struct
import sys
import time

# Between the epochs of NTP (1900) and Unix (1970).
EPOCHS_S = 2_208_988_800
STRATUM = 10
OFF_MAX_S = 2.0
PATIENCE_S = 2.0


def stamp():
    whole, part = divmod(time.time() + EPOCHS_S, 1)
    return struct.pack(">2I", int(whole), int(part * 2**32))


def serve(line):
    while True:
        asked, whom = line.recvfrom(512)
        if len(asked) >= 48:
            head = struct.pack(">4B2I4s", 0x24, STRATUM, 4, 0xEC, 0, 0, b"LOCL")
            line.sendto(head + stamp() + asked[40:48] + stamp() + stamp(), whom)


def ask(line, server):
    line.settimeout(PATIENCE_S)
    try:
        line.sendto(b"\x23" + bytes(39) + stamp(), (server, 123))
        answer = line.recv(512)
    except OSError as trouble:
        sys.exit(f"{server} does not tell the time: {trouble}")
    whole, part = struct.unpack(">2I", answer[40:48])
    off = whole + part / 2**32 - EPOCHS_S - time.time()
    print(f"stratum {answer[1]}, off by {off:+.3f} s")
    sys.exit(0 if 0 < answer[1] < 16 and abs(off) <= OFF_MAX_S else 1)


with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
    if sys.argv[1] == "serve":
        line.bind((sys.argv[2], 123))
        serve(line)
    ask(line, sys.argv[2])
