# 800 MiB of which 200 stay in use, contiguous, huge pages always: the cold part goes, the host gets it.
# kernels: 6.12
# also: 6.1 7.2
# mem: 2G
# timeout: 300

. /ebb/tests/guest/coldpart.sh
cold_part contiguous always
