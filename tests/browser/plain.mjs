// SPDX-License-Identifier: GPL-2.0-only
// plain.mjs PORT URL: passes requests on without their Accept, so that Prometheus gets the older format.
import { createServer } from "node:http";

const [port, url] = process.argv.slice(2);

createServer(async (request, response) => {
	try {
		const answer = await fetch(url + request.url, { headers: { accept: "text/plain" } });
		response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") });
		response.end(Buffer.from(await answer.arrayBuffer()));
	} catch (error) {
		response.writeHead(502);
		response.end(String(error));
	}
}).listen(Number(port), "127.0.0.1", () => console.log("listening"));
