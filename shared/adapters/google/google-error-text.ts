/** Google's error JSON, as far as it is read here (https://cloud.google.com/apis/design/errors#http_mapping). */
export interface GoogleErrorBody {
  message?: string;
  /** The canonical code, such as `ABORTED`. */
  status?: string;
  /** Why, in the older shape. */
  errors?: { reason?: string }[];
}

/** Empty for a text that is none: a proxy's page, or words. */
export function readGoogleError(text: string): GoogleErrorBody {
  if (!text.startsWith('{')) return {};
  try {
    return (JSON.parse(text) as { error?: GoogleErrorBody }).error ?? {};
  } catch {
    return {};
  }
}
