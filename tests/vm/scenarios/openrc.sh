# OpenRC starts ebbd and the exporter by the scripts of docs/openrc: checked first, kept up, reloaded, stopped.
# kernels: -
# also: 6.12
# mem: 2G
# timeout: 240
# image: engines
# add: docs/openrc user/exporter

EXPORTER=http://127.0.0.1:9465

ebbd_pid()
{
	pgrep -x ebbd
}

another_answers()
{
	[ -n "$(ebbd_pid)" ] && [ "$(ebbd_pid)" != "$1" ] && ebb status -o json
}

# What OpenRC makes when it boots a machine.
mkdir -p /run/openrc/{daemons,exclusive,failed,hotplugged,inactive,options,scheduled,started,starting,stopping,tmp,wasinactive}
mkdir -p /etc/ebb /var/log
touch /run/openrc/softlevel
for name in ebbd ebb-exporter; do
	sed 's|/usr/local/sbin|/ebb/bin|' /ebb/extra/openrc/$name >/etc/init.d/$name
	chmod 755 /etc/init.d/$name
done
id ebb-exporter >/dev/null 2>&1 || useradd --system --gid ebb --no-create-home ebb-exporter
printf '[ebb]\ncap = twelve\n' >/etc/ebb/ebb.conf
check_cmd "with a wrong configuration it does not start" bash -c '! rc-service ebbd start >/run/said 2>&1 9>&-'
check_cmd "and says why" grep -q "ebb.conf:2: cap = twelve" /run/said
check_cmd "nothing runs" bash -c '! pgrep -x ebbd'
printf '[ebb]\ncold_after = 5s\n' >/etc/ebb/ebb.conf
rc-service ebbd start 9>&- || { tail -n 20 /var/log/ebbd.log && fail "it does not start"; }
wait_for 60 ebb status -o json || { tail -n 20 /var/log/ebbd.log && fail "it does not answer"; }
check_cmd "rc-service ebbd status" rc-service ebbd status
echo 'stall_budget = 0.2%' >>/etc/ebb/ebb.conf
rc-service ebbd reload 9>&-
wait_for 20 grep -q 'configuration read again' /var/log/ebbd.log || { tail -n 20 /var/log/ebbd.log && fail "not read again"; }
note "reload: the configuration is read again"
rc-service ebb-exporter start 9>&-
wait_for 60 curl -sf -o /dev/null $EXPORTER/readyz || { tail -n 20 /var/log/ebb-exporter.log && fail "the exporter does not come up"; }
check_cmd "the exporter is another user" test "$(stat -c %U /proc/"$(pgrep -x ebb-exporter | head -n 1)")" = ebb-exporter
pid=$(ebbd_pid)
kill -KILL "$pid"
wait_for 60 another_answers "$pid" || { tail -n 20 /var/log/ebbd.log && fail "it was not started again"; }
note "killed: another one answers"
rc-service ebb-exporter stop 9>&-
rc-service ebbd stop 9>&-
check_cmd "stopped, nothing runs" bash -c '! pgrep -x "ebbd|ebb-exporter"'
check_cmd "and its swap is gone" bash -c '! grep -q zram /proc/swaps'
