"""Horizontal bars as plain SVG. It brings its own background, so it can be read on a light and on a dark page."""
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 760, 230, 175
BAR, GAP, HEADING, MARGIN = 20, 10, 34, 18
STYLE = """
  .page { fill: #ffffff; stroke: #d0d7de } .text { fill: #1f2328 } .faint { fill: #59636e }
  .ours { fill: #0969da } .theirs { fill: #8c959f } .range { stroke: #1f2328; stroke-width: 1.5 }
  text { font: 13px system-ui, sans-serif } .heading { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d } .text { fill: #f0f6fc } .faint { fill: #9198a1 }
    .ours { fill: #4493f8 } .theirs { fill: #656c76 } .range { stroke: #f0f6fc }
  }
"""


def draw(groups):
    """groups: [(heading, [(label, {median, min, max}, p99_us, ours?)])]; each group has its own scale, from zero."""
    parts, y = [], MARGIN
    for heading, bars in groups:
        y += HEADING
        parts.append(f'<text class="text heading" x="{MARGIN}" y="{y - 12}">{escape(heading)}</text>')
        top = max(rate["max"] for _, rate, _, _ in bars)
        for bar in bars:
            parts += _bar(bar, y, (WIDTH - LEFT - RIGHT) / top)
            y += BAR + GAP
    y += MARGIN
    parts.append(f'<text class="faint" x="{MARGIN}" y="{y - 2}">Requests per second: the bar is the median of the rounds, '
                 'the line their range. Longer is better.</text>')
    y += MARGIN - 4
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">\n'
            f'<title>Requests per second, {escape("; ".join(heading for heading, _ in groups))}</title>\n'
            f'<style>{STYLE}</style>\n<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{y - 1}" rx="6"/>\n'
            + "\n".join(parts) + "\n</svg>\n")


def _bar(bar, y, scale):
    label, rate, p99_us, ours = bar
    middle, end = y + BAR / 2, LEFT + max(rate["median"], rate["max"]) * scale
    return [
        f'<text class="text" x="{LEFT - 10}" y="{y + 15}" text-anchor="end">{escape(label)}</text>',
        f'<rect class="{"ours" if ours else "theirs"}" x="{LEFT}" y="{y}" width="{rate["median"] * scale:.1f}" '
        f'height="{BAR}" rx="2"/>',
        f'<path class="range" d="M{LEFT + rate["min"] * scale:.1f} {middle}H{LEFT + rate["max"] * scale:.1f}"/>',
        f'<text class="text" x="{end + 8:.1f}" y="{y + 15}">{rate["median"]:,.0f}'
        f'<tspan class="faint"> p99 {p99_us / 1000:.2f} ms</tspan></text>',
    ]
