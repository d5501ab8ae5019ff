// SPDX-License-Identifier: GPL-2.0-only
/* One page, self-contained: the picture, the figures as text, what each of them means. */
#include <stdlib.h>

#include "report.h"
#include "summary.h"
#include "words.h"

static void summary_block(FILE *out, const struct model *m)
{
	char *text = NULL;
	size_t len = 0;
	FILE *mem = open_memstream(&text, &len);

	if (!mem)
		return;
	summary_print(mem, m);
	fclose(mem);
	fputs("<pre>", out);
	if (text)
		xml_text(out, text);
	fputs("</pre>\n", out);
	free(text);
}

static void moments(FILE *out, const struct model *m)
{
	char when[16];

	fputs("<h2>What happened</h2>\n<table>\n", out);
	for (size_t i = 0; i < m->nr_marks; i++) {
		const struct mark *k = &m->marks[i];

		fprintf(out, "<tr><td>%s</td><td>", clock_words(k->t, when, sizeof(when)));
		xml_text(out, k->name);
		fputs("</td><td>", out);
		xml_text(out, k->text);
		fputs("</td></tr>\n", out);
	}
	fputs("</table>\n", out);
}

void html_write(FILE *out, const struct model *m)
{
	fputs("<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
	      "<meta name='viewport' content='width=device-width'><title>ebb demo</title>\n"
	      "<style>:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;"
	      "color:#22272e;background:#fff;max-width:1200px;margin:2em auto;padding:0 1em}"
	      "svg{width:100%;height:auto}pre{background:#f5f7f9;padding:1em;overflow-x:auto}"
	      "td{padding:.15em .9em .15em 0;vertical-align:top}"
	      "h2{font-size:1.15em;margin-top:2em}@media (prefers-color-scheme:dark){"
	      "body{color:#e6edf3;background:#0d1117}pre{background:#161b22}}</style></head>"
	      "<body>\n",
	      out);
	svg_write(out, m);
	fputs("<h2>In figures</h2>\n", out);
	summary_block(out, m);
	moments(out, m);
	fputs("<h2>How to read this</h2>\n<ul>\n"
	      "<li>What the VM holds is measured on the host: the blocks that are allocated in the "
	      "file that is its RAM, five times a second.</li>\n"
	      "<li>The dashed line is the highest value so far: a VM that keeps what it once "
	      "touched. It is a lower bound for a run without ebb, as memory that was given back "
	      "and used again counts once.</li>\n"
	      "<li>Taken and came back are ebb's own counts; memory that came back was needed "
	      "after all, and the container waited for it to be decompressed or read.</li>\n"
	      "<li>Latency is measured by a client inside the VM. Before and after compare only "
	      "seconds in which no other container started or ran a build on the same CPUs.</li>\n"
	      "</ul>\n</body></html>\n",
	      out);
}
