"""enable-cors and cors-*."""

from table import Case, Group, Path, at, said, to

METHODS = "GET, PUT, POST, DELETE, PATCH, OPTIONS"
HEADERS = ("DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization")


def cors(origin="*", credentials="true", methods=METHODS, headers=HEADERS, age="1728000", expose=None, allowed=None):
    """As ingress-nginx writes it: `allowed` is a regular expression for $http_origin."""
    values = [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", credentials),
              ("Access-Control-Allow-Methods", methods), ("Access-Control-Allow-Headers", headers),
              ("Access-Control-Expose-Headers", expose), ("Access-Control-Max-Age", age)]
    if allowed:
        values.append(("Vary", "Origin"))
    add = "".join(f"add_header {name} '{value}' always; " for name, value in values if value)
    hide = "".join(f"proxy_hide_header {name}; " for name, value in values if value and name != "Vary")
    answer = f"{add} add_header Content-Type 'text/plain charset=UTF-8'; add_header Content-Length 0; return 204;"
    if not allowed:
        return at("/", f"{add} {hide} if ($request_method = OPTIONS) {{ {answer} }} " + to())
    return at("/", f"set $cors ''; if ($http_origin ~* '{allowed}') {{ set $cors 1; }} "
                   f"if ($request_method = OPTIONS) {{ set $cors \"${{cors}}o\"; }} "
                   f"if ($cors = 1o) {{ {answer} }} if ($cors = 1) {{ {add} }} " + to())


def origin(value):
    return {"Origin": value}


NONE = {"access-control-allow-origin": None, "access-control-allow-methods": None}
TYPE = {"content-type": "text/plain charset=UTF-8"}
LIST = "https://a.test, http://b.test:8080, https://*.c.test, foo://d.test, null"
GROUPS = [
    Group("cors", {"enable-cors": "true"}, nginx=cors(),
          cases=[
              Case("with an origin", headers=origin("http://o.test"),
                   expect={"access-control-allow-origin": "*", "access-control-allow-credentials": "true",
                           "access-control-allow-methods": METHODS, "access-control-allow-headers": HEADERS,
                           "access-control-max-age": "1728000"}),
              Case("without an origin"),
              Case("a preflight", "OPTIONS /", {"Origin": "http://o.test", "Access-Control-Request-Method": "PUT"},
                   expect={"status": 204, "saw": "", **TYPE}),
              Case("any OPTIONS", "OPTIONS /x?y", expect={"status": 204, "saw": ""}),
              Case("on an upstream's failure", headers=origin("http://o.test"), reply=said(500)),
              Case("on an upstream's 404", headers=origin("http://o.test"), reply=said(404)),
              Case("the upstream's own fields are replaced", headers=origin("http://o.test"),
                   reply=said(200, ("Access-Control-Allow-Origin", "http://x.test"),
                              ("Access-Control-Allow-Methods", "GET"))),
              Case("POST", "POST /", origin("http://o.test"), body=b"x"),
          ]),
    Group("cors-options", {"enable-cors": "true", "cors-allow-methods": "GET, PUT",
                           "cors-allow-headers": "X-One, X-Two",
                           "cors-allow-credentials": "false", "cors-max-age": "600", "cors-expose-headers": "X-A, X-B"},
          nginx=cors(credentials=None, methods="GET, PUT", headers="X-One, X-Two", age="600", expose="X-A, X-B"),
          cases=[Case("a request", headers=origin("http://o.test"),
                      expect={"access-control-allow-credentials": None, "access-control-expose-headers": "X-A, X-B"}),
                 Case("a preflight", "OPTIONS /", origin("http://o.test"))]),
    Group("cors-expose-all", {"enable-cors": "true", "cors-expose-headers": "*"}, nginx=cors(expose="*"),
          cases=[Case("all of them", headers=origin("http://o.test"), expect={"access-control-expose-headers": "*"})]),
    Group("cors-list", {"enable-cors": "true", "cors-allow-origin": LIST},
          nginx=cors("$http_origin",
                     allowed=r"^(https://a\.test|http://b\.test:8080|https://[A-Za-z0-9-]+\.c\.test|foo://d\.test|null)$"),
          cases=[
              Case("the first", headers=origin("https://a.test"),
                   expect={"access-control-allow-origin": "https://a.test", "vary": "Origin"}),
              Case("in any case", headers=origin("HTTPS://A.test")),
              Case("with a port", headers=origin("http://b.test:8080")),
              Case("with another port", headers=origin("http://b.test:8081"), expect=NONE),
              Case("without the port", headers=origin("http://b.test"), expect=NONE),
              Case("with a port that the item has not", headers=origin("https://a.test:8443"), expect=NONE),
              Case("another scheme", headers=origin("http://a.test"), expect=NONE),
              Case("one label for the star", headers=origin("https://x.c.test")),
              Case("two labels for the star", headers=origin("https://x.y.c.test"), expect=NONE),
              Case("no label for the star", headers=origin("https://c.test"), expect=NONE),
              Case("another scheme altogether", headers=origin("foo://d.test")),
              Case("null", headers=origin("null")),
              Case("something before it", headers=origin("xhttps://a.test"), expect=NONE),
              Case("something behind it", headers=origin("https://a.test.evil.test"), expect=NONE),
              Case("a dot is a dot", headers=origin("https://axtest"), expect=NONE),
              Case("no origin", expect=NONE),
              Case("a preflight of one that is allowed", "OPTIONS /", origin("https://a.test"), expect={"status": 204}),
              Case("OPTIONS of another goes to the endpoint", "OPTIONS /", origin("https://z.test"),
                   expect={"status": 200, "saw": "echo", **NONE}),
              Case("on a failure", headers=origin("https://a.test"), reply=said(502)),
          ]),
    Group("cors-star-in-list", {"enable-cors": "true", "cors-allow-origin": "https://a.test, *"}, nginx=cors(),
          cases=[Case("a star is all", headers=origin("https://z.test"), expect={"access-control-allow-origin": "*"})]),
    Group("cors-trailing-comma", {"enable-cors": "true", "cors-allow-origin": " https://a.test , "},
          nginx=cors("$http_origin", allowed=r"^https://a\.test$"),
          cases=[Case("is tolerated", headers=origin("https://a.test")),
                 Case("and adds nothing", headers=origin("https://"))]),
    Group("cors-bad-origin", {"enable-cors": "true", "cors-allow-origin": "https://a.test;evil"},
          cases=[Case("closes the Ingress", headers=origin("https://a.test"), expect={"status": 503, **NONE})]),
    Group("cors-bad-methods", {"enable-cors": "true", "cors-allow-methods": "GET; PUT"}, nginx=cors(),
          cases=[Case("has the default", headers=origin("http://o.test"),
                      expect={"access-control-allow-methods": METHODS})]),
    Group("cors-off", {"enable-cors": "false", "cors-allow-origin": "*"}, nginx=at("/", to()),
          cases=[Case("no field", headers=origin("http://o.test")), Case("OPTIONS is forwarded", "OPTIONS /",
                origin("http://o.test"))]),
    Group("cors-redirect", {"enable-cors": "true", "permanent-redirect": "https://e.test/"},
          cases=[Case("a preflight comes before a redirect", "OPTIONS /", origin("http://o.test"),
                      expect={"status": 204}),
                 Case("a redirect has the fields", headers=origin("http://o.test"),
                      expect={"status": 301, "access-control-allow-origin": "*"})]),
    Group("cors-closed", {"enable-cors": "true", "allowlist-source-range": "10.0.0.0/8"},
          cases=[Case("a preflight comes before addresses", "OPTIONS /", origin("http://o.test"),
                      expect={"status": 204}),
                 Case("403 has the fields", headers=origin("http://o.test"),
                      expect={"status": 403, "access-control-allow-origin": "*"})]),
    Group("cors-empty", {"enable-cors": "true"}, [Path("/", "empty")],
          cases=[Case("503 has the fields", headers=origin("http://o.test"),
                      expect={"status": 503, "access-control-allow-origin": "*"})]),
    Group("cors-denied", {"enable-cors": "true", "denylist-source-range": "everybody"},
          cases=[Case("a closed Ingress has no fields", headers=origin("http://o.test"),
                      expect={"status": 503, **NONE}),
                 Case("and no preflight", "OPTIONS /", origin("http://o.test"), expect={"status": 503})]),
]
