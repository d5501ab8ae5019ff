# 800 MiB of which 200 stay in use, spread, huge pages never: the cold part goes, the host gets it.
# One hot 4K page in four: nothing comes back to the host unless free memory is gathered (compaction).
# kernels: 6.12
# also: 6.1 7.2
# mem: 2G
# timeout: 300

. /ebb/tests/guest/coldpart.sh
cold_part spread never
