// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks the running kernel what it says of programs. One JSON object a line on standard input, one on standard output:
 *
 *   request  { insns, prog_type, expected_attach_type, attach_btf_id, attach_prog, flags, license, name, log_level, log_size,
 *              caps, btf, func_info, line_info, maps: [ { type, key_size, value_size, max_entries, flags, map_extra, name,
 *              btf_key_type_id, btf_value_type_id, btf_vmlinux_value_type_id, has_btf, btf, value,
 *              frozen, inner } ] }
 *   answer   { stage, errno, btf_errno, log, log_true_size }
 *
 * Bytes are hexadecimal. Where an ld_imm64 names a map, its immediate is an index into `maps`; one outside is a descriptor, or the
 * complement of one, that no map has. Only maps that are named are created. A map without `btf` has the types of the program.
 * `caps` is the mask of capabilities that are kept. `attach_prog` is the request of a program that is loaded first. Nothing is
 * attached or run.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAP_CREATE = 0, MAP_UPDATE_ELEM = 2, PROG_LOAD = 5, BTF_LOAD = 18, MAP_FREEZE = 22 };
/* descriptors of maps stand above those that programs name by mistake */
enum { FIRST_MAP_FD = 512 };
enum { MAX_MAPS = 1024, LD_IMM64 = 0x18, TYPE_ARENA = 33, FUNC_INFO_SIZE = 8, LINE_INFO_SIZE = 16 };

/* The attributes of bpf(2) as far as they are used here, include/uapi/linux/bpf.h; what is not named is zero. */
union attr {
	struct {
		uint32_t map_type, key_size, value_size, max_entries, map_flags, inner_map_fd, numa_node;
		char map_name[16];
		uint32_t ifindex, btf_fd, btf_key_type_id, btf_value_type_id, btf_vmlinux_value_type_id;
		uint64_t map_extra;
	} map;
	struct {
		uint32_t map_fd, pad;
		uint64_t key, value, flags;
	} elem;
	struct {
		uint32_t prog_type, insn_cnt;
		uint64_t insns, license;
		uint32_t log_level, log_size;
		uint64_t log_buf;
		uint32_t kern_version, prog_flags;
		char prog_name[16];
		uint32_t ifindex, expected_attach_type, btf_fd, func_info_rec_size;
		uint64_t func_info;
		uint32_t func_info_cnt, line_info_rec_size;
		uint64_t line_info;
		uint32_t line_info_cnt, attach_btf_id, attach_fd, core_relo_cnt;
		uint64_t fd_array, core_relos;
		uint32_t core_relo_rec_size, log_true_size;
	} prog;
	struct {
		uint64_t btf, log_buf;
		uint32_t size, log_size, log_level, log_true_size;
	} btf;
};

struct insn {
	uint8_t code, regs;
	int16_t off;
	int32_t imm;
};

static int bpf(int command, union attr *attr, size_t size)
{
	int fd = syscall(SYS_bpf, command, attr, size);
	return fd < 0 ? -errno : fd;
}
#define ATTR_SIZE(member) ((sizeof(((union attr *)0)->member) + 7) & ~(size_t)7)

/* ---- JSON: a value is a span of the line; members are looked up by walking it */

static const char *skip_value(const char *at);

static const char *blank(const char *at)
{
	while (isspace((unsigned char)*at))
		at++;
	return at;
}

static const char *skip_string(const char *at)
{
	for (at++; *at && *at != '"'; at++)
		if (*at == '\\' && at[1])
			at++;
	return *at ? at + 1 : at;
}

static const char *skip_value(const char *at)
{
	at = blank(at);
	if (*at == '"')
		return skip_string(at);
	if (*at == '{' || *at == '[') {
		int depth = 0;
		do {
			if (*at == '"') {
				at = skip_string(at);
				continue;
			}
			depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
			at++;
		} while (depth > 0 && *at);
		return at;
	}
	while (*at && *at != ',' && *at != '}' && *at != ']')
		at++;
	return at;
}

/* The value of a member of an object, or NULL. */
static const char *member(const char *object, const char *key)
{
	const char *at = object ? blank(object) : "";
	if (*at != '{')
		return NULL;
	for (at = blank(at + 1); *at == '"'; at = blank(at + (*at == ','))) {
		const char *end = skip_string(at);
		bool is_it = strlen(key) == (size_t)(end - at - 2) && !strncmp(at + 1, key, end - at - 2);
		at = blank(end);
		at = blank(at + (*at == ':'));
		if (is_it)
			return strncmp(at, "null", 4) ? at : NULL;
		at = blank(skip_value(at));
	}
	return NULL;
}

static const char *element(const char *array, unsigned index)
{
	const char *at = array ? blank(array) : "";
	if (*at != '[')
		return NULL;
	for (at = blank(at + 1); *at && *at != ']'; at = blank(at + (*at == ',')), index--) {
		if (index == 0)
			return at;
		at = blank(skip_value(at));
	}
	return NULL;
}

static uint64_t number(const char *object, const char *key)
{
	const char *at = member(object, key);
	if (!at)
		return 0;
	if (*at == 't')
		return 1;
	return *at == '-' ? (uint64_t)strtoll(at, NULL, 0) : strtoull(at, NULL, 0);
}

static void text(const char *object, const char *key, char *out, size_t size)
{
	const char *at = member(object, key);
	size_t n = 0;
	if (at && *at == '"')
		for (at++; *at && *at != '"' && n + 1 < size; at++)
			out[n++] = *at == '\\' && at[1] ? *++at : *at;
	memset(out + n, 0, size - n);
}

/* Bytes of a hexadecimal string in fresh memory; NULL without the member. */
static uint8_t *bytes(const char *object, const char *key, size_t *size)
{
	const char *at = member(object, key);
	uint8_t *out;
	*size = 0;
	if (!at || *at != '"')
		return NULL;
	out = malloc((skip_string(at) - at) / 2 + 1);
	for (at++; out && isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1]); at += 2) {
		char pair[3] = { at[0], at[1], 0 };
		out[(*size)++] = strtoul(pair, NULL, 16);
	}
	return out;
}

/* ---- the program's surroundings */

struct session {
	const char *request;
	int btf_fd, btf_errno;
	int maps[MAX_MAPS]; /* descriptors, 0 where none was made */
	int target_fd;
};

static int create_map(struct session *session, const char *map);

static int fill_map(int fd, const char *map)
{
	union attr attr = { 0 };
	uint32_t key = 0;
	size_t given, wanted = number(map, "value_size");
	uint8_t *value = bytes(map, "value", &given), *whole;
	int err = 0;
	if (value && number(map, "type") != TYPE_ARENA) {
		whole = calloc(1, wanted + 8);
		memcpy(whole, value, given < wanted ? given : wanted);
		attr.elem.map_fd = fd;
		attr.elem.key = (uintptr_t)&key;
		attr.elem.value = (uintptr_t)whole;
		err = bpf(MAP_UPDATE_ELEM, &attr, ATTR_SIZE(elem));
		free(whole);
	}
	free(value);
	if (!err && number(map, "frozen")) {
		memset(&attr, 0, sizeof(attr));
		attr.elem.map_fd = fd;
		err = bpf(MAP_FREEZE, &attr, sizeof(attr.elem.map_fd));
	}
	return err;
}

/* Types of a program or of a map; 0 where there are none. */
static int load_btf(const char *object)
{
	union attr attr = { 0 };
	size_t size;
	uint8_t *blob = bytes(object, "btf", &size);
	int fd;
	if (!blob)
		return 0;
	attr.btf.btf = (uintptr_t)blob;
	attr.btf.size = size;
	fd = bpf(BTF_LOAD, &attr, ATTR_SIZE(btf));
	free(blob);
	return fd;
}

static int create_map(struct session *session, const char *map)
{
	union attr attr = { 0 };
	const char *inner = member(map, "inner");
	int fd, inner_fd = 0, own_fd, btf_fd, err;
	if (inner) {
		inner_fd = create_map(session, inner);
		if (inner_fd < 0)
			return inner_fd;
	}
	attr.map.map_type = number(map, "type");
	attr.map.key_size = number(map, "key_size");
	attr.map.value_size = number(map, "value_size");
	attr.map.max_entries = number(map, "max_entries");
	attr.map.map_flags = number(map, "flags");
	attr.map.map_extra = number(map, "map_extra");
	attr.map.inner_map_fd = inner_fd;
	text(map, "name", attr.map.map_name, sizeof(attr.map.map_name));
	attr.map.btf_vmlinux_value_type_id = number(map, "btf_vmlinux_value_type_id");
	own_fd = load_btf(map);
	btf_fd = own_fd ? own_fd : session->btf_fd;
	if (number(map, "has_btf") && btf_fd > 0) {
		attr.map.btf_fd = btf_fd;
		attr.map.btf_key_type_id = number(map, "btf_key_type_id");
		attr.map.btf_value_type_id = number(map, "btf_value_type_id");
	}
	fd = bpf(MAP_CREATE, &attr, ATTR_SIZE(map));
	if (inner_fd > 0)
		close(inner_fd);
	if (own_fd > 0)
		close(own_fd);
	if (fd < 0)
		return fd;
	err = fill_map(fd, map);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* Puts descriptors where the instructions have indexes of maps. */
static int place_maps(struct session *session, struct insn *insns, size_t count)
{
	const char *maps = member(session->request, "maps");
	for (size_t i = 0; i + 1 < count; i++) {
		unsigned src = insns[i].regs >> 4;
		if (insns[i].code != LD_IMM64)
			continue;
		if (src == 1 || src == 2) {
			int index = insns[i].imm;
			const char *map = index >= 0 && index < MAX_MAPS ? element(maps, index) : NULL;
			if (!map) {
				insns[i].imm = index < 0 ? ~index : index;
			} else {
				if (!session->maps[index]) {
					int low = create_map(session, map), fd;
					if (low < 0)
						return low;
					fd = fcntl(low, F_DUPFD_CLOEXEC, FIRST_MAP_FD);
					close(low);
					if (fd < 0)
						return -errno;
					session->maps[index] = fd;
				}
				insns[i].imm = session->maps[index];
			}
		}
		i++;
	}
	return 0;
}

static void end_session(struct session *session)
{
	for (int i = 0; i < MAX_MAPS; i++)
		if (session->maps[i])
			close(session->maps[i]);
	if (session->btf_fd)
		close(session->btf_fd);
	if (session->target_fd > 0)
		close(session->target_fd);
}

/* ---- the load */

struct answer {
	const char *stage;
	int err, btf_errno;
	char *log;
	uint32_t log_true_size;
};

static int load(const char *request, struct answer *answer)
{
	struct session *session = calloc(1, sizeof(*session));
	union attr attr = { 0 };
	char license[128];
	size_t code_size, funcs_size, lines_size, log_size = number(request, "log_size");
	struct insn *insns = (struct insn *)bytes(request, "insns", &code_size);
	uint8_t *funcs = bytes(request, "func_info", &funcs_size), *lines = bytes(request, "line_info", &lines_size);
	const char *target = member(request, "attach_prog");
	int fd = 0;

	session->request = request;
	if (target) {
		answer->stage = "target";
		session->target_fd = load(target, answer);
		free(answer->log);
		answer->log = NULL;
		if (session->target_fd < 0)
			fd = session->target_fd;
	}
	if (!fd) {
		answer->stage = "map";
		session->btf_fd = load_btf(request);
		if (session->btf_fd < 0) {
			session->btf_errno = -session->btf_fd;
			session->btf_fd = 0;
		}
		answer->btf_errno = session->btf_errno;
		fd = place_maps(session, insns, code_size / sizeof(*insns));
	}
	if (!fd) {
		answer->stage = "program";
		text(request, "license", license, sizeof(license));
		attr.prog.prog_type = number(request, "prog_type");
		attr.prog.expected_attach_type = number(request, "expected_attach_type");
		attr.prog.insns = (uintptr_t)insns;
		attr.prog.insn_cnt = code_size / sizeof(*insns);
		attr.prog.license = (uintptr_t)license;
		attr.prog.prog_flags = number(request, "flags");
		text(request, "name", attr.prog.prog_name, sizeof(attr.prog.prog_name));
		attr.prog.attach_btf_id = number(request, "attach_btf_id");
		attr.prog.attach_fd = session->target_fd;
		if (session->btf_fd) {
			attr.prog.btf_fd = session->btf_fd;
			attr.prog.func_info_rec_size = FUNC_INFO_SIZE;
			attr.prog.func_info = (uintptr_t)funcs;
			attr.prog.func_info_cnt = funcs_size / FUNC_INFO_SIZE;
			attr.prog.line_info_rec_size = LINE_INFO_SIZE;
			attr.prog.line_info = (uintptr_t)lines;
			attr.prog.line_info_cnt = lines_size / LINE_INFO_SIZE;
		}
		attr.prog.log_level = number(request, "log_level");
		if (attr.prog.log_level) {
			attr.prog.log_size = log_size ? log_size : 1 << 24;
			answer->log = calloc(1, attr.prog.log_size);
			attr.prog.log_buf = (uintptr_t)answer->log;
		}
		fd = bpf(PROG_LOAD, &attr, ATTR_SIZE(prog));
		answer->log_true_size = attr.prog.log_true_size;
	}
	answer->err = fd < 0 ? -fd : 0;
	end_session(session);
	free(session);
	free(insns);
	free(funcs);
	free(lines);
	return fd;
}

static void print_string(const char *string)
{
	putchar('"');
	for (const unsigned char *at = (const unsigned char *)string; at && *at; at++) {
		if (*at == '"' || *at == '\\')
			printf("\\%c", *at);
		else if (*at == '\n')
			fputs("\\n", stdout);
		else if (*at < 0x20)
			printf("\\u%04x", *at);
		else
			putchar(*at);
	}
	putchar('"');
}

static bool keep_capabilities(uint64_t mask)
{
	struct {
		uint32_t version;
		int pid;
	} header = { 0x20080522, 0 };
	struct {
		uint32_t effective, permitted, inheritable;
	} data[2] = { { mask, mask, 0 }, { mask >> 32, mask >> 32, 0 } };
	return syscall(SYS_capset, &header, data) == 0;
}

static void answer_request(const char *request)
{
	struct answer answer = { .stage = "program" };
	int fd = load(request, &answer);
	if (fd > 0)
		close(fd);
	printf("{\"stage\":\"%s\",\"errno\":%d,\"btf_errno\":%d,\"log_true_size\":%u,\"log\":", answer.stage, answer.err,
	       answer.btf_errno, answer.log_true_size);
	print_string(answer.log);
	puts("}");
	fflush(stdout);
	free(answer.log);
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	struct utsname host;
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	uname(&host);
	printf("{\"release\":");
	print_string(host.release);
	puts("}");
	fflush(stdout);
	while (getline(&line, &room, stdin) > 0) {
		pid_t child;
		int status = 0;
		if (!member(line, "caps")) {
			answer_request(line);
			continue;
		}
		child = fork();
		if (child == 0) {
			if (keep_capabilities(number(line, "caps")))
				answer_request(line);
			else
				printf("{\"stage\":\"caps\",\"errno\":%d}\n", errno), fflush(stdout);
			_exit(0);
		}
		if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
			puts("{\"stage\":\"caps\",\"errno\":11}"), fflush(stdout);
	}
	return 0;
}
