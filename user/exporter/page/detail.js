// SPDX-License-Identifier: GPL-2.0-only
// One container: ages, curves, decisions, in a dialog (the browser keeps the focus in it).
import { Curves, times } from "./curves.js";
import { age, element, fillPairs, fillTable, nameOf, reasonOf, shown, size, stateOf, time } from "./words.js";

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 160;

function rect(className, x, width) {
	const r = document.createElementNS(SVG, "rect");
	r.setAttribute("class", className);
	r.setAttribute("x", x);
	r.setAttribute("y", 0);
	r.setAttribute("width", width);
	r.setAttribute("height", 10);
	return r;
}

function ageList(ages) {
	const list = element("ul", "ages");
	const most = Math.max(1, ...ages.map((a) => a.anon + a.file));
	for (const a of ages) {
		const li = element("li");
		const svg = document.createElementNS(SVG, "svg");
		svg.setAttribute("viewBox", "0 0 100 10");
		svg.setAttribute("preserveAspectRatio", "none");
		svg.setAttribute("aria-hidden", "true");
		const anon = (a.anon * 100) / most;
		svg.append(rect("anon", 0, anon), rect("file", anon, (a.file * 100) / most));
		li.append(element("span", "", a.idle_ms ? `idle ${age(a.idle_ms)} or more` : "in use lately"), svg,
			element("span", "amount", `${size(a.anon)} anonymous, ${size(a.file)} page cache`));
		list.append(li);
	}
	return list;
}

function curves() {
	return {
		size: new Curves($("detail-size"), "Size, cold and compressed memory", [
			{ label: "size", color: "--hot", kind: "bytes" },
			{ label: "cold", color: "--cold", kind: "bytes", fill: true },
			{ label: "compressed", color: "--swapped", kind: "bytes" },
		], HEIGHT),
		promotion: new Curves($("detail-promotion"), "Memory taken, and memory that came back, in each step", [
			{ label: "taken", color: "--cold", kind: "bytes" },
			{ label: "came back", color: "--hot", kind: "bytes" },
		], HEIGHT),
		faults: new Curves($("detail-faults"), "Major faults and time stalled, in each step", [
			{ label: "major faults", color: "--swapped", kind: "count" },
			{ label: "stalled", color: "--hot", kind: "ms" },
		], HEIGHT),
	};
}

export class Detail {
	constructor(fetchHistory) {
		this.fetchHistory = fetchHistory;
		this.id = null;
		this.curves = null;
		$("detail-close").addEventListener("click", () => $("detail").close());
		$("detail").addEventListener("close", () => this.closed());
		// Beside the dialog is the backdrop.
		$("detail").addEventListener("click", (event) => {
			if (event.target === $("detail"))
				$("detail").close();
		});
	}

	open(c) {
		this.id = c.id;
		$("detail-ages").dataset.key = "";
		$("detail-decisions").replaceChildren();
		this.set(c);
		$("detail").showModal();
		this.curves ??= curves();
		this.refresh();
	}

	closed() {
		this.id = null;
		for (const c of Object.values(this.curves ?? {}))
			c.destroy();
		this.curves = null;
	}

	// undefined: it is gone.
	set(c) {
		if (!c) {
			$("detail-state").textContent = "This container is gone.";
			return;
		}
		$("detail-title").textContent = nameOf(c);
		$("detail-state").textContent = `${stateOf(c.state)}: ${reasonOf(c.reason, c.reason_text)}`;
		const latency = c.major_fault_us;
		fillPairs($("detail-facts"), [
			["Size", size(c.bytes)], ["Hot", size(Math.max(0, c.bytes - c.cold))], ["Cold", size(c.cold)],
			["Compressed", size(c.swap)], ["Taken in all", size(c.reclaimed_total)],
			["Came back", size(c.refaulted_total)], ["Protected by a rule", c.protect ? size(c.protect) : "no"],
			["Stalled in all", age(c.stall_us / 1000)], ["Major faults", c.faults.major.toLocaleString()],
			["A major fault takes", latency ? `${age(latency.p50 / 1000)} (half), ${age(latency.p99 / 1000)} (99 of 100)` : "not measured"],
			["Image", shown(c.image) || "–"], ["Runtime", shown(c.runtime) || "–"],
			["Pod", c.pod ? `${shown(c.namespace)}/${shown(c.pod)}` : "–"], ["Watched for", age(c.age_ms)],
			["cgroup", shown(c.path)],
		]);
		const key = JSON.stringify(c.ages);
		if ($("detail-ages").dataset.key !== key) {
			$("detail-ages").dataset.key = key;
			$("detail-ages").replaceChildren(c.ages.length ? ageList(c.ages)
				: element("p", "", "Its ages are not known (yet)."));
		}
	}

	async refresh() {
		const id = this.id;
		if (id === null)
			return;
		const answer = await this.fetchHistory([id]);
		const c = answer?.containers[id];
		if (!c || this.id !== id)
			return;
		const x = times(answer);
		this.curves.size.set([x, c.bytes, c.cold, c.swap]);
		this.curves.promotion.set([x, c.reclaimed, c.refaulted]);
		this.curves.faults.set([x, c.major_faults, c.stall_us.map((us) => (us === null ? null : us / 1000))]);
		fillTable($("detail-decisions"), ["When", "State", "Why", "Step"], c.decisions.slice().reverse().map((d) => [
			time(d.at_ms), stateOf(d.state), reasonOf(d.reason),
			d.action ? `${shown(d.action)}: asked for ${size(d.asked)}, got ${size(d.got)}` : "–",
		]));
	}

	restyle() {
		for (const c of Object.values(this.curves ?? {}))
			c.restyle();
	}
}
