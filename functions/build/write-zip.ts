import { crc32, deflateRawSync } from 'node:zlib';
import type { BundledFile } from './bundle.ts';

/** https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, as far as an archive of small files needs it. */
const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_OF_CENTRAL = 0x06054b50;
const VERSION = 20;
/** Made by Unix, so that the mode holds. */
const MADE_BY = (3 << 8) | VERSION;
const UTF8_NAMES = 0x0800;
const DEFLATED = 8;
/** 1980-01-01, the first day that the format knows: the same files are the same bytes at any time. */
const DATE = (1 << 5) | 1;
const MODE = 0o100644;

/** A zip archive of files in the order of their names. The same files give the same bytes. */
export function writeZip(files: readonly BundledFile[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { path, contents } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const name = Buffer.from(path);
    const body = pack(contents);
    const common = commonHeader(contents, body.length, name.length);
    const local = Buffer.concat([uint32(LOCAL_HEADER), common, name, body]);
    const attributes = Buffer.concat([uint16(0, 0, 0), uint32((MODE << 16) >>> 0, offset)]);
    directory.push(Buffer.concat([uint32(CENTRAL_HEADER), uint16(MADE_BY), common, attributes, name]));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const counts = uint16(0, 0, parts.length, parts.length);
  const end = Buffer.concat([uint32(END_OF_CENTRAL), counts, uint32(central.length, offset), uint16(0)]);
  return Buffer.concat([...parts, central, end]);
}

/** Most files stand in many archives. */
const packed = new WeakMap<Uint8Array, Buffer>();

function pack(contents: Uint8Array): Buffer {
  const known = packed.get(contents) ?? deflateRawSync(contents);
  packed.set(contents, known);
  return known;
}

/** What stands in both headers of a file: from the version that can read it to the lengths of its name and of no extra field. */
function commonHeader(contents: Uint8Array, packedLength: number, nameLength: number): Buffer {
  return Buffer.concat([
    uint16(VERSION, UTF8_NAMES, DEFLATED, 0, DATE),
    uint32(crc32(contents), packedLength, contents.length),
    uint16(nameLength, 0),
  ]);
}

function uint16(...values: number[]): Buffer {
  return littleEndian(2, values);
}

function uint32(...values: number[]): Buffer {
  return littleEndian(4, values);
}

function littleEndian(width: number, values: number[]): Buffer {
  const bytes = Buffer.alloc(width * values.length);
  for (const [at, value] of values.entries()) bytes.writeUIntLE(value, at * width, width);
  return bytes;
}
