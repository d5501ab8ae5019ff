// SPDX-License-Identifier: GPL-2.0-only
/* ebbd: options, what must be right before anything is touched, and the exit codes. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ebb/wire.h"
#include "ebbd/daemon.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "sense/doctor.h"

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "check-config", no_argument, NULL, 'C' },
	{ "state-dir", required_argument, NULL, 's' },
	{ "runtime-dir", required_argument, NULL, 'r' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static void usage(FILE *out)
{
	fputs("Usage: ebbd [OPTION]...\n"
	      "Gives the memory that containers do not use back to the host.\n\n"
	      "  --config FILE       options (default " EBB_CONFIG_PATH ", which may be missing)\n"
	      "  --check-config      look at the configuration and end: 0 good, 2 not\n"
	      "  --dry-run           decide and report, change nothing\n"
	      "  --state-dir DIR     journal (default " EBB_STATE_DIR ")\n"
	      "  --runtime-dir DIR   socket (default " EBB_RUNTIME_DIR ")\n"
	      "  --verbose           say what is decided, and why\n"
	      "  --help, --version\n\n"
	      "Exit: 0 stopped, 1 failed, 2 usage or configuration, 3 this kernel cannot.\n\n"
	      "Configuration:\n",
	      out);
	conf_help(out);
}

/* Returns -1 to go on, or the exit code. */
static int parse_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:ns:r:vhV", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config_path = optarg;
			break;
		case 'n':
			o->dry_run = true;
			break;
		case 'C':
			o->check_config = true;
			break;
		case 's':
			o->state_dir = optarg;
			break;
		case 'r':
			o->runtime_dir = optarg;
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'h':
			usage(stdout);
			return EBB_EXIT_OK;
		case 'V':
			printf("ebbd %s\n", EBB_VERSION);
			return EBB_EXIT_OK;
		default:
			fputs("Try: ebbd --help\n", stderr);
			return EBB_EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "ebbd: takes no argument '%s'\nTry: ebbd --help\n", argv[optind]);
		return EBB_EXIT_USAGE;
	}
	return -1;
}

static int load_config(struct daemon *d)
{
	struct machine *machine = NULL;
	struct conf_error err;
	char text[CONF_ERROR_MAX];
	int r;

	if (machine_open(&machine, NULL))
		machine = NULL;
	r = config_read(d->opts.config_path, machine, &d->ram, &d->config, &err);
	machine_close(machine);
	if (!r)
		return 0;
	log_err("%s", conf_error_text(&err, text));
	return EBB_EXIT_USAGE;
}

/* 0, or the exit code after saying what this kernel lacks and how to get it. */
static int check_kernel(struct daemon *d)
{
	_cleanup_free_ struct doctor_report *report = calloc(1, sizeof(*report));
	int r = report ? doctor_requirements(report, NULL) : -ENOMEM;

	if (r) {
		log_err("cannot look at this kernel: %s", strerror(-r));
		return EBB_EXIT_FAILED;
	}
	if (!report->able) {
		log_err("this kernel cannot: %s", report->verdict);
		return EBB_EXIT_KERNEL;
	}
	snprintf(d->cgroup_root, sizeof(d->cgroup_root), "%s", report->cgroup_root);
	return 0;
}

/* This start fails: what one that crashed had set must not stay until somebody mends the reason. */
static int give_up(const struct daemon *d, int code)
{
	_cleanup_free_ struct doctor_report *report = calloc(1, sizeof(*report));
	_cleanup_close_ int cgroup = -1;
	struct journal_report left;
	int r;

	if (d->opts.check_config || d->opts.dry_run || geteuid() != 0)
		return code;
	if (report && !doctor_requirements(report, NULL) && *report->cgroup_root)
		cgroup = open(report->cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = act_recover(d->opts.state_dir, NULL, cgroup, &left);
	if (r && r != -EBUSY)
		log_err("what an earlier run may have left set cannot be looked up in %s: %s",
			d->opts.state_dir, strerror(-r));
	else if (!r && (left.undone || left.left_alone || left.failed))
		log_info("an earlier run had ended early: %u settings undone, %u left as somebody "
			 "changed them, %u to be tried at the next start",
			 left.undone, left.left_alone, left.failed);
	return code;
}

int main(int argc, char **argv)
{
	static struct daemon d = {
		.opts = { .state_dir = EBB_STATE_DIR, .runtime_dir = EBB_RUNTIME_DIR },
		.cgroup_fd = -1,
	};
	int r = parse_options(argc, argv, &d.opts);

	if (r >= 0)
		return r;
	d.opts.no_bpf = getenv("EBB_NO_BPF") != NULL;
	log_init(d.opts.verbose);
	r = load_config(&d);
	if (r)
		return give_up(&d, r);
	if (d.opts.check_config) {
		puts("configuration is good");
		return EBB_EXIT_OK;
	}
	r = check_kernel(&d);
	if (r)
		return give_up(&d, r);
	if (geteuid() != 0) {
		log_err("ebbd needs root: it writes to cgroups and loads BPF programs");
		return EBB_EXIT_FAILED;
	}
	r = daemon_open(&d);
	if (!r)
		daemon_run(&d);
	daemon_close(&d);
	return r ? give_up(&d, EBB_EXIT_FAILED) : EBB_EXIT_OK;
}
