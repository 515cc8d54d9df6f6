import { assemble } from '../../../src/asm/assemble.ts';
import { profile } from '../rules.ts';

/** Types and maps that programs about objects are written with. */

const TYPES = `.c {
  struct bpf_spin_lock { __u32 val; };
  struct bpf_res_spin_lock { __u32 val; };
  struct bpf_wq { __u64 opaque[2]; };
  struct bpf_task_work { __u64 opaque; };
  struct bpf_timer { __u64 opaque[2]; };
  struct bpf_list_head { __u64 opaque[2]; };
  struct bpf_list_node { __u64 opaque[3]; };
  struct bpf_rb_root { __u64 opaque[2]; };
  struct bpf_rb_node { __u64 opaque[4]; };
  struct bpf_refcount { __u32 opaque[1]; };
  struct task_struct { int x; };
  struct plain { __u64 a; __u64 b; };
  struct pointer { __u64 *p; };
  struct node { struct bpf_list_node list; struct bpf_rb_node tree; struct bpf_refcount count; int data; };
  struct item { struct bpf_list_node list; int data; };
  struct other { struct bpf_list_node list; int data; };
  struct graph {
    struct bpf_spin_lock lock;
    struct bpf_list_head head __contains(item, list);
    struct bpf_rb_root root __contains(node, tree);
  };
  struct res_list { struct bpf_res_spin_lock lock; struct bpf_list_head head __contains(item, list); };
  struct res_locked { int x; struct bpf_res_spin_lock lock; };
  struct locked { int x; struct bpf_spin_lock lock; };
  struct timed { __u64 pad; struct bpf_timer timer; };
  struct queued { __u64 pad; struct bpf_wq wq; };
  struct task_queued { struct bpf_task_work work; __u64 pad; };
  struct pointers {
    struct task_struct __kptr *task;
    struct plain __kptr *own;
    struct task_struct __kptr_untrusted *seen;
    struct plain __percpu_kptr *percpu;
  };
}
.map res_locks array key="__u32" value="struct res_locked" max_entries=2
.map res_hash hash key="__u32" value="struct res_locked" max_entries=2
.map locks array key="__u32" value="struct locked" max_entries=2
.map graphs array key="__u32" value="struct graph" max_entries=1
.map res_lists array key="__u32" value="struct res_list" max_entries=1
.map timers array key="__u32" value="struct timed" max_entries=1
.map other_timers array key="__u32" value="struct timed" max_entries=1
.map queues array key="__u32" value="struct queued" max_entries=1
.map other_queues array key="__u32" value="struct queued" max_entries=1
.map works array key="__u32" value="struct task_queued" max_entries=1
.map other_works array key="__u32" value="struct task_queued" max_entries=1
.map kptrs array key="__u32" value="struct pointers" max_entries=1
.map bytes array key_size=4 value_size=16 max_entries=1
.map text array key_size=4 value_size=8 max_entries=1 flags=BPF_F_RDONLY_PROG frozen initial="61626300"
.map ring ringbuf max_entries=4096
`;

const HEADER = '.program "int test(void *ctx)"\n';

/** Type ids of the structs above; the BTF begins with them, so they are the same in every program. */
const structs = assemble(`${TYPES}.section "tc"\n${HEADER}exit`, 'types.bpf.s', { profile }).programs[0]?.btf;

/** `@plain` stands for the type id of struct plain. Labels get lines of their own. */
const spelledOut = (text: string): string =>
  text
    .replace(/@(\w+)/g, (_, name: string) => String(structs?.findByName(name, 'STRUCT')?.id))
    .replace(/;?\s*\b([a-z]\w*):/g, '\n$1:\n');

const inSection =
  (section: string) =>
  (text: string, functions = ''): string =>
    `${TYPES}.section "${section}"\n${HEADER}${spelledOut(text)}\n${functions}`;

/** A program that does not sleep and may call most kfuncs. */
export const tc = inSection('tc');
export const xdp = inSection('xdp');
/** A program that may sleep. */
export const syscall = inSection('syscall');
export const tracepoint = inSection('tracepoint/syscalls/sys_enter_nanosleep');
export const rawTracepoint = inSection('raw_tp/sys_enter');
export const egress = inSection('cgroup_skb/egress');
export const kprobeSession = inSection('kprobe.session/do_nanosleep');

/** Looks the first element of a map up; where there is none the program ends at `out`. */
export const lookup = (map: string, to: string, key = 0): string =>
  `*(u32 *)(r10 - 4) = ${key}; r2 = r10; r2 += -4; r1 = ${map} ll; call bpf_map_lookup_elem; if r0 == 0 goto out; ${to} = r0`;

export const OUT = 'out: r0 = 0; exit';

/** Register `regno` points `depth` bytes below the frame pointer. */
export const stack = (regno: number, depth: number): string => `r${regno} = r10; r${regno} += -${depth}`;

/** Allocates an object of a struct above; where there is none the program ends at `out`. */
export const allocate = (struct: string, to: string): string =>
  `r1 = @${struct}; r2 = 0; call bpf_obj_new_impl; if r0 == 0 goto out; ${to} = r0`;

export const drop = (reg: string): string => `r1 = ${reg}; r2 = 0; call bpf_obj_drop_impl`;

/** A function of the program with this prototype. */
export const func = (prototype: string, text: string): string => `.func "${prototype}"\n${spelledOut(text)}\n`;
