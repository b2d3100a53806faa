// What is wrong with two settings together, each being right by itself.

import { ORDERED_LIMITS } from "../../model/limits.ts";
import type { Resolved } from "./load.ts";
import { type Configuration, LIMITS_SECTION, snakeCase } from "./settings.ts";
import type { Fault } from "./written.ts";

export function faultsOfPairs(configuration: Configuration, resolved: readonly Resolved[]): Fault[] {
  const settingOf = (key: string) => resolved.find(({ setting }) => setting.key === key)!;
  return [...tlsFaults(configuration, settingOf), ...limitFaults(configuration, settingOf)];
}

type SettingOf = (key: string) => Resolved;

function tlsFaults({ tlsCert, tlsKey, tlsClientCa }: Configuration, settingOf: SettingOf): Fault[] {
  if (tlsClientCa !== undefined && tlsCert === undefined && tlsKey === undefined) {
    const { origin: place } = settingOf("tls_client_ca");
    return [{ place, message: "Cannot ask clients for certificates without TLS: set tls_cert and tls_key too" }];
  }
  if ((tlsCert === undefined) === (tlsKey === undefined)) return [];
  const [present, absent] = tlsCert === undefined ? ["tls_key", "tls_cert"] : ["tls_cert", "tls_key"];
  const { origin: place } = settingOf(present!);
  return [{ place, message: `Cannot answer TLS with ${present} alone: set ${absent} too, or neither` }];
}

/** Told where the one stands that was set, or both were. What could not be read is undefined, and compares with nothing. */
function limitFaults({ limits }: Configuration, settingOf: SettingOf): Fault[] {
  return ORDERED_LIMITS.filter(([lower, upper]) => limits[lower] > limits[upper]).map((names) => {
    const [lower, upper] = names.map((name) => settingOf(`${LIMITS_SECTION}.${snakeCase(name)}`)) as [
      Resolved,
      Resolved,
    ];
    const [set, other] = lower.origin === "default" ? [upper, lower] : [lower, upper];
    const is = set === lower ? "above" : "below";
    return {
      place: set.origin,
      message: `Cannot set ${set.setting.key} to ${set.texts[0]}: it is ${is} ${other.setting.key}, ${other.texts[0]} (${other.origin})`,
    };
  });
}
