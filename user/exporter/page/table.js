// SPDX-License-Identifier: GPL-2.0-only
// The containers: found, ordered, a page at a time; a row is made once and then changed.
import { element, nameOf, reasonOf, shown, size, stateOf } from "./words.js";
import { setSpark, spark } from "./curves.js";

export const PAGE = 50;

const $ = (id) => document.getElementById(id);

function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

function part(className) {
	return element("span", className);
}

class Row {
	constructor(id, onOpen) {
		this.id = id;
		this.tr = element("tr");
		this.button = element("button", "open");
		this.button.type = "button";
		this.button.setAttribute("aria-haspopup", "dialog");
		this.button.addEventListener("click", () => onOpen(id));
		this.name = element("bdi");
		this.button.append(this.name);
		this.image = element("div", "image");
		const th = element("th");
		th.scope = "row";
		th.append(this.button, this.image);
		this.bytes = element("td", "number");
		this.bar = element("div", "bar");
		this.bar.setAttribute("aria-hidden", "true");
		this.hot = part("hot");
		this.cold = part("cold");
		this.swapped = part("swapped");
		this.bar.append(this.hot, this.cold, this.swapped);
		this.parts = element("div", "parts");
		const split = element("td");
		split.append(this.bar, this.parts);
		this.spark = spark();
		const curve = element("td");
		curve.append(this.spark);
		this.state = element("span", "state");
		this.reason = element("span");
		const why = element("td");
		why.append(this.state, ": ", this.reason);
		this.tr.append(th, this.bytes, split, curve, why);
	}

	set(c, scale) {
		const hot = Math.max(0, c.bytes - c.cold);
		setText(this.name, nameOf(c));
		this.button.title = nameOf(c);
		const of = [c.runtime, c.image, c.pod && `${c.namespace ?? ""}/${c.pod}`];
		setText(this.image, of.filter(Boolean).map(shown).join(" · "));
		this.image.title = this.image.textContent;
		setText(this.bytes, size(c.bytes));
		// Bars of one page share a scale: the longest is the largest with what it has in swap.
		this.hot.style.width = `${(hot * 100) / scale}%`;
		this.cold.style.width = `${(Math.min(c.cold, c.bytes) * 100) / scale}%`;
		this.swapped.style.width = `${(c.swap * 100) / scale}%`;
		setText(this.parts, `hot ${size(hot)}, cold ${size(c.cold)}, compressed ${size(c.swap)}`);
		setText(this.state, stateOf(c.state));
		setText(this.reason, reasonOf(c.reason, c.reason_text));
	}
}

function matches(c, words) {
	if (!words.length)
		return true;
	const text = [c.name, c.image, c.runtime, c.pod, c.namespace, c.path, stateOf(c.state), c.state,
		c.reason, c.reason_text].join(" ").toLowerCase();
	return words.every((word) => text.includes(word));
}

function compare(key) {
	if (key === "name" || key === "state")
		return (a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : a.id - b.id);
	return (a, b) => b[key] - a[key] || a.id - b.id;
}

export class Table {
	constructor(onOpen, onPage) {
		this.onOpen = onOpen;
		this.onPage = onPage;
		this.rows = new Map();
		this.list = [];
		this.page = 0;
		this.shownIds = [];
		$("find").addEventListener("input", () => this.turn(0));
		$("order").addEventListener("change", () => this.turn(0));
		$("earlier").addEventListener("click", () => this.turn(this.page - 1));
		$("later").addEventListener("click", () => this.turn(this.page + 1));
	}

	turn(page) {
		this.page = page;
		this.draw();
		this.onPage(this.shownIds);
	}

	set(list) {
		this.list = list;
		this.draw();
	}

	draw() {
		const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
		const found = this.list.filter((c) => matches(c, words)).sort(compare($("order").value));
		const pages = Math.max(1, Math.ceil(found.length / PAGE));
		this.page = Math.min(Math.max(0, this.page), pages - 1);
		const now = found.slice(this.page * PAGE, (this.page + 1) * PAGE);
		const scale = Math.max(1, ...now.map((c) => c.bytes + c.swap));
		const focused = document.activeElement;
		const rows = now.map((c) => {
			const row = this.rows.get(c.id) ?? new Row(c.id, this.onOpen);
			this.rows.set(c.id, row);
			row.set(c, scale);
			return row;
		});
		const body = $("rows");
		rows.forEach((row, i) => {
			if (body.children[i] !== row.tr)
				body.insertBefore(row.tr, body.children[i] ?? null);
		});
		while (body.children.length > rows.length)
			body.lastChild.remove();
		// Rows that are not shown need not stay; a thousand of them would.
		const keep = new Set(now.map((c) => c.id));
		for (const id of this.rows.keys())
			if (!keep.has(id))
				this.rows.delete(id);
		// A row that moved has lost the focus.
		if (focused && focused !== document.activeElement && focused.isConnected)
			focused.focus({ preventScroll: true });
		this.shownIds = now.map((c) => c.id);
		const from = found.length ? this.page * PAGE + 1 : 0;
		setText($("page"), `${from} to ${from ? from + now.length - 1 : 0} of ${found.length}`);
		$("earlier").disabled = this.page === 0;
		$("later").disabled = this.page >= pages - 1;
		$("empty").hidden = found.length > 0;
		$("list").hidden = found.length === 0;
	}

	setHistory(answer) {
		for (const [id, curves] of Object.entries(answer.containers)) {
			const row = this.rows.get(id);
			if (row)
				setSpark(row.spark, curves.bytes);
		}
	}
}
