"""What bench/compare quotes must follow from its rounds."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench/compare"))

from harness import report  # pylint: disable=wrong-import-position
from harness.scenarios import BY_NAME, SCENARIOS  # pylint: disable=wrong-import-position


def rounds(*values):
    return [{"cpu_us": value, "requests_per_second": 1.0, "p50_us": 1.0, "p99_us": value}
            for value in values]


class ReportTest(unittest.TestCase):
    def test_ratio_is_the_median_of_ratios_within_rounds(self):
        # The second round was slow for both; only the ratios within rounds see that nothing differs in it.
        summary = report.summarise({"nginx": rounds(10, 30, 10), "headgate": rounds(5, 15, 8)})
        self.assertEqual(summary["headgate"]["ratio_median"], 0.5)
        self.assertEqual(summary["headgate"]["ratio_minima"], 0.5)
        self.assertEqual(summary["headgate"]["cpu_us"], 8)
        self.assertEqual(summary["nginx"]["ratio_median"], 1)

    def test_a_failed_peer_is_shown_as_failed(self):
        scenario = BY_NAME["keepalive"]
        table = list(report.rows(scenario, report.summarise({"nginx": rounds(1), "headgate": "refused"})))
        self.assertEqual(table[1][1:3], ["headgate", "failed"])
        self.assertIn("failed", report.as_text(table))

    def test_without_nginx_there_are_no_ratios(self):
        summary = report.summarise({"headgate": rounds(3, 4)})
        self.assertNotIn("ratio_median", summary["headgate"])

    def test_idle_memory_has_its_own_unit(self):
        table = list(report.rows(BY_NAME["idle"], report.summarise({"nginx": [{"idle_kib": 0.5}]})))
        self.assertEqual(table[0][2], "0.50 KiB")

    def test_scenario_names_are_unique(self):
        self.assertEqual(len(BY_NAME), len(SCENARIOS))


if __name__ == "__main__":
    unittest.main()
