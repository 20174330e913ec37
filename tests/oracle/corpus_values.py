"""Annotations with good and bad values, and Ingresses that contradict themselves or each other.

What a bad value does: "R" the Ingress is refused (404), "D" it is closed (503), "S" the value is passed over.
"""

SECRET, CA, MAP = "users", "default/ca", "default/fields"
BASIC = {"auth-type": "basic", "auth-secret": SECRET}
AUTH = {"auth-url": "http://auth.default.svc.cluster.local/"}
MTLS = {"auth-tls-secret": CA}
CORS = {"enable-cors": "true"}
CANARY = {"canary": "true"}
STICKY = {"affinity": "cookie"}
HTTPS = {"backend-protocol": "HTTPS"}

BOOLS = (["true", "false", "1", "T"], ["yes", "on"])
SWITCHES = (["on", "off"], ["true", "maybe"])
SECONDS = (["1", "60"], ["1m", "-", "1.5"])
NUMBERS = (["1", "600"], ["ten", "1.5"])
SIZES = (["8k", "1M"], ["8kb", "big"])

# name, what a bad value does, (good values, bad values), what stands beside it
ROWS = [
    ("proxy-connect-timeout", "S", SECONDS, {}), ("proxy-send-timeout", "S", SECONDS, {}),
    ("proxy-read-timeout", "S", SECONDS, {}), ("proxy-body-size", "S", (["0", "8m", "1G"], ["8mb", "x"]), {}),
    ("client-body-buffer-size", "R", (["16k", "1M"], ["x"]), {}), ("proxy-request-buffering", "S", SWITCHES, {}),
    ("proxy-buffering", "S", SWITCHES, {}), ("proxy-buffer-size", "S", SIZES, {}),
    ("proxy-buffers-number", "S", (["4", "8"], ["x", "0"]), {}), ("proxy-busy-buffers-size", "S", SIZES, {}),
    ("proxy-max-temp-file-size", "S", (["0", "1024m"], ["x"]), {}),
    ("proxy-next-upstream", "S", (["error timeout", "off", "http_503 non_idempotent"], ["never"]), {}),
    ("proxy-next-upstream-tries", "S", (["0", "3"], ["x"]), {}), ("proxy-next-upstream-timeout", "S",
          (["0", "5"], ["5s"]), {}),
    ("ssl-redirect", "S", BOOLS, {}), ("force-ssl-redirect", "S", BOOLS, {}),
    ("preserve-trailing-slash", "S", BOOLS, {}),
    ("permanent-redirect", "R", (["https://e.test/x", "/x"], ["ftp:// x", "a b", "https://e.test/<"]), {}),
    ("permanent-redirect-code", "R", (["308", "404"], ["x"]), {"permanent-redirect": "/x"}),
    ("temporal-redirect", "R", (["https://e.test/x"], ["/x", "ftp://e.test"]), {}),
    ("temporal-redirect-code", "R", (["307", "1"], ["x"]), {"temporal-redirect": "http://e.test"}),
    ("from-to-www-redirect", "R", (["true", "false"], ["www"]), {}),
    ("rewrite-target", "S", (["/", "/x/$1", "https://e.test/$1"], ["/x?y", "/<"]), {}), ("use-regex", "S", BOOLS, {}),
    ("app-root", "S", (["/app"], ["app", "http://x.test/"]), {}),
    ("x-forwarded-prefix", "R", (["/p", "/p/$1"], ["/p;", "/<"]), {"rewrite-target": "/y"}),
    ("auth-type", "R", (["basic", "digest"], ["ntlm", "Basic"]), {"auth-secret": SECRET}),
    ("auth-secret", "D", ([SECRET, f"default/{SECRET}"], ["a/b/c", "kube-system/users"]), {"auth-type": "basic"}),
    ("auth-secret-type", "R", (["auth-file", "auth-map"], ["file"]), BASIC),
    ("auth-realm", "R", (["Members only", "a-b.c"], ["<b>", 'a"b']), BASIC),
    ("auth-url", "D", (["http://auth.default.svc/x"], ["http://a..b/", "no url", "/x"]), {}),
    ("auth-method", "D", (["GET", "POST"], ["FETCH"]), AUTH), ("auth-signin", "D",
          (["https://l.test/start"], ["<", "a b;"]), AUTH),
    ("auth-signin-redirect-param", "D", (["rd", "next"], ["<"]), AUTH),
    ("auth-response-headers", "D", (["X-User", "X-User, X-Groups"], ["X User;"]), AUTH),
    ("auth-request-redirect", "D", (["/back"], ["<"]), AUTH), ("auth-cache-key", "D", (["$http_authorization"], ["<"]),
          AUTH),
    ("auth-cache-duration", "D", (["200 401 5m", "10m"], ["soon", "200 5q"]), {**AUTH, "auth-cache-key": "$host"}),
    ("auth-always-set-cookie", "D", (["true", "false"], ["maybe"]), AUTH), ("enable-global-auth", "S", BOOLS, {}),
    ("affinity", "S", (["cookie"], ["ip", "Cookie"]), {}), ("affinity-mode", "S",
                                                            (["balanced", "persistent"], ["strict"]), STICKY),
    ("affinity-canary-behavior", "S", (["sticky", "legacy"], ["x"]), STICKY),
    ("session-cookie-name", "S", (["route"], ["a b=", "<"]), STICKY), ("session-cookie-secure", "S", BOOLS, STICKY),
    ("session-cookie-expires", "S", (["60"], ["1m"]), STICKY), ("session-cookie-max-age", "S", (["60"], ["x"]), STICKY),
    ("session-cookie-path", "S", (["/", "/x"], ["/;", "<"]), STICKY), ("session-cookie-domain", "S",
          (["e.test"], ["a b;"]), STICKY),
    ("session-cookie-samesite", "S", (["None", "Lax", "Strict"], ["no"]), STICKY),
    ("session-cookie-conditional-samesite-none", "S", BOOLS, STICKY),
    ("session-cookie-change-on-failure", "S", BOOLS, STICKY),
    ("load-balance", "R", (["round_robin", "ewma", "least_conn"], ["best", "EWMA"]), {}),
    ("upstream-hash-by", "R", (["$request_uri", "${http_x}-y"], ["<", "a;b"]), {}),
    ("upstream-hash-by-subset", "R", (["true", "false"], ["x"]), {"upstream-hash-by": "$host"}),
    ("upstream-hash-by-subset-size", "R", (["3"], ["x"]), {"upstream-hash-by": "$host"}),
    ("service-upstream", "S", (["false"], ["x"]), {}),
    ("limit-rps", "R", NUMBERS, {}), ("limit-rpm", "R", NUMBERS, {}), ("limit-connections", "R", NUMBERS, {}),
    ("limit-burst-multiplier", "S", (["0", "5"], ["x"]), {"limit-rps": "5"}),
    ("limit-allowlist", "R", (["10.0.0.0/8", "::1"], ["x", "10.0.0.0/33"]), {"limit-rps": "5"}),
    ("limit-whitelist", "R", (["10.0.0.0/8"], ["x"]), {"limit-rps": "5"}),
    ("limit-rate", "S", (["100"], ["1m"]), {}), ("limit-rate-after", "S", (["100"], ["x"]), {}),
    ("enable-cors", "S", BOOLS, {}), ("cors-allow-origin", "D", (["*", "https://a.test, https://*.b.test", "null"],
          ["a;b", "<"]), CORS),
    ("cors-allow-methods", "S", (["GET, PUT"], ["GET; PUT"]), CORS), ("cors-allow-headers", "S",
          (["X-One,X-Two"], ["X;"]), CORS),
    ("cors-expose-headers", "S", (["*", "X-A, X-B"], ["X;"]), CORS), ("cors-allow-credentials", "S", BOOLS, CORS),
    ("cors-max-age", "S", (["600"], ["x"]), CORS),
    ("allowlist-source-range", "D", (["127.0.0.0/8", "::1,127.0.0.1"], ["x", "127.0.0.1/33", " "]), {}),
    ("whitelist-source-range", "D", (["127.0.0.0/8"], ["x"]), {}), ("denylist-source-range", "D",
          (["10.0.0.0/8"], ["x"]), {}),
    ("satisfy", "S", (["any", "all"], ["some"]), {}),
    ("proxy-cookie-domain", "S", (["off", "a.test b.test"], ["a;b c"]), {}),
    ("proxy-cookie-path", "S", (["off", "/a /b"], ['/ "/; Secure"']), {}),
    ("proxy-redirect-from", "S", (["off", "default", "http://a.test/"], ["<"]), {"proxy-redirect-to": "/"}),
    ("proxy-redirect-to", "S", (["/x"], ["<"]), {"proxy-redirect-from": "http://a.test/"}),
    ("backend-protocol", "S", (["HTTP", "http", "HTTPS", "AUTO_HTTP"], ["AJP", "TCP"]), {}),
    ("auth-tls-verify-client", "S", (["optional", "off"], ["maybe"]), MTLS),
    ("auth-tls-verify-depth", "S", (["0", "3"], ["x"]), MTLS),
    ("auth-tls-error-page", "R", (["https://h.test/x"], ["<", "a b"]), MTLS),
    ("auth-tls-match-cn", "R", ([], ["x", "CN=("]), MTLS),
    ("auth-tls-pass-certificate-to-upstream", "R", (["true", "false"], ["x"]), MTLS),
    ("ssl-ciphers", "R", (["ECDHE-RSA-AES128-GCM-SHA256"], ["a;b"]), {}),
    ("ssl-prefer-server-ciphers", "S", (["true"], ["maybe"]), {}),
    ("ssl-passthrough", "R", (["false"], ["x"]), {}),
    ("proxy-ssl-verify", "D", (["on", "off"], ["yes"]), HTTPS), ("proxy-ssl-verify-depth", "S", (["2"], ["x"]), HTTPS),
    ("proxy-ssl-name", "D", (["a.test"], ["a;b"]), HTTPS), ("proxy-ssl-server-name", "S", (["on", "off"], ["yes"]),
                                                            HTTPS),
    ("proxy-ssl-ciphers", "S", (["ECDHE-RSA-AES128-GCM-SHA256"], ["a;b"]), HTTPS),
    ("proxy-ssl-protocols", "S", (["TLSv1.2", "TLSv1.2 TLSv1.3"], ["SSLv3"]), HTTPS),
    ("proxy-ssl-secret", "D", ([CA], ["ca", "kube-system/ca"]), HTTPS),
    ("upstream-vhost", "R", (["a.test", "$host"], ["a;b", "<"]), {}), ("custom-headers", "D",
          ([MAP], ["a/b/c", "kube-system/x"]), {}),
    ("connection-proxy-header", "R", (["close", "keep-alive"], ["x"]), {}),
    ("http2-push-preload", "R", (["true"], ["x"]), {}),
    ("custom-http-errors", "R", (["404", "404,503"], ["200", "x"]), {"default-backend": "echo"}),
    ("disable-proxy-intercept-errors", "S", BOOLS, {}), ("default-backend", "R", (["echo"], ["a/b", "<"]), {}),
    ("mirror-target", "S", (["https://echo.default.svc.cluster.local$request_uri"], ["x", "http://", "<"]), {}),
    ("mirror-request-body", "S", SWITCHES, {"mirror-target": "https://echo.default.svc.cluster.local/"}),
    ("mirror-host", "S", (["a.test"], ["a;b"]), {"mirror-target": "https://echo.default.svc.cluster.local/"}),
    ("server-alias", "R", (["alias-{n}.test"], ["a;b", "<"]), {}), ("enable-access-log", "S", BOOLS, {}),
    ("enable-rewrite-log", "S", (["true", "false"], []), {}),
    ("configuration-snippet", "R", ([], ["more_set_headers \"X: y\";", "proxy_pass http://evil;"]), {}),
    ("server-snippet", "R", ([], ["location /x { return 403; }"]), {}),
    ("auth-snippet", "R", ([], ["proxy_set_header A b;"]), AUTH),
    ("modsecurity-snippet", "R", ([], ["SecRuleEngine On"]), {}), ("stream-snippet", "R",
          ([], ["server { listen 8000; }"]), {}),
    ("enable-modsecurity", "D", (["false"], ["true", "x"]), {}), ("enable-owasp-core-rules", "D",
          (["false"], ["true", "x"]), {}),
    ("secure-backends", "S", (["true"], []), {}), ("session-cookie-hash", "S", (["sha1"], []), {}),
    ("enable-influxdb", "S", (["true"], []), {}), ("upstream-max-fails", "S", (["3"], []), {}),
    ("no-such-name", "S", ([], ["x"]), {}),
]

# Canaries are no hosts by themselves; each stands beside a main Ingress, which serves whatever the canary says.
CANARIES = [
    ("canary-weight", (["0", "50"], ["x"])), ("canary-weight-total", (["200"], ["x"])),
    ("canary-by-header", (["X-A"], ["a b;", "<"])),
    ("canary-by-header-value", (["v"], ["<"])), ("canary-by-header-pattern", (["v.*"], ["("])),
    ("canary-by-cookie", (["c"], ["<"])),
]

# name, annotations, service, verdict, status of GET /
CONFLICTS = [
    ("both-redirects", {"permanent-redirect": "/a", "temporal-redirect": "http://b.test"}, "echo", "works", 302),
    ("secret-without-type", {"auth-secret": SECRET}, "echo", "refused", 503),
    ("type-without-secret", {"auth-type": "basic"}, "echo", "refused", 503),
    ("secret-missing", {"auth-type": "basic", "auth-secret": "nobody"}, "echo", "problem", 503),
    ("map-missing", {"custom-headers": "default/nobody"}, "echo", "problem", 503),
    ("subject-on-plain-http", {**MTLS, "auth-tls-match-cn": "CN=.*"}, "echo", "works", 403),
    ("service-missing", {}, "nobody", "problem", 503),
    ("service-empty", {}, "empty", "works", 503),
    ("service-unreachable", {}, "dead", "works", 502),
    ("refused-beats-closed", {"limit-rps": "x", "auth-type": "basic"}, "echo", "refused", 404),
    ("closed-beats-redirect", {"permanent-redirect": "/a", "denylist-source-range": "x"}, "echo", "refused", 503),
    ("passed-over-and-redirect", {"permanent-redirect": "/a", "proxy-read-timeout": "x"}, "echo", "differs", 301),
    ("options-of-nothing", {"cors-allow-origin": "*", "session-cookie-name": "a", "auth-realm": "x"}, "echo", "works",
     200),
    ("everything-once", {**BASIC, **CORS, **STICKY, "limit-rps": "100", "proxy-body-size": "8m", "satisfy": "any",
                         "allowlist-source-range": "127.0.0.1"}, "echo", "works", 200),
    ("match-cn-alone", {"auth-tls-match-cn": "CN=a"}, "echo", "refused", 503),
    ("secret-of-client-ca-missing", MTLS | {"auth-tls-secret": "default/nobody"}, "echo", "refused", 403),
    ("bad-rewrite-path", {"use-regex": "true"}, "echo", "works", 200),
    ("fcgi", {"backend-protocol": "FCGI"}, "echo", "refused", 503),
]
