// Where build/binary.ts has put what it bundles first: in the binary, a path.
declare module "#bundles/other.js" {
  const path: string;
  export default path;
}
