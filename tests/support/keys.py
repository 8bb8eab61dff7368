"""Keys that break servers, and how a key is written in a path."""
import unicodedata
from urllib.parse import quote, unquote

KEY_BYTES_MAX = 1024

# Every one of them is an ordinary key: decoded once, compared byte for byte, no word reserved.
AWKWARD_KEYS = {
    "slash": "/",
    "two-slashes": "//",
    "inner-two-slashes": "a//b",
    "leading-slash": "/a",
    "trailing-slash": "a/",
    "path-like": "users/42/name",
    "encoded-slash-text": "%2F",
    "encoded-slash-text-lower": "%2f",
    "double-encoded-text": "%252F",
    "dot": ".",
    "dot-dot": "..",
    "dot-segment": "a/./b",
    "parent": "../x",
    "parent-in-the-middle": "a/../b",
    "climbing": "../../../../etc/passwd",
    "blank": " ",
    "inner-blanks": "key with blanks",
    "leading-blank": " key with leading blank",
    "trailing-blank": "key with trailing ",
    "tab": "a\tb",
    "line-feed": "a\nb",
    "carriage-return": "a\rb",
    "header-injection": "a\r\nX-Evil: 1\r\n\r\n",
    "control-characters": "\x01\x1f\x7f",
    "plus": "a+b",
    "only-plus": "+",
    "question-mark": "a?b",
    "only-question-mark": "?",
    "query-like": "a?raw=true",
    "number-sign": "a#b",
    "ampersand": "a&b=c",
    "percent": "%",
    "percent-at-the-end": "100%",
    "percent-non-hex": "%zz",
    "double-quote": 'a"b',
    "single-quote": "a'b",
    "backslash": "a\\b",
    "braces": "{key}",
    "brackets": "[a]<b>|^`",
    "semicolon": "a;b=c",
    "colon-at": "http://user:pass@host/path",
    "tilde-underscore": "~_-",
    "underscore": "_",
    "star": "*",
    "emoji": "🏬",
    "emoji-family": "👩‍👩‍👧‍👦",
    "portuguese": "armazém/ação",
    "nfc": unicodedata.normalize("NFC", "é"),
    "nfd": unicodedata.normalize("NFD", "é"),
    "right-to-left": "مخزن",
    "byte-order-mark": "\ufeffkey",
    "no-break-blank": "a\u00a0b",
    "non-character": "\uffff",
    "last-code-point": "\U0010ffff",
    "one-byte": "k",
    "longest-ascii": "a" * KEY_BYTES_MAX,
    "longest-emoji": "🏬" * (KEY_BYTES_MAX // 4),
    "longest-slashes": "/" * KEY_BYTES_MAX,
    "word-health": "health",
    "word-live": "health/live",
    "word-metrics": "metrics",
    "word-openapi": "openapi.json",
    "word-store": "store",
    "word-operations": "operations",
    "word-swagger": "swagger-ui/index.html",
    "word-null": "null",
    "number-like": "0",
}


def climbs(path):
    """Whether a path leads above the root when `..` means the folder before: NGINX answers such ones itself (400)."""
    depth = 0
    for segment in unquote(path).split("/")[1:]:
        depth += -1 if segment == ".." else 0 if segment in ("", ".") else 1
        if depth < 0:
            return True
    return False


def path_of(key):
    """The path of a key (text or bytes), with everything encoded but the unreserved characters and '/'."""
    data = key.encode("utf-8") if isinstance(key, str) else key
    return "/store/" + quote(data, safe="/")


def path_fully_encoded(key):
    """The longest legal spelling: each byte as %XX. Decodes to the same key."""
    return "/store/" + "".join(f"%{byte:02X}" for byte in key.encode("utf-8"))
