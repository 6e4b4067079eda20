"""How each tool runs a command so many times on so many hosts, each time on all of them before the next."""

import json, os, pathlib, sys

from site_of_hosts import DELAYED_PORT, PORT, USER, address

HERE = pathlib.Path(__file__).resolve().parent


class Job:
    """One workload for one tool: the command to measure, its environment, and what else to read from its output."""

    def __init__(self, command, env=None, cwd=None, more=lambda where: {}):
        self.command, self.env, self.cwd = [str(part) for part in command], env or {}, cwd
        self.more = more


def write_site(site, where, hosts, steps, port, together=False):
    """A runbook of steps that each wait for the one before on all hosts, and its inventory."""
    inventory, runbook = where / "inventory.yaml", where / "runbook.yaml"
    with open(inventory, "w") as out:
        out.write("version: 1\nname: bench\n")
        out.write(
            f"defaults: {{ user: {USER}, port: {port}, identity_file: {site.key}, agent: false, "
            f"known_hosts: {site.known_hosts}, ssh_config: false }}\nhosts:\n"
        )
        for number in range(hosts):
            out.write(f"  h{number:05}: {{ address: {address(number)} }}\n")
    with open(runbook, "w") as out:
        out.write("version: 1\nname: bench\nphases:\n  - id: work\n    steps:\n")
        for step in range(steps):
            needs = f", needs: [s{step - 1:03}]" if step else ""
            fire = ", together: true" if together else ""
            out.write(f'      - {{ id: s{step:03}, on: all, run: "true", undo: not_needed{needs}{fire} }}\n')
    return runbook, inventory


def blackstart(site, where, hosts, steps, delayed, together=False):
    port = DELAYED_PORT if delayed else PORT
    runbook, inventory = write_site(site, where, hosts, steps, port, together)
    program, state = os.environ["BLACKSTART"], where / "state"
    return Job([program, "run", runbook, "-i", inventory, "--yes", "--format", "json", "--state", state])


def peer(script, *more):
    def job(site, where, hosts, steps, delayed):
        port = DELAYED_PORT if delayed else PORT
        names = ",".join(address(number) for number in range(hosts))
        extra = [getattr(site, name) for name in more]
        return Job([sys.executable, HERE / "peers" / script, names, steps, port, site.key, *extra])

    return job


def ansible(module):
    def job(site, where, hosts, steps, delayed):
        port = DELAYED_PORT if delayed else PORT
        inventory, play = where / "hosts", where / "play.yaml"
        inventory.write_text("".join(f"{address(number)}\n" for number in range(hosts)))
        tasks = [{module: "true"} for _ in range(steps)]
        play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
        env = {
            "ANSIBLE_HOST_KEY_CHECKING": "True",
            "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
            "ANSIBLE_SSH_ARGS": f"-F none -o ControlMaster=auto -o ControlPersist=20s -o StrictHostKeyChecking=yes "
            f"-o UserKnownHostsFile={site.known_hosts} -o IdentityAgent=none",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(where / "cp"),
            "ANSIBLE_PIPELINING": "True",
            "ANSIBLE_LOCAL_TEMP": str(where / "tmp"),
            "ANSIBLE_NOCOLOR": "1",
        }
        program = pathlib.Path(sys.executable).parent / "ansible-playbook"
        options = ["-i", inventory, "-u", USER, "--private-key", site.key, "-e", f"ansible_port={port}"]
        return Job([program, *options, "-f", str(min(hosts, 50)), play], env)

    return job


def pyinfra(site, where, hosts, steps, delayed):
    port = DELAYED_PORT if delayed else PORT
    inventory, deploy = where / "inventory.py", where / "deploy.py"
    data = {
        "ssh_user": USER,
        "ssh_port": port,
        "ssh_key": str(site.key),
        "ssh_known_hosts_file": str(site.known_hosts),
        "ssh_strict_host_key_checking": "yes",
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
    }
    inventory.write_text(f"hosts = {[(address(number), data) for number in range(hosts)]!r}\n")
    deploy.write_text(
        "from pyinfra.operations import server\n"
        + "".join(f'server.shell(name="s{step}", commands=["true"])\n' for step in range(steps))
    )
    program = pathlib.Path(sys.executable).parent / "pyinfra"
    return Job([program, "-y", "inventory.py", "deploy.py"], cwd=where)


def limit(site, where, hosts, steps, delayed):
    port = DELAYED_PORT if delayed else PORT
    names = ",".join(address(number) for number in range(hosts))
    return Job([os.environ["BARE_CLIENT"], names, steps, port, site.key, site.known_hosts, USER])


TOOLS = {
    "blackstart": blackstart,
    "limit": limit,
    "asyncssh": peer("with_asyncssh.py", "known_hosts"),
    "parallel-ssh": peer("with_pssh.py"),
    "nornir": peer("with_nornir.py"),
    "pyinfra": pyinfra,
    "ansible-raw": ansible("ansible.builtin.raw"),
    "ansible-command": ansible("ansible.builtin.command"),
}
