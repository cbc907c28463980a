import { Webhooks } from '@octokit/webhooks';
import { receiveWebhook } from '../../shared/core/intake/receive-webhook.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { HttpFunction } from '../../shared/runtime/functions.ts';
import { httpDoor } from '../../shared/runtime/http-door.ts';

/** GitHub's own limit is 25 MB; events that start anything are far smaller than this. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** The only public door: signature over the raw body → recorded → published → 202. Calls nobody. */
export const webhooks: HttpFunction = {
  name: 'webhooks',
  app: ({ ports, webhookSecrets }) => {
    const app = httpDoor(ports, { name: 'webhooks', maxBodyBytes: MAX_BODY_BYTES, callers: 'anybody' });
    app.post('/webhooks/github', async (context) => {
      const rawBody = new Uint8Array(await context.req.arrayBuffer());
      const text = new TextDecoder().decode(rawBody);
      await verify(await webhookSecrets(), text, context.req.header('x-hub-signature-256') ?? '');
      const receipt = await receiveWebhook(ports, {
        event: context.req.header('x-github-event') ?? '',
        deliveryId: context.req.header('x-github-delivery') ?? '',
        rawBody,
        payload: parsePayload(text),
      });
      return context.json(receipt, 202);
    });
    return app;
  },
};

/** During a rotation either of two secrets will do. The comparison takes constant time. */
async function verify(secrets: string[], body: string, signature: string): Promise<void> {
  if (secrets.length === 0) {
    throw new PenstockError(
      'unavailable',
      'no webhook secret is set; set GITHUB_WEBHOOK_SECRET to the one of your GitHub App',
    );
  }
  const valid =
    signature !== '' &&
    (await Promise.all(secrets.map((secret) => new Webhooks({ secret }).verify(body, signature)))).includes(
      true,
    );
  if (valid) return;
  throw new PenstockError(
    'unauthenticated',
    'the signature in X-Hub-Signature-256 does not match the body; check that both sides have the same webhook secret',
  );
}

function parsePayload(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PenstockError(
      'invalid',
      'the body is signed but is not JSON; set the webhook content type to application/json',
      { cause },
    );
  }
}
