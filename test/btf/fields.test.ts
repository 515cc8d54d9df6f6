import { describe, expect, test } from 'vitest';
import { btfFromC } from '../../src/btf/c_parser.ts';
import { BtfError } from '../../src/btf/error.ts';
import { checkOwnership, type KernelTypes, mapValueRecord, parseFields, parseStructMetas } from '../../src/btf/fields.ts';
import {
  BPF_KPTR,
  FIELD_BITS,
  fieldShape,
  MAP_VALUE_FIELDS,
  recordFind,
  recordHas,
  recordsEqual,
} from '../../src/btf/special.ts';

const PRELUDE = `
  struct bpf_spin_lock { __u32 val; };
  struct bpf_res_spin_lock { __u32 val; };
  struct bpf_timer { __u64 __opaque[2]; } __attribute__((aligned(8)));
  struct bpf_wq { __u64 __opaque[2]; };
  struct bpf_task_work { __u64 __opaque; };
  struct bpf_list_head { __u64 __opaque[2]; };
  struct bpf_list_node { __u64 __opaque[3]; };
  struct bpf_rb_root { __u64 __opaque[2]; };
  struct bpf_rb_node { __u64 __opaque[4]; };
  struct bpf_refcount { __u32 __opaque[1]; };
  struct node { long key; struct bpf_list_node l; struct bpf_refcount ref; struct bpf_rb_node r; };
  struct bare { int x; };
  struct task_struct { int pid; };
  struct cgroup { int id; };
  struct inode { int i; };
`;

const kernel: KernelTypes = {
  btf: btfFromC('struct task_struct { int pid; }; struct cgroup { int id; }; struct inode { int i; };').btf,
  destructors: new Map([['task_struct', 'bpf_task_release']]),
};

const btfOf = (text: string) => btfFromC(PRELUDE + text).btf;

/** The fields of `struct v` as words, or the error number. */
const fieldsOf = (text: string): string => {
  const btf = btfOf(text);
  const type = btf.findByName('v', 'STRUCT')!;
  try {
    const record = parseFields(btf, type.id, MAP_VALUE_FIELDS, type.size, kernel);
    return record === null ? 'none' : record.fields.map((field) => `${field.type}@${field.offset}`).join(' ');
  } catch (error) {
    if (error instanceof BtfError) return error.errno;
    throw error;
  }
};

describe('special fields of a value', () => {
  test.each([
    ['struct v { int a; };', 'none'],
    ['struct v { int a; struct bpf_spin_lock l; struct bpf_timer t; };', 'BPF_SPIN_LOCK@4 BPF_TIMER@8'],
    ['struct v { struct bpf_wq w; struct bpf_task_work k; };', 'BPF_WORKQUEUE@0 BPF_TASK_WORK@16'],
    ['struct v { struct bpf_timer a; struct bpf_timer b; };', 'E2BIG'],
    ['struct v { struct { struct bpf_timer t; } a; int b; };', 'BPF_TIMER@0'],
    ['struct v { struct bpf_timer t[2]; };', 'EINVAL'],
    ['struct v { struct bpf_spin_lock l; struct bpf_res_spin_lock r; };', 'EINVAL'],
    ['struct v { struct task_struct __kptr *t; struct cgroup __kptr_untrusted *c; };', 'BPF_KPTR_REF@0 BPF_KPTR_UNREF@8'],
    ['struct v { struct cgroup __kptr *c; };', 'ENOENT'],
    ['struct v { struct bare __percpu_kptr *c; };', 'BPF_KPTR_PERCPU@0'],
    ['struct v { struct task_struct __kptr * volatile t; };', 'BPF_KPTR_REF@0'],
    ['struct v { struct task_struct __rcu *t; };', 'EINVAL'],
    ['struct v { int __kptr *t; };', 'EINVAL'],
    ['struct v { struct bare __kptr *t[11]; };', Array.from({ length: 11 }, (_, i) => `BPF_KPTR_REF@${i * 8}`).join(' ')],
    ['struct v { struct bare __kptr *t[12]; };', 'E2BIG'],
    ['struct v { struct { int pad; struct bare __kptr *t; } e[2]; };', 'BPF_KPTR_REF@8 BPF_KPTR_REF@24'],
    ['struct v { struct bpf_spin_lock l; struct bpf_list_head h __contains(node, l); };', 'BPF_SPIN_LOCK@0 BPF_LIST_HEAD@8'],
    [
      'struct v { struct bpf_spin_lock l; struct bpf_rb_root h[2] __contains(node, r); };',
      'BPF_SPIN_LOCK@0 BPF_RB_ROOT@8 BPF_RB_ROOT@24',
    ],
    ['struct v { struct bpf_list_head h __contains(node, l); };', 'EINVAL'],
    ['struct v { struct bpf_spin_lock l; struct bpf_list_head h; };', 'EINVAL'],
    ['struct v { struct bpf_spin_lock l; struct bpf_list_head h __contains(node, r); };', 'EINVAL'],
    ['struct v { struct bpf_spin_lock l; struct bpf_list_head h __contains(node, nope); };', 'ENOENT'],
    ['struct v { struct bpf_spin_lock l; struct bpf_list_head h __contains(nope, l); };', 'ENOENT'],
    ['struct v { struct bpf_list_node n; };', 'none'],
    ['struct v { int a:3, b:5; };', 'EINVAL'],
    ['struct v { union { struct bpf_spin_lock l; }; };', 'none'],
    ['typedef struct bpf_spin_lock bpf_spin_lock; struct v { bpf_spin_lock l; };', 'none'],
  ])('%s', (text, expected) => expect(fieldsOf(text)).toBe(expected));
});

test('a value that cannot be parsed has no fields', () => {
  const btf = btfOf(
    'struct v { int a:3, b:5; struct bpf_spin_lock l; }; typedef struct { struct bpf_timer t; } w; struct x { int i; };',
  );
  expect(mapValueRecord(btf, btf.findByName('v', 'STRUCT')!.id, 8, kernel)).toBeNull();
  expect(mapValueRecord(btf, btf.findByName('int', 'INT')!.id, 4, kernel)).toBeNull();
  expect(mapValueRecord(btf, btf.findByName('w', 'TYPEDEF')!.id, 16, kernel)?.timerOff).toBe(0);
});

test('a kptr to a type that only the program has is to a local object', () => {
  const btf = btfOf('struct v { struct bare __kptr *b; struct task_struct __kptr *t; };');
  const type = btf.findByName('v', 'STRUCT')!;
  const record = parseFields(btf, type.id, MAP_VALUE_FIELDS, type.size, kernel)!;
  expect(record.fields[0]!.kptr).toEqual({ btf, typeId: btf.findByName('bare', 'STRUCT')!.id, destructor: undefined });
  const task = kernel.btf.findByName('task_struct', 'STRUCT')!;
  expect(record.fields[1]!.kptr).toMatchObject({ typeId: task.id, destructor: 'bpf_task_release' });
  expect(recordFind(record, 8, BPF_KPTR)).toBe(record.fields[1]);
  expect(recordFind(record, 8, FIELD_BITS.BPF_UPTR)).toBeUndefined();
  expect(recordHas(record, BPF_KPTR)).toBe(true);
  expect(recordsEqual(record, parseFields(btf, type.id, MAP_VALUE_FIELDS, type.size, kernel))).toBe(true);
});

describe('structs a program may allocate', () => {
  test('are those with a node, a refcount or a kptr directly inside', () => {
    const btf = btfOf('struct wrap { struct node n; }; struct holder { struct bare __kptr *p; };');
    const metas = parseStructMetas(btf, kernel);
    expect([...metas.keys()].map((id) => btf.type(id).name)).toEqual(['node', 'holder']);
    const node = metas.get(btf.findByName('node', 'STRUCT')!.id)!;
    expect(node.fields.map((field) => `${field.type}@${field.offset}`)).toEqual([
      'BPF_LIST_NODE@8',
      'BPF_REFCOUNT@32',
      'BPF_RB_NODE@40',
    ]);
    expect(node.refcountOff).toBe(32);
  });

  test.each([
    ['struct two { struct bpf_list_node l; struct bpf_rb_node r; };', 'list node and tree node without a bpf_refcount'],
    [
      `struct b { struct bpf_spin_lock k; struct bpf_list_node l; struct bpf_list_head h __contains(node, l); };
       struct a { struct bpf_spin_lock k; struct bpf_list_node l; struct bpf_list_head h __contains(b, l); };`,
      'ownership of lists or trees could form a cycle',
    ],
  ])('%s', (text, message) => expect(() => parseStructMetas(btfOf(text), kernel)).toThrow(message));

  test('a root may own a type that owns', () => {
    const btf = btfOf(`struct b { struct bpf_spin_lock k; struct bpf_list_node l; struct bpf_list_head h __contains(node, l); };
       struct v { struct bpf_spin_lock k; struct bpf_list_head h __contains(b, l); };`);
    expect(parseStructMetas(btf, kernel).size).toBe(3);
  });
});

test('a uptr is to a struct of the program that fits a page', () => {
  const btf = btfOf(
    'struct big { char c[4097]; }; struct v { struct bare __uptr *a; }; struct w { struct big __uptr *b; }; struct x { struct inode __uptr *c; };',
  );
  const check = (name: string): void => {
    const type = btf.findByName(name, 'STRUCT')!;
    checkOwnership(parseFields(btf, type.id, MAP_VALUE_FIELDS, type.size, kernel), new Map(), kernel);
  };
  expect(() => check('v')).not.toThrow();
  expect(() => check('w')).toThrow('larger than a page');
  expect(() => check('x')).toThrow('uptr to a kernel struct');
});

test('nested empty structs cost no exponential time', () => {
  const levels = Array.from({ length: 25 }, (_, i) => `struct s${i + 1} { struct s${i} a, b, c, d; };`).join('\n');
  expect(fieldsOf(`struct s0 {}; ${levels} struct v { struct s25 x; };`)).toBe('none');
});

test('shapes of pointer fields', () => expect(fieldShape('BPF_UPTR')).toEqual({ size: 8, align: 8 }));
