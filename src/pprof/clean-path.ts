// Paths of source files as google/pprof shows them.

/** Where builds in sandboxes see their own folder. */
const BUILD_FOLDERS = ["/proc/self/cwd/./", "/proc/self/cwd/"];

/** The shortest path that is the same by its text alone, as Go's path.Clean; without the folder of a build. "" stays "". */
export function cleanPath(path: string): string {
  if (path === "") return "";
  const folder = BUILD_FOLDERS.find((each) => path.startsWith(each)) ?? "";
  const rest = path.slice(folder.length);
  if (rest === "") return "";
  const root = rest.startsWith("/") ? "/" : "";
  const parts: string[] = [];
  for (const part of rest.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== ".." || (parts.at(-1) ?? "..") === "..") {
      if (part !== ".." || root === "") parts.push(part);
    } else parts.pop();
  }
  return root + parts.join("/") || ".";
}

/** The last part, as Go's path.Base. */
export function baseName(path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  return parts.at(-1) ?? (path === "" ? "." : "/");
}

/** Undefined where the path names no folder. */
export function folderOf(path: string): string | undefined {
  const at = path.lastIndexOf("/");
  return at > 0 ? path.slice(0, at) : undefined;
}
