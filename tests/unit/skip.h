/* SPDX-License-Identifier: GPL-2.0-only */
/* A test that is left out says why. Include after cmocka.h. */
#ifndef EBB_TESTS_SKIP_H
#define EBB_TESTS_SKIP_H

#define skip_because(...)                                                                          \
	do {                                                                                       \
		print_message("left out: " __VA_ARGS__);                                           \
		print_message("\n");                                                               \
		skip();                                                                            \
	} while (0)

#endif /* EBB_TESTS_SKIP_H */
