// SPDX-License-Identifier: GPL-2.0-only
/* The configuration, at the start and again at SIGHUP, against the machine as it is then. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ebbd/daemon.h"
#include "lib/cleanup.h"
#include "lib/log.h"

int config_read(const char *path, struct machine *machine, uint64_t *ram, struct ebb_config *ret,
		struct conf_error *err)
{
	struct ebb_snap_machine now = { 0 };
	uint64_t free;
	int r = conf_load(path, ret, err);

	if (r || !machine || machine_read(machine, &now))
		return r;
	/* What a balloon has is still this machine's, and nobody uses it. */
	if (now.ram > *ram)
		*ram = now.ram;
	/* Of two moments: a balloon that closes meanwhile has what was available a moment before.
	 */
	free = now.ballooned + now.mem_available;
	return conf_check_machine(ret, path, *ram, now.ram > free ? now.ram - free : 0, err);
}

/* A wrong file changes nothing: the options in force stay. */
void config_reload(struct daemon *d)
{
	_cleanup_free_ struct ebb_config *fresh = calloc(1, sizeof(*fresh));
	struct conf_error err;
	char text[CONF_ERROR_MAX];

	if (!fresh) {
		log_err("configuration not taken over: %s", strerror(ENOMEM));
		return;
	}
	if (config_read(d->opts.config_path, d->machine, &d->ram, fresh, &err)) {
		log_err("configuration not taken over: %s", conf_error_text(&err, text));
		return;
	}
	if (fresh->compress != d->config.compress)
		log_warn("compress = %s takes effect when ebbd is started again",
			 conf_compress_name(fresh->compress));
	if (fresh->cap != d->config.cap)
		act_set_cap(d->act, fresh->cap);
	d->config = *fresh;
	tree_set_config(d->tree, &d->config);
	log_info("configuration read again");
	tick_soon(d, 0);
}
