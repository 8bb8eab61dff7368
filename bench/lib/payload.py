"""The bytes that every contestant stores and answers."""
import base64
import random
import string

VALUE_BYTES = 100
# Letters and digits without a pattern: no JSON escape changes their length, no compression makes them vanish.
VALUE = "".join(random.Random(7).choices(string.ascii_letters + string.digits, k=VALUE_BYTES))
VALUE_BASE64 = base64.b64encode(VALUE.encode()).decode()
# Armazém's answer to GET of that value, which NGINX serves too: byte for byte.
GET_ANSWER = f'{{"value":"{VALUE}"}}\n'
GET_CONTENT_TYPE = "application/json"
