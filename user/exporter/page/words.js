// SPDX-License-Identifier: GPL-2.0-only
// Figures and codes, as people read them.

const UNITS = ["B", "K", "M", "G", "T", "P"];

export function size(bytes) {
	if (bytes === null || bytes === undefined)
		return "–";
	let unit = 0;
	let value = bytes;
	while (value >= 1024 && unit < UNITS.length - 1) {
		value /= 1024;
		unit++;
	}
	const digits = value < 10 && unit > 0 ? 1 : 0;
	return `${value.toFixed(digits)} ${UNITS[unit]}${unit ? "iB" : ""}`;
}

export function age(ms) {
	if (ms < 1000)
		return `${Math.round(ms)} ms`;
	const s = ms / 1000;
	if (s < 120)
		return `${Math.round(s)} s`;
	if (s < 7200)
		return `${Math.round(s / 60)} min`;
	if (s < 172800)
		return `${Math.round(s / 3600)} h`;
	return `${Math.round(s / 86400)} d`;
}

export function time(ms) {
	return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

// What acts on a line rather than being shown in it is spelled out; the rest is only ever set as text.
export function shown(text) {
	return String(text ?? "").replace(
		/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
		(c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export function nameOf(c) {
	return shown(c.name) || `container ${shown(c.id)}`;
}

const STATES = {
	starting: "Starting", watched: "Watched", reclaiming: "Reclaiming", settled: "Settled",
	held: "Held back", off: "Left alone", paused: "Paused", empty: "Empty",
};

export function stateOf(code) {
	return STATES[code] ?? shown(code);
}

const REASONS = {
	none: "nothing to report", cold: "taking what is cold", exit: "its last process is gone",
	probe: "ages unknown: small step", stranded: "free memory is scattered", starting: "still growing",
	learning: "learning its ages", "nothing-cold": "all of it is in use",
	"huge-pages": "huge pages hide the cold", "psi-memory": "it waits for memory",
	"psi-io": "it waits for the disk", refaults: "too much of it came back",
	"swap-full": "swap is nearly full", "no-swap": "no swap to put it in",
	protected: "a rule protects the rest", off: "a rule leaves it alone", paused: "paused by hand",
	busy: "the last step goes on", shortfall: "less than it looked like", failed: "failed, will try again",
	cap: "the cap leaves no more",
};

export function reasonOf(code, text) {
	return shown(text) || REASONS[code] || shown(code);
}

export function element(tag, className, text) {
	const e = document.createElement(tag);
	if (className)
		e.className = className;
	if (text !== undefined)
		e.textContent = text;
	return e;
}

// A list of [term, value] as the children of a dl; what did not change stays.
export function fillPairs(dl, pairs) {
	const key = JSON.stringify(pairs);
	if (dl.dataset.key === key)
		return;
	dl.dataset.key = key;
	dl.replaceChildren(...pairs.map(([term, value]) => {
		const div = element("div");
		const dd = element("dd");
		const bdi = element("bdi", "", value);
		dd.append(bdi);
		div.append(element("dt", "", term), dd);
		return div;
	}));
}

export function fillTable(table, heads, rows) {
	const head = element("thead");
	const tr = element("tr");
	tr.append(...heads.map((text) => {
		const th = element("th", "", text);
		th.scope = "col";
		return th;
	}));
	head.append(tr);
	const body = element("tbody");
	body.append(...rows.map((cells) => {
		const row = element("tr");
		row.append(...cells.map((text) => element("td", "", text)));
		return row;
	}));
	table.replaceChildren(head, body);
}
