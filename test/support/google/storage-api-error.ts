/** What Cloud Storage refuses, before it is written in the shape of the API that was called. */
export class StorageApiError extends Error {
  readonly status: number;
  /** Of the JSON API (https://cloud.google.com/storage/docs/json_api/v1/status-codes). */
  readonly reason: string;
  /** Of the XML API (https://cloud.google.com/storage/docs/xml-api/reference-status). */
  readonly xmlCode: string;
  readonly details: string | undefined;

  constructor(status: number, message: string, more: { xmlCode?: string; details?: string } = {}) {
    super(message);
    this.status = status;
    this.reason = REASONS[status] ?? 'backendError';
    this.xmlCode = more.xmlCode ?? XML_CODES[status] ?? 'InternalError';
    this.details = more.details;
  }
}

/** A request that has no published shape: a mistake of the caller's program, not of its time or rights. */
export class UnpublishedShape extends StorageApiError {}

const REASONS: Record<number, string> = {
  400: 'invalid',
  401: 'required',
  403: 'forbidden',
  404: 'notFound',
  410: 'gone',
  412: 'conditionNotMet',
  429: 'rateLimitExceeded',
};

const XML_CODES: Record<number, string> = {
  400: 'InvalidArgument',
  403: 'AccessDenied',
  404: 'NoSuchKey',
  412: 'PreconditionFailed',
  429: 'SlowDown',
  503: 'ServiceUnavailable',
};

/** The bytes of an HTTP answer. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: Uint8Array | string;
}

export function jsonAnswer(body: object, status = 200): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8' },
    body: JSON.stringify(body),
  };
}

export function jsonError({ status, message, reason }: StorageApiError): Answer {
  const errors = [{ message, domain: 'global', reason }];
  return jsonAnswer({ error: { code: status, message, errors } }, status);
}

/** Where `alt=media` was asked for, an error is its bare message. */
export function mediaError({ status, message }: StorageApiError): Answer {
  return { status, headers: { 'content-type': 'text/html; charset=UTF-8' }, body: message };
}

export function xmlError({ status, message, xmlCode, details }: StorageApiError): Answer {
  const more = details === undefined ? '' : `<Details>${escapeXml(details)}</Details>`;
  const error = `<Code>${xmlCode}</Code><Message>${escapeXml(message)}</Message>${more}`;
  return {
    status,
    headers: { 'content-type': 'application/xml; charset=UTF-8' },
    body: `<?xml version='1.0' encoding='UTF-8'?><Error>${error}</Error>`,
  };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
