"""Redirects: permanent, temporal, to HTTPS, to and from www."""

from table import Case, Group, Ingress, Path, at, to


def returns(code, url):
    return at("/", f"return {code} {url};")


def https(host, annotations=None, *cases, **more):
    return Group(host, annotations or {}, tls=True, cases=cases, **more)


TARGET = "https://elsewhere.test/a?b=c"
CODES = [(code, code if 300 <= code <= 308 else 301) for code in (300, 301, 302, 303, 307, 308, 299, 309, 404)]
TEMPORAL = [(code, code if 300 <= code <= 307 else 302) for code in (300, 301, 302, 303, 307, 308, 200)]
GROUPS = [
    Group("permanent", {"permanent-redirect": TARGET}, nginx=returns(301, TARGET),
          cases=[
              Case("the root", expect={"status": 301, "location": TARGET, "title": "301 Moved Permanently"}),
              Case("the path is not appended", "GET /x/y?z=1"),
              Case("POST", "POST /", body=b"x"),
              Case("HEAD", "HEAD /"),
              Case("over TLS", tls=True),
          ]),
    Group("permanent-relative", {"permanent-redirect": "/there"}, nginx=returns(301, "/there"),
          cases=[Case("is made absolute", expect={"location": "http://permanent-relative.test/there"}),
                 Case("over TLS", tls=True, expect={"location": "https://permanent-relative.test/there",
                                                    "strict-transport-security": "max-age=31536000; includeSubDomains"})]),
    Group("temporal", {"temporal-redirect": TARGET, "permanent-redirect": "https://never.test"},
          nginx=returns(302, TARGET),
          cases=[Case("wins over permanent", expect={"status": 302, "location": TARGET}),
                 Case("any path", "GET /q?r")]),
    Group("temporal-bad", {"temporal-redirect": "ftp://x.test"},
          cases=[Case("another scheme refuses the Ingress", expect={"status": 404})]),
    *[Group(f"permanent-code-{asked}", {"permanent-redirect": TARGET, "permanent-redirect-code": str(asked)},
            nginx=returns(given, TARGET) if given not in (300,) else None,
            cases=[Case("the code", expect={"status": given, "location": TARGET})]) for asked, given in CODES],
    *[Group(f"temporal-code-{asked}", {"temporal-redirect": TARGET, "temporal-redirect-code": str(asked)},
            nginx=returns(given, TARGET) if given not in (300,) else None,
            cases=[Case("the code", expect={"status": given, "location": TARGET})]) for asked, given in TEMPORAL],
    https("tls", None,
          Case("plain HTTP goes to HTTPS", "GET /x", expect={"status": 308, "location": "https://tls.test/x",
                                                             "title": "308 Permanent Redirect"}),
          Case("the root loses its slash", "GET /", expect={"location": "https://tls.test"}),
          Case("a final slash goes", "GET /x/", expect={"location": "https://tls.test/x"}),
          Case("one only", "GET /x//", expect={"location": "https://tls.test/x/"}),
          Case("of the query too", "GET /?x=/", expect={"location": "https://tls.test/?x="}),
          Case("with a query", "GET /x?a=b", expect={"location": "https://tls.test/x?a=b"}),
          Case("the raw path", "GET /a%2Fb//c", expect={"location": "https://tls.test/a%2Fb//c"}),
          Case("the port goes", "GET /x", host="tls.test:8080", expect={"location": "https://tls.test/x"}),
          Case("POST too", "POST /x", body=b"abc", expect={"status": 308}),
          Case("X-Forwarded-Proto is not believed", "GET /x", {"X-Forwarded-Proto": "https"}, expect={"status": 308}),
          # ingress-nginx asks for a path of an Ingress below the exempt one.
          Case("ACME challenges stay on HTTP", "GET /.well-known/acme-challenge/t", expect={"status": 200}),
          Case("over TLS it is served", "GET /x", tls=True,
               expect={"status": 200, "echo x-forwarded-proto": "https", "echo x-forwarded-port": "443",
                       "echo x-scheme": "https",
                       "strict-transport-security": "max-age=31536000; includeSubDomains"})),
    https("tls-acme", None,
          Case("a path of its own below the exempt one", "GET /.well-known/acme-challenge/t",
               expect={"status": 200, "saw": "other"}),
          Case("the rest goes to HTTPS", "GET /x", expect={"status": 308}),
          paths=[Path("/.well-known/acme-challenge/", "other"), Path("/")]),
    https("tls-off", {"ssl-redirect": "false"}, Case("stays on HTTP", expect={"status": 200,
          "echo x-forwarded-proto": "http",
                                                                              "strict-transport-security": None})),
    https("tls-bad", {"ssl-redirect": "yes"}, Case("a bad value is the default", expect={"status": 308})),
    https("tls-keep", {"preserve-trailing-slash": "true"},
          Case("the slash stays", "GET /x/", expect={"location": "https://tls-keep.test/x/"}),
          Case("of the root as well", "GET /", expect={"location": "https://tls-keep.test/"}),
          Case("of the query as well", "GET /?x=/", expect={"location": "https://tls-keep.test/?x=/"})),
    https("tls-more-hosts", None,
          Case("a TLS section turns it on for all hosts of the Ingress", host="tls-second.test",
               expect={"status": 308}),
          more=[Ingress("tls-two", hosts=["tls-second.test"], tls=["somebody.test"])]),
    Group("no-tls", cases=[Case("without TLS: no redirect", expect={"status": 200}),
                           Case("served over TLS all the same", tls=True, expect={"status": 200})]),
    Group("force", {"force-ssl-redirect": "true"},
          nginx=at("/", "if ($scheme = http) { return 308 https://$host$request_uri; } " + to()),
          cases=[Case("without TLS too", "GET /x", expect={"status": 308, "location": "https://force.test/x"}),
                 Case("with a query", "GET /x?y=z")]),
    Group("force-and-redirect", {"force-ssl-redirect": "true", "permanent-redirect": TARGET},
          cases=[Case("the redirect comes before that to HTTPS", expect={"status": 301, "location": TARGET})]),
    Group("bare", {"from-to-www-redirect": "true"},
          cases=[
              Case("the host itself", expect={"status": 200}),
              Case("the other name", "GET /x", host="www.bare.test", expect={"status": 308,
                    "location": "http://bare.test:<http>/x"}),
              Case("the final slash goes", "GET /x/?y", host="www.bare.test",
                   expect={"location": "http://bare.test:<http>/x/?y"}),
              Case("the root", "GET /", host="www.bare.test", expect={"location": "http://bare.test:<http>"}),
              Case("over TLS", "GET /x", host="www.bare.test", tls=True,
                   expect={"location": "https://bare.test:443/x"}),
          ]),
    Group("www-back", more=[Ingress("www-of", {"from-to-www-redirect": "true"}, hosts=["www.back.test"])],
          cases=[Case("the bare name goes to www", "GET /x", host="back.test",
                      expect={"status": 308, "location": "http://www.back.test:<http>/x"}),
                 Case("www itself", host="www.back.test", expect={"status": 200})]),
    Group("www-taken", {"from-to-www-redirect": "true"}, more=[Ingress("www-own", hosts=["www.www-taken.test"],
          paths=[Path("/", "other")])],
          cases=[Case("a name that is a host itself is served", host="www.www-taken.test",
                      expect={"status": 200, "saw": "other"})]),
]
