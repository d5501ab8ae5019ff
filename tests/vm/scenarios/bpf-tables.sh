# What docs/bpf.md shows: the pinned maps read like tables, by their names and BTF, to who may look and to nobody else.
# kernels: 6.12
# also: 6.1 7.2
# mem: 1G
# timeout: 180

PINS=/sys/fs/bpf/ebb

# show COMMAND...: as somebody at a terminal would see it
show()
{
	echo "    # $*"
	"$@" 2>&1 | sed 's/^/    /'
}

# of NAME KEY: a figure of a container in the map, by the names that BTF gives
of()
{
	bpftool -j map dump pinned $PINS/containers |
		jq --arg name "$1" ".[].formatted.value | select(.name == \$name) | .$2"
}

taken()
{
	(($(ebb_of web reclaimed_total) >= $1 << 20))
}

listed()
{
	[ -n "$(ebb_of "$1" id)" ]
}

# The text is of ebbd's last pass, the list of its last turn.
a_line_each()
{
	[ "$(grep -c . $PINS/census)" = $((1 + $(ebb list -o json | jq length))) ]
}

# Debian's 6.1 has it built in and off.
echo 7 >/sys/kernel/mm/lru_gen/enabled
thp never
start_ebbd <<EOF
[ebb]
cold_after = 5s
EOF
podman_run web -- hotcold --status "$STATUS/web" 200 50
podman_run cache -- redis-server --save "" --port 0 --unixsocket /tmp/redis
wait_for 60 test -s "$STATUS/web" || fail "hotcold did not start"
wait_for 60 listed cache || fail "redis did not start"
wait_for 90 taken 100 || fail "nothing was taken: $(ebb list)"
# It reads what was taken, so that something comes back.
kill -USR1 "$(podman inspect --format '{{.State.Pid}}' web)"
sleep 8

show ls -l $PINS
show cat $PINS/census
show bpftool map show pinned $PINS/containers
show bpftool map dump pinned $PINS/containers
show bpftool map lookup pinned $PINS/census_records key 0 0 0 0
show bpftool prog show
show bpftool link show

check "$(of web container) == $(ebb_of web id)" "a dump has the container by its name, under its id"
check "$(of web 'major_lat | length') == 24" "and what was counted, by name"
check "$(bpftool -j map dump pinned $PINS/census_records |
	jq "[.[].formatted.value | select(.cgroup == $(ebb_of web id))] | length") == 1" "the census has a record of it"
check "$(awk 'NR == 1 { n = NF; while (n && $n != "name") n-- } $NF == "web" { print NF == n }' $PINS/census) == 1" \
	"the text has a line of it, in as many columns as the heading"
wait_for 20 a_line_each || fail "the text has $(grep -c . $PINS/census) lines, the list: $(ebb list)"
note "one line a container"
check_cmd "a ring is read once, by ebbd: it cannot be dumped" bash -c "! bpftool map dump pinned $PINS/edges >/dev/null 2>&1"

# Who may look.
as()
{
	setpriv --reuid "$1" --regid "$1" --init-groups "${@:2}"
}
id stranger >/dev/null 2>&1 || useradd --no-create-home stranger
check_cmd "a member of group ebb may read the census" as member grep -q ' web$' $PINS/census
check_cmd "a stranger may not" bash -c "! setpriv --reuid stranger --regid stranger --init-groups cat $PINS/census 2>/dev/null"
check_cmd "nor may a member write to a map" bash -c "! setpriv --reuid member --regid member --init-groups \
	bpftool map delete pinned $PINS/containers key hex $(printf '%016x' "$(ebb_of web id)" | fold -w2 | tac | tr '\n' ' ') 2>/dev/null"

# Killed, it takes the hooks along; what was counted can still be looked at, until the next start.
stop_ebbd KILL || true
check "$(bpftool -j prog show | jq '[.[] | select(.name == "cgroup_mkdir" or .name == "page_fault_user")] | length') == 0" \
	"without ebbd there is no hook"
check_cmd "what it counted is still there" bash -c "[ \"\$(bpftool -j map dump pinned $PINS/containers | jq length)\" -ge 2 ]"
