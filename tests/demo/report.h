/* SPDX-License-Identifier: GPL-2.0-only */
/* The report of a run: a picture, and a page that holds it with the figures. */
#ifndef DEMO_REPORT_H
#define DEMO_REPORT_H

#include <stdio.h>

#include "model.h"

/* A whole SVG document, without a reference to anything outside it. */
void svg_write(FILE *out, const struct model *m);
void html_write(FILE *out, const struct model *m);

/* Text as XML: the five characters escaped. */
void xml_text(FILE *out, const char *text);

#endif /* DEMO_REPORT_H */
