const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** CRC-32C as Cloud Storage writes it: big-endian, base64. */
export function crc32c(bytes: Uint8Array): string {
  let value = 0xffffffff;
  // By index: an iterator takes many times as long over megabytes.
  for (let at = 0; at < bytes.length; at += 1) {
    value = (TABLE[(value ^ (bytes[at] as number)) & 0xff] as number) ^ (value >>> 8);
  }
  const big = Buffer.alloc(4);
  big.writeUInt32BE((value ^ 0xffffffff) >>> 0);
  return big.toString('base64');
}
