/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Runs bpf_snprintf_btf on what standard input says, one request a line:
 *
 *     TYPE_ID FLAGS HEX        ->  RETURN_VALUE HEX
 *
 * The object and the text are in one array map; an XDP program calls the helper.
 */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSN(code, dst, src, off, imm) ((struct bpf_insn){code, dst, src, off, imm})

struct value {
	uint32_t type_id, pad;
	uint64_t flags;
	uint8_t object[4096];
	char text[16384];
	int64_t result;
};

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(__NR_bpf, command, attr, sizeof(*attr));
}

int main(void)
{
	union bpf_attr map = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = sizeof(struct value), .max_entries = 1};
	int fd = bpf(BPF_MAP_CREATE, &map);
	const int object = __builtin_offsetof(struct value, object), text = __builtin_offsetof(struct value, text);
	const int result = __builtin_offsetof(struct value, result);
	struct bpf_insn insns[] = {
		INSN(0x62, 10, 0, -4, 0), INSN(0x18, 1, 1, 0, fd), INSN(0, 0, 0, 0, 0), INSN(0xbf, 2, 10, 0, 0),
		INSN(0x07, 2, 0, 0, -4), INSN(0x85, 0, 0, 0, 1), INSN(0x55, 0, 0, 2, 0), INSN(0xb7, 0, 0, 0, 0), INSN(0x95, 0, 0, 0, 0),
		INSN(0xbf, 6, 0, 0, 0), INSN(0xbf, 1, 6, 0, 0), INSN(0x07, 1, 0, 0, object), INSN(0x7b, 10, 1, -24, 0),
		INSN(0x61, 1, 6, 0, 0), INSN(0x63, 10, 1, -16, 0), INSN(0x62, 10, 0, -12, 0),
		INSN(0xbf, 1, 6, 0, 0), INSN(0x07, 1, 0, 0, text), INSN(0xb7, 2, 0, 0, sizeof(((struct value *)0)->text)),
		INSN(0xbf, 3, 10, 0, 0), INSN(0x07, 3, 0, 0, -24), INSN(0xb7, 4, 0, 0, 16), INSN(0x79, 5, 6, 8, 0),
		INSN(0x85, 0, 0, 0, BPF_FUNC_snprintf_btf), INSN(0x7b, 6, 0, result, 0), INSN(0xb7, 0, 0, 0, XDP_PASS), INSN(0x95, 0, 0, 0, 0),
	};
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_XDP, .insns = (uint64_t)insns, .insn_cnt = sizeof(insns) / sizeof(*insns), .license = (uint64_t)"GPL"};
	int program = bpf(BPF_PROG_LOAD, &load);
	static char line[16384], packet[64];
	static struct value value;

	if (fd < 0 || program < 0) {
		perror("bpf");
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		unsigned long flags;
		unsigned int id, byte;
		int used = 0, count = 0;
		uint32_t key = 0;
		union bpf_attr element = {.map_fd = fd, .key = (uint64_t)&key, .value = (uint64_t)&value};
		union bpf_attr run = {.test = {.prog_fd = program, .data_in = (uint64_t)packet, .data_size_in = sizeof(packet), .repeat = 1}};

		if (sscanf(line, "%u %lu %n", &id, &flags, &used) < 2)
			return 2;
		memset(&value, 0, sizeof(value));
		value.type_id = id;
		value.flags = flags;
		for (char *at = line + used; sscanf(at, "%2x", &byte) == 1; at += 2)
			value.object[count++] = byte;
		if (bpf(BPF_MAP_UPDATE_ELEM, &element) || bpf(BPF_PROG_TEST_RUN, &run) || bpf(BPF_MAP_LOOKUP_ELEM, &element)) {
			perror("bpf");
			return 1;
		}
		printf("%ld ", (long)value.result);
		for (char *at = value.text; *at; at++)
			printf("%02x", (unsigned char)*at);
		puts("");
	}
	return 0;
}
