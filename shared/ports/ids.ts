/** Randomness as a port, so that tests decide it. */
export interface Ids {
  /** 8 characters of `[a-z0-9]`: short enough to type; the store's `create` is what makes it unique. */
  short(): string;
  /** A UUID. */
  uuid(): string;
  /** At least 256 bits, base64url: tickets, tokens, claim ids. */
  secret(): string;
  /** Uniform in [0, 1): jitter. */
  fraction(): number;
}
