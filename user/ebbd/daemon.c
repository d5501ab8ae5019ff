// SPDX-License-Identifier: GPL-2.0-only
/* Brings the parts up in the order of the line, and down in the reverse. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "ebb/wire.h"
#include "ebbd/daemon.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/units.h"

/* Emptying the compressed swap takes what reading all of it takes. */
#define CLOSE_DEADLINE_MS 20000

static void on_stop(uv_signal_t *handle, int signum)
{
	struct daemon *d = handle->data;

	log_info("stopping (%s)", strsignal(signum));
	d->stopping = true;
	uv_stop(&d->loop);
}

static void on_reload(uv_signal_t *handle, int signum)
{
	config_reload(handle->data);
}

static void on_watchdog(uv_timer_t *timer)
{
	notify_send("WATCHDOG=1");
}

static int open_signal(struct daemon *d, uv_signal_t *handle, int signum, uv_signal_cb fn)
{
	int r = uv_signal_init(&d->loop, handle);

	if (r)
		return r;
	handle->data = d;
	return uv_signal_start(handle, fn, signum);
}

static int open_loop(struct daemon *d)
{
	uint64_t watchdog = notify_watchdog_ms();
	int r = uv_loop_init(&d->loop);

	if (r)
		return r;
	uv_timer_init(&d->loop, &d->tick_timer);
	d->tick_timer.data = d;
	uv_timer_init(&d->loop, &d->sample_timer);
	d->sample_timer.data = d;
	uv_timer_init(&d->loop, &d->watchdog_timer);
	if (watchdog)
		uv_timer_start(&d->watchdog_timer, on_watchdog, watchdog, watchdog);
	signal(SIGPIPE, SIG_IGN);
	r = open_signal(d, &d->sig_term, SIGTERM, on_stop);
	if (!r)
		r = open_signal(d, &d->sig_int, SIGINT, on_stop);
	if (!r)
		r = open_signal(d, &d->sig_hup, SIGHUP, on_reload);
	return r;
}

static void hooks_log(void *arg, const char *line)
{
	log_debug("bpf: %s", line);
}

static int open_sense(struct daemon *d)
{
	struct hooks_opts hooks = { .cgroup_fd = d->cgroup_fd,
				    .no_bpf = d->opts.no_bpf,
				    .log = hooks_log };
	struct tree_options tree = {
		.cgroup_root = d->cgroup_root, .config = &d->config, .event = watch_tree, .arg = d
	};
	int r = hooks_open(&d->hooks, &hooks);

	if (r) {
		log_err("cannot set up the census: %s", strerror(-r));
		return r;
	}
	r = tree_open(&d->tree, &tree);
	if (!r)
		r = machine_open(&d->machine, NULL);
	if (!r)
		r = watch_open(d);
	if (r)
		log_err("cannot look at the machine: %s", strerror(-r));
	return r;
}

static int open_act(struct daemon *d)
{
	struct act_opts opts = { .dry_run = d->opts.dry_run,
				 .compress = d->config.compress,
				 .cap = d->config.cap,
				 .state_dir = d->opts.state_dir,
				 .cgroup_root = d->cgroup_fd };
	int r = act_open(&d->act, &d->loop, &opts, dispatch_done, d);

	if (r == -EBUSY)
		log_err("another ebbd is using %s; stop it first", d->opts.state_dir);
	else if (r == -EPERM)
		log_err("%s may be written by others than root, and what it holds is written to "
			"the kernel: chown root %s, chmod go-w %s",
			d->opts.state_dir, d->opts.state_dir, d->opts.state_dir);
	else if (r)
		log_err("cannot prepare to act (state in %s): %s", d->opts.state_dir, strerror(-r));
	return r;
}

static int open_server(struct daemon *d)
{
	char path[4096];
	int r;

	snprintf(path, sizeof(path), "%s/%s", d->opts.runtime_dir, EBB_SOCKET_NAME);
	r = server_open(&d->server, &d->loop, path, &answer_ops, d);
	if (r == -EADDRINUSE)
		log_err("another ebbd answers at %s; stop it first", path);
	else if (r == -EEXIST)
		log_err("%s is no socket: remove it, or name another --runtime-dir", path);
	else if (r == -ENAMETOOLONG)
		log_err("%s is too long for a socket: name a shorter --runtime-dir", path);
	else if (r)
		log_err("cannot listen at %s: %s", path, strerror(-r));
	return r;
}

static void log_what_we_have(const struct daemon *d)
{
	const struct act_caps *caps = act_caps(d->act);
	size_t n;
	const struct hook_rung *rungs = hooks_rungs(d->hooks, &n);

	for (size_t i = 0; i < n; i++) {
		if (rungs[i].best)
			log_debug("%s: %s (%s)", rungs[i].data, rungs[i].rung, rungs[i].reason);
		else
			log_info("%s: %s (%s)", rungs[i].data, rungs[i].rung, rungs[i].reason);
	}
	if (!caps->can_age)
		log_warn("no ageing: %s; going on in small steps", caps->age_reason);
	else if (caps->debugfs_private)
		log_info("debugfs is not mounted; a private mount serves");
	log_info("swap: %s", caps->swap.reason);
	if (caps->recovered.undone || caps->recovered.left_alone)
		log_info("an earlier run had ended early: %u settings undone, %u left as somebody "
			 "changed them",
			 caps->recovered.undone, caps->recovered.left_alone);
}

int daemon_open(struct daemon *d)
{
	struct utsname uts;
	int r = open_loop(d);

	if (r) {
		log_err("cannot set up the event loop: %s", strerror(-r));
		return r;
	}
	uname(&uts);
	snprintf(d->kernel, sizeof(d->kernel), "%.63s", uts.release);
	d->started_ms = now_ms();
	learned_open(d);
	privileges_raise_files();
	d->cgroup_fd = open(d->cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->cgroup_fd < 0) {
		r = -errno;
		log_err("cannot open %s: %s", d->cgroup_root, strerror(-r));
		return r;
	}
	/* The socket first: it is what tells a second ebbd that there is one. */
	r = open_server(d);
	if (!r)
		r = open_act(d);
	if (!r)
		r = host_open(d);
	if (!r)
		r = open_sense(d);
	if (r)
		return r;
	privileges_drop();
	log_what_we_have(d);
	return 0;
}

void daemon_run(struct daemon *d)
{
	tick_run(d);
	log_info("ebbd %s on %s: watching %zu containers%s", EBB_VERSION, d->kernel,
		 d->snap.nr_containers, d->opts.dry_run ? ", dry run" : "");
	notify_send("READY=1\nSTATUS=watching %zu containers", d->snap.nr_containers);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	notify_send("STOPPING=1");
}

static void close_act(struct daemon *d)
{
	struct act_close_report report = { 0 };

	if (!d->act)
		return;
	act_close(d->act, CLOSE_DEADLINE_MS, &report);
	if (report.swap_left)
		log_warn("the compressed swap stays: %s", report.swap_reason);
	if (report.abandoned)
		log_warn("%u reclaims did not come back in time", report.abandoned);
	d->act = NULL;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void daemon_close(struct daemon *d)
{
	d->stopping = true;
	recorders_close(d);
	server_close(d->server);
	host_close(d); /* first of all: swapoff below may need every byte of the full size */
	watch_close(d);
	learned_close(d);
	/* Before swapoff, whose refaults would run through the hooks by the hundred thousand. */
	hooks_close(d->hooks);
	close_act(d);
	tree_close(d->tree);
	machine_close(d->machine);
	if (d->tick_timer.data) {
		uv_close((uv_handle_t *)&d->tick_timer, NULL);
		uv_close((uv_handle_t *)&d->sample_timer, NULL);
		uv_close((uv_handle_t *)&d->watchdog_timer, NULL);
		if (d->sig_term.data)
			uv_close((uv_handle_t *)&d->sig_term, NULL);
		if (d->sig_int.data)
			uv_close((uv_handle_t *)&d->sig_int, NULL);
		if (d->sig_hup.data)
			uv_close((uv_handle_t *)&d->sig_hup, NULL);
		uv_run(&d->loop, UV_RUN_DEFAULT);
		uv_walk(&d->loop, close_handle, NULL);
		uv_run(&d->loop, UV_RUN_NOWAIT);
		uv_loop_close(&d->loop);
	}
	if (d->cgroup_fd >= 0)
		close(d->cgroup_fd);
	tracks_free(d);
	free(d->policy.slots);
	free(d->plan.items);
	free(d->plan.verdicts);
}
