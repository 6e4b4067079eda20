"""What was measured, as Markdown: every figure, ratios to Blackstart, and how cost grows."""

import math

# Where a figure comes of a hundred starts.
STARTS = 100
STARTED = {"S-version": "--version", "S-plan": "plan"}


def markdown(results):
    parts = [compared(results), own(results), growth(results)]
    return "\n".join(part for part in parts if part)


def compared(results):
    """Every tool on every workload; a ratio says how many times what Blackstart takes."""
    base = {one["workload"]: one for one in results if one["tool"] == "blackstart"}
    lines = ["| workload | tool | wall s | × | client CPU s | × | peak MiB | server CPU s |", "|---|---|--:|--:|--:|--:|--:|--:|"]
    for one in results:
        if one["workload"][0] in "GS" or one["workload"] in ("W7", "W8-plan", "W8-run"):
            continue
        here = base.get(one["workload"], one)

        def ratio(key):
            return f"{one[key] / here[key]:.2f}" if here[key] else "–"

        lines.append(
            f"| {one['workload']} | {one['tool']} | {one['wall_s']:.3f} | {ratio('wall_s')} | {one['client_cpu_s']:.3f} "
            f"| {ratio('client_cpu_s')} | {one['peak_mib']:.0f} | {one['server_cpu_s']:.2f} |"
        )
    return "\n".join(lines) + "\n" if len(lines) > 2 else ""


def own(results):
    lines = []
    for one in results:
        name, wall, peak = one["workload"], one["wall_s"], f"{one['peak_mib']:.0f} MiB"
        if "skew_max_ms" in one:
            lines.append(f"- {name}: fired together on 200 hosts, at most {one['skew_max_ms']:.1f} ms apart as the run reports it")
        elif name == "W7":
            lines.append(f"- {name}: resume of 50,000 steps of hosts ready in {wall:.2f} s, {peak}")
        elif name == "W8-plan":
            lines.append(f"- {name}: plan of 10,000 hosts × 50 steps in {wall:.2f} s, {peak}")
        elif name == "W8-run":
            lines.append(f"- {name}: the same run over made-up hosts, {one['tasks_per_s']:.0f} steps of hosts a second, {peak}")
        elif name.startswith("S-"):
            lines.append(f"- {name}, `blackstart {STARTED[name]}`: {1000 * wall / STARTS:.1f} ms a start")
    return "\n".join(lines) + "\n" if lines else ""


def growth(results):
    """Of each series, the exponent of the best straight line through the logarithms: 1 is twice as much for twice."""
    series = {}
    for one in results:
        if one["workload"].startswith("G-"):
            _, what, size = one["workload"].split("-")
            series.setdefault(what, []).append((int(size), one))
    # Of a run that is still under way there may be one size, and no line through that.
    series = {what: sizes for what, sizes in series.items() if len(sizes) > 1}
    if not series:
        return ""
    lines = ["| growth with | sizes | wall s | exponent | peak MiB | exponent |", "|---|---|---|--:|---|--:|"]
    for what, points in series.items():
        sizes = [size for size, _ in points]
        walls = [one.get("run_s", one["wall_s"]) for _, one in points]
        peaks = [one["peak_mib"] for _, one in points]
        lines.append(
            f"| {what} | {listed(sizes, 0)} | {listed(walls, 2)} | {exponent(sizes, walls):.2f} "
            f"| {listed(peaks, 0)} | {exponent(sizes, peaks):.2f} |"
        )
    return "\n".join(lines) + "\n"


def listed(figures, digits):
    return ", ".join(f"{figure:.{digits}f}" for figure in figures)


def exponent(sizes, figures):
    xs, ys = [math.log(size) for size in sizes], [math.log(figure) for figure in figures]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / sum((x - mean_x) ** 2 for x in xs)
