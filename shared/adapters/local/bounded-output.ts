export interface BoundedOutput {
  add(chunk: Uint8Array): void;
  /** Bytes that were left out so far. */
  dropped(): number;
  /** What was kept, as it came; only whole when nothing was dropped. */
  bytes(): Buffer;
  /** UTF-8, with a line in the middle that says how much is missing. */
  text(): string;
}

/** Keeps the first and the last half of `maxBytes`, and never holds much more than that in memory. */
export function createBoundedOutput(maxBytes: number): BoundedOutput {
  const headBytes = Math.ceil(maxBytes / 2);
  const tailBytes = maxBytes - headBytes;
  const head: Buffer[] = [];
  const tail: Buffer[] = [];
  let headSize = 0;
  let tailSize = 0;
  let droppedBytes = 0;

  const addToTail = (chunk: Buffer): void => {
    tail.push(chunk);
    tailSize += chunk.length;
    while (tailSize > tailBytes) {
      const first = tail[0]!;
      const excess = Math.min(first.length, tailSize - tailBytes);
      if (excess === first.length) tail.shift();
      else tail[0] = first.subarray(excess);
      tailSize -= excess;
      droppedBytes += excess;
    }
  };

  return {
    add(chunk) {
      // A copy: a small remaining slice would otherwise keep the stream's whole buffer alive.
      const own = Buffer.from(chunk);
      const forHead = own.subarray(0, headBytes - headSize);
      if (forHead.length > 0) {
        head.push(forHead);
        headSize += forHead.length;
      }
      if (forHead.length < own.length) addToTail(own.subarray(forHead.length));
    },
    dropped: () => droppedBytes,
    bytes: () => Buffer.concat([...head, ...tail]),
    text() {
      if (droppedBytes === 0) return Buffer.concat([...head, ...tail]).toString('utf8');
      const start = withoutPartialEnd(Buffer.concat(head)).toString('utf8');
      const end = withoutPartialStart(Buffer.concat(tail)).toString('utf8');
      return `${start}\n… ${droppedBytes} bytes left out …\n${end}`;
    },
  };
}

/** Cuts text in the middle, as a process's output is cut. */
export function cutMiddle(text: string, maxBytes: number): string {
  const output = createBoundedOutput(maxBytes);
  output.add(Buffer.from(text));
  return output.text();
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

function withoutPartialStart(bytes: Buffer): Buffer {
  let start = 0;
  while (start < 3 && isContinuation(bytes[start])) start++;
  return bytes.subarray(start);
}

function withoutPartialEnd(bytes: Buffer): Buffer {
  let lead = bytes.length - 1;
  while (lead >= 0 && bytes.length - lead < 4 && isContinuation(bytes[lead])) lead--;
  const first = bytes[lead] ?? 0;
  const needed = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return bytes.length - lead < needed ? bytes.subarray(0, lead) : bytes;
}
