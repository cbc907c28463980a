import { Agent, request } from 'node:http';

export interface HttpAnswer {
  status: number;
  body: string;
  /** From the call to the last byte of the answer. */
  elapsedMs: number;
}

export interface HttpClient {
  post(path: string, body: string, headers?: Record<string, string>): Promise<HttpAnswer>;
  close(): void;
}

/** A client with connections that stay open, at most `connections` of them. */
export function createHttpClient(baseUrl: string, connections: number): HttpClient {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    post: (path, body, headers = {}) =>
      new Promise((resolve, reject) => {
        const start = performance.now();
        const call = request(`${baseUrl}${path}`, {
          agent,
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            ...headers,
          },
        });
        call.once('error', reject);
        call.once('response', (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', reject);
          response.once('end', () => {
            const elapsedMs = performance.now() - start;
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), elapsedMs });
          });
        });
        call.end(body);
      }),
    close: () => agent.destroy(),
  };
}
