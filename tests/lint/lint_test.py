"""Each rule of lint.py fails on a small repository that breaks it, and only then."""

import pathlib
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lint  # noqa: E402

LAYERS = """# x
## Layers

| level | folder | holds | notes |
| --- | --- | --- | --- |
| 1 | `base/` | buffers | |
| 2 | `net/` | sockets | io |
| 3 | `route/` | tables | pure |
| 4 | `config/` | compile | proto |

| folder | holds | may include | notes |
| --- | --- | --- | --- |
| `kube/` | watch | | |
| `translate/` | the core | `kube/objects.h` `proto/` | pure |

## Next
"""


class LintTest(unittest.TestCase):
    def run_check(self, check, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {"docs/architecture.md": LAYERS, "Makefile": "run:\ntest:\n", **files}.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return list(lint.CHECKS[check](lint.Repo(root)))

    def expect(self, check, files, *needles):
        found = self.run_check(check, files)
        self.assertEqual(len(found), len(needles), found)
        for line, needle in zip(found, needles):
            self.assertIn(needle, line)

    def test_layers_accept_lower_folders(self):
        self.expect("layers", {
            "dataplane/route/a.cc": '#include "dataplane/base/b.h"\n#include "dataplane/route/a.h"\n#include <vector>\n',
            "dataplane/config/a.cc": '#include "proto/headgate/v1/snapshot.pb.h"\n#include "absl/types/span.h"\n',
            "controller/translate/a.cc": '#include "controller/kube/objects.h"\n#include "common/x.h"\n',
        })

    def test_layers_refuse_the_same_and_higher_levels(self):
        self.expect("layers", {"dataplane/net/a.cc": '#include "dataplane/route/b.h"\n'}, "level 2")

    def test_layers_refuse_io_in_pure_folders(self):
        self.expect("layers", {"dataplane/route/a.cc": '#include "dataplane/net/b.h"\n#include <sys/epoll.h>\n'},
                    "is pure", "is pure")

    def test_layers_keep_generated_messages_off_the_request_path(self):
        self.expect("layers", {"dataplane/route/a.h": '#include "proto/headgate/v1/snapshot.pb.h"\n'}, "generated messages")

    def test_layers_keep_the_programs_apart(self):
        self.expect("layers", {"dataplane/base/a.h": '#include "controller/kube/objects.h"\n',
                               "common/a.h": '#include "dataplane/base/b.h"\n'},
                    "common/ includes only", "dataplane/ may not include")

    def test_layers_follow_the_controllers_arrows(self):
        self.expect("layers", {"controller/translate/a.cc": '#include "controller/kube/reflector.h"\n'},
                    "controller/translate may not include")

    def test_layers_know_every_folder(self):
        self.expect("layers", {"dataplane/extra/a.cc": ""}, "not in the layer table")

    def test_hygiene(self):
        self.expect("hygiene", {
            "common/a.h": "// What it is.\n#ifndef A\n#define A\n#endif\n",
            "common/b.h": "#pragma once\nusing namespace std;\n",
            "common/d.cc": "using namespace std::string_view_literals;\n",
            "common/c.cc": '#include "c.h"\n#include "common/gone.h"\n#include <bits/stdc++.h>\n',
            "common/e.h": "#pragma once\n#include <cstdint>\nusing Size = std::uint32_t;\n",
            "common/e.cc": '#include "common/e.h"\nuint8_t small;\n',
            "common/f.h": "#pragma once\nstruct F { uint32_t size; };\n",
        }, "#pragma once", "no using namespace", "from the root", "does not exist", "library's own", "<cstdint>")

    def test_banned_calls(self):
        for code, rule in [("std::regex r(text);", "regex"), ("system(command);", "shell"),
                           ("auto t = std::chrono::system_clock::now();", "wall-clock"),
                           ("std::this_thread::sleep_for(d);", "sleep"), ("strcpy(a, b);", "c-string"),
                           ("int i = std::stoi(text);", "throwing-parse"), ("absl::Mutex mu_;", "absl-mutex"),
                           ("worker.detach();", "detach"), ("int r = rand();", "weak-random"),
                           ("delete this;", "delete-this")]:
            with self.subTest(rule):
                self.expect("banned", {"dataplane/base/a.cc": f"void F() {{ {code} }}\n"}, rule)

    def test_banned_calls_in_comments_and_literals_are_words(self):
        self.expect("banned", {"dataplane/base/a.cc": '// no std::regex\nconst char* k = "system(x)"; /* rand() */\n'})

    def test_an_exemption_needs_a_reason(self):
        call = "auto t = absl::Now();  // lint: allow(wall-clock)"
        self.expect("banned", {"common/a.cc": call + "\n"}, "wall-clock")
        self.expect("banned", {"common/a.cc": call + " shown to people\n"})

    def test_length(self):
        self.expect("length", {"common/a.cc": "\n" * 600})
        self.expect("length", {"common/a.cc": "\n" * 601}, "601 lines")

    @unittest.skipUnless(shutil.which("clang-format-14"), "needs clang-format of Debian 12")
    def test_layout(self):
        style = {".clang-format": "BasedOnStyle: Google\n"}
        self.expect("layout", {**style, "common/a.cc": "int a = 1;\n"})
        self.expect("layout", {**style, "common/a.cc": "int  a = 1;\nint  b = 2;\n"}, "common/a.cc:1: not laid out")

    def test_docs(self):
        self.expect("docs", {"README.md": "Say `make test`.\n[a](docs/architecture.md#layers)\n"})
        self.expect("docs", {"README.md": "    make everything\n[a](gone.md)\n[b](#nowhere)\nsee `scripts/gone`\n"},
                    "no target 'everything'", "gone.md", "#nowhere", "`scripts/gone`")

    def test_strictness(self):
        tests = {"tests/integration/strictness_a_test.cc": 'const Row kRows[] = {\n    {"One", "x"},\n    {"Two", "y"},\n};\n'
                                                           "TEST_F(StrictnessTest, Three) {}\n"}
        head = "| what | tests |\n| --- | --- |\n"
        self.expect("docs", {**tests, "docs/http-strictness.md": head + "| a | `One` `Two` |\n| b | `Three` |\n"})
        self.expect("docs", {**tests, "docs/http-strictness.md": head + "| a | `One` `Four` |\n| b | none |\n"},
                    "no test Four", "names no test", "nothing about the test Two")

    def test_annotations(self):
        header = {"controller/translate/annotations/a.h":
                  'inline constexpr std::array<std::string_view, 2> kSomeNames = {"one",\n    "two"};\n'}
        self.expect("annotations", {**header, "README.md": "| `one`, `two` | the same |\n"})
        self.expect("annotations", {**header, "README.md": "| `one`, `three` | the same |\n"},
                    "knows no annotation three")

    def test_scripts(self):
        self.expect("scripts", {"scripts/a": "#!/usr/bin/env bash\nif true; then\n"}, "line 3", "not executable")


if __name__ == "__main__":
    unittest.main()
