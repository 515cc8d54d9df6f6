/* The same program without its bounds check: the mistake that everyone makes first. */
#include "bpf.h"

FAILURE MESSAGE("R1 offset is outside of the packet")
SEC("xdp") int forgotten_check(struct xdp_md *ctx)
{
	struct ethhdr *eth = START(ctx);

	return eth->proto == htons(ETH_P_IP) ? XDP_PASS : XDP_DROP;
}
