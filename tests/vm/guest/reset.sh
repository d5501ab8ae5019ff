# shellcheck shell=bash
# What init does between two scenarios: the machine as it was after boot, without a boot.

TUNABLES=/run/tunables

# "FILE VALUE" of everything a scenario or ebbd may set. Of "always [madvise] never" the chosen.
tunables()
{
	local file value
	for file in /sys/kernel/mm/transparent_hugepage/{enabled,defrag,shmem_enabled} \
		/sys/kernel/mm/transparent_hugepage/khugepaged/* \
		/sys/kernel/mm/lru_gen/* /sys/kernel/mm/ksm/{run,sleep_millisecs,pages_to_scan} \
		/sys/module/page_reporting/parameters/page_reporting_order \
		/sys/module/zswap/parameters/* \
		/proc/sys/vm/{swappiness,page-cluster,compaction_proactiveness,extfrag_threshold} \
		/proc/sys/vm/{min_free_kbytes,watermark_scale_factor,watermark_boost_factor} \
		/proc/sys/vm/{overcommit_memory,vfs_cache_pressure}; do
		case $file in
		*/pages_collapsed | */full_scans) continue ;; # counters
		esac
		[ -f "$file" ] || continue
		[ -w "$file" ] || continue
		read -r value <"$file" 2>/dev/null || continue
		[[ $value =~ \[(.*)\] ]] && value=${BASH_REMATCH[1]}
		echo "$file $value"
	done
}

tunables_save()
{
	tunables >"$TUNABLES"
}

tunables_restore()
{
	local file value
	while read -r file value; do
		echo "$value" 2>/dev/null >"$file" || true
	done < <(grep -vxF -f <(tunables) "$TUNABLES")
}

zram_off()
{
	local dev
	swapoff -a
	for dev in /sys/block/zram*; do
		[ -e "$dev" ] || continue
		echo 1 >"$dev/reset"
	done
	modprobe -r zram 2>/dev/null || true
}

# With nothing left running, podman's own clean-up only complains of monitors that are gone, and
# takes seconds a container.
podman_wipe()
{
	local at
	while read -r _ at _; do
		case $at in
		/var/lib/containers/* | /run/containers/* | /run/netns/*) umount -l "$at" ;;
		esac
	done < <(tac /proc/mounts)
	rm -rf /var/lib/containers /run/containers /run/libpod /run/crun
}

vm_reset()
{
	local group
	# Everything but process 1: containers, their monitors, ebbd, what a scenario forgot.
	kill -KILL -1 2>/dev/null
	# Emulated, the end of a process of a gigabyte takes seconds, and its group stays until then.
	for _ in $(seq 100); do
		sleep 0.1
		! grep -ql 'populated 1' /sys/fs/cgroup/[!i]*/cgroup.events 2>/dev/null || continue
		break
	done
	for group in /sys/fs/cgroup/*/; do
		case $group in
		*/init.scope/) continue ;;
		esac
		find "$group" -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null
		rmdir "$group" 2>/dev/null
	done
	mkdir -p /sys/fs/cgroup/system.slice/scenario.service
	podman_wipe
	zram_off 2>/dev/null
	rm -rf /run/ebb /var/lib/ebb/* /sys/fs/bpf/* /run/status/* /run/ebb.conf /run/ebbd.log \
		/var/tmp/* /tmp/*
	mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
	tunables_restore
	sync
	echo 3 >/proc/sys/vm/drop_caches
	echo 1 >/proc/sys/vm/compact_memory
}
