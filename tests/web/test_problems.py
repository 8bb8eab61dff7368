"""docs/problems.md, openapi.json, the examples in it and the server's own table tell the same story. Needs no server."""
import re

import pytest

from description import PROBLEM_PREFIX, Description
from support.server import ROOT

SERVER_TABLE = ROOT / "src" / "http" / "problem.cc"
PAGE = ROOT / "docs" / "problems.md"
BASE_MEMBERS = {"type", "title", "status", "detail", "retryable", "request_id"}


def rows(heading):
    """The cells of the table under a heading, without its two head lines."""
    section = PAGE.read_text("utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines[2:]]


def coded(cell):
    return re.findall(r"`([^`]+)`", cell)


@pytest.fixture(scope="module")
def description():
    return Description.of_source()


@pytest.fixture(scope="module")
def page():
    """slug → (status, retryable, further members)"""
    table = {}
    for slug, status, retryable, more, when, action in rows("All of them"):
        assert retryable in ("yes", "no") and when and action, slug
        name, = coded(slug)
        assert name not in table, f"{name} stands twice"
        table[name] = (int(status), retryable == "yes", set(coded(more)))
    return table


@pytest.fixture(scope="module")
def places():
    """request → its own problems, besides those of any request"""
    return {(coded(request) or [request])[0]: set(coded(problems)) for request, problems in rows("Where they occur")}


def every_operation(description):
    return [*description.operations(), description.any_path()]


def test_same_problems(description, page):
    enum = description.document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    assert sorted(kind.removeprefix(PROBLEM_PREFIX) for kind in enum) == sorted(page)


def test_same_as_the_table_of_the_server(page):
    rows_of_server = re.findall(r'\{"([a-z-]+)", ([0-9]{3}), "[^"]+", (true|false)\}', SERVER_TABLE.read_text("utf-8"))
    assert {slug: (int(status), retryable == "true") for slug, status, retryable in rows_of_server} == \
        {slug: row[:2] for slug, row in page.items()}


def test_same_statuses(description, page):
    documented = set().union(*(description.problems(operation) for operation in every_operation(description)))
    assert documented == {(status, slug) for slug, (status, _, _) in page.items()}


def test_same_members(description, page):
    schema = description.document["components"]["schemas"]["Problem"]
    assert set(schema["required"]) == BASE_MEMBERS
    assert set(schema["properties"]) - BASE_MEMBERS == set().union(*(more for _, _, more in page.values()))


def test_same_places(description, page, places):
    for operation in description.operations():
        if operation.method == "HEAD":
            continue
        found = {slug for _, slug in description.problems(operation)}
        assert found == places["any request"] | places.get(str(operation), set()), str(operation)


def test_problems_of_no_operation(description, places):
    found = {slug for _, slug in description.problems(description.any_path())}
    assert found == places["any other path"] | places["any other method"]


def test_no_place_is_invented(description, places):
    known = {str(operation) for operation in description.operations()}
    assert set(places) - known == {"any request", "any other path", "any other method"}


def test_examples_of_problems(description, page):
    """Every problem has one ordinary example, named by its slug, and it says what the page says."""
    seen = set()
    for operation in every_operation(description):
        for status, response in description.responses(operation).items():
            media = response.get("content", {}).get("application/problem+json", {})
            for name, example in media.get("examples", {}).items():
                value = description.follow(example)["value"]
                want_status, retryable, more = page[name]
                assert value["type"] == PROBLEM_PREFIX + name
                assert (value["status"], value["retryable"]) == (want_status, retryable) and status == want_status, name
                assert set(value) == BASE_MEMBERS | more, name
                seen.add(name)
    assert seen == set(page)


def test_retryable_of_executable_examples(description, page):
    for operation in every_operation(description):
        for example in operation.body["x-armazem-examples"]:
            body = example["response"].get("body")
            if example["response"]["status"] >= 400 and isinstance(body, dict):
                slug = body["type"].removeprefix(PROBLEM_PREFIX)
                assert (body["status"], body["retryable"]) == page[slug][:2], f"{operation} {example['name']}"


def test_every_503_says_when_to_retry(description):
    for operation in description.operations():
        response = description.responses(operation)[503]
        assert "Retry-After" in response["headers"], str(operation)
