import { request } from 'node:http';
import type { FunctionAnswers, FunctionQuestion } from './function-questions.ts';

/** Asks a function's process over its socket. */
export function askFunction<Q extends FunctionQuestion>(
  socketPath: string,
  question: Q,
  text = '',
): Promise<FunctionAnswers[Q]> {
  return new Promise((resolve, reject) => {
    const path = `/${question}?${new URLSearchParams({ text }).toString()}`;
    request({ socketPath, path }, (response) => {
      const chunks: Buffer[] = [];
      response
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .once('error', reject)
        .once('end', () => {
          const answer = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(JSON.parse(answer) as FunctionAnswers[Q]);
          else reject(new Error(`${socketPath} could not answer ${question}: ${answer}`));
        });
    })
      .once('error', reject)
      .end();
  });
}
