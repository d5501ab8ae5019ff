#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The bench's own arithmetic: what is wrong here is wrong in every table."""

import os
import sys
import tempfile
import unittest
import xml.dom.minidom

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import chart
import compare
import document
import figures
import measure
import optimum
import overhead
import plan
import tables

MIB = 1 << 20
SETTINGS = {"quick": False, "seconds": "", "after": "8", "scale": "100", "kernel": "6.12"}


def result(controller, mean, end, repetition=1, cold=0.0, base=100, value="", **more):
    """A run of 800 MiB, 600 of them cold, which compress to a quarter."""
    r = {
        "id": f"w.{controller}.{repetition}", "controller": controller, "value": value, "work": "contiguous",
        "repetition": repetition, "quick": False, "verdict": "PASS", "reason": "", "kernel": "6.12", "emulated": True,
        "base_mib": base, "mean_mib": mean, "peak_mib": 900, "end_mib": end, "residue_mib": 5, "measured_s": 60,
        "curve": [[0, 900], [10, 900], [20, 460], [30, 500], [40, 455], [60, 450], [70, 100]],
        "cost": {"controller_cpu_us": 5000, "thread_kswapd_ms": 10, "thread_kworker_ms": 20},
        "acted": "", "zram": {"original": cold * MIB, "used": cold * MIB / 4},
        "work_figures": {"cold_bytes": 600 * MIB, "cold_out_bytes": cold * MIB, "hot_pages": 51200,
                         "hot_refaults": 256, "operations": 200, "p99_ms": 12.0},
    }
    r.update(more)
    return r


class Measure(unittest.TestCase):
    def test_mean_is_over_time(self):
        self.assertEqual(measure.mean([(0, 100), (1, 100), (9, 500), (10, 500)]), (1 * 100 + 8 * 100 + 500) / 10)
        self.assertEqual(measure.mean([(3, 7)]), 7)
        self.assertEqual(measure.mean([]), 0)

    def test_marks_of_one_run_only(self):
        rows = [(1.0, 5, "bench a.1 begin"), (2.0, 5, ""), (3.0, 5, "bench a.11 begin"), (4.0, 5, "bench a.1 end")]
        self.assertEqual(measure.marks_of(rows, "a.1"), {"begin": 1.0, "end": 4.0})

    def test_verdicts(self):
        said = measure.verdicts("    note\nPASS a.b-5.1 (72.3 s)\nPASS b.1\nFAIL c.1: line 3: 'x' failed\nSKIP d.1: no DAMON\n")
        self.assertEqual(said["a.b-5.1"], ("PASS", ""))
        self.assertEqual(said["b.1"], ("PASS", ""))
        self.assertEqual(said["c.1"], ("FAIL", "line 3: 'x' failed"))
        self.assertEqual(said["d.1"], ("SKIP", "no DAMON"))

    def test_a_run_without_measurement_fails(self):
        work, controller = plan.parts("work")[0], plan.parts("controllers")[0]
        run = plan.Run(controller, "", work, 1)
        with tempfile.TemporaryDirectory() as out:
            self.assertEqual(measure.collect(run, out, f"PASS {run.id}\n", SETTINGS)["verdict"], "FAIL")
            self.assertEqual(measure.collect(run, out, "", SETTINGS)["verdict"], "FAIL")


class Figures(unittest.TestCase):
    def test_share_of_the_ideal(self):
        runs = figures.with_figures([result("nothing", 900, 900), result("ebb", 675, 450, cold=600)])
        f = runs[1]["figures"]
        self.assertAlmostEqual(f["ideal_mib"], 450)  # 600 MiB less a quarter of them
        self.assertAlmostEqual(f["saved_mib"], 225)
        self.assertAlmostEqual(f["share"], 0.5)
        self.assertAlmostEqual(f["share_end"], 1.0)
        self.assertAlmostEqual(f["cold_out"], 1.0)
        self.assertAlmostEqual(f["hot_back"], 0.005)
        self.assertEqual(f["kernel_cpu_ms"], 30)
        self.assertEqual(f["rate"], 200)

    def test_returned_is_for_good(self):
        r = result("ebb", 600, 450)
        self.assertEqual(figures.returned_after(r, 470), 40)  # at 30 s it was above it again
        self.assertEqual(figures.returned_after(r, 500), 20)
        self.assertIsNone(figures.returned_after(r, 300))  # the end of the work, at 70 s, is no return

    def test_without_compression_there_is_no_ideal(self):
        runs = figures.with_figures([result("nothing", 900, 900), result("ebb", 900, 900)])
        self.assertNotIn("share", runs[1]["figures"])

    def test_page_cache_is_not_compressed(self):
        r = result("ebb", 600, 450)
        r["work_figures"]["cold_file_bytes"] = 600 * MIB
        self.assertAlmostEqual(figures.ideal_mib(r, None), 600)

    def test_where_the_cold_part_changes_the_mean_counts(self):
        r = result("ebb", 675, 450, cold=600)
        r["work_figures"]["cold_mean_bytes"] = 300 * MIB
        f = figures.with_figures([result("nothing", 900, 900), r])[1]["figures"]
        self.assertAlmostEqual(f["share"], 1.0)  # 225 of 225 on average
        self.assertAlmostEqual(f["share_end"], 1.0)  # 450 of 450 at the end

    def test_spreads_that_meet_are_no_difference(self):
        a, b = figures.Cell([1, 2, 3]), figures.Cell([3, 4])
        self.assertTrue(a.same_as(b))
        self.assertFalse(a.same_as(figures.Cell([4, 5])))
        self.assertIsNone(a.same_as(figures.Cell([2])))  # one run says nothing about spread


class Overhead(unittest.TestCase):
    FAULTS = """    cow, 2 threads: 8 pairs of 5 s, 610 ns a fault without
    a fault while the hooks are there: mean +21.40% +- 1.90, median +20.90%, quartiles +19.00% to +23.00%
    runs with against runs without:    mean +0.31% +- 0.44, median +0.12%, quartiles -0.40% to +0.90%
    its own account: 120 events of 190 ns in 14 windows, attached 2.1% of the time, 0.41% of one CPU (budget 0.50%)
    the windows within their runs:     mean +0.40% +- 0.04, median +0.41%, quartiles +0.30% to +0.50%
"""
    EACH = """    page_fault_user                    mean +2.52% +- 2.70, median +5.75%, quartiles +2.48% to +6.93%
    refault: not here (Operation not permitted)
"""
    CENSUS = """PASS the ladder opens (Success)
    one pass over 112 groups: iterator 0.18 ms of CPU (quickest 0.14; by the clock 0.18), open-read-parse of 100 groups 2.73 (2.52; 15.01); medians of 20
"""

    def test_the_lines_of_the_checks_are_read(self):
        found = overhead.parse_faults(self.FAULTS)
        self.assertEqual(found["spreads"]["runs with against runs without"], [0.31, 0.44, 0.12])
        self.assertEqual(found["account"], [2.1, 0.41, 0.5])
        self.assertEqual(found["ns"], 610)
        found = overhead.parse_faults(self.EACH)
        self.assertEqual(found["spreads"]["page_fault_user"], [2.52, 2.7, 5.75])
        self.assertEqual(found["denied"], {"refault": "Operation not permitted"})
        self.assertEqual(overhead.parse_census(self.CENSUS), [100, 0.18, 2.73])
        self.assertIsNone(overhead.parse_census("FAIL the ladder opens (EPERM)\n"))

    def test_the_tables(self):
        faults = overhead.parse_faults(self.FAULTS)
        record = {"loops": [{"kind": "cow", "threads": 2, "budget": faults, "attached": faults}],
                  "each": overhead.parse_faults(self.EACH), "census": [overhead.parse_census(self.CENSUS)],
                  "scale": [{"groups": 1000, "containers": 190, "cpu_ms": 120, "seconds": 60, "rss_kib": 6144,
                             "here": 100000, "there": 10000}]}
        loops, each, census, scale = overhead.lines(record)
        self.assertEqual(loops[1], ["cow, 2 threads", "610", "+0.31% ± 0.44", "+0.40% ± 0.04", "+0.31% ± 0.44"])
        self.assertEqual([l[0] for l in each[1:]], ["`page_fault_user`", "`refault`"])
        self.assertEqual(census[1], ["100", "0.18", "1.80", "2.73", "15.2"])
        self.assertEqual(scale[1], ["1,000", "190", "120", "0.020%", "6.0"])
        for table in (loops, each, census, scale):
            self.assertEqual({len(l) for l in table}, {len(table[0])})
        self.assertEqual(len(overhead.lines({**record, "each": None, "scale": []})), 2)


def trace(**more):
    """100 pages are left alone for 10 periods and used again, 200 for 4; 50 go after 6 and are never used."""
    return {"period_s": 5.0, "looks": 20, "resident_pages": 1000, "file": {"again": {}, "over": {}},
            "swap": {"again": {"10": 100, "4": 200}, "over": {"6": 50}}, **more}


class Optimum(unittest.TestCase):
    def mib(self, page_periods):
        return page_periods * 4096 / 20 / MIB

    def test_without_promotions_only_what_is_never_used(self):
        self.assertAlmostEqual(optimum.clairvoyant(trace(), 0, 0), self.mib(300))

    def test_the_longest_absences_first(self):
        self.assertAlmostEqual(optimum.clairvoyant(trace(), 60, 0), self.mib(300 + 600))
        self.assertAlmostEqual(optimum.clairvoyant(trace(), 150, 0), self.mib(300 + 1000 + 50 * 4))
        self.assertAlmostEqual(optimum.clairvoyant(trace(), 10**6, 0), self.mib(300 + 1000 + 800))

    def test_it_is_what_trying_everything_finds(self):
        pages = [(10, 1), (10, 1), (7, 1), (4, 1), (4, 1), (2, 1)]
        t = trace(swap={"again": {"10": 2, "7": 1, "4": 2, "2": 1}, "over": {}})
        for promotions in range(7):
            most = max(sum(pages[i][0] for i in range(6) if chosen >> i & 1)
                       for chosen in range(64) if bin(chosen).count("1") <= promotions)
            self.assertAlmostEqual(optimum.clairvoyant(t, promotions, 0), self.mib(most))

    def test_swap_is_worth_what_compression_leaves(self):
        self.assertAlmostEqual(optimum.clairvoyant(trace(), 0, 0.25), self.mib(225))
        self.assertIsNone(optimum.clairvoyant(trace(), 0, None))  # nothing was ever compressed
        only_file = trace(swap={"again": {}, "over": {}}, file={"again": {"3": 10}, "over": {"5": 8}})
        self.assertAlmostEqual(optimum.clairvoyant(only_file, 10, None), self.mib(70))

    def test_what_saves_more_a_promotion_comes_first(self):
        t = trace(file={"again": {"8": 10}, "over": {}}, swap={"again": {"10": 10}, "over": {}})
        self.assertAlmostEqual(optimum.clairvoyant(t, 10, 0.5), self.mib(80))  # 8 periods in full against 10 by half

    def test_the_best_single_age(self):
        # At most 100 promotions: 4 periods and more must be waited for; 100 pages then save 6 of their 10, 50 save 2 of 6.
        saved, age = optimum.best_age(trace(), 100, 0)
        self.assertAlmostEqual(saved, self.mib(600 + 100))
        self.assertEqual(age, 20)
        saved, age = optimum.best_age(trace(), 300, 0)
        self.assertEqual(age, 5)
        self.assertAlmostEqual(saved, self.mib(900 + 600 + 250))
        self.assertEqual(optimum.best_age(trace(), 0, 0), (0.0, None))

    def test_nobody_gets_above_the_frontier(self):
        line = optimum.frontier(trace(), 300, 0)
        self.assertEqual([v for _, v in line], sorted(v for _, v in line))
        for promotions, most in line:
            self.assertLessEqual(optimum.best_age(trace(), promotions, 0)[0], most + 1e-9)

    def test_share_of_a_run(self):
        runs = [result("nothing", 900, 900), result("reporting", 880, 900), result("ebb", 870, 850, cold=100),
                result("trace", 900, 900, trace=trace(looks=20))]
        for r in runs:
            r["work_figures"] = {"operations": 1}
            r["cost"]["app_workingset_refault_anon"] = 60
        figures.with_figures(runs)
        f = runs[2]["figures"]
        self.assertAlmostEqual(f["optimum_mib"], self.mib(900) * 0.75)
        self.assertAlmostEqual(f["of_optimum"], 10 / (self.mib(900) * 0.75))
        self.assertNotIn("of_optimum", runs[3]["figures"])
        self.assertNotIn(("trace", ""), figures.rows(runs)["contiguous"])


class Compare(unittest.TestCase):
    def runs(self, **means):
        """Two repetitions each, 4 MiB apart."""
        return compare.savings([result(c, m + d, 500, n) for c, m in {"nothing": 900, **means}.items()
                                for n, d in ((1, 0), (2, 4))])

    def test_the_same_order(self):
        said, others = compare.lines(self.runs(ebb=500, damo=700), self.runs(ebb=520, damo=690))
        self.assertEqual(others, 0)
        self.assertIn("the same order: ebb 400/380, damo 200/210", said[0])

    def test_another_order(self):
        said, others = compare.lines(self.runs(ebb=500, damo=700), self.runs(ebb=700, damo=500))
        self.assertEqual(others, 1)
        self.assertIn("ebb and damo have changed places", said[1])

    def test_a_small_difference_is_none(self):
        _, others = compare.lines(self.runs(ebb=500, damo=510), self.runs(ebb=510, damo=500))
        self.assertEqual(others, 0)

    def test_nothing_in_common(self):
        self.assertEqual(compare.lines(self.runs(ebb=500), self.runs(damo=500)), ([], 0))


class Plan(unittest.TestCase):
    def setUp(self):
        self.controllers, self.works = plan.parts("controllers"), plan.parts("work")

    def ids(self, *args):
        return [r.id for r in plan.plan(self.controllers, self.works, *args)]

    def test_every_controller_meets_every_work(self):
        ids = self.ids(2, False, False)
        self.assertEqual(len(ids), len(set(ids)))
        for work in self.works:
            for c in self.controllers:
                value = c.values(False, False)[0]
                for repetition in (1, 2):
                    one = f"{work.name}.{c.name}{'-' + value if value else ''}.{repetition}"
                    wanted = c.takes(work) and (repetition == 1 or c.get("role") != "trace")
                    self.assertEqual(one in ids, wanted, one)

    def test_the_order_changes_but_can_be_repeated(self):
        ids = self.ids(2, False, False)
        self.assertEqual(ids, self.ids(2, False, False))
        first, second = [i[:-2] for i in ids if i.endswith(".1")], [i[:-2] for i in ids if i.endswith(".2")]
        self.assertEqual(ids, [i + ".1" for i in first] + [i + ".2" for i in second])
        self.assertNotEqual([i for i in first if i in second], second)

    def test_curves_take_every_value(self):
        ids = self.ids(1, False, True)
        for value in next(c for c in self.controllers if c.name == "ebb").get("values").split():
            self.assertIn(f"contiguous.ebb-{value}.1", ids)

    def test_the_whole_is_each_once_then_some_again_and_the_curves(self):
        ids = [r.id for r in plan.whole(self.controllers, self.works)]
        once = self.ids(1, False, False)
        self.assertEqual(ids[:len(once)], once)
        self.assertEqual(len(ids), len(set(ids)))
        marked = {key: [w.name for w in self.works if w.get(key) == "yes"] for key in ("again", "curves")}
        self.assertTrue(marked["again"] and marked["curves"])
        for work in self.works:
            self.assertEqual(f"{work.name}.nothing.3" in ids, work.name in marked["again"])
            for value in next(c for c in self.controllers if c.name == "ebb").get("values").split():
                if work.name in marked["curves"]:
                    self.assertIn(f"{work.name}.ebb-{value}.1", ids)

    def test_headers_are_whole(self):
        for part in self.controllers + self.works:
            self.assertTrue(part.about and part.get("title"), part.name)
            if part.get("knob"):
                self.assertIn(part.get("default"), part.get("values").split())
                self.assertTrue(part.get("quick"), part.name)
        for work in self.works:
            self.assertIn(work.get("kind"), ("truth", "program"), work.name)


class Tables(unittest.TestCase):
    def setUp(self):
        self.controllers, self.works = plan.parts("controllers"), plan.parts("work")
        self.records = [result("nothing", 900, 900, n, curve=[[0, 900], [60, 900]]) for n in (1, 2)]
        self.records += [result("ebb", m, 450, n, cold=600, value="15") for n, m in ((1, 600), (2, 640))]
        self.records += [result("wsl", m, 800, n, value="30") for n, m in ((1, 630), (2, 700))]
        self.records.append({**result("oracle", 0, 0), "verdict": "SKIP", "reason": "not here"})
        figures.with_figures(self.records)
        ((_, self.lines, self.cost, self.each),) = tables.each_work(self.records, self.controllers, self.works)

    def cell(self, row, column):
        line = next(l for l in self.lines if l[0].startswith(row))
        return line[self.lines[0].index(column)]

    def test_median_spread_and_no_difference(self):
        self.assertEqual(self.cell("ebb", "mean MiB"), "620 (600–640)")
        self.assertEqual(self.cell("drop", "mean MiB"), "665 (630–700) =")
        self.assertEqual(self.cell("nothing", "mean MiB"), "900")

    def test_never_is_said(self):
        self.assertEqual(self.cell("nothing", "returned s"), "never")
        self.assertEqual(self.cell("ebb", "returned s"), "40")

    def test_what_was_left_out_says_why(self):
        self.assertEqual(self.lines[-1], ["oracle", "skip: not here"])
        self.assertIn("skip: not here", tables.plain(self.lines))

    def test_markdown_has_as_many_cells_everywhere(self):
        for lines in (self.lines, self.cost):
            self.assertEqual(len({line.count("|") for line in tables.markdown(lines).splitlines()}), 1)

    def test_each_container_of_a_work_of_several(self):
        self.assertIsNone(self.each)
        runs = [result(c, 900, 900, containers=[{"name": "redis", "majflt": 5, "refaults": n, "stall_us": 0, "peak": 1},
                                                {"name": "build", "majflt": 5, "refaults": 7, "stall_us": 0, "peak": 1}])
                for c, n in (("nothing", 0), ("ebb", 3))]
        for r in runs:
            r["work_figures"]["services"] = {"redis": {"p50_ms": 1, "p99_ms": 4}}
        figures.with_figures(runs)
        ((_, _, _, each),) = tables.each_work(runs, self.controllers, self.works)
        self.assertEqual(each, [["controller", "build: refaults", "redis: refaults", "redis: p99 ms"],
                                ["nothing", "7", "0", "4"], ["ebb", "7", "3", "4"]])

    def test_columns_without_a_figure_go(self):
        self.assertIn("p99 ms", self.cost[0])
        self.assertNotIn("p50 ms", self.cost[0])

    def test_the_picture_is_whole(self):
        picture = xml.dom.minidom.parseString(chart.svg(self.records, self.controllers, self.works, "a & b"))
        lines = picture.getElementsByTagName("polyline")
        self.assertGreaterEqual(len(lines), 3)  # a controller's curve each, but for the one that was skipped
        self.assertEqual(len(picture.getElementsByTagName("circle")), 2)  # savings of those that are not `nothing`

    def test_the_picture_has_what_foresight_would_save(self):
        for r in self.records:
            r["work"] = "redis"
        more = [result("reporting", 880, 880, work="redis"), result("trace", 900, 900, work="redis", trace=trace())]
        runs = figures.with_figures(self.records + more)
        self.assertIn("with foresight", chart.svg(runs, self.controllers, self.works, ""))

    def test_marks_are_round_and_within(self):
        for low, high in ((0, 7), (0, 90), (-20, 845), (0, 1), (0, 12345)):
            marks = chart.Axis(low, high, 0, 100).marks()
            self.assertTrue(2 <= len(marks) <= 12, (low, high, marks))
            self.assertTrue(all(low <= m <= high for m in marks), (low, high, marks))

    def test_the_document_changes_between_its_markers_only(self):
        with tempfile.TemporaryDirectory() as top:
            os.mkdir(os.path.join(top, "docs"))
            path = os.path.join(top, "docs/benchmarks.md")
            with open(path, "w", encoding="utf-8") as f:
                f.write(f"before\n{document.BEGIN}\nwas here\n{document.END}\nafter\n")
            document.write(top, self.records, self.controllers, self.works)
            with open(path, encoding="utf-8") as f:
                text = f.read()
        self.assertTrue(text.startswith("before\n") and text.endswith("\nafter\n"))
        self.assertNotIn("was here", text)
        self.assertIn("| ebb 15 s |", text)
        self.assertIn("2 repetitions", text)


if __name__ == "__main__":
    unittest.main()
