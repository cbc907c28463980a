import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

type ErrorHandler = (
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  next: (error: unknown) => void,
) => Promise<void>;

/** The framework's Express application, as far as an error handler is added to it. */
type Application = RequestListener & { use(handler: ErrorHandler): void };

/** As the framework has it. To import it reads each of its names, and with `WebSocket` a client that takes 6 MB. */
const http = process.getBuiltinModule('node:http');
const create = http.createServer;

/**
 * The functions framework reads a request's body before any function sees it, and shows whoever sent one that cannot be read a page
 * with a stack. It offers no place for another answer, so the server that it makes next gets one: a problem, as for every other error.
 */
export function answerUnreadBodies(): void {
  http.createServer = ((...args: Parameters<typeof create>) => {
    http.createServer = create;
    const application = args.find(isApplication);
    application?.use(answerProblem);
    return create(...args);
  }) as typeof create;
}

function isApplication(listener: unknown): listener is Application {
  return typeof listener === 'function' && 'use' in listener && typeof listener.use === 'function';
}

/** Four parameters: by their number Express knows that it is for errors. */
async function answerProblem(
  error: unknown,
  _request: IncomingMessage,
  response: ServerResponse,
  next: (error: unknown) => void,
): Promise<void> {
  if (!isRefusedBody(error) || response.headersSent) return next(error);
  const { problemOfBody } = await import('./problem-response.ts');
  const problem = problemOfBody(error.status);
  response.writeHead(problem.status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify(problem));
}

/** What the framework's parser throws says which status it means. */
function isRefusedBody(error: unknown): error is { status: number } {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : 0;
  return typeof status === 'number' && status >= 400 && status < 500;
}
