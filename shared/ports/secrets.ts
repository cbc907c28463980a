/** Values that nobody may see, kept outside the configuration. */
export interface Secrets {
  /**
   * The text of a version of a secret, as it was at most five minutes ago; while nobody can ask, as it was last.
   * Throws `config` for one that was not there within the last minute and `forbidden` with the role to grant. No error has any of the
   * text.
   */
  read(name: string): Promise<string>;
}
