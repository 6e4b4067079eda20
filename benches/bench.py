"""The benchmark: the same work by Blackstart, by its peers and by a bare client, measured in one run. See `make bench`."""

import argparse, json, os, pathlib, shutil, statistics, subprocess, sys, time

import own
from site_of_hosts import Site
from table import markdown
from tools import TOOLS

# Hosts, steps, with delay?
WORKLOADS = {
    "W1x1": (1, 1, False),
    "W1x20": (20, 1, False),
    "W1x200": (200, 1, False),
    "W2": (50, 20, False),
    "W3": (1, 100, False),
    "W4": (1, 100, True),
    "W4x50": (50, 20, True),
    "W5": (1000, 10, False),
}
# Where a peer takes minutes and tells nothing more, it is left out; what takes a minute is run once.
LEFT_OUT = {
    "W1x200": {"ansible-command"},
    "W3": {"nornir", "pyinfra"},
    "W4": {"ansible-raw", "ansible-command", "nornir", "pyinfra"},
    "W4x50": {"ansible-raw", "ansible-command", "nornir", "pyinfra"},
    "W5": {"ansible-raw", "ansible-command", "nornir", "pyinfra", "parallel-ssh"},
}
ONCE = {("W1x200", "ansible-raw"), ("W2", "ansible-raw"), ("W2", "ansible-command"), ("W3", "ansible-command")}
HOSTS_MAX = 1000
# A tool that takes longer is ended, and the benchmark says so.
LIMIT_S = 600
FAILURES = []


class Failed(Exception):
    """A tool did not do its work; holds what it said."""


def measured(job, site, where):
    """One run: wall time, CPU of the client's process tree, the greatest memory of one of its processes, CPU of the
    server and all that it started."""
    site.settle()
    server, began = site.cpu_s(), time.monotonic()
    with open(where / "out", "wb") as out, open(where / "err", "wb") as err:
        command = ["timeout", "--signal=KILL", str(LIMIT_S), *job.command]
        child = subprocess.Popen(
            command,
            env={**os.environ, **job.env},
            cwd=job.cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    site.settle()
    if child.returncode != 0:
        tail = "".join((where / name).read_text(errors="replace")[-2000:] for name in ("out", "err"))
        raise Failed(f"{' '.join(job.command)[:300]} ended with {child.returncode}:\n{tail}")
    return {
        "wall_s": wall,
        "client_cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss / 1024,
        "server_cpu_s": site.cpu_s() - server,
        **job.more(where),
    }


def median(runs):
    return {key: round(statistics.median(run[key] for run in runs), 4) for key in runs[0]}


def compared(site, workload, jobs, repeat, into):
    """Every tool on one workload, in turns, so that what else the machine does hits all alike. A tool that fails once is
    left out of it."""
    runs = {tool: [] for tool in jobs}
    for turn in range(repeat):
        for tool in list(runs):
            if turn and (workload, tool) in ONCE:
                continue
            try:
                run = measured(jobs[tool](site, fresh(into)), site, into / "work")
            except Failed as failed:
                FAILURES.append(f"{workload} {tool}: {failed}")
                del runs[tool]
                continue
            runs[tool].append(run)
            tell(workload, tool, run)
    return [{"workload": workload, "tool": tool, **median(each)} for tool, each in runs.items()]


def jobs_of(workload, tools):
    """What each tool has to do; some workloads are for Blackstart alone."""
    if workload in own.WORKLOADS:
        return {"blackstart": own.WORKLOADS[workload]}
    left_out = LEFT_OUT.get(workload, ())
    return {
        tool: lambda site, where, tool=tool: TOOLS[tool](site, where, *WORKLOADS[workload])
        for tool in tools
        if tool not in left_out
    }


def fresh(into):
    where = into / "work"
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(parents=True)
    return where


def tell(workload, tool, run):
    print(f"  {workload} {tool}: {run['wall_s']:.3f} s", file=sys.stderr, flush=True)


def main():
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--workloads", default="", help="only these: W2,W3")
    parse.add_argument("--tools", default="", help="only these: blackstart,asyncssh")
    parse.add_argument("--repeat", type=int, default=3)
    parse.add_argument("--into", default="target/bench")
    args = parse.parse_args()
    into = pathlib.Path(args.into).resolve()
    known = [*WORKLOADS, *own.WORKLOADS]
    wanted = args.workloads.split(",") if args.workloads else known
    chosen = [name for name in known if any(name == one or name.startswith((one + "x", one + "-")) for one in wanted)]
    if not chosen:
        raise SystemExit(f"bench: no workload {args.workloads}; there are {', '.join(known)}")
    results = []
    tools = args.tools.split(",") if args.tools else list(TOOLS)
    with Site(into / "site", HOSTS_MAX) as site:
        for workload in chosen:
            results += compared(site, workload, jobs_of(workload, tools), args.repeat, into)
            # After each, so that what was measured is not lost with what was not.
            (into.parent / "bench.json").write_text(json.dumps(results, indent=1) + "\n")
            told = markdown(results)
            (into.parent / "bench.md").write_text(told)
    print(told)
    if FAILURES:
        raise SystemExit("bench: left out, because it failed:\n" + "\n".join(FAILURES))


main()
