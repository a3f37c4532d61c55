"""The fleet: not measured but simulated, with the policies that the engine runs."""

from __future__ import annotations

import json

from harness.measuring import Line, limit
from harness.plots import Chart
from harness.workbench import Workbench


def fleet(bench: Workbench) -> tuple[list[Line], list[Chart]]:
    """Many clients with a backlog after an outage of their server."""
    sample = bench.measurer.run([bench.programs / "FleetSimulation", "--clients", str(bench.scale.clients)])
    told = json.loads(bench.measurer.output)
    lines = []
    charts = []
    for scenario in told["scenarios"]:
        name = scenario["name"]
        for case, value, unit, bound in [
            ("load after a minute", scenario["peak_over_capacity"], "x", 2),
            ("requests a report", scenario["requests_per_report"], "", 1.5),
            ("highest wave", scenario["wave"], "x", 1.5),
        ]:
            line = limit("fleet", f"{name}: {case}", value, unit, bound)
            line.ours_samples = [sample]
            lines.append(line)
        points = [(second / 60, count) for second, count in scenario["arrivals"]]
        charts.append(
            Chart(
                f"fleet-{scenario['key']}",
                f"{name}: all delivered {scenario['drained_after'] / 60:.0f} min after the outage",
                "minutes since the outage began",
                "requests per second",
                {"arrivals": points},
                is_logarithmic=False,
                levels={"capacity": told["capacity"]},
            )
        )
    return lines, charts
