"""Fills the templates of deploy/: plain @NAME@ placeholders, so that any way of starting can use the same files."""
import re

from cluster.settings import ROOT, write_private

PLACEHOLDER = re.compile(r"@([A-Z][A-Z0-9_]*)@")


def fill(text, values, source="template"):
    """A placeholder without a value and a value without a placeholder are both mistakes of ours: they are raised."""
    wanted = set(PLACEHOLDER.findall(text))
    if wanted != set(values):
        raise KeyError(f"{source}: no value for {sorted(wanted - set(values))}, no use for {sorted(set(values) - wanted)}")
    return PLACEHOLDER.sub(lambda match: str(values[match[1]]), text)


def render(template, target, **values):
    """deploy/TEMPLATE to target, mode 0600: most of them hold a password or a hash of one."""
    write_private(target, fill((ROOT / "deploy" / template).read_text(), values, template))
