// What changes policies, releases and channels. Every method runs inside a transaction of src/storage/sqlite/writer.ts.

import { quote } from "../../model/text.ts";
import {
  absentRelease,
  type Channel,
  type ChannelChange,
  checkVersion,
  isSameRelease,
  nameIsChannel,
  nameIsRelease,
  type PolicyPut,
  type ReleaseOutcome,
  releaseIsOther,
  type StoredPolicy,
  type StoredRelease,
  tooManyChannels,
} from "../pgo-catalog.ts";
import { readChannel, readChannelNames, readPolicy, readRelease } from "./pgo-rows.ts";
import type { Statements } from "./statements.ts";

const INSERT_RELEASE = `INSERT INTO release VALUES (@service, @name, @createdNs, @digest, @sizeBytes, @storedDigest, @inputsDigest,
  @manifestDigest, @verdict, @objectId)`;

export class PgoWriter {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  putPolicy({ service, name, policy, expectedVersion }: PolicyPut): StoredPolicy {
    this.#checkPolicy(service, name, expectedVersion);
    this.#statements.plain("UPDATE counter SET value = value + 1 WHERE name = 'pgo_policy'").run();
    const version = this.#statements.value("SELECT value FROM counter WHERE name = 'pgo_policy'") as number;
    this.#statements.plain("INSERT OR REPLACE INTO pgo_policy VALUES (?, ?, ?, ?)").run(service, name, policy, version);
    return { name, policy, version };
  }

  removePolicy({ service, name, expectedVersion }: Omit<PolicyPut, "policy">): boolean {
    this.#checkPolicy(service, name, expectedVersion);
    const remove = this.#statements.plain("DELETE FROM pgo_policy WHERE service = ? AND name = ?");
    return remove.run(service, name).changes > 0;
  }

  #checkPolicy(service: string, name: string, expectedVersion: number | undefined): void {
    const version = readPolicy(this.#statements, service, name)?.version ?? 0;
    checkVersion(`policy ${quote(name)}`, version, expectedVersion);
  }

  beginRelease(objectId: string): void {
    this.#statements.plain("INSERT INTO release_unfinished VALUES (?)").run(objectId);
  }

  forgetReleases(objectIds: readonly string[]): void {
    const remove = this.#statements.plain("DELETE FROM release_unfinished WHERE object_id = ?");
    for (const objectId of objectIds) remove.run(objectId);
  }

  insertRelease(release: StoredRelease): ReleaseOutcome {
    const known = readRelease(this.#statements, release.service, release.name);
    if (known && isSameRelease(known, release)) return { release: known, alreadyExisted: true };
    if (known) throw releaseIsOther(release);
    if (readChannel(this.#statements, release.service, release.name)) throw nameIsChannel(release);
    this.#statements.plain(INSERT_RELEASE).run(release);
    this.forgetReleases([release.objectId]);
    return { release, alreadyExisted: false };
  }

  moveChannel(change: ChannelChange): Channel {
    const { service, channel, release, movedNs, expectedVersion, mostChannels } = change;
    const known = readChannel(this.#statements, service, channel);
    const version = known?.version ?? 0;
    checkVersion(`channel ${quote(channel)}`, version, expectedVersion);
    if (!readRelease(this.#statements, service, release)) throw absentRelease(service, release);
    if (readRelease(this.#statements, service, channel)) throw nameIsRelease(change);
    if (!known && readChannelNames(this.#statements, service).length >= mostChannels) throw tooManyChannels(change);
    if (known?.release === release) return known;
    const insert = this.#statements.plain("INSERT INTO channel_move VALUES (?, ?, ?, ?, ?)");
    insert.run(service, channel, version + 1, release, movedNs);
    return readChannel(this.#statements, service, channel)!;
  }
}
