# The census on this kernel: a thousand groups, every figure against the kernel's own files, and its
# cost against opening, reading and parsing them.
# kernels: 6.12 7.2
# also: 6.1
# mem: 1G
# timeout: 400

[ -x /ebb/bin/census_check ] || fail "census_check is not built: make bpf-build, into the build folder"
# Debian's 6.1 has it built in and off.
echo 7 >/sys/kernel/mm/lru_gen/enabled
begun=$SECONDS
check_cmd "every figure is the kernel's, at a twentieth of the price" census_check 1000 5
note "it took $((SECONDS - begun)) s"
check_cmd "no group is left behind" bash -c '! ls -d /sys/fs/cgroup/ebbtest-* 2>/dev/null'
