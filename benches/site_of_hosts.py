"""The site of the benchmark: one OpenSSH server in network and mount namespaces of its own, where every address of
127/8 is a host; a user with an empty home, so that no shell's settings are measured; keys and strict host keys."""

import ctypes, os, pathlib, shutil, signal, socket, subprocess, threading, time

PORT = 2222
USER = "bench"
UID = 23456
PR_SET_CHILD_SUBREAPER = 36
# What a round trip takes in the workloads with delay.
ROUND_TRIP_S = 0.050
DELAYED_PORT = 2223


def address(number):
    """The address of a host: 127.1.0.1 and on."""
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"


class Site:
    def __init__(self, where, hosts_max):
        self.where = pathlib.Path(where)
        self.hosts_max = hosts_max
        shutil.rmtree(self.where, ignore_errors=True)
        self.where.mkdir(parents=True)
        self.key = self.where / "id"
        self.known_hosts = self.where / "known_hosts"
        self.server = None
        self.orphans_cpu_s = 0.0

    def __enter__(self):
        # What a session leaves behind comes to this process, so that its CPU counts as well.
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        self.add_user()
        for name in ("id", "host_key"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", self.where / name], check=True
            )
        host_key = " ".join((self.where / "host_key.pub").read_text().split()[:2])
        with open(self.known_hosts, "w") as known:
            for number in range(self.hosts_max):
                for port in (PORT, DELAYED_PORT):
                    known.write(f"[{address(number)}]:{port} {host_key}\n")
        config = self.where / "sshd_config"
        config.write_text(
            f"""Port {PORT}
ListenAddress 0.0.0.0
HostKey {self.where}/host_key
AuthorizedKeysFile {self.where}/id.pub
StrictModes no
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
MaxStartups 5000
MaxSessions 100
LogLevel ERROR
PidFile none
Subsystem sftp internal-sftp
"""
        )
        os.makedirs("/run/sshd", exist_ok=True)
        sshd = shutil.which("sshd") or "/usr/sbin/sshd"
        self.log = open(self.where / "sshd.log", "w")
        self.server = subprocess.Popen([sshd, "-D", "-e", "-f", config], stderr=self.log)
        self.wait_for(PORT)
        threading.Thread(target=delay_forever, daemon=True).start()
        self.wait_for(DELAYED_PORT)
        return self

    def __exit__(self, *_):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait()

    def add_user(self):
        """A user that only this mount namespace knows."""
        home = self.where / "home"
        home.mkdir()
        # Hosts have a disk each. Here one file system would make the receipts of all of them, and ext4 takes the longer for
        # that the more files were deleted in the minutes before.
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"uid={UID},gid={UID},mode=0700", "bench", home], check=True)
        for name, line in (
            ("passwd", f"{USER}:x:{UID}:{UID}::{home}:/bin/bash"),
            ("group", f"{USER}:x:{UID}:"),
            ("shadow", f"{USER}:*:19000:0:99999:7:::"),
        ):
            there = self.where / name
            there.write_text(pathlib.Path("/etc", name).read_text().rstrip("\n") + "\n" + line + "\n")
            subprocess.run(["mount", "--bind", there, f"/etc/{name}"], check=True)

    def wait_for(self, port):
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if self.server.poll() is not None:
                raise SystemExit(f"bench: sshd did not start: {(self.where / 'sshd.log').read_text()}")
            time.sleep(0.02)
        raise SystemExit(f"bench: nobody listens on port {port}")

    def cpu_s(self):
        """CPU of the server and of all sessions that have ended, and of all that they left behind, in seconds."""
        fields = pathlib.Path(f"/proc/{self.server.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK") + self.orphans_cpu_s

    def settle(self):
        """Waits until every session has ended, so that one tool's leftovers are not the next one's load."""
        for _ in range(1500):
            self.take_orphans()
            if not children(self.server.pid) and children(os.getpid()) == [self.server.pid]:
                return
            time.sleep(0.02)
        raise SystemExit("bench: sessions of the last tool do not end")


    def take_orphans(self):
        """Only when no tool runs: its end is for whoever started it."""
        for pid in children(os.getpid()):
            if pid != self.server.pid:
                gone, _, usage = os.wait4(pid, os.WNOHANG)
                self.orphans_cpu_s += (usage.ru_utime + usage.ru_stime) if gone else 0.0


def children(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task")
    return [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]


def delay_forever():
    """Hands bytes on between port DELAYED_PORT and the server, each half a round trip later."""
    import asyncio

    async def carry(reader, writer):
        loop, queue = asyncio.get_running_loop(), asyncio.Queue()

        async def late():
            while True:
                due, data = await queue.get()
                await asyncio.sleep(due - loop.time())
                if not data:
                    break
                writer.write(data)
            writer.write_eof()

        task = asyncio.create_task(late())
        try:
            while data := await reader.read(65536):
                queue.put_nowait((loop.time() + ROUND_TRIP_S / 2, data))
        except ConnectionError:
            pass
        queue.put_nowait((loop.time() + ROUND_TRIP_S / 2, b""))
        try:
            await task
        except (ConnectionError, OSError):
            pass

    async def accept(reader, writer):
        # What setting up a connection takes.
        await asyncio.sleep(ROUND_TRIP_S)
        there, back = await asyncio.open_connection("127.0.0.1", PORT)
        for sock in (writer.get_extra_info("socket"), back.get_extra_info("socket")):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(carry(reader, back), carry(there, writer))
        for end in (writer, back):
            end.close()

    async def serve():
        server = await asyncio.start_server(accept, "0.0.0.0", DELAYED_PORT, backlog=1024)
        await server.serve_forever()

    asyncio.run(serve())
