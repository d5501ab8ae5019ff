# The hooks on this kernel: each rung loads, and what they count is what the kernel counts.
# kernels: 6.12
# also: 6.1 7.2
# mem: 1G
# timeout: 300

[ -x /ebb/bin/hooks_check ] || fail "hooks_check is not built: make bpf-build, into the build folder"
# Debian's 6.1 has it built in and off.
echo 7 >/sys/kernel/mm/lru_gen/enabled
begun=$SECONDS
check_cmd "the hooks count what the kernel counts" hooks_check
note "it took $((SECONDS - begun)) s"
