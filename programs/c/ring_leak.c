/* A ring buffer record that is neither submitted nor discarded on one path. */
#include "bpf.h"

struct {
	UINT(type, BPF_MAP_TYPE_RINGBUF);
	UINT(max_entries, 4096);
} events SEC(".maps");

FAILURE MESSAGE("Unreleased reference")
SEC("xdp") int ring_leak(struct xdp_md *ctx)
{
	u64 *record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);

	if (!record)
		return XDP_PASS;
	*record = ctx->ingress_ifindex;
	if (*record > 7)
		return XDP_DROP;
	bpf_ringbuf_submit(record, 0);
	return XDP_PASS;
}
