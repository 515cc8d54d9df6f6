import type { Case } from '../fixture.ts';

/** The context, as far as a name goes. */
const SKB = '.struct __sk_buff {\n int len;\n}\n';

const LOCKED = `
  .struct bpf_spin_lock {
    __u32 val;
  }
  .struct value {
    struct bpf_spin_lock lock;
    int x;
  }
  .map values array key="int" value="struct value" max_entries=1
`;

/** Takes the lock in the value of key 0. */
const LOCK = '*(u32 *)(r10 - 8) = 0; r2 = r10; r2 += -8; r1 = values ll; call bpf_map_lookup_elem; r1 = r0; call bpf_spin_lock';

/** A program that passes `setup`'s registers to a function with `prototype`. */
const calling = (prototype: string, setup: string, section = 'classifier'): string => `
  .section "${section}"
  .program "int prog(struct __sk_buff *skb)"
  ${setup}
  call f
  r0 = 0
  exit
  .func "${prototype}"
  r0 = 0
  exit
`;

export const FUNCTIONS: readonly Case[] = [
  {
    rule: 'a static function is walked with the registers of its caller',
    text: 'r1 = 7; call f; exit\n.func f\nr0 = r1\nexit',
    log: [
      'caller:\n R10=fp0\ncallee:\n frame1: R1=7 R10=fp0',
      'returning from callee:\n frame1: R0=7 R1=7 R10=fp0\nto caller at 2:\n R0=7 R10=fp0',
    ],
  },
  {
    rule: 'r0 to r5 do not survive a call',
    text: 'r1 = 7; call f; r0 = r1; exit\n.func f\nr0 = r1\nexit',
    refused: ['EACCES', 'R1 !read_ok'],
  },
  {
    rule: 'a callee does not see r6 of its caller',
    text: 'r6 = 7; call f; exit\n.func f\nr0 = r6\nexit',
    refused: ['EACCES', 'R6 !read_ok'],
  },
  {
    rule: 'a stack pointer is not returned',
    text: 'call f; exit\n.func f\nr0 = r10\nexit',
    refused: ['EINVAL', 'cannot return stack pointer to the caller'],
  },
  {
    rule: 'eight frames are the limit',
    text: `call f1; exit\n${[1, 2, 3, 4, 5, 6, 7].map((n) => `.func f${n}\ncall f${n + 1}\nexit`).join('\n')}\n.func f8\nr0 = 0\nexit`,
    refused: ['E2BIG', 'the call stack of 9 frames is too deep'],
  },
  {
    rule: 'a call of a global function takes its result for any number',
    text: calling('int f(int x)', 'r1 = 1'),
    log: [
      "Func#1 ('f') is global and assumed valid.",
      'Validating f() func#1...\n',
      'R1=scalar() R10=fp0',
      "Func#1 ('f') is safe for any args that match its prototype",
    ],
  },
  {
    rule: 'a global function is verified whatever its callers pass',
    text: `.section "classifier"
      .program "int prog(struct __sk_buff *skb)"
      r1 = 0; call f; r0 = 0; exit
      .func "int f(int x)"
      if r1 == 0 goto ok; r0 = *(u64 *)(r1 + 0)
      ok: r0 = 0
      exit`,
    refused: ['EACCES', "R1 invalid mem access 'scalar'"],
  },
  {
    rule: 'a number is expected',
    text: calling('int f(int x)', 'r1 = r10'),
    refused: ['EINVAL', "Caller passes invalid args into func#1 ('f')"],
    log: ['R1 is not a scalar'],
  },
  {
    rule: 'the context is expected',
    text: SKB + calling('int f(struct __sk_buff *skb)', 'r1 = r10'),
    refused: ['EINVAL', "Caller passes invalid args into func#1 ('f')"],
    log: ['arg#0 expects pointer to ctx'],
  },
  {
    rule: 'the context is passed as it is',
    text: SKB + calling('int f(struct __sk_buff *skb)', 'r1 += 8'),
    refused: ['EACCES', "Caller passes invalid args into func#1 ('f')"],
    log: ['dereference of modified ctx ptr R1 off=8 disallowed'],
  },
  {
    rule: 'the kernel names the context as it knows it',
    text: `.struct sk_buff {\n int len;\n}\n${calling('int f(struct sk_buff *skb)', '')}`,
    log: ['R1=ctx() R10=fp0'],
  },
  {
    rule: 'memory must be as large as its type',
    text: `.struct pair {
        long a, b;
      }
      ${calling('int f(struct pair *p)', '*(u64 *)(r10 - 8) = 0; r1 = r10; r1 += -8')}`,
    refused: ['EINVAL', "Caller passes invalid args into func#1 ('f')"],
    log: ['invalid read from stack R1 off=-8 size=16'],
  },
  {
    rule: 'memory may be NULL unless a tag says otherwise',
    text: calling('int f(long *p)', 'r1 = 0'),
    log: ['R1=mem_or_null(id=1,sz=8)'],
  },
  {
    rule: 'NULL is passed even where memory is tagged as never NULL',
    text: calling('int f(long *p __arg_nonnull)', 'r1 = 0'),
    log: ['R1=mem(sz=8)'],
  },
  {
    rule: 'a pointer that may be NULL is not passed where it must not be',
    text: `.map values hash key_size=4 value_size=8 max_entries=1
      ${calling(
        'int f(long *p __arg_nonnull)',
        '*(u32 *)(r10 - 4) = 0; r2 = r10; r2 += -4; r1 = values ll; call bpf_map_lookup_elem; r1 = r0',
      )}`,
    refused: ['EINVAL', "Caller passes invalid args into func#1 ('f')"],
    log: ['arg#0 is expected to be non-NULL'],
  },
  {
    rule: 'a pointer to void has no size',
    text: calling('int f(void *p)', 'r1 = 0'),
    refused: ['EINVAL', "Caller passes invalid args into func#1 ('f')"],
    log: ["arg#0 reference type('UNKNOWN ') size cannot be determined: -22"],
  },
  {
    rule: 'a struct by value is not supported',
    text: `.struct pair {
        long a, b;
      }
      ${calling('int f(struct pair p)', 'r1 = 0')}`,
    refused: ['EINVAL', "Caller passes invalid args into func#1 ('f')"],
    log: ['Arg#0 type STRUCT in f() is not supported yet.'],
  },
  {
    rule: 'a global function returns a number',
    text: calling('void f(int x)', 'r1 = 0'),
    refused: ['EINVAL', "Caller passes invalid args into func#1 ('f')"],
    log: ["Global function f() doesn't return scalar. Only those are supported."],
  },
  {
    rule: 'a function takes five arguments',
    text: calling('int f(int a, int b, int c, int d, int e, int g)', 'r1 = 0'),
    refused: ['EINVAL', "Caller passes invalid args into func#1 ('f')"],
    log: ['Global function f() with 6 > 5 args. Buggy compiler.'],
  },
  {
    rule: 'a tagged parameter must be a pointer',
    text: calling('int f(int x __arg_ctx)', ''),
    refused: ['EINVAL', "Caller passes invalid args into func#1 ('f')"],
    log: ['arg#0 has pointer tag, but is not a pointer type'],
  },
  {
    rule: 'a context tag goes with the context struct',
    text: calling('int f(struct xdp_md *x __arg_ctx)', ''),
    refused: ['EINVAL', "Caller passes invalid args into func#1 ('f')"],
    log: ['arg#0 should be `struct __sk_buff *`'],
  },
  {
    rule: 'a context tag goes with a pointer to void',
    text: calling('int f(void *x __arg_ctx)', ''),
    log: ['R1=ctx() R10=fp0'],
  },
  {
    rule: 'a context tag goes with no other tag',
    text: calling('int f(void *x __arg_ctx __arg_nonnull)', ''),
    refused: ['EINVAL', "Caller passes invalid args into func#1 ('f')"],
    log: ['arg#0 has invalid combination of tags'],
  },
  {
    rule: 'a context without a struct of its own is a pointer to void',
    text: `.struct mine {
        int x;
      }
      .section "syscall"
      .program "int prog(void *ctx)"
      call f; r0 = 0; exit
      .func "int f(struct mine *x __arg_ctx)"
      r0 = 0
      exit`,
    log: ['R1=ctx() R10=fp0'],
  },
  {
    rule: 'a kernel object is found by the name of its struct',
    text: `.struct task_struct {
        int pid;
      }
      .section "tp_btf/task_newtask"
      .program "int prog(void *ctx)"
      r1 = *(u64 *)(r1 + 0); call f; r0 = 0; exit
      .func "int f(struct task_struct *t __arg_trusted)"
      r0 = 0
      exit`,
    log: ['R1=trusted_ptr_task_struct(id=1)'],
  },
  {
    rule: 'a kernel object must be of the struct that is named',
    text: `.struct file {
        int x;
      }
      .section "tp_btf/task_newtask"
      .program "int prog(void *ctx)"
      r1 = *(u64 *)(r1 + 0); call f; r0 = 0; exit
      .func "int f(struct file *x __arg_trusted)"
      r0 = 0
      exit`,
    refused: ['EACCES', "Caller passes invalid args into func#1 ('f')"],
    log: ['R1 is of type task_struct but file is expected'],
  },
  {
    rule: 'a trusted struct must be the kernel’s',
    text: `.struct no_such_struct_anywhere {
        int x;
      }
      ${calling('int f(struct no_such_struct_anywhere *x __arg_trusted)', 'r1 = 0')}`,
    refused: ['ENOENT', "Caller passes invalid args into func#1 ('f')"],
    log: ["arg#0 reference type('STRUCT no_such_struct_anywhere') has no matches"],
  },
  {
    rule: 'untrusted memory may be anything',
    text: calling('int f(char *x __arg_untrusted)', 'r1 = 0xdead'),
    log: ['R1=rdonly_untrusted_mem(sz=0)'],
  },
  {
    rule: 'untrusted goes with no other tag',
    text: calling('int f(char *x __arg_untrusted __arg_nullable)', ''),
    refused: ['EINVAL', "Caller passes invalid args into func#1 ('f')"],
    log: ['arg#0 untrusted cannot be combined with any other tags'],
  },
  {
    rule: 'an arena pointer or a number is expected',
    text: calling('int f(char *x __arg_arena)', 'r1 = r10'),
    refused: ['EINVAL', "Caller passes invalid args into func#1 ('f')"],
    log: ['R1 is not a pointer to arena or scalar.'],
  },
  {
    rule: 'memory that may be NULL is not tagged so',
    text: calling('int f(char *x __arg_nullable)', 'r1 = 0'),
    refused: ['EINVAL', "Caller passes invalid args into func#1 ('f')"],
    log: ['arg#0 has invalid combination of tags'],
  },
  {
    rule: 'a dynptr is expected',
    text: `.struct bpf_dynptr {
        __u64 opaque[2];
      }
      ${calling('int f(struct bpf_dynptr *d)', '*(u64 *)(r10 - 8) = 0; *(u64 *)(r10 - 16) = 0; r1 = r10; r1 += -16')}`,
    refused: ['EINVAL', "Caller passes invalid args into func#1 ('f')"],
    log: ['Expected an initialized dynptr as arg #0'],
  },
  {
    rule: 'tags of static functions are refused, and the function not trusted',
    text: calling('static int f(void *x __arg_ctx)', ''),
    log: ['arg#0 type tag is not supported in static functions'],
  },
  {
    rule: 'a static function that does not get what its BTF says is walked all the same',
    text: calling('static int f(int x)', 'r1 = r10'),
    log: ['R1 is not a scalar'],
  },
  {
    rule: 'a global function is not called under a lock',
    text: LOCKED + calling('int f(int x)', `${LOCK}; r1 = 0`),
    refused: ['EINVAL', 'use static function instead'],
    log: ['global function calls are not allowed while holding a lock,'],
  },
  {
    rule: 'a helper is not called under a lock',
    text: `${LOCKED} .section "classifier"\n${LOCK}; call bpf_get_prandom_u32; exit`,
    refused: ['EINVAL', 'function calls are not allowed while holding a lock'],
  },
  {
    rule: 'a lock must be dropped before the program ends',
    text: `${LOCKED} .section "classifier"\n${LOCK}; r0 = 0; exit`,
    refused: ['EINVAL', 'BPF_EXIT instruction in main prog cannot be used inside bpf_spin_lock-ed region'],
  },
  {
    rule: 'a global function that may move the packet ends pointers into it',
    text: `${SKB} .section "classifier"
      .program "int prog(struct __sk_buff *skb)"
      r7 = *(u32 *)(r1 + 76); r3 = *(u32 *)(r1 + 80); r4 = r7; r4 += 8; if r4 > r3 goto out
      call f; r0 = *(u8 *)(r7 + 0)
      out: r0 = 0; exit
      .func "int f(struct __sk_buff *skb)"
      r2 = 0; call bpf_skb_pull_data; r0 = 0; exit`,
    refused: ['EACCES', "R7 invalid mem access 'scalar'"],
  },
];

/** References to functions that were never entered; the message of the kernel counts instructions after its rewriting. */
export const DANGLING: readonly (readonly [rule: string, text: string])[] = [
  [
    'nothing follows the removed function',
    `.section "classifier"
      .program "int prog(void *ctx)"
      call g; r1 = 0; r2 = cb ll; r3 = 0; r4 = 0; call bpf_loop; r0 = 0; exit
      .func "static int g(void)"
      r0 = 0; exit
      .func "static int cb(__u64 i, void *ctx)"
      r0 = 0; exit`,
  ],
  [
    'the second of two removed functions ends up inside the next',
    `.section "classifier"
      .program "int prog(void *ctx)"
      call g; r1 = 0; r2 = cb ll; r3 = 0; r4 = 0; call bpf_loop; r1 = 0; r2 = cb2 ll; r3 = 0; r4 = 0; call bpf_loop
      call h; r0 = 0; exit
      .func "static int g(void)"
      r0 = 0; exit
      .func "static int cb(__u64 i, void *ctx)"
      r0 = 0; exit
      .func "static int cb2(__u64 i, void *ctx)"
      r0 = 0; exit
      .func "static int h(void)"
      r0 = 0; r0 = 0; r0 = 0; exit`,
  ],
  [
    'the kernel’s own exception callback is behind what moved up',
    `.extern "void bpf_throw(__u64 cookie) __ksym"
      .section "classifier"
      .program "int prog(void *ctx)"
      call bpf_get_prandom_u32; if r0 == 0 goto out; r1 = 0; r2 = cb ll; r3 = 0; r4 = 0; call bpf_loop; r0 = 0; exit
      out: r1 = 0; call bpf_throw; r0 = 0; exit
      .func "static int cb(__u64 i, void *ctx)"
      r0 = 0; exit`,
  ],
];
