# shellcheck shell=bash
# What a scenario has at hand. Sizes are in KiB or MiB as the names say, times in seconds.

# shellcheck disable=SC2034 # most of it is for the scenarios
CG=/sys/fs/cgroup
REASON=/run/scenario.reason
EBB_CONF=/run/ebb.conf
EBB_LOG=/run/ebbd.log
ROOTFS=/srv/root
STATUS=/run/status # folder of the work programs' status files
mkdir -p "$STATUS"

# Without KVM: then no time is that of a real machine, nor does the CPU forget as one does.
emulated()
{
	[[ $(dmesg) != *'Hypervisor detected: KVM'* ]]
}

# --- the host ----------------------------------------------------------------

# One request, one answer, over the port that init opened (it can be opened only once).
host()
{
	local answer
	{
		flock 8
		printf '%s\n' "$*" >&9
		IFS= read -r answer <&9
	} 8>/run/host.lock
	case $answer in
	error*)
		echo "host: $answer ($1)" >&2
		return 1
		;;
	esac
	printf '%s\n' "$answer"
}

# Resident memory of this VM on the host, now: KiB, exact.
host_rss()
{
	host rss
}

host_rss_mib()
{
	echo $(($(host rss) / 1024))
}

host_mark()
{
	host mark "$*" >/dev/null
}

# Nanoseconds of the host's clock.
host_time()
{
	host time
}

# Nanoseconds of CPU that the VM has had of the host: what others do there changes it little.
host_cpu()
{
	host cpu
}

# Nanoseconds that the VM waited for a CPU of the host: what others do there, and no time of ours.
host_starved()
{
	host starved
}

# host_data NAME JSON: appended to NAME.jsonl in the folder of run --out.
host_data()
{
	host data "$@" >/dev/null
}

# Waits until what was freed before is back on the host: 3 s without a change of more than 1 MiB.
host_settles()
{
	local last now try
	last=$(host_rss)
	for try in 1 2 3 4 5 6 7 8; do
		sleep 3
		now=$(host_rss)
		((now < last - 1024 || now > last + 1024)) || return 0
		last=$now
	done
	note "still changing after $((try * 3)) s"
}

# --- verdicts ----------------------------------------------------------------

note()
{
	echo "    $*"
}

fail()
{
	echo "$*" >"$REASON"
	echo "  not ok  $*"
	exit 1
}

skip()
{
	echo "$*" >"$REASON"
	exit 77
}

# check "EXPRESSION" MESSAGE: an arithmetic expression, with its numbers already in it.
check()
{
	(($1)) || fail "$2 ($1)"
	echo "  ok  $2 ($1)"
}

# check_cmd MESSAGE COMMAND...: the command succeeds.
check_cmd()
{
	local message=$1
	shift
	"$@" || fail "$message ('$*' failed)"
	echo "  ok  $message"
}

# wait_for SECONDS COMMAND...: until it succeeds; false when it did not in time.
wait_for()
{
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}

# host_falls_below KIB, for wait_for.
host_falls_below()
{
	(($(host_rss) < $1))
}

# --- the machine -------------------------------------------------------------

kernel_at_least()
{
	[ "$(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n 1)" = "$1" ]
}

meminfo()
{
	awk -v key="$1:" '$1 == key { print $2; exit }' /proc/meminfo
}

vmstat_of()
{
	awk -v key="$1" '$1 == key { print $2; exit }' /proc/vmstat
}

# MiB in the balloon; deflate-on-oom leaves them in MemTotal.
held()
{
	awk '/^balloon_inflate / { n += $2 } /^balloon_deflate / { n -= $2 } END { print int(n / 256) }' /proc/vmstat
}

# Allocations that had to wait for memory.
stalls()
{
	awk '/^allocstall_/ { n += $2 } END { print n + 0 }' /proc/vmstat
}

drop_caches()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
}

thp()
{
	echo "$1" >/sys/kernel/mm/transparent_hugepage/enabled
}

# zram_swap MIB [ALGORITHM]: for scenarios without ebbd.
zram_swap()
{
	modprobe zram num_devices=1
	[ -z "${2:-}" ] || echo "$2" >/sys/block/zram0/comp_algorithm
	echo "${1}M" >/sys/block/zram0/disksize
	mkswap /dev/zram0 >/dev/null
	swapon -p 100 /dev/zram0
}

# Bytes that zram holds in RAM, and what they were before.
zram_used()
{
	cat /sys/block/zram*/mm_stat 2>/dev/null | awk '{ s += $3 } END { print s + 0 }'
}

zram_original()
{
	cat /sys/block/zram*/mm_stat 2>/dev/null | awk '{ s += $1 } END { print s + 0 }'
}

# --- bare cgroups ------------------------------------------------------------

# cg_new NAME: a group at the top, with the memory controller (also for groups inside it).
cg_new()
{
	local parent
	parent=$(dirname "$CG/$1")
	mkdir -p "$parent"
	[ "$parent" = "$CG" ] || echo +memory >"$parent/cgroup.subtree_control"
	mkdir "$CG/$1"
}

# cg_run NAME COMMAND...: starts it inside the group, in the background; its pid is in CG_PID.
cg_run()
{
	local procs=$CG/$1/cgroup.procs
	shift
	(
		echo "$BASHPID" >"$procs"
		exec "$@"
	) &
	CG_PID=$!
}

# cg_stat NAME KEY: a line of memory.stat.
cg_stat()
{
	awk -v key="$2" '$1 == key { print $2; exit }' "$CG/$1/memory.stat"
}

# cg_get NAME FILE: a file of the group.
cg_get()
{
	cat "$CG/$1/$2"
}

cg_id()
{
	stat -c %i "$CG/$1"
}

# cg_reclaim NAME AMOUNT: a shortfall is normal. In a shell of its own: the write gives up as soon as
# a signal is pending, and a scenario's own shell gets SIGCHLD at any time.
cg_reclaim()
{
	(echo "$2" >"$CG/$1/memory.reclaim") 2>/dev/null || true
}

# cg_kill NAME: ends what runs in it and waits until it is empty.
cg_kill()
{
	[ -d "$CG/$1" ] || return 0
	echo 1 >"$CG/$1/cgroup.kill"
	wait_for 10 grep -q 'populated 0' "$CG/$1/cgroup.events"
}

cg_del()
{
	cg_kill "$1"
	rmdir "$CG/$1"
}

# --- containers --------------------------------------------------------------

# podman_run NAME [OPTION...] -- COMMAND...: a real container, in the background.
podman_run()
{
	local name=$1 options=()
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	podman run -d --quiet --name "$name" --network=none -e "PATH=$PATH" -v /ebb:/ebb:ro -v "$STATUS:$STATUS" \
		"${options[@]}" --rootfs "$ROOTFS:O" "$@" >/dev/null 9>&-
}

# The container's group, as a path beneath /sys/fs/cgroup.
podman_cgroup()
{
	local path
	path=$(podman inspect --format '{{.State.CgroupPath}}' "$1")
	echo "${path#/}"
}

podman_rm()
{
	podman rm -f -t "${2:-0}" "$1" >/dev/null 9>&-
}

# --- the work programs -------------------------------------------------------

# work_status FILE KEY: a figure of a work program's status file (it rewrites it whole).
work_status()
{
	jq -r ".$2" "$STATUS/$1"
}

# work_ask PID FILE: makes the program write its figures now, and waits for them.
work_ask()
{
	local pid=$1 file=$STATUS/$2
	rm -f "$file"
	kill -USR1 "$pid"
	wait_for 60 test -s "$file"
}

# --- ebbd --------------------------------------------------------------------

ebbd_answers()
{
	[ -S /run/ebb/ebbd.sock ] && ebb status -o json
}

# start_ebbd [OPTION...] with the configuration on standard input; waits until it answers.
start_ebbd()
{
	cat >"$EBB_CONF"
	[ -x /ebb/bin/ebbd ] || fail "there is no ebbd in the build folder"
	mkdir -p "$CG/system.slice/ebbd.service"
	(
		echo "$BASHPID" >"$CG/system.slice/ebbd.service/cgroup.procs"
		exec /ebb/bin/ebbd --config "$EBB_CONF" "$@"
	) </dev/null >>"$EBB_LOG" 2>&1 9>&- &
	EBBD_PID=$!
	wait_for 90 ebbd_answers_or_died || true
	if ! ebbd_answers >/dev/null 2>&1; then
		tail -n 20 "$EBB_LOG"
		fail "ebbd does not answer"
	fi
}

ebbd_answers_or_died()
{
	! kill -0 "$EBBD_PID" 2>/dev/null || ebbd_answers
}

# stop_ebbd [SIGNAL]: and waits; its exit status is the result.
stop_ebbd()
{
	kill -"${1:-TERM}" "$EBBD_PID" 2>/dev/null || true
	wait "$EBBD_PID"
}

# CPU of ebbd, in ticks of 10 ms.
ebbd_ticks()
{
	awk '{ print $14 + $15 }' "/proc/$EBBD_PID/stat"
}

# ebb_of NAME KEY: a field of one container in `ebb list -o json`.
ebb_of()
{
	ebb list -o json | jq -r --arg name "$1" ".[] | select(.name == \$name) | .$2"
}
