// SPDX-License-Identifier: GPL-2.0-only
//
// A search service on the JVM: keeps documents and the postings of their words on the heap, and
// answers GET /WORD with the number of documents that have the word and the first ten of them.
//
// usage: java Index PORT MIB SECONDS STATUS_FILE
//
// It indexes until the documents have MIB or SECONDS are over, and then writes the status file.
// Words are as in natural text: few of them are in most documents, most in hardly any.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

public final class Index {
	static final int WORDS = 4096;
	static final int DOCUMENT = 1024; // bytes

	final List<byte[]> documents = new ArrayList<>();
	final int[][] postings = new int[WORDS][16];
	final int[] used = new int[WORDS];
	long seed = 88172645463325252L;

	int random(int below) {
		seed ^= seed << 13;
		seed ^= seed >>> 7;
		seed ^= seed << 17;
		return (int) ((seed >>> 33) % below);
	}

	void post(int word, int document) {
		int n = used[word];
		if (n > 0 && postings[word][n - 1] == document)
			return;
		if (n == postings[word].length)
			postings[word] = Arrays.copyOf(postings[word], 2 * n);
		postings[word][n] = document;
		used[word] = n + 1;
	}

	void add() {
		StringBuilder text = new StringBuilder(DOCUMENT + 16);
		int document = documents.size();
		while (text.length() < DOCUMENT) {
			int word = random(1 + random(WORDS));
			post(word, document);
			text.append('w').append(word).append(' ');
		}
		documents.add(text.toString().getBytes(StandardCharsets.US_ASCII));
	}

	String answer(int word) {
		StringBuilder out = new StringBuilder();
		out.append(used[word]).append('\n');
		for (int i = 0; i < Math.min(10, used[word]); i++)
			out.append(new String(documents.get(postings[word][i]), 0, 128, StandardCharsets.US_ASCII)).append('\n');
		return out.toString();
	}

	void handle(HttpExchange exchange) throws IOException {
		int word = Integer.parseInt(exchange.getRequestURI().getPath().substring(1)) % WORDS;
		byte[] body = answer(word).getBytes(StandardCharsets.US_ASCII);
		exchange.sendResponseHeaders(200, body.length);
		exchange.getResponseBody().write(body);
		exchange.close();
	}

	public static void main(String[] args) throws IOException {
		Index index = new Index();
		long bytes = Long.parseLong(args[1]) << 20;
		long end = System.nanoTime() + Long.parseLong(args[2]) * 1_000_000_000L;
		while ((long) index.documents.size() * DOCUMENT < bytes && System.nanoTime() < end)
			index.add();
		HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 16);
		server.createContext("/", index::handle);
		server.start();
		Files.writeString(Path.of(args[3]), index.documents.size() + "\n");
	}
}
