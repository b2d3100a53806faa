// What a source (flags, environment, file) says: words with the places where they stand, not read yet; and what is wrong there.

import type { Setting } from "./setting.ts";

export interface Word {
  text: string;
  /** Such as config.yaml:3:7, PROFUSION_DATA or --data. */
  place: string;
}

export interface Written {
  setting: Setting;
  /** One, or as many as a list has. */
  words: readonly Word[];
  place: string;
}

export interface Fault {
  place: string;
  message: string;
}

export interface Source {
  written: Written[];
  faults: Fault[];
}

/** One word for each setting, or several. */
export function writtenAt(setting: Setting, place: string, texts: readonly string[]): Written {
  return { setting, place, words: texts.map((text) => ({ text, place })) };
}
