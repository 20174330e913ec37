"""Regular expressions as paths, rewrite-target, x-forwarded-prefix, app-root."""

from table import Case, Group, Ingress, Path, at, to


def rewritten(path, target, service="echo", *more):
    """A path of a host with regular expressions whose Ingress rewrites."""
    return at(f'~* "^{path}"', f'rewrite "(?i){path}" {target} break; ' + to(service, *more))


def regex(path, service="echo"):
    return at(f'~* "^{path}"', to(service))


DOTS = "a path with dot segments is forwarded in its normal form"
GROUPS = [
    Group("rewrite-log", {"use-regex": "true", "rewrite-target": "/v/$1", "enable-rewrite-log": "true"},
          [Path("/a/(.*)", type="ImplementationSpecific")],
          nginx=at('~* "^/a/(.*)"', 'rewrite_log on; rewrite "(?i)/a/(.*)" /v/$1 break; ' + to()) +
          at('~* "^/"', "return 404;"),
          cases=[Case("is rewritten as without it", "GET /a/x?y", expect={"echo target": "/v/x?y"})]),
    Group("rewrite-groups", {"use-regex": "true", "rewrite-target": "/$2", "x-forwarded-prefix": "/something"},
          [Path("/something(/|$)(.*)", type="ImplementationSpecific")],
          nginx=rewritten("/something(/|$)(.*)", "/$2", "echo", 'proxy_set_header X-Forwarded-Prefix "/something"') +
          at('~* "^/"', "return 404;"),
          cases=[
              Case("the path itself", "GET /something", expect={"echo target": "/"}),
              Case("with a slash", "GET /something/"),
              Case("below it", "GET /something/new", expect={"echo target": "/new",
                    "echo x-forwarded-prefix": "/something"}),
              Case("the query stays", "GET /something/new?a=b&c=%20d", expect={"echo target": "/new?a=b&c=%20d"}),
              Case("deep", "GET /something/a/b/c"),
              Case("in any case", "GET /SOMEthing/New"),
              Case("a longer name is not it", "GET /somethingelse"),
              Case("an escaped space", "GET /something/a%20b"),
              Case("an escaped question mark", "GET /something/a%3Fb"),
              Case("an escaped percent", "GET /something/a%25b"),
              Case("an escaped slash becomes one", "GET /something/a%2Fb"),
              Case("an escaped letter becomes one", "GET /something/%61"),
              Case("UTF-8", "GET /something/%C3%A9"),
              Case("slashes are merged", "GET /something//a"),
              Case("an empty query", "GET /something/a?", deviates={"echo target": "/a?"},
                   why="nothing is taken from the query"),
              Case("POST", "POST /something/a", body=b"abc"),
              Case("nothing else", "GET /other"),
              Case("a client's prefix is replaced", "GET /something/a", {"X-Forwarded-Prefix": "/evil"}),
          ]),
    Group("rewrite-climbs", {"rewrite-target": "/$1"}, [Path("/api(.*)", type="ImplementationSpecific")],
          nginx=rewritten("/api(.*)", "/$1"),
          cases=[
              Case("an ordinary path", "GET /apix"),
              Case("a double slash from a group", "GET /api/x"),
              Case("a group that climbs above the root", "GET /api../admin",
                   expect={"status": 400, "saw": ""}, apart="NGINX forwards /../admin"),
          ]),
    Group("rewrite-constant", {"rewrite-target": "/fixed"}, [Path("/a")],
          nginx=rewritten("/a", "/fixed"),
          cases=[
              Case("the path itself", "GET /a", expect={"echo target": "/fixed"}),
              Case("everything below", "GET /a/b/c", expect={"echo target": "/fixed"}),
              Case("what only begins so", "GET /abc", expect={"echo target": "/fixed"}),
              Case("with a query", "GET /a?x=1", expect={"echo target": "/fixed?x=1"}),
          ]),
    Group("rewrite-many-groups", {"rewrite-target": "/$3/$2/$1/$4"}, [Path("/([a-z]+)/([a-z]+)/([a-z]+)",
          type="ImplementationSpecific")],
          nginx=at('~* "^/([a-z]+)/([a-z]+)/([a-z]+)"',
                   'rewrite "(?i)/([a-z]+)/([a-z]+)/([a-z]+)" /$3/$2/$1/ break; ' + to()),
          cases=[
              Case("swapped, a group too many is empty", "GET /a/b/c", expect={"echo target": "/c/b/a/"}),
              Case("groups end where they end", "GET /a/b/c1", expect={"echo target": "/c/b/a/"}),
          ]),
    Group("rewrite-redirects", {"rewrite-target": "https://elsewhere.test/$1"},
          [Path("/go/(.*)", type="ImplementationSpecific")],
          nginx=at('~* "^/go/(.*)"', 'rewrite "(?i)/go/(.*)" https://elsewhere.test/$1 break; ' + to()),
          cases=[
              Case("to another scheme and host", "GET /go/x", expect={"status": 302,
                    "location": "https://elsewhere.test/x"}),
              Case("with the query", "GET /go/x?a=b", expect={"location": "https://elsewhere.test/x?a=b"}),
          ]),
    Group("rewrite-same", paths=[Path("/", "other")],
          more=[Ingress("rewrite-to-itself", {"rewrite-target": "/keep"}, [Path("/keep")], ["rewrite-same.test"])],
          nginx=at("/keep/", to()) + at("= /keep", to()) + at("/", to("other")),
          cases=[
              Case("a target equal to the path rewrites nothing", "GET /keep/x", expect={"echo target": "/keep/x"}),
              Case("and makes no regular expressions", "GET /KEEP"),
              Case("nor prefixes of names", "GET /keeper"),
          ]),
    Group("regex-host", {"use-regex": "true"},
          [Path("/foo/bar/bar", "other"), Path("/foo/bar/[a-z]{3}", "canary", "ImplementationSpecific"),
           Path("/id/[0-9]+", "echo", "ImplementationSpecific"), Path("/exact", "other", "Exact")],
          more=[Ingress("regex-neighbour", hosts=["regex-host.test"], paths=[Path("/plain", "errors")])],
          nginx=regex("/foo/bar/[a-z]{3}", "canary") + regex("/foo/bar/bar", "other") + regex("/id/[0-9]+") +
          regex("/plain/", "errors") + regex("/exact", "other") + regex("/plain", "errors") + at('~* "^/"',
                "return 404;"),
          cases=[
              Case("the longer text comes first", "GET /foo/bar/bar", expect={"saw": "canary"}),
              Case("a class", "GET /foo/bar/abc"),
              Case("a class in any case", "GET /foo/BAR/ABC"),
              Case("no match", "GET /foo/bar/12"),
              Case("digits", "GET /id/123"),
              Case("anchored at the start only", "GET /id/123a", expect={"saw": "echo"}),
              Case("not elsewhere", "GET /x/id/123", expect={"status": 404}),
              Case("Exact is not exact any more", "GET /exactly/x", expect={"saw": "other"}),
              Case("the neighbour's path is one as well", "GET /plainly", expect={"saw": "errors"}),
              Case("the neighbour's path in any case", "GET /PLAIN/x", expect={"saw": "errors"}),
              Case("the raw path is forwarded", "GET /id/1%2F2//3?x=%20", expect={"echo target": "/id/1%2F2//3?x=%20"}),
              Case("the query is not matched", "GET /?/id/1", expect={"status": 404}),
              Case("matched after dots are resolved", "GET /x/../id/7", deviates={"echo target": "/id/7"}, why=DOTS),
          ]),
    Group("app-root", {"app-root": "/app"}, [Path("/")],
          nginx='if ($uri = /) { return 302 $scheme://$http_host/app; }\n' + at("/", to()),
          cases=[
              Case("the root", "GET /", expect={"status": 302, "location": "http://app-root.test/app"}),
              Case("over TLS", "GET /", tls=True, expect={"location": "https://app-root.test/app"}),
              Case("the root with a query", "GET /?x=1"),
              Case("with a port", "GET /", host="app-root.test:8080"),
              Case("everything else", "GET /app"),
              Case("two slashes", "GET //"),
          ]),
    Group("app-root-bad", {"app-root": "relative"},
          cases=[Case("is ignored", expect={"status": 200, "saw": "echo"})]),
    Group("x-forwarded-prefix", {"x-forwarded-prefix": "/p"}, nginx=at("/", to()),
          cases=[Case("not without a rewrite", "GET /a"),
                 Case("a client's passes then", "GET /a", {"X-Forwarded-Prefix": "/c"})]),
    Group("x-forwarded-prefix-group", {"rewrite-target": "/$2", "x-forwarded-prefix": "/v/$1"},
          [Path("/([a-z]+)/(.*)", type="ImplementationSpecific")],
          nginx=at('~* "^/([a-z]+)/(.*)"', 'rewrite "(?i)/([a-z]+)/(.*)" /$2 break; ' +
                   to("echo", 'proxy_set_header X-Forwarded-Prefix "/v/$1"')),
          cases=[Case("with a group", "GET /abc/def", expect={"echo x-forwarded-prefix": "/v/abc"})]),
]
