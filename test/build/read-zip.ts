import { crc32, inflateRawSync } from 'node:zlib';

/** Files of a zip archive by path, read from its end as unpackers do. Throws where sizes or checksums are wrong. */
export function readZip(bytes: Buffer): Map<string, Buffer> {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const files = new Map<string, Buffer>();
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (bytes.toString('latin1', at, at + 4) !== 'PK\x01\x02') throw new Error(`no entry at ${at}`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      bytes.readUInt16LE(at + offset),
    ) as [number, number, number];
    const path = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    const contents = contentsOf(bytes, at);
    if (contents.length !== bytes.readUInt32LE(at + 24) || crc32(contents) !== bytes.readUInt32LE(at + 16))
      throw new Error(`${path} is damaged`);
    files.set(path, contents);
    at += 46 + nameLength + extraLength + commentLength;
  }
  if (at !== end) throw new Error('there is more than the directory says');
  return files;
}

function contentsOf(bytes: Buffer, entry: number): Buffer {
  const packedLength = bytes.readUInt32LE(entry + 20);
  const local = bytes.readUInt32LE(entry + 42);
  const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
  return inflateRawSync(bytes.subarray(start, start + packedLength));
}
