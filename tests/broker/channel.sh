# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# A real guest asks a real broker through a real QEMU, and the VM is that size. Run by tests/broker/qemu.
# mem: 1G
# timeout: 200

# MiB in the balloon. (With deflate-on-oom the kernel goes on counting them in MemTotal.)
held() {
	awk '/^balloon_inflate / { n += $2 } /^balloon_deflate / { n -= $2 } END { print int(n / 256) }' /proc/vmstat
}
holds_least() {
	test "$(held)" -ge "$1"
}
holds_most() {
	test "$(held)" -le "$1"
}
/ebb/extra/channel_guest 600:600 >/tmp/heard &
guest=$!
wait_for 60 grep -q '^ack .* applied 600 ' /tmp/heard || fail "not given 600M: $(tail -n 3 /tmp/heard | tr '\n' ';')"
wait_for 60 holds_least 420 || fail "the balloon has only $(held) MiB"
check "$(held) >= 420 && $(held) <= 426" "the balloon has the 424 MiB between"
wait_for 30 grep -q '^ack .* actual 600 clamp none' /tmp/heard || fail "never settled: $(tail -n 1 /tmp/heard)"
sed -n '/^ack/p' /tmp/heard | tail -n 3
# Killed, with no word of goodbye: QEMU sees the port close, and all comes back in one step.
kill -9 $guest
wait $guest || true
wait_for 30 holds_most 0 || fail "the balloon still has $(held) MiB"
check "$(held) <= 0" "the whole size is back"
# Less than the floor, then all: the floor is the host's, growing is one step.
/ebb/extra/channel_guest 64:12 1024:8 >/tmp/heard
grep -q 'want 64 applied 256 .* clamp floor' /tmp/heard || fail "no floor: $(tail -n 5 /tmp/heard | tr '\n' ';')"
grep -q 'want 1024 applied 1024 .* clamp none' /tmp/heard || fail "did not grow: $(tail -n 5 /tmp/heard | tr '\n' ';')"
