"""openapi.json against the server that serves it: valid, complete, and every example in it happens as written."""
import json
import re
from collections import namedtuple
from urllib.parse import quote

import pytest

import examples
from description import METHODS, PROBLEM_TYPE, SOURCE, Description
from support.client import Client

SOURCE_DESCRIPTION = Description.of_source()
OPERATIONS = SOURCE_DESCRIPTION.operations()
EXAMPLES = [(operation, example) for operation in [*OPERATIONS, SOURCE_DESCRIPTION.any_path()]
            for example in operation.body["x-armazem-examples"]]
# What a single well-formed request cannot bring about: documented, shown by other suites.
NOT_EXECUTABLE = {
    "request-invalid", "tls-on-plain-port", "request-timeout", "http-version-unsupported", "internal", "data-damaged",
    "overloaded", "too-many-connections", "store-unavailable", "store-full", "shutting-down", "not-yet-visible",
    "outcome-unknown", "unauthenticated", "forbidden", "too-many-requests",
}
# What a proxy in front of the server answers itself, in its own words.
ANSWERED_BY_PROXIES = {"percent-encoding-invalid", "uri-too-long", "headers-too-large", "transfer-encoding-unsupported", "expectation-failed"}
# Of the bounds that hold for any request, one operation shows each.
SHOWN_ONCE = {"uri-too-long", "headers-too-large", "transfer-encoding-unsupported", "expectation-failed"}
Answer = namedtuple("Answer", "operation name response")


def name_of(pair):
    return f"{pair[0]}: {pair[1]['name']}"


@pytest.fixture(scope="module")
def served(server):
    client = Client(server.address)
    try:
        response = client.request("GET", "/openapi.json")
    finally:
        client.close()
    assert response.status == 200 and response.header("Content-Type") == "application/json"
    return Description(json.loads(response.body.decode("utf-8")))


@pytest.fixture
def served_file(served, tmp_path):
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(served.document, ensure_ascii=False), "utf-8")
    return file


@pytest.fixture(scope="module")
def answers():
    """Filled by test_example, judged by test_answers_fit_their_schemas."""
    return []


def test_served_is_the_source_with_the_version(served):
    version = served.document["info"]["version"]
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+.*", version), version
    assert served.document == json.loads(SOURCE.read_text("utf-8").replace("@ARMAZEM_VERSION@", version))


def test_fits_the_schema_of_openapi(run_node, served_file):
    code, printed = run_node("validate_description.mjs", served_file)
    assert code == 0, printed


def test_passes_the_linter(run_node, served_file):
    code, printed = run_node("node_modules/@redocly/cli/bin/cli.js", "lint", served_file,
                             "--config", "redocly.yaml", "--lint-config", "error", "--format", "stylish")
    assert code == 0, printed


@pytest.mark.parametrize("pair", [pytest.param(pair, marks=[pytest.mark.edge] if pair[1]["name"] in ANSWERED_BY_PROXIES else [])
                                  for pair in EXAMPLES], ids=[name_of(pair) for pair in EXAMPLES])
def test_example(server, answers, queue, pair):
    operation, example = pair
    here = "queue" if queue else "no queue"
    if example.get("needs", here) != here:
        pytest.skip(f"this answer needs: {example['needs']}; the server has: {here}")
    answers.append(Answer(operation, example["name"], examples.run(example, server.address)))


def test_answers_fit_their_schemas(answers, served, run_node):
    """The answers of test_example: status, media type and body are as documented, known headers have known forms."""
    checks = []
    for answer in answers:
        checks += schema_checks(served, answer)
    code, printed = run_node("validate_answers.mjs", stdin=json.dumps({"document": served.document, "answers": checks}))
    assert code == 0, printed


def schema_checks(served, answer):
    operation, name, response = answer
    where = f"{operation}: {name}"
    pointer, documented = locate(served, ["x-armazem-any-path"] if operation.method == "ANY" else
                                 ["paths", operation.path, operation.method.lower()], response.status, where)
    media = (response.header("Content-Type") or "").split(";")[0]
    if response.body and media in ("application/json", PROBLEM_TYPE) and not is_free(documented, media):
        assert media in documented["content"], f"{where}: {media} is not documented for {response.status}"
        yield {"name": where, "schema": f"{pointer}/content/{escaped(media)}/schema", "value": response.json()}
    for header in documented.get("headers", {}):
        value = response.header(header)
        schema = served.follow(documented["headers"][header])["schema"]
        if value is not None and "const" in schema:
            assert value == schema["const"], f"{where}: {header} is {value!r}"
        if value is not None and "enum" in schema:
            assert value in schema["enum"], f"{where}: {header} is {value!r}"


def is_free(documented, media):
    return media not in documented.get("content", {}) and "*/*" in documented.get("content", {})


def locate(served, steps, status, where):
    """(JSON pointer, object) of the documented response, its reference followed."""
    node = served.document
    for step in steps:
        node = node[step]
    assert str(status) in node["responses"], f"{where}: {status} is not documented"
    response = node["responses"][str(status)]
    if "$ref" in response:
        return response["$ref"].removeprefix("#"), served.follow(response)
    return "/" + "/".join(escaped(step) for step in [*steps, "responses", str(status)]), response


def escaped(step):
    """A step of a JSON pointer within a URI."""
    return quote(step.replace("~", "~0").replace("/", "~1"), safe="~")


@pytest.mark.parametrize("others", [[method.upper() for method in METHODS if method != "trace"],
                                    pytest.param(["TRACE"], marks=pytest.mark.edge)], ids=["but TRACE", "TRACE"])
@pytest.mark.parametrize("path", SOURCE_DESCRIPTION.document["paths"])
def test_methods(server, path, others):
    """OPTIONS names the documented methods; each other method is a 405 with the same Allow."""
    documented = {operation.method for operation in OPERATIONS if operation.path == path}
    target = (path.replace("{key}", "methods").replace("{file}", "dashboard.js" if path.startswith("/ui") else "index.html")
              .replace("{version}", "0193a1b2-c3d4-7001-8abc-0123456789ab"))
    client = Client(server.address)
    try:
        response = client.request("OPTIONS", target)
        allow = response.header("Allow")
        assert response.status == 204 and set(allow.split(", ")) == documented, repr(response)
        for method in set(others) - documented:
            refused = client.request(method, target, body=b"")
            assert (refused.status, refused.header("Allow")) == (405, allow), f"{method} {target}: {refused!r}"
    finally:
        client.close()


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_operation_is_documented_fully(operation):
    responses = SOURCE_DESCRIPTION.responses(operation)
    assert any(200 <= status < 300 or status == 308 for status in responses)
    assert operation.body["x-armazem-examples"], "no executable example"
    shown = {example["response"]["status"] for example in operation.body["x-armazem-examples"]}
    assert shown <= set(responses), "an example shows an undocumented status"
    assert {example.get("needs", "queue") for example in operation.body["x-armazem-examples"]} <= {"queue", "no queue"}
    if operation.method in ("HEAD", "OPTIONS"):
        return
    slugs = {example["response"]["body"]["type"].rsplit(":", 1)[1] for example in operation.body["x-armazem-examples"]
             if example["response"]["status"] >= 400}
    possible = {slug for _, slug in SOURCE_DESCRIPTION.problems(operation)}
    assert slugs >= possible - NOT_EXECUTABLE - SHOWN_ONCE


def test_bounds_of_any_request_are_shown():
    shown = {example["name"] for _, example in EXAMPLES}
    assert SHOWN_ONCE <= shown


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.method == "HEAD"], ids=str)
def test_head_is_get_without_a_body(operation):
    get = next(one for one in OPERATIONS if one.path == operation.path and one.method == "GET")
    mine, theirs = SOURCE_DESCRIPTION.responses(operation), SOURCE_DESCRIPTION.responses(get)
    assert set(mine) == set(theirs)
    assert not any("content" in response for response in mine.values())
    for status in (status for status in mine if status < 400):
        assert mine[status].get("headers") == theirs[status].get("headers")


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_ordinary_examples_are_executable_ones(operation):
    """What Swagger UI shows as an example is an executable example of the same name."""
    executable = {example["name"]: example for example in operation.body["x-armazem-examples"]}
    for name, value in ordinary(operation.body.get("requestBody", {})):
        assert as_json(executable[name]["request"]["body"]) == as_json(value), f"request {name}"
    for status, response in SOURCE_DESCRIPTION.responses(operation).items():
        for name, value in ordinary(response):
            if name in NOT_EXECUTABLE | SHOWN_ONCE or status == 503:
                continue
            expected = executable[name]["response"]
            assert expected["status"] == status, name
            # An expectation that names a saved value cannot be compared with a written example.
            if "${" not in json.dumps(expected.get("body", "")).replace("${any-", ""):
                assert examples.matches(value, fit_for(value, expected.get("body", value))), f"response {name}"


def ordinary(holder):
    for media in holder.get("content", {}).values():
        for name, example in media.get("examples", {}).items():
            yield name, SOURCE_DESCRIPTION.follow(example)["value"]


def as_json(value):
    """The text of a JSON body and the value it stands for are the same example."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def fit_for(value, expected):
    """A problem's ordinary example is shared by operations, so only what names the problem must agree."""
    if isinstance(value, dict) and "retryable" in value:
        return {name: expected[name] for name in ("type", "status", "retryable")}
    return expected
