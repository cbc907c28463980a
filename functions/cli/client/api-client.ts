/** Whatever answers the routes of the API: a server, or a data folder read in this process. */
export interface ApiClient {
  /** `path` begins with `/`. Throws `unavailable` where nobody answers. */
  request(path: string, init?: RequestInit): Promise<Response>;
}
