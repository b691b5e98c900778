"""The results as JSON and as Markdown."""
import json

from measure import summary


def rows(case, started, results):
    """For each part of a case what is known of each peer."""
    for index, title in enumerate(case.parts):
        known = {}
        for peer in started:
            values = results[peer.name]
            known[peer.name] = {"absent": values} if isinstance(values, str) else summary([v[index] for v in values])
        yield {"case": case.key, "title": title, "unit": case.unit, "note": case.note, "results": known}


def shown(seconds, unit):
    value = seconds * 1000 if unit == "ms" else seconds
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell(result, unit):
    if "absent" in result:
        return "fails" if result["absent"] else "–"
    middle, low, high = (shown(result[key], unit) for key in ("median", "low", "high"))
    return f"{middle} ({low}–{high})"


def markdown(results):
    machine = results["machine"]
    names = list(machine["peers"])
    lines = ["# runimg beside other engines", "",
             f"Made on {machine['date']} on {machine['processor']}, {machine['cores']} cores, {machine['memory']}, "
             f"{machine['system']}, Linux {machine['kernel']}, {machine['disk']}, cgroups {machine['cgroups']}. "
             "Medians and quartiles of whole commands, from call to end, each engine in turn in each round. What an "
             "engine does behind a command that has ended is not in its number; it is waited for before the next.", "",
             "| | " + " | ".join(f"{name} {machine['peers'][name]['version']}".strip() for name in names) + " |",
             "|---|" + "---:|" * len(names)]
    for row in results["rows"]:
        cells = [cell(row["results"][name], row["unit"]) for name in names]
        lines.append(f"| {row['title']}, {row['unit']} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *notes(results), ""])


def notes(results):
    machine = results["machine"]
    for name, peer in machine["peers"].items():
        if peer["note"]:
            yield f"- {name}: {peer['note']}."
    for name, reason in machine["absent"].items():
        yield f"- {name} is not here: {reason}."
    for name, daemons in machine["daemons"].items():
        if daemons:
            sizes = ", ".join(f"{daemon} {kib / 1024:.0f} MiB" for daemon, kib in daemons.items())
            yield f"- {name}: on top of each container's monitor come {sizes}, with no container."
    for row in results["rows"]:
        if row["note"]:
            yield f"- {row['title']}: {row['note']}."
    said = set()
    for row in results["rows"]:
        for name, result in row["results"].items():
            if result.get("absent") and (row["case"], name) not in said:
                said.add((row["case"], name))
                yield f"- {row['title']} fails with {name}: {result['absent']}."
    yield f"- {machine['overhead'] * 1000:.2f} ms of all these times is what to start a program of no work takes."


def write(results, directory):
    with open(f"{directory}/results.json", "w") as file:
        json.dump(results, file, indent=1)
    with open(f"{directory}/results.md", "w") as file:
        file.write(markdown(results))
