# shellcheck shell=bash
# shellcheck disable=SC2054,SC2154 # QEMU's options have commas; the variables are those of run
# How a VM is put together: scenarios and their headers, KVM or TCG, the project's disk, QEMU.

scenario_file()
{
	local file=$1
	[ -f "$file" ] || file=$VM_DIR/scenarios/${1%.sh}.sh
	[ -f "$file" ] || die "there is no scenario $1"
	realpath "$file"
}

scenario_name()
{
	basename "$1" .sh
}

# scenario_header FILE KEY: of a line "# KEY: VALUE" in the comment at the top.
scenario_header()
{
	awk -v key="# $2:" '!/^#/ { exit } index($0, key) == 1 { sub(/^[^:]*: */, ""); print; exit }' "$1"
}

scenario_timeout()
{
	local limit
	limit=$(scenario_header "$1" timeout)
	echo "${limit:-120}"
}

to_mib()
{
	case $1 in
	*G) echo $((${1%G} * 1024)) ;;
	*M) echo "${1%M}" ;;
	*) die "a size is a number with M or G, not '$1'" ;;
	esac
}

# kvm or tcg. /dev/kvm may open and still run nothing, so a kernel has to come up in it. What was
# found holds until the host boots again.
vm_accel()
{
	local kernel_dir=$1 verdict
	verdict=$CACHE/accel-$(cat /proc/sys/kernel/random/boot_id)
	if [ -n "${EBB_ACCEL:-}" ]; then
		echo "$EBB_ACCEL"
		return
	fi
	if [ ! -s "$verdict" ]; then
		rm -f "$CACHE"/accel-*
		if [ -w /dev/kvm ] && kvm_boots "$kernel_dir"; then
			echo kvm >"$verdict"
		else
			echo tcg >"$verdict"
			progress_end "KVM runs no guest on this machine; the VMs are emulated (TCG)"
		fi
	fi
	cat "$verdict"
}

kvm_boots()
{
	local log
	progress "KVM" "does it boot a kernel?"
	log=$(timeout -s KILL 15 qemu-system-x86_64 -nodefaults -no-user-config -display none \
		-machine pc,accel=kvm -cpu host -m 256 -no-reboot -serial stdio \
		-kernel "$1/vmlinuz" -initrd "$1/initramfs" \
		-append "console=ttyS0 panic=-1 ebb.probe" </dev/null 2>/dev/null |
		grep -m1 -a ebb-probe-booted || true)
	[ -n "$log" ]
}

# The folder that becomes the disk at /ebb: programs, the guest's side of the harness, scenarios.
vm_stage()
{
	local stage=$1 build=$2 file s words
	mkdir -p "$stage"/{bin,extra,tests/scenarios}
	for file in "$build"/* "$build"/vm/work/* "$build"/bpftest/*; do
		if [ -f "$file" ] && [ -x "$file" ]; then
			cp "$file" "$stage/bin/"
		fi
	done
	cp -r "$VM_DIR/guest" "$stage/tests/"
	for s in "${scenarios[@]}"; do
		cp "$s" "$stage/tests/scenarios/"
		echo "$(scenario_name "$s") $(scenario_timeout "$s")" \
			"/ebb/tests/scenarios/$(basename "$s")"
	done >"$stage/scenarios"
	[ -z "$shell" ] || touch "$stage/shell"
	for s in "${scenarios[@]}"; do
		read -ra words <<<"$(scenario_header "$s" add)"
		extra+=("${words[@]/#/$TOP/}")
	done
	for file in "${extra[@]}"; do
		cp -r "$file" "$stage/extra/"
	done
	for file in "${envs[@]}"; do
		printf 'export %s=%q\n' "${file%%=*}" "${file#*=}"
	done >"$stage/env"
}

# A broker outside, with a channel and a control socket of its own.
vm_broker()
{
	BROKER_DIR=$tmp/broker BROKER_OPTIONS=$broker BROKER_PROGRAM=$build/ebb-broker BROKER_LOG=$out/broker.log
	[ "$broker" != - ] || BROKER_OPTIONS=''
	export BROKER_DIR BROKER_OPTIONS BROKER_PROGRAM BROKER_LOG
	mkdir -p "$BROKER_DIR"
	: >"$BROKER_LOG"
	qmp=$BROKER_DIR/qmp
	qemu_extra+=(-qmp "unix:$BROKER_DIR/qmp2,server=on,wait=off"
		-chardev "socket,id=ebb,path=$BROKER_DIR/channel,server=on,wait=off"
		-device "virtserialport,chardev=ebb,name=ebb.channel,id=ebb0")
}

# Sets qemu=(...) from what run was told. Fds 3, 4 and 5 are made by hostd: RAM, control port, the guest's output.
vm_qemu_args()
{
	local cmdline="console=ttyS0 quiet loglevel=4 panic=-1 oops=panic mitigations=off $append"
	# One thread for all CPUs: with a thread each, code that one CPU patches while another runs it tears.
	# Switching the kernel's own page-fault tracepoints on and off panicked 6.12 within 13 s (QEMU 7.2:
	# int3 in exc_page_fault). The translation cache is bounded: it would grow by gigabytes.
	local how=(-accel "tcg,thread=single,tb-size=96" -cpu max)
	# The guest's time is then the number of instructions, each of 2^N ns, of all its CPUs together.
	[ -z "${icount:-}" ] || how+=(-icount "shift=$icount,sleep=on")
	[ "$accel" = tcg ] || how=(-accel kvm -cpu host)
	qemu=(qemu-system-x86_64 -name ebb-vm -nodefaults -no-user-config -display none -no-reboot
		-machine "pc,memory-backend=mem" "${how[@]}" -m "${mem_mib}M" -smp "$smp"
		-object "memory-backend-file,id=mem,size=${mem_mib}M,mem-path=/proc/self/fd/3,share=on"
		-kernel "$kernel_dir/vmlinuz" -initrd "$kernel_dir/initramfs" -append "$cmdline"
		-drive "if=none,id=root,file=$root_image,format=raw,snapshot=on,cache=unsafe,discard=unmap"
		-device virtio-blk-pci,drive=root,serial=root
		-drive "if=none,id=modules,file=$kernel_dir/modules.img,format=raw,readonly=on"
		-device virtio-blk-pci,drive=modules,serial=modules
		-drive "if=none,id=ebb,file=$tmp/ebb.img,format=raw,readonly=on"
		-device virtio-blk-pci,drive=ebb,serial=ebb
		-device "virtio-balloon-pci,id=balloon,free-page-reporting=on,deflate-on-oom=on"
		-chardev "file,id=console,path=$out/console.log" -serial chardev:console
		-chardev socket,id=control,fd=4
		-device virtio-serial-pci -device virtconsole,chardev=output
		-device virtserialport,chardev=control,name=ebb.host)
	if [ -n "$shell" ]; then
		qemu+=(-chardev "stdio,id=output,signal=off")
	else
		qemu+=(-chardev socket,id=output,fd=5)
	fi
	[ -z "$qmp" ] || qemu+=(-qmp "unix:$qmp,server=on,wait=off")
	[ -z "${reboots:-}" ] || qemu+=(-action reboot=reset) # over -no-reboot
	qemu+=("${qemu_extra[@]}")
}
