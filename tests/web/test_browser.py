"""Swagger UI and the dashboard in a real browser. Pictures: see the fixture `screenshots`."""
import pytest

from support.client import Client


@pytest.mark.parametrize("scenario, pictures", [
    ("swagger_ui.mjs", ["swagger-ui", "swagger-ui-put", "swagger-ui-get"]),
    ("dashboard.mjs", [f"dashboard-{scheme}{kind}" for scheme in ("light", "dark") for kind in ("", "-small", "-unreachable")]
     + ["dashboard-cluster"]),
])
def test_page(server, run_node, screenshots, scenario, pictures):
    if scenario == "swagger_ui.mjs":
        skip_without_swagger_ui(server)
    host, port = server.address
    code, printed = run_node(scenario, f"http://{host}:{port}", screenshots)
    assert code == 0, printed
    for name in pictures:
        assert (screenshots / f"{name}.png").stat().st_size > 1000, name


def test_the_watching_page_of_the_examples(start_server, run_node, screenshots):
    server = start_server()
    host, port = server.address
    code, printed = run_node("watch_page.mjs", f"http://{host}:{port}", screenshots)
    assert code == 0, printed


def skip_without_swagger_ui(server):
    client = Client(server.address)
    try:
        page = client.request("GET", "/swagger-ui/index.html")
    finally:
        client.close()
    if b"ARMAZEM_SWAGGER_UI=OFF" in page.body:
        pytest.skip("the server was built with -DARMAZEM_SWAGGER_UI=OFF")


def test_figures_of_the_dashboard(run_node):
    """What the dashboard computes from /metrics, without a browser."""
    code, printed = run_node("metrics_test.mjs")
    assert code == 0, printed
