/** A version of a secret as Secret Manager names it; `latest` is one. */
export const SECRET_NAME =
  /^projects\/[a-z0-9][a-z0-9:.-]*\/secrets\/[A-Za-z0-9_-]{1,255}\/versions\/[A-Za-z0-9_-]+$/;
