"""Measures who can begin a connection to whom: `ways.py listen PORT...`, `ways.py try PORT... to ADDRESS...`.

`listen` answers on all these ports that are free, so that a port is shut because a rule says so and not because nobody
is there; it says `listening` and stays. `try` prints `ADDRESS PORT` for each connection that came about.
"""

import asyncio
import socket
import sys

PATIENCE_S = 0.7


def listen(ports):
    held = []
    for port in ports:
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            line.bind(("0.0.0.0", port))
            line.listen(100)
            held.append(line)
        except OSError:
            # A service has it: that answers as well.
            pass
    print("listening", flush=True)
    while True:
        sys.stdin.read() or sys.exit()


async def reached(address, port):
    try:
        _, line = await asyncio.wait_for(asyncio.open_connection(address, port), PATIENCE_S)
        line.close()
        print(address, port)
    except (OSError, asyncio.TimeoutError):
        pass


async def try_all(ports, addresses):
    await asyncio.gather(*(reached(address, port) for address in addresses for port in ports))


if sys.argv[1] == "listen":
    listen([int(port) for port in sys.argv[2:]])
else:
    at = sys.argv.index("to")
    asyncio.run(try_all([int(port) for port in sys.argv[2:at]], sys.argv[at + 1 :]))
