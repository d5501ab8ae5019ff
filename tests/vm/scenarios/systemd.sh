# systemd is process 1: ebbd and the exporter do all of their work in the sandboxes of their units, come back when they
# were killed or hang, and containers that systemd has a scope for are listed by name.
# kernels: -
# also: 6.12
# broker: min=256M
# mem: 2G
# append: ebb.systemd
# timeout: 600
# image: engines
# add: user/ebbd user/exporter

EXPORTER=http://127.0.0.1:9465
ROOT=/run/rootfs

rungs()
{
	ebb doctor -o json | jq -c '[.rungs[] | [.data, .rung]] | sort'
}

taken()
{
	(($(ebb_of "$1" reclaimed_total) >= $2 << 20))
}

main_pid()
{
	systemctl show -P MainPID "$1"
}

# exposure UNIT: ten times what systemd-analyze says
exposure()
{
	systemd-analyze security --no-pager "$1" | sed -n 's/.*Overall exposure level for .*: \([0-9]*\)\.\([0-9]\) .*/\1\2/p'
}

is_listed()
{
	[ "$(ebb_of "$1" runtime)" = "$2" ]
}

another_answers()
{
	[ "$(main_pid ebbd)" != "$1" ] && [ "$(main_pid ebbd)" != 0 ] && ebb status -o json
}

must()
{
	"$@" || {
		journalctl --no-pager -n 40
		fail "$*"
	}
}

mkdir -p /etc/ebb
cat >/etc/ebb/ebb.conf <<EOF
[ebb]
cold_after = 5s
EOF
for unit in ebbd exporter; do
	name=${unit/#exporter/ebb-exporter}
	sed 's|@SBINDIR@|/ebb/bin|; s|@SYSCONFDIR@|/etc|' "/ebb/extra/$unit/$name.service.in" >"/etc/systemd/system/$name.service"
done
cp /ebb/extra/ebbd/ebb.sysusers /usr/lib/sysusers.d/ebb.conf
cp /ebb/extra/exporter/ebb-exporter.sysusers /usr/lib/sysusers.d/ebb-exporter.conf
cp /ebb/extra/ebbd/ebb.tmpfiles /usr/lib/tmpfiles.d/ebb.conf
systemctl daemon-reload
systemd-sysusers
systemd-tmpfiles --create ebb.conf
check_cmd "sysusers: the exporter's user is in group ebb" test "$(id -gn ebb-exporter)" = ebb
check "$(stat -c %a /var/lib/ebb) == 700" "tmpfiles: the state is root's"

# What it has without a sandbox.
thp never
start_ebbd <<<''
free=$(rungs)
stop_ebbd
note "$free"

# --- ebbd in its unit ---

must systemctl start ebbd
check_cmd "it has the same means in its sandbox" test "$(rungs)" = "$free"
check "$(exposure ebbd.service) <= 52" "systemd-analyze security"
must systemd-run --quiet --unit=app /ebb/bin/hotcold --status "$STATUS/app" 200 50
wait_for 120 taken app 100 || fail "too little was taken: $(ebb list) $(journalctl --no-pager -u ebbd -n 20)"
note "$(ebb list | sed -n 2,3p)"
check_cmd "its compressed swap is there" grep -q zram /proc/swaps
check_cmd "its pins are seen by others" test -e /sys/fs/bpf/ebb/containers
check_cmd "the port to the broker is open" test "$(ebb status -o json | jq .balloon.broker)" = true
check_cmd "its stalls are watched" bash -c "ls -l /proc/$(main_pid ebbd)/fd 2>/dev/null | grep -q memory.pressure"
check_cmd "nothing was refused that it asked for" bash -c \
	"! journalctl --no-pager -q -u ebbd | grep -iE 'not permitted|denied|cannot|read-only'"

pid=$(main_pid ebbd)
check "$(awk '/^Seccomp:/ { print $2 }' /proc/"$pid"/status) == 2" "its system calls are filtered"
# Else its swap would be /zram0 to all others, and nobody's when it was killed.
check_cmd "it is in nobody's namespace of mounts" test "$(readlink /proc/"$pid"/ns/mnt)" = "$(readlink /proc/self/ns/mnt)"
check_cmd "its swap is where others find it" grep -q '^/dev/zram' /proc/swaps
# What is allowed to its group: a shell in there, though root, gets no further.
check_cmd "a disk can be read" bash -c "head -c 1 /dev/vda >/dev/null"
check_cmd "but not from its group" bash -c \
	'echo $$ >/sys/fs/cgroup/system.slice/ebbd.service/cgroup.procs && ! head -c 1 /dev/vda >/dev/null 2>&1'

echo 'stall_budget = 0.2%' >>/etc/ebb/ebb.conf
must systemctl reload ebbd
read_again()
{
	journalctl --no-pager -u ebbd | grep -q 'configuration read again'
}
wait_for 20 read_again || fail "the configuration was not read again"
note "systemctl reload: the configuration is read again"

# --- the exporter in its unit ---

must systemctl start ebb-exporter
wait_for 60 curl -sf -o /dev/null $EXPORTER/readyz || fail "it does not come up: $(journalctl --no-pager -u ebb-exporter -n 20)"
check "$(curl -sf $EXPORTER/metrics | grep -c '^ebb_container_info{') >= 1" "the exporter has metrics"
check "$(exposure ebb-exporter.service) <= 15" "systemd-analyze security"
check_cmd "from ebbd's group there is no network" bash -c \
	"echo \$\$ >/sys/fs/cgroup/system.slice/ebbd.service/cgroup.procs && ! curl -sf -m 5 $EXPORTER/healthz"
check_cmd "it is nobody of importance" bash -c "grep -q '^CapEff:[[:space:]]*0*\$' /proc/$(main_pid ebb-exporter)/status"
check_cmd "of its own user" test "$(stat -c %U /proc/"$(main_pid ebb-exporter)")" = ebb-exporter

# --- killed, hanging ---

pid=$(main_pid ebbd)
kill -KILL "$pid"
wait_for 60 another_answers "$pid" || fail "it was not started again: $(journalctl --no-pager -u ebbd -n 20)"
note "killed: another one answers"
mkdir -p /run/systemd/system/ebbd.service.d
printf '[Service]\nWatchdogSec=8\nTimeoutAbortSec=1\n' >/run/systemd/system/ebbd.service.d/soon.conf
systemctl daemon-reload
must systemctl restart ebbd
pid=$(main_pid ebbd)
sleep 12
check "$(main_pid ebbd) == $pid" "it keeps its watchdog quiet"
kill -STOP "$pid"
wait_for 60 another_answers "$pid" || fail "one that hangs was left so: $(journalctl --no-pager -u ebbd -n 20)"
note "hanging: another one answers"
# --- what has a scope, or a service ---

mkdir -p $ROOT/{bin,dev,etc,proc,sys,run,tmp,usr,var}
cp /ebb/bin/sleeper $ROOT/bin/
echo 'ID=tiny' >$ROOT/etc/os-release
must systemd-run --quiet --unit=deb systemd-nspawn --quiet --directory=$ROOT --machine=deb-1 --private-network /bin/sleeper
wait_for 60 is_listed deb-1 nspawn || { ebb list && journalctl --no-pager -u deb -n 20 && fail "the machine is not listed"; }
podman --cgroup-manager systemd run -d --quiet --name web --network none --rootfs $ROOT /bin/sleeper >/dev/null 9>&-
wait_for 60 is_listed web podman || { ebb list && fail "the container is not listed"; }
check_cmd "a service" is_listed app systemd
ebb list -o json | jq -r '.[] | [.name, .runtime, .path] | @tsv' | sed 's/^/    /'

# --- stopped ---

must systemctl stop ebbd
grep zram /proc/swaps && journalctl --no-pager -u ebbd -n 40
check_cmd "stopped, its swap is gone" bash -c '! grep -q zram /proc/swaps'
check_cmd "and its pins" test ! -e /sys/fs/bpf/ebb
check "$(systemctl show -P ExecMainStatus ebbd) == 0" "it ended well"
check_cmd "the exporter is up, and says so" bash -c "curl -s $EXPORTER/metrics | grep -q '^ebb_up 0'"

# Why ebbd's unit makes no namespace of mounts.
# shellcheck disable=SC2016 # for the shell in there
must systemd-run --quiet --wait -p PrivateMounts=yes bash -c 'n=$(cat /sys/class/zram-control/hot_add) &&
	echo 16M >"/sys/block/zram$n/disksize" && mkswap "/dev/zram$n" && swapon "/dev/zram$n"'
check_cmd "a swap from such a namespace has no path that others could use" grep -q '^/zram' /proc/swaps
