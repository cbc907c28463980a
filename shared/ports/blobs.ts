export interface SignedUrlRequest {
  key: string;
  method: 'GET' | 'PUT';
  /** Milliseconds from now. */
  expiresInMs: number;
}

/** Named bytes. Keys are `/`-separated path segments of `[A-Za-z0-9._-]+`, never `.` or `..`. */
export interface Blobs {
  /** `ifAbsent`: writes only where nothing is, otherwise answers `exists` and changes nothing. */
  put(
    key: string,
    bytes: Uint8Array | string,
    options?: { ifAbsent?: boolean; contentType?: string },
  ): Promise<'stored' | 'exists'>;
  get(key: string): Promise<Uint8Array | undefined>;
  /** Keys under a prefix in ascending order; `cursor` of the page before goes on. */
  list(
    prefix: string,
    options: { limit: number; cursor?: string },
  ): Promise<{ keys: string[]; cursor?: string }>;
  /** Deleting what is not there is fine. */
  delete(key: string): Promise<void>;
  /** A URL that needs no other credential, for one key, one method and a short time. */
  signUrl(request: SignedUrlRequest): Promise<string>;
}
