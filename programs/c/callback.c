/* A loop as a callback: bpf_loop. */
#include "bpf.h"

struct sum {
	u64 total;
};

static int add(u32 index, struct sum *sum)
{
	sum->total += index;
	return 0;
}

SUCCESS RETURNS(45)
SEC("socket") int callback(void *ctx)
{
	struct sum sum = {};

	bpf_loop(10, add, &sum, 0);
	return sum.total;
}
