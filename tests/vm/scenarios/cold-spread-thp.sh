# One hot 4K page in four, in huge pages: one touch keeps 2 MiB young, so what is cold cannot be
# seen. Little is taken, nothing hot is, and ebbd says why.
# kernels: 6.12
# also: 6.1 7.2
# mem: 2G
# timeout: 300

. /ebb/tests/guest/coldpart.sh
cold_part_start spread always
sleep 25
cold_part_look
ebb list
note "$COLD_OUT of $COLD_ALL cold pages out, $HOT_FAULTS hot ones faulted back"
check "$(work_status app huge_kib) > 600 * 1024" "the memory is in huge pages"
check "$HOT_FAULTS * 1000 <= $HOT_ALL * 5" "nothing hot was taken"
check_cmd "the reason says so" test "$(ebb_of app reason)" = huge-pages
ebb doctor >/run/doctor.txt || true
check_cmd "ebb doctor says so" grep -qi 'huge' /run/doctor.txt
cold_part_verify
check_cmd "ebbd ends well" stop_ebbd
