// The report on a PGO profile as text, ASCII, for terminals, downloads and headers. What is in it is judge.ts's business.

import type { PgoFinding, PgoReport, PgoShare } from "./judge.ts";

/** Lines, the verdict first. */
export function reportText(report: PgoReport): string {
  const rows = report.findings.filter(({ name }) => name !== "file");
  const sections = [[verdictLine(report)], table(rows), reasons(report.findings), facts(report)];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => `${line}\n`).join(""))
    .join("\n");
}

/** Such as `usable: 3214 samples, 2 instances; samples 3214 (good from 10000)`. */
export function verdictLine({ verdict, findings }: PgoReport): string {
  const fault = findings.find((finding) => finding.verdict === "unusable");
  if (fault)
    return `unusable: ${fault.name === "file" ? "" : `${fault.name} ${shown(fault.value, fault)}: `}${fault.reason}`;
  const counted = ["samples", "instances"].flatMap((name) => {
    const found = findings.find((finding) => finding.name === name);
    return found ? [`${found.value} ${found.value === 1 ? name.slice(0, -1) : name}`] : [];
  });
  const lacking = findings
    .filter((finding) => finding.verdict !== "good")
    .map((finding) => `${finding.name} ${shown(finding.value, finding)} (${bound(finding)})`);
  return `${verdict}: ${[counted.join(", "), lacking.join(", ")].filter((part) => part !== "").join("; ")}`;
}

/** The next bound that it misses. */
function bound(finding: PgoFinding): string {
  const [name, value] = finding.verdict === "poor" ? ["usable", finding.usableFrom] : ["good", finding.goodFrom];
  return `${name} ${finding.lessIsBetter ? "up to" : "from"} ${shown(value!, finding)}`;
}

function table(findings: readonly PgoFinding[]): string[] {
  if (findings.length === 0) return [];
  const limit = (value: number | undefined, finding: PgoFinding) =>
    value === undefined ? "" : `${finding.lessIsBetter ? "<=" : ">="} ${shown(value, finding)}`;
  const rows = findings.map((finding) => [
    finding.name,
    shown(finding.value, finding),
    finding.verdict,
    limit(finding.usableFrom, finding),
    limit(finding.goodFrom, finding),
  ]);
  return aligned([["FINDING", "VALUE", "VERDICT", "USABLE", "GOOD"], ...rows]);
}

function aligned(rows: readonly string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
}

function reasons(findings: readonly PgoFinding[]): string[] {
  return findings.filter(({ verdict }) => verdict !== "good").map(({ name, reason }) => `${name}: ${reason}`);
}

function facts({ facts }: PgoReport): string[] {
  if (facts === undefined) return [];
  const { content, inputs } = facts;
  const { negative, withoutStartLine, unreadableName } = content.leftOut;
  const { versions, goVersions, earliestStartNs, latestStartNs, stability, drift, skipped } = inputs;
  const lines: [name: string, value: string | undefined][] = [
    ["calls", `${content.edges}, of which ${content.hotEdges} make up 99 % of the weight ${content.totalWeight}`],
    ["profiles", inputs.profiles?.toString()],
    ["skipped", skipped?.map(({ reason, profiles }) => `${profiles} ${reason}`).join(", ")],
    ["versions", versions && sharesText(versions)],
    ["go versions", goVersions && sharesText(goVersions)],
    ["hours of day", inputs.hoursOfDay?.join(", ")],
    ["earliest", earliestStartNs === undefined ? undefined : timeText(earliestStartNs)],
    ["latest", latestStartNs === undefined ? undefined : timeText(latestStartNs)],
    [
      "stability",
      stability && `${stability.jaccard.toFixed(2)} of the hot calls are in both halves, seed ${stability.seed}`,
    ],
    ["drift", drift && `${drift.jaccard.toFixed(2)} of the hot calls are in both this and release ${drift.release}`],
    ["left out", leftOutText({ negative, "without start line": withoutStartLine, "unreadable name": unreadableName })],
  ];
  return aligned(lines.flatMap(([name, value]) => (value === undefined || value === "" ? [] : [[name, value]])));
}

function leftOutText(counts: Record<string, number>): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  return parts.map(([why, count]) => `${count} rows (${why})`).join(", ");
}

function sharesText(shares: readonly PgoShare[]): string {
  return shares.map(({ value, share }) => `${value || "(none)"} ${percent(share)}`).join(", ");
}

function timeText(ns: bigint): string {
  return new Date(Number(ns / 1_000_000n)).toISOString();
}

const DAY_SECONDS = 86_400;

function shown(value: number, { unit }: PgoFinding): string {
  if (unit === "share") return percent(value);
  if (unit === "seconds") return value < 2 * DAY_SECONDS ? `${short(value)} s` : `${short(value / DAY_SECONDS)} d`;
  return unit === "" ? value.toFixed(2) : String(value);
}

function percent(share: number): string {
  return `${short(share * 100)} %`;
}

/** Three digits where there are more behind the point. */
function short(value: number): string {
  return String(Math.abs(value) < 100 ? Number(value.toPrecision(3)) : Math.round(value));
}
