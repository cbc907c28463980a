/** Characters that a reader does not see but a model does: zero width, direction marks, tag characters, other controls. */
const HIDDEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF9-\uFFFB]|[\u{E0000}-\u{E0FFF}]/gu;
const HTML_COMMENT = /<!--[\s\S]*?(-->|$)/g;

/** Untrusted text as a person sees it on the page: hidden characters and HTML comments are gone. */
export function sanitiseText(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(HTML_COMMENT, '').replaceAll(HIDDEN, '').trim();
}
