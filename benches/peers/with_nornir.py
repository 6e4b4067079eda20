"""Runs a command so many times on hosts, each time on all of them before the next: nornir with paramiko."""

import sys
from nornir.core import Nornir
from nornir.core.configuration import Config
from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory, ConnectionOptions
from nornir.core.plugins.connections import ConnectionPluginRegister
from nornir.plugins.runners import ThreadedRunner
from nornir_paramiko.plugins.tasks import paramiko_command

hosts, steps, port, key = sys.argv[1].split(","), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
ConnectionPluginRegister.auto_register()
options = {"paramiko": ConnectionOptions(extras={"key_filename": key, "look_for_keys": False, "allow_agent": False})}
every = {
    name: Host(name=name, hostname=name, port=port, username="bench", password="", connection_options=options)
    for name in hosts
}
site = Nornir(
    inventory=Inventory(hosts=Hosts(every), groups=Groups(), defaults=Defaults()),
    runner=ThreadedRunner(num_workers=max(len(hosts), 1)),
    config=Config(),
)
for _ in range(steps):
    done = site.run(task=paramiko_command, command="true")
    assert not done.failed, {name: str(one[0].exception) for name, one in done.items() if one.failed}
site.close_connections()
