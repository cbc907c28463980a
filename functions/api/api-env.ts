import type { Context, Hono } from 'hono';
import type { Caller } from '../../shared/ports/identity.ts';

/** What the routes know of a request: its caller, once authenticated. */
export interface ApiEnv {
  Variables: { caller: Caller };
}

export type ApiApp = Hono<ApiEnv>;
export type ApiContext = Context<ApiEnv>;
