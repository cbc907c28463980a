import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import { routeOf } from '../../../shared/runtime/routes.ts';
import { portOf } from '../port-of.ts';

export interface FrontDoor {
  url: string;
  stop(): Promise<void>;
}

/** One port for all HTTP functions, as the load balancer is one address: it routes by method and path, and changes nothing. */
export async function openFrontDoor(options: {
  port: number;
  portOf: (name: string) => number;
}): Promise<FrontDoor> {
  const server = createServer((incoming, answer) => {
    const { pathname } = new URL(incoming.url ?? '/', 'http://door');
    forward(options.portOf(routeOf(incoming.method ?? 'GET', pathname)), incoming, answer);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function forward(port: number, incoming: IncomingMessage, answer: ServerResponse): void {
  const { method, url: path, headers } = incoming;
  const outgoing = send({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.rawHeaders);
    response.pipe(answer);
    response.once('error', () => answer.destroy());
  });
  outgoing.once('error', () => {
    if (answer.headersSent) answer.destroy();
    else answer.writeHead(503, { 'content-type': 'text/plain' }).end('the function does not answer\n');
  });
  // Whoever hangs up here, as at the end of an event stream, hangs up there too.
  answer.once('close', () => answer.writableFinished || outgoing.destroy());
  incoming.pipe(outgoing);
}
