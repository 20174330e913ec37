"""Django with given settings; tells what it takes a request for.

    django_app.py JSON

JSON has "modules", a dictionary from names to Python text, and "settings", Python text like a settings.py. Prints its port.
"""

import json
import socketserver
import sys
import types
import wsgiref.simple_server


urlpatterns = []  # where ROOT_URLCONF leads


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


class Handler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_):
        pass


def show(request):
    from django.http import JsonResponse

    return JsonResponse({"address": request.META["REMOTE_ADDR"], "scheme": request.scheme, "host": request.get_host(),
                         "url": request.build_absolute_uri()})


def main():
    asked = json.loads(sys.argv[1])
    for name, text in asked["modules"].items():
        module = types.ModuleType(name)
        exec(compile(text, name, "exec"), module.__dict__)
        sys.modules[name] = module
        sys.modules.setdefault(name.partition(".")[0], types.ModuleType(name.partition(".")[0])).__path__ = []
    settings = {"ROOT_URLCONF": __name__, "ALLOWED_HOSTS": [".test"], "SECRET_KEY": "tests"}
    exec(compile(asked["settings"], "settings.py", "exec"), settings)

    from django.conf import settings as configured
    from django.core.wsgi import get_wsgi_application
    from django.urls import path

    configured.configure(**{name: value for name, value in settings.items() if name.isupper()})
    urlpatterns.append(path("", show))
    with Server(("127.0.0.1", 0), Handler) as server:
        server.set_app(get_wsgi_application())
        print("port", server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
