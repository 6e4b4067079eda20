"""Runs a command so many times on hosts, each time on all of them before the next: parallel-ssh."""

import sys
from pssh.clients import ParallelSSHClient

hosts, steps, port, key = sys.argv[1].split(","), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
client = ParallelSSHClient(hosts, user="bench", port=port, pkey=key, pool_size=max(len(hosts), 1), allow_agent=False)
for _ in range(steps):
    outputs = client.run_command("true")
    client.join(outputs)
    assert all(output.exit_code == 0 for output in outputs)
