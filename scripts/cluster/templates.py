"""Fills the templates of deploy/: plain @NAME@ placeholders, so that any way of starting can use the same files."""
import re

from cluster.settings import ROOT, write_private

PLACEHOLDER = re.compile(r"@([A-Z][A-Z0-9_]*)@")


def fill(text, values, source="template"):
    """A placeholder without a value and a value without a placeholder are both mistakes of ours: they are raised."""
    wanted = set(PLACEHOLDER.findall(text))
    given = set(values)
    if wanted != given:
        raise KeyError(f"{source}: no value for {sorted(wanted - given)}, no use for {sorted(given - wanted)}")
    return PLACEHOLDER.sub(lambda match: str(values[match[1]]), text)


def text(template, **values):
    """deploy/TEMPLATE, filled."""
    return fill((ROOT / "deploy" / template).read_text(), values, template)


def render(template, target, **values):
    """deploy/TEMPLATE to target, mode 0600: most of them hold a password or a hash of one."""
    write_private(target, text(template, **values))
