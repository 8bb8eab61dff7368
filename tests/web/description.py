"""openapi.json as the tests see it: the source, its operations, its references followed."""
import json
from dataclasses import dataclass

from support.server import ROOT

SOURCE = ROOT / "web" / "openapi.json"
METHODS = ("get", "head", "put", "delete", "options", "post", "patch", "trace")
PROBLEM_TYPE = "application/problem+json"
PROBLEM_PREFIX = "urn:armazem:problem:"


@dataclass(frozen=True)
class Operation:
    method: str  # upper case
    path: str  # with {key} or {file} in it
    body: dict

    def __str__(self):
        return f"{self.method} {self.path}"


class Description:
    def __init__(self, document):
        self.document = document

    @classmethod
    def of_source(cls):
        return cls(json.loads(SOURCE.read_text("utf-8")))

    def follow(self, node):
        """The node itself, or what its $ref (within the document) points to."""
        while "$ref" in node:
            target = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def operations(self):
        return [Operation(method.upper(), path, item[method])
                for path, item in self.document["paths"].items() for method in METHODS if method in item]

    def any_path(self):
        """The answers that belong to no operation: an unknown path, a method that is not for the path."""
        return Operation("ANY", "any path", self.document["x-armazem-any-path"])

    def responses(self, operation):
        return {int(status): self.follow(response) for status, response in operation.body["responses"].items()}

    def problems(self, operation):
        """The (status, slug) pairs the operation can answer with. HEAD has none: its answers have no body."""
        return {(status, kind.removeprefix(PROBLEM_PREFIX))
                for status, response in self.responses(operation).items()
                for kind in _types(response.get("content", {}).get(PROBLEM_TYPE))}


def _types(media):
    if media is None:
        return []
    narrowed = media["schema"]["allOf"][1]["properties"]["type"]
    return narrowed.get("enum") or [narrowed["const"]]
