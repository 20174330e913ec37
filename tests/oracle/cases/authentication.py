"""Names and passwords, other servers' word, addresses, and how they are combined."""

import base64
import hashlib
import re

from table import Case, Group, Path, at, said, secret, to

SHA = "{SHA}" + base64.b64encode(hashlib.sha1(b"secret").digest()).decode()
SSHA = "{SSHA}" + base64.b64encode(hashlib.sha1(b"secret" + b"salt").digest() + b"salt").decode()
USERS = "\n".join([
    "sha:" + SHA, "ssha:" + SSHA, "plain:{PLAIN}secret",
    "apr1:$apr1$salt$VEpBc9VHGUKwI9.yg13Iu0", "md5:$1$salt$ez2vlPGdaLYkJam5pWs/Y1",
    "sha256:$5$saltstring$C3o4O1TC6aRHF4FI.QSZMXtHbaj2gSXr4sUc/3NcUi.",
    "# a comment", "empty:", "nohash",
]) + "\n"


def basic(user, password="secret"):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


BASIC = {"auth-type": "basic", "auth-secret": "users", "auth-realm": "Members only"}
PASSWORDS = 'auth_basic "Members only"; auth_basic_user_file users; proxy_set_header Authorization "";'
AUTH = {"auth-url": "http://auth.default.svc.cluster.local/check?a=b"}
AUTH_FIELDS = """
proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_set_header X-Forwarded-Proto "";
proxy_set_header X-Request-ID $req_id; proxy_set_header Host auth.default.svc.cluster.local;
proxy_set_header X-Original-URL $scheme://$http_host$request_uri; proxy_set_header X-Original-Method $request_method;
proxy_set_header X-Sent-From "nginx-ingress-controller"; proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Auth-Request-Redirect $request_uri;
proxy_http_version 1.1; proxy_set_header Connection "";
# What ingress-nginx passes on as the client wrote it, and Headgate says itself (docs/access.md):
proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-Port $pass_port;
proxy_set_header X-Forwarded-Scheme $scheme; proxy_set_header X-Scheme $scheme;
"""


def asks(target="/check?a=b", *inside, method=None, before="", service="echo", copied=()):
    """A location that asks another server, as ingress-nginx writes it."""
    copies = "".join(f"auth_request_set $copied_{n} $upstream_http_{n.lower().replace('-', '_')}; "
                     f"proxy_set_header '{n}' $copied_{n}; " for n in copied).replace("$copied_X-", "$copied_X_")
    verb = f"proxy_method {method}; proxy_set_header X-Original-URI $request_uri;" if method else ""
    return (at("= /_auth", f"internal; {AUTH_FIELDS} {verb} proxy_pass http://auth{target};") +
            at("/", f"auth_request /_auth; {copies} {' '.join(inside)} {before} " + to(service)))


def auth(status, *headers, echo=None):
    return {"auth": {"status": status, "headers": [list(pair) for pair in headers]}, **({"echo": echo} if echo else {})}


GROUPS = [
    Group("basic", BASIC, objects=[secret("users", auth=USERS)], files={"users": USERS},
          nginx=at("/", PASSWORDS + to()),
          cases=[
              Case("nobody", expect={"status": 401, "title": "401 Authorization Required",
                                     "www-authenticate": 'Basic realm="Members only"', "saw": ""}),
              Case("SHA", headers=basic("sha"), expect={"status": 200, "echo authorization": None}),
              Case("salted SHA", headers=basic("ssha"), expect={"status": 200}),
              Case("plain", headers=basic("plain"), expect={"status": 200}),
              Case("apr1", headers=basic("apr1"), expect={"status": 200}),
              Case("crypt MD5", headers=basic("md5"), expect={"status": 200}),
              Case("crypt SHA-256", headers=basic("sha256"), expect={"status": 200}),
              Case("a wrong password", headers=basic("sha", "wrong")),
              Case("no such user", headers=basic("who")),
              Case("an empty hash", headers=basic("empty", "")),
              Case("a line without a hash", headers=basic("nohash")),
              Case("a comment is no user", headers=basic("# a comment")),
              Case("the name matters in its case", headers=basic("SHA")),
              Case("another scheme", headers={"Authorization": "Bearer abc"}),
              Case("no Base64", headers={"Authorization": "Basic !!!"}),
              Case("no colon", headers={"Authorization": "Basic " + base64.b64encode(b"sha").decode()}),
              Case("the scheme in any case", headers={"Authorization": basic("sha")["Authorization"].replace("Basic",
                    "bAsIc")}),
              Case("POST", "POST /x", basic("sha"), body=b"hello"),
              Case("HEAD", "HEAD /"),
              Case("an upstream's own 401", headers=basic("sha"), reply=said(401, ("WWW-Authenticate", "Bearer"))),
          ]),
    Group("basic-map", {"auth-type": "basic", "auth-secret": "map", "auth-secret-type": "auth-map"},
          objects=[secret("map", jane=SHA)],
          cases=[Case("a key is a user", headers=basic("jane"), expect={"status": 200}),
                 Case("others are not", headers=basic("auth"), expect={"status": 401,
                       "www-authenticate": 'Basic realm=""'})]),
    *[Group(f"basic-{name}", annotations, objects=objects, cases=[Case("is closed", headers=basic("sha"),
          expect={"status": 503})])
      for name, annotations, objects in [
          ("no-secret", {"auth-type": "basic", "auth-secret": "none"}, ()),
          ("no-key", {"auth-type": "basic", "auth-secret": "nokey"}, [secret("nokey", other="x")]),
          ("other-namespace", {"auth-type": "basic", "auth-secret": "kube-system/users"}, ()),
          ("no-name", {"auth-type": "basic"}, ()),
          ("no-type", {"auth-secret": "users"}, ())]],
    Group("basic-bad-type", {**BASIC, "auth-type": "ntlm"}, cases=[Case("is refused", expect={"status": 404})]),
    Group("basic-bad-secret-type", {**BASIC, "auth-secret-type": "file"},
          cases=[Case("is refused", expect={"status": 404})]),
    Group("digest", {**BASIC, "auth-type": "digest"},
          cases=[Case("asks for it", expect={"status": 401, "www-authenticate": re.compile(
              r'^Digest .*realm="Members only".*')})]),
    Group("asked", {**AUTH, "auth-response-headers": "X-User, X-Groups"}, nginx=asks(copied=("X-User", "X-Groups")),
          cases=[
              Case("yes", "GET /x?q=1", reply=auth(200), expect={"status": 200, "saw": "auth echo",
                    "auth target": "/check?a=b"}),
              Case("another 2xx", reply=auth(204)),
              Case("fields go on", reply=auth(200, ("X-User", "bob"), ("X-Groups", "a,b")),
                   expect={"echo x-user": "bob", "echo x-groups": "a,b"}),
              Case("a client cannot say them", headers={"X-User": "root"}, reply=auth(200),
                   expect={"echo x-user": None}),
              Case("nor where the answer says another", headers={"X-User": "root"}, reply=auth(200, ("X-User", "bob"))),
              Case("the client's fields are shown", headers={"Cookie": "a=b", "Authorization": "Bearer x",
                    "X-Own": "1"},
                   reply=auth(200), expect={"auth cookie": "a=b", "auth authorization": "Bearer x"}),
              Case("401", reply=auth(401, ("WWW-Authenticate", "Bearer realm=x")),
                   expect={"status": 401, "www-authenticate": "Bearer realm=x", "saw": "auth"}),
              Case("403", reply=auth(403), expect={"status": 403, "title": "403 Forbidden"}),
              Case("404 is 500", reply=auth(404), expect={"status": 500}),
              Case("302 is 500", reply=auth(302, ("Location", "http://x.test"))),
              Case("500 is 500", reply=auth(500)),
              Case("no answer is 500", reply={"auth": {"close": True}}, expect={"status": 500},
                   apart="NGINX asks three times, Headgate once more"),
              Case("POST is asked without its body", "POST /x", body=b"hello", reply=auth(200),
                   expect={"echo body": "hello", "auth body": ""}),
              Case("over TLS", "GET /x", tls=True, reply=auth(200)),
          ]),
    Group("asked-method", {**AUTH, "auth-method": "POST"}, nginx=asks(method="POST"),
          cases=[Case("another method", "GET /x?y", reply=auth(200), expect={"auth method": "POST",
                "auth x-original-uri": "/x?y"})]),
    Group("asked-redirect", {**AUTH, "auth-request-redirect": "/back"},
          cases=[Case("another X-Auth-Request-Redirect", reply=auth(200),
                      expect={"auth x-auth-request-redirect": "/back"})]),
    Group("signin", {**AUTH, "auth-signin": "http://login.test/start"},
          cases=[Case("401 is sent to sign in", "GET /p?a=b", reply=auth(401),
                      expect={"status": 302, "location": "http://login.test/start?rd=http://signin.test%2Fp%3Fa%3Db"}),
                 Case("403 is not", reply=auth(403), expect={"status": 403}),
                 Case("a cookie of the answer goes with it", reply=auth(401, ("Set-Cookie", "s=1")),
                      expect={"status": 302, "set-cookie": "s=1"}),
                 Case("yes", reply=auth(200), expect={"status": 200})]),
    Group("signin-param", {**AUTH, "auth-signin": "http://login.test/start?x=y", "auth-signin-redirect-param": "next"},
          cases=[Case("another parameter", "GET /p", reply=auth(401),
                      expect={"location": "http://login.test/start?x=y&next=http://signin-param.test%2Fp"})]),
    Group("signin-own", {**AUTH, "auth-signin": "http://login.test/start?rd=http://fixed.test"},
          cases=[Case("a parameter that is there stays", "GET /p", reply=auth(401),
                      expect={"location": "http://login.test/start?rd=http://fixed.test"})]),
    Group("auth-cookie", AUTH,
          cases=[Case("cookies of the answer reach the client", reply=auth(200, ("Set-Cookie", "a=1"),
                ("Set-Cookie", "b=2")),
                      expect={"set-cookie": "a=1 | b=2"}),
                 Case("not with every status", reply=auth(200, ("Set-Cookie", "a=1"), echo={"status": 404}),
                      expect={"status": 404, "set-cookie": None})]),
    Group("auth-cookie-always", {**AUTH, "auth-always-set-cookie": "true"},
          cases=[Case("with every status", reply=auth(200, ("Set-Cookie", "a=1"), echo={"status": 404}),
                      expect={"status": 404, "set-cookie": "a=1"})]),
    Group("auth-cache", {**AUTH, "auth-cache-key": "$http_x_key", "auth-cache-duration": "200 401 10m"},
          cases=[Case("asked once", headers={"X-Key": "k"}, reply=auth(200), times=5,
                      expect={"services": "1xauth 5xecho"}),
                 Case("a no is kept as well", headers={"X-Key": "n"}, reply=auth(401), times=3,
                      expect={"statuses": "3x401", "services": "1xauth"}),
                 Case("another status is not", headers={"X-Key": "o"}, reply=auth(403), times=3,
                      expect={"services": "3xauth"}),
                 Case("an empty key keeps nothing", reply=auth(200), times=3, expect={"services": "3xauth 3xecho"})]),
    *[Group(f"auth-bad-{name}", {**AUTH, **bad}, cases=[Case("is closed", reply=auth(200),
          expect={"status": 503, "saw": ""})])
      for name, bad in [("duration", {"auth-cache-key": "$host", "auth-cache-duration": "forever"}),
                        ("method", {"auth-method": "FETCH"}),
                        ("headers", {"auth-response-headers": "a b;c"}), ("redirect", {"auth-request-redirect": "<x>"}),
                        ("cookie", {"auth-always-set-cookie": "maybe"}), ("host", {"auth-url": "http://a..b/"}),
                        ("blank", {"auth-url": " "})]],
    Group("auth-bad-url", {"auth-url": "not a url"}, cases=[Case("is not open", expect={"status": 503, "saw": ""})]),
    Group("auth-proxy-headers", {**AUTH, "auth-proxy-set-headers": "default/absent"},
          cases=[Case("without the ConfigMap: closed", expect={"status": 503, "saw": ""})]),
    Group("auth-global-off", {"enable-global-auth": "false"}, cases=[Case("is served", expect={"status": 200})]),
    Group("keepalive", {**AUTH, "auth-keepalive": "10", "auth-keepalive-requests": "10", "auth-keepalive-timeout": "10",
                        "auth-keepalive-share-vars": "true"},
          cases=[Case("is asked", reply=auth(200), expect={"status": 200, "saw": "auth echo", "auth x-request-id": "<id>"})]),
    Group("allow", {"allowlist-source-range": "127.0.0.2, 127.0.1.0/24"},
          nginx=at("/", "allow 127.0.0.2; allow 127.0.1.0/24; deny all;" + to()),
          cases=[
              Case("one that is not in it", expect={"status": 403, "title": "403 Forbidden"}),
              Case("an address", source="127.0.0.2", expect={"status": 200}),
              Case("the next address", source="127.0.0.3"),
              Case("in a network", source="127.0.1.77"),
              Case("X-Forwarded-For is not believed", headers={"X-Forwarded-For": "127.0.0.2"}, expect={"status": 403}),
              Case("X-Real-IP is not believed", headers={"X-Real-IP": "127.0.0.2"}),
          ]),
    Group("allow-old-name", {"whitelist-source-range": "127.0.0.2"}, nginx=at("/", "allow 127.0.0.2; deny all;" + to()),
          cases=[Case("inside", source="127.0.0.2"), Case("outside")]),
    Group("deny", {"denylist-source-range": "127.0.0.2/32"}, nginx=at("/", "deny 127.0.0.2; " + to()),
          cases=[Case("inside", source="127.0.0.2", expect={"status": 403}), Case("outside", expect={"status": 200})]),
    Group("deny-and-allow", {"denylist-source-range": "127.0.0.2", "allowlist-source-range": "127.0.0.0/30"},
          nginx=at("/", "deny 127.0.0.2; allow 127.0.0.0/30; deny all;" + to()),
          cases=[Case("in both", source="127.0.0.2", expect={"status": 403}), Case("in the one", source="127.0.0.1"),
                 Case("in none", source="127.0.0.9")]),
    Group("allow-bad", {"allowlist-source-range": "10.0.0.0/33"}, cases=[Case("is closed", expect={"status": 503})]),
    Group("deny-bad", {"denylist-source-range": "everybody"}, cases=[Case("is closed", expect={"status": 503})]),
    Group("allow-empty", {"allowlist-source-range": " "}, cases=[Case("is closed", expect={"status": 503})]),
    Group("any", {**BASIC, "satisfy": "any", "allowlist-source-range": "127.0.0.2"},
          nginx=at("/", "satisfy any; allow 127.0.0.2; deny all;" + PASSWORDS + to()),
          cases=[Case("neither", expect={"status": 401}), Case("the address", source="127.0.0.2",
                expect={"status": 200}),
                 Case("the password", headers=basic("sha"), expect={"status": 200}),
                 Case("both", headers=basic("sha"), source="127.0.0.2"),
                 Case("a wrong password", headers=basic("sha", "x")),
                 Case("a wrong password from the address", headers=basic("sha", "x"), source="127.0.0.2")]),
    Group("all", {**BASIC, "satisfy": "all", "allowlist-source-range": "127.0.0.2"},
          nginx=at("/", "satisfy all; allow 127.0.0.2; deny all;" + PASSWORDS + to()),
          cases=[Case("neither", expect={"status": 403}), Case("the address", source="127.0.0.2",
                expect={"status": 401}),
                 Case("the password", headers=basic("sha"), expect={"status": 403}),
                 Case("both", headers=basic("sha"), source="127.0.0.2", expect={"status": 200})]),
    Group("any-asked", {**AUTH, "satisfy": "any", "allowlist-source-range": "127.0.0.2"},
          nginx=asks(before="satisfy any; allow 127.0.0.2; deny all;"),
          cases=[Case("the address is not asked about", source="127.0.0.2", reply=auth(401), expect={"status": 200}),
                 Case("others are", reply=auth(401), expect={"status": 401}),
                 Case("and pass", reply=auth(200), expect={"status": 200})]),
    Group("both-auths", {**BASIC, **AUTH}, nginx=asks(before=PASSWORDS),
          cases=[Case("neither", reply=auth(200), expect={"status": 401, "saw": ""}),
                 Case("the password only", headers=basic("sha"), reply=auth(403), expect={"status": 403}),
                 Case("both", headers=basic("sha"), reply=auth(200), expect={"status": 200})]),
    Group("auth-order", BASIC, [Path("/", "empty")],
          cases=[Case("no endpoints come before passwords", expect={"status": 503})]),
]
