/** In UTF-8 bytes, of which a unit of a string takes at most three: few strings have to be measured. */
export function isLonger(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && Buffer.byteLength(text) > bytes;
}
