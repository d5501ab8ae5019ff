// The Node service: starts hungry, as such services do, and then idles. It renders its pages into
// memory once; of them only the front page and one other are ever asked for.
// Usage: node service.js PORT MIB SECONDS STATUS_FILE; it warms until MIB or SECONDS are over.
'use strict';
const http = require('http');
const fs = require('fs');

const [port, mib, seconds] = process.argv.slice(2, 5).map(Number);
const status = process.argv[5];
const end = Date.now() + seconds * 1000;
const PAGE = 64 * 1024;
const pages = [];

// Pages as a shop may render them; they compress as text does, and none is like another.
let seed = 1;
function random(n)
{
	seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
	return Math.floor(seed / 4294967296 * n);
}
const states = ['pending', 'delivered', 'returned', 'paid'];
const text = Buffer.from(Array.from({ length: 8000 }, () =>
	`<li class="order"><a href="/order/${random(1e6)}">${states[random(4)]}</a> ` +
	`<span class="amount">${random(900)}.${random(100)} EUR</span></li>\n`).join(''));

// Pieces of the text from anywhere: none costs more than a copy. Many at once, as V8 collects
// garbage when so many buffers have come.
function render(count)
{
	const slab = Buffer.allocUnsafeSlow(count * PAGE);

	for (let at = 0; at < slab.length; at += PAGE) {
		const from = random(text.length - PAGE);
		text.copy(slab, at, from, from + PAGE);
		pages.push(slab.subarray(at, at + PAGE));
	}
}

const server = http.createServer((request, response) => {
	const page = pages[Number(request.url.slice(1))] || pages[0];
	response.end(page.subarray(0, 4096));
});

function warm()
{
	if (pages.length * PAGE < mib << 20 && Date.now() < end) {
		render(32);
		return setImmediate(warm);
	}
	server.listen(port, '127.0.0.1', () => fs.writeFileSync(status, `${pages.length}\n`));
}

warm();
