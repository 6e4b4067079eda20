"""What only Blackstart does: steps fired together, resumes, huge plans, growth, start-up."""

import json, os, pathlib, subprocess, time

from site_of_hosts import PORT
from tools import Job, blackstart, write_site


def together(site, where):
    """200 hosts fired at one moment; how far apart they were is what the run itself reports."""

    def skew(where):
        lines = (json.loads(line) for line in (where / "out").read_text().splitlines())
        fired = [line["event"]["fired"] for line in lines if line["kind"] == "fired"]
        assert len(fired) == 1, f"{len(fired)} firings"
        return {"skew_max_ms": fired[0]["skew_max_us"] / 1000}

    job = blackstart(site, where, 200, 1, False, together=True)
    job.more = skew
    return job


def made_up(hosts, steps):
    """A run over made-up hosts, with the journal on."""

    def job(site, where):
        files = write_site(site, where, hosts, steps, PORT)

        def figures(where):
            told = json.loads((where / "out").read_text().splitlines()[-1])
            return {"tasks_per_s": told["tasks_per_s"], "run_s": told["wall_s"]}

        return Job([os.environ["MADE_UP"], *files, where / "state"], more=figures)

    return job


def plan(hosts, steps):
    def job(site, where):
        runbook, inventory = write_site(site, where, hosts, steps, PORT)
        return Job([os.environ["BLACKSTART"], "plan", runbook, "-i", inventory])

    return job


def resume(site, where):
    """A run of 50,000 steps of hosts, left half-way: how long until a resume starts its first job. No host answers."""
    files = write_site(site, where, 1000, 50, 1)
    left = subprocess.run([os.environ["MADE_UP"], *files, where / "state", "25000"], check=True, capture_output=True)
    assert b"left" in left.stdout, left
    program = [os.environ["BLACKSTART"], "resume", "last", "--yes", "--format", "json", "--state", where / "state"]
    return Job([pathlib.Path(__file__).resolve().parent / "until_ready", *program])


def started(*words):
    def job(site, where):
        # Too short for one: a hundred, one after the other.
        program = [os.environ["BLACKSTART"], *words]
        return Job(["sh", "-c", 'n=0; while [ $n -lt 100 ]; do "$@" >/dev/null || exit 1; n=$((n+1)); done', "sh", *program])

    return job


ROOT = pathlib.Path(__file__).resolve().parent.parent
LAB = (ROOT / "runbooks/isolate-and-restore.yaml", "-i", ROOT / "inventories/lab.yaml", "-e", "incident=INC-1")

WORKLOADS = {
    "W6": together,
    "W7": resume,
    "W8-plan": plan(10_000, 50),
    "W8-run": made_up(10_000, 50),
    "G-hosts-25": lambda site, where: blackstart(site, where, 25, 20, False),
    "G-hosts-50": lambda site, where: blackstart(site, where, 50, 20, False),
    "G-hosts-100": lambda site, where: blackstart(site, where, 100, 20, False),
    "G-hosts-200": lambda site, where: blackstart(site, where, 200, 20, False),
    "G-steps-20": lambda site, where: blackstart(site, where, 20, 20, False),
    "G-steps-40": lambda site, where: blackstart(site, where, 20, 40, False),
    "G-steps-80": lambda site, where: blackstart(site, where, 20, 80, False),
    "G-steps-160": lambda site, where: blackstart(site, where, 20, 160, False),
    "G-tasks-50000": made_up(1000, 50),
    "G-tasks-100000": made_up(2000, 50),
    "G-tasks-200000": made_up(4000, 50),
    "G-tasks-400000": made_up(8000, 50),
    "S-version": started("--version"),
    "S-plan": started("plan", *LAB),
}
