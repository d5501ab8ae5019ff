// SPDX-License-Identifier: GPL-2.0-only
/* What is given up is given up, for files, threads and programs too; in processes of their own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/capabilities.h"
#include "skip.h"

#define SETPCAP CAPABILITY(CAP_SETPCAP)

static void need(uint64_t wanted)
{
	struct capabilities c;

	assert_int_equal(capabilities_get(&c), 0);
	if ((c.effective & wanted) != wanted)
		skip_because("needs root with the capabilities %#llx", (unsigned long long)wanted);
}

/* fn's result: 0, or the line that it failed at. */
static int in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define EXPECT(x)                                                                                  \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                    \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

static int keep_two(void)
{
	struct capabilities c;

	EXPECT(!capabilities_keep(CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_KILL)));
	EXPECT(!capabilities_get(&c));
	EXPECT(c.effective == (CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_KILL)));
	EXPECT(!c.bounding && c.no_new_privs);
	/* Not to be had again. */
	EXPECT(!capabilities_keep(~UINT64_C(0)));
	EXPECT(!capabilities_get(&c));
	EXPECT(c.effective == (CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_KILL)));
	return 0;
}

static void test_keeps_what_is_named(void **state)
{
	need(SETPCAP | CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_KILL));
	assert_int_equal(in_child(keep_two), 0);
}

static int chown_fails(void)
{
	char path[] = "/tmp/ebb-capabilities-XXXXXX";
	int fd = mkstemp(path), error;

	EXPECT(fd >= 0);
	EXPECT(!fchown(fd, 1, 1) && !fchown(fd, 0, 0));
	EXPECT(!capabilities_keep(CAPABILITY(CAP_DAC_OVERRIDE)));
	error = fchown(fd, 1, 1) ? errno : 0;
	close(fd);
	unlink(path);
	EXPECT(error == EPERM);
	return 0;
}

static void test_the_kernel_refuses_the_rest(void **state)
{
	need(SETPCAP | CAPABILITY(CAP_CHOWN) | CAPABILITY(CAP_DAC_OVERRIDE));
	assert_int_equal(in_child(chown_fails), 0);
}

static void *look(void *arg)
{
	return (void *)(intptr_t)capabilities_get(arg);
}

static int thread_has_less(void)
{
	struct capabilities c;
	pthread_t thread;
	void *r;

	EXPECT(!capabilities_keep(CAPABILITY(CAP_KILL)));
	EXPECT(!pthread_create(&thread, NULL, look, &c) && !pthread_join(thread, &r) && !r);
	EXPECT(c.effective == CAPABILITY(CAP_KILL) && !c.bounding && c.no_new_privs);
	return 0;
}

static void test_later_threads_have_no_more(void **state)
{
	need(SETPCAP | CAPABILITY(CAP_KILL));
	assert_int_equal(in_child(thread_has_less), 0);
}

static int program_has_none(void)
{
	EXPECT(!capabilities_keep(CAPABILITY(CAP_KILL)));
	EXPECT(!system("grep -q '^CapEff:[[:space:]]*0*$' /proc/self/status"));
	return 0;
}

static void test_a_program_would_have_none(void **state)
{
	need(SETPCAP | CAPABILITY(CAP_KILL));
	assert_int_equal(in_child(program_has_none), 0);
}

static int without_setpcap(void)
{
	struct capabilities before;

	/* By hand: first that one alone, as in a container that lacks it. */
	EXPECT(!prctl(PR_CAPBSET_DROP, CAP_SETPCAP, 0, 0, 0));
	EXPECT(!setenv("EBB_TEST_WITHOUT_SETPCAP", "1", 1));
	EXPECT(!capabilities_get(&before));
	EXPECT(before.bounding && !(before.bounding & SETPCAP));
	execl("/proc/self/exe", "test_capabilities", (char *)NULL);
	return 1;
}

/* In the program that the one above becomes: root, but for CAP_SETPCAP. */
static int give_up_anyway(void)
{
	struct capabilities c;

	EXPECT(!capabilities_get(&c));
	EXPECT(c.effective && !(c.effective & SETPCAP));
	EXPECT(capabilities_keep(CAPABILITY(CAP_KILL)) == -EPERM);
	EXPECT(!capabilities_get(&c));
	EXPECT(c.effective == CAPABILITY(CAP_KILL) && c.bounding && c.no_new_privs);
	return 0;
}

static void test_without_setpcap_the_rest_is_done(void **state)
{
	need(SETPCAP | CAPABILITY(CAP_KILL));
	assert_int_equal(in_child(without_setpcap), 0);
}

static int drop_all(void)
{
	struct capabilities c;

	/* Whoever one is: nothing is left, and nothing can come. */
	EXPECT(!capabilities_get(&c));
	EXPECT(capabilities_keep(0) == (c.bounding && !(c.effective & SETPCAP) ? -EPERM : 0));
	EXPECT(!capabilities_get(&c) && !c.effective && c.no_new_privs);
	return 0;
}

static void test_everything_can_go(void **state)
{
	assert_int_equal(in_child(drop_all), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_what_is_named),
		cmocka_unit_test(test_the_kernel_refuses_the_rest),
		cmocka_unit_test(test_later_threads_have_no_more),
		cmocka_unit_test(test_a_program_would_have_none),
		cmocka_unit_test(test_without_setpcap_the_rest_is_done),
		cmocka_unit_test(test_everything_can_go),
	};

	if (getenv("EBB_TEST_WITHOUT_SETPCAP"))
		return give_up_anyway();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
