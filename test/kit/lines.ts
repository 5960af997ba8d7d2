/** What a program prints, line by line, as it comes. */
export async function* lines(stream: ReadableStream<Uint8Array>) {
  let rest = "";
  for await (const bytes of stream) {
    const whole = (rest + new TextDecoder().decode(bytes)).split("\n");
    rest = whole.pop() ?? "";
    yield* whole;
  }
}
