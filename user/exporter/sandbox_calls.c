// SPDX-License-Identifier: GPL-2.0-only
/*
 * The seccomp filters: lists of what may be called. All else gives EPERM rather
 * than death: a C library that tries something new is to get along without it.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exporter/sandbox.h"
#include "lib/cleanup.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define ARCH AUDIT_ARCH_S390X
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_PPC64LE
#else
#error "name this architecture's AUDIT_ARCH here"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW(i) (offsetof(struct seccomp_data, args[i]))
#else
#define LOW(i) (offsetof(struct seccomp_data, args[i]) + 4)
#endif

enum check {
	ALWAYS,
	ARG0_IS_UNIX, /* socket(AF_UNIX, …) */
	ARG0_IS_SELF, /* tgkill(getpid(), …) */
	ARG0_IS_NAME, /* prctl(PR_SET_NAME, …) */
	ARG2_NO_EXEC, /* mmap, mprotect: not executable */
	ARG1_IS_FLAGS, /* fcntl: a descriptor's flags only */
};

struct call {
	int nr;
	enum check check;
};

/* clang-format off */
static const struct call server_calls[] = {
	/* the descriptors that it has */
	{ SYS_read, ALWAYS }, { SYS_write, ALWAYS }, { SYS_readv, ALWAYS }, { SYS_writev, ALWAYS },
	{ SYS_pread64, ALWAYS }, { SYS_recvfrom, ALWAYS }, { SYS_recvmsg, ALWAYS },
	{ SYS_sendto, ALWAYS }, { SYS_sendmsg, ALWAYS }, { SYS_close, ALWAYS },
	{ SYS_shutdown, ALWAYS }, { SYS_accept4, ALWAYS }, { SYS_getsockname, ALWAYS },
	{ SYS_getpeername, ALWAYS }, { SYS_getsockopt, ALWAYS }, { SYS_setsockopt, ALWAYS },
	{ SYS_fcntl, ARG1_IS_FLAGS },
#ifdef SYS_poll
	{ SYS_poll, ALWAYS },
#endif
#ifdef SYS_epoll_wait
	{ SYS_epoll_wait, ALWAYS },
#endif
#ifdef SYS_accept
	{ SYS_accept, ALWAYS },
#endif
	{ SYS_ppoll, ALWAYS }, { SYS_epoll_pwait, ALWAYS }, { SYS_epoll_ctl, ALWAYS },
	/* time, memory, threads that run already, signals, the end */
	{ SYS_clock_gettime, ALWAYS }, { SYS_clock_nanosleep, ALWAYS }, { SYS_nanosleep, ALWAYS },
	{ SYS_gettimeofday, ALWAYS }, { SYS_getrusage, ALWAYS }, { SYS_getpid, ALWAYS },
	{ SYS_gettid, ALWAYS }, { SYS_getrandom, ALWAYS }, { SYS_brk, ALWAYS },
	{ SYS_munmap, ALWAYS }, { SYS_mremap, ALWAYS }, { SYS_madvise, ALWAYS },
	{ SYS_mmap, ARG2_NO_EXEC }, { SYS_mprotect, ARG2_NO_EXEC },
	{ SYS_futex, ALWAYS }, { SYS_sched_yield, ALWAYS }, { SYS_restart_syscall, ALWAYS },
	{ SYS_rt_sigreturn, ALWAYS }, { SYS_rt_sigprocmask, ALWAYS },
	{ SYS_rt_sigtimedwait, ALWAYS }, { SYS_sigaltstack, ALWAYS },
	{ SYS_tgkill, ARG0_IS_SELF },
	/* what a thread does as its first, which may be after the filter came */
	{ SYS_rseq, ALWAYS }, { SYS_set_robust_list, ALWAYS }, { SYS_prctl, ARG0_IS_NAME },
	{ SYS_wait4, ALWAYS }, { SYS_exit, ALWAYS }, { SYS_exit_group, ALWAYS },
};

static const struct call dialer_calls[] = {
	{ SYS_socket, ARG0_IS_UNIX }, { SYS_connect, ALWAYS }, { SYS_recvfrom, ALWAYS },
	{ SYS_sendmsg, ALWAYS }, { SYS_close, ALWAYS }, { SYS_restart_syscall, ALWAYS },
	{ SYS_rt_sigreturn, ALWAYS }, { SYS_sigaltstack, ALWAYS }, { SYS_exit, ALWAYS }, { SYS_exit_group, ALWAYS },
};
/* clang-format on */

#define MAX_CALLS 64
#define PER_CALL 5
#define HEAD 5

struct program {
	struct sock_filter code[HEAD + MAX_CALLS * PER_CALL + 1];
	unsigned short n;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	p->code[p->n++] = (struct sock_filter){ .code = code, .jt = yes, .jf = no, .k = k };
}

#define LOAD (BPF_LD | BPF_W | BPF_ABS)
#define EQUAL (BPF_JMP | BPF_JEQ | BPF_K)
#define ANY_OF (BPF_JMP | BPF_JSET | BPF_K)
#define RETURN (BPF_RET | BPF_K)
#define DENY (SECCOMP_RET_ERRNO | EPERM)

/* `nr` is loaded before, and after where it was none of this one. */
static void emit_call(struct program *p, const struct call *c)
{
	if (c->check == ALWAYS) {
		emit(p, EQUAL, (uint32_t)c->nr, 0, 1);
		emit(p, RETURN, SECCOMP_RET_ALLOW, 0, 0);
		return;
	}
	emit(p, EQUAL, (uint32_t)c->nr, 0, 4);
	switch (c->check) {
	case ARG0_IS_UNIX:
		emit(p, LOAD, LOW(0), 0, 0);
		emit(p, EQUAL, AF_UNIX, 0, 1);
		break;
	case ARG0_IS_SELF:
		emit(p, LOAD, LOW(0), 0, 0);
		emit(p, EQUAL, (uint32_t)getpid(), 0, 1);
		break;
	case ARG0_IS_NAME:
		emit(p, LOAD, LOW(0), 0, 0);
		emit(p, EQUAL, PR_SET_NAME, 0, 1);
		break;
	case ARG2_NO_EXEC:
		emit(p, LOAD, LOW(2), 0, 0);
		emit(p, ANY_OF, PROT_EXEC, 1, 0);
		break;
	case ARG1_IS_FLAGS:
	default:
		/* F_GETFD to F_SETFL are 1 to 4; F_DUPFD, 0, gives nothing new. */
		emit(p, LOAD, LOW(1), 0, 0);
		emit(p, BPF_JMP | BPF_JGT | BPF_K, 4, 1, 0);
		break;
	}
	emit(p, RETURN, SECCOMP_RET_ALLOW, 0, 0);
	emit(p, RETURN, DENY, 0, 0);
}

static int enter(const struct call *calls, size_t n)
{
	struct program p = { .n = 0 };
	struct sock_fprog prog;

	_Static_assert(ARRAY_SIZE(server_calls) <= MAX_CALLS, "room for the program");
	emit(&p, LOAD, offsetof(struct seccomp_data, arch), 0, 0);
	emit(&p, EQUAL, ARCH, 1, 0);
	emit(&p, RETURN, SECCOMP_RET_KILL_PROCESS, 0, 0);
	emit(&p, LOAD, offsetof(struct seccomp_data, nr), 0, 0);
	for (size_t i = 0; i < n; i++)
		emit_call(&p, &calls[i]);
	/* The x32 numbers of x86-64 are none of these either. */
	emit(&p, RETURN, DENY, 0, 0);
	prog = (struct sock_fprog){ .len = p.n, .filter = p.code };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* For all threads; a positive result is the one that could not be brought along. */
	switch (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog)) {
	case 0:
		return 0;
	case -1:
		return -errno;
	default:
		return -EBUSY;
	}
}

int sandbox_enter_dialer(void)
{
	bool landlock;
	int r = sandbox_fence_files(&landlock);

	return r < 0 ? r : enter(dialer_calls, ARRAY_SIZE(dialer_calls));
}

int sandbox_enter_server(void)
{
	return enter(server_calls, ARRAY_SIZE(server_calls));
}
