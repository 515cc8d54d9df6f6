/* Ring buffers of user space: the mappings, and a producer by the rules of libbpf. */

enum { PAGE = 4096, HEADER = 8, MAX_RINGS = 4 };
#define BUSY 0x80000000u
#define DISCARD 0x40000000u

static struct ring {
	char name[NAME_SIZE];
	uint64_t *consumer, *producer;
	uint8_t *data;
	uint64_t size;
	int epoll;
} rings[MAX_RINGS];

static struct ring *ring_of(const char *step)
{
	char name[NAME_SIZE];
	text(step, "map", name, sizeof(name));
	for (int i = 0; i < MAX_RINGS; i++)
		if (!strcmp(rings[i].name, name) || !rings[i].name[0]) {
			strcpy(rings[i].name, name);
			return &rings[i];
		}
	fprintf(stderr, "too many rings\n");
	exit(1);
}

static uint32_t *header_at(struct ring *ring, uint64_t position)
{
	return (uint32_t *)(ring->data + (position & (ring->size - 1)));
}

static void *mapping;
static size_t mapping_size;

static void step_mmap(const char *step)
{
	int flags = member(step, "shared") && !number(step, "shared") ? MAP_PRIVATE : MAP_SHARED;
	void *at;
	mapping_size = PAGE * number(step, "pages");
	at = mmap(NULL, mapping_size, number(step, "protection"), flags, *fd_of(step, "map"), PAGE * number(step, "page"));
	mapping = at;
	answer_number(at == MAP_FAILED ? -errno : 0);
}

static void step_mprotect(const char *step)
{
	answer_number(errno_or(mprotect(mapping, mapping_size, number(step, "protection"))));
}

static void step_mremap(const char *step)
{
	void *at = mremap(mapping, mapping_size, PAGE * number(step, "pages"), MREMAP_MAYMOVE);
	answer_number(at == MAP_FAILED ? -errno : 0);
}

static void step_ring(const char *step)
{
	struct ring *ring = ring_of(step);
	int fd = *fd_of(step, "map");
	uint8_t *at;
	ring->size = number(step, "size");
	ring->consumer = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	at = mmap(NULL, PAGE + 2 * ring->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
	if (ring->consumer == MAP_FAILED || at == MAP_FAILED)
		complain("mmap of a ring");
	ring->producer = (uint64_t *)at;
	ring->data = at + PAGE;
	answer_number(0);
}

static void step_watch(const char *step)
{
	struct ring *ring = ring_of(step);
	struct epoll_event event = { .events = number(step, "events") };
	ring->epoll = epoll_create1(EPOLL_CLOEXEC);
	answer_number(errno_or(epoll_ctl(ring->epoll, EPOLL_CTL_ADD, *fd_of(step, "map"), &event)));
}

static void step_wait(const char *step)
{
	struct epoll_event event = { 0 };
	long result = errno_or(epoll_wait(ring_of(step)->epoll, &event, 1, number(step, "timeout")));
	printf("{\"result\":%ld,\"events\":%u}\n", result, event.events);
}

/* A record as a producer leaves it, or as one that lies does. */
static void step_record(const char *step)
{
	struct ring *ring = ring_of(step);
	uint64_t position = number(step, "at");
	size_t size;
	uint8_t *payload = bytes(step, "payload", &size);
	header_at(ring, position)[0] = number(step, "length");
	header_at(ring, position)[1] = 0;
	if (payload)
		memcpy(ring->data + ((position + HEADER) & (ring->size - 1)), payload, size);
	free(payload);
	answer_number(0);
}

static void step_fill(const char *step)
{
	struct ring *ring = ring_of(step);
	uint64_t position = 0, count = number(step, "count"), length = number(step, "length");
	uint64_t total = ((length & ~(BUSY | DISCARD)) + HEADER + 7) / 8 * 8;
	for (; count; count--, position += total)
		*header_at(ring, position) = length;
	__atomic_store_n(ring->producer, position, __ATOMIC_RELEASE);
	answer_number(0);
}

static void step_producer(const char *step)
{
	__atomic_store_n(ring_of(step)->producer, number(step, "position"), __ATOMIC_RELEASE);
	answer_number(0);
}

static void step_positions(const char *step)
{
	struct ring *ring = ring_of(step);
	printf("{\"consumer\":%lu,\"producer\":%lu}\n", __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE),
	       __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE));
}

static void step_payload(const char *step)
{
	struct ring *ring = ring_of(step);
	answer_bytes(ring->data + ((number(step, "at") + HEADER) & (ring->size - 1)), number(step, "size"));
}

/* The position of the record, or a negative error number. */
static long reserve(struct ring *ring, uint32_t size)
{
	uint64_t producer = *ring->producer, consumer = __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
	uint64_t total;
	if (size & (BUSY | DISCARD))
		return -E2BIG;
	total = ((uint64_t)size + HEADER + 7) / 8 * 8;
	if (total > ring->size)
		return -E2BIG;
	if (ring->size - (producer - consumer) < total)
		return -ENOSPC;
	header_at(ring, producer)[0] = size | BUSY;
	header_at(ring, producer)[1] = 0;
	__atomic_store_n(ring->producer, producer + total, __ATOMIC_RELEASE);
	return producer;
}

static long milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* With `timeout` it waits for room as user_ring_buffer__reserve_blocking does. */
static void step_reserve(const char *step)
{
	struct ring *ring = ring_of(step);
	uint32_t size = number(step, "size");
	long left = number(step, "timeout"), timeout = left, start = milliseconds(), result;
	struct epoll_event event;
	if (!member(step, "timeout")) {
		answer_number(reserve(ring, size));
		return;
	}
	do {
		result = reserve(ring, size);
		if (result != -ENOSPC)
			break;
		if (epoll_wait(ring->epoll, &event, 1, left) < 0) {
			result = -errno;
			break;
		}
		left = timeout - (milliseconds() - start);
	} while (left > 0);
	if (result == -ENOSPC)
		result = reserve(ring, size);
	answer_number(result);
}

static void step_commit(const char *step)
{
	struct ring *ring = ring_of(step);
	uint32_t *header = header_at(ring, number(step, "record"));
	uint32_t length = *header & ~BUSY;
	__atomic_exchange_n(header, number(step, "discard") ? length | DISCARD : length, __ATOMIC_ACQ_REL);
	answer_number(0);
}

struct later {
	int fd;
	unsigned delay;
};

static void *run_later(void *argument)
{
	struct later *later = argument;
	usleep(1000 * later->delay);
	run_program(later->fd);
	free(later);
	return NULL;
}

/* Another thread runs a program after some milliseconds. */
static void step_later(const char *step)
{
	pthread_t thread;
	struct later *later = calloc(1, sizeof(*later));
	later->fd = *fd_of(step, "prog");
	later->delay = number(step, "delay");
	answer_number(-pthread_create(&thread, NULL, run_later, later));
	pthread_detach(thread);
}
