// A profile as text, every field of it, one line per thing: what goldens compare and people read. The same profile gives the
// same text on every machine. Nothing reads it back.

import type { Location, Mapping, Profile, ProfileFunction, Sample, SampleLabel } from "./profile.ts";

/** Fields that say nothing (0, "", false) are left out, but of samples and ids. Texts are quoted as JSON. */
export function formatProfile(profile: Profile): string {
  return [
    ...headerLines(profile),
    `samples: ${profile.samples.length}`,
    ...profile.samples.map(sampleLine),
    `locations: ${profile.locations.length}`,
    ...profile.locations.flatMap(locationLines),
    `mappings: ${profile.mappings.length}`,
    ...profile.mappings.map(mappingLine),
    `functions: ${profile.functions.length}`,
    ...profile.functions.map(functionLine),
    "",
  ].join("\n");
}

function headerLines(profile: Profile): string[] {
  const { periodType, period, timeNs, durationNs } = profile;
  const lines = profile.sampleTypes.map(({ type, unit }) => `sample type: ${quote(type)} ${quote(unit)}`);
  if (profile.defaultSampleType !== "") lines.push(`default sample type: ${quote(profile.defaultSampleType)}`);
  if (periodType.type !== "" || periodType.unit !== "") {
    lines.push(`period type: ${quote(periodType.type)} ${quote(periodType.unit)}`);
  }
  if (period !== 0n) lines.push(`period: ${period}`);
  if (timeNs !== 0n) lines.push(`time: ${timeNs} ns`);
  if (durationNs !== 0n) lines.push(`duration: ${durationNs} ns`);
  if (profile.dropFrames !== "") lines.push(`drop frames: ${quote(profile.dropFrames)}`);
  if (profile.keepFrames !== "") lines.push(`keep frames: ${quote(profile.keepFrames)}`);
  if (profile.docUrl !== "") lines.push(`doc url: ${quote(profile.docUrl)}`);
  return [...lines, ...profile.comments.map((comment) => `comment: ${quote(comment)}`)];
}

/** Values, then location ids leaf first, then labels. */
function sampleLine({ values, locationIds, labels }: Sample): string {
  const parts = [values.join(" "), locationIds.join(" "), labels.map(labelText).join(" ")];
  return `  ${parts.join(" | ")}`.trimEnd();
}

function labelText({ key, str, num, unit }: SampleLabel): string {
  if (str !== "") return `${quote(key)}=${quote(str)}`;
  return unit === "" ? `${quote(key)}=${num}` : `${quote(key)}=${num} ${quote(unit)}`;
}

function locationLines({ id, address, mappingId, isFolded, lines }: Location): string[] {
  const mapping = mappingId === 0n ? "" : ` mapping ${mappingId}`;
  const head = `  ${id}: ${hex(address)}${mapping}${isFolded ? " folded" : ""}`;
  return [head, ...lines.map(({ functionId, line, column }) => `    function ${functionId} line ${line}:${column}`)];
}

function mappingLine(mapping: Mapping): string {
  const words = [`  ${mapping.id}: ${hex(mapping.start)}-${hex(mapping.limit)} offset ${hex(mapping.offset)}`];
  if (mapping.file !== "") words.push(`file ${quote(mapping.file)}`);
  if (mapping.buildId !== "") words.push(`build id ${quote(mapping.buildId)}`);
  if (mapping.hasFunctions) words.push("has-functions");
  if (mapping.hasFilenames) words.push("has-filenames");
  if (mapping.hasLineNumbers) words.push("has-line-numbers");
  if (mapping.hasInlineFrames) words.push("has-inline-frames");
  return words.join(" ");
}

function functionLine({ id, name, systemName, file, startLine }: ProfileFunction): string {
  const words = [`  ${id}: ${quote(name)}`];
  if (systemName !== "") words.push(`system ${quote(systemName)}`);
  if (file !== "") words.push(`file ${quote(file)}`);
  if (startLine !== 0n) words.push(`start line ${startLine}`);
  return words.join(" ");
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
