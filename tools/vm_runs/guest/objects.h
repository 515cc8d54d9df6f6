/* Programs, maps, links, iterators and memory by name. */

enum { MAP_LOOKUP_ELEM = 1, MAP_DELETE_ELEM = 3, PROG_TEST_RUN = 10, OBJ_GET_INFO_BY_FD = 15, LINK_CREATE = 28, LINK_UPDATE = 29,
       ITER_CREATE = 33, LINK_DETACH = 34 };
enum { MAX_NAMES = 256, NAME_SIZE = 32, MOST_BYTES = 1 << 20, REPLACE = 4, LOG_SIZE = 1 << 20 };

struct run_attr {
	uint32_t prog_fd, retval, data_size_in, data_size_out;
	uint64_t data_in, data_out;
	uint32_t repeat, duration, ctx_size_in, ctx_size_out;
	uint64_t ctx_in, ctx_out;
	uint32_t flags, cpu, batch_size, pad;
};

struct link_attr {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t iter_info;
	uint32_t iter_info_len, pad;
};

struct link_info {
	uint32_t type, id, prog_id, pad;
	uint64_t target_name;
	uint32_t target_name_len, map_id;
	uint64_t selected; /* tid and pid, or the id of a cgroup */
	uint32_t order, pad2;
};

struct descriptor_info {
	uint32_t fd, size;
	uint64_t info;
};

static struct named {
	char name[NAME_SIZE];
	int fd;
} named[MAX_NAMES];

static int *place_of(const char *name)
{
	for (int i = 0; i < MAX_NAMES; i++) {
		if (!named[i].name[0])
			snprintf(named[i].name, sizeof(named[i].name), "%s", name), named[i].fd = -1;
		if (!strcmp(named[i].name, name))
			return &named[i].fd;
	}
	fprintf(stderr, "too many names\n");
	exit(1);
}

static int *fd_of(const char *step, const char *key)
{
	char name[NAME_SIZE];
	text(step, key, name, sizeof(name));
	return place_of(name);
}

static long command(int number, void *attr, size_t size)
{
	return errno_or(syscall(SYS_bpf, number, attr, size));
}

/* A map is created when the first program that names it is loaded; programs that come later share it. */
static int share_maps(struct session *session, struct insn *insns, size_t count)
{
	const char *maps = member(session->request, "maps");
	for (size_t i = 0; i + 1 < count; i++) {
		unsigned src = insns[i].regs >> 4;
		char name[NAME_SIZE];
		const char *map;
		int *fd;
		if (insns[i].code != LD_IMM64)
			continue;
		if (src == 1 || src == 2) {
			map = element(maps, insns[i].imm);
			text(map, "name", name, sizeof(name));
			fd = place_of(name);
			if (*fd < 0)
				*fd = create_map(session, map);
			if (*fd < 0)
				return *fd;
			insns[i].imm = *fd;
		}
		i++;
	}
	return 0;
}

static void step_load(const char *step)
{
	const char *request = member(step, "request");
	struct session session = { .request = request };
	union attr attr = { 0 };
	char license[128], *log = calloc(1, LOG_SIZE);
	size_t code_size, funcs_size, lines_size;
	struct insn *insns = (struct insn *)bytes(request, "insns", &code_size);
	uint8_t *funcs = bytes(request, "func_info", &funcs_size), *lines = bytes(request, "line_info", &lines_size);
	long fd;

	load_btf(&session);
	fd = share_maps(&session, insns, code_size / sizeof(*insns));
	if (!fd) {
		text(request, "license", license, sizeof(license));
		attr.prog.prog_type = number(request, "prog_type");
		attr.prog.expected_attach_type = number(request, "expected_attach_type");
		attr.prog.insns = (uintptr_t)insns;
		attr.prog.insn_cnt = code_size / sizeof(*insns);
		attr.prog.license = (uintptr_t)license;
		attr.prog.prog_flags = number(request, "flags");
		text(request, "name", attr.prog.prog_name, sizeof(attr.prog.prog_name));
		attr.prog.attach_btf_id = number(request, "attach_btf_id");
		if (session.btf_fd) {
			attr.prog.btf_fd = session.btf_fd;
			attr.prog.func_info_rec_size = FUNC_INFO_SIZE;
			attr.prog.func_info = (uintptr_t)funcs;
			attr.prog.func_info_cnt = funcs_size / FUNC_INFO_SIZE;
			attr.prog.line_info_rec_size = LINE_INFO_SIZE;
			attr.prog.line_info = (uintptr_t)lines;
			attr.prog.line_info_cnt = lines_size / LINE_INFO_SIZE;
		}
		attr.prog.log_level = 1;
		attr.prog.log_size = LOG_SIZE;
		attr.prog.log_buf = (uintptr_t)log;
		fd = bpf(PROG_LOAD, &attr, ATTR_SIZE(prog));
	}
	if (session.btf_fd)
		close(session.btf_fd);
	if (fd >= 0) {
		*fd_of(step, "prog") = fd;
		answer_number(0);
	} else {
		printf("{\"result\":%ld,\"log\":", fd);
		print_string(log);
		puts("}");
	}
	free(insns);
	free(funcs);
	free(lines);
	free(log);
}

static long run_program(int fd)
{
	struct run_attr attr = { .prog_fd = fd };
	long error = command(PROG_TEST_RUN, &attr, sizeof(attr));
	return error ? error : (int32_t)attr.retval;
}

static void step_run(const char *step)
{
	answer_number(run_program(*fd_of(step, "prog")));
}

static long element_call(int number_of_call, const char *step, void *value)
{
	union attr attr = { 0 };
	size_t size;
	uint8_t *key = bytes(step, "key", &size);
	long result;
	attr.elem.map_fd = *fd_of(step, "map");
	attr.elem.key = (uintptr_t)key;
	attr.elem.value = (uintptr_t)value;
	result = command(number_of_call, &attr, ATTR_SIZE(elem));
	free(key);
	return result;
}

static void step_lookup(const char *step)
{
	static uint8_t value[65536];
	size_t size = number(step, "size");
	long error = element_call(MAP_LOOKUP_ELEM, step, value);
	answer_bytes(value, error ? error : (long)size);
}

static void step_update(const char *step)
{
	size_t size;
	uint8_t *value = bytes(step, "value", &size);
	answer_number(element_call(MAP_UPDATE_ELEM, step, value));
	free(value);
}

static void step_delete(const char *step)
{
	answer_number(element_call(MAP_DELETE_ELEM, step, NULL));
}

/* Words of union bpf_iter_link_info: numbers, or names of descriptors. */
static size_t info_words(const char *step, uint32_t *words, size_t most)
{
	const char *info = member(step, "info"), *at;
	size_t count = 0;
	while (count < most && (at = element(info, count))) {
		char name[NAME_SIZE];
		size_t n = 0;
		if (*at == '"') {
			for (at++; *at && *at != '"' && n + 1 < sizeof(name); at++)
				name[n++] = *at;
			name[n] = 0;
			words[count++] = *place_of(name);
		} else {
			words[count++] = strtoll(at, NULL, 0);
		}
	}
	return count;
}

static void step_attach(const char *step)
{
	uint32_t words[2048] = { 0 };
	struct link_attr attr = { .prog_fd = *fd_of(step, "prog"), .attach_type = 28 };
	long fd;
	attr.target_fd = number(step, "targetFd");
	attr.flags = number(step, "flags");
	if (member(step, "attachType"))
		attr.attach_type = number(step, "attachType");
	if (member(step, "info")) {
		attr.iter_info_len = sizeof(*words) * info_words(step, words, 2048);
		attr.iter_info = (uintptr_t)words;
	}
	if (member(step, "infoLength"))
		attr.iter_info_len = number(step, "infoLength");
	fd = command(LINK_CREATE, &attr, sizeof(attr));
	*fd_of(step, "link") = fd;
	answer_number(fd < 0 ? fd : 0);
}

static void step_iter(const char *step)
{
	uint32_t attr[2] = { *fd_of(step, "link"), number(step, "flags") };
	long fd = command(ITER_CREATE, attr, sizeof(attr));
	*fd_of(step, "iter") = fd;
	answer_number(fd < 0 ? fd : 0);
}

static void step_relink(const char *step)
{
	uint32_t attr[4] = { *fd_of(step, "link"), *fd_of(step, "prog"), 0, 0 };
	if (member(step, "old")) {
		attr[2] = REPLACE;
		attr[3] = *fd_of(step, "old");
	}
	answer_number(command(LINK_UPDATE, attr, sizeof(attr)));
}

static void step_detach(const char *step)
{
	uint32_t attr[1] = { *fd_of(step, "link") };
	answer_number(command(LINK_DETACH, attr, sizeof(attr)));
}

/* One read, or with `all` as many as there are until the end or an error; then the bytes of each. */
static void step_read(const char *step)
{
	static uint8_t buffer[MOST_BYTES];
	int fd = *fd_of(step, "iter");
	size_t size = number(step, "size");
	long result;
	if (!number(step, "all")) {
		result = errno_or(read(fd, buffer, size));
		answer_bytes(buffer, result);
		return;
	}
	fputs("{\"pieces\":[", stdout);
	for (int count = 0; (result = errno_or(read(fd, buffer, size))) > 0; count++) {
		if (count)
			putchar(',');
		print_hex(buffer, result);
	}
	printf("],\"result\":%ld}\n", result);
}

static void step_close(const char *step)
{
	int *fd = fd_of(step, "fd");
	long result = errno_or(close(*fd));
	*fd = -1;
	answer_number(result);
}

static void step_fdinfo(const char *step)
{
	char path[64], buffer[4096];
	long size;
	int fd;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", *fd_of(step, "fd"));
	fd = open(path, O_RDONLY);
	size = errno_or(read(fd, buffer, sizeof(buffer) - 1));
	close(fd);
	buffer[size < 0 ? 0 : size] = 0;
	fputs("{\"text\":", stdout);
	print_string(buffer);
	puts("}");
}

static void step_info(const char *step)
{
	char name[64] = "";
	size_t room = number(step, "room");
	struct link_info info = { .target_name = room ? (uintptr_t)name : 0, .target_name_len = room };
	struct descriptor_info attr = { .fd = *fd_of(step, "link"), .size = sizeof(info), .info = (uintptr_t)&info };
	long result = command(OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
	printf("{\"result\":%ld,\"type\":%u,\"length\":%u,\"name\":", result, info.type, info.target_name_len);
	print_string(name);
	printf(",\"words\":[%u,%u,%u]}\n", (uint32_t)info.selected, (uint32_t)(info.selected >> 32), info.order);
}

/* A directory of the hierarchy of control groups. */
static void step_cgroup(const char *step)
{
	char path[256], whole[512];
	text(step, "path", path, sizeof(path));
	snprintf(whole, sizeof(whole), "/sys/fs/cgroup%s", path);
	if (mkdir(whole, 0755) < 0 && errno != EEXIST)
		complain(whole);
	*fd_of(step, "fd") = open(whole, O_RDONLY | O_DIRECTORY);
	answer_number(0);
}

static void step_area(const char *step)
{
	void *at = mmap((void *)number(step, "start"), number(step, "length"), number(step, "protection"),
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	answer_number(at == MAP_FAILED ? -errno : 0);
}

static void step_unmap(const char *step)
{
	answer_number(errno_or(munmap((void *)number(step, "start"), number(step, "length"))));
}
