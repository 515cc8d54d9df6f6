/**
 * Instructions as the kernel's log and LLVM write them. One statement per match.
 *
 * Where the two differ both are taken: `r1 -8` and `r1 - 0x8` in addresses, `goto pc+3` and `goto +3`, `atomic64_xchg` and
 * `xchg_64`, 32-bit memory operands with `r` and with `w` registers. A 64-bit constant ends in `ll`. Where an offset or an
 * immediate may stand, `offsetof(task_struct, se.vruntime)` is that of a field in the kernel's BTF.
 */
export const KERNEL_GRAMMAR = `
Kernel {
  Statement
    = reg "=" Source                                            -- assign
    | reg aluOp Operand                                         -- alu
    | Memory "=" reg                                            -- stx
    | Memory "=" Immediate                                      -- st
    | word<"if"> reg compare Operand word<"goto"> Target        -- jumpIf
    | word<"exit">                                              -- exit
    | word<"call"> Callee                                       -- call
    | word<"goto"> Target                                       -- goto
    | word<"gotol"> Target                                      -- gotol
    | word<"may_goto"> Target                                   -- mayGoto
    | word<"lock"> Memory aluOp reg                             -- atomic
    | word<"store_release"> "(" Place "," reg ")"               -- storeRelease
    | word<"callx"> reg                                         -- callx
    | word<"ld_pseudo"> reg "," number "," number               -- pseudo

  Source
    = number word<"ll">                                         -- wideNumber
    | number                                                    -- number
    | "-" reg                                                   -- neg
    | "*" type "skb" "[" reg SignedNumber? "]"                  -- ldInd
    | "*" type "skb" "[" number "]"                             -- ldAbs
    | Memory                                                    -- ldx
    | cast reg                                                  -- movsx
    | reg                                                       -- reg
    | byteOrder reg                                             -- end
    | fetch "(" Place "," reg ")"                               -- fetch
    | exchange "(" Place "," reg ")"                            -- xchg
    | compareExchange "(" Place "," reg "," reg ")"             -- cmpxchg
    | shortExchange "(" reg SignedNumber? "," reg ")"           -- shortXchg
    | shortCompareExchange "(" reg SignedNumber? "," reg "," reg ")"  -- shortCmpxchg
    | word<"load_acquire"> "(" Place ")"                        -- loadAcquire
    | word<"addr_space_cast"> "(" reg "," number "," number ")"  -- addrSpaceCast
    | Wide word<"ll">                                           -- wide
    | name                                                      -- constant

  Operand = reg         -- reg
          | Immediate   -- imm
  Immediate = fieldOffset  -- field
            | number    -- number
            | name      -- constant

  Memory = "*" Place
  Place = type "(" reg Offset? ")"
  Offset = "+" fieldOffset  -- field
         | SignedNumber     -- number
  SignedNumber = ("+" | "-") "-"? digits

  Target = "pc"? ("+" | "-") digits Annotation?  -- distance
         | name                       -- label
         | nearby                     -- nearby
  Annotation = "<" (~">" any)* ">"

  Callee = "pc" ("+" | "-") digits              -- distance
         | calleeName "#" number                -- logged
         | number                               -- id
         | name                                 -- name

  Wide = word<"btf_id"> "(" number ")"          -- btfId
       | word<"func"> "(" "pc" ("+" | "-") digits ")"  -- func
       | word<"map_idx"> "(" number ")"         -- mapIdx
       | word<"map_idx_value"> "(" number "," number ")"  -- mapIdxValue
       | name "[" "0" "]" SignedNumber?         -- value
       | name SignedNumber?                     -- address

  word<w> = w ~wordPart
  wordPart = "a".."z" | "_" | "0".."9" | "A".."Z"
  reg (a register) = ("r" | "w") digit+ ~wordPart
  number (a number) = "-"? digits
  digits = ("0x" | "0X") hexDigit+ ~wordPart    -- hex
         | digit+ ~wordPart                     -- decimal
  name (a name) = nameStart (wordPart | "." | "$")*
  fieldOffset (a name) = "offsetof" space* "(" space* name space* "," space* fieldPath space* ")"
  fieldPath = (wordPart | "." | "[" | "]")+
  nameStart = "a".."z" | "_" | "." | "A".."Z"
  calleeName = "kernel-function" | "<error>" | name
  nearby = digit+ ("f" | "b") ~wordPart

  type (a type in parentheses) = "(" space* typeName space* "*" space* ")"
  typeName = ("u" | "s") ("8" | "16" | "32" | "64")
  cast = "(" ("s8" | "s16" | "s32") ")"
  byteOrder = ("le" | "be" | "bswap") ("16" | "32" | "64") ~wordPart
  compare (a comparison)
    = "==" | "!=" | ">=" | "<=" | ">" | "<" | "&" | "s>=" | "s<=" | "s>" | "s<"
  aluOp (an operator)
    = "+=" | "-=" | "*=" | "/=" | "|=" | "&=" | "%=" | "^=" | "<<=" | ">>=" | "s>>=" | "s/=" | "s%="
  atomic = "atomic64" | "atomic"
  fetch = atomic "_fetch_" ("add" | "or" | "and" | "xor") ~wordPart
  exchange = atomic "_xchg" ~wordPart
  compareExchange = atomic "_cmpxchg" ~wordPart
  shortExchange = ("xchg_64" | "xchg32_32") ~wordPart
  shortCompareExchange = ("cmpxchg_64" | "cmpxchg32_32") ~wordPart
}
`;
