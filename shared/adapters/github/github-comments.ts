import type { CodeHost } from '../../ports/code-host.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { GithubClient } from './github-client.ts';

const PAGE = 100;
/** Beyond 10,000 comments we say so: "not found" would be followed by a second comment. */
const MAX_PAGES = 100;

type Comments = Pick<CodeHost, 'findComment' | 'createComment' | 'updateComment'>;

interface Comment {
  user: { login: string; type: string } | null;
  performed_via_github_app?: { id: number } | null | undefined;
}

export function createComments(client: GithubClient, appId: number): Comments {
  return {
    async findComment(repository, issue, marker) {
      const route = 'GET /repos/{owner}/{repo}/issues/{issue_number}/comments';
      for (let page = 1; page <= MAX_PAGES; page += 1) {
        const comments = await client.call(repository, route, { issue_number: issue, per_page: PAGE, page });
        for (const comment of comments) {
          const matches = comment.body?.includes(marker) === true;
          if (matches && (await isOurs(client, appId, comment)))
            return { id: Number(comment.id), body: comment.body ?? '' };
        }
        if (comments.length < PAGE) return undefined;
      }
      throw new PenstockError(
        'too_large',
        `Issue ${issue} of ${repository.repository} has more than ${PAGE * MAX_PAGES} comments`,
      );
    },
    async createComment(repository, issue, body) {
      const route = 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments';
      return { id: Number((await client.call(repository, route, { issue_number: issue, body })).id) };
    },
    async updateComment(repository, id, body) {
      await client.call(repository, 'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', {
        comment_id: id,
        body,
      });
    },
  };
}

/** Anybody may write our marker; only the App can write as the App. */
async function isOurs(client: GithubClient, appId: number, comment: Comment): Promise<boolean> {
  if (comment.user?.type !== 'Bot') return false;
  if (comment.performed_via_github_app) return comment.performed_via_github_app.id === appId;
  return comment.user.login === `${await client.slug()}[bot]`;
}
