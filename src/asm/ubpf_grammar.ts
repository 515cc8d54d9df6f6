/** Instructions as uBPF and the public conformance suite write them: a mnemonic and its operands. One statement per match. */
export const UBPF_GRAMMAR = `
Ubpf {
  Statement
    = word<"lock"> mnemonic* Operands                                 -- lock
    | word<"call"> word<"local"> Operands                             -- callLocal
    | word<"call"> (word<"helper"> | word<"runtime">)? Operands       -- call
    | mnemonic Operands                                               -- other

  Operands = ListOf<Operand, ",">
  Operand = "[" reg Displacement? "]"   -- memory
          | reg                         -- reg
          | number                      -- number
          | name                        -- name
  Displacement = ("+" | "-") digits

  word<w> = w ~wordPart
  wordPart = "a".."z" | "0".."9" | "_" | "A".."Z"
  mnemonic (an instruction) = "a".."z" wordPart* &(space | end)
  reg (a register) = "%"? "r" digit+ ~wordPart
  number (a number) = ("+" | "-")? digits
  digits = ("0x" | "0X") hexDigit+ ~wordPart  -- hex
         | digit+ ~wordPart                   -- decimal
  name (a label) = ("a".."z" | "_" | "." | "A".."Z") (wordPart | "." | "$")*
}
`;
