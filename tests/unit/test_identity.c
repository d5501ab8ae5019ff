// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "sense/identity.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD "9876543210abcdef9876543210abcdef9876543210abcdef9876543210abcdef"

static const struct {
	const char *path;
	enum identity_kind kind;
	enum identity_runtime runtime;
	const char *id;
	const char *namespace;
} paths[] = {
	{ "/machine.slice/libpod-" HEX ".scope", IDENTITY_ENGINE, IDENTITY_PODMAN, HEX },
	{ "/libpod_parent/libpod-" HEX, IDENTITY_ENGINE, IDENTITY_PODMAN, HEX },
	{ "/system.slice/web.service/libpod-payload-" HEX, IDENTITY_ENGINE, IDENTITY_PODMAN, HEX },
	{ "/machine.slice/machine-libpod_pod_" POD ".slice/libpod-" HEX ".scope", IDENTITY_ENGINE,
	  IDENTITY_PODMAN, HEX },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" HEX ".scope",
	  IDENTITY_ENGINE, IDENTITY_PODMAN, HEX },
	{ "/machine.slice/machine-libpod_pod_" POD ".slice", IDENTITY_NONE, IDENTITY_CGROUP },
	{ "/machine.slice/libpod-conmon-" HEX ".scope", IDENTITY_SKIP },
	{ "/kubepods.slice/crio-conmon-" HEX ".scope", IDENTITY_SKIP },
	{ "/lxc.monitor.web", IDENTITY_SKIP },
	{ "/libpod_parent/" POD, IDENTITY_NONE, IDENTITY_CGROUP },
	{ "/libpod_parent/" POD "/libpod-" HEX, IDENTITY_ENGINE, IDENTITY_PODMAN, HEX },
	{ "/libpod_parent/conmon", IDENTITY_SKIP },
	{ "/jobs/conmon", IDENTITY_NONE },
	{ "/system.slice/docker-" HEX ".scope", IDENTITY_ENGINE, IDENTITY_DOCKER, HEX },
	{ "/docker/" HEX, IDENTITY_ENGINE, IDENTITY_DOCKER, HEX },
	{ "/system.slice/docker.service", IDENTITY_SYSTEM },
	{ "/system.slice/docker-registry.service", IDENTITY_UNIT, IDENTITY_SYSTEMD,
	  "docker-registry" },
	{ "/default/" HEX, IDENTITY_ENGINE, IDENTITY_ANY, HEX, "default" },
	{ "/system.slice/nerdctl-" HEX ".scope", IDENTITY_ENGINE, IDENTITY_CONTAINERD, HEX,
	  "default" },
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/"
	  "cri-containerd-" HEX ".scope",
	  IDENTITY_ENGINE, IDENTITY_CRI_CONTAINERD, HEX },
	{ "/kubepods.slice/kubepods-besteffort.slice", IDENTITY_NONE, IDENTITY_CGROUP },
	{ "/kubepods/burstable/pod123/" HEX, IDENTITY_ENGINE, IDENTITY_CRI_CONTAINERD, HEX },
	{ "/system.slice/containerd.service/kubepods-burstable-pod1.slice:cri-containerd:" HEX,
	  IDENTITY_ENGINE, IDENTITY_CRI_CONTAINERD, HEX },
	{ "/kubepods.slice/crio-" HEX ".scope", IDENTITY_ENGINE, IDENTITY_CRIO, HEX },
	{ "/machine.slice/machine-deb\\x2dian.scope", IDENTITY_ENGINE, IDENTITY_NSPAWN, "deb-ian" },
	{ "/machine.slice/systemd-nspawn@deb.service", IDENTITY_ENGINE, IDENTITY_NSPAWN, "deb" },
	{ "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", IDENTITY_ENGINE, IDENTITY_LIBVIRT,
	  "1-vm" },
	{ "/foo.slice/machine-x.scope", IDENTITY_UNIT, IDENTITY_SYSTEMD, "machine-x" },
	{ "/system.slice/crun-web.scope", IDENTITY_ENGINE, IDENTITY_CRUN, "web" },
	{ "/system.slice/runc-web.scope", IDENTITY_ENGINE, IDENTITY_RUNC, "web" },
	{ "/lxc.payload.web", IDENTITY_ENGINE, IDENTITY_LXC, "web" },
	{ "/lxc.payload/web", IDENTITY_ENGINE, IDENTITY_LXC, "web" },
	{ "", IDENTITY_SYSTEM },
	{ "/init.scope", IDENTITY_SYSTEM },
	{ "/init.scope/x", IDENTITY_SYSTEM },
	{ "/system.slice", IDENTITY_NONE },
	{ "/system.slice/ssh.service", IDENTITY_SYSTEM },
	{ "/system.slice/systemd-journald.service", IDENTITY_SYSTEM },
	{ "/system.slice/system-getty.slice/getty@tty1.service", IDENTITY_SYSTEM },
	{ "/system.slice/system-serial\\x2dgetty.slice/serial-getty@ttyS0.service",
	  IDENTITY_SYSTEM },
	{ "/system.slice/ebbd.service", IDENTITY_SYSTEM },
	{ "/system.slice/boot.mount", IDENTITY_SYSTEM },
	{ "/dev-hugepages.mount", IDENTITY_SYSTEM },
	{ "/system.slice/redis-server.service", IDENTITY_UNIT, IDENTITY_SYSTEMD, "redis-server" },
	{ "/system.slice/run-u12.service", IDENTITY_UNIT, IDENTITY_SYSTEMD, "run-u12" },
	{ "/user.slice", IDENTITY_SYSTEM },
	{ "/user.slice/user-1000.slice/session-2.scope", IDENTITY_SYSTEM },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service", IDENTITY_SYSTEM },
	{ "/user.slicer", IDENTITY_NONE, IDENTITY_CGROUP, "user.slicer" },
	{ "/openrc.sshd", IDENTITY_SYSTEM },
	{ "/openrc.nginx", IDENTITY_NONE, IDENTITY_CGROUP, "openrc.nginx" },
	{ "/bare", IDENTITY_NONE, IDENTITY_CGROUP, "bare" },
	{ "/a/b/c", IDENTITY_NONE, IDENTITY_CGROUP, "c" },
	/* almost */
	{ "/machine.slice/libpod-0123.scope", IDENTITY_UNIT, IDENTITY_SYSTEMD, "libpod-0123" },
	{ "/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
	  IDENTITY_NONE },
	{ "/docker", IDENTITY_NONE, IDENTITY_CGROUP, "docker" },
	{ "/x:y", IDENTITY_NONE, IDENTITY_CGROUP, "x:y" },
	{ "/:" HEX, IDENTITY_NONE },
	{ "/.service", IDENTITY_NONE },
};

static void patterns(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct identity_key key;

		identity_match(paths[i].path, &key);
		if (key.kind != paths[i].kind || key.runtime != paths[i].runtime)
			if (paths[i].kind != IDENTITY_SYSTEM || key.kind != IDENTITY_SYSTEM)
				fail_msg("%s: kind %d runtime %d", paths[i].path, key.kind,
					 key.runtime);
		if (paths[i].id)
			assert_string_equal(key.id, paths[i].id);
		if (paths[i].namespace)
			assert_string_equal(key.namespace, paths[i].namespace);
	}
}

static void escapes_of_units(void **state)
{
	char path[600];
	struct identity_key key;

	identity_match("/system.slice/crun-a\\x2fb\\x00\\xzz\\x4.scope", &key);
	/* What would be a NUL, or is no escape, stays as it is written. */
	assert_string_equal(key.id, "a/b\\x00\\xzz\\x4");
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	identity_match(path, &key);
	assert_int_equal(strlen(key.id), IDENTITY_TEXT - 1);
}

static void printable(void **state)
{
	static const struct {
		const char *src, *dst;
	} names[] = {
		{ "", "" },
		{ "redis-1", "redis-1" },
		{ "gr\xc3\xbc\xc3\x9f"
		  "e \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x90\xb3",
		  "gr\xc3\xbc\xc3\x9f"
		  "e \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x90\xb3" },
		{ "\x1b[31mred\n", "\\x1b[31mred\\x0a" },
		{ "a\\x41", "a\\\\x41" },
		{ "\x7f", "\\x7f" },
		{ "\xc2\x9b"
		  "31m",
		  "\\xc2\\x9b31m" }, /* C1 CSI */
		{ "\xe2\x80\xae"
		  "evil",
		  "\\xe2\\x80\\xaeevil" }, /* right to left */
		{ "a\xe2\x80\x8b"
		  "b",
		  "a\\xe2\\x80\\x8bb" }, /* zero width */
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "\xc0\xaf", "\\xc0\\xaf" }, /* overlong */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* beyond Unicode */
		{ "\xe6\x97", "\\xe6\\x97" }, /* cut */
	};
	char buf[128], small[6];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(name_printable(buf, sizeof(buf), names[i].src),
				 strlen(names[i].dst));
		assert_string_equal(buf, names[i].dst);
	}
	/* Nothing is cut in half. */
	assert_int_equal(name_printable(small, sizeof(small), "abcd\x01"), 4);
	assert_string_equal(small, "abcd");
	assert_int_equal(name_printable(small, sizeof(small), "abc\xe6\x97\xa5"), 3);
	assert_int_equal(name_printable(small, 1, "abc"), 0);
	assert_string_equal(small, "");
}

static const char containers_json[] =
	"[{\"id\":\"" POD "\",\"names\":[\"other\"],\"image\":\"\"},"
	"{\"id\":\"" HEX "\",\"names\":[\"web\",\"alias\"],\"image\":\"sha\",\"layer\":\"l\","
	"\"metadata\":\"{\\\"image-name\\\":\\\"docker.io/library/"
	"nginx:1\\\",\\\"name\\\":\\\"web\\\"}\","
	"\"created\":\"2025-01-01T00:00:00Z\",\"flags\":{\"MountLabel\":\"\"}}]";

static const char crio_json[] =
	"[{\"id\":\"" HEX
	"\",\"names\":[\"k8s_app_pod_ns_uid_0\"],\"metadata\":\"{\\\"pod-name\\\":"
	"\\\"pod\\\",\\\"namespace\\\":\\\"ns\\\",\\\"metadata-name\\\":\\\"app\\\",\\\"image-"
	"name\\\":\\\"img\\\"}\"},"
	"{\"id\":\"" POD "\",\"names\":[\"k8s_POD\"],\"metadata\":\"{\\\"pod\\\":true,\\\"pod-"
	"name\\\":\\\"pod\\\"}\"}]";

static void podman_documents(void **state)
{
	struct identity id = { .name = "before" };

	assert_int_equal(
		identity_from_containers_json(containers_json, strlen(containers_json), HEX, &id),
		0);
	assert_string_equal(id.name, "web");
	assert_string_equal(id.image, "docker.io/library/nginx:1");
	assert_string_equal(id.pod, "");

	id = (struct identity){ .name = "before" };
	assert_int_equal(identity_from_containers_json(crio_json, strlen(crio_json), HEX, &id), 0);
	assert_string_equal(id.name, "app");
	assert_string_equal(id.pod, "pod");
	assert_string_equal(id.namespace, "ns");
	assert_int_equal(identity_from_containers_json(crio_json, strlen(crio_json), POD, &id), 0);
	assert_string_equal(id.name, "sandbox");

	id = (struct identity){ .name = "before" };
	assert_int_equal(identity_from_containers_json("[]", 2, HEX, &id), -ENOENT);
	assert_int_equal(identity_from_containers_json("{}", 2, HEX, &id), -ENOENT);
	assert_int_equal(identity_from_containers_json("[1,null,{\"id\":3}]", 17, HEX, &id),
			 -ENOENT);
	assert_int_equal(identity_from_containers_json(containers_json, strlen(containers_json) - 3,
						       HEX, &id),
			 -EBADMSG);
	assert_string_equal(id.name, "before");
	/* No names, and metadata that is none: known, but without a name. */
	assert_int_equal(
		identity_from_containers_json("[{\"id\":\"x\",\"names\":null,\"metadata\":\"[\"}]",
					      40, "x", &id),
		0);
	assert_string_equal(id.name, "before");
}

static void docker_and_oci_documents(void **state)
{
	static const char docker[] = "{\"ID\":\"" HEX "\",\"Name\":\"/db\",\"Config\":{\"Image\":"
				     "\"postgres:17\",\"Labels\":{}}}";
	static const char dockershim[] =
		"{\"Name\":\"/k8s_db_p_n_u_0\",\"Config\":{\"Image\":\"sha256:1\",\"Labels\":{"
		"\"io.kubernetes.container.name\":\"db\",\"io.kubernetes.pod.name\":\"p\","
		"\"io.kubernetes.pod.namespace\":\"n\"}}}";
	static const char cri[] = "{\"ociVersion\":\"1.1.0\",\"annotations\":{\"io.kubernetes.cri."
				  "container-name\":\"app\","
				  "\"io.kubernetes.cri.container-type\":\"container\","
				  "\"io.kubernetes.cri.image-name\":\"docker.io/x:1\","
				  "\"io.kubernetes.cri.sandbox-name\":\"pod-7\","
				  "\"io.kubernetes.cri.sandbox-namespace\":\"prod\"}}";
	static const char pause[] =
		"{\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\","
		"\"io.kubernetes.cri.sandbox-name\":\"pod-7\"}}";
	struct identity id = {};

	assert_int_equal(identity_from_docker_json(docker, strlen(docker), &id), 0);
	assert_string_equal(id.name, "db");
	assert_string_equal(id.image, "postgres:17");
	assert_int_equal(identity_from_docker_json(dockershim, strlen(dockershim), &id), 0);
	assert_string_equal(id.name, "db");
	assert_string_equal(id.pod, "p");
	assert_string_equal(id.namespace, "n");
	assert_int_equal(identity_from_docker_json("{\"Name\":[]}", 11, &id), -ENOENT);

	id = (struct identity){};
	assert_int_equal(identity_from_oci_json(cri, strlen(cri), &id), 0);
	assert_string_equal(id.name, "app");
	assert_string_equal(id.pod, "pod-7");
	assert_string_equal(id.namespace, "prod");
	assert_string_equal(id.image, "docker.io/x:1");
	assert_int_equal(identity_from_oci_json(pause, strlen(pause), &id), 0);
	assert_string_equal(id.name, "sandbox");
	assert_int_equal(identity_from_oci_json("{}", 2, &id), -ENOENT);
}

static void long_names_end_in_a_whole_character(void **state)
{
	char doc[2048] = "{\"Name\":\"/", *p = doc + strlen(doc);
	struct identity id = {};

	*p++ = 'a';
	for (int i = 0; i < 200; i++)
		p = stpcpy(p, "\xe6\x97\xa5");
	stpcpy(p, "\"}");
	assert_int_equal(identity_from_docker_json(doc, strlen(doc), &id), 0);
	assert_int_equal(strlen(id.name), 1 + 3 * 84);
}

/* --- files ------------------------------------------------------------------ */

struct root {
	char path[64];
	struct identity_cache *cache;
};

static void full_path(const struct root *r, const char *path, char full[PATH_MAX])
{
	snprintf(full, PATH_MAX, "%s%s", r->path, path);
	for (char *p = full + strlen(r->path) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(!mkdir(full, 0755) || errno == EEXIST);
		*p = '/';
	}
}

static void put(const struct root *r, const char *path, const char *text, size_t pad)
{
	char full[PATH_MAX];
	FILE *f;

	full_path(r, path, full);
	f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	while (pad--)
		fputc(' ', f);
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	struct root *r = calloc(1, sizeof(*r));

	strcpy(r->path, "/tmp/ebb-identity-XXXXXX");
	assert_non_null(mkdtemp(r->path));
	assert_int_equal(identity_cache_new(&r->cache), 0);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct root *r = *state;
	char command[128];

	identity_cache_free(r->cache);
	snprintf(command, sizeof(command), "rm -rf %s", r->path);
	assert_int_equal(system(command), 0);
	free(r);
	return 0;
}

static int resolve(const struct root *r, const char *path, struct identity *ret)
{
	struct identity_key key;

	identity_match(path, &key);
	return identity_resolve(r->cache, r->path, &key, ret);
}

#define STORE "/var/lib/containers/storage/overlay-containers/"

static void podman_files(void **state)
{
	static const char path[] = "/machine.slice/libpod-" HEX ".scope";
	struct root *r = *state;
	struct identity id;

	assert_int_equal(resolve(r, path, &id), -ENOENT);
	assert_string_equal(id.name, "0123456789ab");
	assert_string_equal(identity_runtime_name(id.runtime), "podman");
	put(r, STORE "containers.json", "[{\"id\":\"x\"}]", 0);
	put(r, STORE "volatile-containers.json", "[{\"id\":", 0);
	assert_int_equal(resolve(r, path, &id), -EAGAIN); /* half of it */
	assert_string_equal(id.name, "0123456789ab");
	put(r, STORE "volatile-containers.json", containers_json, 0);
	assert_int_equal(resolve(r, path, &id), 0);
	assert_string_equal(id.name, "web");
	/* Read once, seen anew when it changes. */
	put(r, STORE "volatile-containers.json",
	    "[{\"id\":\"" HEX "\",\"names\":[\"renamed-since\"]}]", 0);
	assert_int_equal(resolve(r, path, &id), 0);
	assert_string_equal(id.name, "renamed-since");
	identity_cache_drop(r->cache);
	assert_int_equal(resolve(r, path, &id), 0);
	assert_string_equal(id.name, "renamed-since");
}

static void only_small_plain_files(void **state)
{
	static const char path[] = "/docker/" HEX;
	static const char file[] = "/var/lib/docker/containers/" HEX "/config.v2.json";
	struct root *r = *state;
	char full[PATH_MAX], target[PATH_MAX];
	struct identity id;

	put(r, file, "{\"Name\":\"/ok\"}", (1 << 20) - 15);
	assert_int_equal(resolve(r, path, &id), 0);
	assert_string_equal(id.name, "ok");
	put(r, file, "{\"Name\":\"/big\"}", 1 << 20);
	assert_int_equal(resolve(r, path, &id), -ENOENT);
	assert_string_equal(id.name, "0123456789ab");

	put(r, "/elsewhere", "{\"Name\":\"/link\"}", 0);
	full_path(r, file, full);
	full_path(r, "/elsewhere", target);
	assert_int_equal(unlink(full), 0);
	assert_int_equal(symlink(target, full), 0);
	assert_int_equal(resolve(r, path, &id), -ENOENT);

	assert_int_equal(unlink(full), 0);
	assert_int_equal(mkfifo(full, 0600), 0);
	assert_int_equal(resolve(r, path, &id), -ENOENT);

	assert_int_equal(unlink(full), 0);
	assert_int_equal(mkdir(full, 0700), 0);
	assert_int_equal(resolve(r, path, &id), -ENOENT);
}

#define TASK "/run/containerd/io.containerd.runtime.v2.task/"

static void containerd_files(void **state)
{
	struct root *r = *state;
	struct identity_key key;
	struct identity id;

	put(r, TASK "k8s.io/" HEX "/config.json",
	    "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"app\"}}", 0);
	assert_int_equal(resolve(r, "/kubepods.slice/x.slice/cri-containerd-" HEX ".scope", &id),
			 0);
	assert_string_equal(id.name, "app");

	/* ctr: any name, and only the folder tells that it is one */
	identity_match("/default/redis", &key);
	assert_int_equal(key.kind, IDENTITY_NONE);
	assert_false(identity_probe(r->path, "/default/redis", &key));
	put(r, TASK "default/redis/config.json", "{}", 0);
	assert_true(identity_probe(r->path, "/default/redis", &key));
	assert_int_equal(key.kind, IDENTITY_ENGINE);
	assert_int_equal(identity_resolve(r->cache, r->path, &key, &id), 0);
	assert_string_equal(id.name, "redis");
	assert_string_equal(identity_runtime_name(id.runtime), "containerd");
	identity_match("/other/redis", &key);
	assert_false(identity_probe(r->path, "/other/redis", &key));
	identity_match("/default/redis/sub", &key);
	assert_false(identity_probe(r->path, "/default/redis/sub", &key));

	/* 64 digits, whose? */
	assert_int_equal(resolve(r, "/moby/" HEX, &id), -ENOENT);
	assert_string_equal(identity_runtime_name(id.runtime), "cgroup");
	put(r, TASK "moby/" HEX "/config.json", "{}", 0);
	assert_int_equal(resolve(r, "/moby/" HEX, &id), 0);
	assert_string_equal(identity_runtime_name(id.runtime), "containerd");
	assert_string_equal(id.name, "0123456789ab");
}

static void oci_runtimes_files(void **state)
{
	struct root *r = *state;
	struct identity_key key;
	struct identity id;

	put(r, "/run/crun/web/status", "{\"pid\":7,\"cgroup-path\":\"/web\"}", 0);
	put(r, "/run/runc/job/state.json",
	    "{\"id\":\"job\",\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/a/job\"}}", 0);
	identity_match("/web", &key);
	assert_true(identity_probe(r->path, "/web", &key));
	assert_int_equal(key.runtime, IDENTITY_CRUN);
	assert_int_equal(identity_resolve(r->cache, r->path, &key, &id), 0);
	assert_string_equal(id.name, "web");
	identity_match("/a/job", &key);
	assert_true(identity_probe(r->path, "/a/job", &key));
	assert_int_equal(key.runtime, IDENTITY_RUNC);
	/* A group of the same name elsewhere is not crun's. */
	identity_match("/b/web", &key);
	assert_false(identity_probe(r->path, "/b/web", &key));
	identity_match("/x/..", &key);
	assert_false(identity_probe(r->path, "/x/..", &key));
}

static void ids_are_no_paths(void **state)
{
	struct root *r = *state;
	struct identity_key key = { .kind = IDENTITY_ENGINE,
				    .runtime = IDENTITY_CONTAINERD,
				    .id = "../../../../../../elsewhere",
				    .namespace = "default" };
	struct identity id;

	put(r, "/elsewhere/config.json", "{}", 0);
	assert_int_equal(identity_resolve(r->cache, r->path, &key, &id), 0);
	assert_string_equal(id.name, "../../../../../../elsewhere");
	strcpy(key.id, "x");
	strcpy(key.namespace, "..");
	assert_int_equal(identity_resolve(r->cache, r->path, &key, &id), -ENOENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns),
		cmocka_unit_test(escapes_of_units),
		cmocka_unit_test(printable),
		cmocka_unit_test(podman_documents),
		cmocka_unit_test(docker_and_oci_documents),
		cmocka_unit_test(long_names_end_in_a_whole_character),
		cmocka_unit_test_setup_teardown(podman_files, setup, teardown),
		cmocka_unit_test_setup_teardown(only_small_plain_files, setup, teardown),
		cmocka_unit_test_setup_teardown(containerd_files, setup, teardown),
		cmocka_unit_test_setup_teardown(oci_runtimes_files, setup, teardown),
		cmocka_unit_test_setup_teardown(ids_are_no_paths, setup, teardown),
	};

	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
