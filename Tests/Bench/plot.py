"""The results as an SVG: a block of bars for each row, to its own scale, legible on light and dark pages."""
from html import escape

from report import shown

COLUMN, GAP, LABEL, VALUE = 440, 40, 62, 78
BAR, HEAD, AFTER = 16, 22, 16
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.value { fill: #57606a }
rect { fill: #8c959f }
rect.floor { fill: #d0d7de }
rect.runimg { fill: #1a7f37 }
line { stroke: #24292f; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.value { fill: #9198a1 }
rect { fill: #6e7681 }
rect.floor { fill: #3d444d }
rect.runimg { fill: #3fb950 }
line { stroke: #e6edf3 }
}
"""


def measured(row):
    return {name: result for name, result in row["results"].items() if "absent" not in result}


def height(row):
    return HEAD + BAR * len(measured(row)) + AFTER


def block(row, left, top):
    results = measured(row)
    scale = (COLUMN - LABEL - VALUE) / max(result["high"] for result in results.values())
    title = escape(f"{row['title'].replace('`', '')}, {row['unit']}")
    yield f'<text class="title" x="{left}" y="{top + 13}">{title}</text>'
    for index, (name, result) in enumerate(results.items()):
        y = top + HEAD + BAR * index
        start = left + LABEL
        width, low, high = (result[key] * scale for key in ("median", "low", "high"))
        middle = y + (BAR - 4) / 2
        yield f'<text x="{start - 6}" y="{y + 10}" text-anchor="end">{name}</text>'
        yield f'<rect class="{name}" x="{start}" y="{y}" width="{max(width, 1):.1f}" height="{BAR - 4}"/>'
        yield f'<line x1="{start + low:.1f}" x2="{start + high:.1f}" y1="{middle}" y2="{middle}"/>'
        yield (f'<text class="value" x="{start + max(width, high) + 6:.1f}" y="{y + 10}">'
               f'{shown(result["median"], row["unit"])}</text>')


def svg(results):
    rows = [row for row in results["rows"] if measured(row)]
    half = sum(map(height, rows)) / 2
    body, left, top, bottom = [], 0, 0, 0
    for row in rows:
        if left == 0 and top >= half:
            left, top = COLUMN + GAP, 0
        body += block(row, left, top)
        top += height(row)
        bottom = max(bottom, top)
    machine = results["machine"]
    foot = escape(f"Medians, quartiles as lines. {machine['date']}, {machine['processor']}, {machine['cores']} cores, "
                  f"Linux {machine['kernel']}")
    body.append(f'<text class="value" x="0" y="{bottom + 12}">{foot}</text>')
    size = (2 * COLUMN + GAP, bottom + 20)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" width="{size[0]}" '
            f'height="{size[1]}" role="img" aria-label="runimg beside other engines">\n<style>{STYLE}</style>\n'
            + "\n".join(body) + "\n</svg>\n")


def write(results, path):
    with open(path, "w") as file:
        file.write(svg(results))
