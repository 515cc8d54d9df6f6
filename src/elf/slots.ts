import { Malformed } from '../contracts/errors.ts';
import { MAP_TYPES } from '../contracts/uapi_numbers.ts';
import type { MapSlot } from '../program/program.ts';
import { type ElfFile, readRelocations } from './elf_file.ts';
import type { FunctionTable } from './functions.ts';
import { isMapInMap } from './map_def.ts';
import type { MapDraft } from './maps.ts';
import type { ObjectSections } from './sections.ts';

const POINTER_BYTES = 8;

/**
 * Fills in which inner maps stand in a map-in-map and which programs in a program array, from the relocations of `.maps`.
 * Source: bpf_object__collect_map_relos, tools/lib/bpf/libbpf.c.
 */
export function fillSlots(elf: ElfFile, sections: ObjectSections, maps: readonly MapDraft[], functions: FunctionTable): void {
  const declared = maps.filter((map) => map.section === sections.maps?.index).sort((a, b) => a.offset - b.offset);
  const names = new Set(maps.map((map) => map.name));
  const slots = new Map<MapDraft, Map<number, MapSlot>>();
  const setSlot = (map: MapDraft, index: number, name: string, kind: MapSlot['kind']): void => {
    const known = slots.get(map);
    if (known === undefined) slots.set(map, new Map([[index, { index, name, kind }]]));
    else known.set(index, { index, name, kind });
  };
  for (const section of sections.relocations) {
    if (sections.maps === null || section.info !== sections.maps.index) continue;
    readRelocations(section, elf.file).forEach((relocation, i) => {
      const refuse = (message: string): never => {
        throw new Malformed(`.maps relo #${i}: ${message}`, elf.file);
      };
      const symbol = elf.symbols[relocation.symbol] ?? refuse(`symbol ${relocation.symbol} not found`);
      const { name } = symbol;
      const map = mapAt(declared, relocation.offset) ?? refuse(`cannot find map '${name}' at rel->r_offset ${relocation.offset}`);
      const { type, keySize, valuesOffset } = map.declaration;
      const at = relocation.offset - map.offset - (valuesOffset ?? refuse(`map '${map.name}' has no values`));
      if (at < 0 || at % POINTER_BYTES !== 0) refuse(`map '${map.name}' has no slot at offset ${at}`);
      const index = at / POINTER_BYTES;
      if (isMapInMap(type)) {
        if (symbol.section !== sections.maps!.index) refuse(`'${name}' isn't a BTF-defined map`);
        if (type === MAP_TYPES.hash_of_maps && keySize !== 4) refuse(`hash-of-maps '${map.name}' should have key size 4`);
        if (!names.has(name)) refuse(`'${name}' isn't a valid map reference`);
        setSlot(map, index, name, 'map');
        return;
      }
      const fn = functions.at(symbol.section, symbol.value / 8);
      if (fn === null || fn.isSubprogram || fn.name !== name || fn.start * 8 !== symbol.value)
        refuse(`'${name}' isn't an entry-point program`);
      setSlot(map, index, name, 'program');
    });
  }
  for (const [map, found] of slots) map.slots.push(...[...found.values()].sort((a, b) => a.index - b.index));
}

/** The map whose definition covers a pointer at an offset; `maps` are ordered by offset. */
function mapAt(maps: readonly MapDraft[], offset: number): MapDraft | undefined {
  let low = 0;
  let high = maps.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (maps[middle]!.offset <= offset) low = middle;
    else high = middle - 1;
  }
  const map = maps[low];
  return map !== undefined && map.offset <= offset && offset + POINTER_BYTES <= map.offset + map.extent ? map : undefined;
}
