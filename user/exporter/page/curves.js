// SPDX-License-Identifier: GPL-2.0-only
// Curves with uPlot: one object a place, fed anew with each answer.
import { size, time } from "./words.js";

const SERIES_DASH = [undefined, [8, 4], [2, 3], [10, 3, 2, 3]];

function css(name) {
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// What an axis or the legend shows of a value of this kind.
const SHOWN = {
	bytes: size,
	count: (v) => (v === null || v === undefined ? "–" : v.toLocaleString()),
	ms: (v) => (v === null || v === undefined ? "–" : `${v.toLocaleString()} ms`),
};

const MIDNIGHT = new Intl.DateTimeFormat([], { day: "numeric", month: "short" });
const MINUTE = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

// Marks of the axis: times of 24 hours, and the day where it begins.
function marks(u, all, axis, space, step) {
	return all.map((s) => {
		const d = new Date(s * 1000);
		if (step >= 3600 && !d.getHours() && !d.getMinutes())
			return MIDNIGHT.format(d);
		return step < 60 ? time(d) : MINUTE.format(d);
	});
}

// The last point of which something is known.
function latest(u) {
	for (let i = u.data[0].length - 1; i >= 0; i--)
		if (u.data.some((column, s) => s && column[i] !== null && column[i] !== undefined))
			return i;
	return null;
}

// Steps of sizes: powers of two.
function byteIncrements() {
	const all = [];
	for (let i = 0; i < 50; i++)
		all.push(2 ** i);
	return all;
}

export class Curves {
	// series: [{ label, color, kind, fill }]; the first kind rules the left axis, another one the right.
	constructor(place, label, series, height) {
		this.place = place;
		this.label = label;
		this.series = series;
		this.height = height;
		this.plot = null;
		this.data = null;
		this.observer = new ResizeObserver(() => this.resize());
		this.observer.observe(place);
		place.setAttribute("role", "img");
	}

	width() {
		return Math.max(200, this.place.clientWidth);
	}

	resize() {
		if (this.plot && this.plot.width !== this.width())
			this.plot.setSize({ width: this.width(), height: this.height });
	}

	axes() {
		const kinds = [...new Set(this.series.map((s) => s.kind))];
		const stroke = css("--soft");
		const grid = { stroke: css("--line"), width: 1 };
		const axes = [{ stroke, grid, ticks: grid, values: marks, space: 70, size: 32 }];
		kinds.forEach((kind, i) => axes.push({
			scale: kind, stroke, ticks: grid, side: i ? 1 : 3, size: 68, grid: i ? { show: false } : grid,
			values: (u, all) => all.map((v) => SHOWN[kind](v)),
			...(kind === "bytes" ? { incrs: byteIncrements() } : {}),
		}));
		return axes;
	}

	scales() {
		const scales = { x: { time: true } };
		for (const s of this.series)
			scales[s.kind] = { range: (u, min, max) => [0, Math.max(max || 0, s.kind === "bytes" ? 1 << 20 : 1) * 1.05] };
		return scales;
	}

	draw() {
		const options = {
			width: this.width(), height: this.height, axes: this.axes(), scales: this.scales(),
			legend: { live: true }, cursor: { drag: { x: false, y: false } },
			hooks: { setCursor: [(u) => u.cursor.idx ?? this.showLatest(u)] },
			series: [{ label: "Time", value: (u, v) => (v === null || v === undefined ? "–" : time(v * 1000)) }, ...this.series.map((s, i) => ({
				label: s.label, scale: s.kind, stroke: css(s.color), width: 2, dash: SERIES_DASH[i % 4],
				fill: s.fill ? `${css(s.color)}38` : undefined,
				value: (u, v) => SHOWN[s.kind](v), points: { show: false }, spanGaps: false,
			}))],
		};
		this.plot?.destroy();
		this.plot = new window.uPlot(options, this.data, this.place);
		this.showLatest(this.plot);
	}

	// While nobody points at a moment, the legend has the last one.
	showLatest(u) {
		const idx = latest(u);
		if (idx !== null)
			u.setLegend({ idx }, false);
	}

	// columns: times in seconds, then an array a series.
	set(columns) {
		this.data = columns;
		if (this.plot) {
			this.plot.setData(columns);
			if (this.plot.cursor.idx === null || this.plot.cursor.idx === undefined)
				this.showLatest(this.plot);
		} else {
			this.draw();
		}
		this.describe();
	}

	describe() {
		const words = this.series.map((s, i) => {
			const known = this.data[i + 1].filter((v) => v !== null && v !== undefined);
			if (!known.length)
				return `${s.label}: not known`;
			return `${s.label} now ${SHOWN[s.kind](known[known.length - 1])}, ` +
				`lowest ${SHOWN[s.kind](Math.min(...known))}, highest ${SHOWN[s.kind](Math.max(...known))}`;
		});
		this.place.setAttribute("aria-label", `${this.label}. ${words.join("; ")}.`);
	}

	// Colours are read when drawing.
	restyle() {
		if (this.plot)
			this.draw();
	}

	destroy() {
		this.observer.disconnect();
		this.plot?.destroy();
		this.plot = null;
	}
}

export function times(answer) {
	return Array.from({ length: answer.points }, (_, i) => answer.start_ms / 1000 + i * answer.step_s);
}

const SVG = "http://www.w3.org/2000/svg";

export function spark() {
	const svg = document.createElementNS(SVG, "svg");
	svg.setAttribute("class", "spark");
	svg.setAttribute("viewBox", "0 0 100 24");
	svg.setAttribute("preserveAspectRatio", "none");
	svg.setAttribute("role", "img");
	svg.append(document.createElementNS(SVG, "path"));
	return svg;
}

export function setSpark(svg, values) {
	const known = values.filter((v) => v !== null);
	const high = Math.max(1, ...known) * 1.05;
	let path = "";
	let pen = false;
	values.forEach((v, i) => {
		if (v === null) {
			pen = false;
			return;
		}
		const x = values.length > 1 ? (i * 100) / (values.length - 1) : 0;
		const y = 23 - (v / high) * 22;
		path += `${pen ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
		// A point alone is a short line.
		if (!pen && (i + 1 >= values.length || values[i + 1] === null))
			path += "h1";
		pen = true;
	});
	svg.firstChild.setAttribute("d", path);
	svg.setAttribute("aria-label", known.length
		? `from ${size(known[0])} to ${size(known[known.length - 1])}, highest ${size(Math.max(...known))}`
		: "not known yet");
}
