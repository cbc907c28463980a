import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One sample of Google's and what is known of it, as the corpus's `index.json` has it. */
export interface Sample {
  readonly file: string;
  readonly source: string;
  readonly connectors: readonly string[];
  /** What the execution begins with, as JSON. */
  readonly argument?: unknown;
  /** What the web answers, by the beginning of method and URL. */
  readonly mock?: readonly Mock[];
  /** The result, written by Google or worked out from the file by hand; never what this runner gave. */
  readonly expected?: unknown;
  /** How many requests are made, and how long it waits between them. */
  readonly attempts?: number;
  readonly delays_s?: readonly number[];
  /** The steps in the order they are reached. */
  readonly trace?: readonly string[];
}

export type Reply = number | { readonly code: number; readonly json: unknown };

export interface Mock {
  /** `GET https://example.com/path`; a `*` at the end changes nothing. */
  readonly match: string;
  /** One after the other, the last for good. */
  readonly reply: Reply | readonly Reply[];
}

export interface DocumentedExpression {
  readonly expr: string;
  readonly expected: unknown;
}

interface Index {
  readonly entries: readonly Omit<Sample, 'source'>[];
  readonly doc_vectors: readonly DocumentedExpression[];
}

export interface Corpus {
  readonly samples: readonly Sample[];
  readonly expressions: readonly DocumentedExpression[];
}

/** Reads the samples in place: they are Google's, and nothing of them is in this project. */
export function readCorpus(folder: string): Corpus {
  const { entries, doc_vectors } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Index;
  const samples = entries.map((entry) => ({
    ...entry,
    source: readFileSync(join(folder, entry.file), 'utf8'),
  }));
  return { samples, expressions: doc_vectors };
}
