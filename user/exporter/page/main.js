// SPDX-License-Identifier: GPL-2.0-only
// Asks, and hands on what came. Nothing is asked while nobody looks.
import { Curves, times } from "./curves.js";
import { Detail } from "./detail.js";
import { Table } from "./table.js";
import { age, fillPairs, fillTable, shown, size, time } from "./words.js";

const FIGURES_MS = 3000;
const CURVES_MS = 10000;
const IDS_AT_ONCE = 50;

const $ = (id) => document.getElementById(id);
const state = { list: [], held: false, figures: 0, curves: 0 };

function notice(text) {
	if ($("notice").textContent !== text)
		$("notice").textContent = text;
	$("notice").hidden = !text;
}

async function ask(path) {
	const response = await fetch(path, { cache: "no-store" });
	if (response.ok)
		return response.json();
	// JSON where the path's own answer is; a refusal before that, or by a proxy, is text.
	let why = (await response.text()).trim();
	try {
		why = JSON.parse(why).error;
	} catch {
		// It is as it stands.
	}
	throw new Error(why ? String(why).slice(0, 200) : `status ${response.status}`);
}

function history(ids) {
	const query = new URLSearchParams({ span: $("span").value });
	if (ids.length)
		query.set("id", ids.slice(0, IDS_AT_ONCE).join(","));
	return ask(`/api/history?${query}`);
}

const vmCurves = new Curves($("vm-curves"), "Memory of the VM", [
	{ label: "size of the VM", color: "--soft", kind: "bytes" },
	{ label: "in use", color: "--hot", kind: "bytes", fill: true },
	{ label: "returned or returnable", color: "--good", kind: "bytes" },
	{ label: "compressed", color: "--swapped", kind: "bytes" },
], 240);
const detail = new Detail(history);
const table = new Table(
	(id) => {
		const c = state.list.find((one) => one.id === id);
		if (c)
			detail.open(c);
	},
	() => drawRowCurves().catch(away));

function drawStatus(s) {
	const m = s.memory;
	const used = Math.max(0, m.total - m.available);
	$("about").textContent = `ebbd ${shown(s.version)} on Linux ${shown(s.kernel)}, up ${age(s.uptime_ms)}` +
		`${s.paused ? ", paused by hand" : ""}${s.dry_run ? ", dry run: it changes nothing" : ""}`;
	const figures = [
		["VM", size(m.total)], ["In use", size(used)],
		["Page cache to spare", size(Math.max(0, m.available - m.free))],
		[m.reporting ? "Free, goes to the host" : "Free, stays here", size(m.reporting ? m.free_reportable : m.free)],
		["Free, scattered", size(Math.max(0, m.free - m.free_reportable))],
		["Compressed", m.compressed_original ? `${size(m.compressed_original)} in ${size(m.compressed)}` : "nothing"],
		["Taken", size(s.totals.reclaimed)], ["Came back", size(s.totals.refaulted)],
		["Left by exits", size(s.totals.exit_reclaimed)], ["Given back in all", size(s.totals.returned)],
	];
	if (s.config?.cap)
		figures.splice(1, 0, ["Cap", size(s.config.cap)]);
	if (s.balloon?.target)
		figures.splice(1, 0, ["Balloon target", size(s.balloon.target)]);
	if (s.balloon?.resident)
		figures.splice(1, 0, ["Held of the host", size(s.balloon.resident)]);
	fillPairs($("figures"), figures);
	$("vm-caption").textContent = m.reporting
		? "Returned or returnable: free memory in blocks that page reporting hands to the host."
		: "Free memory stays here: this VM has no page reporting (ebb doctor).";
	fillTable($("rungs"), ["What", "By which means", "Best there is", "What is lost, and the remedy"],
		s.rungs.map((r) => [shown(r.data), shown(r.rung), r.best ? "yes" : "no",
			r.best ? "–" : shown([r.without, r.remedy].filter(Boolean).join("; "))]));
}

function drawVm(answer) {
	const m = answer.machine;
	const x = times(answer);
	vmCurves.set([x, m.total, m.used, m.free_reportable, m.compressed]);
	const rows = x.map((t, i) => [time(t * 1000), size(m.total[i]), size(m.used[i]), size(m.free_reportable[i]),
		size(m.compressed[i]), size(m.reclaimed[i]), size(m.refaulted[i])])
		.filter((_, i) => m.total[i] !== null);
	fillTable($("vm-table"), ["Time", "VM", "In use", "Returned or returnable", "Compressed", "Taken", "Came back"],
		rows.slice(-60).slice().reverse());
}

async function drawRowCurves() {
	if (table.shownIds.length)
		table.setHistory(await history(table.shownIds));
}

async function figures() {
	const [status, list] = await Promise.all([ask("/api/status"), ask("/api/list")]);
	state.list = list;
	drawStatus(status);
	const before = table.shownIds.join();
	table.set(list);
	if (detail.id !== null)
		detail.set(list.find((c) => c.id === detail.id));
	notice("");
	return before !== table.shownIds.join();
}

// An answer that comes late is of another span than is chosen by now.
let asked = 0;

async function curves() {
	const mine = ++asked;
	const answer = await history([]);
	if (mine !== asked)
		return;
	drawVm(answer);
	await Promise.all([drawRowCurves(), detail.refresh()]);
}

function away(error) {
	const why = error instanceof TypeError ? "ebb-exporter does not answer" : error.message;
	notice(`No news: ${shown(why)}. What is shown is old; trying again.`);
}

// One round at a time, however slow the answers are.
async function round() {
	const now = performance.now();
	if (!document.hidden && !state.held) {
		try {
			const others = now >= state.figures && await figures();
			if (now >= state.figures)
				state.figures = now + FIGURES_MS;
			if (others || now >= state.curves) {
				state.curves = now + CURVES_MS;
				await curves();
			}
		} catch (error) {
			state.figures = now + FIGURES_MS;
			away(error);
		}
	}
	setTimeout(round, 500);
}

function applyTheme(theme) {
	if (theme === "auto")
		delete document.documentElement.dataset.theme;
	else
		document.documentElement.dataset.theme = theme;
	vmCurves.restyle();
	detail.restyle();
}

$("theme").addEventListener("change", () => {
	try {
		localStorage.setItem("ebb-theme", $("theme").value);
	} catch {
		// No storage: it holds until the page is left.
	}
	applyTheme($("theme").value);
});
$("span").addEventListener("change", () => curves().catch(away));
$("hold").addEventListener("click", () => {
	state.held = !state.held;
	state.figures = 0;
	$("hold").setAttribute("aria-pressed", String(state.held));
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => applyTheme($("theme").value));
document.addEventListener("visibilitychange", () => {
	state.figures = 0;
});

try {
	const kept = localStorage.getItem("ebb-theme");
	if (kept === "light" || kept === "dark") {
		$("theme").value = kept;
		document.documentElement.dataset.theme = kept;
	}
} catch {
	// No storage: the system's colours.
}
round();
