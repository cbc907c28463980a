interface Finding {
  door: string;
  isRight: boolean;
  text: string;
}

interface Question {
  method: 'GET' | 'POST';
  path: string;
  /** Statuses of the answer to somebody without a signature or an identity. */
  right: number[];
}

/** What anybody may ask, and what a system that works answers. */
const QUESTIONS: Record<string, Question> = {
  // Only a function that has read its settings and secrets gets as far as the signature.
  webhooks: { method: 'POST', path: '/webhooks/github', right: [401] },
  api: { method: 'GET', path: '/api/runs', right: [401, 403, 404] },
  attempts: { method: 'POST', path: '/internal/attempts/claim', right: [401, 403] },
  intake: { method: 'POST', path: '/api/requirements', right: [401, 403, 404] },
};

/** A door that opens for nobody in particular, or does not answer, is wrong. Never throws. */
export async function smoke(
  addresses: Record<string, string>,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): Promise<Finding[]> {
  return Promise.all(
    Object.entries(QUESTIONS).map(async ([door, { method, path, right }]) => {
      const address = addresses[door];
      if (address === undefined) return { door, isRight: false, text: 'Terraform names no address of it' };
      try {
        const init = method === 'POST' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {};
        const signal = AbortSignal.timeout(30_000);
        const { status } = await fetch(`${address}${path}`, { method, redirect: 'manual', signal, ...init });
        const text = `${method} ${path} without an identity: ${status}, expected ${right.join(' or ')}`;
        return { door, isRight: right.includes(status), text };
      } catch (error) {
        return { door, isRight: false, text: `${address} does not answer: ${String(error)}` };
      }
    }),
  );
}
