// SPDX-License-Identifier: GPL-2.0-only
/* ebb-broker: options, signals, exit codes. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/broker.h"
#include "broker/cli.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/text.h"

enum { OPT_SOCKET = 256, OPT_LISTEN, OPT_WATCH, OPT_RESERVE, OPT_BUDGET };

static const struct option long_options[] = {
	{ "vm", required_argument, NULL, 'm' },
	{ "config", required_argument, NULL, 'c' },
	{ "watch", required_argument, NULL, OPT_WATCH },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "reserve", required_argument, NULL, OPT_RESERVE },
	{ "budget", required_argument, NULL, OPT_BUDGET },
	{ "check-config", no_argument, NULL, 'C' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "output", required_argument, NULL, 'o' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

struct options {
	struct broker_config config;
	const char *config_path;
	bool check_config, verbose, json, socket_given;
};

static void usage(FILE *out)
{
	fputs("Usage: ebb-broker [OPTION]...            give each VM the memory that its guest "
	      "wants\n"
	      "       ebb-broker status [-o json]      what the running broker knows\n"
	      "       ebb-broker check [OPTION]...     are the VMs set up so that memory comes "
	      "back?\n\n"
	      "  --vm name=NAME,vmm=VMM,channel=SOCKET,min=SIZE,max=SIZE   a VM (any number)\n"
	      "        VMM is qmp:SOCKET, firecracker:SOCKET or cloud-hypervisor:SOCKET;\n"
	      "        also shrink=SIZE (a second), shares=N\n"
	      "  --config FILE       the same as a file (default " BROKER_CONFIG_PATH ")\n"
	      "  --watch DIR         a folder of NAME.vm files that come and go\n"
	      "  --reserve SIZE      host memory to stay available (default a tenth of it)\n"
	      "  --budget SIZE       what all VMs may have in sum (default: what the host has)\n"
	      "  --socket PATH       for `status` (default: the file's, or\n"
	      "                      " BROKER_SOCKET_PATH ")\n"
	      "  --listen ADDR:PORT  metrics for Prometheus (default: none)\n"
	      "  --check-config      look at the configuration and end: 0 good, 2 not\n"
	      "  --dry-run           decide and report, change nothing\n"
	      "  -o plain|json       what status and check print\n"
	      "  --verbose, --help, --version\n\n"
	      "Exit: 0 stopped (check: all is well), 1 failed (check: something is not),\n"
	      "2 usage or configuration.\n",
	      out);
}

static int add_vm(struct broker_config *c, const char *spec)
{
	char why[CONF_ERROR_MAX];
	struct vm_config vm;
	int r = broker_vm_parse(spec, &vm, why);

	if (!r) {
		r = broker_config_add(c, &vm);
		if (r)
			snprintf(why, sizeof(why), "%s: %s", vm.name,
				 r == -EEXIST ? "there is a VM of that name already"
					      : strerror(-r));
	}
	if (!r)
		return -1;
	fprintf(stderr, "ebb-broker: --vm: %s\n", why);
	return EBB_EXIT_USAGE;
}

static int set_key(struct broker_config *c, const char *key, const char *value)
{
	char why[CONF_ERROR_MAX], shown[64];

	if (!broker_config_set(c, key, value, why))
		return -1;
	fprintf(stderr, "ebb-broker: --%s %s: %s\n", key,
		text_printable(shown, sizeof(shown), value), why);
	return EBB_EXIT_USAGE;
}

static int set_output(struct options *o, const char *value)
{
	o->json = !strcmp(value, "json");
	if (o->json || !strcmp(value, "plain"))
		return -1;
	fputs("ebb-broker: -o: expected plain or json\n", stderr);
	return EBB_EXIT_USAGE;
}

/* -1 to go on, or the exit code. */
static int parse_options(int argc, char **argv, struct options *o)
{
	int c, r = -1;

	while (r < 0 && (c = getopt_long(argc, argv, "c:no:vhV", long_options, NULL)) != -1) {
		switch (c) {
		case 'm':
			r = add_vm(&o->config, optarg);
			break;
		case 'c':
			o->config_path = optarg;
			break;
		case OPT_SOCKET:
			r = set_key(&o->config, "socket", optarg);
			o->socket_given = true;
			break;
		case OPT_LISTEN:
			r = set_key(&o->config, "listen", optarg);
			break;
		case OPT_WATCH:
			r = set_key(&o->config, "watch", optarg);
			break;
		case OPT_RESERVE:
			r = set_key(&o->config, "reserve", optarg);
			break;
		case OPT_BUDGET:
			r = set_key(&o->config, "budget", optarg);
			break;
		case 'C':
			o->check_config = true;
			break;
		case 'n':
			o->config.dry_run = true;
			break;
		case 'o':
			r = set_output(o, optarg);
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'h':
			usage(stdout);
			return EBB_EXIT_OK;
		case 'V':
			printf("ebb-broker %s\n", EBB_VERSION);
			return EBB_EXIT_OK;
		default:
			fputs("Try: ebb-broker --help\n", stderr);
			return EBB_EXIT_USAGE;
		}
	}
	return r;
}

/* The file that was named, or the one of this host when it is there. A negative errno is said. */
static int load_file(struct options *o, struct broker_config *c)
{
	const char *path = o->config_path ? o->config_path : BROKER_CONFIG_PATH;
	struct conf_error err;
	char text[CONF_ERROR_MAX];
	int r;

	if (!o->config_path && access(path, F_OK) < 0)
		return 0;
	r = broker_config_load(path, c, &err);
	if (r)
		log_err("%s", conf_error_text(&err, text));
	else
		o->config_path = path;
	return r;
}

/* The file's VMs and options beside those of the command line; the command line's options hold. */
static int load_config(struct options *o, struct broker_config *ret)
{
	int r = 0;

	*ret = o->config;
	ret->vms = NULL;
	ret->nr_vms = ret->max_vms = 0;
	for (size_t i = 0; i < o->config.nr_vms && !r; i++)
		r = broker_config_add(ret, &o->config.vms[i]);
	if (r)
		return EBB_EXIT_FAILED;
	if (load_file(o, ret))
		return EBB_EXIT_USAGE;
	if (ret->nr_vms || ret->watch[0] || o->config_path)
		return 0;
	log_err("no VM to watch: expected --vm, --watch, or %s", BROKER_CONFIG_PATH);
	return EBB_EXIT_USAGE;
}

static void on_stopped(struct broker *b)
{
	uv_stop(b->loop);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct broker *b = handle->data;

	if (signum == SIGHUP) {
		broker_reload(b);
		return;
	}
	log_info("stopping (%s): all VMs get their full size", strsignal(signum));
	notify_send("STOPPING=1");
	broker_stop(b, on_stopped);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static int run_broker(struct options *o)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	static struct broker b;
	uv_signal_t handles[ARRAY_SIZE(signals)];
	uv_loop_t loop;
	int r = load_config(o, &b.config);

	if (r)
		return r;
	if (o->check_config) {
		if (b.config.watch[0] && folder_load(&b.config))
			return EBB_EXIT_USAGE;
		puts("configuration is good");
		return EBB_EXIT_OK;
	}
	b.given = o->config;
	b.config_path = o->config_path;
	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&loop);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		uv_signal_init(&loop, &handles[i]);
		handles[i].data = &b;
		uv_signal_start(&handles[i], on_signal, signals[i]);
	}
	r = broker_open(&b, &loop);
	if (!r) {
		log_info("ebb-broker %s: %zu VMs%s", EBB_VERSION, b.nr_vms,
			 b.config.dry_run ? ", dry run" : "");
		notify_send("READY=1\nSTATUS=watching %zu VMs", b.nr_vms);
	} else {
		broker_stop(&b, on_stopped);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_walk(&loop, close_handle, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	return r ? EBB_EXIT_FAILED : EBB_EXIT_OK;
}

static int run_status(struct options *o)
{
	bool named = o->config_path;
	char why[CONF_ERROR_MAX];
	json_t *status;

	/* Who may ask the broker need not be able to read its file. */
	if (!o->socket_given && (named || access(BROKER_CONFIG_PATH, R_OK) == 0) &&
	    load_file(o, &o->config) && named)
		return EBB_EXIT_USAGE;
	if (ask_status(o->config.socket, &status, why)) {
		fprintf(stderr, "ebb-broker: %s\n", why);
		return EBB_EXIT_FAILED;
	}
	if (o->json) {
		json_dumpf(status, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
		putchar('\n');
	} else {
		status_print(stdout, status);
	}
	json_decref(status);
	return EBB_EXIT_OK;
}

static int run_check(struct options *o)
{
	struct broker_config config;
	int r = load_config(o, &config);

	if (!r && config.watch[0] && folder_load(&config))
		r = EBB_EXIT_USAGE;
	if (!r && !config.nr_vms) {
		log_err("no VM to look at: %s", config.watch[0] ? config.watch : o->config_path);
		r = EBB_EXIT_USAGE;
	}
	if (!r)
		r = check_run(&config, o->json, stdout);
	broker_config_free(&config);
	return r;
}

static int run(struct options *o, const char *command)
{
	char shown[64];

	if (!command || !strcmp(command, "run"))
		return run_broker(o);
	if (!strcmp(command, "status"))
		return run_status(o);
	if (!strcmp(command, "check"))
		return run_check(o);
	fprintf(stderr, "ebb-broker: unknown command '%s'\nTry: ebb-broker --help\n",
		text_printable(shown, sizeof(shown), command));
	return EBB_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	int r;

	broker_config_defaults(&o.config);
	r = parse_options(argc, argv, &o);
	if (r < 0 && optind + 1 < argc) {
		fputs("ebb-broker: one command at a time\nTry: ebb-broker --help\n", stderr);
		r = EBB_EXIT_USAGE;
	}
	if (r < 0) {
		log_init(o.verbose);
		r = run(&o, optind < argc ? argv[optind] : NULL);
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("ebb-broker: output");
		return r ? r : EBB_EXIT_FAILED;
	}
	return r;
}
