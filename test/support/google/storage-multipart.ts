import { UnpublishedShape } from './storage-api-error.ts';

export interface RelatedParts {
  /** JSON. */
  metadata: string;
  contentType: string;
  content: Buffer;
}

const BLANK_LINE = Buffer.from('\r\n\r\n');

/** The two parts of a `multipart/related` body (https://cloud.google.com/storage/docs/uploading-objects). */
export function parseRelated(contentType: string | undefined, body: Buffer): RelatedParts {
  const boundary = /^multipart\/related;\s*boundary="?([^";]+)"?$/i.exec(contentType ?? '')?.[1];
  if (boundary === undefined) throw new UnpublishedShape(400, `Bad content-type ${contentType}.`);
  const first = Buffer.from(`--${boundary}\r\n`);
  const between = Buffer.from(`\r\n--${boundary}\r\n`);
  const last = Buffer.from(`\r\n--${boundary}--`);
  const split = body.indexOf(between);
  const end = body.lastIndexOf(last);
  if (body.indexOf(first) !== 0 || split < 0 || end < split) {
    throw new UnpublishedShape(400, 'Malformed multipart body.');
  }
  const json = parsePart(body.subarray(first.byteLength, split));
  const media = parsePart(body.subarray(split + between.byteLength, end));
  if (!/^application\/json\b/.test(json.contentType)) {
    throw new UnpublishedShape(400, `The first part is ${json.contentType}, not JSON.`);
  }
  return { metadata: json.content.toString(), ...media };
}

function parsePart(part: Buffer): { contentType: string; content: Buffer } {
  const blank = part.indexOf(BLANK_LINE);
  if (blank < 0) throw new UnpublishedShape(400, 'A part of the multipart body has no headers.');
  const headers = part.subarray(0, blank).toString();
  const contentType = /^content-type:\s*(.+)$/im.exec(headers)?.[1]?.trim() ?? 'application/octet-stream';
  return { contentType, content: part.subarray(blank + BLANK_LINE.byteLength) };
}
