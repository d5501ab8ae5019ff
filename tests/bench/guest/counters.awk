# Lines "FILE its line" and "thread its /proc/PID/stat" to one JSON object.

function add(name, value)
{
	if (!(name in sum))
		order[++n] = name
	sum[name] += value
}

function pressure(prefix, kind, total)
{
	sub(/^total=/, "", total)
	add(prefix "_" kind "_us", total)
}

$1 == "thread" {
	name = $0
	sub(/^[^(]*\(/, "", name)
	rest = name
	sub(/\)[^)]*$/, "", name)
	sub(/^.*\) /, "", rest)
	split(rest, f, " ")
	if (f[2] != 2) # not a child of kthreadd
		next
	sub(/[\/:0-9].*$/, "", name)
	# Ticks of 10 ms. Events of the memory's own that are worth a name; reporting runs in a kworker.
	if (name !~ /^(kswapd|kcompactd|kdamond|kworker|khugepaged)$/)
		name = "kernel_other"
	add("thread_" name "_ms", (f[12] + f[13]) * 10)
	next
}

$1 == app "memory.stat" && $2 ~ /^(anon|file|pgfault|pgmajfault|workingset_refault_anon|workingset_refault_file|pgsteal|pgscan)$/ {
	add("app_" $2, $3)
}
$1 == app "cpu.stat" && $2 == "usage_usec" { add("app_cpu_us", $3) }
$1 == controller "cpu.stat" && $2 == "usage_usec" { add("controller_cpu_us", $3) }
$1 == app "memory.pressure" { pressure("app_memory", $2, $NF) }
$1 == app "io.pressure" { pressure("app_io", $2, $NF) }
$1 == "/proc/vmstat" && $2 ~ /^(pswpin|pswpout|compact_stall|allocstall_normal|allocstall_movable)$/ { add($2, $3) }
# user nice system idle iowait irq softirq steal
$1 == "/proc/stat" && $2 == "cpu" { add("busy_ms", ($3 + $4 + $5 + $8 + $9) * 10) }
$1 ~ /mm_stat$/ { add("zram_original", $2); add("zram_used", $4) }

END {
	printf "{"
	for (i = 1; i <= n; i++)
		printf "%s\"%s\":%d", (i > 1 ? "," : ""), order[i], sum[order[i]]
	printf "}\n"
}
