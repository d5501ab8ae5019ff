# The bench's record of use: half of a process's pages is in use, and half of a file is read again and again; it says which.
# kernels: -
# also: 6.12 7.2
# timeout: 120

mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null || true
thp never
cg_new app
cg_new app/memory
cg_run app/memory hotcold --layout contiguous --status "$STATUS/app" 100 50
hot=$CG_PID
cg_new app/files
cg_run app/files filecold --status "$STATUS/files" /var/tmp/cold 40 /var/tmp/warm 20
file=$CG_PID
wait_for 60 test -s "$STATUS/app" || fail "hotcold did not start"
wait_for 60 test -s "$STATUS/files" || fail "filecold did not start"
usetrace --group /app --period 3 --out /run/record &
trace=$!
sleep 7
kill -USR2 "$trace" # counts from here: what was read and touched at the start does not
sleep 17
kill "$trace"
check_cmd "it ends well" wait "$trace"
cat /run/record

# pages KIND: those that were left alone for three periods at least until the end.
left_alone()
{
	jq "[.$1.over | to_entries[] | select((.key | tonumber) >= 3) | .value] | add // 0" /run/record
}

used_again()
{
	jq "[.$1.again[]] | add // 0" /run/record
}

# Under emulation a page in use may look idle for a pass (coldpart.sh).
swap=$(left_alone swap) file_pages=$(left_alone file) again=$(($(used_again swap) + $(used_again file)))
check "$swap >= 12800 * 98 / 100 && $swap <= 12800 * 110 / 100" "half of 100 MiB was left alone"
check "$file_pages >= 10240 * 98 / 100 && $file_pages <= 10240 * 110 / 100" "and the file that was read once"
check "$again <= 1000" "what is in use was hardly ever taken for idle"
kill "$hot" "$file"
wait "$hot" "$file" || true
