// SPDX-License-Identifier: GPL-2.0-only
// The page in headless Chromium: node page.mjs DIR (of node_modules) URL FOLDER (of the answers, and
// for the pictures). Each line is PASS or FAIL with a name.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync, renameSync } from "node:fs";

const [modules, url, folder] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const HOSTILE = "<img src=x onerror=alert(1)>\"'\n\u001b[31m\u202egnp";
let failures = 0;

function verdict(good, name, why) {
	if (!good)
		failures++;
	console.log(good ? `PASS ${name}` : `FAIL ${name}: ${why}`);
}

function answers(name) {
	return JSON.parse(readFileSync(`${folder}/${name}.json`, "utf8"));
}

// At once, so that nobody reads a half.
function answer(name, data) {
	writeFileSync(`${folder}/${name}.new`, JSON.stringify(data));
	renameSync(`${folder}/${name}.new`, `${folder}/${name}.json`);
}

const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
const trouble = [];
const foreign = [];

async function open(options) {
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
	const page = await context.newPage();
	page.on("console", (m) => (m.type() === "error" || m.type() === "warning") && trouble.push(m.text()));
	page.on("pageerror", (e) => trouble.push(String(e)));
	page.on("dialog", (d) => { trouble.push(`alert: ${d.message()}`); d.dismiss(); });
	page.on("request", (r) => !r.url().startsWith(url) && !r.url().startsWith("data:") && foreign.push(r.url()));
	page.setDefaultTimeout(15000);
	await page.goto(url);
	await page.locator("#rows tr").first().waitFor();
	await page.locator("#vm-curves canvas").first().waitFor();
	return page;
}

// The browser itself notes each answer of this status.
function expected(status) {
	for (let i = trouble.length - 1; i >= 0; i--)
		if (trouble[i].includes(status))
			trouble.splice(i, 1);
}

async function attempt(name, body) {
	try {
		await body();
		verdict(true, name);
	} catch (error) {
		verdict(false, name, String(error.message ?? error).split("\n").slice(0, 3).join(" "));
	}
}

function must(good, why) {
	if (!good)
		throw new Error(why);
}

async function until(what, check) {
	const end = Date.now() + 15000;
	while (!(await check())) {
		must(Date.now() < end, `not within 15 s: ${what}`);
		await new Promise((done) => setTimeout(done, 200));
	}
}

async function accessible(page, name) {
	await page.evaluate(axe);
	const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
	const bad = found.violations.filter((v) => v.impact === "serious" || v.impact === "critical");
	must(!bad.length, `${name}: ${bad.map((v) => `${v.id} at ${v.nodes.map((n) => n.target).join(" ")}`).join("; ")}`);
}

const names = (page) => page.locator("#rows .open bdi").allTextContents();
const original = answers("list");
const page = await open({ colorScheme: "light" });

await attempt("loads, with every container and its words", async () => {
	must((await names(page)).length === original.length, `${await names(page)}`);
	const row = page.locator("#rows tr", { hasText: "postgres" });
	must((await row.textContent()).includes("Held back: a rule protects the rest"), await row.textContent());
	must((await row.locator(".parts").textContent()).startsWith("hot "), "no parts");
	must((await page.locator("#figures").textContent()).includes("Compressed"), "no figures");
	must((await page.locator("#about").textContent()).includes("6.12"), "no kernel");
});

await attempt("updates by itself, and drops what is gone", async () => {
	const list = answers("list").filter((c) => c.name !== "web");
	list[0].bytes = 777 * 2 ** 20;
	answer("list", list);
	await until("the new size", async () => (await page.locator("#rows").textContent()).includes("777 MiB"));
	await until("no web", async () => !(await names(page)).includes("web"));
});

await attempt("hold still: nothing changes, then it goes on", async () => {
	await page.click("#hold");
	answer("list", original);
	await page.waitForTimeout(4500);
	must(!(await names(page)).includes("web"), "it changed");
	await page.click("#hold");
	await until("web again", async () => (await names(page)).includes("web"));
});

await attempt("find and order", async () => {
	await page.fill("#find", "podman");
	must((await names(page)).join() === "web", (await names(page)).join());
	await page.fill("#find", "nothing of that name");
	must(await page.locator("#empty").isVisible(), "it does not say so");
	await page.fill("#find", "");
	await page.selectOption("#order", "name");
	must((await names(page)).join() === original.map((c) => c.name).sort().join(), (await names(page)).join());
	await page.selectOption("#order", "swap");
	must((await names(page))[0] === "app", (await names(page)).join());
	await page.selectOption("#order", "bytes");
});

await attempt("curves: small ones, the VM's, a day", async () => {
	await until("a small curve", async () =>
		(await page.locator(".spark path").first().getAttribute("d") ?? "").startsWith("M"));
	must((await page.locator("#vm-curves").getAttribute("aria-label")).includes("in use now "), "no description");
	const legend = async () => (await page.locator("#vm-curves .u-legend").textContent()).replace(/\s+/g, " ");
	await until("the last figures in the legend", async () => /in use:? ?[0-9.]+ [MG]iB/.test(await legend()));
	const box = await page.locator("#vm-curves .u-over").boundingBox();
	await page.mouse.move(box.x + box.width - 2, box.y + 20);
	await page.mouse.move(box.x + box.width / 2, box.y + box.height + 300);
	must(/in use:? ?[0-9.]+ [MG]iB/.test(await legend()), `after the pointer has left: ${await legend()}`);
	// The day has a point for each five minutes that are over: mostly none yet, and what the short curve says besides.
	const asked = page.waitForResponse((answer) => answer.url().includes("span=day"));
	await page.selectOption("#span", "day");
	const day = await (await asked).json();
	must(day.step_s === 300, `not the day: a point every ${day.step_s} s`);
	const words = day.machine.used.some((v) => v !== null) ? "in use now " : "in use: not known";
	await until("the day", async () => (await page.locator("#vm-curves").getAttribute("aria-label")).includes(words));
	await page.selectOption("#span", "recent");
	await until("recent", async () => (await page.locator("#vm-curves").getAttribute("aria-label")).includes("in use now "));
	await page.locator("summary").first().click();
	must(await page.locator("#vm-table tbody tr").count() > 0, "no table");
	await page.locator("summary").first().click();
});

await attempt("details by the keyboard alone", async () => {
	const button = page.locator("#rows .open", { hasText: "app" });
	await button.focus();
	await page.keyboard.press("Enter");
	await page.locator("#detail[open]").waitFor();
	must((await page.locator("#detail-title").textContent()) === "app", "another container");
	must(await page.locator("#detail-ages li").count() > 0, "no ages");
	await page.locator("#detail-size canvas").waitFor();
	await page.locator("#detail-promotion canvas").waitFor();
	await page.locator("#detail-faults canvas").waitFor();
	must(await page.locator("#detail-decisions tbody tr").count() > 0, "no decisions");
	await accessible(page, "details");
	await page.screenshot({ path: `${folder}/detail-light.png` });
	await page.keyboard.press("Escape");
	await page.locator("#detail[open]").waitFor({ state: "detached" });
	must(await button.evaluate((b) => b === document.activeElement), "the focus is lost");
	await page.keyboard.press("Enter");
	await page.click("#detail-close");
	must(!(await page.locator("#detail").isVisible()), "Close does not close");
});

await attempt("hostile names are shown, and do nothing", async () => {
	answer("list", original.map((c, i) => ({ ...c, name: i ? HOSTILE.repeat(i === 1 ? 250 : 1) : c.name, image: HOSTILE,
		runtime: HOSTILE, pod: HOSTILE, namespace: HOSTILE, path: HOSTILE.repeat(250), state: HOSTILE, reason: HOSTILE, reason_text: HOSTILE,
		last: { action: HOSTILE, asked: 1, got: 1, error: HOSTILE, timed_out: false, ended_ms: 1 } })));
	await until("the name", async () => (await names(page)).some((n) => n.includes("onerror=alert(1)>")));
	must((await names(page)).every((n) => !/[\n\u001b\u202e]/.test(n)), "it acts");
	must(await page.locator("#rows img").count() === 0, "an element came of it");
	const hostile = page.locator("#rows .open", { hasText: "onerror" }).first();
	await hostile.click();
	await page.locator("#detail-faults canvas").waitFor();
	await until("the decision", async () => (await page.locator("#detail-decisions").textContent()).includes("onerror"));
	must(await page.locator("img").count() === 0, "an element came of it");
	must(!/[\u001b\u202e]/.test(await page.locator("body").textContent()), "a character acts");
	must(await page.evaluate(() => document.getElementById("detail").scrollWidth <= innerWidth), "the details are pushed wide");
	await page.keyboard.press("Escape");
	must(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it pushes the page wide");
	answer("list", original);
	await until("the old names", async () => (await names(page)).includes("web"));
});

await attempt("colours: as the system, light, dark, kept", async () => {
	const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	must((await back()) === "rgb(255, 255, 255)", await back());
	await page.selectOption("#theme", "dark");
	must((await back()) === "rgb(16, 24, 28)", await back());
	await page.reload();
	await page.locator("#rows tr").first().waitFor();
	must((await back()) === "rgb(16, 24, 28)", "forgotten");
	await accessible(page, "dark");
	await page.screenshot({ path: `${folder}/wide-dark.png`, fullPage: true });
	await page.selectOption("#theme", "auto");
	must((await back()) === "rgb(255, 255, 255)", await back());
	await accessible(page, "light");
	await page.screenshot({ path: `${folder}/wide-light.png`, fullPage: true });
});

await attempt("ebbd away: it says so, and comes back by itself", async () => {
	const status = answers("status");
	trouble.length = trouble.filter((t) => !t.includes("503")).length;
	answer("status", []);
	await until("the notice", async () => (await page.locator("#notice").isVisible()));
	must((await names(page)).length === original.length, "the old figures are gone");
	answer("status", status);
	await until("no notice", async () => !(await page.locator("#notice").isVisible()));
	expected("503");
});

await attempt("a refusal that is no JSON is shown in its words", async () => {
	// The exporter refuses the method before it looks at the path.
	await page.route("**/api/status", (route) => route.continue({ method: "POST" }));
	await until("its words", async () =>
		(await page.locator("#notice").textContent()).includes("No news: only GET and HEAD. What"));
	await page.unroute("**/api/status");
	await until("no notice", async () => !(await page.locator("#notice").isVisible()));
	expected("405");
});

await attempt("500 containers: paged, smooth", async () => {
	const many = [];
	for (let i = 0; i < 500; i++)
		many.push({ ...original[i % original.length], id: String(5000 + i), name: `c-${String(i).padStart(3, "0")}`, bytes: (500 - i) * 2 ** 20 });
	answer("list", many);
	await until("500", async () => (await page.locator("#page").textContent()) === "1 to 50 of 500");
	must(await page.locator("#rows tr").count() === 50, "rows");
	await page.click("#later");
	must((await page.locator("#page").textContent()) === "51 to 100 of 500", "no second page");
	must((await names(page))[0] === "c-050", (await names(page))[0]);
	await page.click("#earlier");
	must(await page.locator("#earlier").isDisabled(), "before the first page");
	// Work of the main thread while it updates by itself: tasks that a person feels are long.
	const long = await page.evaluate(() => new Promise((done) => {
		const all = [];
		const observer = new PerformanceObserver((l) => all.push(...l.getEntries().map((e) => e.duration)));
		observer.observe({ type: "longtask" });
		setTimeout(() => { observer.disconnect(); done(all); }, 7000);
	}));
	must(long.every((ms) => ms < 400), `tasks of ${long.map(Math.round)} ms`);
	await page.screenshot({ path: `${folder}/many-light.png` });
});

await attempt("a phone", async () => {
	answer("list", original);
	const phone = await open({ viewport: { width: 375, height: 740 }, colorScheme: "dark", isMobile: true, hasTouch: true });
	await until("the list", async () => (await names(phone)).length === original.length);
	must(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it is wider than the screen");
	await until("a small curve", async () =>
		(await phone.locator(".spark path").first().getAttribute("d") ?? "").startsWith("M"));
	must(await phone.locator("#rows .open").evaluateAll((all) => all.every((b) => b.scrollWidth <= b.clientWidth)), "a name is cut");
	await phone.screenshot({ path: `${folder}/phone-dark.png`, fullPage: true });
	await accessible(phone, "phone");
	await phone.locator("#rows .open", { hasText: "app" }).tap();
	await phone.locator("#detail-faults canvas").waitFor();
	must(await phone.evaluate(() => document.getElementById("detail").scrollWidth <= innerWidth), "the details are too wide");
	await phone.screenshot({ path: `${folder}/phone-detail.png` });
});

verdict(!trouble.length, "no error on the console", trouble.slice(0, 5).join(" | "));
verdict(!foreign.length, "nothing is asked of elsewhere", foreign.slice(0, 5).join(" "));
await browser.close();
process.exitCode = failures ? 1 : 0;
