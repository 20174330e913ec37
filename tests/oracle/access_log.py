"""The access logs of both proxies: the same format, and the same line for the same request."""

import re
import time

# Of the request, of the answer, of endpoints. Which case it was comes first.
FIELDS = ("http_x_case", "request", "status", "request_method", "request_uri", "args", "query_string", "is_args", "arg_a",
          "host", "http_host", "server_protocol", "scheme", "https", "http_user_agent", "http_referer", "http_accept_encoding",
          "http_no_such_field", "cookie_a", "cookie_no_such_cookie", "content_type", "content_length", "remote_addr",
          "proxy_add_x_forwarded_for", "ssl_server_name", "sent_http_location", "sent_http_content_type",
          "sent_http_no_such_field", "upstream_http_x_made", "upstream_status")
FORMAT = "|".join(f"${name}" for name in FIELDS)
NGINX = f"log_format oracle '{FORMAT}'; access_log nginx-access.log oracle;"
OPTIONS = {"log-format-upstream": FORMAT, "enable-access-log-for-default-backend": "true"}


def _lines(file):
    """By case; of a case with several requests the first."""
    lines = {}
    for line in file.read_text(errors="replace").splitlines():
        values = line.split("|")
        lines.setdefault(values[0], dict(zip(FIELDS, values)))
    return lines


def _alike(field, got, wanted):
    if got == wanted:
        return True
    if field == "sent_http_content_type":  # NGINX does not see the one of add_header
        return wanted == "-"
    if field == "content_length":  # NGINX has counted a body in chunks when it has received it in full
        return got == "-"
    if field == "upstream_status":  # before an error page NGINX has " : "
        return got == wanted.replace(" : ", ", ")
    return False


def compare(ours, theirs, cases):
    """`cases`: names by identity, of those that both answered alike. What is not as it should be, a line each."""
    wrong = []
    logs = [(side, side.stage.folder / name) for side, name in ((ours, "access.log"), (theirs, "nginx-access.log"))]
    deadline = time.monotonic() + 10
    for side, file in logs:
        while missing := {f"{side.mark}-{identity}" for identity in cases} - _lines(file).keys():
            if time.monotonic() > deadline:
                return [f"{cases[m.split('-', 1)[1]]}: no line in {file.name}" for m in sorted(missing)]
            time.sleep(0.05)
    mine, other = (_lines(file) for _, file in logs)
    for identity, name in cases.items():
        one, two = mine[f"{ours.mark}-{identity}"], other[f"{theirs.mark}-{identity}"]
        for field in FIELDS[1:]:
            got, wanted = (re.sub(rf"\b{side.mark}-{identity}\b", "<case>", side.plain(line.get(field, "")))
                           for side, line in ((ours, one), (theirs, two)))
            if not _alike(field, got, wanted):
                wrong.append(f"{name}: ${field} of the log: NGINX has {wanted!r}, got {got!r}")
    return wrong
