// A shared object out of this binary, without a file: bun would write it to
// $TMPDIR first, where another process can replace it and noexec breaks it.
import { dlopen, type FFIFunction } from "bun:ffi";
import { Refusal } from "./errors.ts";

/** base64: the object. Throws Refusal where there is no memfd, no JIT for bun:ffi, or no room to load it. */
export function openLibrary<Symbols extends Record<string, FFIFunction>>(base64: string, symbols: Symbols) {
  try {
    return load(base64, symbols);
  } catch (error) {
    throw new Refusal(
      `cannot load its shared object: ${(error as Error).message}`,
      "it needs a few descriptors, 2.5 GiB of address space (ulimit -v), and memory that may be made executable",
    );
  }
}

function load<Symbols extends Record<string, FFIFunction>>(base64: string, symbols: Symbols) {
  const MFD_CLOEXEC = 1; // memfd_create(2)
  const libc = dlopen("libc.so.6", {
    memfd_create: { args: ["ptr", "u32"], returns: "i32" },
    write: { args: ["i32", "ptr", "u64"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
  }).symbols;
  const image = Uint8Array.fromBase64(base64);
  const fd = libc.memfd_create(Buffer.from("nspin\0"), MFD_CLOEXEC);
  if (fd < 0 || libc.write(fd, image, image.byteLength) !== BigInt(image.byteLength)) {
    throw new Error("the kernel gives no memfd for it");
  }
  const library = dlopen(`/proc/self/fd/${fd}`, symbols);
  libc.close(fd); // before the sequence looks at what this process inherited
  return library.symbols;
}
