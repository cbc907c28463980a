interface Route {
  function: string;
  method: string;
  /** The whole path; with `/*` at its end everything below too. */
  path: string;
}

/** Which HTTP function a request is for: what the load balancer is told, and whoever stands in for it on one machine. */
export const ROUTES: readonly Route[] = [
  { function: 'webhooks', method: 'POST', path: '/webhooks/*' },
  { function: 'attempts', method: 'POST', path: '/internal/attempts/*' },
  { function: 'stages', method: 'POST', path: '/internal/runs/*' },
  { function: 'stages', method: 'GET', path: '/internal/runs/*' },
  { function: 'stages', method: 'POST', path: '/internal/decisions/*' },
  { function: 'stages', method: 'GET', path: '/internal/decisions/*' },
  { function: 'sweep', method: 'POST', path: '/internal/sweep' },
  { function: 'intake', method: 'POST', path: '/api/requirements' },
  { function: 'intake', method: 'POST', path: '/api/v1/pm/tasks' },
];

/** Takes everything else, and says of what is not there that it is not. */
export const DEFAULT_ROUTE = 'api';

export function routeOf(method: string, path: string): string {
  const found = ROUTES.find((route) => route.method === method && matches(route.path, path));
  return found?.function ?? DEFAULT_ROUTE;
}

function matches(pattern: string, path: string): boolean {
  return pattern.endsWith('/*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}
