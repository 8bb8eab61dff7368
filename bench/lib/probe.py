"""One plain HTTP request, to see that a server answers as it should before anything is measured."""
import http.client

from lib.processes import Failed


def request(port, method, path, body=None, headers=None, seconds=10):
    """(status, headers, body); raises OSError or HTTPException when there is no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def answers(port, method, path, body=None, headers=None):
    """True once there is a 2xx; for waiting."""
    try:
        return 200 <= request(port, method, path, body, headers, seconds=2)[0] < 300
    except (OSError, http.client.HTTPException):
        return False


def expect(port, method, path, body=None, headers=None, answer=None):
    """The body of a 2xx answer; with `answer`, exactly those bytes."""
    status, _, got = request(port, method, path, body, headers)
    if not 200 <= status < 300:
        raise Failed(f"{method} {path} answered {status}: {got[:300]!r}")
    if answer is not None and got != answer:
        raise Failed(f"{method} {path} answered {got[:300]!r} instead of {answer!r}")
    return got
