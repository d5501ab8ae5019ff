// SPDX-License-Identifier: GPL-2.0-only
/* ebb.conf: either an error that says where, or a configuration within its bounds. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ebb_config config;
	struct conf_error err, machine;
	char text[CONF_ERROR_MAX];
	int r;

	memset(&config, 0x5a, sizeof(config));
	r = conf_parse("fuzz.conf", (const char *)data, size, &config, &err);
	if (r < 0) {
		assert(r == -EINVAL && err.line > 0 && err.message[0]);
		assert(config.nr_rules == 0x5a5a5a5a);
		for (const char *p = conf_error_text(&err, text); *p; p++)
			assert(*p >= 0x20 && *p < 0x7f);
		return 0;
	}
	assert(config.nr_rules <= EBB_MAX_RULES);
	for (unsigned int i = 0; i < config.nr_rules; i++)
		assert(config.rules[i].glob[0] &&
		       strnlen(config.rules[i].glob, EBB_GLOB_LEN) < EBB_GLOB_LEN);
	assert(config.stall_budget_ppm >= 10 && config.stall_budget_ppm <= 100000);
	assert(config.cold_after_ms == 0 || config.cold_after_ms >= 1000);
	assert(config.compress <= EBB_COMPRESS_OFF);
	assert(!config.cap == !config.cap_line);
	assert(strnlen(config.listen, sizeof(config.listen)) < sizeof(config.listen));
	r = conf_check_machine(&config, "fuzz.conf", 1ull << 34, 1ull << 29, &machine);
	assert(r == 0 || machine.line == config.cap_line);
	return 0;
}
