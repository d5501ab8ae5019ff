# Mapped code stays: a build under pressure is not made to fault its own compiler in again and again. First below a cap, beside
# a neighbour that has and uses a lot; then a build every half a minute while the host is short, so that the compiler is idle
# for longer than cold_after in between. Pages of the compiler that leave the page cache and come back are counted.
# kernels: -
# also: 6.12 7.2
# mem: 1G
# image: demo
# broker: min=256M --reserve 1000G
# timeout: 3000

UNITS=${UNITS:-24} ARMS=${ARMS:-room cap kernel short}
DIR=/var/tmp/build GROUP=build BOTH=$((260 << 20))
# shellcheck source=../guest/build.sh
. /ebb/tests/guest/build.sh

# What the compiler runs on, for pagewatch.
code()
{
	local program
	for program in "$DIR/compiler/cc1" "$(readlink -f "$(command -v as)")"; do
		echo "$program"
		ldd "$program" | awk '$3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' | xargs -n 1 readlink -f
	done | sort -u
}
watch_code()
{
	local files
	mapfile -t files < <(code)
	rm -f "$STATUS/code"
	pagewatch --status "$STATUS/code" "${files[@]}" &
	WATCH=$!
	wait_for 20 test -s "$STATUS/code" || fail "pagewatch did not start"
}
# arm NAME UNITS PAUSE: a build, and what became of its code: SEEN, LEFT, BACK (pages).
arm()
{
	local major refaults at=$SECONDS
	# Whoever builds reads its compiler itself.
	drop_caches
	kill -USR2 "$WATCH"
	cg_new $GROUP
	build_start $GROUP "$DIR" 3 "$2" "$3"
	wait "$CG_PID" || fail "$1: the build failed"
	work_ask "$WATCH" code || fail "pagewatch does not answer"
	SEEN=$(work_status code seen) LEFT=$(work_status code left) BACK=$(work_status code back)
	major=$(cg_stat $GROUP pgmajfault) refaults=$(cg_stat $GROUP workingset_refault_file)
	note "$1: $2 units in $((SECONDS - at)) s; of $SEEN pages of code $LEFT left and $BACK came back; $major major faults, $refaults refaults of files, $(
		awk '/^some/ { sub("total=", "", $5); print int($5 / 1000) }' "$CG/$GROUP/memory.pressure") ms stalled"
	host_data code "{\"arm\":\"$1\",\"units\":$2,\"seconds\":$((SECONDS - at)),\"seen\":$SEEN,\"left\":$LEFT,\"back\":$BACK,\"major\":$major,\"refaults\":$refaults}"
	[ ! -S /run/ebb/ebbd.sock ] || ebb list
	MAX=$(cg_get $GROUP memory.max)
	cg_del $GROUP
	rm -rf "$DIR/src" "$DIR/obj"
}

thp never
host do broker stop >/dev/null
build_prepare "$DIR"
watch_code
with_room()
{
	arm "with room" "$UNITS" 0
	check "$BACK == 0" "with room nothing leaves"
}
# The neighbour's own 120 MiB are hot, and there is not room for the rest of it. What both might have is in BOTH.
below_a_cap()
{
	start_ebbd --verbose <<-CONF
		[ebb]
		cold_after = 20s
		cap = 560M
	CONF
	cg_new neighbour
	cg_run neighbour hotcold --status "$STATUS/neighbour" 360 120
	wait_for 120 test -s "$STATUS/neighbour" || fail "the neighbour did not start"
	arm "below the cap" "$UNITS" 0
	BOTH=$((MAX + $(cg_get neighbour memory.max)))
	ebb status
	check "$BACK * 4 <= $SEEN" "below the cap at most one page of code in four came back, of all that was built"
	check_cmd "ebbd ends well" stop_ebbd
	cg_del neighbour
}
# The same by the kernel alone, for comparison.
by_the_kernel()
{
	zram_swap 960
	cg_new both
	echo +memory >"$CG/both/cgroup.subtree_control"
	echo "$BOTH" >"$CG/both/memory.max"
	GROUP=both/build
	cg_new both/neighbour
	cg_run both/neighbour hotcold --status "$STATUS/other" 360 120
	wait_for 120 test -s "$STATUS/other" || fail "the neighbour did not start"
	arm "the kernel alone, $((BOTH >> 20)) MiB" "$UNITS" 0
	cg_del both/neighbour
	GROUP=build
	swapoff /dev/zram0
	echo 1 >/sys/block/zram0/reset
	modprobe -r zram || true
}
# A build every half a minute, which is more than a quarter of cold_after.
host_short()
{
	host do broker start >/dev/null
	start_ebbd --verbose </dev/null
	arm "the host is short" 6 25
	ebb status
	check "$BACK <= $SEEN" "on a host that is short no page of code came back more than once, on average, in six builds"
	check_cmd "ebbd ends well" stop_ebbd
}
for name in $ARMS; do
	case $name in
	room) with_room ;;
	cap) below_a_cap ;;
	kernel) by_the_kernel ;;
	short) host_short ;;
	esac
done
check "$(vmstat_of oom_kill) == 0" "nothing was killed"
