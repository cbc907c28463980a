import { describe, expect, it } from '@jest/globals';
import { translateGoogleError } from '../../../shared/adapters/google/google-call.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { resolveSecrets, SECRET_VARIABLES } from '../../../shared/runtime/resolve-secrets.ts';

const NAME = 'projects/p/secrets/s/versions/latest';

function secretsOf(texts: Record<string, string>) {
  const asked: string[] = [];
  const read = (name: string): Promise<string> => {
    asked.push(name);
    const text = texts[name];
    if (text !== undefined) return Promise.resolve(text);
    return Promise.reject(new PenstockError('forbidden', `read of secret ${name}: no; grant the role`));
  };
  return { asked, read };
}

describe('the secrets of a configuration', () => {
  it('replace their names in every variable that may hold one', async () => {
    const secrets = secretsOf({ [NAME]: 'the text' });
    const config = Object.fromEntries(SECRET_VARIABLES.map((variable) => [variable, NAME]));
    const resolved = await resolveSecrets(config, secrets);
    expect(resolved).toEqual(Object.fromEntries(SECRET_VARIABLES.map((variable) => [variable, 'the text'])));
    expect(Object.values(config)).toEqual(SECRET_VARIABLES.map(() => NAME));
  });

  it('leave what stands there itself as it is, and ask for nothing then', async () => {
    const secrets = secretsOf({});
    const config = { ANTHROPIC_API_KEY: 'sk-ant', PENSTOCK_TENANT: NAME, GITHUB_PRIVATE_KEY: undefined };
    expect(await resolveSecrets(config, secrets)).toEqual(config);
    expect(secrets.asked).toEqual([]);
  });

  it('that cannot be had are a wrong configuration that names its variable, not a refusal of who calls', async () => {
    const answer = resolveSecrets({ GITHUB_WEBHOOK_SECRET: NAME }, secretsOf({}));
    await expect(answer).rejects.toMatchObject({ code: 'config', retry: 'never' });
    await expect(answer).rejects.toThrow(`GITHUB_WEBHOOK_SECRET: read of secret ${NAME}: no; grant the role`);
  });

  it.each(['not found', 'in DISABLED state'])(
    'of a rotation that is over count as not given: the previous one of webhooks is %s',
    async (why) => {
      const gone = { read: () => Promise.reject(new PenstockError('config', `secret ${NAME} is ${why}`)) };
      const resolved = await resolveSecrets({ GITHUB_WEBHOOK_SECRET_PREVIOUS: NAME }, gone);
      expect(resolved).toEqual({ GITHUB_WEBHOOK_SECRET_PREVIOUS: undefined });
      await expect(resolveSecrets({ GITHUB_WEBHOOK_SECRET: NAME }, gone)).rejects.toThrow(why);
    },
  );

  it('of a rotation that we may not read are not over: the role is named', async () => {
    const call = { what: `read of secret ${NAME}`, role: 'roles/reader', timeoutMs: 1 };
    const refused = translateGoogleError(call, Object.assign(new Error('denied'), { status: 403 }));
    const secrets = { read: () => Promise.reject(refused) };
    const answer = resolveSecrets({ GITHUB_WEBHOOK_SECRET_PREVIOUS: NAME }, secrets);
    await expect(answer).rejects.toMatchObject({ code: 'config', retry: 'never' });
    await expect(answer).rejects.toThrow('GITHUB_WEBHOOK_SECRET_PREVIOUS: read of secret');
  });

  it('that may be had later are asked for later', async () => {
    const away = new PenstockError('unavailable', 'away', { retry: 'later' });
    const answer = resolveSecrets({ PENSTOCK_TOKEN: NAME }, { read: () => Promise.reject(away) });
    await expect(answer).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
  });

  it.each(['projects/p/secrets/s', 'projects/p/locations/europe-west1/secrets/s/versions/1', 'projects/'])(
    'are not taken for their text where the name is wrong (%s)',
    async (name) => {
      const answer = resolveSecrets({ ANTHROPIC_API_KEY: name }, secretsOf({}));
      await expect(answer).rejects.toMatchObject({ code: 'config' });
      await expect(answer).rejects.toThrow(/^ANTHROPIC_API_KEY begins like .*versions\/latest$/);
    },
  );
});
