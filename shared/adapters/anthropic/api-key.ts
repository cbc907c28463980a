/** A key of the platform at the provider, or what says which one holds now: it may be rotated while the process runs. */
export type ApiKey = string | (() => Promise<string>);
