// SPDX-License-Identifier: GPL-2.0-only
// Real Prometheus: node queries.mjs PROMETHEUS DASHBOARD RULES - all jobs are scraped well, every query of
// the dashboard has data, every metric that a rule names is there.
import { readFileSync } from "node:fs";

const [url, dashboard, rules] = process.argv.slice(2);
let failures = 0;

function verdict(good, name, why) {
	failures += !good;
	console.log(good ? `PASS ${name}` : `FAIL ${name}: ${why}`);
}

async function query(expr) {
	const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expr })}`);
	const body = await response.json();
	if (body.status !== "success")
		throw new Error(`${expr}: ${body.error}`);
	return body.data.result;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Rates want a few scrapes.
let up = [];
for (let i = 0; i < 60 && up.length < 2; i++) {
	await pause(500);
	try {
		up = (await query("count_over_time(ebb_up[1m]) >= 6")).map((r) => r.metric.job).sort();
	} catch {
		// It is starting.
	}
}
const targets = (await (await fetch(`${url}/api/v1/targets`)).json()).data.activeTargets;
for (const t of targets)
	verdict(t.health === "up" && (up.includes(t.labels.job) || t.labels.job === "ebb-broker"), `Prometheus reads ${t.labels.job}`, t.lastError || "no samples");

// One sample for what the variables of the dashboard stand for.
const variables = [[/\$__rate_interval/g, "10s"], [/\$__range/g, "1m"], [/\$instance|\$container/g, ".*"]];
const empty = [];
let asked = 0;
for (const panel of JSON.parse(readFileSync(dashboard, "utf8")).panels) {
	for (const target of panel.targets) {
		const expr = variables.reduce((text, [what, by]) => text.replace(what, by), target.expr);
		asked++;
		const result = await query(expr);
		if (!result.length || result.some((r) => r.value[1] === "NaN"))
			empty.push(`${panel.title}: ${expr}`);
	}
}
verdict(!empty.length, `every query of the dashboard has data (${asked})`, empty.join("; "));

const names = new Set(readFileSync(rules, "utf8").split("\n").filter((l) => /^ {10}\S/.test(l) && !/^ +(severity|summary|description):/.test(l))
	.flatMap((l) => l.match(/\bebb_\w+/g) ?? []));
const absent = [];
for (const name of names)
	if (!(await query(name)).length)
		absent.push(name);
verdict(names.size > 10 && !absent.length, `every metric of the rules is there (${names.size})`, absent.join(" "));

const types = (await (await fetch(`${url}/api/v1/metadata`)).json()).data;
const unknown = Object.entries(types).filter(([, all]) => all.some((m) => m.type === "unknown" || !m.help)).map(([n]) => n);
verdict(Object.keys(types).length > 30 && !unknown.length, `every metric has a type and a help (${Object.keys(types).length})`, unknown.join(" "));
process.exitCode = failures ? 1 : 0;
