import type { Btf } from '../../btf/btf.ts';
import { btfFromC } from '../../btf/c_parser.ts';
import type { SpecialField } from '../../contracts/map_type.ts';

/** C types of generated programs: values of maps with fields of special meaning, and objects that programs allocate. */

/** What values with a lock or a timer need. */
export const VALUE_TYPES = `
struct bpf_spin_lock { unsigned int val; };
struct bpf_timer { unsigned long long __opaque[2]; };
struct locked { struct bpf_spin_lock lock; int count; unsigned long long data[3]; };
struct timed { unsigned long long data; struct bpf_timer timer; };
`;

/** The same, and lists, trees, references that maps keep, work queues, locks that time out. */
export const OBJECT_TYPES = `${VALUE_TYPES}
struct bpf_res_spin_lock { unsigned int val; };
struct bpf_wq { unsigned long long __opaque[2]; };
struct bpf_task_work { unsigned long long __opaque; };
struct bpf_list_head { unsigned long long __opaque[2]; };
struct bpf_list_node { unsigned long long __opaque[3]; };
struct bpf_rb_root { unsigned long long __opaque[2]; };
struct bpf_rb_node { unsigned long long __opaque[4]; };
struct bpf_refcount { unsigned int __opaque[1]; };
struct task_struct { int unknown; };
struct bpf_cpumask { int unknown; };
struct plain { unsigned long long words[2]; int count; };
struct nest1 { int a; };
struct nest2 { struct nest1 a; };
struct nest3 { struct nest2 a; };
struct nest4 { struct nest3 a; };
struct nest5 { struct nest4 a; };
struct nest6 { struct nest5 a; };
struct bulky { unsigned char bytes[600]; };
struct item { struct bpf_list_node list; int data; };
struct shared { int data; struct bpf_rb_node tree; struct bpf_list_node list; struct bpf_refcount refs; };
struct holder { struct task_struct __kptr *task; struct plain __kptr *own; int data; };
struct graph {
  struct bpf_spin_lock lock;
  struct bpf_list_head items __contains(item, list);
  struct bpf_rb_root tree __contains(shared, tree);
  struct bpf_list_head second __contains(shared, list);
  int count;
};
struct kept {
  int count;
  struct task_struct __kptr *task;
  struct task_struct __kptr_untrusted *loose;
  struct bpf_cpumask __kptr *mask;
  struct plain __kptr *own;
  struct shared __kptr *node;
  struct plain __percpu_kptr *each;
};
struct working { int data; struct bpf_wq work; };
struct tasked { int data; struct bpf_task_work work; };
struct patient { int data; struct bpf_res_spin_lock lock; };
struct both { struct bpf_spin_lock lock; struct bpf_timer timer; };
struct user_part { struct plain __uptr *part; int data; };
`;

/** The struct that values of a map of the palette have, by the map's name; the others are plain bytes. */
export const STRUCT_OF: Readonly<Record<string, string>> = {
  locked: 'locked',
  locked_hash: 'locked',
  timed: 'timed',
  timed_hash: 'timed',
  graphs: 'graph',
  graphs_hash: 'graph',
  kept: 'kept',
  kept_hash: 'kept',
  working: 'working',
  working_hash: 'working',
  tasked: 'tasked',
  patient: 'patient',
  patient_hash: 'patient',
  both: 'both',
  of_socket: 'plain',
  of_task: 'user_part',
  of_inode: 'locked',
  of_cgroup: 'plain',
};

/** Structs that programs can be asked to allocate, from the well-behaved to those that cannot be allocated. */
export const LOCAL_STRUCTS = [
  'item',
  'shared',
  'holder',
  'plain',
  'nest2',
  'nest6',
  'bulky',
  'graph',
  'kept',
  'timed',
  'locked',
] as const;
export type LocalStruct = (typeof LOCAL_STRUCTS)[number];

const built = new Map<string, Btf>();

/** The BTF of one of the texts above; types of functions are added behind it, so that its ids stay. */
export const btfOfTypes = (text: string): Btf => {
  const known = built.get(text);
  if (known !== undefined) return known;
  const { btf } = btfFromC(text);
  built.set(text, btf);
  return btf;
};

/** Type id of a struct of OBJECT_TYPES in every program that has these types. */
export const localStructId = (name: string): number => btfOfTypes(OBJECT_TYPES).findByName(name, 'STRUCT')?.id ?? 0;

/** Byte offset of a member of a struct of OBJECT_TYPES; 0 for one that there is not. */
export const localOffset = (struct: string, member: string): number => {
  const found = btfOfTypes(OBJECT_TYPES)
    .findByName(struct, 'STRUCT')
    ?.members.find(({ name }) => name === member);
  return found === undefined ? 0 : found.bitOffset / 8;
};

/** Bytes of a struct of OBJECT_TYPES. */
export const localSize = (struct: string): number => {
  const btf = btfOfTypes(OBJECT_TYPES);
  return btf.sizeOf(btf.findByName(struct, 'STRUCT')?.id ?? 0) ?? 8;
};

const FIELDS: Readonly<Record<string, readonly SpecialField[]>> = {
  locked: ['BPF_SPIN_LOCK'],
  timed: ['BPF_TIMER'],
  graph: ['BPF_SPIN_LOCK', 'BPF_LIST_HEAD', 'BPF_RB_ROOT'],
  kept: ['BPF_KPTR_REF', 'BPF_KPTR_UNREF', 'BPF_KPTR_PERCPU'],
  working: ['BPF_WORKQUEUE'],
  tasked: ['BPF_TASK_WORK'],
  patient: ['BPF_RES_SPIN_LOCK'],
  both: ['BPF_SPIN_LOCK', 'BPF_TIMER'],
  user_part: ['BPF_UPTR'],
};

/** The special fields of a struct that is the value of a map. */
export const fieldsOf = (struct: string | undefined): ReadonlySet<SpecialField> => new Set(FIELDS[struct ?? ''] ?? []);
