// What the operating system refuses, in words for people: without the call and the path, which the message around it has.

import { getSystemErrorMessage } from "node:util";

/** As in "no such file or directory (ENOENT)"; the message of what is no error of the system. */
export function systemFault(error: unknown): string {
  const { errno, code, message } = error as NodeJS.ErrnoException;
  if (errno === undefined || code === undefined) return message;
  const words = code === "EISDIR" ? "it is a folder" : getSystemErrorMessage(errno); // "illegal operation on a directory"
  return `${words} (${code})`;
}
