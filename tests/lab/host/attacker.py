"""Keeps trying to get through, by every way it is told of: `attacker.py WAY=ADDRESS:PORT...`.

Each way is tried with one fresh connection after the other, and, where a web server should answer, over one connection
that is kept for as long as it lives. Prints a line for each try: when it began in milliseconds since 1970, `open` or `shut`,
`fresh` or `kept`, the way.
"""

import socket
import sys
import threading
import time

# Often enough that no gap in a cut is missed, seldom enough that two cores do not notice.
PAUSE_S = 0.1
PATIENCE_S = 0.4
WEB = (80, 443, 8080)
# The kernel asks ever more seldom whether a kept line is alive again: after a minute, once a minute. Who is cut off for so
# long makes another one.
FORSAKEN_MS = 20_000


def now():
    return time.time_ns() // 1_000_000


def tell(since, is_open, kind, way):
    print(since, "open" if is_open else "shut", kind, way, flush=True)


def fresh(way, address, port):
    while True:
        since = now()
        try:
            socket.create_connection((address, port), PATIENCE_S).close()
            tell(since, True, "fresh", way)
        except OSError:
            tell(since, False, "fresh", way)
        time.sleep(PAUSE_S)


def kept(way, address, port):
    line = None
    while True:
        since = now()
        try:
            if line is None:
                line = socket.create_connection((address, port), PATIENCE_S)
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, FORSAKEN_MS)
            forget_late_answers(line)
            since = now()
            line.sendall(f"GET /kept/{way} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
            if not line.recv(65536):
                raise ConnectionResetError
            tell(since, True, "kept", way)
        except TimeoutError:
            # The line is kept: the kernel sends again and again what was not answered, and uses a hole once there is one.
            tell(since, False, "kept", way)
        except OSError:
            tell(since, False, "kept", way)
            line = None
        time.sleep(PAUSE_S)


# An answer to an earlier try is none to this one.
def forget_late_answers(line):
    line.setblocking(False)
    try:
        while line.recv(65536):
            pass
        raise ConnectionResetError
    except BlockingIOError:
        pass
    finally:
        line.settimeout(PATIENCE_S)


for argument in sys.argv[1:]:
    way, place = argument.split("=", 1)
    address, port = place.rsplit(":", 1)
    for kind in (fresh, kept) if int(port) in WEB else (fresh,):
        threading.Thread(target=kind, args=(way, address, int(port))).start()
