// SPDX-License-Identifier: GPL-2.0-only
/*
 * ebb-exporter: options; what takes rights or files; giving both up; serving.
 * The order matters: files and the port first, then the privileges, the dialer
 * while there is one thread, Landlock before the other threads, the filter after.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ebb/wire.h"
#include "exporter/address.h"
#include "exporter/dial.h"
#include "exporter/http.h"
#include "exporter/sandbox.h"
#include "exporter/store.h"
#include "lib/cleanup.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/notify.h"

#define DEFAULT_SOCKET EBB_RUNTIME_DIR "/" EBB_SOCKET_NAME
#define DEFAULT_CONTAINERS 2000
#define FILE_MAX (256u << 10) /* certificates, keys, passwords */

struct exporter {
	const char *config_path;
	const char *listen;
	const char *socket;
	const char *cert_path, *key_path, *users_path;
	size_t max_containers;
	bool verbose;
	char *cert, *key, *users;
	struct address address;
	char where[ADDRESS_TEXT_MAX];
	int listen_fd;
	int statm_fd;
	struct dialer dialer;
	struct store *store;
	struct http *http;
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "listen", required_argument, NULL, 'l' },
	{ "socket", required_argument, NULL, 's' },
	{ "tls-cert", required_argument, NULL, 'C' },
	{ "tls-key", required_argument, NULL, 'K' },
	{ "users", required_argument, NULL, 'u' },
	{ "max-containers", required_argument, NULL, 'm' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static void usage(FILE *out)
{
	fputs("Usage: ebb-exporter [OPTION]...\n"
	      "Serves what ebbd knows: /metrics for Prometheus, /api as JSON, / as a page.\n\n"
	      "  --listen ADDRESS:PORT  where (default: listen of the configuration, else\n"
	      "                         127.0.0.1:9465)\n"
	      "  --config FILE          for `listen` (default " EBB_CONFIG_PATH
	      ", may be missing)\n"
	      "  --socket PATH          ebbd's (default " DEFAULT_SOCKET ")\n"
	      "  --tls-cert FILE, --tls-key FILE  HTTPS; PEM, read once\n"
	      "  --users FILE           lines USER:PASSWORD, not readable by others; asks for one\n"
	      "  --max-containers N     series for the N largest (default 2000)\n"
	      "  --verbose, --help, --version\n\n"
	      "Exit: 0 stopped, 1 failed, 2 usage or configuration.\n",
	      out);
}

static int parse_count(const char *text, size_t *ret)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value > SAMPLE_MAX_CONTAINERS)
		return -EINVAL;
	*ret = value;
	return 0;
}

/* Returns -1 to go on, or the exit code. */
static int parse_options(int argc, char **argv, struct exporter *e)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:l:s:C:K:u:m:vhV", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			e->config_path = optarg;
			break;
		case 'l':
			e->listen = optarg;
			break;
		case 's':
			e->socket = optarg;
			break;
		case 'C':
			e->cert_path = optarg;
			break;
		case 'K':
			e->key_path = optarg;
			break;
		case 'u':
			e->users_path = optarg;
			break;
		case 'm':
			if (parse_count(optarg, &e->max_containers) == 0)
				break;
			fprintf(stderr, "ebb-exporter: --max-containers takes 0 to %d\n",
				SAMPLE_MAX_CONTAINERS);
			return EBB_EXIT_USAGE;
		case 'v':
			e->verbose = true;
			break;
		case 'h':
			usage(stdout);
			return EBB_EXIT_OK;
		case 'V':
			printf("ebb-exporter %s\n", EBB_VERSION);
			return EBB_EXIT_OK;
		default:
			fputs("Try: ebb-exporter --help\n", stderr);
			return EBB_EXIT_USAGE;
		}
	}
	if (optind < argc || !e->cert_path != !e->key_path) {
		fprintf(stderr, "ebb-exporter: %s%s\nTry: ebb-exporter --help\n",
			optind < argc ? "takes no argument "
				      : "--tls-cert and --tls-key go together",
			optind < argc ? argv[optind] : "");
		return EBB_EXIT_USAGE;
	}
	return -1;
}

static int read_config(struct exporter *e)
{
	_cleanup_free_ struct ebb_config *config = malloc(sizeof(*config));
	struct conf_error err;
	char text[CONF_ERROR_MAX];

	if (!config)
		return EBB_EXIT_FAILED;
	if (!e->listen) {
		if (conf_load(e->config_path, config, &err)) {
			log_err("%s", conf_error_text(&err, text));
			return EBB_EXIT_USAGE;
		}
		e->listen = strdup(config->listen);
	}
	if (!e->listen || address_parse(e->listen, &e->address)) {
		log_err("--listen: expected ADDRESS:PORT such as 127.0.0.1:9465 or [::1]:9465");
		return EBB_EXIT_USAGE;
	}
	return 0;
}

/* secret: others may not read it. */
static int read_file(const char *path, bool secret, char **ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *text = calloc(1, FILE_MAX + 1);
	struct stat st;
	ssize_t n;

	if (fd < 0 || !text || fstat(fd, &st) < 0 || (n = read(fd, text, FILE_MAX)) < 0) {
		log_err("%s: %s", path, strerror(errno));
		return -EIO;
	}
	if (secret && st.st_mode & (S_IROTH | S_IWOTH)) {
		log_err("%s: others can read it; chmod o-rw it first", path);
		return -EPERM;
	}
	if (n == (ssize_t)FILE_MAX || memchr(text, '\0', (size_t)n)) {
		log_err("%s: this is not a text file of the expected kind", path);
		return -EINVAL;
	}
	*ret = TAKE_PTR(text);
	return 0;
}

static int read_files(struct exporter *e)
{
	int r = 0;

	if (e->cert_path)
		r = read_file(e->cert_path, false, &e->cert);
	if (!r && e->key_path)
		r = read_file(e->key_path, true, &e->key);
	if (!r && e->users_path)
		r = read_file(e->users_path, true, &e->users);
	if (!r && e->users && !strchr(e->users, ':')) {
		log_err("%s: there is no line USER:PASSWORD in it: nobody could get in",
			e->users_path);
		r = -EINVAL;
	}
	return r ? EBB_EXIT_USAGE : 0;
}

static int open_port(struct exporter *e)
{
	e->listen_fd = address_listen(&e->address, e->where);
	if (e->listen_fd < 0) {
		log_err("cannot listen at %s: %s", e->listen, strerror(-e->listen_fd));
		return EBB_EXIT_FAILED;
	}
	e->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (e->users && !e->cert && !e->address.loopback)
		log_warn("passwords cross the network in clear: add --tls-cert and --tls-key");
	if (!e->users && !e->address.loopback)
		log_warn("whoever reaches %s can read the names and sizes of containers; --users "
			 "asks for a password",
			 e->where);
	return 0;
}

static int failed(const char *what, int r)
{
	log_err("%s: %s", what, strerror(-r));
	return EBB_EXIT_FAILED;
}

/* From here on nothing is opened any more. */
static int enter(struct exporter *e)
{
	struct http_options options = { .listen_fd = e->listen_fd,
					.loopback = e->address.loopback,
					.cert = e->cert,
					.key = e->key,
					.users = e->users,
					.max_containers = e->max_containers,
					.statm_fd = e->statm_fd };
	char who[160] = "";
	bool landlock = false;
	int r;

	r = sandbox_drop_privileges(who, sizeof(who));
	if (r)
		return failed("cannot give up the privileges", r);
	r = dialer_start(&e->dialer, e->socket);
	if (r)
		return failed("cannot start the process that connects to ebbd", r);
	r = sandbox_fence_files(&landlock);
	if (r)
		return failed("cannot fence the files off (Landlock)", r);
	r = store_open(&e->store, &e->dialer, e->socket);
	if (r)
		return failed("cannot start the thread that asks ebbd", r);
	r = http_open(&e->http, &options, e->store);
	if (r == -EINVAL && e->cert) {
		log_err("HTTPS does not start: %s and %s must be PEM, and certificate and key fit",
			e->cert_path, e->key_path);
		return EBB_EXIT_USAGE;
	}
	if (r)
		return failed("HTTP does not start", r);
	log_info("ebb-exporter %s listens at http%s://%s/ as %s, with seccomp%s", EBB_VERSION,
		 e->cert ? "s" : "", e->where, who, landlock ? " and Landlock" : "");
	notify_send("READY=1\nSTATUS=listening at %s", e->where);
	r = sandbox_enter_server();
	return r ? failed("cannot enter the sandbox (seccomp)", r) : 0;
}

/* Until it is told to stop; or until only another start helps, which whoever supervises it does. */
static int serve(struct exporter *e, const sigset_t *signals)
{
	int number;

	do {
		number = sigwaitinfo(signals, NULL);
		if (number == SIGCHLD && dialer_ended(&e->dialer)) {
			log_err("the process that connects to ebbd has ended: stopping; start "
				"ebb-exporter again");
			return EBB_EXIT_FAILED;
		}
	} while (number != SIGTERM && number != SIGINT);
	log_debug("told to stop");
	return 0;
}

static void leave(struct exporter *e)
{
	store_stop(e->store);
	http_close(e->http);
	store_free(e->store);
	dialer_stop(&e->dialer);
	if (e->listen_fd >= 0)
		close(e->listen_fd);
	if (e->statm_fd >= 0)
		close(e->statm_fd);
	free(e->cert);
	free(e->key);
	free(e->users);
}

int main(int argc, char **argv)
{
	static struct exporter e = { .socket = DEFAULT_SOCKET,
				     .max_containers = DEFAULT_CONTAINERS,
				     .listen_fd = -1,
				     .statm_fd = -1,
				     .dialer = { .fd = -1 } };
	int r = parse_options(argc, argv, &e);
	sigset_t signals;

	if (r >= 0)
		return r;
	log_init(e.verbose);
#ifdef __GLIBC__
	/* Few threads, and large answers that come and go: give them back at once. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
	mallopt(M_TRIM_THRESHOLD, 256 << 10);
#endif
	tzset(); /* opens a file, once */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* whoever started this may have it ignored: then none comes */
	r = read_config(&e);
	if (!r)
		r = read_files(&e);
	if (!r)
		r = open_port(&e);
	if (!r)
		r = enter(&e);
	if (!r)
		r = serve(&e, &signals);
	leave(&e);
	return r;
}
