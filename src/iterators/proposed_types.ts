/**
 * C of the kernel that the iterators over rings and epoll sets were proposed for, Linux 5.16: the structs that have another shape
 * since, and what the patches add. Offsets are the model's own; the names and types are those of the time.
 */
export const IO_URING_STRUCTS = `
  struct bio_vec { struct page *bv_page; unsigned int bv_len; unsigned int bv_offset; };
  struct io_mapped_ubuf {
    u64 ubuf;
    u64 ubuf_end;
    unsigned int nr_bvecs;
    unsigned long acct_pages;
    struct bio_vec bvec[];
  };
  struct io_fixed_file { unsigned long file_ptr; };
  struct io_file_table { struct io_fixed_file *files; };
  struct io_ring_ctx {
    unsigned long refs[2];
    struct io_rings *rings;
    unsigned int flags;
    unsigned int compat : 1, drain_next : 1, eventfd_async : 1, restricted : 1, off_timeout_used : 1, drain_active : 1;
    unsigned long uring_lock[4];
    u32 *sq_array;
    struct io_uring_sqe *sq_sqes;
    unsigned int cached_sq_head;
    unsigned int sq_entries;
    struct io_rsrc_node *rsrc_node;
    int rsrc_cached_refs;
    struct io_file_table file_table;
    unsigned int nr_user_files;
    unsigned int nr_user_bufs;
    struct io_mapped_ubuf **user_bufs;
    const struct cred *sq_creds;
    struct io_sq_data *sq_data;
    unsigned int cached_cq_tail;
    unsigned int cq_entries;
    struct eventfd_ctx *cq_ev_fd;
    struct io_mapped_ubuf *dummy_ubuf;
  };
`;

const bufferContext = (index: string): string => `
  struct bpf_iter__io_uring_buf {
    struct bpf_iter_meta *meta;
    struct io_ring_ctx *ctx;
    struct io_mapped_ubuf *ubuf;
    ${index} index;
  };
  int bpf_iter_io_uring_buf(struct bpf_iter_meta *meta, struct io_ring_ctx *ctx, struct io_mapped_ubuf *ubuf, ${index} index);
`;

const fileContext = (index: string): string => `
  struct bpf_iter__io_uring_file {
    struct bpf_iter_meta *meta;
    struct io_ring_ctx *ctx;
    struct file *file;
    ${index} index;
  };
  int bpf_iter_io_uring_file(struct bpf_iter_meta *meta, struct io_ring_ctx *ctx, struct file *file, ${index} index);
`;

/** The index of version 1 is as wide as a pointer; a program always reads 8 bytes of it. */
export const IO_URING_BUF_CONTEXTS = { v1: bufferContext('unsigned long'), v2: bufferContext('u64') } as const;
export const IO_URING_FILE_CONTEXTS = { v1: fileContext('unsigned long'), v2: fileContext('u64') } as const;

export const EPOLL_CONTEXT = `
  struct bpf_iter__epoll {
    struct bpf_iter_meta *meta;
    struct eventpoll *ep;
    struct epitem *epi;
  };
  int bpf_iter_epoll(struct bpf_iter_meta *meta, struct eventpoll *ep, struct epitem *epi);
`;

/**
 * What BPF_OBJ_GET_INFO_BY_FD tells of a link, with the inode of the ring since version 2. It stands in one union with `map_id`,
 * which moves from byte 28 to byte 32: a program that was built before reads 0 there.
 */
export const RING_LINK_INFO = `
  struct bpf_link_info {
    __u32 type;
    __u32 id;
    __u32 prog_id;
    union {
      struct { __u64 tp_name; __u32 tp_name_len; } raw_tracepoint;
      struct { __u32 attach_type; __u32 target_obj_id; __u32 target_btf_id; } tracing;
      struct { __u64 cgroup_id; __u32 attach_type; } cgroup;
      struct {
        __u64 target_name;
        __u32 target_name_len;
        union {
          struct { __u32 map_id; } map;
          struct { __u64 inode; } io_uring;
        };
      } iter;
      struct { __u32 netns_ino; __u32 attach_type; } netns;
      struct { __u32 ifindex; } xdp;
    };
  };
`;
