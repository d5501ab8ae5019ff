// SPDX-License-Identifier: GPL-2.0-only
/* What a configuration is held against, on a machine made of files. */
#include "act_root.h"

#include "ebbd/daemon.h"

#define MiB (UINT64_C(1) << 20)

struct fixture {
	struct root root;
	struct machine *machine;
	struct ebb_config config;
	uint64_t ram;
	char conf[128];
};

static void put_meminfo(struct fixture *f, unsigned int total_mib, unsigned int available_mib)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "MemTotal:       %u kB\nMemFree:        %u kB\nMemAvailable:   %u kB\n",
		 total_mib << 10, available_mib << 9, available_mib << 10);
	root_put(&f->root, "/proc/meminfo", text);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (root_make(&f->root))
		return -1;
	snprintf(f->conf, sizeof(f->conf), "%s/ebb.conf", f->root.path);
	put_meminfo(f, 2048, 1700);
	return machine_open(&f->machine, f->root.path);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	machine_close(f->machine);
	root_remove(&f->root);
	free(f);
	return 0;
}

static int read_it(struct fixture *f, const char *text, char message[CONF_ERROR_MAX])
{
	struct conf_error err = { 0 };
	int r;

	root_put(&f->root, "/ebb.conf", text);
	r = config_read(f->conf, f->machine, &f->ram, &f->config, &err);
	conf_error_text(&err, message);
	return r;
}

static void test_cap_below_what_runs(void **state)
{
	struct fixture *f = *state;
	char message[CONF_ERROR_MAX];

	assert_int_equal(read_it(f, "[ebb]\ncap = 400M\n", message), 0);
	assert_int_equal(f->config.cap, 400 * MiB);
	/* More runs now: the same file does not fit any more. */
	put_meminfo(f, 2048, 1500);
	assert_int_equal(read_it(f, "[ebb]\n\ncap = 400M\n", message), -EINVAL);
	assert_non_null(strstr(message, "ebb.conf:3: cap = 400M is below what runs now"));
}

static void test_a_balloon_is_no_less_ram(void **state)
{
	struct fixture *f = *state;
	char message[CONF_ERROR_MAX];

	assert_int_equal(read_it(f, "[ebb]\ncap = 2G\n", message), 0);
	put_meminfo(f, 1024, 700);
	assert_int_equal(read_it(f, "[ebb]\ncap = 2G\n", message), 0);
	assert_int_equal(read_it(f, "[ebb]\ncap = 4G\n", message), -EINVAL);
	assert_non_null(strstr(message, "above the RAM of this machine"));
}

/* The balloon's size is read after what is available: all of that may be in it by then. */
static void test_a_balloon_that_closes(void **state)
{
	struct fixture *f = *state;
	char message[CONF_ERROR_MAX];

	/* One that deflates at an OOM, so that its pages stay in MemTotal. */
	root_put(&f->root, "/sys/bus/virtio/drivers/virtio_balloon/virtio3/features",
		 "0110010000000000000000000000000000000000000000000000000000000000");
	root_put(&f->root, "/proc/vmstat", "balloon_inflate 102400\nballoon_deflate 0\n");
	assert_int_equal(read_it(f, "[ebb]\ncap = 400M\n", message), 0);
}

static void test_without_a_machine_the_file_alone(void **state)
{
	struct fixture *f = *state;
	struct conf_error err;

	root_put(&f->root, "/ebb.conf", "[ebb]\ncap = 400M\n");
	assert_int_equal(config_read(f->conf, NULL, &f->ram, &f->config, &err), 0);
	root_put(&f->root, "/ebb.conf", "[ebb]\ncap = 400 parsecs\n");
	assert_int_equal(config_read(f->conf, NULL, &f->ram, &f->config, &err), -EINVAL);
	assert_int_equal(err.line, 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cap_below_what_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_balloon_is_no_less_ram, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_balloon_that_closes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_a_machine_the_file_alone, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
