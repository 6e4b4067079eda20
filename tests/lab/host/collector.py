"""Samples the plant and hands each sample on to the historian: `collector.py DIRECTORY ADDRESS PORT`. Samples are
numbered. What cannot be handed on stays in `DIRECTORY/queue`, in order; while there is `DIRECTORY/hold`, all of it does.
"""

import os
import socket
import sys
import time

DIRECTORY, HISTORIAN = sys.argv[1], (sys.argv[2], int(sys.argv[3]))
EVERY_S = 0.1
PATIENCE_S = 1.0
QUEUE, HOLD = f"{DIRECTORY}/queue", f"{DIRECTORY}/hold"


def hand_on(samples):
    """How many the historian says it has."""
    try:
        with socket.create_connection(HISTORIAN, PATIENCE_S) as line:
            line.sendall("".join(f"{sample}\n" for sample in samples).encode())
            line.shutdown(socket.SHUT_WR)
            return int(line.makefile().readline() or 0)
    except (OSError, ValueError):
        return 0


os.makedirs(DIRECTORY, exist_ok=True)
queue, number = [], 0
while True:
    number += 1
    queue.append(number)
    if not os.path.exists(HOLD):
        del queue[: hand_on(queue)]
    with open(f"{QUEUE}.part", "w") as file:
        file.writelines(f"{sample}\n" for sample in queue)
    os.replace(f"{QUEUE}.part", QUEUE)
    time.sleep(EVERY_S)
