// SPDX-License-Identifier: GPL-2.0-only
/* sleeper - does nothing, in as little memory as a static program can: for many idle containers. */
#include <unistd.h>

int main(void)
{
	for (;;)
		pause();
}
