/* Functions and a bounded loop: the checksum of an IP header. */
#include "bpf.h"

static NOINLINE u32 fold(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

NOINLINE int complement(u32 sum)
{
	return ~sum & 0xffff;
}

SUCCESS RETURNS(2)
SEC("xdp") int checksum(struct xdp_md *ctx)
{
	struct ethhdr *eth = START(ctx);
	u16 *words = (void *)(eth + 1);
	u32 sum = 0;

	if ((void *)(words + 10) > END(ctx))
		return XDP_ABORTED;
	for (int i = 0; i < 10; i++)
		sum += words[i];
	return complement(fold(sum)) == 0xffff ? XDP_PASS : XDP_DROP;
}
