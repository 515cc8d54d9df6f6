// SPDX-License-Identifier: GPL-2.0-only
/*
 * Carries out the steps of a scenario in a kernel where programs may run. One JSON object a line on standard input, one answer a
 * line on standard output. Steps are those of tools/vm_runs/steps.ts; programs and maps come as tools/kernel-oracle takes them.
 */
#define _GNU_SOURCE
#define main oracle_main
#include "../../kernel-oracle/kernel_oracle.c"
#undef main

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

static void complain(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static void print_hex(const void *data, size_t size)
{
	const uint8_t *at = data;
	putchar('"');
	for (size_t i = 0; i < size; i++)
		printf("%02x", at[i]);
	putchar('"');
}

/* What a step gives: 0 or above, or a negative error number. */
static void answer_number(long result)
{
	printf("{\"result\":%ld}\n", result);
}

static void answer_bytes(const void *data, long size)
{
	printf("{\"result\":%ld,\"hex\":", size);
	print_hex(data, size < 0 ? 0 : size);
	puts("}");
}

static long errno_or(long result)
{
	return result < 0 ? -errno : result;
}

#include "objects.h"
#include "rings.h"
#include "proc.h"

typedef void (*step_function)(const char *step);

static const struct {
	const char *name;
	step_function run;
} steps[] = {
	{ "load", step_load },	     { "run", step_run },	   { "lookup", step_lookup },	   { "update", step_update },
	{ "delete", step_delete },   { "attach", step_attach },	   { "iter", step_iter },	   { "relink", step_relink },
	{ "detach", step_detach },   { "read", step_read },	   { "close", step_close },	   { "fdinfo", step_fdinfo },
	{ "info", step_info },	     { "cgroup", step_cgroup },	   { "area", step_area },	   { "unmap", step_unmap },
	{ "mmap", step_mmap },	   { "mprotect", step_mprotect },  { "mremap", step_mremap },
	{ "ring", step_ring },	     { "watch", step_watch },	   { "wait", step_wait },	   { "record", step_record },
	{ "fill", step_fill },	     { "producer", step_producer }, { "positions", step_positions }, { "payload", step_payload },
	{ "reserve", step_reserve }, { "commit", step_commit },	   { "later", step_later },	   { "proc", step_proc },
	{ "fixture", step_fixture },
};

int main(void)
{
	char *line = NULL, name[32];
	size_t room = 0;
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	while (getline(&line, &room, stdin) > 0) {
		size_t i, count = sizeof(steps) / sizeof(*steps);
		text(line, "do", name, sizeof(name));
		for (i = 0; i < count && strcmp(steps[i].name, name); i++)
			;
		if (i == count) {
			fprintf(stderr, "no step %s\n", name);
			return 1;
		}
		steps[i].run(line);
		fflush(stdout);
	}
	return 0;
}
