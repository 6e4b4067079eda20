"""Runs a command so many times on hosts, each time on all of them before the next: asyncssh."""

import asyncio, sys
import asyncssh

hosts, steps, port, key, known_hosts = sys.argv[1].split(","), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]


async def main():
    known = asyncssh.read_known_hosts(known_hosts)
    options = dict(port=port, username="bench", client_keys=[key], known_hosts=known, agent_path=None, config=None)
    links = await asyncio.gather(*(asyncssh.connect(host, **options) for host in hosts))
    for _ in range(steps):
        done = await asyncio.gather(*(link.run("true") for link in links))
        assert all(one.exit_status == 0 for one in done)
    for link in links:
        link.close()


asyncio.run(main())
