// SPDX-License-Identifier: GPL-2.0-only
/* Names: of the runtimes, and of the services that are the system's own. */
#include "sense/identity.h"

#include <fnmatch.h>

#include "lib/cleanup.h"

static const char *const runtime_names[] = {
	[IDENTITY_CGROUP] = "cgroup",
	[IDENTITY_PODMAN] = "podman",
	[IDENTITY_DOCKER] = "docker",
	[IDENTITY_CONTAINERD] = "containerd",
	[IDENTITY_CRI_CONTAINERD] = "cri-containerd",
	[IDENTITY_CRIO] = "cri-o",
	[IDENTITY_NSPAWN] = "nspawn",
	[IDENTITY_LIBVIRT] = "libvirt",
	[IDENTITY_CRUN] = "crun",
	[IDENTITY_RUNC] = "runc",
	[IDENTITY_LXC] = "lxc",
	[IDENTITY_SYSTEMD] = "systemd",
	[IDENTITY_ANY] = "cgroup",
};

/*
 * Services that make the machine run rather than being what it runs for:
 * the init system, logins, logs, time, network, devices, updates, and the
 * engines themselves, whose slowness every start of a container would feel.
 * Missing one here costs it what a cold container pays, not more.
 */
static const char *const system_units[] = {
	"systemd-*",
	"dbus*",
	"ssh*",
	"getty*",
	"*-getty@*",
	"console-getty*",
	"serial-getty*",
	"cron*",
	"atd*",
	"anacron*",
	"rsyslog*",
	"syslog*",
	"auditd*",
	"polkit*",
	"rtkit*",
	"NetworkManager*",
	"ModemManager*",
	"networking*",
	"ifup@*",
	"dhc*",
	"wpa_supplicant*",
	"connman*",
	"resolvconf*",
	"chrony*",
	"ntp*",
	"openntpd*",
	"udisks2*",
	"udev*",
	"accounts-daemon*",
	"avahi*",
	"bluetooth*",
	"cups*",
	"unattended-*",
	"apt-*",
	"dnf-*",
	"packagekit*",
	"snapd*",
	"fwupd*",
	"man-db*",
	"logrotate*",
	"qemu-guest-agent*",
	"qemu-ga*",
	"open-vm-tools*",
	"hv-*",
	"spice-vdagent*",
	"multipathd*",
	"lvm2-*",
	"mdmonitor*",
	"smart*",
	"irqbalance*",
	"acpid*",
	"haveged*",
	"rng*",
	"thermald*",
	"tuned*",
	"cloud-*",
	"lima-*",
	"google-*",
	"amazon-ssm*",
	"walinuxagent*",
	"docker.*",
	"docker",
	"dockerd*",
	"containerd*",
	"buildkit*",
	"podman*",
	"crio*",
	"cri-docker*",
	"kubelet*",
	"k3s*",
	"rke2*",
	"lxc*",
	"lxd*",
	"incus*",
	"libvirtd*",
	"virt*d.service",
	"user@*",
	"user-runtime-*",
	"session-*",
	"rescue*",
	"emergency*",
	"plymouth*",
	"keyboard-setup*",
	"console-setup*",
	"kmod-*",
	"modprobe@*",
	"ldconfig*",
	"initrd-*",
	"dracut-*",
	"ebb*",
	"supervise-*",
};

const char *identity_runtime_name(enum identity_runtime runtime)
{
	return (size_t)runtime < ARRAY_SIZE(runtime_names) ? runtime_names[runtime] : "cgroup";
}

bool identity_system_unit(const char *unit)
{
	for (size_t i = 0; i < ARRAY_SIZE(system_units); i++)
		if (!fnmatch(system_units[i], unit, 0))
			return true;
	return false;
}
