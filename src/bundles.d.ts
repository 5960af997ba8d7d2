// Where build/binary.ts has put what it bundles first: in the binary, a path.
declare module "#bundles/commands.js" {
  const path: string;
  export default path;
}
