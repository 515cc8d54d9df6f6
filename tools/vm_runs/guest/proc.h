/* What /proc says, as src/world/snapshot_capture.ts asks for it: text, links, and what stat says of what they lead to. */

#include <sys/eventfd.h>

static void print_entry(const char *kind, const char *path)
{
	printf(",[\"%s\",", kind);
	print_string(path);
	putchar(',');
}

static void dump_text(const char *path)
{
	static char buffer[MOST_BYTES];
	long size = 0, got = 0;
	int fd = open(path, O_RDONLY);
	print_entry("text", path);
	if (fd >= 0)
		while ((got = read(fd, buffer + size, sizeof(buffer) - size)) > 0)
			size += got;
	if (fd < 0 || got < 0)
		printf("%d", errno);
	else
		print_hex(buffer, size);
	if (fd >= 0)
		close(fd);
	putchar(']');
}

static void dump_status(const char *path)
{
	struct stat status;
	if (stat(path, &status) < 0)
		return;
	print_entry("status", path);
	printf("[%u,%u,%u,%lu,%u,%u]]", status.st_mode, major(status.st_dev), minor(status.st_dev), (unsigned long)status.st_ino,
	       major(status.st_rdev), minor(status.st_rdev));
}

static void dump_link(const char *path)
{
	char target[PAGE];
	long size = errno_or(readlink(path, target, sizeof(target)));
	print_entry("link", path);
	if (size < 0)
		printf("%ld", -size);
	else
		print_hex(target, size);
	putchar(']');
	dump_status(path);
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return atoi((*a)->d_name) - atoi((*b)->d_name);
}

static int is_number(const struct dirent *entry)
{
	return isdigit((unsigned char)entry->d_name[0]);
}

/* The descriptor through which the list itself is read is left out: it is closed by now. */
static void dump_descriptors(const char *folder)
{
	struct dirent **entries;
	char path[1024], list[512];
	int count;
	snprintf(list, sizeof(list), "%s/fd", folder);
	count = scandir(list, &entries, is_number, by_number);
	for (int i = 0; i < count; i++) {
		char target[PAGE];
		snprintf(path, sizeof(path), "%s/%s", list, entries[i]->d_name);
		if (readlink(path, target, sizeof(target)) >= 0 || errno != ENOENT) {
			dump_link(path);
			snprintf(path, sizeof(path), "%s/fdinfo/%s", folder, entries[i]->d_name);
			dump_text(path);
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void dump_task(const char *folder)
{
	static const char *const names[] = { "stat", "status", "comm", "maps" };
	char path[512];
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		dump_text(path);
	}
	dump_descriptors(folder);
}

static void dump_process(const char *pid)
{
	struct dirent **entries;
	char folder[64], path[400];
	int count;
	snprintf(folder, sizeof(folder), "/proc/%s", pid);
	dump_task(folder);
	snprintf(path, sizeof(path), "%s/cgroup", folder);
	dump_text(path);
	snprintf(path, sizeof(path), "%s/limits", folder);
	dump_text(path);
	snprintf(path, sizeof(path), "%s/task", folder);
	count = scandir(path, &entries, is_number, by_number);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/task/%s", folder, entries[i]->d_name);
		dump_task(path);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void step_proc(const char *step)
{
	struct dirent **entries;
	int count = scandir("/proc", &entries, is_number, by_number);
	(void)step;
	fputs("{\"files\":[[\"text\",\"/proc\",\"\"]", stdout);
	for (int i = 0; i < count; i++) {
		dump_process(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	dump_text("/proc/self/mountinfo");
	dump_status("/sys/fs/cgroup");
	puts("]}");
}

static void *__attribute__((noreturn)) sleep_for_ever(void *name)
{
	prctl(PR_SET_NAME, name);
	for (;;)
		pause();
}

static void in_child(const char *name)
{
	pthread_t thread;
	int memory = memfd_create("shared memory", 0), epoll, event, file;
	struct epoll_event watched = { .events = EPOLLIN | EPOLLET, .data.u64 = 0x123456789abcdef0 };
	int nothing = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3; i++)
		dup2(nothing, i);
	prctl(PR_SET_NAME, name);
	ftruncate(memory, 4 * PAGE);
	mmap((void *)0x70000000, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, memory, 0);
	mmap((void *)0x70010000, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	file = open("/tmp/a name\nwith \xff bytes", O_CREAT | O_RDWR, 0600);
	ftruncate(file, PAGE);
	mmap((void *)0x70020000, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE, file, 0);
	dup2(open("/tmp/gone", O_CREAT | O_WRONLY | O_APPEND, 0600), 80);
	unlink("/tmp/gone");
	event = eventfd(31, 0);
	epoll = epoll_create1(0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, event, &watched);
	pthread_create(&thread, NULL, sleep_for_ever, "thread one");
	pthread_create(&thread, NULL, sleep_for_ever, "\xc3\xbc(2) )");
	sleep_for_ever((void *)name);
}

/* A process with odd names, threads, areas and descriptors, its child, and a zombie; they live on. */
static void step_fixture(const char *step)
{
	pid_t child;
	(void)step;
	for (int i = 0; i < 3; i++) {
		child = fork();
		if (child < 0)
			complain("fork");
		if (child == 0 && i == 2)
			_exit(0);
		if (child == 0)
			in_child(i ? "a (b) c\nd" : "first");
	}
	usleep(300000);
	answer_number(0);
}
