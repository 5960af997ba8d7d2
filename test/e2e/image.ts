// An OCI image, written by hand (github.com/opencontainers/image-spec): no
// network, and a layer of a size and a content that are known.
import { createHash, randomBytes } from "node:crypto";
import { $ } from "bun";

const LAYER_BYTES = 12 << 20;

/** Writes the tar that `ctr image import` takes: busybox, /whose with one line, and /bytes, which nothing compresses. Returns their SHA-256. */
export async function writeImage(file: string, name: string, whose: string): Promise<string> {
  const directory = `${file}.d`;
  const blobs = `${directory}/blobs/sha256`;
  const rootfs = `${file}.rootfs`;
  await $`mkdir -p ${blobs} ${rootfs}/bin && cp /bin/busybox ${rootfs}/bin/`;
  await $`ln -s busybox ${rootfs}/bin/sh && ln -s busybox ${rootfs}/bin/cat`;
  await Bun.write(`${rootfs}/whose`, `${whose}\n`);
  const bytes = randomBytes(LAYER_BYTES);
  await Bun.write(`${rootfs}/bytes`, bytes);
  const { stdout: tar } = await $`tar -C ${rootfs} -c .`.quiet();
  const layer = await blob(Bun.gzipSync(new Uint8Array(tar), { level: 1 }), "layer.v1.tar+gzip");
  const config = await blob(
    JSON.stringify({
      architecture: process.arch === "arm64" ? "arm64" : "amd64",
      os: "linux",
      config: { Cmd: ["/bin/cat", "/whose"] },
      rootfs: { type: "layers", diff_ids: [`sha256:${sha256(tar)}`] },
    }),
    "config.v1+json",
  );
  const manifest = await blob(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config,
      layers: [layer],
    }),
    "manifest.v1+json",
  );
  const annotations = { "io.containerd.image.name": name };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  await Bun.write(`${directory}/index.json`, JSON.stringify(index));
  await Bun.write(`${directory}/oci-layout`, JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  await $`tar -C ${directory} -cf ${file} . && rm -r ${directory} ${rootfs}`;
  return sha256(bytes);

  async function blob(content: Uint8Array | string, type: string) {
    const hash = sha256(content);
    await Bun.write(`${blobs}/${hash}`, content);
    const size = Buffer.byteLength(content);
    return { mediaType: `application/vnd.oci.image.${type}`, digest: `sha256:${hash}`, size };
  }
}

function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}
