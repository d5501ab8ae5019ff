# 800 MiB of which 200 stay in use, contiguous, huge pages never: the cold part goes, the host gets it.
# kernels: 6.1 6.12 7.2
# mem: 2G
# timeout: 400

. /ebb/tests/guest/coldpart.sh
cold_part contiguous never
