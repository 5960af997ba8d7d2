// One segment more in an ELF file, whose layout is checked first.

/** Elf64_Ehdr and Elf64_Phdr, elf(5): where each field that we use is, and its bytes. */
const HEADER = {
  magic: [0, 4],
  class: [4, 1],
  data: [5, 1],
  type: [16, 2],
  machine: [18, 2],
  entry: [24, 8],
  phoff: [32, 8],
  shoff: [40, 8],
  phentsize: [54, 2],
  phnum: [56, 2],
  shnum: [60, 2],
  shstrndx: [62, 2],
} as const;
const SEGMENT = {
  type: [0, 4],
  flags: [4, 4],
  offset: [8, 8],
  vaddr: [16, 8],
  paddr: [24, 8],
  filesz: [32, 8],
  memsz: [40, 8],
  align: [48, 8],
} as const;
const SECTION = {
  name: [0, 4],
  type: [4, 4],
  flags: [8, 8],
  vaddr: [16, 8],
  offset: [24, 8],
  size: [32, 8],
  link: [40, 4],
} as const;
const SYMBOL = { name: [0, 4], section: [6, 2] } as const;
const DYNAMIC = { tag: [0, 8] } as const;
type Layout = Record<string, readonly [at: number, bytes: number]>;

/** Nothing that runs a file reads its section headers. */
const WITHOUT_SECTIONS = { shoff: 0, shnum: 0, shstrndx: 0 };

const MAGIC = 0x46_4c_45_7f; // "\x7fELF"
const CLASS64 = 2;
const LITTLE_ENDIAN = 1;
const TYPE_EXEC = 2; // ET_EXEC: mapped where it says
const TYPE_DYN = 3; // ET_DYN: mapped anywhere
const SEGMENT_BYTES = 56;
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;
const DYNAMIC_BYTES = 16;
const LOAD = 1;
const NOTE = 4;
const STACK = 0x6474e551; // PT_GNU_STACK
const SECTION_WRITE = 1; // SHF_WRITE
const SECTION_DYNAMIC = 6;
const SECTION_DYNSYM = 11;
const X = 1;
const W = 2;
const R = 4;
const ALIGN = 0x10000; // the largest page of arm64

export type Segment = Record<keyof typeof SEGMENT, number> & { readonly at: number };
export interface Elf {
  readonly machine: number;
  readonly entry: number;
  readonly segments: readonly Segment[];
}

/** Throws where it is not a 64-bit little-endian ELF file that is mapped at fixed addresses. */
export function readElf(file: Buffer): Elf {
  const elf = readAny(file);
  if (elf.type !== TYPE_EXEC) throw new Error("it is not mapped at fixed addresses (ET_EXEC)");
  return elf;
}

function readAny(file: Buffer) {
  const header = read(file, HEADER, 0);
  if (header.magic !== MAGIC || header.class !== CLASS64 || header.data !== LITTLE_ENDIAN)
    throw new Error("it is no 64-bit little-endian ELF file");
  if (header.phentsize !== SEGMENT_BYTES)
    throw new Error(`its program headers have ${header.phentsize} bytes`);
  const segments = Array.from({ length: header.phnum }, (_, i) => {
    const at = header.phoff + i * SEGMENT_BYTES;
    return { at, ...read(file, SEGMENT, at) };
  });
  return { ...header, segments };
}

interface Code {
  /** Executable and position-dependent, from the address that it is linked for. */
  readonly bytes: Buffer;
  readonly address: number;
  readonly entry: number;
}

/** The one segment of a freshly linked file: readable and executable, nothing else; without sections. Throws. */
export function readCode(file: Buffer): Code {
  const { entry, segments } = readElf(file);
  const [code, ...more] = segments.filter(({ type }) => type === LOAD);
  if (code === undefined || more.length > 0 || code.flags !== (R | X) || code.filesz !== code.memsz)
    throw new Error("the code must have one segment, readable and executable, and no data");
  const bytes = Buffer.from(file.subarray(code.offset, code.offset + code.filesz));
  if (code.offset === 0) write(bytes, HEADER, 0, WITHOUT_SECTIONS); // where they are tells how long the paths were
  return { bytes, address: code.vaddr, entry };
}

/**
 * The file with the code in it, to be executed first. The last program header,
 * a note that nothing needs, becomes the code's: so the segments stay in the
 * order of their addresses, and the first one stays first (from which a kernel
 * computes where the program headers are). The file then has no section headers:
 * strip(1) would drop what lies in none, and leave a file that crashes; so GNU's
 * refuses it, and LLVM's and elfutils' leave it as it is. Throws where the file's
 * layout is not the one that this was made for.
 */
export function addCode(file: Buffer, machine: number, code: Code): Buffer {
  const elf = readElf(file);
  const refuse = (why: string) => new Error(`its layout is not the expected one: ${why}`);
  const loads = elf.segments.filter(({ type }) => type === LOAD);
  const note = elf.segments.at(-1);
  if (elf.machine !== machine) throw refuse(`it is for machine ${elf.machine}, not ${machine}`);
  if (loads.some(({ vaddr, memsz }) => vaddr + memsz > code.address))
    throw refuse(`it reaches 0x${code.address.toString(16)}; is it guarded already?`);
  if (note?.type !== NOTE || loads.length === 0) throw refuse("no note (PT_NOTE) follows its segments");
  if (loads.some(({ flags }) => (flags & W) !== 0 && (flags & X) !== 0))
    throw refuse("a segment is writable and executable");
  if (!loads.some((load) => (load.flags & X) !== 0 && contains(load, elf.entry)))
    throw refuse("its entry point is in no executable segment");

  const offset = Math.ceil(file.length / ALIGN) * ALIGN + (code.address % ALIGN);
  const result = Buffer.alloc(offset + code.bytes.length);
  result.set(file);
  result.set(code.bytes, offset);
  const size = code.bytes.length;
  const place = { offset, vaddr: code.address, paddr: code.address, filesz: size, memsz: size };
  write(result, SEGMENT, note.at, { type: LOAD, flags: R | X, ...place, align: ALIGN });
  write(result, HEADER, 0, { entry: code.entry, ...WITHOUT_SECTIONS });
  return result;
}

/**
 * What a launcher is baked from: the code of a freshly linked one, without
 * sections, and the header of the segment behind it, whose length is open.
 * Throws.
 */
export function planTemplate(file: Buffer, base: number): Buffer {
  const [code, plan, stack] = readElf(file).segments as [Segment, Segment, Segment];
  if (code.type !== LOAD || code.flags !== (R | X) || code.offset !== 0 || code.filesz !== code.memsz)
    throw new Error("the first segment must be its headers and code");
  if (plan.type !== LOAD || plan.flags !== R) throw new Error("the second segment must be the plan's");
  if (stack.flags !== (R | W)) throw new Error("the stack must not be executable");
  const length = Math.ceil(code.filesz / 8) * 8;
  const template = Buffer.alloc(length);
  file.copy(template, 0, 0, code.filesz);
  write(template, HEADER, 0, WITHOUT_SECTIONS);
  write(template, SEGMENT, code.at, { align: ALIGN });
  const place = { offset: length, vaddr: base + length, paddr: base + length, filesz: 0, memsz: 0 };
  write(template, SEGMENT, plan.at, { ...place, align: ALIGN });
  return template;
}

/** Tags of the dynamic section, elf(5), by which an object would need others, or be written to before it runs. */
const NEEDS = new Map([
  [1, "NEEDED"],
  [2, "PLTRELSZ"],
  [7, "RELA"],
  [12, "INIT"],
  [17, "REL"],
  [22, "TEXTREL"],
  [23, "JMPREL"],
  [25, "INIT_ARRAY"],
  [36, "RELR"],
]);

/** Writable sections that ld makes in any shared object; without a relocation nothing uses the GOT. */
const LINKERS_OWN = [".dynamic", ".got", ".got.plt"];

/** Throws where it is not a shared object that exports these, is W^X, and needs no one and no relocation. */
export function verifyObject(file: Buffer, machine: number, exports: readonly string[]): void {
  const elf = readAny(file);
  const refuse = (why: string) => new Error(`the object is not as it should be: ${why}`);
  if (elf.type !== TYPE_DYN) throw refuse("it is no shared object (ET_DYN)");
  if (elf.machine !== machine) throw refuse(`it is for machine ${elf.machine}, not ${machine}`);
  for (const { type, flags } of elf.segments)
    if ((type === LOAD || type === STACK) && (flags & W) !== 0 && (flags & X) !== 0)
      throw refuse("a segment is writable and executable");
  if (!elf.segments.some(({ type }) => type === STACK)) throw refuse("its stack would be executable");

  const sections = sectionsOf(file);
  const rowsOf = <Fields extends Layout>(wanted: number, fields: Fields, bytes: number) =>
    sections
      .filter(({ type }) => type === wanted)
      .flatMap(({ offset, size }) => rows(file, fields, offset, size, bytes));
  // So that it can also be called where it lies, with nothing but the code mapped.
  for (const { text, flags } of sections)
    if ((flags & SECTION_WRITE) !== 0 && !LINKERS_OWN.includes(text)) throw refuse(`it has data, ${text}`);
  for (const { tag } of rowsOf(SECTION_DYNAMIC, DYNAMIC, DYNAMIC_BYTES))
    if (NEEDS.has(tag)) throw refuse(`its dynamic section has ${NEEDS.get(tag)}`);
  const table = sections.find(({ type }) => type === SECTION_DYNSYM);
  const texts = sections[table?.link ?? -1];
  if (texts === undefined) throw refuse("it has no dynamic symbols");
  const [, ...symbols] = rowsOf(SECTION_DYNSYM, SYMBOL, SYMBOL_BYTES); // the first is none
  const exported = symbols.map(({ name, section }) => {
    const text = textAt(file, texts.offset + name);
    if (section === 0) throw refuse(`it needs ${text} of another`);
    return text;
  });
  const [has, wanted] = [exported, [...exports]].map((list) => list.sort().join(" "));
  if (has !== wanted) throw refuse(`it exports ${has}, not ${wanted}`);
}

/** What is mapped of a file. */
export function loadsOf(file: Buffer): Segment[] {
  return readElf(file).segments.filter(({ type }) => type === LOAD);
}

/** Throws where it has none of that name. */
export function sectionOf(file: Buffer, name: string) {
  const section = sectionsOf(file).find(({ text }) => text === name);
  if (section === undefined) throw new Error(`it has no section ${name}`);
  return section;
}

function sectionsOf(file: Buffer) {
  const { shoff, shnum, shstrndx } = readAny(file);
  const sections = rows(file, SECTION, shoff, shnum * SECTION_BYTES, SECTION_BYTES);
  const names = sections[shstrndx]?.offset ?? 0;
  return sections.map((section) => ({ ...section, text: textAt(file, names + section.name) }));
}

function textAt(file: Buffer, at: number): string {
  return file.toString("latin1", at, file.indexOf(0, at));
}

function rows<Fields extends Layout>(
  file: Buffer,
  fields: Fields,
  offset: number,
  size: number,
  bytes: number,
) {
  return Array.from({ length: size / bytes }, (_, i) => read(file, fields, offset + i * bytes));
}

/** Throws where file is not what addCode() should have made of original. */
export function verifyCode(file: Buffer, original: Buffer, code: Code): void {
  const { entry, segments, shoff, shnum } = readAny(file);
  const added = segments.at(-1) as Segment;
  const isRight =
    entry === code.entry &&
    shoff === 0 &&
    shnum === 0 &&
    added.type === LOAD &&
    added.flags === (R | X) &&
    added.vaddr === code.address &&
    added.offset % ALIGN === added.vaddr % ALIGN &&
    contains(added, entry) &&
    file.subarray(added.offset, added.offset + added.filesz).equals(code.bytes);
  if (!isRight) throw new Error("the code is not in the file as it should be");
  const rest = Buffer.from(file.subarray(0, original.length));
  const was = readAny(original);
  const its = { entry: was.entry, shoff: was.shoff, shnum: was.shnum, shstrndx: was.shstrndx };
  write(rest, HEADER, 0, its);
  rest.set(original.subarray(added.at, added.at + SEGMENT_BYTES), added.at);
  if (!rest.equals(original)) throw new Error("the file has changed elsewhere");
}

function contains({ vaddr, filesz }: Segment, address: number): boolean {
  return address >= vaddr && address < vaddr + filesz;
}

function read<Fields extends Layout>(file: Buffer, fields: Fields, base: number) {
  const values = Object.entries(fields).map(([name, [at, bytes]]) => {
    if (base + at + bytes > file.length) throw new Error("the ELF file is cut short");
    const value = bytes === 8 ? file.readBigUInt64LE(base + at) : file.readUIntLE(base + at, bytes);
    return [name, Number(value)];
  });
  return Object.fromEntries(values) as Record<keyof Fields, number>;
}

function write(file: Buffer, fields: Layout, base: number, values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) {
    const [at, bytes] = fields[name] as Layout[string];
    if (bytes === 8) file.writeBigUInt64LE(BigInt(value), base + at);
    else file.writeUIntLE(value, base + at, bytes);
  }
}
