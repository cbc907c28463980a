/** An error as Google's APIs tell it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: number;
  readonly status: string;

  constructor(code: number, message: string, status: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const STATUSES: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  404: 'NOT_FOUND',
  405: 'INVALID_ARGUMENT',
  409: 'ALREADY_EXISTS',
  429: 'RESOURCE_EXHAUSTED',
};

export function apiError(code: number, message: string, status = STATUSES[code] ?? 'UNKNOWN'): ApiError {
  return new ApiError(code, message, status);
}

export function errorResponse({ code, message, status }: ApiError): Response {
  return Response.json({ error: { code, message, status } }, { status: code });
}
